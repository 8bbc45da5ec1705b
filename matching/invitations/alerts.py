"""What is late while nobody acts for a day, or is counted wrongly: the province gets an alert.

The alert is a crossing (docs/data-protection.md#crossings): site, kind and reference pass, and nothing else. The
request is locked before the province's row, which nobody else locks, so no two can wait for each other.
"""

from datetime import timedelta

from matching.matches.models import Alert, Match, WindowStep
from psi import tenancy
from referrals.requests import transitions as referral_moves
from referrals.requests.models import Referral
from sites.engine import agenda, outbox
from sites.engine.audit import Actor
from sites.engine.models import Notice
from sites.tenants.models import Role
from sites.tenants.queries import members_with_role, province

NO_CONTACT, UNANSWERED = "UNHEARD", "UNANSWERED"
COUNTS = "COUNTS"  # in place of a reference: it is about all figures of the site
AFTER = timedelta(hours=24)  # docs/rules.md#alert-to-the-province
OPEN_STATES = (Referral.State.OPEN, Referral.State.MATCHED)


def register() -> None:
    """Register the handlers of this file with the agenda."""
    agenda.register(NO_CONTACT, handle_no_contact)
    agenda.register(UNANSWERED, handle_missed)


def report_no_contact(referral: Referral, *, by: Actor) -> None:
    """Note that the physician heard from nobody, mail the administrators, and schedule a look in a day.

    `referral` is locked.
    """
    referral_moves.mark_no_contact(referral, by=by)
    agenda.schedule(NO_CONTACT, [referral.pk], tenancy.now() + AFTER)
    outbox.enqueue("UNHEARD", [(referral.pk, user_id) for user_id in members_with_role(Role.ADMINISTRATOR)])


def resolve_no_contact(referral: Referral) -> None:
    """Take the report back, because somebody was invited, confirmed or in contact, or the request has ended.

    `referral` is locked.
    """
    if referral.unheard_at is None:
        return
    referral_moves.clear_no_contact(referral)
    agenda.cancel(NO_CONTACT, [referral.pk])
    # So that it is mailed again, should it be reported again.
    Notice.objects.filter(kind="UNHEARD", object_id=referral.pk).delete()
    _remove_alert(NO_CONTACT, referral.ref)


def handle_no_contact(ids: list[int]) -> None:
    """Alert the province of requests about which nothing was done for a day; its own need no alert."""
    rows = Referral.objects.select_for_update(of=("self",)).filter(
        pk__in=ids, state__in=OPEN_STATES, unheard_at__isnull=False
    )
    home = province().pk
    for referral in rows.order_by("pk"):
        assert referral.unheard_at is not None
        if referral.site_id == home:
            continue
        if tenancy.now() < referral.unheard_at + AFTER:
            agenda.schedule(NO_CONTACT, [referral.pk], referral.unheard_at + AFTER)
        elif _raise_alert(NO_CONTACT, referral.ref, home):
            referral_moves.note_alert(referral)


def schedule_missed(match_ids: list[int]) -> None:
    """Schedule a look in a day at matches whose 72 hours are over: whether anybody acted."""
    agenda.schedule(UNANSWERED, match_ids, tenancy.now() + AFTER)


def resolve_missed(match: Match) -> None:
    """Remove the alert of a missed window, because there was contact or the match ended. The match is locked."""
    if match.window_step < WindowStep.MISSED:
        return
    agenda.cancel(UNANSWERED, [match.pk])
    _remove_alert(Alert.Kind.MISSED, match.referral.ref)


def handle_missed(ids: list[int]) -> None:
    """Alert the province of windows missed a day ago while nobody acted; its own need no alert."""
    of = Match.objects.filter(pk__in=ids).values("referral_id")
    list(Referral.objects.select_for_update(of=("self",)).filter(pk__in=of).order_by("pk").values("pk"))
    rows = Match.objects.select_for_update(of=("self",)).filter(pk__in=ids, state=Match.State.CONFIRMED)
    home = province().pk
    for match in rows.select_related("referral").order_by("pk"):
        if match.site_id != home and match.window_step == WindowStep.MISSED:
            _raise_alert(Alert.Kind.MISSED, match.referral.ref, home)


def report_counts(*, wrong: bool) -> None:
    """Alert the province that the current site's figures are not what was counted; remove the alert once they are.

    Args:
        wrong: they are not.
    """
    if wrong:
        _raise_alert(Alert.Kind.COUNTS, COUNTS, province().pk)
    else:
        _remove_alert(Alert.Kind.COUNTS, COUNTS)


def _raise_alert(kind: str, ref: str, home: int) -> bool:
    origin = tenancy.current_site_id()
    with tenancy.site_scope(home):
        alert, created = Alert.objects.get_or_create(
            origin_id=origin, kind=kind, ref=ref, defaults={"at": tenancy.now()}
        )
        if created:
            outbox.enqueue("ALERT", [(alert.pk, user_id) for user_id in members_with_role(Role.ADMINISTRATOR)])
    return created


def _remove_alert(kind: str, ref: str) -> None:
    site_id = tenancy.current_site_id()
    with tenancy.site_scope(province().pk):
        Alert.objects.filter(origin_id=site_id, kind=kind, ref=ref).delete()
