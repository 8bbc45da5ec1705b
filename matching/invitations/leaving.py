"""A supporter leaves: open matches are handed on, the role ends, here and wherever they were lent, on one day."""

from django.utils.timezone import localdate

from matching.invitations import rematch
from matching.matches.models import LIVE, Match
from psi import tenancy
from sites.engine import agenda
from sites.engine.audit import SYSTEM
from sites.people import transitions as people
from sites.tenants.models import Membership, Role
from training.commitment import transitions as commitment
from training.commitment.agreement import morning
from training.commitment.transitions import LEAVING
from training.supporters import lending
from training.supporters.models import PeerSupporter


def register() -> None:
    """Register the handler of those whose last day has come with the agenda."""
    agenda.register(LEAVING, handle)


def handle(ids: list[int]) -> None:
    """Let those leave whose day has come and who have not taken their notice back."""
    rows = PeerSupporter.objects.filter(pk__in=ids, leaving_on__isnull=False).exclude(state=PeerSupporter.State.LEFT)
    for supporter in rows.order_by("pk"):
        assert supporter.leaving_on is not None
        if supporter.leaving_on <= localdate(tenancy.now()):
            _leave(supporter)
        else:
            agenda.schedule(LEAVING, [supporter.pk], morning(supporter.leaving_on))


def _leave(supporter: PeerSupporter) -> None:
    """Enter each roster the person stands in, in the order of the sites' ids (docs/data-protection.md#crossings)."""
    for site_id in sorted({tenancy.current_site_id(), *lending.lent_to(supporter)}):
        with tenancy.site_scope(site_id):
            _leave_roster(PeerSupporter.objects.get(user_id=supporter.user_id))


def _leave_roster(supporter: PeerSupporter) -> None:
    matches = Match.objects.filter(supporter=supporter, state__in=LIVE).order_by("referral_id")
    for match_id in matches.values_list("pk", flat=True):
        rematch.end_for_leaving(match_id, by=SYSTEM)
    role = Membership.objects.filter(
        site_id=tenancy.current_site_id(), user_id=supporter.user_id, role=Role.SUPPORTER, ended_at=None
    ).first()
    if role is not None:
        people.end_role(role, by=SYSTEM)
    commitment.leave(supporter.pk, by=SYSTEM)
