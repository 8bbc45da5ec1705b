"""Those on the way to become a peer supporter, on *Today*."""

from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import today
from training.recruitment.models import Recruit
from training.recruitment.transitions import SILENT_AFTER, State

# Nobody should wait longer for an invitation or a review (docs/rules.md#recruitment).
WITHIN = timedelta(days=7)


def register() -> None:
    """Tell *Today* who waits."""
    today.register(rows_for_today)


def rows_for_today(slug: str) -> list[today.Item]:
    """Return a row for everybody who waits for the administrator, by their code."""
    waiting = (State.NOMINATED, State.INVITED, State.INTERESTED)
    recruits = Recruit.objects.filter(state__in=waiting).select_related("invitation").order_by("pk")
    return [item for recruit in recruits if (item := _row(slug, recruit)) is not None]


def _row(slug: str, recruit: Recruit) -> today.Item | None:
    url, by = reverse("recruit", args=[slug, recruit.ref]), recruit.moved_at + WITHIN
    late = by < tenancy.now()
    if recruit.state == State.NOMINATED:
        return _item(
            by,
            _("A colleague was nominated as a peer supporter (%(ref)s)"),
            _("Invite them, or stop here."),
            url,
            recruit,
        )
    if recruit.state == State.INTERESTED and recruit.by_administrator_id is None:
        detail = _("They would like to become a peer supporter. Read their form.")
        return _item(by, _("An interest form waits for your review (%(ref)s)"), detail, url, recruit, _("Review"))
    if recruit.state == State.INTERESTED:
        detail = _("Your yes is in. The second one is awaited.")
        return _item(
            by, _("An interest form waits for the second review (%(ref)s)"), detail, url, recruit, quiet=not late
        )
    if recruit.user_id is None and _over(recruit):
        detail = _("Invite them again, or stop here. In time they are forgotten by themselves.")
        ends = recruit.started_at + SILENT_AFTER
        return _item(ends, _("A colleague did not answer the invitation (%(ref)s)"), detail, url, recruit, quiet=True)
    return None


def _item(
    by: datetime, title: str, detail: str, url: str, recruit: Recruit, label: str = "", *, quiet: bool = False
) -> today.Item:
    tone = "calm" if quiet or tenancy.now() <= by else "soon"
    return today.Item(by, title % {"ref": recruit.ref}, detail, label or _("Open"), url, tone=tone, quiet=quiet)


def _over(recruit: Recruit) -> bool:
    sent = recruit.invitation
    return sent is None or sent.revoked_at is not None or sent.expires_at <= tenancy.now()
