"""The tenant, its people, and the rows every other app leans on: mail, due times, audit, facts."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from psi.tenancy import SiteModel
from sites.codes import CodeField
from sites.tenants.palettes import Palette

# Rooms of their own, found by Django here.

PROVINCE_SLUG = "province"


class Site(models.Model):
    """A tenant: a local organization with a peer support program, or the province."""

    class Kind(models.TextChoices):
        DIVISION = "DIVISION", "Division of Family Practice"
        MSA = "MSA", "Medical Staff Association"
        SECTION = "SECTION", "Section"
        PROVINCE = "PROVINCE", "Province"

    class Funding(models.TextChoices):
        FUNDED = "FUNDED", "Funded by the initiative"
        EXISTING = "EXISTING", "Existing program, outside the funding"

    class Law(models.TextChoices):
        PIPA = "PIPA", "PIPA (private organization)"
        FIPPA = "FIPPA", "FIPPA (public body)"

    class Region(models.TextChoices):
        """The health authorities of BC: small sites of one stand together (docs/rules.md#rolled-up-not-blanked-out)."""

        NONE = "NONE", "No region"
        FRASER = "FRASER", "Fraser"
        INTERIOR = "INTERIOR", "Interior"
        ISLAND = "ISLAND", "Vancouver Island"
        NORTHERN = "NORTHERN", "Northern"
        COASTAL = "COASTAL", "Vancouver Coastal"

    slug = models.SlugField(unique=True, max_length=40)
    name = models.CharField(max_length=120)
    region = CodeField(choices=Region.choices, default=Region.NONE)
    kind = CodeField(choices=Kind.choices)
    cohort = models.PositiveSmallIntegerField(default=1, help_text="Which intake of sites it joined with.")
    funding = CodeField(choices=Funding.choices, default=Funding.FUNDED)
    law = CodeField(choices=Law.choices, default=Law.PIPA)
    privacy_officer = models.CharField(
        max_length=120, blank=True, help_text="Published: a name or position and how to reach them."
    )
    is_open = models.BooleanField(default=False)
    reach_in = models.BooleanField(default=True)
    reach_out = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=40, default="America/Vancouver")
    confirm_at_once = models.BooleanField(default=False, help_text="A match is confirmed as it is accepted.")
    send_next = models.BooleanField(default=False, help_text="After a no or no answer the next candidate is invited.")
    signatory = models.CharField(max_length=80, blank=True, default="", help_text="Who signs certificates.")
    notice_days = models.PositiveSmallIntegerField(default=30, help_text="Between saying that one leaves and leaving.")
    palette = CodeField(choices=Palette.choices, default=Palette.EVERGREEN)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            CheckConstraint(
                condition=Q(slug=PROVINCE_SLUG, kind="PROVINCE") | ~Q(slug=PROVINCE_SLUG) & ~Q(kind="PROVINCE"),
                name="site_one_province",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def is_province(self) -> bool:
        return self.kind == self.Kind.PROVINCE

    @property
    def zone_name(self) -> str:
        """The city of the time zone, as people say it."""
        return self.time_zone.split("/")[-1].replace("_", " ")

    @property
    def takes_requests(self) -> bool:
        """Open, with someone to answer for privacy."""
        return self.is_open and bool(self.privacy_officer)


class Link(models.Model):
    """Two sites that may hand requests and lend supporters to each other, under a recorded agreement.

    Without persons, so it stands outside the wall; only the province writes it.
    """

    one = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    other = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=40, help_text="Where the information-sharing agreement is filed.")
    signed_on = models.DateField()
    ends_on = models.DateField(null=True, help_text="The last day on which it holds; none when it has no end.")

    class Meta:
        constraints = [
            UniqueConstraint(fields=["one", "other"], name="link_once"),
            # A pair is written one way round, so that it cannot stand twice.
            CheckConstraint(condition=Q(one__lt=models.F("other")), name="link_in_order"),
        ]

    def __str__(self) -> str:
        return f"link {self.pk}"


class UserManager(BaseUserManager["User"]):
    """Accounts exist by invitation only; there is no superuser in this house."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """Sign-in data only. The name a person goes by stands on each site's own `Profile` row."""

    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        return f"user {self.pk}"


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", "Program administrator"
    LEAD = "lead", "Physician lead"
    SUPPORTER = "supporter", "Peer supporter"
    ADVISOR = "advisor", "Advisor"


LOCAL_ROLES = (Role.ADMINISTRATOR, Role.LEAD, Role.SUPPORTER)
# The province's supporters are its roster; its administrators are the provincial coordinators.
PROVINCE_ROLES = (Role.ADMINISTRATOR, Role.ADVISOR, Role.SUPPORTER)


class Membership(models.Model):
    """What a person is at a site. One person may be several things; an ended role is kept."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = CodeField(choices=Role.choices)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["site", "user", "role"], condition=Q(ended_at=None), name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"membership {self.pk}"


class Profile(SiteModel):
    """The name a person goes by at one site."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)

    class Meta:
        constraints = [UniqueConstraint(fields=["site", "user"], name="profile_once")]

    def __str__(self) -> str:
        return f"profile {self.pk}"


class Invitation(SiteModel):
    """An account and a role offered by mail. The link is a locator; a single use is recorded here."""

    email = models.EmailField()
    name = models.CharField(max_length=80)
    role = CodeField(choices=Role.choices)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["site", "-id"], name="invitation_recent")]

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class Cover(SiteModel):
    """An administrator is away, and somebody of the site does their work meanwhile."""

    away = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="The last day of it.")
    # The role given for it; None before it starts, and for someone who is an administrator anyway.
    given = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    over = models.BooleanField(default=False)

    class Meta:
        constraints = [
            CheckConstraint(condition=Q(ends_on__gte=models.F("starts_on")), name="cover_days"),
            CheckConstraint(condition=~Q(away=models.F("by")), name="cover_two"),
            UniqueConstraint(fields=["site", "away"], condition=Q(over=False), name="cover_one"),
        ]

    def __str__(self) -> str:
        return f"cover {self.pk}"
