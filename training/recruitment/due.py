"""What must be remembered about those on the way to become a peer supporter, and the mail about it."""

from collections.abc import Callable, Iterable

from django.urls import reverse

from psi import tenancy
from sites.engine import agenda, audit, outbox
from sites.people import transitions as people
from sites.tenants.models import Role, Site
from sites.tenants.queries import members_with_role
from training.recruitment import transitions as recruitment
from training.recruitment.models import Recruit
from training.supporters import readiness

State, Why = Recruit.State, Recruit.Why
MINE = "RECRUIT_MY"  # where a mail to the recruit leads


def register() -> None:
    """Register what follows from joining, leaving and new dates, what is due, and the mail about it."""
    people.register_join(recruitment.joined)
    people.register_leave(recruitment.left)
    agenda.register(Recruit.KIND, handle)
    readiness.register(recruitment.follow_readiness)
    for kind, states in (
        ("RECRUIT_NEW", {State.NOMINATED}),
        ("RECRUIT_LATE", {State.INVITED}),
        ("RECRUIT_FORM", {State.INTERESTED}),
        ("RECRUIT_WAIT", {State.INTERESTED}),
    ):
        outbox.register(kind, outbox.MailKind("recruit_staff", Recruit.KIND, _still(states)))
    for kind, states in (
        ("RECRUIT_ASK", {State.INVITED}),
        ("RECRUIT_YES", {State.REVIEWED, State.TRAINING, State.AGREEING, State.ACTIVE}),
        ("RECRUIT_ON", {State.ACTIVE}),
    ):
        outbox.register(kind, outbox.MailKind("recruit_next", MINE, _still(states)))
    outbox.register_link(Recruit.KIND, _page)
    outbox.register_link(MINE, lambda recruit_id: reverse("my", args=[_slug()]))


def handle(ids: list[int]) -> None:
    """Forget who never answered, remind once of what waits, and notice a day that has come."""
    site = recruitment.lock_site()
    now = tenancy.now()
    rows = Recruit.objects.select_for_update(of=("self",), no_key=True).filter(
        pk__in=ids, state__in=recruitment.ON_THE_WAY
    )
    for recruit in rows.select_related("invitation").order_by("pk"):
        silent = recruit.started_at + recruitment.SILENT_AFTER
        if recruit.state in (State.NOMINATED, State.INVITED) and recruit.user_id is None:
            if silent <= now:
                recruitment.halt(recruit, Why.SILENT, audit.SYSTEM)
                continue
            if recruit.state == State.INVITED:
                outbox.enqueue(
                    "RECRUIT_LATE", [(recruit.pk, user_id) for user_id in members_with_role(Role.ADMINISTRATOR)]
                )
            agenda.schedule(Recruit.KIND, [recruit.pk], silent)
        elif recruit.state == State.INVITED:
            outbox.enqueue("RECRUIT_ASK", [(recruit.pk, recruit.user_id)])
        elif recruit.state == State.INTERESTED:
            reviewers = recruitment.awaited_reviewers(site, recruit)
            outbox.enqueue("RECRUIT_WAIT", [(recruit.pk, user_id) for user_id in reviewers])
        else:
            recruitment.activate_if_ready(recruit, audit.SYSTEM)


def _still(states: Iterable[str]) -> Callable[[list[int]], set[int]]:
    def still(ids: list[int]) -> set[int]:
        return set(Recruit.objects.filter(pk__in=ids, state__in=states).values_list("pk", flat=True))

    return still


def _page(recruit_id: int) -> str | None:
    ref = Recruit.objects.filter(pk=recruit_id).values_list("ref", flat=True).first()
    return None if ref is None else reverse("recruit", args=[_slug(), ref])


def _slug() -> str:
    return Site.objects.values_list("slug", flat=True).get(pk=tenancy.current_site_id())
