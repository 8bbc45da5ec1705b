"""The demonstration data: a province, three sites, and eighteen months that end at the day it is loaded.

Everything is made by the program's own moves, each dated with its moment, so that events, facts, loads,
audit and what is due are as true as in use. The same seed and the same end give the same rows; keys,
digests and Message-IDs are always new.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import F
from django.utils.timezone import localdate

from demo.seed import beside, faces, reach, recruits
from demo.seed.moves import Moves, Texts
from demo.seed.people import CASTS, DOMAIN, DemoSite, Peer, first_name, make, physicians
from demo.seed.play import Play, Story, hours
from demo.seed.stories import SCENES, VOLUMES, months_before, past_times, play_history, play_scene
from matching.invitations import alerts, next_candidate
from matching.invitations.transitions import NEXT, UNRECORDED
from psi import tenancy
from psi.locks import AdvisoryLock
from referrals.requests.models import ON_FORM
from sites.consumers import transitions as consumers
from sites.engine import facts, outbox
from sites.engine.audit import Actor
from sites.engine.models import Due, Notice
from sites.gate.models import Consumer
from sites.people import transitions as people
from sites.reference.models import CrisisLine, LocalCrisisLine
from sites.reference.queries import current_text
from sites.tenants.models import Role, Site
from sites.tenants.queries import names, province
from tracker.conversations import remarks, reminders
from tracker.conversations.models import DebriefRequest
from tracker.figures import reporting_periods, rollups
from tracker.operations import site_health
from tracker.releases import check as release_check
from tracker.releases import transitions as releases
from tracker.releases.options import ReleaseOptions
from tracker.survey import transitions as survey
from training.attendance import transitions as attendance_transitions
from training.commitment import agreement
from training.credits import claims
from training.sessions import transitions as sessions
from training.sessions.models import Enrolment, Session
from training.supporters import lending
from training.supporters.models import PeerSupporter

SEED = 72
# Supporters of the scenes keep room for them: (site, name) → matches history may give them in a year.
KEPT = {
    ("harbour", "ada"): 4,
    ("harbour", "cora"): 3,
    ("harbour", "elin"): 6,
    ("north-islands", "nora"): 5,
    ("province", "elin"): 6,
    ("province", "nora"): 5,
    ("province", "yara"): 6,
    ("province", "zeke"): 7,
}
LOAD_DEMO = AdvisoryLock("LOAD_DEMO", 7190)


def load(*, anchor: datetime, seed: int = SEED, months: int = 18) -> bool:
    """Load it all in one transaction, so that a load that is killed leaves nothing behind.

    Args:
        anchor: the moment at which the story ends, as a rule now.
        seed: of everything that is left to chance.
        months: how much history there is before the month of the end, at most eighteen.

    Returns:
        False when it was loaded already.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [LOAD_DEMO.number])
            cursor.execute("SET LOCAL jit = off")
        if Site.objects.filter(slug=CASTS[0].slug).exists():
            return False
        home = province()
        demo_sites = {cast.slug: make(cast, home, anchor) for cast in CASTS}
        _lend(demo_sites, home, anchor)
        play = Play(anchor)
        _requests(play, demo_sites, seed, months)
        reach.hang(demo_sites[CASTS[0].slug].site, anchor, Random(seed))
        faces.word(demo_sites[CASTS[0].slug].site, demo_sites[CASTS[0].slug].administrator, anchor)
        recruits.come(play, demo_sites[CASTS[0].slug], anchor)
        reach.tell(play, demo_sites[CASTS[0].slug].site, anchor)
        beside.come(play, demo_sites[CASTS[0].slug], Random(seed))
        for cast in CASTS:
            for peer in cast.supporters:
                if peer.paused:
                    demo_site = demo_sites[cast.slug]
                    play.start(anchor - timedelta(days=5), demo_site.site.pk, _pause(demo_site, peer, anchor))
        ended = [month for month in months_before(anchor, months) if month.month % 3 == 1]
        # The province publishes a quarter as soon as it may; the last is left for whoever looks.
        for month in [month for month in ended if month + reporting_periods.PUBLICATION_DELAY < anchor][:-1]:
            play.start(
                month + reporting_periods.PUBLICATION_DELAY + timedelta(days=1), home.pk, _release(demo_sites, home)
            )
        harbour = demo_sites[CASTS[0].slug]
        play.start(anchor - timedelta(days=2), harbour.site.pk, _invite(harbour))
        _run_sessions(play, demo_sites, home)
        for name, since, ends in (("Ministry of Health", 90, False), ("University evaluation team", 200, True)):
            story = _give_access(demo_sites[home.slug], name, since * 3 // 4, ends)
            play.start(anchor - timedelta(days=since), home.pk, story)
        play.run()
        for demo_site in demo_sites.values():
            with tenancy.site_scope(demo_site.site.pk, now=anchor):
                _settle(demo_site.site.pk)
        beside.arrange(home, demo_sites[home.slug].administrator, anchor)
        _call(demo_sites["north-islands"].site, anchor)
        site_health.inspect_sites(now=anchor)
        # Each mail of the past would wake a worker. Nothing of it is left to do.
        connection.run_on_commit.clear()
    return True


def _lend(demo_sites: dict[str, DemoSite], home: Site, anchor: datetime) -> None:
    """Two sites are linked, and who stands in the province's roster is lent by the site they come from."""
    local = [demo_site for demo_site in demo_sites.values() if not demo_site.site.is_province]
    with tenancy.site_scope(home.pk, now=anchor - timedelta(days=200)):
        lending.link(
            one=local[0].site,
            other=local[1].site,
            reference="ISA 2026-04",
            signed_on=(anchor - timedelta(days=200)).date(),
            ends_on=None,
            by=demo_sites[home.slug].administrator,
        )
        for demo_site in local:
            users = [user_id for _supporter_id, user_id in demo_site.supporters.values()]
            PeerSupporter.objects.filter(user_id__in=users).update(home=demo_site.site)


def _run_sessions(play: Play, demo_sites: dict[str, DemoSite], home: Site) -> None:
    """The province trains: a course that was held, one to come that is full, a debrief group, a site teams' meeting."""
    demo_site = demo_sites[home.slug]
    local = [each for each in demo_sites.values() if not each.site.is_province]
    people = [(each.site, user_id) for each in local for _supporter_id, user_id in each.supporters.values()]
    evening = play.until.replace(hour=1, minute=30, second=0, microsecond=0)
    for kind, days, minutes, seats in (
        ("FOUNDATIONS", -60, 150, 4),
        ("PRACTICE", -53, 90, 4),
        ("FOUNDATIONS", 21, 150, 3),
        ("PRACTICE", 28, 90, 20),
        ("DEBRIEF", 16, 60, 8),
        ("COMMUNITY", 35, 60, 30),
    ):
        starts = evening + timedelta(days=days)
        planned = min(play.until - timedelta(days=4), starts - timedelta(days=30))
        some = [] if kind == "COMMUNITY" else people[: 4 if days < 25 else 2]
        facts = {"kind": kind, "minutes": minutes, "capacity": seats, "starts_at": starts}
        play.start(planned, home.pk, _session(demo_site, facts, some))


def _session(demo_site: DemoSite, facts: dict[str, Any], people: list[tuple[Site, int]]) -> Story:
    """A session is planned, people enrol; once it was held, attendance is noted."""
    by = demo_site.administrator
    session = sessions.schedule(by=by, place="Online", link="https://example.org/training", approval="", **facts)
    yield hours(5)
    for home, user_id in people:
        with tenancy.site_scope(home.pk):
            name = names([user_id])[user_id]
        who = Actor(user_id, Role.SUPPORTER.value)
        roles = {Role.SUPPORTER.value}
        sessions.enrol(session.pk, at=demo_site.site, user_id=user_id, home=home, name=name, roles=roles, by=who)
    yield session.starts_at + timedelta(hours=4) - tenancy.now()
    seats = Enrolment.objects.filter(session=session, state="ENROLLED").values_list("pk", flat=True)
    attendance_transitions.note_attendance(session.pk, dict.fromkeys(seats, session.minutes), by=by)


def _requests(play: Play, demo_sites: dict[str, DemoSite], seed: int, months: int) -> None:
    random = Random(seed)
    texts: Texts = {purpose.value: current_text(purpose, "en") for purpose in ON_FORM}
    asking = physicians(random)
    kept = {demo_sites[slug].supporters[name][0]: limit for (slug, name), limit in KEPT.items()}
    # Career stages are a hard rule: who is invited in a scene is of the physician's own.
    stages = {(cast.slug, first_name(peer)): peer.stage for cast in CASTS for peer in cast.supporters}
    number = 0
    for slug in VOLUMES:
        demo_site = demo_sites[slug]
        for at in past_times(play.until, slug, random, months):
            number += 1
            # Two thirds of the province's requests come from a local form.
            far = [None, demo_sites["harbour"].site, demo_sites["north-islands"].site]
            home = random.choice(far) if demo_site.site.is_province else None
            moves = Moves(demo_site, texts, Random(seed * 100_000 + number), kept)
            end = play.until - timedelta(hours=1)
            play.start(at, demo_site.site.pk, play_history(moves, next(asking), home, end))
    for scene in SCENES:
        number += 1
        demo_site = demo_sites[scene.site]
        home = demo_sites[scene.home].site if scene.home else None
        moves = Moves(demo_site, texts, Random(seed * 100_000 + number), kept)
        start = play.until - scene.length
        physician = next(asking)
        if scene.invited:
            physician = replace(physician, answers=replace(physician.answers, stage=stages[scene.site, scene.invited]))
        play.start(start, demo_site.site.pk, play_scene(scene, moves, physician, home))


def _pause(demo_site: DemoSite, peer: Peer, anchor: datetime) -> Story:
    """A supporter pauses, shortly before the end."""
    supporter_id = demo_site.supporters[first_name(peer)][0]
    until = anchor + timedelta(days=peer.paused or 0)
    PeerSupporter.objects.filter(pk=supporter_id).update(paused_until=until.date())
    yield from ()


def _invite(demo_site: DemoSite) -> Story:
    """Someone was invited to the site and has not answered yet."""
    email, name = f"opal.cypress@{DOMAIN}", "Dr. Opal Cypress"
    people.invite(demo_site.site, email=email, name=name, role=Role.SUPPORTER, by=demo_site.administrator)
    yield from ()


def _release(demo_sites: dict[str, DemoSite], home: Site) -> Story:
    """The province releases a quarter that has closed, as coordinators do; where it is not safe it waits."""
    demo_site = demo_sites[home.slug]
    for each in demo_sites.values():
        with tenancy.site_scope(each.site.pk):
            # As workers do after every event; here nobody sweeps until the end.
            rollups.rebuild_all()
    quarter = releases.next_quarter()
    if quarter and releases.opens_on(quarter) <= localdate(tenancy.now()):
        release = releases.prepare(quarter, ReleaseOptions(), key=uuid4(), by=demo_site.administrator)
        release_check.check(release.pk)
        release.refresh_from_db()
        if release.state == release.State.READY:
            releases.publish(release.pk, public=True, by=demo_site.administrator)
        else:
            releases.drop(release.pk, by=demo_site.administrator)
    yield from ()


def _call(site: Site, anchor: datetime) -> None:
    """The province has called its numbers lately; a site has one of its own, which nobody has called for a while."""
    CrisisLine.objects.update(verified_on=(anchor - timedelta(days=25)).date())
    with tenancy.site_scope(site.pk, now=anchor):
        LocalCrisisLine.objects.create(
            number="250-555-0142",
            label="The hospital’s own line for staff",
            label_fr="La ligne de l’hôpital pour le personnel",
            verified_on=(anchor - timedelta(days=100)).date(),
        )


def _give_access(demo_site: DemoSite, name: str, days: int, ends: bool) -> Story:
    """An organization reads the published tables by a program for so many days."""
    consumers.issue(name, by=demo_site.administrator)
    consumer = Consumer.objects.get(name=name)
    yield timedelta(days=days)
    Consumer.objects.filter(pk=consumer.pk).update(last_used_on=tenancy.now().date())
    yield timedelta(days=2)
    if ends:
        consumers.end(consumer.pk, by=demo_site.administrator)


def _settle(site_id: int) -> None:
    """Do what workers did meanwhile: look who could be next, send the mail of the past, count the figures."""
    for kind, look_after in (
        (NEXT, next_candidate.handle),
        (alerts.UNANSWERED, alerts.handle_missed),
        (agreement.KIND, agreement.handle),
        (Session.KIND, sessions.handle),
        (claims.CLAIM_BY, claims.handle),
        (survey.KIND, survey.rewrite),
        (UNRECORDED, reminders.handle_unrecorded),
        (remarks.KIND, remarks.rewrite),
    ):
        due = Due.objects.filter(site_id=site_id, kind=kind, at__lte=tenancy.now())
        ids = list(due.values_list("object_id", flat=True))
        due.delete()
        look_after(ids)
    Notice.objects.filter(sent_at=None, dropped_at=None).update(sent_at=F("created_at"))
    rollups.rebuild_all()
    Due.objects.filter(site_id=site_id, kind__in=[outbox.DUE, facts.DIRTY_MONTH, DebriefRequest.KIND]).delete()
