"""The moves of a release: asked for, checked by a worker, published or set aside. Nothing else writes its state."""

import uuid
from collections.abc import Iterable
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import agenda, today
from sites.engine.audit import Actor
from sites.engine.moves import Refused, goal_of, leave_trace, move
from sites.tenants.models import PROVINCE_SLUG, Site
from sites.tenants.queries import province
from tracker.figures import periods
from tracker.figures.models import Rollup
from tracker.figures.reporting_periods import PUBLICATION_DELAY
from tracker.releases.models import Release, ReleaseCell
from tracker.releases.options import ReleaseOptions, columns_for

State, Table = Release.State, Release.Table
# A worker that has said nothing for so long is taken for dead, and another begins anew.
LEASE = timedelta(minutes=10)
CHECK = "tracker.tasks.check_release"
# Why a release was refused, where no hidden count was found: the counts themselves contradict each other.
CONTRADICTS = "CONTRADICTS"
NOTHING = "NOTHING"
# The check itself broke off.
FAILED = "FAILED"


def register() -> None:
    """Tell the agenda who sees to it that a release is checked, and *Today* what is next."""
    agenda.register(Release.KIND, handle)
    today.register(_today_items)


def next_quarter() -> date | None:
    """Return the first day of the quarter to be released next: after the last, else the first with a request."""
    with tenancy.site_scope(province().pk):
        released = Release.objects.filter(state=State.PUBLISHED).order_by("-quarter").values_list("quarter", flat=True)
        before = ReleaseCell.objects.filter(release=None).order_by("-last").values_list("last", flat=True)
        last = max([periods.last_month(quarter) for quarter in released[:1]] + list(before[:1]), default=None)
    return periods.next_month(last) if last else first_quarter()


def first_quarter() -> date | None:
    """Return the first day of the quarter in which the first request of a funded site was counted."""
    months: list[date] = []
    for site_id in Site.objects.filter(funding=Site.Funding.FUNDED).order_by("pk").values_list("pk", flat=True):
        with tenancy.site_scope(site_id):
            first = Rollup.objects.filter(measure="REQUEST").order_by("month").values_list("month", flat=True).first()
        months += [first] if first else []
    return periods.quarter_of(min(months)) if months else None


def _today_items(slug: str) -> Iterable[today.Item]:
    """What coordinators do next about releases. Where none was ever made, *Figures* says when the first may be."""
    latest = None if slug != PROVINCE_SLUG else Release.objects.exclude(state=State.DROPPED).order_by("-pk").first()
    if latest is None or latest.state == State.CHECKING:
        return []
    quarter = latest.quarter
    texts = {
        State.READY: (_("%(quarter)s: the figures passed the check"), _("Look at them, and publish.")),
        State.REFUSED: (_("%(quarter)s: the figures did not pass the check"), _("The page says what helps.")),
    }
    path = reverse("release", args=[latest.pk])
    if latest.state == State.PUBLISHED:
        quarter = periods.later(quarter, periods.QUARTER)
        if localdate(tenancy.now()) < opens_on(quarter):
            return []
        path = reverse("releases")
        texts[State.PUBLISHED] = (
            _("%(quarter)s: the figures can be released"),
            _("They are checked first; you see them before anyone."),
        )
    title, detail = texts[State(latest.state)]
    months = periods.label(quarter, periods.last_month(quarter))
    return [today.Item(tenancy.now(), title % {"quarter": months}, detail, _("Open"), path, quiet=True)]


def opens_on(quarter: date) -> date:
    """Return the first day on which a quarter may be released."""
    return periods.later(quarter, periods.QUARTER) + PUBLICATION_DELAY


