"""Credits and sessional pay for training. Nothing here knows of a request or a match."""

from types import MappingProxyType

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from psi.tenancy import SiteForeignKey, SiteModel
from sites.codes import CodeField
from sites.engine.moves import Moves, Trace
from sites.tenants.models import Site, User
from training.sessions.models import Enrolment, Session


class Batch(SiteModel):
    """Claims that were given to be paid together, once."""

    number = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    total = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "number"], name="batch_number")]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class Claim(SiteModel):
    """Sessional pay for a session that somebody attended, at the rate of that day. One for each attendance."""

    KIND = "CLAIM"

    class State(models.TextChoices):
        SUBMITTED = "SUBMITTED", "Waiting for approval"
        APPROVED = "APPROVED", "Approved"
        REFUSED = "REFUSED", "Not approved"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"
        BATCHED = "BATCHED", "Given to be paid"

    class Why(models.TextChoices):
        NONE = "NONE"
        ATTENDANCE = "ATTENDANCE", "Attendance is not as claimed"
        PAID = "PAID", "Paid in another way"
        PERSON = "PERSON", "They are not eligible"

    MOVES: Moves = MappingProxyType(
        {
            "submit": (frozenset({"REFUSED", "WITHDRAWN"}), "SUBMITTED"),
            "withdraw": (frozenset({"SUBMITTED"}), "WITHDRAWN"),
            "approve": (frozenset({"SUBMITTED"}), "APPROVED"),
            "refuse": (frozenset({"SUBMITTED"}), "REFUSED"),
            "batch": (frozenset({"APPROVED"}), "BATCHED"),
        }
    )
    TRACE = Trace(events=True, action=lambda claim, why: str(claim.state), kind=KIND)

    enrolment = SiteForeignKey(Enrolment, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    minutes = models.PositiveSmallIntegerField()
    served_on = models.DateField()
    hourly = models.DecimalField(max_digits=7, decimal_places=2)
    amount = models.DecimalField(max_digits=8, decimal_places=2)
    state = CodeField(choices=State.choices, default=State.SUBMITTED)
    why = CodeField(choices=Why.choices, default=Why.NONE)
    batch = SiteForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "enrolment"], name="claim_once"),
            CheckConstraint(
                condition=Q(state="BATCHED", batch__isnull=False) | ~Q(state="BATCHED") & Q(batch__isnull=True),
                name="claim_batched",
            ),
        ]
        indexes = [models.Index(fields=["site", "state", "id"], name="claim_by_state")]

    def __str__(self) -> str:
        return f"claim {self.pk}"


class ClaimEvent(SiteModel):
    """A move of a claim."""

    claim = SiteForeignKey(Claim, on_delete=models.PROTECT, related_name="events")
    source = CodeField(choices=Claim.State.choices, null=True)
    target = CodeField(choices=Claim.State.choices)
    why = CodeField(choices=Claim.Why.choices, default=Claim.Why.NONE)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["site", "claim", "id"], name="claim_event_of")]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


class Certificate(SiteModel):
    """Credits that were certified. When attendance is corrected, another takes its place and this one is void."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    code = CodeField(max_length=12)
    credits = models.DecimalField(max_digits=3, decimal_places=2)
    issued_at = models.DateTimeField()
    void_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "code"], name="certificate_code"),
            UniqueConstraint(fields=["site", "user"], condition=Q(void_at=None), name="certificate_one"),
        ]

    def __str__(self) -> str:
        return f"certificate {self.pk}"


class CertificateLine(SiteModel):
    """A session on a certificate, as it was attended when the certificate was issued."""

    certificate = SiteForeignKey(Certificate, on_delete=models.PROTECT, related_name="lines")
    session = SiteForeignKey(Session, on_delete=models.PROTECT, related_name="+")
    minutes = models.PositiveSmallIntegerField()
    credits = models.DecimalField(max_digits=3, decimal_places=2)

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "certificate", "session"], name="certificate_line_once")]

    def __str__(self) -> str:
        return f"certificate line {self.pk}"


class CertificateCode(models.Model):
    """Where a certificate is to be found by whoever verifies it: a code and a site, outside the wall."""

    code = CodeField(max_length=12, unique=True)
    holder = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"certificate code {self.pk}"
