"""Beside the requests of the demonstration: debriefs that were arranged, informal contacts, remarks in the box."""

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from demo.seed.people import DemoSite
from demo.seed.play import Play, Story
from psi import tenancy
from sites.engine.audit import Actor
from sites.engine.recording_months import this_month
from sites.tenants.models import Role, Site
from tracker.conversations import debriefs, informal_contacts, remarks
from tracker.conversations.choices import Minutes, Way
from tracker.conversations.models import DebriefRequest

# A coordinator has arranged a debrief by so many days after it was asked for.
ARRANGED_AFTER = timedelta(days=12)
# Days before the end → a remark.
REMARKS = (
    (100, "The reminder after a day is about right. It felt like a colleague tapping my shoulder, not like a pager."),
    (81, "Could the practice session be offered on a Saturday too? Evenings collide with calls here."),
    (64, "More posters in the doctors’ lounge, please. Two people told me they had never heard of us."),
    (47, "The words for handing on to the Physician Health Program helped me. I said them almost as they stand."),
    (30, "Being able to say no without a reason is what keeps me on the list."),
    (12, "I would like a short refresher on how to end well after the third conversation."),
)


def come(play: Play, demo_site: DemoSite, random: Random) -> None:
    """Let supporters of a site log informal contacts in the last months, and leave remarks."""
    users = [user_id for _supporter_id, user_id in demo_site.supporters.values()]
    for days in sorted(random.sample(range(1, 180), 14), reverse=True):
        by = Actor(random.choice(users), Role.SUPPORTER)
        key = UUID(int=random.getrandbits(128), version=4)
        way, minutes = random.choice(list(Way)), random.choices(list(Minutes), [4, 3, 1, 1])[0]
        play.start(play.until - timedelta(days=days), demo_site.site.pk, _log(way, minutes, key, by))
    for days, text in REMARKS:
        play.start(play.until - timedelta(days=days), demo_site.site.pk, _remark(text))


def _log(way: Way, minutes: Minutes, key: UUID, by: Actor) -> Story:
    informal_contacts.log(month=this_month(), way=way, minutes=minutes, key=key, by=by)
    yield from ()


def _remark(text: str) -> Story:
    remarks.submit(text)
    remarks.rewrite([0])
    yield from ()


def arrange(home: Site, by: Actor, anchor: datetime) -> None:
    """Take from the province's list what was asked for some time ago."""
    with tenancy.site_scope(home.pk, now=anchor):
        for waiting in DebriefRequest.objects.filter(asked_on__lt=(anchor - ARRANGED_AFTER).date()):
            debriefs.mark_arranged(waiting.pk, by=by)
