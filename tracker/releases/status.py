"""How a release stands, as its pages show it: its tone, how far the check is, why it was refused, what waits."""

from dataclasses import dataclass

from django.db.models import F
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tracker.figures import periods
from tracker.releases import tables as release_tables
from tracker.releases import transitions as releases
from tracker.releases.models import Release, ReleaseCell
from tracker.releases.options import MONTH, PART_OF_TABLE, PARTS

State, Table = Release.State, Release.Table
TONES = {State.REFUSED: "late", State.READY: "warm", State.CHECKING: "warm", State.DROPPED: "plain"}
# What somebody could have worked out (tracker.releases.attack_model), in words that say no more than the kind of it.
DISCLOSED = {
    "ALL": _("how many requests came in a month, a quarter or a year, or on one pathway"),
    "SITE": _("how many requests one site had"),
    "SITE_PATH": _("how many requests one site had on one pathway"),
    "SET": _("how many requests gave the very same reasons"),
    "R": _("how often one reason was mentioned"),
    "N": _("how many requests did not mention one reason"),
    "SR": _("how often one reason was mentioned at one site"),
    "CONTACT": _("how many contacts were made in time, or late"),
    "TALK": _("how many conversations there were"),
    "SV": _("how some physicians answered the survey"),
}


@dataclass(frozen=True)
class ReleaseStatus:
    """A release as the pages of coordinators show it."""

    release: Release

    @property
    def quarter(self) -> str:
        """Its months in words."""
        return periods.label(self.release.quarter, periods.last_month(self.release.quarter))

    @property
    def label(self) -> str:
        """Its state in words."""
        return str(self.release.get_state_display())

    @property
    def tone(self) -> str:
        """Class of the chip that names its state; empty for a published one."""
        return TONES.get(State(self.release.state), "")

    @property
    def is_checking(self) -> bool:
        return self.release.state == State.CHECKING

    @property
    def is_ready(self) -> bool:
        return self.release.state == State.READY

    @property
    def is_published(self) -> bool:
        return self.release.state == State.PUBLISHED

    @property
    def has_tables(self) -> bool:
        """Whether it has passed, so that its tables may be looked at."""
        return self.is_ready or self.is_published

    @property
    def is_on_its_way(self) -> bool:
        """Whether it keeps the next one from being prepared."""
        return self.is_checking or self.is_ready

    @property
    def progress(self) -> int:
        """How far the check is, in steps of ten per cent: how many hidden counts there are is nobody's business."""
        return self.release.done * 10 // self.release.total * 10 if self.release.total else 0


def postponed_tables(release: Release) -> list[str]:
    """Return in words the tables that were asked for, and are not in a release that passed: what is in them waits."""
    if release.state not in (State.READY, State.PUBLISHED):
        return []
    cells = ReleaseCell.objects.filter(release=release)
    published = set(cells.values_list("table", flat=True).distinct())
    if cells.filter(table=Table.MONTHS, first=F("last")).exists():
        published.add(MONTH)
    out = set() if release.with_months else {MONTH}
    if not periods.closes_fiscal_year(release.quarter):
        out.add(Table.SITES)
    return [str(part.label) for part in PARTS if getattr(release, part.column) and part.table not in published | out]


def refusal_sentence(release: Release) -> str:
    """Return in words why a release did not pass, and what to coarsen; empty if it was not refused."""
    if release.state != State.REFUSED or not release.found:
        return ""
    if release.found == releases.NOTHING:
        return gettext("No request has been counted in these months.")
    if release.found == releases.FAILED:
        return gettext(
            "The check broke off, so nothing can be told. Please tell the people who run this program: their log says"
            " more. Then prepare the quarter again."
        )
    if release.found == releases.CONTRADICTS:
        return gettext(
            "The counts of a site contradict each other, or what was published before. Nothing can be told until that"
            " is mended; the people who run this program can see more in their log."
        )
    kind = release.found if release.found in DISCLOSED else release.found.split("_")[0]
    why = gettext(
        "Together with everything published or previewed before, somebody could work out %(what)s,"
        " a number between 1 and %(most)s."
    ) % {"what": DISCLOSED[kind], "most": release_tables.smallest_count() - 1}
    if release.remedy:
        what = gettext(
            "Untick “%(table)s” and prepare the quarter again. That table waits, and is told for a longer period."
        )
        return f"{why} {what % {'table': PART_OF_TABLE[release.remedy].label}}"
    return f"{why} {_('No table alone helps: untick several, and prepare the quarter again.')}"
