"""A physician says that nobody has been in touch: seen here at once, at the province when nothing follows in a day.

The alert is a crossing (docs/architecture.md): site, kind and reference pass, and nothing else. The request is
locked before the province's row, which nobody else locks, so no two can wait for each other.
"""

from datetime import timedelta

from matching.models import Alert
from psi import tenancy
from referrals import transitions as referral_moves
from referrals.models import Referral
from sites import agenda, outbox
from sites.audit import Actor
from sites.models import Notice, Role
from sites.queries import holders, province

UNHEARD = "UNHEARD"
AFTER = timedelta(hours=24)
OPEN_STATES = (Referral.State.OPEN, Referral.State.MATCHED)


def register() -> None:
    """Tell the agenda who looks whether something followed."""
    agenda.register(UNHEARD, look_after)


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
    home = province().pk
    if referral.site_id != home:
        with tenancy.site_scope(home):
            Alert.objects.filter(origin_id=referral.site_id, kind=UNHEARD, ref=referral.ref).delete()


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
        else:
            _tell(referral, home)


def _tell(referral: Referral, home: int) -> None:
    with tenancy.site_scope(home):
        alert, made = Alert.objects.get_or_create(
            origin_id=referral.site_id, kind=UNHEARD, ref=referral.ref, defaults={"at": tenancy.now()}
        )
        if made:
            outbox.enqueue("ALERT", [(alert.pk, user_id) for user_id in holders(Role.ADMINISTRATOR)])
    if made:
        referral_moves.alerted(referral)
