"""Nouns about those on the way to become a peer supporter: lists, steps, what waits for whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from psi import tenancy, vault
from sites import queries, today
from training.models import Recruit, RecruitEvent
from training.recruitment import ON_THE_WAY, SILENT_AFTER, State

# What is done once a state is reached, in order; the next one is what is awaited now.
STEPS = (__("Nominated"), __("Invited"), __("Interest form"), __("Reviewed"), __("Trained"), __("Agreed and active"))
_REACHED = {
    State.NOMINATED: 1,
    State.INVITED: 2,
    State.INTERESTED: 3,
    State.REVIEWED: 4,
    State.TRAINING: 4,
    State.AGREEING: 5,
    State.ACTIVE: 6,
    State.STOPPED: 0,
}
# Nobody should wait longer for an invitation or a review.
WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Line:
    """Someone on the way: who, what is awaited, how many steps are done, and whether the site is to act."""

    recruit: Recruit
    name: str
    words: str
    step: int
    waits: bool
    of: int = len(STEPS)


def steps(recruit: Recruit) -> list[tuple[str, str]]:
    """Return the way as (label, state) for components/journey.html."""
    reached = _REACHED[State(recruit.state)]
    way = [
        (str(label), "done" if number < reached else "now" if number == reached and reached else "")
        for number, label in enumerate(STEPS)
    ]
    return way if recruit.key else way[1:]  # others were invited without a nomination


def lines() -> list[Line]:
    """Return those on the way at the current site, who waits longest first, in three queries at most."""
    found = list(Recruit.objects.filter(state__in=ON_THE_WAY).select_related("invitation").order_by("moved_at", "pk"))
    called = names(found)
    ours = (State.NOMINATED, State.INTERESTED)
    return [
        Line(one, called.get(one.pk, ""), awaited(one), _REACHED[State(one.state)], one.state in ours) for one in found
    ]


def names(recruits: Iterable[Recruit]) -> dict[int, str]:
    """Return recruit id → the name they go by, from the vault while they have no account."""
    recruits = list(recruits)
    sealed = {one.pk: one.named for one in recruits if one.named is not None}
    opened = vault.open_many(Recruit.KIND, sealed) if sealed else {}
    users = {one.pk: one.user_id for one in recruits if one.user_id is not None}
    known = queries.names(users.values()) if users else {}
    return {pk: said["name"] for pk, said in opened.items()} | {pk: known.get(user, "") for pk, user in users.items()}


def awaited(recruit: Recruit) -> str:
    """Return in words what is awaited now."""
    match recruit.state:
        case State.NOMINATED:
            return _("to be invited")
        case State.INVITED if recruit.user_id:
            return _("joined; their form is awaited")
        case State.INVITED if _over(recruit):
            return _("did not answer the invitation")
        case State.INVITED:
            return _("invited; their answer is awaited")
        case State.INTERESTED if recruit.by_administrator_id:
            return _("the second review")
        case State.INTERESTED if recruit.by_lead_id:
            return _("the administrator’s review")
        case State.INTERESTED:
            return _("to be reviewed")
        case State.REVIEWED | State.TRAINING:
            return _("their training")
        case State.AGREEING:
            return _("their agreement")
    return str(recruit.get_state_display())


def history(recruit: Recruit) -> list[tuple[RecruitEvent, str, str]]:
    """Return the events of a recruit, newest first, each with its words and the name of who made it."""
    events = list(RecruitEvent.objects.filter(recruit=recruit).order_by("-pk"))
    called = queries.names({event.by_id for event in events if event.by_id})
    return [(event, _happened(event), called.get(event.by_id or 0, "")) for event in events]


def _happened(event: RecruitEvent) -> str:
    if event.source == event.target:
        return _("First yes of two") if event.target == State.INTERESTED else _("Invited again")
    words = {
        State.NOMINATED: _("Nominated"),
        State.INVITED: _("Invited") if event.source else _("Joined by invitation"),
        State.INTERESTED: _("Sent the interest form"),
        State.REVIEWED: _("Reviewed by both"),
        State.TRAINING: _("Waits for training"),
        State.AGREEING: _("Trained"),
        State.ACTIVE: _("Agreed: active from now on"),
        State.STOPPED: _("Stopped"),
    }[State(event.target)]
    return f"{words} · {event.get_why_display()}" if event.target == State.STOPPED else words


def may_be_invited(recruit: Recruit) -> bool:
    """Nobody asked them yet, or they did not answer."""
    without = recruit.named is not None and recruit.user_id is None
    return without and (recruit.state == State.NOMINATED or (recruit.state == State.INVITED and _over(recruit)))


def of_user(user_id: int) -> Recruit | None:
    """Return the recruit of an account while they are on the way."""
    return Recruit.objects.filter(user_id=user_id, state__in=ON_THE_WAY).first()


def register_today() -> None:
    """Tell *Today* who waits."""
    today.register(rows_for_today)


def rows_for_today(slug: str) -> list[today.Item]:
    """Return a row for everybody who waits for the administrator, by their code."""
    waiting = (State.NOMINATED, State.INVITED, State.INTERESTED)
    found = Recruit.objects.filter(state__in=waiting).select_related("invitation").order_by("pk")
    return [item for recruit in found if (item := _row(slug, recruit)) is not None]


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
        said = _("They would like to become a peer supporter. Read their form.")
        return _item(by, _("An interest form waits for your review (%(ref)s)"), said, url, recruit, _("Review"))
    if recruit.state == State.INTERESTED:
        said = _("Your yes is in. The second one is awaited.")
        return _item(
            by, _("An interest form waits for the second review (%(ref)s)"), said, url, recruit, quiet=not late
        )
    if recruit.user_id is None and _over(recruit):
        said = _("Invite them again, or stop here. In time they are forgotten by themselves.")
        ends = recruit.started_at + SILENT_AFTER
        return _item(ends, _("A colleague did not answer the invitation (%(ref)s)"), said, url, recruit, quiet=True)
    return None


def _item(
    by: datetime, title: str, detail: str, url: str, recruit: Recruit, label: str = "", *, quiet: bool = False
) -> today.Item:
    tone = "calm" if quiet or tenancy.now() <= by else "soon"
    return today.Item(by, title % {"ref": recruit.ref}, detail, label or _("Open"), url, tone=tone, quiet=quiet)


def _over(recruit: Recruit) -> bool:
    sent = recruit.invitation
    return sent is None or sent.revoked_at is not None or sent.expires_at <= tenancy.now()
