"""A physician's request. Who it is about stands in the vault; here are codes and times only."""

from types import MappingProxyType

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from psi.tenancy import SiteForeignKey, SiteModel
from sites.codes import CodeField
from sites.engine.moves import Moves, Trace
from sites.reference.models import TextVersion
from sites.tenants.models import Site, User
from training.supporters.models import Practice, Stage, Trait


class Reason(models.TextChoices):
    """Why a physician may come: the reasons of the program overview (docs/rules.md#reasons)."""

    EVENT = "EVENT", _("An adverse clinical event")
    COMPLAINT = "COMPLAINT", _("A complaint from a patient or colleague")
    CONFLICT = "CONFLICT", _("A conflict with a patient or colleague")
    LIFE = "LIFE", _("Something in my life that affects my work")
    BURNOUT = "BURNOUT", _("Burnout or moral injury")
    CHANGE = "CHANGE", _("A change at work")
    DISCRIM = "DISCRIM", _("Discrimination, or being made an outsider")
    OTHER = "OTHER", _("Something else, or I’d rather not say")


class Wish(models.TextChoices):
    """Wishes about the peer: tried, never promised. Each names the peer, so that nothing is asked of the physician
    (docs/rules.md#wishes).

    From `INDIGENOUS` on they are what supporters may say of themselves (`Trait`).
    """

    WOMAN = "WOMAN", _("A woman")
    MAN = "MAN", _("A man")
    NONBINARY = "NONBINARY", _("Non-binary")
    SPECIALTY = "SPECIALTY", _("Same specialty")
    STAGE = "STAGE", _("Same career stage")
    FRENCH = "FRENCH", _("Speaks French")
    INDIGENOUS = Trait.INDIGENOUS.value, Trait.INDIGENOUS.label
    BLACK = Trait.BLACK.value, Trait.BLACK.label
    SOUTH_ASIAN = Trait.SOUTH_ASIAN.value, Trait.SOUTH_ASIAN.label
    EAST_ASIAN = Trait.EAST_ASIAN.value, Trait.EAST_ASIAN.label
    MID_EASTERN = Trait.MID_EASTERN.value, Trait.MID_EASTERN.label
    LATIN = Trait.LATIN.value, Trait.LATIN.label
    QUEER = Trait.QUEER.value, Trait.QUEER.label
    PARENT = Trait.PARENT.value, Trait.PARENT.label
    ABROAD = Trait.ABROAD.value, Trait.ABROAD.label
    IN_PERSON = Trait.IN_PERSON.value, Trait.IN_PERSON.label
    CALL = Trait.CALL.value, Trait.CALL.label
    VIDEO = Trait.VIDEO.value, Trait.VIDEO.label


class Source(models.TextChoices):
    """Who suggested the program; counted for the site's own figures."""

    COLLEAGUE = "COLLEAGUE", _("A colleague")
    DIVISION = "DIVISION", _("A Division of Family Practice")
    MSA = "MSA", _("A Medical Staff Association")
    DOCTORS_BC = "DOCTORS_BC", _("Doctors of BC")
    PHP = "PHP", _("The Physician Health Program")
    CMPA = "CMPA", _("The CMPA")
    OTHER = "OTHER", _("Someone or something else")


class ReachBy(models.TextChoices):
    CALL = "CALL", _("A call")
    TEXT = "TEXT", _("A text message")
    EMAIL = "EMAIL", _("An email")


class ReachWhen(models.TextChoices):
    MORNING = "MORNING", _("Mornings")
    AFTERNOON = "AFTERNOON", _("Afternoons")
    EVENING = "EVENING", _("Evenings")
    WEEKEND = "WEEKEND", _("Weekends")


class Voicemail(models.TextChoices):
    YES = "YES", _("Yes")
    NO = "NO", _("No")


class Notifier(models.TextChoices):
    """Who tells the program of a physician."""

    COLLEAGUE = "COLLEAGUE", _("A colleague")
    LEADER = "LEADER", _("A medical leader")
    DEPARTMENT = "DEPARTMENT", _("A department or office")
    OTHER = "OTHER", _("Someone else")


