"""What a site has printed of itself."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from psi.tenancy import SiteModel


class Paper(SiteModel):
    """A site's report of a fiscal year as it was first printed. What is corrected later shows in no second print."""

    year = models.DateField(help_text="Its first day.")
    pdf = models.BinaryField()

    class Meta:
        constraints = [
            CheckConstraint(condition=Q(year__day=1, year__month=4), name="paper_fiscal_year"),
            UniqueConstraint(fields=["site", "year"], name="paper_once"),
        ]

    def __str__(self) -> str:
        return f"report of {self.year}"
