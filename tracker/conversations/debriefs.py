"""A supporter would like a debrief: the province is told who, and not about whom.

A crossing (docs/data-protection.md#crossings). The wish stands on no conversation, and a worker writes it in a
transaction of its own, so that the row shares neither a key nor a transaction with what was recorded.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.urls import reverse
from django.utils.timezone import get_current_timezone, localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from psi import tenancy
from sites.engine import agenda, audit, outbox, today
from sites.engine.audit import Actor
from sites.tenants.models import PROVINCE_SLUG, Role
from sites.tenants.queries import members_with_role, province
from tracker.conversations.models import DebriefRequest
from training.supporters.models import PeerSupporter

WITHIN = timedelta(days=7)  # docs/rules.md#debriefs


def register() -> None:
    """Tell the agenda who carries it over, the outbox whom to tell, and *Today* who waits."""
    agenda.register(DebriefRequest.KIND, forward_to_province)
    outbox.register(DebriefRequest.KIND, outbox.MailKind("debrief", DebriefRequest.KIND, _still_waiting))
    outbox.register_link(DebriefRequest.KIND, lambda request_id: reverse("debriefs"))
    today.register(_today_items)


def request_debrief(supporter_id: int) -> None:
    """Have the province's list carry this supporter of the current site. A debrief that is asked for twice is one."""
    tenancy.before_commit(
        lambda: agenda.schedule(DebriefRequest.KIND, [supporter_id], tenancy.now()), agenda.SINGLETON_DUE
    )


def forward_to_province(supporter_ids: list[int]) -> None:
    """Write the province's rows for these supporters of the current site."""
    origin, asked_on = tenancy.current_site_id(), localdate(tenancy.now())
    supporters = list(
        PeerSupporter.objects.filter(pk__in=supporter_ids).order_by("user_id").values_list("user_id", "profile__name")
    )
    with tenancy.site_scope(province().pk):
        for user_id, name in supporters:
            row, created = DebriefRequest.objects.get_or_create(
                origin_id=origin, user_id=user_id, defaults={"name": name, "asked_on": asked_on}
            )
            if created:
                outbox.enqueue(
                    DebriefRequest.KIND,
                    [(row.pk, administrator_id) for administrator_id in members_with_role(Role.ADMINISTRATOR)],
                )


def mark_arranged(request_id: int, *, by: Actor) -> bool:
    """A debrief is arranged: the row goes. Return whether there was one; a second press finds none."""
    deleted = DebriefRequest.objects.filter(pk=request_id).delete()[0]
    if deleted:
        audit.record("ARRANGED", DebriefRequest.KIND, request_id, by=by)
    return bool(deleted)


def _still_waiting(request_ids: list[int]) -> set[int]:
    return set(DebriefRequest.objects.filter(pk__in=request_ids).values_list("pk", flat=True))


def _today_items(slug: str) -> Iterable[today.Item]:
    if slug != PROVINCE_SLUG:
        return []
    days = sorted(DebriefRequest.objects.values_list("asked_on", flat=True))
    if not days:
        return []
    by = datetime.combine(days[0], time.min, get_current_timezone()) + WITHIN
    title = ngettext("%(n)s supporter would like a debrief", "%(n)s supporters would like a debrief", len(days))
    return [
        today.Item(
            by,
            title % {"n": len(days)},
            ngettext("Asked on %(day)s.", "The first asked on %(day)s.", len(days)) % {"day": f"{days[0]:%-d %B}"},
            _("See who"),
            reverse("debriefs"),
            tone="soon" if by <= tenancy.now() else "",
        )
    ]
