"""Why a supporter is not offered: one small function per rule, each returning a reason or None.

Hard rules cannot be set aside. Soft ones can, with a reason from a closed list that the audit keeps.
Each rule stands in docs/rules.md#who-may-be-matched with its source.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from training.supporters.models import PeerSupporter, Stage
from training.supporters.surnames import surnames


@dataclass(frozen=True)
class Need:
    """What the rules know of a request. Nobody is shown the fields that come from the vault.

    Attributes:
        stage: career stage of the physician, or `UNSAID`.
        practice: practice of the physician.
        wishes: codes of wishes about the peer.
        departments: ids of departments where the physician is evaluated.
        evaluators: ids of supporters who typed the physician's name or address as someone they evaluate.
        avoid: ids of supporters the physician excluded.
        avoid_surnames: words of the names typed as not to be matched with (`training.supporters.surnames.name_words`).
        talk_in: code of the language to talk in, or nothing.
        specialty: code of the physician's own, or nothing.
        email: blind index of the physician's address, if one was given.
        address: the address itself, to look for an account; compared by its blind index.
    """

    stage: str = Stage.UNSAID
    practice: str = "UNSAID"
    wishes: tuple[str, ...] = ()
    departments: frozenset[int] = frozenset()
    evaluators: frozenset[int] = frozenset()
    avoid: frozenset[int] = frozenset()
    avoid_surnames: frozenset[str] = frozenset()
    email: bytes | None = None
    talk_in: str = ""
    specialty: str = ""
    address: str = field(default="", repr=False)


@dataclass(frozen=True)
class Peer:
    """What the rules know of a supporter.

    Attributes:
        live: matches carried now, in every roster.
        total: matches taken this year, in every roster.
        departments: ids of departments whose physicians they evaluate.
        email: blind index of the account's address.
        invited: invitations of this site they have not answered yet.
        refused: this request was declined by them, the physician knows them, or one of the two wished to part.
        has_request: they are invited to this request, or have it, right now.
        tried: they were asked for this request, and did not answer or missed the window.
        taken_back: they were asked for this request, and the invitation was taken back.
        matched_before: they supported the same physician earlier.
        last_match: when they were last confirmed in a match.
        specialty_code: the same specialty as a code.
        described: codes of `Trait` and `Language` they say of themselves; known only where the request asks.
    """

    supporter_id: int
    user_id: int
    name: str
    state: str
    stage: str
    practice: str
    gender: str
    french: bool
    specialty: str
    trained_on: date | None
    agreement_until: date | None
    paused_until: date | None
    cap_year: int
    cap_live: int
    live: int = 0
    total: int = 0
    departments: frozenset[int] = frozenset()
    email: bytes | None = None
    invited: int = 0
    refused: bool = False
    has_request: bool = False
    tried: bool = False
    taken_back: bool = False
    matched_before: bool = False
    last_match: datetime | None = None
    specialty_code: str = ""
    described: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reason:
    """Why not: a code, and the words shown to the administrator."""

    code: str
    text: str


# Who excluded or declined whom is not to be read off a list (docs/rules.md#one-text-for-four-reasons).
NOT_FOR_THIS = "not for this request"
HARD_REASONS = (
    INACTIVE := Reason("INACTIVE", "not active"),
    UNTRAINED := Reason("UNTRAINED", "training is not complete"),
    AGREEMENT := Reason("AGREEMENT", "agreement is not current"),
    EXCLUDED := Reason("EXCLUDED", NOT_FOR_THIS),
    EVALUATES := Reason("EVALUATES", NOT_FOR_THIS),
    REFUSED := Reason("REFUSED", NOT_FOR_THIS),
    ASKED := Reason("ASKED", "has this request now"),
    SELF := Reason("SELF", NOT_FOR_THIS),
    EARLY := Reason("EARLY", "early career, and the physician is not"),
)
CAPS = frozenset({"CAP_LIVE", "CAP_YEAR"})  # docs/rules.md#caps
# Stage of the physician → stages of a peer that are never matched with it, and those that are one below. An unknown
# stage on either side is no rule (docs/rules.md#career-stage).
_JUNIOR, _SENIOR = frozenset({Stage.TRAINEE, Stage.EARLY}), (Stage.LATE, Stage.RETIRED)
NEVER_WITH = dict.fromkeys((Stage.MID, *_SENIOR), _JUNIOR)
ONE_BELOW = dict.fromkeys(_SENIOR, frozenset({Stage.MID}))

Check = Callable[[Need, Peer, date], Reason | None]


def check_active(need: Need, peer: Peer, today: date) -> Reason | None:
    """Refuse a supporter who is not active in the roster (docs/rules.md#ready-supporter)."""
    if peer.state != PeerSupporter.State.ACTIVE:
        return INACTIVE
    return None


def check_trained(need: Need, peer: Peer, today: date) -> Reason | None:
    """Refuse a supporter who is not trained by today (docs/rules.md#ready-supporter)."""
    if peer.trained_on is None or peer.trained_on > today:
        return UNTRAINED
    return None


def check_agreement(need: Need, peer: Peer, today: date) -> Reason | None:
    """Refuse a supporter who has no agreement that holds today (docs/rules.md#ready-supporter)."""
    if peer.agreement_until is None or peer.agreement_until < today:
        return AGREEMENT
    return None


def check_excluded(need: Need, peer: Peer, today: date) -> Reason | None:
    """Refuse a supporter chosen from the list, or sharing a surname with a name typed (docs/rules.md#exclusions)."""
    if peer.supporter_id in need.avoid or surnames(peer.name) & need.avoid_surnames:
        return EXCLUDED
    return None


def check_evaluates(need: Need, peer: Peer, today: date) -> Reason | None:
    """Refuse a supporter who evaluates the physician, by department or by name (docs/rules.md#evaluators)."""
    if need.departments & peer.departments or peer.supporter_id in need.evaluators:
        return EVALUATES
    return None


def check_refused(need: Need, peer: Peer, today: date) -> Reason | None:
    """Refuse a supporter who declined, knows the physician, or parted from them (docs/rules.md#known-personally)."""
    if peer.refused:
        return REFUSED
    return None


def check_has_request(need: Need, peer: Peer, today: date) -> Reason | None:
    """Refuse a supporter who is invited to this request or has it right now (docs/rules.md#asked-for-this-request)."""
    if peer.has_request:
        return ASKED
    return None


def check_own_account(need: Need, peer: Peer, today: date) -> Reason | None:
    """Refuse the physician's own account, compared by blind index (docs/rules.md#own-account)."""
    if need.email is not None and need.email == peer.email:
        return SELF
    return None


def check_early_with_senior(need: Need, peer: Peer, today: date) -> Reason | None:
    """Refuse an early-career supporter for a physician of mid or late career (docs/rules.md#career-stage)."""
    if peer.stage in NEVER_WITH.get(Stage(need.stage), ()):
        return EARLY
    return None


def check_late_with_mid(need: Need, peer: Peer, today: date) -> Reason | None:
    """Speak against a mid-career supporter for a late-career physician (docs/rules.md#career-stage)."""
    if peer.stage in ONE_BELOW.get(Stage(need.stage), ()):
        return Reason("STAGE", "mid career, and the physician is late career")
    return None


def check_pause(need: Need, peer: Peer, today: date) -> Reason | None:
    """Speak against a supporter who pauses up to and with a later day (docs/rules.md#pause)."""
    if peer.paused_until is not None and peer.paused_until >= today:
        return Reason("PAUSED", f"pausing until {peer.paused_until:%-d %B}")
    return None


def check_cap_live(need: Need, peer: Peer, today: date) -> Reason | None:
    """Speak against a supporter who carries as many matches as they set (docs/rules.md#caps)."""
    if peer.live >= peer.cap_live:
        return Reason("CAP_LIVE", f"supporting {peer.live} now, the number they set")
    return None


def check_cap_year(need: Need, peer: Peer, today: date) -> Reason | None:
    """Speak against a supporter who took as many matches this year as they set (docs/rules.md#caps)."""
    if peer.total >= peer.cap_year:
        return Reason("CAP_YEAR", f"{peer.total} of {peer.cap_year} this year")
    return None


def check_matched_before(need: Need, peer: Peer, today: date) -> Reason | None:
    """Speak against a supporter who supported the same physician earlier (docs/rules.md#matched-before)."""
    if peer.matched_before:
        return Reason("BEFORE", "matched with the same physician before")
    return None


def check_tried(need: Need, peer: Peer, today: date) -> Reason | None:
    """Speak against a supporter who did not answer, or missed the window (docs/rules.md#asked-for-this-request).

    An unanswered mail need not bar someone for ever, least of all where there are few supporters.
    """
    if peer.tried:
        return Reason("TRIED", "was asked for this request before")
    return None


def check_taken_back(need: Need, peer: Peer, today: date) -> Reason | None:
    """Speak against a supporter whose invitation was taken back (docs/rules.md#asked-for-this-request)."""
    if peer.taken_back:
        return Reason("TAKEN_BACK", "invited before, taken back")
    return None


HARD: tuple[Check, ...] = (
    check_active,
    check_trained,
    check_agreement,
    check_excluded,
    check_evaluates,
    check_refused,
    check_has_request,
    check_own_account,
    check_early_with_senior,
)
SOFT: tuple[Check, ...] = (
    check_late_with_mid,
    check_pause,
    check_cap_live,
    check_cap_year,
    check_matched_before,
    check_tried,
    check_taken_back,
)


@dataclass(frozen=True)
class Candidate:
    """A supporter with every reason that speaks against them for one request."""

    peer: Peer
    hard: list[Reason] = field(default_factory=list)
    soft: list[Reason] = field(default_factory=list)

    @property
    def user_id(self) -> int:
        return self.peer.user_id


def assess(need: Need, peer: Peer, today: date) -> Candidate:
    """Return the supporter with all reasons, hard and soft, collected rather than stopped at."""
    hard, soft = ([reason for check in checks if (reason := check(need, peer, today))] for checks in (HARD, SOFT))
    return Candidate(peer, hard, soft)
