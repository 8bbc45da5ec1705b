"""Three days after contact a supporter is reminded to record the conversation; a week later the administrator gets a
count, each week while there is one. The count is all they get: who has not recorded is the supporter's own affair.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from matching.invitations.notices import FOR_SUPPORTER
from matching.invitations.transitions import RECORD_WITHIN, UNRECORDED
from matching.matches.models import Match
from psi import tenancy
from sites.engine import agenda, outbox, today
from sites.engine.models import Due
from sites.tenants.models import Role, Site
from sites.tenants.queries import members_with_role

WEEKLY = "UNREC_WEEK"
# docs/rules.md#recording-reminder
WEEK = timedelta(days=7)
FINISHED_FOR = timedelta(days=21)


def register() -> None:
    """Tell the agenda, the outbox and *Today*."""
    agenda.register(UNRECORDED, handle_unrecorded)
    agenda.register(WEEKLY, handle_weekly)
    outbox.register(UNRECORDED, outbox.MailKind("unrecorded", FOR_SUPPORTER, _still_unrecorded))
    outbox.register(WEEKLY, outbox.MailKind("unrecorded_week", WEEKLY, _any_unrecorded, words=_mail_context))
    outbox.register_link(WEEKLY, _today_url)
    today.register(_today_items)


def unrecorded() -> QuerySet[Match]:
    """Return the matches of the current site with contact three days ago and no conversation since.

    One that was finished without any counts for a while, unless its supporter says that none came about.
    """
    now = tenancy.now()
    open_ = Q(state=Match.State.CONTACTED) | Q(state=Match.State.COMPLETED, ended_at__gt=now - FINISHED_FOR)
    return Match.objects.filter(open_, contacted_at__lte=now - RECORD_WITHIN, untalked=False, interactions=None)


def handle_unrecorded(match_ids: list[int]) -> None:
    """Remind those whose conversation is not recorded, and begin to count them weekly."""
    pairs = list(unrecorded().filter(pk__in=match_ids).values_list("pk", "supporter__user_id"))
    outbox.enqueue(UNRECORDED, pairs)
    if pairs and not Due.objects.filter(site_id=tenancy.current_site_id(), kind=WEEKLY).exists():
        agenda.schedule(WEEKLY, [0], tenancy.now() + WEEK)


def handle_weekly(_object_ids: list[int]) -> None:
    """Tell the administrators how many are not recorded, and look again in a week; where none is, it ends."""
    if not unrecorded().exists():
        return
    year, week, _day = localdate(tenancy.now()).isocalendar()
    outbox.enqueue(WEEKLY, [(year * 100 + week, user_id) for user_id in members_with_role(Role.ADMINISTRATOR)])
    agenda.schedule(WEEKLY, [0], tenancy.now() + WEEK)


def _still_unrecorded(match_ids: list[int]) -> set[int]:
    return set(unrecorded().filter(pk__in=match_ids).values_list("pk", flat=True))


def _any_unrecorded(weeks: list[int]) -> set[int]:
    return set(weeks) if unrecorded().exists() else set()


def _mail_context(_week: int) -> dict[str, Any]:
    return {"n": unrecorded().count()}


def _today_url(_week: int) -> str:
    return reverse("today", args=[Site.objects.values_list("slug", flat=True).get(pk=tenancy.current_site_id())])


def _today_items(_slug: str) -> Iterable[today.Item]:
    n = unrecorded().count()
    if not n:
        return []
    title = ngettext("%(n)s conversation is not recorded yet", "%(n)s conversations are not recorded yet", n)
    detail = _("The supporters have been reminded. There is nothing for you to do but to say a kind word.")
    return [today.Item(tenancy.now(), title % {"n": n}, detail, "", "", quiet=True)]
