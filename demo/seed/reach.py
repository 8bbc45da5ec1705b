"""Codes that hang at the first demonstration site, how they were used, what was done to be known, and who told."""

from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from django.utils.timezone import localdate

from demo.seed.play import Play, Story
from psi import tenancy
from referrals.promotion import access_points
from referrals.promotion.models import AccessWeek, Promotion
from referrals.reach_out import transitions as reach_out
from referrals.reach_out.transitions import NotifierAnswers
from referrals.requests.identity import Identity
from referrals.requests.models import EventKind, Notifier
from sites.engine.audit import SYSTEM
from sites.reference.queries import current_text
from sites.tenants.models import Site

# Name → about how often a week it is opened; the last one hangs where nobody looks.
CODES = (("Lounge, 3 East", 7), ("Newsletter, monthly", 4), ("AGM", 1), ("Stairwell B", 0))
# Kind, weeks before the end, how many it reached.
PROMOTIONS = (("POSTERS", 24, None), ("NEWSLETTER", 13, 240), ("ROUNDS", 6, 35), ("NEWSLETTER", 4, 245))
# After a promotion a code is opened this many times more, for two weeks.
ECHO = 4


def hang(site: Site, anchor: datetime, random: Random) -> None:
    """Hang the codes half a year before the end, and let them be used."""
    monday = localdate(anchor) - timedelta(days=localdate(anchor).weekday())
    started = anchor - timedelta(weeks=access_points.WEEKS)
    with tenancy.site_scope(site.pk, now=started):
        for kind, weeks, audience in PROMOTIONS:
            Promotion.objects.create(on=monday - timedelta(weeks=weeks), kind=kind, audience=audience)
        for name, often in CODES:
            point = access_points.make(name, by=SYSTEM)
            AccessWeek.objects.bulk_create(
                AccessWeek(point=point, week=week, opened=opened, started=begun, sent=min(begun, random.randrange(3)))
                for week in (monday - timedelta(weeks=back) for back in range(access_points.WEEKS))
                for opened in [_opened(often, week, monday, random)]
                for begun in [opened // 3]
                if opened
            )


def _opened(often: int, week: date, monday: date, random: Random) -> int:
    near = any(0 <= (week - (monday - timedelta(weeks=weeks))).days < 14 for _, weeks, _ in PROMOTIONS)
    return max(0, round(often * random.uniform(0.4, 1.4))) + (random.randrange(ECHO * often) if near and often else 0)


# Hours before the end, what was told, of whom: a call to make, an offer by mail, and one who has agreed.
REACH_OUTS = (
    (9, NotifierAnswers(Notifier.DEPARTMENT, agreed=False), Identity("Dr. Sorrel Brook", phone="604 555 0161")),
    (
        76,
        NotifierAnswers(Notifier.COLLEAGUE, agreed=False),
        Identity("Dr. Aster Glade", email="aster.glade@example.org", notifier="Dr. Quill Heath"),
    ),
    (6, NotifierAnswers(Notifier.LEADER, True, EventKind.ADVERSE), Identity("Dr. Clover Ridge", phone="604 555 0162")),
)


def tell(play: Play, site: Site, anchor: datetime) -> None:
    """Let others tell the program of physicians."""
    for number, (ago, answers, identity) in enumerate(REACH_OUTS):
        play.start(anchor - timedelta(hours=ago), site.pk, _tell(number, answers, identity, site))


def _tell(number: int, answers: NotifierAnswers, identity: Identity, site: Site) -> Story:
    reach_out.notify(answers, identity, site=site, key=UUID(int=number + 1), text=current_text("NOTIFIED", "en"))
    yield from ()
