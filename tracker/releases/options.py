"""What a coordinator ticks when a quarter is released: the fixed tables, and the months of the first apart."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tracker.releases.models import Release

Table = Release.Table
# The months of the first table, where something tells them apart from its longer periods.
MONTH = "MONTH"


@dataclass(frozen=True)
class ReleaseOptions:
    """What a coordinator asks for. What is left out waits, and is published for a longer period the next time."""

    months: bool = True
    by_month: bool = True
    reasons: bool = True
    pathways: bool = True
    sites: bool = True
    process: bool = True


@dataclass(frozen=True)
class Part:
    """One tick.

    Attributes:
        table: what it leaves out.
        name: in `ReleaseOptions` and on the form.
        column: of `Release`.
    """

    table: str
    name: str
    column: str
    label: Promise


PARTS = (
    Part(Table.MONTHS, "months", "with_months", _("How many requests there were")),
    Part(MONTH, "by_month", "by_month", _("The same by month")),
    Part(Table.REASONS, "reasons", "with_reasons", _("Reasons")),
    Part(Table.PATHWAYS, "pathways", "with_pathways", _("Pathways")),
    Part(Table.SITES, "sites", "with_sites", _("Sites, where a fiscal year closes")),
    Part(Table.PROCESS, "process", "with_process", _("How the program works")),
)
PART_OF_TABLE = {part.table: part for part in PARTS}


def options_of(release: Release) -> ReleaseOptions:
    """Return what was asked for with a release."""
    return ReleaseOptions(**{part.name: getattr(release, part.column) for part in PARTS})


def columns_for(options: ReleaseOptions) -> dict[str, bool]:
    """Return the columns of a release that keep what was asked for."""
    return {part.column: getattr(options, part.name) for part in PARTS}
