"""Several rows for tests of whole pages, made by the program's own moves on top of `tests.line`."""

import uuid
from datetime import date, timedelta
from typing import Any

from matching.invitations import transitions as matches
from matching.matches.models import Match
from psi import tenancy
from referrals.requests.models import Referral
from sites.engine.audit import SYSTEM, Actor
from sites.tenants.models import Membership, Profile, Role, Site, User
from tests import people
from tracker.conversations import transitions as tracker
from tracker.conversations.choices import Minutes, Resource, Way
from training.sessions import transitions as sessions
from training.sessions.models import Enrolment, Session
from training.supporters.models import PeerSupporter

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


def crowd(site: Site, count: int, **fields: Any) -> list[PeerSupporter]:
    """Add so many supporters at once; every value of `fields` may be what returns it for a number from 0 on."""
    since, own = tenancy.now(), site.slug
    with tenancy.site_scope(site.pk):
        users = User.objects.bulk_create(User(email=f"crowd-{own}-{n}@example.org") for n in range(count))
        Membership.objects.bulk_create(
            Membership(site=site, user=user, role=Role.SUPPORTER, since=since) for user in users
        )
        profiles = Profile.objects.bulk_create(
            Profile(user=user, name=f"Dr Crowd {n:05}") for n, user in enumerate(users)
        )
        ready = {"state": "ACTIVE", "trained_on": date(2025, 9, 25), "agreement_until": date(2099, 1, 1)} | fields
        return PeerSupporter.objects.bulk_create(
            PeerSupporter(
                user=profile.user,
                profile=profile,
                **{name: value(n) if callable(value) else value for name, value in ready.items()},
            )
            for n, profile in enumerate(profiles)
        )


def requests(site: Site, count: int) -> list[Referral]:
    """Add so many bare requests to the current site at once: rows alone, nothing in the vault, nothing due."""
    at = tenancy.now()
    return Referral.objects.bulk_create(
        Referral(ref=f"{n:06}", state="MATCHED", pathway="REACH_IN", home=site, received_at=at)
        for n in range(Referral.objects.count(), Referral.objects.count() + count)
    )
