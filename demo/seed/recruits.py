"""Who is on the way to become a peer supporter at the first demonstration site: one at each kind of step."""

from datetime import datetime, timedelta
from uuid import UUID

from demo.seed.people import DOMAIN, DemoSite
from demo.seed.play import Play, Story
from sites.engine.audit import Actor
from sites.people import transitions as people
from sites.tenants.models import Membership, Role
from training.recruitment import transitions as recruitment
from training.recruitment.models import Recruit
from training.recruitment.transitions import Interest, Named
from training.supporters.models import Gender

# Days before the end, who, by whom, and how far: NOMINATED, JOINED, INTERESTED, REVIEWED.
COMING = (
    (3, Named("Dr. Fern Balsam", f"fern.balsam@{DOMAIN}", "Dr. Mina Hazel"), "NOMINATED"),
    (6, Named("Dr. Wren Sorrel", f"wren.sorrel@{DOMAIN}", "Dr. Gus Maple"), "INTERESTED"),
    (5, Named("Dr. Ivo Hawthorn", f"ivo.hawthorn@{DOMAIN}"), "JOINED"),
    (25, Named("Dr. Lark Madrone", f"lark.madrone@{DOMAIN}"), "REVIEWED"),
)


def come(play: Play, demo_site: DemoSite, anchor: datetime) -> None:
    """Let them come, each at their own pace."""
    for number, (ago, named, until) in enumerate(COMING):
        play.start(
            anchor - timedelta(days=ago), demo_site.site.pk, _come(demo_site, named, until, UUID(int=number + 1))
        )


def _come(demo_site: DemoSite, named: Named, until: str, key: UUID) -> Story:
    recruitment.nominate(named, key=key)
    recruit = Recruit.objects.get(key=key)
    if until == "NOMINATED":
        return
    yield timedelta(days=1)
    invitation = recruitment.invite(recruit.pk, by=demo_site.administrator)
    yield timedelta(days=1)
    user = people.accept_invitation(invitation).user
    if until == "JOINED":
        return
    yield timedelta(hours=2)
    said = {"practice": "FAMILY", "stage": "MID", "gender": Gender.WOMAN, "speaks_french": True}
    bio = "Rural family practice for eleven years. I know what a complaint does to one’s sleep."
    by = Actor(user.pk, Role.SUPPORTER)
    recruitment.send(recruit.pk, Interest(said, ("PARENT",), tuple(demo_site.departments[2:3]), "", bio=bio), by=by)
    yield timedelta(days=2)
    recruitment.review(recruit.pk, roles={Role.ADMINISTRATOR}, by=demo_site.administrator)
    if until == "INTERESTED":
        return
    yield timedelta(days=1)
    lead = Membership.objects.get(site=demo_site.site, role=Role.LEAD)
    recruitment.review(recruit.pk, roles={Role.LEAD}, by=Actor(lead.user_id, Role.LEAD))
