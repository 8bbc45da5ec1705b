"""Who is offered first, and the reasons shown. Pure: what is known goes in, an order comes out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from matching.candidates.rules import Candidate, Need, Peer
from referrals.requests.models import Wish
from training.supporters.models import Gender, Language, Practice, Stage, Trait

# What decides, one after the other; the database sorts by the same names (`filters.CRITERIA`). Load comes before
# wishes, and wishes before the days since the last match, because the simulation says so (bench/fairness.py,
# docs/decisions/0016-candidates-in-sql.md; docs/rules.md#candidate-order).
SOFT = "a rule would have to be set aside"
FULL = "carries what they set, or is invited to it"
SHARE = "of the matches they set for a year, taken or invited to"
WISHES = "wishes met, and the language to talk in"
STAGE = "seniority: those are kept who can support more"
CARRIED = "carries or is invited to now"
WAITED = "month of the last match, never first"
NUMBER = "number, so that the list stands still"
# docs/rules.md#candidate-order
ORDER = (SOFT, FULL, SHARE, WISHES, STAGE, CARRIED, WAITED, NUMBER)
# What a wish weighs, and the language to talk in: without it there is no conversation (docs/rules.md#candidate-order).
WISH, LANGUAGE = 1, 2
# Whom more requests can come to is asked last; with a request that tells its stage, the same stage comes first so.
SENIORITY = {
    Stage.TRAINEE: 0,
    Stage.EARLY: 0,
    Stage.MID: 1,
    Stage.LATE: 2,
    Stage.RETIRED: 2,
    Stage.UNSAID: 2,
}
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Chip:
    """A short reason; `good` ones speak for the supporter, and where they are wishes they have a weight."""

    text: str
    good: bool = True
    weight: int = WISH


@dataclass(frozen=True)
class Offer:
    """A supporter as offered: the candidate, chips both ways, and how long they have waited."""

    candidate: Candidate
    chips: list[Chip]
    waited: str


def rank(need: Need, candidates: list[Candidate], now: datetime) -> list[Offer]:
    """Return those without a hard reason, in the order of `ORDER`."""
    offered = sorted((c for c in candidates if not c.hard), key=lambda c: key(need, c))
    return [Offer(c, chips(need, c), waiting_words(c.peer, now)) for c in offered]


def key(need: Need, candidate: Candidate) -> tuple[Any, ...]:
    """Return what a candidate is sorted by, in the order of `ORDER`; least first."""
    peer = candidate.peer
    carried = peer.live + peer.invited
    values = {
        SOFT: bool(candidate.soft),
        FULL: carried >= peer.cap_live,
        SHARE: (peer.total + peer.invited) / peer.cap_year,
        WISHES: -sum(chip.weight for chip in wish_chips(need, peer) if chip.good),
        STAGE: SENIORITY[Stage(peer.stage)],
        CARRIED: carried,
        WAITED: _month(peer.last_match) if peer.last_match else NEVER,
        NUMBER: peer.supporter_id,
    }
    return tuple(values[name] for name in ORDER)


def _month(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def chips(need: Need, candidate: Candidate) -> list[Chip]:
    """Return the reasons for and against, in the order they matter."""
    peer = candidate.peer
    found_chips = [Chip(reason.text, good=False) for reason in candidate.soft]
    against = {reason.code for reason in candidate.soft}
    if not against & {"PAUSED", "CAP_LIVE"} and (peer.live or not peer.invited):
        found_chips.append(Chip(f"supporting {peer.live} now" if peer.live else "free now"))
    if peer.invited:
        found_chips.append(
            Chip("invited to another request" if peer.invited == 1 else f"invited to {peer.invited} others")
        )
    if "CAP_YEAR" not in against:
        found_chips.append(Chip(f"{peer.total} of {peer.cap_year} this year"))
    if need.stage == peer.stage and need.stage != Stage.UNSAID and Wish.STAGE not in need.wishes:
        found_chips.append(Chip("same career stage"))
    return found_chips + wish_chips(need, peer)


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
        if trait.value in need.wishes
    }
    met_or_not = [
        Chip(yes if met else no, good=met) for wish, (met, yes, no) in answers.items() if wish.value in need.wishes
    ]
    return met_or_not + _language_chip(need, peer)


def _language_chip(need: Need, peer: Peer) -> list[Chip]:
    """Return a chip for the language to talk in, unless everybody speaks it or a wish says the same."""
    if need.talk_in in ("", Language.ENGLISH) or (need.talk_in == Language.FRENCH and Wish.FRENCH in need.wishes):
        return []
    speaks = peer.french if need.talk_in == Language.FRENCH else need.talk_in in peer.described
    language = Language(need.talk_in).label
    if speaks:
        return [Chip(f"speaks {language}, as asked", weight=LANGUAGE)]
    return [Chip(f"does not speak {language}" if need.talk_in == Language.FRENCH else f"not known: {language}", False)]


def waiting_words(peer: Peer, now: datetime) -> str:
    if peer.last_match is None:
        return "not matched yet"
    days = max((now - peer.last_match).days, 0)
    return "matched today" if days == 0 else f"last match {days} day{'s' if days != 1 else ''} ago"


def wish_words(need: Need) -> list[str]:
    """Return the wishes in words, for the administrator."""
    words = [str(Wish(code).label) for code in need.wishes]
    return words + ([f"To talk in {Language(need.talk_in).label}"] if need.talk_in else [])
