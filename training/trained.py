"""Foundations and Practice attended make a supporter trained: a crossing writes the day to the row at home.

A session counts from four fifths of its time: who has to answer a page in between has still been to it.
"""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import F

from psi import tenancy
from sites.models import Site
from sites.queries import province
from training import lending, recruitment
from training.models import Enrolment, PeerSupporter, Session

NEEDED = (Session.Kind.FOUNDATIONS, Session.Kind.PRACTICE)
SHARE = 80  # percent of the planned minutes
Days = dict[int, tuple[int, date | None]]  # user → (home site, the day they were trained)


def dates(session: Session, homes: Mapping[int, int]) -> Days:
    """Return user id → (home site, the day on which they had attended both; None before).

    Args:
        session: of the current site; other kinds change nothing, and nobody is looked up for them.
        homes: user id → home site.
    """
    if session.kind not in NEEDED:
        return {}
    return {user_id: (home, _trained_on(user_id, home)) for user_id, home in homes.items()}


def write(session: Session, before: Days) -> None:
    """Write the day to each person's row at home, after their attendance has changed.

    An earlier day that is there stays; a day goes only if it came from what was taken back now.
    """
    after = dates(session, {user_id: home for user_id, (home, _day) in before.items()})
    for user_id, (home, day) in sorted(after.items(), key=lambda item: (item[1][0], item[0])):
        with tenancy.site_scope(home):
            recruitment.hold(user_id)  # before their line, as every move of recruitment
            rows = PeerSupporter.objects.select_for_update(no_key=True).filter(user_id=user_id, home=None)
            supporter = rows.exclude(state=PeerSupporter.State.LEFT).first()
            if supporter is None:
                continue
            held, was = supporter.trained_on, before[user_id][1]
            if held is None or (was is not None and held == was) or (day is not None and day < held):
                supporter.trained_on = day
                supporter.save(update_fields=["trained_on"])
                lending.mirror(supporter)
                recruitment.settle(supporter.pk)


def _trained_on(user_id: int, home: int) -> date | None:
    """Return the day of the later of the two, over the sessions of the province and of the home site."""
    first: dict[str, date] = {}
    for site_id in sorted({tenancy.current_site_id(), home, province().pk}):
        zone = ZoneInfo(Site.objects.values_list("time_zone", flat=True).get(pk=site_id))
        with tenancy.site_scope(site_id):
            seats = Enrolment.objects.filter(user_id=user_id, state=Enrolment.State.ATTENDED, session__kind__in=NEEDED)
            full = seats.filter(attended_minutes__gte=F("session__minutes") * SHARE / 100.0)
            for kind, starts_at in full.values_list("session__kind", "session__starts_at"):
                day = starts_at.astimezone(zone).date()
                first[kind] = min(first.get(kind, day), day)
    return max(first.values()) if len(first) == len(NEEDED) else None
