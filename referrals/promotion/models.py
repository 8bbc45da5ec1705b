"""Printed codes, how often they were opened, and what was done to be known."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from psi.tenancy import SiteForeignKey, SiteModel
from sites.codes import CodeField


class AccessPoint(SiteModel):
    """A place where a code hangs or is sent, such as a poster in a lounge. Its code stands in the printed address."""

    code = CodeField(max_length=6)
    name = models.CharField(max_length=60)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "code"], name="access_point_code")]

    def __str__(self) -> str:
        return f"access point {self.code}"


class AccessWeek(SiteModel):
    """How often a code was opened, its form begun and a request sent, in one week. Of visitors nothing is kept."""

    point = SiteForeignKey(AccessPoint, on_delete=models.CASCADE, related_name="weeks")
    week = models.DateField(help_text="Its Monday, in the site's time zone.")
    opened = models.PositiveIntegerField(default=0)
    started = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "point", "week"], name="access_week_once"),
            CheckConstraint(condition=Q(week__iso_week_day=1), name="access_week_monday"),
        ]

    def __str__(self) -> str:
        return f"{self.point_id} in the week of {self.week}"


class Promotion(SiteModel):
    """Something a site did to be known, drawn on the same chart as its codes."""

    class Kind(models.TextChoices):
        POSTERS = "POSTERS", "Posters put up"
        NEWSLETTER = "NEWSLETTER", "Newsletter"
        EMAIL = "EMAIL", "Email to members"
        MEETING = "MEETING", "Department or staff meeting"
        ROUNDS = "ROUNDS", "Rounds or a talk"
        AGM = "AGM", "Annual general meeting"
        OTHER = "OTHER", "Something else"

    on = models.DateField()
    kind = CodeField(choices=Kind.choices)
    audience = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["site", "-on"], name="promotion_recent")]

    def __str__(self) -> str:
        return f"{self.kind} on {self.on}"
