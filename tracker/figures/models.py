"""Counts of a site's months, made of facts."""

from django.db import models
from django.db.models import UniqueConstraint

from psi.tenancy import SiteModel
from sites.codes import CodeField


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
