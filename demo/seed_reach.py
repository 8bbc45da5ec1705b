"""Codes that hang at the first demonstration site, how they were used, and what was done to be known."""

from datetime import date, datetime, timedelta
from random import Random

from django.utils.timezone import localdate

from psi import tenancy
from referrals import access
from referrals.models import AccessWeek, Promotion
from sites.audit import SYSTEM
from sites.models import Site

# Name → about how often a week it is opened; the last one hangs where nobody looks.
CODES = (("Lounge, 3 East", 7), ("Newsletter, monthly", 4), ("AGM", 1), ("Stairwell B", 0))
# Kind, weeks before the end, how many it reached.
PROMOTIONS = (("POSTERS", 24, None), ("NEWSLETTER", 13, 240), ("ROUNDS", 6, 35), ("NEWSLETTER", 4, 245))
# After a promotion a code is opened this many times more, for two weeks.
ECHO = 4


def hang(site: Site, anchor: datetime, random: Random) -> None:
    """Hang the codes half a year before the end, and let them be used."""
    monday = localdate(anchor) - timedelta(days=localdate(anchor).weekday())
    started = anchor - timedelta(weeks=access.WEEKS)
    with tenancy.site_scope(site.pk, now=started):
        for kind, weeks, audience in PROMOTIONS:
            Promotion.objects.create(on=monday - timedelta(weeks=weeks), kind=kind, audience=audience)
        for name, often in CODES:
            point = access.make(name, by=SYSTEM)
            AccessWeek.objects.bulk_create(
                AccessWeek(point=point, week=week, opened=opened, started=begun, sent=min(begun, random.randrange(3)))
                for week in (monday - timedelta(weeks=back) for back in range(access.WEEKS))
                for opened in [_opened(often, week, monday, random)]
                for begun in [opened // 3]
                if opened
            )


def _opened(often: int, week: date, monday: date, random: Random) -> int:
    near = any(0 <= (week - (monday - timedelta(weeks=weeks))).days < 14 for _, weeks, _ in PROMOTIONS)
    return max(0, round(often * random.uniform(0.4, 1.4))) + (random.randrange(ECHO * often) if near and often else 0)
