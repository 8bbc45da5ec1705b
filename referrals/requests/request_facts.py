"""What a request says in closed lists, and what is counted of it: facts, which outlive it and lead nowhere."""

from collections.abc import Iterable
from dataclasses import dataclass

from referrals.requests.models import Reason, Referral

# A request with all its reasons at once. Releases need it, for reasons overlap (docs/rules.md#fixed-tables).
REASON_SET = "REQ_SET"
_PATHS = {Referral.Pathway.REACH_IN.value: "IN", Referral.Pathway.REACH_OUT.value: "OUT"}
# A reason's place is its bit, and facts keep it for ever: a new reason goes to the end.
_BITS = ("EVENT", "COMPLAINT", "CONFLICT", "LIFE", "BURNOUT", "CHANGE", "DISCRIM", "OTHER")


@dataclass(frozen=True)
class RequestAnswers:
    """What a request form says in closed lists, apart from who it is about.

    Attributes:
        reasons: codes of `Reason`.
        stage: code of `Stage`.
        practice: code of `Practice`.
        pathway: code of `Referral.Pathway`.
        source: code of `Source`, or "".
        event: code of `EventKind`; only of a reach-out with the physician's word.
    """

    reasons: tuple[str, ...]
    stage: str
    practice: str
    pathway: str = Referral.Pathway.REACH_IN
    source: str = ""
    event: str | None = None


def set_code(pathway: str, reasons: Iterable[str]) -> str:
    """Return the category of a pathway with a set of reasons, such as IN_11."""
    return f"{_PATHS[pathway]}_{sum(1 << _BITS.index(reason) for reason in set(reasons)):02X}"


def reasons_of(category: str) -> tuple[str, frozenset[str]]:
    """Return the pathway and the reasons that `set_code` wrote."""
    path, bits = category.split("_")
    pathway = next(name for name, short in _PATHS.items() if short == path)
    return pathway, frozenset(reason for i, reason in enumerate(_BITS) if int(bits, 16) >> i & 1)


def facts_of(referral: Referral) -> list[tuple[str, str]]:
    """Return the facts (measure, category) of a request. Without a reason it counts as “something else”."""
    codes = list(referral.reasons.values_list("reason", flat=True)) or [Reason.OTHER.value]
    facts = [("REQUEST", "ALL"), ("REQ_PATH", referral.pathway), *(("REQ_REASON", code) for code in codes)]
    facts.append((REASON_SET, set_code(referral.pathway, codes)))
    return facts + ([("REQ_FROM", referral.source)] if referral.source else [])
