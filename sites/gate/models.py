"""Organizations whose programs read what the province has published."""

from django.db import models
from django.db.models import Q, UniqueConstraint

from psi.tenancy import SiteModel


class Consumer(SiteModel):
    """At the province: an organization that reads the published tables by a program, under a token of its own."""

    KIND = "CONSUMER"

    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the token, which is kept nowhere.")
    created_at = models.DateTimeField()
    last_used_on = models.DateField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "digest"], name="consumer_digest"),
            # Who presses twice has one token.
            UniqueConstraint(fields=["site", "name"], condition=Q(ended_at=None), name="consumer_once"),
        ]
        ordering = ["name", "-pk"]

    def __str__(self) -> str:
        return f"consumer {self.pk}"
