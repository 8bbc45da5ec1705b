"""What is late and nobody acts on for a day, or is counted wrongly: the province is told, of site and reference alone.

The alert is a crossing (docs/data-protection.md#crossings): site, kind and reference pass, and nothing else. The
request is locked before the province's row, which nobody else locks, so no two can wait for each other.
"""

from datetime import timedelta

from matching.matches.models import MISSED, Alert, Match
from psi import tenancy
from referrals.requests import transitions as referral_moves
from referrals.requests.models import Referral
from sites.engine import agenda, outbox
from sites.engine.audit import Actor
from sites.engine.models import Notice
from sites.tenants.models import Role
from sites.tenants.queries import holders, province

UNHEARD, UNANSWERED = "UNHEARD", "UNANSWERED"
COUNTS = "COUNTS"  # in place of a reference: it is about all figures of the site
AFTER = timedelta(hours=24)  # docs/rules.md#alert-to-the-province
OPEN_STATES = (Referral.State.OPEN, Referral.State.MATCHED)


def register() -> None:
    """Tell the agenda who looks whether something followed."""
    agenda.register(UNHEARD, look_after)
    agenda.register(UNANSWERED, look_after_missed)


def say(referral: Referral, *, by: Actor) -> None:
    """Show it to the administrators, and look again in a day. `referral` is locked."""
    referral_moves.unheard(referral, by=by)
    agenda.schedule(UNHEARD, [referral.pk], tenancy.now() + AFTER)
    outbox.enqueue("UNHEARD", [(referral.pk, user_id) for user_id in holders(Role.ADMINISTRATOR)])


def heard(referral: Referral) -> None:
    """Somebody was invited, confirmed or in contact, or the request has ended: take it all back.

    `referral` is locked.
    """
    if referral.unheard_at is None:
        return
    referral_moves.heard(referral)
    agenda.cancel(UNHEARD, [referral.pk])
    # So that it is said by mail again, should it be pressed again.
    Notice.objects.filter(kind="UNHEARD", object_id=referral.pk).delete()
    _forget(UNHEARD, referral.ref)


def look_after(ids: list[int]) -> None:
    """Tell the province of requests about which nothing was done for a day; of its own it knows already."""
    rows = Referral.objects.select_for_update(of=("self",)).filter(
        pk__in=ids, state__in=OPEN_STATES, unheard_at__isnull=False
    )
    home = province().pk
    for referral in rows.order_by("pk"):
        assert referral.unheard_at is not None
        if referral.site_id == home:
            continue
        if tenancy.now() < referral.unheard_at + AFTER:
            agenda.schedule(UNHEARD, [referral.pk], referral.unheard_at + AFTER)
        elif _tell(UNHEARD, referral.ref, home):
            referral_moves.alerted(referral)


def missed(match_ids: list[int]) -> None:
    """The 72 hours of these matches are over: look again in a day whether anybody acted."""
    agenda.schedule(UNANSWERED, match_ids, tenancy.now() + AFTER)


def acted(match: Match) -> None:
    """There was contact, or the match ended: the province need not look any more. The match is locked."""
    if match.window_step < MISSED:
        return
    agenda.cancel(UNANSWERED, [match.pk])
    _forget(Alert.Kind.MISSED, match.referral.ref)


def look_after_missed(ids: list[int]) -> None:
    """Tell the province of windows that were missed a day ago while nobody acted; of its own it knows already."""
    of = Match.objects.filter(pk__in=ids).values("referral_id")
    list(Referral.objects.select_for_update(of=("self",)).filter(pk__in=of).order_by("pk").values("pk"))
    rows = Match.objects.select_for_update(of=("self",)).filter(pk__in=ids, state=Match.State.CONFIRMED)
    home = province().pk
    for match in rows.select_related("referral").order_by("pk"):
        if match.site_id != home and match.window_step == MISSED:
            _tell(Alert.Kind.MISSED, match.referral.ref, home)


def counted(*, wrongly: bool) -> None:
    """Tell the province that the current site's figures are not what was counted, or that they are again."""
    if wrongly:
        _tell(Alert.Kind.COUNTS, COUNTS, province().pk)
    else:
        _forget(Alert.Kind.COUNTS, COUNTS)


def _tell(kind: str, ref: str, home: int) -> bool:
    origin = tenancy.current_site_id()
    with tenancy.site_scope(home):
        alert, made = Alert.objects.get_or_create(origin_id=origin, kind=kind, ref=ref, defaults={"at": tenancy.now()})
        if made:
            outbox.enqueue("ALERT", [(alert.pk, user_id) for user_id in holders(Role.ADMINISTRATOR)])
    return made


def _forget(kind: str, ref: str) -> None:
    site_id = tenancy.current_site_id()
    with tenancy.site_scope(province().pk):
        Alert.objects.filter(origin_id=site_id, kind=kind, ref=ref).delete()
