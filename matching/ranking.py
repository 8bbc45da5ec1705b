"""Who is offered first, and the reasons shown. Pure: what is known goes in, an order comes out."""

from dataclasses import dataclass
from datetime import datetime

from matching.rules import Candidate, Need, Peer
from referrals.models import Wish
from training.models import Gender, Practice, Stage

# Never matched sorts like someone who has waited this long.
NEVER = 3650  # days


@dataclass(frozen=True)
class Chip:
    """A short reason; `good` ones speak for the supporter."""

    text: str
    good: bool = True


@dataclass(frozen=True)
class Offer:
    """A supporter as offered: the candidate, chips both ways, and how long they have waited."""

    candidate: Candidate
    chips: list[Chip]
    waited: str


def rank(need: Need, candidates: list[Candidate], now: datetime) -> list[Offer]:
    """Return those without a hard reason: free before not, light load first, then longest waiting.

    Matching is by availability; wishes only order those who are equally available (program overview,
    Matching peer supporters).
    """
    offered = [c for c in candidates if not c.hard]
    offered.sort(
        key=lambda c: (
            bool(c.soft),
            c.peer.live,
            c.peer.total / c.peer.cap_year,
            -sum(chip.good for chip in wish_chips(need, c.peer)),
            -days_waiting(c.peer, now),
            c.peer.supporter_id,
        )
    )
    return [Offer(c, chips(need, c), waiting_words(c.peer, now)) for c in offered]


def chips(need: Need, candidate: Candidate) -> list[Chip]:
    """Return the reasons for and against, in the order they matter."""
    peer = candidate.peer
    said = [Chip(reason.text, good=False) for reason in candidate.soft]
    against = {reason.code for reason in candidate.soft}
    if not against & {"PAUSED", "CAP_LIVE"}:
        said.append(Chip("free now" if peer.live == 0 else f"supporting {peer.live} now"))
    if "CAP_YEAR" not in against:
        said.append(Chip(f"{peer.total} of {peer.cap_year} this year"))
    if need.stage == peer.stage and need.stage != Stage.UNSAID and Wish.STAGE not in need.wishes:
        said.append(Chip("same career stage"))
    return said + wish_chips(need, peer)


def wish_chips(need: Need, peer: Peer) -> list[Chip]:
    """Return one chip per wish that can be told from what the supporter chose to say."""
    answers = {
        Wish.WOMAN: (peer.gender == Gender.WOMAN, "a woman, as asked", "not the gender asked for"),
        Wish.MAN: (peer.gender == Gender.MAN, "a man, as asked", "not the gender asked for"),
        Wish.FRENCH: (peer.french, "speaks French, as asked", "does not speak French"),
        Wish.SPECIALTY: (
            peer.practice == need.practice and need.practice != Practice.UNSAID,
            "same field of practice, as asked",
            "another field of practice",
        ),
        Wish.STAGE: (
            peer.stage == need.stage and need.stage != Stage.UNSAID,
            "same career stage, as asked",
            "another career stage",
        ),
    }
    return [Chip(yes if met else no, good=met) for wish, (met, yes, no) in answers.items() if wish.value in need.wishes]


def days_waiting(peer: Peer, now: datetime) -> int:
    """Return whole days since the last confirmed match; `NEVER` when there was none."""
    return NEVER if peer.last_match is None else max((now - peer.last_match).days, 0)


def waiting_words(peer: Peer, now: datetime) -> str:
    if peer.last_match is None:
        return "not matched yet"
    days = days_waiting(peer, now)
    return "matched today" if days == 0 else f"last match {days} day{'s' if days != 1 else ''} ago"


def wish_words(need: Need) -> list[str]:
    """Return the wishes in words, for the administrator."""
    return [str(Wish(code).label) for code in need.wishes]
