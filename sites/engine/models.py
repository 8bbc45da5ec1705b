"""Rows every app leans on: mail, due times, the audit trail, facts."""

import uuid

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from psi.tenancy import SiteModel
from sites.codes import CodeField
from sites.tenants.models import Role, Site, User

# Rooms of their own, found by Django here.


class Notice(SiteModel):
    """A mail that must follow a move: a kind and ids, never a name. Its `Due` row says when."""

    kind = CodeField()
    object_id = models.BigIntegerField()
    recipient = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    # The same Message-ID at every attempt, so that a double is recognised.
    message_id = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True, help_text="No longer true when its turn came.")

    class Meta:
        constraints = [
            # One mail per step of one thing to one person, however often it is asked for.
            UniqueConstraint(
                fields=["site", "kind", "object_id", "recipient"], nulls_distinct=False, name="notice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"


class Due(models.Model):
    """When something must be looked at. Ids and times only, so it stands outside the wall."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = CodeField()
    object_id = models.BigIntegerField()
    at = models.DateTimeField()
    # A claim: who holds it (`lease`), and from when another may take it.
    lease = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    parked = models.BooleanField(default=False)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "kind", "object_id"], name="due_once"),
        ]
        indexes = [
            # Serves agenda.claim(): the earliest of what is due in the whole province.
            models.Index(fields=["at"], condition=Q(parked=False), name="due_at"),
        ]

    def __str__(self) -> str:
        return f"due {self.pk}"


class AuditEntry(SiteModel):
    """Who did or saw what. Written by the database's own trigger into a chain per site."""

    number = models.BigIntegerField(editable=False, default=0)
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    role = CodeField(choices=[*Role.choices, ("public", ""), ("system", ""), ("stranger", "")])
    action = CodeField()
    object_kind = CodeField()
    object_id = models.BigIntegerField(null=True)
    purpose = CodeField(default="WORK")
    previous = models.BinaryField(editable=False, default=b"")
    digest = models.BinaryField(editable=False, default=b"")

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "number"], name="audit_number"),
        ]
        indexes = [
            # Serves the status page: how often the details were opened and by which role.
            models.Index(fields=["site", "object_kind", "object_id"], name="audit_object")
        ]

    def __str__(self) -> str:
        return f"audit {self.number}"


class SignInEvent(models.Model):
    """Sign-ins and second factors of accounts, in a chain of their own; shown to a site for its members."""

    class Kind(models.TextChoices):
        SIGNED_IN = "SIGNED_IN", "Signed in"
        SIGNED_OUT = "SIGNED_OUT", "Signed out"
        FAILED = "FAILED", "Failed sign-in"
        FACTOR_ADDED = "FACTOR_ADDED", "Added a passkey or authenticator"
        FACTOR_REMOVED = "FACTOR_GONE", "Removed a passkey or authenticator"
        JOINED = "JOINED", "Accepted an invitation"

    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    kind = CodeField(choices=Kind.choices)
    at = models.DateTimeField()
    previous = models.BinaryField(editable=False, default=b"")
    digest = models.BinaryField(editable=False, default=b"")

    class Meta:
        indexes = [models.Index(fields=["user", "-id"], name="sign_in_recent")]

    def __str__(self) -> str:
        return f"sign-in event {self.pk}"


class Fact(SiteModel):
    """One counted event without a face: no referral, no person, no day."""

    month = models.DateField()
    measure = CodeField()
    category = CodeField()

    class Meta:
        constraints = [
            CheckConstraint(condition=Q(month__day=1), name="fact_month"),
        ]
        # Serves the rebuild of one site-month.
        indexes = [models.Index(fields=["site", "month", "measure", "category"], name="fact_month_cell")]

    def __str__(self) -> str:
        return f"fact {self.pk}"
