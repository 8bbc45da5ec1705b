"""What the province keeps of a look into a site."""

from django.db import models
from django.db.models import UniqueConstraint

from psi.tenancy import SiteModel
from sites.codes import CodeField
from sites.tenants.models import Site


class Standing(SiteModel):
    """At the province: what a worker saw at a site (tracker.operations.site_health). Yes or no, and never how many."""

    class Numbers(models.TextChoices):
        """How long ago the site's own crisis numbers were called: the one that waits longest."""

        CALLED = "CALLED", "Called lately, or there is none"
        SOON = "SOON", "Not for ninety days"
        LATE = "LATE", "Not for a hundred and eighty days"

    of = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    unmanned = models.BooleanField(help_text="No peer supporter is active, trained and under an agreement.")
    unsigned = models.BooleanField(help_text="An agreement of an active supporter ends within a month, or has ended.")
    numbers = CodeField(choices=Numbers.choices)
    looked_at = models.DateTimeField()

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "of"], name="standing_once")]

    def __str__(self) -> str:
        return f"standing {self.pk}"
