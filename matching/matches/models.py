"""A match: one physician's request and one peer supporter, from invitation to the last conversation."""

from types import MappingProxyType

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from psi.tenancy import SiteForeignKey, SiteModel
from referrals.requests.models import Referral
from sites.codes import CodeField
from sites.engine.moves import Moves, Trace
from sites.tenants.models import Site, User
from training.supporters.models import PeerSupporter


class WindowStep(models.IntegerChoices):
    """How far the contact window of a match has gone (`Match.window_step`; docs/rules.md#contact-window)."""

    NONE = 0, "No reminder yet"
    FIRST_REMINDER = 1, "The supporter was reminded, after 24 hours"
    SECOND_REMINDER = 2, "The supporter was reminded again, and the administrators told, after 48 hours"
    MISSED = 3, "Missed: 72 hours without contact"


LIVE = ("INVITED", "ACCEPTED", "CONFIRMED", "CONTACTED")


def _audit_code(match: "Match", why: str) -> str:
    """Return the state for the audit trail. Only the inviter learns of a decline, so a yes and a no are one code
    (docs/rules.md#one-text-for-four-reasons)."""
    answered = match.state in (Match.State.ACCEPTED, Match.State.DECLINED)
    return "ANSWERED" if answered else match.state


class Match(SiteModel):
    """An invitation and what came of it. At most one is live for a referral."""

    KIND = "MATCH"

    class State(models.TextChoices):
        INVITED = "INVITED", "Invited"
        ACCEPTED = "ACCEPTED", "Accepted"
        CONFIRMED = "CONFIRMED", "Confirmed"
        CONTACTED = "CONTACTED", "In contact"
        COMPLETED = "COMPLETED", "Completed"
        DECLINED = "DECLINED", "Declined"
        EXPIRED = "EXPIRED", "Expired"
        REVOKED = "REVOKED", "Taken back"
        REASSIGNED = "REASSIGNED", "Given to another peer"

    class Why(models.TextChoices):
        """Why a step was taken: closed codes, never a text."""

        NONE = "NONE"
        KNOWN = "KNOWN", "They know each other"
        EVALUATES = "EVALUATES", "The supporter evaluates the physician"
        MISSED = "MISSED", "The contact window was missed"
        NO_ANSWER = "NO_ANSWER", "No answer"
        CLOSED = "CLOSED", "The request was closed"
        NUDGE = "NUDGE", "A reminder was due"
        WISH = "WISH", "At the wish of one of the two"
        LEFT = "LEFT", "The supporter left"

    class Override(models.TextChoices):
        """Why an administrator set a soft rule aside."""

        NOBODY = "NOBODY", "Nobody else is available"
        WISHED = "WISHED", "The physician asked for this"
        AGREED = "AGREED", "The supporter agreed to it"

    MOVES: Moves = MappingProxyType(
        {
            "accept": (frozenset({"INVITED"}), "ACCEPTED"),
            "decline": (frozenset({"INVITED", "ACCEPTED"}), "DECLINED"),
            "expire": (frozenset({"INVITED"}), "EXPIRED"),
            "revoke": (frozenset({"INVITED", "ACCEPTED"}), "REVOKED"),
            "confirm": (frozenset({"ACCEPTED"}), "CONFIRMED"),
            "record_contact": (frozenset({"CONFIRMED"}), "CONTACTED"),
            "reassign": (frozenset({"CONFIRMED", "CONTACTED"}), "REASSIGNED"),
            "close": (frozenset({"INVITED", "ACCEPTED", "CONFIRMED"}), "REVOKED"),
            "finish": (frozenset({"CONTACTED"}), "COMPLETED"),
        }
    )
    TRACE = Trace(events=True, action=_audit_code, kind=KIND)

    referral = SiteForeignKey(Referral, on_delete=models.PROTECT, related_name="matches")
    supporter = SiteForeignKey(PeerSupporter, on_delete=models.PROTECT, related_name="+")
    state = CodeField(choices=State.choices, default=State.INVITED)
    why = CodeField(choices=Why.choices, default=Why.NONE)
    override = CodeField(choices=Override.choices, null=True)
    cap_waived = models.BooleanField(default=False, help_text="The override was about a cap.")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    contacted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Year in which the acceptance was counted in SupporterLoad, and will be given back.
    load_year = models.PositiveSmallIntegerField(null=True)
    untalked = models.BooleanField(
        default=False, help_text="The supporter says that no conversation came about: nobody reminds them."
    )
    window_step = models.PositiveSmallIntegerField(default=WindowStep.NONE)
    nudged = models.BooleanField(default=False, help_text="The invitation's reminder went out.")

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "referral"], condition=Q(state__in=LIVE), name="match_one_live"),
            CheckConstraint(condition=Q(window_step__lte=3), name="match_steps"),
        ]
        indexes = [
            # Serves a supporter's own page and the load of a roster.
            models.Index(fields=["site", "supporter", "state"], name="match_of_supporter"),
            models.Index(fields=["site", "referral", "-id"], name="match_of_referral"),
        ]

    def __str__(self) -> str:
        return f"match {self.pk}"


class MatchEvent(SiteModel):
    """A move of a match."""

    match = SiteForeignKey(Match, on_delete=models.CASCADE, related_name="events")
    source = CodeField(choices=Match.State.choices, null=True)
    target = CodeField(choices=Match.State.choices)
    why = CodeField(choices=Match.Why.choices, default=Match.Why.NONE)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["site", "match", "id"], name="match_event_of")]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


class Prepared(SiteModel):
    """Who could be asked next for a request that is looking again: one press sends the invitation."""

    referral = SiteForeignKey(Referral, on_delete=models.CASCADE, related_name="+")
    supporter = SiteForeignKey(PeerSupporter, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "referral"], name="prepared_once")]

    def __str__(self) -> str:
        return f"prepared {self.pk}"


class Alert(SiteModel):
    """At the province: what a site was told is late and has left, or that its figures are wrong. No more than that."""

    KIND = "ALERT"

    class Kind(models.TextChoices):
        UNHEARD = "UNHEARD", "The physician says that nobody has been in touch"
        MISSED = "MISSED", "The 72 hours are over, and nobody acted for a day"
        COUNTS = "COUNTS", "The figures of the site are not what was counted"

    origin = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    kind = CodeField(choices=Kind.choices)
    ref = CodeField(max_length=6)
    at = models.DateTimeField()

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "origin", "kind", "ref"], name="alert_once")]

    def __str__(self) -> str:
        return f"R-{self.ref}"
