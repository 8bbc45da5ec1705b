"""Who the peer supporters are, and how much each carries."""

from datetime import date
from types import MappingProxyType

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from psi.tenancy import SiteForeignKey, SiteModel
from sites.codes import CodeField
from sites.engine.moves import Moves, Trace
from sites.reference.models import Specialty
from sites.tenants.models import Profile, Site, User


class Practice(models.TextChoices):
    FAMILY = "FAMILY", _("Family physician")
    SPECIALIST = "SPECIALIST", _("Specialist")
    RESIDENT = "RESIDENT", _("Resident or fellow")
    STUDENT = "STUDENT", _("Medical student")
    RETIRED = "RETIRED", _("Retired")
    UNSAID = "UNSAID", _("Prefer not to say")


class Stage(models.TextChoices):
    """Years since residency; the band is stored, not the year (docs/rules.md#career-bands)."""

    TRAINEE = "TRAINEE", _("In training")
    EARLY = "EARLY", _("Early (0 to 5 years)")
    MID = "MID", _("Mid (6 to 20 years)")
    LATE = "LATE", _("Late (21 years or more)")
    RETIRED = "RETIRED", _("Retired")
    UNSAID = "UNSAID", _("Prefer not to say")


class Gender(models.TextChoices):
    """A supporter's own, voluntary description; never reported."""

    WOMAN = "WOMAN", "Woman"
    MAN = "MAN", "Man"
    NONBINARY = "NONBINARY", "Non-binary"
    UNSAID = "UNSAID", "Not said"


class Language(models.TextChoices):
    """Languages a conversation may be had in."""

    ENGLISH = "ENGLISH", _("English")
    FRENCH = "FRENCH", _("French")
    ARABIC = "ARABIC", _("Arabic")
    CANTONESE = "CANTONESE", _("Cantonese")
    FARSI = "FARSI", _("Farsi")
    HINDI = "HINDI", _("Hindi")
    MANDARIN = "MANDARIN", _("Mandarin")
    PUNJABI = "PUNJABI", _("Punjabi")
    SPANISH = "SPANISH", _("Spanish")
    TAGALOG = "TAGALOG", _("Tagalog")


class Trait(models.TextChoices):
    """What supporters may say of themselves, so that a wish can be met (docs/rules.md#self-description)."""

    INDIGENOUS = "INDIGENOUS", _("First Nations, Inuit or Métis")
    BLACK = "BLACK", _("Black")
    SOUTH_ASIAN = "SOUTH_ASIAN", _("South Asian")
    EAST_ASIAN = "EAST_ASIAN", _("East or Southeast Asian")
    MID_EASTERN = "MID_EASTERN", _("Middle Eastern or North African")
    LATIN = "LATIN", _("Latin American")
    QUEER = "QUEER", _("2SLGBTQIA+")
    PARENT = "PARENT", _("A parent")
    ABROAD = "ABROAD", _("Trained abroad")
    IN_PERSON = "IN_PERSON", _("Meets in person")
    CALL = "CALL", _("Talks on a call")
    VIDEO = "VIDEO", _("Talks by video")


class Department(SiteModel):
    """A place where physicians are evaluated, from the site's own list."""

    name = models.CharField(max_length=60)

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "name"], name="department_once")]
        ordering = ["name"]

    def __str__(self) -> str:
        return f"department {self.pk}"


class PeerSupporter(SiteModel):
    """A physician in the roster of one site. A person in two rosters has two rows and one load."""

    KIND = "SUPPORTER"  # in the audit trail

    class State(models.TextChoices):
        PREPARING = "PREPARING", "Preparing"
        ACTIVE = "ACTIVE", "Active"
        LEFT = "LEFT", "Has left"

    MOVES: Moves = MappingProxyType(
        {
            "prepare": (frozenset({"ACTIVE", "LEFT"}), "PREPARING"),
            "activate": (frozenset({"PREPARING", "LEFT"}), "ACTIVE"),
            "leave": (frozenset({"PREPARING", "ACTIVE"}), "LEFT"),
        }
    )
    # What brings a move about has its own entry of the audit trail: ROSTER, BORROWED, TAKEN_BACK, LEFT, or the
    # recruit's.
    TRACE = Trace()

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    profile = SiteForeignKey(Profile, on_delete=models.PROTECT, related_name="+")
    state = CodeField(choices=State.choices, default=State.PREPARING)
    practice = CodeField(choices=Practice.choices, default=Practice.UNSAID)
    stage = CodeField(choices=Stage.choices, default=Stage.UNSAID)
    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    gender = CodeField(choices=Gender.choices, default=Gender.UNSAID)
    speaks_french = models.BooleanField(default=False)
    trained_on = models.DateField(null=True, blank=True)
    counted_on = models.DateField(
        null=True, help_text="The `trained_on` that the figures hold (training.supporters.trained_facts)."
    )
    agreement_until = models.DateField(null=True, blank=True)
    described = models.BinaryField(
        null=True, help_text="What they say of themselves, sealed (training.supporters.self_description)."
    )
    evaluated = models.BinaryField(
        null=True, help_text="Whom they evaluate, sealed (training.supporters.self_description)."
    )
    published = models.BooleanField(default=False, help_text="Agreed to be shown on the public page.")
    bio = models.CharField(max_length=400, blank=True, default="")
    bio_fr = models.CharField(max_length=400, blank=True, default="")
    cap_year = models.PositiveSmallIntegerField(default=7)
    cap_live = models.PositiveSmallIntegerField(default=2)
    paused_until = models.DateField(null=True, blank=True)
    leaving_on = models.DateField(null=True, help_text="They gave notice: the first day without them.")
    # The site that lends them: it keeps their readiness and limits, and this row is a copy (supporters.lending).
    home = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "user"], name="supporter_once"),
            CheckConstraint(condition=Q(cap_year__gte=1, cap_live__gte=1), name="supporter_caps"),
        ]

    def __str__(self) -> str:
        return f"supporter {self.pk}"

    def ready_on(self, day: date) -> bool:
        """Active, trained, and with an agreement that holds on `day`."""
        return (
            self.state == self.State.ACTIVE
            and self.trained_on is not None
            and self.trained_on <= day
            and self.agreement_until is not None
            and self.agreement_until >= day
        )


class Photo(SiteModel):
    """A supporter's photo as it is shown: drawn anew by `supporters.photos`, found by the digest in its address."""

    supporter = SiteForeignKey(PeerSupporter, on_delete=models.CASCADE, related_name="+")
    image = models.BinaryField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "supporter"], name="photo_once")]
        indexes = [models.Index(fields=["site", "digest"], name="photo_at")]

    def __str__(self) -> str:
        return f"photo {self.pk}"


class Evaluates(SiteModel):
    """A supporter evaluates physicians of this department."""

    supporter = SiteForeignKey(PeerSupporter, on_delete=models.CASCADE, related_name="evaluates")
    department = SiteForeignKey(Department, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "supporter", "department"], name="evaluates_once")]

    def __str__(self) -> str:
        return f"evaluates {self.pk}"


class SupporterLoad(models.Model):
    """How many matches an account took in a year, and how many of those are live now.

    Counted per person across rosters, so it stands outside the wall; every acceptance locks it last.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    live = models.PositiveSmallIntegerField(default=0)
    total = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["user", "year"], name="load_once"),
            CheckConstraint(condition=Q(live__lte=models.F("total")), name="load_adds_up"),
        ]

    def __str__(self) -> str:
        return f"load {self.pk}"
