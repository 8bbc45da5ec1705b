"""The anonymous survey: the right to answer is burnt with the answer, and a worker breaks what ties the two.

Feedback cannot be linked to a referral, not even by a transaction id or a row's place
(docs/rules.md#survey). Why it is done so, and what it cannot do: docs/decisions/0021-survey.md.
"""

from collections.abc import Mapping
from datetime import datetime, time
from random import SystemRandom

from django.forms.models import model_to_dict
from django.utils.translation import gettext_lazy as _

from matching.physician import transitions as physician_moves
from psi import tenancy
from referrals.requests import transitions as referral_moves
from referrals.requests.models import Referral
from sites.engine import agenda, facts
from sites.engine.moves import Refused
from tracker.conversations.choices import MEASURES
from tracker.figures import periods
from tracker.survey.models import AnswerChoice, HeldAnswer, SurveyAnswer

KIND = "SURVEY"  # in the agenda, and the measure of how many answered
# Answers held at a site before they are rewritten (docs/rules.md#survey).
BATCH_SIZE = 5


def register() -> None:
    """Tell the agenda who rewrites."""
    agenda.register(KIND, rewrite)


def check_may_answer(referral: Referral) -> None:
    """Check that the physician of this request may answer the survey now (docs/rules.md#survey).

    Raises:
        Refused: answered already, not asked for, or the support has not ended.
    """
    standing = physician_moves.survey_status(referral, physician_moves.visible_match(referral))
    if standing == physician_moves.ANSWERED:
        raise Refused("ANSWERED", _("You have answered these questions already. Thank you."))
    if standing != physician_moves.MAY_ANSWER:
        raise Refused("NO_QUESTIONS", _("There are no questions for this request."))


def answer(referral_id: int, answers: Mapping[str, str]) -> None:
    """Burn the right to answer, and hold the answers: both or neither.

    Args:
        answers: question → a code of `AnswerChoice`; what is missing was not answered.

    Raises:
        Refused: answered before, not asked for, or the support has not ended.
    """
    referral = referral_moves.lock(referral_id)
    check_may_answer(referral)
    referral_moves.use_survey(referral)
    HeldAnswer(**answers).save(force_insert=True)
    # One row of the agenda a site, whoever answered. It says so each time, for none knows of those at the same moment.
    tenancy.before_commit(lambda: agenda.schedule(KIND, [0], tenancy.now()), agenda.SINGLETON_DUE)


def rewrite(_object_ids: list[int]) -> None:
    """Once five are held at the current site, write them anew in random order, count them, and forget the old rows.

    A transaction of its own, in a worker: it touches no row that leads to a referral, so that what it writes shares
    no transaction with any. Two workers wait for each other on the rows.
    """
    waiting = list(HeldAnswer.objects.select_for_update().order_by("pk"))
    if len(waiting) < BATCH_SIZE:
        return
    HeldAnswer.objects.filter(pk__in=[row.pk for row in waiting]).delete()
    answers = [model_to_dict(row, fields=list(MEASURES)) for row in waiting]
    SystemRandom().shuffle(answers)
    quarter_began = quarter_start()
    SurveyAnswer.objects.bulk_create(SurveyAnswer(quarter=quarter_began.date(), **row) for row in answers)
    counted = [(KIND, "ALL")] * len(answers)
    counted += [
        (measure, row[question])
        for row in answers
        for question, measure in MEASURES.items()
        if row[question] != AnswerChoice.UNSAID
    ]
    # Sorted, so that neighbours are not of the same person.
    facts.count(*sorted(counted), at=quarter_began)


def quarter_start() -> datetime:
    """Return when the present quarter began, at the current site."""
    local_now = tenancy.local(tenancy.now())
    return datetime.combine(periods.quarter_of(local_now.date()), time.min, local_now.tzinfo)