class EventKind(models.TextChoices):
    """What a reach-out may follow (program overview, Reach-Out and Promotion). Kept with the physician's word alone."""

    ADVERSE = "ADVERSE", _("An adverse event")
    COMPLAINT = "COMPLAINT", _("A complaint")
    DEATH = "DEATH", _("The death or suicide of a patient or colleague")
    LEGAL = "LEGAL", _("A legal or College matter")
    LEAVE = "LEAVE", _("A leave, or coming back from one")
    DISASTER = "DISASTER", _("A disaster or mass event")
    OTHER = "OTHER", _("Something else, or I’d rather not say")


class Consent(models.TextChoices):
    """What a physician agrees to, each by itself (docs/rules.md#consents)."""

    MATCH = "MATCH", "To be matched with a peer supporter and contacted"
    PROVINCE = "PROVINCE", "To be shared with the provincial team"
    SURVEY = "SURVEY", "To get the anonymous survey"
    SITE = "SITE", "To be shared with another site"


# Those that the form asks for.
ON_FORM = (Consent.MATCH, Consent.PROVINCE, Consent.SURVEY)


def _why(referral: "Referral", why: str) -> str:
    """Return the code of the audit trail: of a request it is the reason of the event."""
    return why


class Referral(SiteModel):
    """One request for peer support. An inter-site request is simply a referral of the province."""

    KIND = "REFERRAL"  # in the vault, the audit trail and the agenda

    class State(models.TextChoices):
        AWAITING_CONSENT = "AWAITING", "Waiting for the physician's agreement"
        OPEN = "OPEN", "Looking for a peer"
        MATCHED = "MATCHED", "Matched"
        CLOSED = "CLOSED", "Closed"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"
        HANDED_OVER = "HANDED_OVER", "Handed over"
        LAPSED = "LAPSED", "Lapsed"
        SPAM = "SPAM", "Spam"

    class Pathway(models.TextChoices):
        REACH_IN = "REACH_IN", "Reach-in"
        REACH_OUT = "REACH_OUT", "Reach-out"

    class Outcome(models.TextChoices):
        DONE = "DONE", "Support was given"
        ONWARD = "ONWARD", "Went on to other support"
        UNREACHED = "UNREACHED", "Could not be reached"
        DECLINED = "DECLINED", "No longer wanted"

    MOVES: Moves = MappingProxyType(
        {
            "agree": (frozenset({"AWAITING"}), "OPEN"),
            "match": (frozenset({"OPEN"}), "MATCHED"),
            "reopen": (frozenset({"MATCHED"}), "OPEN"),
            "close": (frozenset({"OPEN", "MATCHED"}), "CLOSED"),
            "withdraw": (frozenset({"OPEN", "MATCHED"}), "WITHDRAWN"),
            "hand_over": (frozenset({"OPEN", "MATCHED"}), "HANDED_OVER"),
            "mark_spam": (frozenset({"OPEN"}), "SPAM"),
            "clear_spam": (frozenset({"SPAM"}), "OPEN"),
        }
    )
    TRACE = Trace(events=True, action=_why, kind=KIND)
    REFUSALS = MappingProxyType(dict.fromkeys(MOVES, ("MOVED_ON", _("This request has moved on in the meantime."))))

    ref = CodeField(max_length=6)
    state = CodeField(choices=State.choices)
    pathway = CodeField(choices=Pathway.choices)
    stage = CodeField(choices=Stage.choices, default=Stage.UNSAID)
    practice = CodeField(choices=Practice.choices, default=Practice.UNSAID)
    source = CodeField(choices=Source.choices, null=True)
    event = CodeField(choices=EventKind.choices, null=True)
    outcome = CodeField(choices=Outcome.choices, null=True)
    home = models.ForeignKey(
        Site, on_delete=models.PROTECT, null=True, related_name="+", help_text="Where the form was opened."
    )
    handed_to = models.ForeignKey(
        Site, on_delete=models.PROTECT, null=True, related_name="+", help_text="Where its receipt leads now."
    )
    received_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, help_text="Closed, withdrawn or handed over.")
    unheard_at = models.DateTimeField(
        null=True, help_text="When the physician said that nobody has been in touch, while nothing was done about it."
    )
    surveyed = models.BooleanField(default=False, help_text="The right to answer the survey was used; not when.")
    receipt_digest = models.BinaryField(null=True)
    sealed = models.BinaryField(null=True)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "ref"], name="referral_ref"),
            UniqueConstraint(fields=["site", "receipt_digest"], name="referral_receipt"),
            # Without the physician's word no reason and no stage is kept (docs/rules.md#reach-out).
            CheckConstraint(
                condition=~Q(state="AWAITING") | Q(event=None, stage="UNSAID", practice="UNSAID"),
                name="referral_awaiting_bare",
            ),
        ]
        indexes = [
            # Serves the list of requests, newest first, by keyset.
            models.Index(fields=["site", "state", "-id"], name="referral_by_state"),
        ]

    def __str__(self) -> str:
        return f"R-{self.ref}"


