"""The tracker that holds no content, and the figures made of facts."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from matching.models import Match
from psi.tenancy import SiteForeignKey, SiteModel
from sites.codes import CodeField
from tracker.lists import Minutes, Resource, Way


class Interaction(SiteModel):
    """That a conversation happened: closed lists, the month but not the day, never what was said."""

    match = SiteForeignKey(Match, on_delete=models.PROTECT, related_name="interactions")
    month = models.DateField()
    number = models.PositiveSmallIntegerField(help_text="1, 2, 3, or 4 for any later one")
    way = CodeField(choices=Way.choices)
    minutes = CodeField(choices=Minutes.choices)
    ease = models.PositiveSmallIntegerField()
    strain = models.PositiveSmallIntegerField()
    safety_steps = models.BooleanField(default=False)
    key = models.UUIDField()

    class Meta:
        constraints = [
            CheckConstraint(condition=Q(month__day=1), name="interaction_month"),
            CheckConstraint(condition=Q(number__range=(1, 4)), name="interaction_number"),
            CheckConstraint(condition=Q(ease__range=(1, 5), strain__range=(1, 5)), name="interaction_scales"),
            UniqueConstraint(fields=["site", "key"], name="interaction_once"),
            # Of the later ones there may be several.
            UniqueConstraint(fields=["site", "match", "number"], condition=Q(number__lt=4), name="interaction_one_of"),
        ]
        indexes = [models.Index(fields=["site", "match"], name="interaction_of")]

    def __str__(self) -> str:
        return f"interaction {self.pk}"


class ResourceOffered(SiteModel):
    interaction = SiteForeignKey(Interaction, on_delete=models.CASCADE, related_name="resources")
    resource = CodeField(choices=Resource.choices)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "interaction", "resource"], name="resource_once"),
        ]

    def __str__(self) -> str:
        return self.resource


class Rollup(SiteModel):
    """How many facts of a kind a site-month has; rebuilt whole from the facts, never adjusted."""

    month = models.DateField()
    measure = CodeField()
    category = CodeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "month", "measure", "category"], name="rollup_once"),
        ]

    def __str__(self) -> str:
        return f"rollup {self.pk}"


class RollupFill(SiteModel):
    """That a site-month is filled, and when it was last; without it, it never was."""

    month = models.DateField()
    filled_at = models.DateTimeField()

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "month"], name="rollup_fill_once")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


from tracker import beside_models as beside_models  # noqa: E402  its tables are of this app
from tracker import survey_models as survey_models  # noqa: E402  its tables are of this app
from tracker.operations_models import Standing  # noqa: E402, F401
from tracker.release_models import Frozen, Release, ReleaseCell, ReleaseMember  # noqa: E402, F401
from tracker.report_models import Paper  # noqa: E402, F401
