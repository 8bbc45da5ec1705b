"""A site's own texts for its public page."""

from django.db import models
from django.db.models import Q, UniqueConstraint

from psi.tenancy import SiteModel
from sites.tenants.models import User


class Wording(SiteModel):
    """A version of what the public page says. It holds a site's own texts alone; what is not published is the draft."""

    texts = models.JSONField(default=dict)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(help_text="When it was published, or the draft last changed.")
    published = models.BooleanField(default=False)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site"], condition=Q(published=False), name="wording_one_draft"),
        ]
        indexes = [
            # Serves the public page: the latest version.
            models.Index(fields=["site", "-id"], condition=Q(published=True), name="wording_latest"),
        ]

    def __str__(self) -> str:
        return f"wording {self.pk}"
