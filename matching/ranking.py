"""Who is offered first, and the reasons shown. Pure: what is known goes in, an order comes out."""

from dataclasses import dataclass
from datetime import datetime

from matching.rules import Candidate, Need, Peer
from referrals.models import Wish
from training.models import Gender, Language, Practice, Stage, Trait

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
    same, other = "same field of practice", "another field of practice"
    alike = peer.practice == need.practice and need.practice != Practice.UNSAID
    if need.specialty:
        same, other, alike = "same specialty", "another specialty", peer.specialty_code == need.specialty
    answers = {
        Wish.WOMAN: (peer.gender == Gender.WOMAN, "a woman, as asked", "not the gender asked for"),
        Wish.MAN: (peer.gender == Gender.MAN, "a man, as asked", "not the gender asked for"),
        Wish.NONBINARY: (peer.gender == Gender.NONBINARY, "non-binary, as asked", "not the gender asked for"),
        Wish.FRENCH: (peer.french, "speaks French, as asked", "does not speak French"),
        Wish.SPECIALTY: (alike, f"{same}, as asked", other),
        Wish.STAGE: (
            peer.stage == need.stage and need.stage != Stage.UNSAID,
            "same career stage, as asked",
            "another career stage",
        ),
    }
    # What they did not say of themselves may still be so.
    answers |= {
        Wish(trait.value): (trait in peer.described, f"as asked: {trait.label}", f"not known: {trait.label}")
        for trait in Trait
    }
    said = [Chip(yes if met else no, good=met) for wish, (met, yes, no) in answers.items() if wish.value in need.wishes]
    return said + _language_chip(need, peer)


def _language_chip(need: Need, peer: Peer) -> list[Chip]:
    """Return a chip for the language to talk in, unless everybody speaks it or a wish says the same."""
    if need.talk_in in ("", Language.ENGLISH) or (need.talk_in == Language.FRENCH and Wish.FRENCH in need.wishes):
        return []
    speaks = peer.french if need.talk_in == Language.FRENCH else need.talk_in in peer.described
    language = Language(need.talk_in).label
    if speaks:
        return [Chip(f"speaks {language}, as asked")]
    return [Chip(f"does not speak {language}" if need.talk_in == Language.FRENCH else f"not known: {language}", False)]


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
    words = [str(Wish(code).label) for code in need.wishes]
    return words + ([f"To talk in {Language(need.talk_in).label}"] if need.talk_in else [])
