"""Sessions of training and debriefing, and who comes to them. Nothing here knows of a request or a match."""

from datetime import datetime, timedelta
from types import MappingProxyType

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from psi.tenancy import SiteForeignKey, SiteModel
from sites.codes import CodeField
from sites.engine.moves import Moves, Trace
from sites.tenants.models import Site, User


class Session(SiteModel):
    """A session that the province or a site holds, at a place or online."""

    KIND = "SESSION"  # in the audit trail and the agenda

    class Kind(models.TextChoices):
        FOUNDATIONS = "FOUNDATIONS", _("Foundations")
        PRACTICE = "PRACTICE", _("Practice")
        REFRESHER = "REFRESHER", _("Refresher")
        DEBRIEF = "DEBRIEF", _("Debrief group")
        COMMUNITY = "COMMUNITY", _("Community of practice")

    class State(models.TextChoices):
        PLANNED = "PLANNED", _("Planned")
        HELD = "HELD", _("Held")
        CANCELLED = "CANCELLED", _("Cancelled")

    MOVES: Moves = MappingProxyType(
        {"hold": (frozenset({"PLANNED"}), "HELD"), "cancel": (frozenset({"PLANNED"}), "CANCELLED")}
    )
    # That it was held is no entry: each person's attendance is one.
    TRACE = Trace(
        action=lambda session, why: {"PLANNED": "SCHEDULED", "CANCELLED": "CALLED_OFF"}.get(session.state, ""),
        kind=KIND,
    )

    kind = CodeField(choices=Kind.choices)
    state = CodeField(choices=State.choices, default=State.PLANNED)
    starts_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(help_text="How long it is planned to last.")
    place = models.CharField(max_length=120, help_text="Shown to everyone who may come; “Online” for one by video.")
    link = models.URLField(max_length=300, blank=True, default="", help_text="Shown to those enrolled alone.")
    capacity = models.PositiveSmallIntegerField()
    approval = models.CharField(max_length=20, blank=True, default="", help_text="The UBC CPD session id.")
    changed_at = models.DateTimeField()
    # Rises with each change, so that calendars replace what they hold (RFC 5545, SEQUENCE).
    sequence = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [CheckConstraint(condition=Q(minutes__gte=15, minutes__lte=600), name="session_minutes")]
        indexes = [models.Index(fields=["site", "starts_at"], name="session_by_start")]

    def __str__(self) -> str:
        return f"session {self.pk}"

    @property
    def ends_at(self) -> datetime:
        """When it is planned to end."""
        return self.starts_at + timedelta(minutes=self.minutes)


class Material(SiteModel):
    """A file for those who come to a session."""

    class Kind(models.TextChoices):
        PDF = "PDF", "PDF"
        PPTX = "PPTX", "PowerPoint"
        DOCX = "DOCX", "Word"
        PNG = "PNG", "PNG"
        JPEG = "JPEG", "JPEG"

    session = SiteForeignKey(Session, on_delete=models.CASCADE, related_name="materials")
    name = models.CharField(max_length=80)
    kind = CodeField(choices=Kind.choices)
    content = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["site", "session"], name="material_of")]

    def __str__(self) -> str:
        return f"material {self.pk}"


class CalendarFeed(models.Model):
    """The secret address of a person's calendar: a new number ends the old address. It stands outside any site."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"calendar {self.pk}"


class Enrolment(SiteModel):
    """A person who comes, or waits for a place, at the site that holds the session."""

    KIND = "SEAT"  # in the audit trail and in mail

    class State(models.TextChoices):
        ENROLLED = "ENROLLED", _("Enrolled")
        WAITING = "WAITING", _("Waiting for a place")
        CANCELLED = "CANCELLED", _("Cancelled")
        ATTENDED = "ATTENDED", _("Attended")
        ABSENT = "ABSENT", _("Did not come")

    MOVES: Moves = MappingProxyType(
        {
            "enrol": (frozenset({"CANCELLED", "WAITING"}), "ENROLLED"),
            "wait": (frozenset({"CANCELLED"}), "WAITING"),
            "step_back": (frozenset({"ENROLLED", "WAITING"}), "CANCELLED"),
            # Who was waiting and came all the same counts.
            "attend": (frozenset({"ENROLLED", "WAITING", "ABSENT", "ATTENDED"}), "ATTENDED"),
            "miss": (frozenset({"ENROLLED", "ATTENDED", "ABSENT"}), "ABSENT"),
        }
    )
    TRACE = Trace(action=lambda enrolment, why: str(enrolment.state), kind=KIND)

    session = SiteForeignKey(Session, on_delete=models.PROTECT, related_name="enrolments")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # The holder of a session does not see another site's rows: home and name are copied, on purpose, at enrolment.
    home = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    state = CodeField(choices=State.choices, default=State.ENROLLED)
    since = models.DateTimeField(help_text="The order on the waiting list.")
    attended_minutes = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "session", "user"], name="enrolment_once"),
            CheckConstraint(
                condition=Q(state="ATTENDED", attended_minutes__gte=1)
                | ~Q(state="ATTENDED") & Q(attended_minutes__isnull=True),
                name="enrolment_minutes",
            ),
        ]
        indexes = [models.Index(fields=["site", "user"], name="enrolment_of")]

    def __str__(self) -> str:
        return f"enrolment {self.pk}"
