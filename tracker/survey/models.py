"""What physicians say once the support has ended: five answers, a site, a quarter. Nothing leads to them."""

import uuid

from django.db import models
from django.db.models import CheckConstraint, Q
from django.utils.translation import gettext_lazy as _

from psi.tenancy import SiteModel
from sites.codes import CodeField


class AnswerChoice(models.TextChoices):
    YES = "YES", _("Yes")
    NO = "NO", _("No")
    UNSAID = "UNSAID", _("I’d rather not say")


class BaseAnswer(SiteModel):
    """The answers themselves. The key is random, for a sequence would tell the order in which they came."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    in_time = CodeField(choices=AnswerChoice.choices, default=AnswerChoice.UNSAID)
    safe = CodeField(choices=AnswerChoice.choices, default=AnswerChoice.UNSAID)
    helpful = CodeField(choices=AnswerChoice.choices, default=AnswerChoice.UNSAID)
    recommend = CodeField(choices=AnswerChoice.choices, default=AnswerChoice.UNSAID)
    again = CodeField(choices=AnswerChoice.choices, default=AnswerChoice.UNSAID)

    class Meta:
        abstract = True


class HeldAnswer(BaseAnswer):
    """Answers that wait until five are held. What such a row still tells: docs/decisions/0021-survey.md."""

    def __str__(self) -> str:
        return "held answer"


class SurveyAnswer(BaseAnswer):
    """Answers as they stay, written by a worker in random order."""

    quarter = models.DateField(help_text="Its first day; that in which it was rewritten.")

    class Meta:
        constraints = [
            CheckConstraint(condition=Q(quarter__day=1, quarter__month__in=(1, 4, 7, 10)), name="survey_quarter"),
        ]
        indexes = [models.Index(fields=["site", "quarter"], name="survey_by_quarter")]

    def __str__(self) -> str:
        return f"survey answer of {self.quarter:%Y-%m}"
