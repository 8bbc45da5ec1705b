"""What the province publishes, and what a site's counts were when a release was made."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from psi.tenancy import SiteForeignKey, SiteModel
from sites.codes import CodeField
from sites.engine.audit_words import Words
from sites.engine.moves import Moves, Refusal, Trace

AUDIT_WORDS: Words = {
    "PREPARED": _("Asked for a release of figures"),
    "CHECKED": _("A release of figures passed the check"),
    "REFUSED": _("A release of figures did not pass the check"),
    "PUBLISHED": _("Published a release of figures"),
    "DROPPED": _("Set a release of figures aside"),
    ("SHOWN", "RELEASE"): _("Showed a release of figures to everybody"),
    ("UNSHOWN", "RELEASE"): _("Stopped showing a release of figures to everybody"),
}


class Frozen(SiteModel):
    """A site's count as it was when the quarter was first prepared for a release. Never changed.

    Every release is made of these, so that what is corrected later cannot be worked out by subtracting
    one release from another. They stay at the site: the province adds them up and keeps none.
    """

    MARK = "FROZEN"  # stands once in each month that is frozen, so that a month of no facts is known too

    month = models.DateField()
    measure = CodeField()
    category = CodeField()
    count = models.PositiveIntegerField()
    kept_at = models.DateTimeField(null=True, help_text="Of the mark: when the month was frozen.")

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "month", "measure", "category"], name="frozen_once")]

    def __str__(self) -> str:
        return f"frozen {self.pk}"


def _audit_action(release: "Release", why: str) -> str:
    """Return the code in the audit trail; none for a refused release whose quarter is prepared again."""
    if why == Release.REPLACED:
        return ""
    return {
        Release.State.CHECKING: "PREPARED",
        Release.State.READY: "CHECKED",
        Release.State.REFUSED: "REFUSED",
        Release.State.PUBLISHED: "PUBLISHED",
        Release.State.DROPPED: "DROPPED",
    }[Release.State(release.state)]


class Release(SiteModel):
    """A quarter of the province on its way to being published."""

    KIND = "RELEASE"
    REPLACED = "REPLACED"  # why a refused release is set aside when its quarter is prepared again

    class State(models.TextChoices):
        CHECKING = "CHECKING", "Being checked"
        READY = "READY", "Ready to publish"
        REFUSED = "REFUSED", "Not safe to publish"
        PUBLISHED = "PUBLISHED", "Published"
        DROPPED = "DROPPED", "Set aside"

    class Table(models.TextChoices):
        """The fixed tables of the province, and no other (docs/rules.md#fixed-tables)."""

        MONTHS = "P1", "Requests by month"
        REASONS = "P2", "Requests by reason"
        PATHWAYS = "P3", "Requests by pathway"
        SITES = "P4", "Requests by site"
        PROCESS = "P5", "How the program works"

    MOVES: ClassVar[Moves] = MappingProxyType(
        {
            "pass": (frozenset({State.CHECKING}), State.READY),
            "refuse": (frozenset({State.CHECKING}), State.REFUSED),
            "publish": (frozenset({State.READY}), State.PUBLISHED),
            "drop": (frozenset({State.CHECKING, State.READY, State.REFUSED}), State.DROPPED),
        }
    )
    TRACE: ClassVar[Trace] = Trace(action=_audit_action, kind=KIND)
    REFUSALS: ClassVar[Mapping[str, Refusal]] = MappingProxyType(
        {
            "publish": ("NOT_PASSED", _("Only a release that has passed the check can be published.")),
            "drop": ("PUBLISHED_STAYS", _("A published release stays as it is.")),
        }
    )

    quarter = models.DateField(help_text="Its first day")
    state = CodeField(choices=State.choices, default=State.CHECKING)
    # What the coordinator asks for. A table left out waits, and is told for a longer period the next time.
    with_months = models.BooleanField(default=True)
    by_month = models.BooleanField(default=True)
    with_reasons = models.BooleanField(default=True)
    with_pathways = models.BooleanField(default=True)
    with_sites = models.BooleanField(default=True)
    with_process = models.BooleanField(default=True)
    public = models.BooleanField(default=False, help_text="Whether everybody may read it")
    key = models.UUIDField()
    asked_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    # The worker's side: until when it is at work, and how far.
    held_until = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    # What the gate found.
    solver = models.CharField(max_length=40, blank=True, default="")
    numbers = models.PositiveIntegerField(default=0, help_text="How many published numbers it knew")
    examined = models.PositiveIntegerField(default=0, help_text="How many hidden counts it tried to find")
    narrowest = models.PositiveIntegerField(null=True, help_text="Of all hidden counts, the least upper bound")
    digest = models.CharField(max_length=64, blank=True, default="", help_text="SHA-256 of its cells")
    found = CodeField(null=True, help_text="Why it was refused: which hidden count would be known")
    remedy = CodeField(null=True, help_text="What left out would help")

    class Meta:
        constraints = [
            CheckConstraint(condition=Q(quarter__day=1, quarter__month__in=(1, 4, 7, 10)), name="release_quarter"),
            CheckConstraint(
                condition=Q(state="PUBLISHED", published_at__isnull=False)
                | ~Q(state="PUBLISHED") & Q(published_at=None),
                name="release_published",
            ),
            CheckConstraint(condition=Q(public=False) | Q(state="PUBLISHED"), name="release_public"),
            UniqueConstraint(fields=["site", "key"], name="release_key"),
            # One on its way at a time, so that each is checked against all that came before it.
            UniqueConstraint(fields=["site"], condition=Q(state__in=("CHECKING", "READY")), name="release_one"),
            UniqueConstraint(fields=["site", "quarter"], condition=Q(state="PUBLISHED"), name="release_once"),
        ]

    def __str__(self) -> str:
        return f"release {self.pk}"


class ReleaseCell(SiteModel):
    """A published number of the province for the months `first`..`last`. A count is 0 or at least K. Never changed."""

    class Unit(models.TextChoices):
        COUNT = "COUNT", "Number"
        PERCENT = "PERCENT", "Per cent"
        HOURS = "HOURS", "Hours"
        TENTHS = "TENTHS", "Tenths"

    # None: from before releases were checked as a whole.
    release = SiteForeignKey(Release, on_delete=models.PROTECT, null=True, related_name="cells")
    table = CodeField(choices=Release.Table.choices, default=Release.Table.MONTHS)
    category = CodeField(default="ALL")
    first = models.DateField()
    last = models.DateField()
    number = models.PositiveIntegerField()
    unit = CodeField(choices=Unit.choices, default=Unit.COUNT)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "release", "table", "category", "first", "last"], name="cell_once"),
            UniqueConstraint(
                fields=["site", "table", "category", "first", "last"], condition=Q(release=None), name="cell_before"
            ),
            CheckConstraint(condition=Q(first__lte=F("last")), name="cell_period"),
            CheckConstraint(condition=~Q(unit="COUNT") | Q(number=0) | Q(number__gte=10), name="cell_k"),
            CheckConstraint(condition=~Q(unit="PERCENT") | Q(number__lte=100), name="cell_percent"),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.first:%Y-%m}..{self.last:%Y-%m}"


class ReleaseMember(SiteModel):
    """Published only as a group: reasons in “Other (grouped)”, small sites in a regional group. Never changed."""

    release = SiteForeignKey(Release, on_delete=models.PROTECT, related_name="members")
    table = CodeField(choices=Release.Table.choices)
    group = CodeField()
    member = CodeField()
    first = models.DateField()
    last = models.DateField()

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "release", "table", "group", "member", "first"], name="member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.group}"
