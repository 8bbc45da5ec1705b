"""Foundations and Practice attended make a supporter trained: a crossing records the day in the row at home.

A session counts from four fifths of its time: who has to answer a page in between has still been to it.
"""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import F

from psi import tenancy
from sites.engine import audit
from sites.tenants.models import Site
from sites.tenants.queries import province
from training.recruitment import transitions as recruitment
from training.sessions.models import Enrolment, Session
from training.supporters import readiness
from training.supporters.models import PeerSupporter

# docs/rules.md#training
NEEDED = (Session.Kind.FOUNDATIONS, Session.Kind.PRACTICE)
SHARE = 80  # percent of the planned minutes (docs/rules.md#training)
Days = dict[int, tuple[int, date | None]]  # user → (home site, the day they were trained)


def training_days(session: Session, homes: Mapping[int, int]) -> Days:
    """Return user id → (home site, the day on which they had attended both courses; None before).

    Args:
        session: of the current site; other kinds change nothing, and nobody is looked up for them.
        homes: user id → home site.
    """
    if session.kind not in NEEDED:
        return {}
    shared = {tenancy.current_site_id(), province().pk}
    attended = {site_id: _attended(site_id, list(homes)) for site_id in sorted({*shared, *homes.values()})}
    days: Days = {}
    for user_id, home in homes.items():
        first: dict[str, date] = {}
        for site_id in {*shared, home}:
            for kind, day in attended[site_id].get(user_id, ()):
                first[kind] = min(first.get(kind, day), day)
        days[user_id] = home, max(first.values()) if len(first) == len(NEEDED) else None
    return days


def record_days(session: Session, before: Days) -> None:
    """Record the day in each person's row at home, and in the province's roster, after their attendance has changed.

    An earlier day that is there stays; a day goes only if it came from what was taken back now.
    """
    rows = _lock_rows(before)
    # Under the locks: who notes the other session at the same moment waits for us, and then sees this one.
    after = training_days(session, {user_id: home for user_id, (home, _day) in before.items()})
    for site_id, supporter in rows:
        current, was, day = supporter.trained_on, before[supporter.user_id][1], after[supporter.user_id][1]
        ours = current is None or (was is not None and current == was)
        if day != current and (ours or (day is not None and current is not None and day < current)):
            with tenancy.site_scope(site_id):
                action = "TRAINED" if day else "UNTRAINED"
                readiness.record(supporter, trained_on=day, by=audit.SYSTEM, action=action)


def _lock_rows(days: Days) -> list[tuple[int, PeerSupporter]]:
    """Return (site id, row) of these people in the rosters they stand in by their own right, the lower site first."""
    roster = province().pk
    rosters = {(site_id, user_id) for user_id, (home, _day) in days.items() for site_id in (home, roster)}
    locked = []
    for site_id in sorted({site_id for site_id, _user_id in rosters}):
        users = [user_id for each, user_id in rosters if each == site_id]
        with tenancy.site_scope(site_id):
            for user_id in sorted(users):
                recruitment.lock_on_the_way(user_id)  # before their line, as every move of recruitment
            rows = PeerSupporter.objects.select_for_update(no_key=True).filter(user_id__in=users, home=None)
            locked += [(site_id, row) for row in rows.exclude(state=PeerSupporter.State.LEFT).order_by("user_id")]
    return locked


def _attended(site_id: int, users: list[int]) -> dict[int, list[tuple[str, date]]]:
    """Return user id → (kind, day in the site's time) of what they attended there for long enough."""
    days: dict[int, list[tuple[str, date]]] = {}
    zone = ZoneInfo(Site.objects.values_list("time_zone", flat=True).get(pk=site_id))
    with tenancy.site_scope(site_id):
        seats = Enrolment.objects.filter(user_id__in=users, state=Enrolment.State.ATTENDED, session__kind__in=NEEDED)
        full = seats.filter(attended_minutes__gte=F("session__minutes") * SHARE / 100.0)
        for user_id, kind, starts_at in full.values_list("user_id", "session__kind", "session__starts_at"):
            days.setdefault(user_id, []).append((kind, starts_at.astimezone(zone).date()))
    return days
