"""What the province keeps for everyone: crisis numbers, specialties, rates, wordings, settings. No person is in it."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import get_language

from psi.tenancy import SiteModel
from sites.codes import CodeField


class CrisisLine(models.Model):
    """A number for someone who needs help now: one provincial list."""

    class Code(models.TextChoices):
        EMERGENCY = "EMERGENCY"
        SUICIDE = "SUICIDE"
        PHP = "PHP"
        BC = "BC"

    code = CodeField(unique=True, choices=Code.choices)
    label = models.CharField(max_length=80)
    number = models.CharField(max_length=20)
    tel = models.CharField(max_length=30, help_text="Link: tel:…")
    sms = models.CharField(max_length=30, blank=True, help_text="Link: sms:…")
    note = models.CharField(max_length=60, blank=True)
    label_fr = models.CharField(max_length=80, default="")
    note_fr = models.CharField(max_length=60, blank=True, default="")
    position = models.PositiveSmallIntegerField()
    verified_on = models.DateField()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.code

    @property
    def words(self) -> str:
        """What the number is, in the language of the page."""
        return (self.label_fr if _french() else "") or self.label

    @property
    def hint(self) -> str:
        """When it answers, or how to dial it, in the language of the page."""
        return self.note_fr if _french() and self.label_fr else self.note


class LocalCrisisLine(SiteModel):
    """A number a site adds after the provincial ones, such as its hospital's own."""

    number = models.CharField(max_length=20)
    label = models.CharField(max_length=80)
    label_fr = models.CharField(max_length=80)
    verified_on = models.DateField()

    class Meta:
        ordering = ["pk"]
        constraints = [UniqueConstraint(fields=["site", "number"], name="local_crisis_line_once")]

    def __str__(self) -> str:
        return f"local crisis line {self.pk}"

    @property
    def words(self) -> str:
        """What the number is, in the language of the page."""
        return self.label_fr if _french() else self.label

    @property
    def tel(self) -> str:
        """What a telephone dials."""
        return "tel:" + "".join(filter(str.isdigit, self.number))


def _french() -> bool:
    return (get_language() or "").startswith("fr")


class Specialty(models.Model):
    """A specialty of practice, with the dates between which it may be chosen."""

    code = CodeField(unique=True)
    name = models.CharField(max_length=60)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Rate(models.Model):
    """What an hour of training is paid, from a day on: provincial reference data without persons."""

    hourly = models.DecimalField(max_digits=7, decimal_places=2)
    valid_from = models.DateField(unique=True)

    class Meta:
        constraints = [CheckConstraint(condition=Q(hourly__gt=0), name="rate_positive")]

    def __str__(self) -> str:
        return f"rate {self.pk}"


class TextVersion(models.Model):
    """A wording someone agreed to, kept word for word and known by its SHA-256."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    kind = CodeField()
    language = models.CharField(max_length=2)
    text = models.TextField()
    valid_from = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:8]}"


class ProvinceSetting(models.Model):
    """A number the province may change: hours, days. Defaults: `sites.reference.queries.DEFAULTS`."""

    code = CodeField(unique=True)
    value = models.IntegerField()

    def __str__(self) -> str:
        return self.code
