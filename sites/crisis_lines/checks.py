"""Numbers for someone who needs help now, the province's and a site's own: how old a check is, who may change what."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from psi import tenancy
from sites.reference.models import CrisisLine, LocalCrisisLine

KIND = "CRISIS"
# Days since a number was last called (docs/rules.md#crisis-numbers).
AMBER, RED = 90, 180
REFERENCE = Path(__file__).resolve().parent.parent / "reference" / "reference.toml"


@dataclass(frozen=True)
class AgedLine:
    """A number and the age of its last check; `tone` is "", "soon" (amber) or "late" (red)."""

    line: CrisisLine | LocalCrisisLine
    days: int
    words: str
    tone: str


def with_age(lines: Sequence[CrisisLine | LocalCrisisLine]) -> list[AgedLine]:
    """Return these numbers with their ages."""
    today = localdate(tenancy.now())
    return [_with_age(line, (today - line.verified_on).days) for line in lines]


def _with_age(line: CrisisLine | LocalCrisisLine, days: int) -> AgedLine:
    days = max(days, 0)
    words = ngettext("called %(n)s day ago", "called %(n)s days ago", days) % {"n": days} if days else _("called today")
    return AgedLine(line, days, words, "late" if days >= RED else "soon" if days >= AMBER else "")


@cache
def _reference_lines() -> dict[str, dict[str, Any]]:
    """Return code → what the program itself says, as on the pages that need no database."""
    return {entry["code"]: entry for entry in tomllib.loads(REFERENCE.read_text())["crisis"]}


def differs_from_static_pages(line: CrisisLine) -> bool:
    """Return whether the pages shown when the server is in trouble say something else than the list."""
    return any(
        getattr(line, name) != value for name, value in _reference_lines()[line.code].items() if name != "verified_on"
    )
