"""What a supporter has signed."""

from django.db import models

from psi.tenancy import SiteForeignKey, SiteModel
from sites.reference.models import TextVersion
from sites.tenants.models import User


class Agreement(SiteModel):
    """A signature under one wording of the agreement. Rows are added, never changed; the latest one counts."""

    supporter = SiteForeignKey("training.PeerSupporter", on_delete=models.PROTECT, related_name="+")
    # None: signed on paper, and noted by an administrator.
    text = models.ForeignKey(TextVersion, on_delete=models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    signed_at = models.DateTimeField()
    # None: an administrator noted that it does not hold any more.
    until = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["site", "supporter", "-id"], name="agreement_latest")]

    def __str__(self) -> str:
        return f"agreement {self.pk}"
