"""What stands beside the recorded conversations. No row here leads to a request, a match or a conversation."""

import uuid

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from matching.matches.models import Match
from psi.tenancy import SiteForeignKey, SiteModel
from sites.codes import CodeField
from sites.tenants.models import Site, User
from tracker.conversations.choices import Minutes, Resource, Way


class DebriefRequest(SiteModel):
    """At the province: a supporter would like a debrief. Who to call, and since which day; never about whom."""

    KIND = "DEBRIEF"

    origin = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80, help_text="The name they go by at their site.")
    asked_on = models.DateField()

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "origin", "user"], name="debrief_once")]

    def __str__(self) -> str:
        return f"debrief {self.pk}"


class InformalContact(SiteModel):
    """That somebody lent an ear outside any match: month, way and length, and no person on either side."""

    month = models.DateField()
    way = CodeField(choices=Way.choices)
    minutes = CodeField(choices=Minutes.choices)
    key = models.UUIDField()

    class Meta:
        constraints = [
            CheckConstraint(condition=Q(month__day=1), name="informal_month"),
            UniqueConstraint(fields=["site", "key"], name="informal_once"),
        ]

    def __str__(self) -> str:
        return f"informal contact {self.pk}"


class BaseRemark(SiteModel):
    """A remark: a site, a month, words. The key is random, for a sequence would tell the order in which they came."""

    MAX_LENGTH = 500

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    month = models.DateField()
    text = models.CharField(max_length=MAX_LENGTH)

    class Meta:
        abstract = True


class HeldRemark(BaseRemark):
    """A remark that waits until five are held, and is shown to nobody."""

    def __str__(self) -> str:
        return "held remark"


class Remark(BaseRemark):
    """A remark as it stays, written by a worker in random order."""

    class Meta:
        constraints = [CheckConstraint(condition=Q(month__day=1), name="remark_month")]
        indexes = [models.Index(fields=["site", "-month"], name="remark_by_month")]

    def __str__(self) -> str:
        return f"remark of {self.month:%Y-%m}"


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