class ReferralReason(SiteModel):
    referral = SiteForeignKey(Referral, on_delete=models.CASCADE, related_name="reasons")
    reason = CodeField(choices=Reason.choices)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "referral", "reason"], name="reason_once"),
        ]

    def __str__(self) -> str:
        return self.reason


class ReferralConsent(SiteModel):
    """What the physician agreed to, in which words, when and how."""

    class Channel(models.TextChoices):
        FORM = "FORM", "On the form"
        VOICE = "VOICE", "By voice"
        NOTIFIER = "NOTIFIER", "By the word of whoever notified"

    referral = SiteForeignKey(Referral, on_delete=models.CASCADE, related_name="consents")
    purpose = CodeField(choices=Consent.choices)
    text = models.ForeignKey(TextVersion, on_delete=models.PROTECT, related_name="+")
    channel = CodeField(choices=Channel.choices, default=Channel.FORM)
    given_at = models.DateTimeField()

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "referral", "purpose"], name="consent_once"),
        ]

    def __str__(self) -> str:
        return self.purpose


class ReferralEvent(SiteModel):
    """A move of a referral: from, to, by whom, when, and a code of why."""

    class Why(models.TextChoices):
        RECEIVED = "RECEIVED"
        CONFIRMED = "CONFIRMED"
        REASSIGNED = "REASSIGNED"
        CLOSED = "CLOSED"
        UNHEARD = "UNHEARD"
        ALERTED = "ALERTED"
        WITHDRAWN = "WITHDRAWN"
        HANDED_OVER = "HANDED_OVER"
        TAKEN_OVER = "TAKEN_OVER"
        SPAM = "SPAM"
        NOT_SPAM = "NOT_SPAM"
        OFFERED = "OFFERED"
        AGREED = "AGREED"
        NOT_REACHED = "NOT_REACHED"

    referral = SiteForeignKey(Referral, on_delete=models.CASCADE, related_name="events")
    source = CodeField(choices=Referral.State.choices, null=True)
    target = CodeField(choices=Referral.State.choices)
    why = CodeField(choices=Why.choices)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["site", "referral", "id"], name="referral_event_of")]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


class ReachOut(SiteModel):
    """Who told the program of a physician, and how the offer to them stands. Beside it a referral awaits an answer."""

    KIND = "OFFER"  # in the agenda, and of its link

    class Way(models.TextChoices):
        MAIL = "MAIL", "By mail"
        CALL = "CALL", "By a phone call"

    referral = SiteForeignKey(Referral, on_delete=models.CASCADE, related_name="reach_outs")
    notifier = CodeField(choices=Notifier.choices)
    way = CodeField(choices=Way.choices, null=True, help_text="Of the offer; none where the physician had agreed.")
    offered_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Reminders sent, or calls without an answer.")
    wrong = models.PositiveSmallIntegerField(default=0, help_text="Wrong codes typed.")

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "referral"], name="reach_out_once")]

    def __str__(self) -> str:
        return f"reach-out {self.pk}"


class FormKey(SiteModel):
    """A form that was sent, claimed under the site of the URL, so that a double press sends one."""

    key = models.UUIDField()
    used_at = models.DateTimeField()

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "key"], name="form_key_once")]

    def __str__(self) -> str:
        return f"form key {self.pk}"
