"""Who is on the way to become a peer supporter, and lines of the roster that wait for their person."""

from types import MappingProxyType

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from psi.tenancy import SiteForeignKey, SiteModel
from sites.codes import CodeField
from sites.engine.moves import Moves, Trace
from sites.tenants.models import Invitation, User


class Recruit(SiteModel):
    """Someone on the way, from a nomination or an invitation to the first match they may be asked for.

    Who they are stands sealed in the vault until they have an account; `recruitment.transitions` alone writes here.
    """

    KIND = "RECRUIT"  # in the vault, the audit trail and the agenda

    class State(models.TextChoices):
        NOMINATED = "NOMINATED", "Nominated"
        INVITED = "INVITED", "Invited"
        INTERESTED = "INTERESTED", "Waits for review"
        REVIEWED = "REVIEWED", "Reviewed"
        TRAINING = "TRAINING", "In training"
        AGREEING = "AGREEING", "Agreement to be signed"
        ACTIVE = "ACTIVE", "Active"
        STOPPED = "STOPPED", "Stopped"

    ON_THE_WAY = frozenset({"NOMINATED", "INVITED", "INTERESTED", "REVIEWED", "TRAINING", "AGREEING"})
    MOVES: Moves = MappingProxyType(
        {
            "invite": (frozenset({"NOMINATED", "INVITED"}), "INVITED"),
            "send": (frozenset({"INVITED"}), "INTERESTED"),
            "review": (frozenset({"INTERESTED"}), "REVIEWED"),
            "train": (frozenset({"REVIEWED"}), "TRAINING"),
            "trained": (frozenset({"TRAINING"}), "AGREEING"),
            "agreed": (frozenset({"AGREEING"}), "ACTIVE"),
            "stop": (ON_THE_WAY, "STOPPED"),
        }
    )
    TRACE = Trace(events=True, action=lambda recruit, why: str(recruit.state), kind=KIND)
    REFUSALS = MappingProxyType({"send": ("ALREADY_SENT", _("Your form has been sent already."))})

    class Why(models.TextChoices):
        NONE = "NONE", ""
        OWN_WISH = "OWN_WISH", "They would rather not"
        NOT_NOW = "NOT_NOW", "Not now"
        NOT_FITTING = "NOT_FITTING", "Not the right role for them"
        MISTAKE = "MISTAKE", "Nominated by mistake"
        SILENT = "SILENT", "No answer for half a year"
        IN_ROSTER = "IN_ROSTER", "They came with an imported roster"
        ROLE_ENDED = "ROLE_ENDED", "Their role was ended"

    ref = models.CharField(max_length=12)
    state = CodeField(choices=State.choices, default=State.NOMINATED)
    why = CodeField(choices=Why.choices, default=Why.NONE)
    key = models.UUIDField(null=True, help_text="Of the form by which they were nominated.")
    named = models.BinaryField(null=True, help_text="Name, address, and who nominated them, sealed.")
    invitation = SiteForeignKey(Invitation, on_delete=models.PROTECT, null=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    by_administrator = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    by_lead = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    moved_at = models.DateTimeField()

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "ref"], name="recruit_ref_once"),
            UniqueConstraint(fields=["site", "key"], name="recruit_form_once"),
            UniqueConstraint(
                fields=["site", "user"],
                condition=~Q(state__in=["ACTIVE", "STOPPED"]),
                name="recruit_once",
            ),
            CheckConstraint(
                condition=Q(by_administrator=None) | Q(by_lead=None) | ~Q(by_administrator=models.F("by_lead")),
                name="recruit_two_people",
            ),
            CheckConstraint(
                condition=Q(state__in=["NOMINATED", "INVITED", "INTERESTED", "STOPPED"])
                | Q(by_administrator__isnull=False, by_lead__isnull=False),
                name="recruit_reviewed",
            ),
            CheckConstraint(
                condition=Q(named=None) | Q(state__in=["NOMINATED", "INVITED"], user=None), name="recruit_sealed"
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class RecruitEvent(SiteModel):
    """A move of a recruit: from, to, by whom, when, and a code of why. `source` is empty for the first."""

    recruit = SiteForeignKey(Recruit, on_delete=models.PROTECT, related_name="events")
    source = CodeField(choices=Recruit.State.choices, null=True)
    target = CodeField(choices=Recruit.State.choices)
    why = CodeField(choices=Recruit.Why.choices, default=Recruit.Why.NONE)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["site", "recruit", "id"], name="recruit_event_of")]

    def __str__(self) -> str:
        return f"recruit event {self.pk}"


class RosterLine(SiteModel):
    """A line of an imported roster whose person was invited, and gets it on joining. Codes, numbers and dates."""

    KIND = "ROSTERLINE"  # in the agenda

    invitation = SiteForeignKey(Invitation, on_delete=models.PROTECT, related_name="+")
    line = models.JSONField()

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "invitation"], name="roster_line_once")]

    def __str__(self) -> str:
        return f"roster line {self.pk}"
