"""Several rows for tests of whole pages, made by the program's own moves on top of `tests.line`."""

import uuid
from datetime import timedelta
from typing import Any

from matching import transitions as matches
from matching.models import Match
from psi import tenancy
from referrals.models import Referral
from sites.audit import SYSTEM, Actor
from sites.models import Profile, Role, Site, User
from tests import people
from tracker import transitions as tracker
from tracker.models import Minutes, Resource, Way
from training import sessions
from training.models import Enrolment, PeerSupporter, Session

STATES = ("INVITED", "ACCEPTED", "CONFIRMED", "CONTACTED", "COMPLETED")


def supporter(site: Site, name: str, **fields: Any) -> PeerSupporter:
    """A supporter with an account of their own, ready for as many matches as a test may make."""
    return people.supporter(site, name, **{"stage": "MID", "cap_live": 9, "cap_year": 90} | fields)


def match(
    referral: Referral, supporter: PeerSupporter, state: str = "INVITED", *, ago: timedelta | None = None
) -> Match:
    """Invite, and go on to `state` (of STATES), as if all of it had happened `ago`."""
    by = Actor(supporter.user_id, Role.SUPPORTER)
    moves = ((matches.accept, by), (matches.confirm, SYSTEM), (matches.record_contact, by), (matches.finish, by))
    with tenancy.site_scope(referral.site_id, now=tenancy.now() - ago if ago else None):
        found = matches.invite(referral.pk, supporter.pk, by=SYSTEM, override="NOBODY")
        for move, who in moves[: STATES.index(state)]:
            found = move(found.pk, by=who)
    return found


def session(at: Site, place: str, kind: str = "FOUNDATIONS") -> Session:
    """Plan a session of a site, three weeks ahead."""
    with tenancy.site_scope(at.pk):
        starts = tenancy.now() + timedelta(days=21)
        facts = {"minutes": 150, "link": "https://example.org/room", "capacity": 9, "approval": ""}
        return sessions.schedule(by=SYSTEM, kind=kind, starts_at=starts, place=place, **facts)


def seat(of: Session, user: User, home: Site) -> Enrolment:
    """Give a person a place in a session, under the name of their site."""
    with tenancy.site_scope(home.pk):
        name = Profile.objects.get(user=user).name
    with tenancy.site_scope(of.site_id):
        return Enrolment.objects.create(session=of, user=user, home=home, name=name, since=tenancy.now())


def talk(found: Match) -> None:
    """Record a conversation of a match that is in contact."""
    with tenancy.site_scope(found.site_id):
        by = Actor(PeerSupporter.objects.get(pk=found.supporter_id).user_id, Role.SUPPORTER)
        said = tracker.Conversation(1, Way.PHONE, Minutes.UNDER_30, ease=4, strain=2, resources=(Resource.PHP,))
        tracker.record(found.pk, said, key=uuid.uuid4(), by=by)