def prepare(quarter: date | None, options: ReleaseOptions, *, key: uuid.UUID, by: Actor) -> Release:
    """Have a release of `quarter` made and checked; in the province's scope.

    A refused release of the same quarter is set aside.

    Args:
        quarter: its first day, as `next_quarter` says; None where there is none.
        options: what the coordinator asks for.
        key: the form's idempotency key; the same key again returns the first row.

    Raises:
        Refused: there is none, it is not its turn, its thirty days are not over, or another release is on its way.
    """
    if quarter is None:
        raise Refused("NOTHING_TO_RELEASE", _("There is nothing to release yet: no request has been counted."))
    _lock_releases()
    if earlier := Release.objects.filter(key=key).first():
        return earlier
    if Release.objects.filter(state__in=(State.CHECKING, State.READY)).exists():
        raise Refused("RELEASE_ON_ITS_WAY", _("A release is on its way. Publish it or set it aside first."))
    if quarter != next_quarter():
        raise Refused("NOT_NEXT_QUARTER", _("This is not the next quarter. Quarters are released one after the other."))
    if localdate(tenancy.now()) < opens_on(quarter):
        raise Refused(
            "TOO_EARLY", _("A quarter is released thirty days after its end, so that late reports are in it.")
        )
    refused = Release.objects.select_for_update(of=("self",)).filter(quarter=quarter, state=State.REFUSED)
    for earlier in refused.order_by("pk"):
        move(earlier, "drop", by=by, why=Release.REPLACED)
    release = Release.objects.create(
        quarter=quarter,
        key=key,
        asked_at=tenancy.now(),
        **columns_for(options),
    )
    agenda.schedule(Release.KIND, [release.pk], tenancy.now())
    leave_trace(release, None, by=by)
    return release


def _lock_releases() -> None:
    """Let releases happen one after the other: whoever moves one holds the province's row."""
    Site.objects.select_for_update(of=("self",), no_key=True).get(pk=tenancy.current_site_id())


def handle(release_ids: list[int]) -> None:
    """Hand releases that wait to a worker with a solver, and look again later, until they are checked."""
    waiting = list(Release.objects.filter(pk__in=release_ids, state=State.CHECKING).values_list("pk", flat=True))
    agenda.schedule(Release.KIND, waiting, tenancy.now() + LEASE)
    for release_id in waiting:
        transaction.on_commit(lambda number=release_id: agenda.send_heavy(CHECK, number))  # type: ignore[misc]


def publish(release_id: int, *, public: bool, by: Actor) -> Release:
    """Publish a release that has passed. From then on nothing of it changes but whether everybody may read it.

    Raises:
        Refused: it has not passed.
        Release.DoesNotExist: there is none.
    """
    _lock_releases()
    release = Release.objects.select_for_update(of=("self",)).get(pk=release_id)
    if release.state == State.PUBLISHED:
        return release
    goal_of(Release, "publish", release.state)
    counts = ReleaseCell.objects.filter(release=release, unit=ReleaseCell.Unit.COUNT)
    if counts.filter(number__range=(1, settings.PSI_K - 1)).exists():
        raise Refused(
            "SMALLEST_COUNT_RAISED",
            _("The smallest number that may be told was raised since. Set this aside, and prepare it again."),
        )
    release.published_at, release.public = tenancy.now(), public
    move(release, "publish", by=by, also=("published_at", "public"))
    return release


def drop(release_id: int, *, by: Actor) -> None:
    """Set a release aside that is not published. Its quarter can be asked for again, as it was frozen.

    Raises:
        Refused: it is published.
        Release.DoesNotExist: there is none.
    """
    _lock_releases()
    release = Release.objects.select_for_update(of=("self",)).get(pk=release_id)
    if release.state == State.DROPPED:
        return
    move(release, "drop", by=by)
    agenda.cancel(Release.KIND, [release.pk])


def set_public(release_id: int, *, public: bool, by: Actor) -> None:
    """Choose whether everybody may read a published release.

    Raises:
        Refused: it is not published.
        Release.DoesNotExist: there is none.
    """
    release = Release.objects.select_for_update(of=("self",)).get(pk=release_id)
    if release.state != State.PUBLISHED:
        raise Refused("NOT_PUBLISHED", _("Publish it first."))
    if release.public == public:
        return
    release.public = public
    release.save(update_fields=["public"])
    leave_trace(release, release.state, by=by, action="SHOWN" if public else "UNSHOWN")
