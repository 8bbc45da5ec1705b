"""The box for remarks: words without a request, a person or a day.

A remark is held until five are, and rewritten in random order by a worker, as answers of the survey are
(docs/decisions/0021-survey.md). Until then nobody is shown it: alone, its moment would tell whose it is.
"""

from random import SystemRandom

from psi import tenancy
from sites.engine import agenda
from sites.engine.recording_months import this_month
from tracker.conversations.models import HeldRemark, Remark

KIND = "REMARK"
BATCH_SIZE = 5  # docs/rules.md#remarks


def register() -> None:
    """Tell the agenda who rewrites."""
    agenda.register(KIND, rewrite)


def submit(text: str) -> None:
    """Hold a remark of this month. The same words twice in a month are one, as from a double press."""
    HeldRemark.objects.get_or_create(month=this_month(), text=text)
    tenancy.before_commit(lambda: agenda.schedule(KIND, [0], tenancy.now()), agenda.SINGLETON_DUE)


def rewrite(_object_ids: list[int]) -> None:
    """Once five are held at the current site, write them anew in random order, and forget the old rows."""
    waiting = list(HeldRemark.objects.select_for_update().order_by("pk"))
    if len(waiting) < BATCH_SIZE:
        return
    HeldRemark.objects.filter(pk__in=[row.pk for row in waiting]).delete()
    SystemRandom().shuffle(waiting)
    Remark.objects.bulk_create(Remark(month=row.month, text=row.text) for row in waiting)
