"""Nouns about those on the way to become a peer supporter: lists, steps, what waits for whom."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psi import vault
from sites.tenants import queries
from training.recruitment.models import Recruit, RecruitEvent
from training.recruitment.today import _over
from training.recruitment.transitions import ON_THE_WAY, State

# What is done once a state is reached, in order; the next one is what is awaited now.
STEPS = (_("Nominated"), _("Invited"), _("Interest form"), _("Reviewed"), _("Trained"), _("Agreed and active"))
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
    rows = list(Recruit.objects.filter(state__in=ON_THE_WAY).select_related("invitation").order_by("moved_at", "pk"))
    called = names(rows)
    ours = (State.NOMINATED, State.INTERESTED)
    return [
        Line(one, called.get(one.pk, ""), awaited(one), _REACHED[State(one.state)], one.state in ours) for one in rows
    ]


def names(recruits: Iterable[Recruit]) -> dict[int, str]:
    """Return recruit id → the name they go by, from the vault while they have no account."""
    recruits = list(recruits)
    sealed = {one.pk: one.named for one in recruits if one.named is not None}
    opened = vault.open_many(Recruit.KIND, sealed) if sealed else {}
    users = {one.pk: one.user_id for one in recruits if one.user_id is not None}
    known = queries.names(users.values()) if users else {}
    return {pk: named["name"] for pk, named in opened.items()} | {pk: known.get(user, "") for pk, user in users.items()}


def awaited(recruit: Recruit) -> str:
    """Return in words what is awaited now."""
    match recruit.state:
        case State.NOMINATED:
            return gettext("to be invited")
        case State.INVITED if recruit.user_id:
            return gettext("joined; their form is awaited")
        case State.INVITED if _over(recruit):
            return gettext("did not answer the invitation")
        case State.INVITED:
            return gettext("invited; their answer is awaited")
        case State.INTERESTED if recruit.by_administrator_id:
            return gettext("the second review")
        case State.INTERESTED if recruit.by_lead_id:
            return gettext("the administrator’s review")
        case State.INTERESTED:
            return gettext("to be reviewed")
        case State.REVIEWED | State.TRAINING:
            return gettext("their training")
        case State.AGREEING:
            return gettext("their agreement")
    return str(recruit.get_state_display())


def history(recruit: Recruit) -> list[tuple[RecruitEvent, str, str]]:
    """Return the events of a recruit, newest first, each with its words and the name of who made it."""
    events = list(RecruitEvent.objects.filter(recruit=recruit).order_by("-pk"))
    called = queries.names({event.by_id for event in events if event.by_id})
    return [(event, _happened(event), called.get(event.by_id or 0, "")) for event in events]


def _happened(event: RecruitEvent) -> str:
    if event.source == event.target:
        return gettext("First yes of two") if event.target == State.INTERESTED else gettext("Invited again")
    words = {
        State.NOMINATED: gettext("Nominated"),
        State.INVITED: gettext("Invited") if event.source else gettext("Joined by invitation"),
        State.INTERESTED: gettext("Sent the interest form"),
        State.REVIEWED: gettext("Reviewed by both"),
        State.TRAINING: gettext("Waits for training"),
        State.AGREEING: gettext("Trained"),
        State.ACTIVE: gettext("Agreed: active from now on"),
        State.STOPPED: gettext("Stopped"),
    }[State(event.target)]
    return f"{words} · {event.get_why_display()}" if event.target == State.STOPPED else words


def may_be_invited(recruit: Recruit) -> bool:
    """Nobody asked them yet, or they did not answer."""
    without = recruit.named is not None and recruit.user_id is None
    return without and (recruit.state == State.NOMINATED or (recruit.state == State.INVITED and _over(recruit)))


def of_user(user_id: int) -> Recruit | None:
    """Return the recruit of an account while they are on the way."""
    return Recruit.objects.filter(user_id=user_id, state__in=ON_THE_WAY).first()
