"""Who is who in the demonstration: sites, their people, and physicians. All of them are invented."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from allauth.account.models import EmailAddress

from demo.seed import faces
from psi import tenancy
from referrals.requests.identity import Identity
from referrals.requests.models import ReachWhen, Source, Voicemail, Wish
from referrals.requests.request_facts import RequestAnswers
from sites.engine import audit
from sites.engine.audit import Actor
from sites.reference.models import Specialty
from sites.tenants.models import Membership, Profile, Role, Site, User
from training.commitment import agreement
from training.supporters import self_description, trained_facts
from training.supporters.models import Department, Evaluates, Gender, Language, PeerSupporter, Practice, Stage

W, M, N = Gender.WOMAN, Gender.MAN, Gender.NONBINARY
DOMAIN = "example.org"


@dataclass(frozen=True)
class Peer:
    """A supporter to be made. Days count from the day the data is loaded; negative ones lie before it."""

    name: str
    stage: Stage
    gender: Gender
    specialty: str
    trained: int | None = -600
    agreement: int = 240
    cap_year: int = 7
    cap_live: int = 2
    paused: int | None = None
    french: bool = False
    published: bool = True
    described: tuple[str, ...] = ()
    evaluates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cast:
    """A site to be made, and its people."""

    slug: str
    administrator: str
    supporters: tuple[Peer, ...]
    lead: str = ""
    advisor: str = ""
    departments: tuple[str, ...] = ()
    site: dict[str, Any] = field(default_factory=dict)


@dataclass
class DemoSite:
    """A site as it was made: who acts in it, and under which ids."""

    site: Site
    administrator: Actor
    # First name in small letters → (supporter id, user id).
    supporters: dict[str, tuple[int, int]]
    departments: list[int]


MID, LATE, EARLY, RETIRED = Stage.MID, Stage.LATE, Stage.EARLY, Stage.RETIRED

HARBOUR = Cast(
    slug="harbour",
    administrator="Robin Tidewater",
    lead="Dr. Linden Marsh",
    departments=("Anesthesia", "Emergency", "Family practice", "Internal medicine", "Maternity", "Surgery"),
    site={
        "name": "Harbour Division of Family Practice",
        "kind": Site.Kind.DIVISION,
        "privacy_officer": "Privacy Officer, Harbour Division, privacy@example.org",
        "reach_out": True,
    },
    supporters=(
        Peer("Dr. Ada Cedar", MID, W, "FAMILY", cap_live=3, french=True, described=("PARENT", "CALL", "VIDEO")),
        Peer("Dr. Ben Birch", LATE, M, "EMERGENCY", evaluates=("Emergency",), described=("IN_PERSON", "ABROAD")),
        Peer("Dr. Cora Alder", MID, W, "MATERNITY", cap_live=1, cap_year=5, described=("INDIGENOUS", "PARENT")),
        Peer("Dr. Dev Hemlock", EARLY, M, "FAMILY", trained=-410, described=("SOUTH_ASIAN", "PUNJABI", "ABROAD")),
        Peer("Dr. Elin Spruce", LATE, W, "INTERNAL", french=True, cap_year=8),
        Peer("Dr. Farah Willow", MID, W, "SURGERY", evaluates=("Surgery",)),
        Peer("Dr. Gus Maple", RETIRED, M, "FAMILY", cap_year=8, cap_live=3),
        Peer("Dr. Hana Larch", EARLY, N, "PEDIATRICS", trained=-230, published=False),
        Peer("Dr. Leo Aspen", MID, M, "ANESTHESIA", evaluates=("Anesthesia", "Surgery")),
        Peer("Dr. Mina Hazel", LATE, W, "FAMILY", trained=-500, described=("QUEER", "VIDEO")),
        Peer("Dr. Iris Yew", MID, W, "PSYCHIATRY", trained=None, published=False),
        Peer("Dr. Jonas Fir", LATE, M, "FAMILY", agreement=-19),
        Peer("Dr. Kit Rowan", MID, N, "HOSPITALIST", paused=24, trained=-330),
    ),
)
NORTH_ISLANDS = Cast(
    slug="north-islands",
    administrator="Sky Lightkeeper",
    lead="Dr. Heather Moor",
    departments=("Emergency", "Family practice", "Surgery"),
    site={
        "name": "North Islands Medical Staff Association",
        "kind": Site.Kind.MSA,
        "law": Site.Law.FIPPA,
        "cohort": 2,
        "privacy_officer": "Information and Privacy Office, privacy.north@example.org",
    },
    supporters=(
        Peer("Dr. Nora Juniper", MID, W, "FAMILY"),
        Peer("Dr. Omar Sumac", LATE, M, "SURGERY", evaluates=("Surgery",)),
        Peer("Dr. Pia Tamarack", EARLY, W, "EMERGENCY", trained=-300),
        Peer("Dr. Rui Dogwood", MID, M, "INTERNAL", french=True),
        Peer("Dr. Signe Arbutus", LATE, W, "ANESTHESIA", cap_year=6),
        Peer("Dr. Tom Elder", RETIRED, M, "FAMILY", cap_year=8),
        Peer("Dr. Uma Poplar", MID, W, "HOSPITALIST", trained=None, published=False),
    ),
)
# An existing program outside the funding: it uses the whole tool and is in no provincial figure.
COASTAL = Cast(
    slug="coastal-section",
    administrator="Jordan Shoreline",
    lead="Dr. Reed Fen",
    site={
        "name": "Section of Coastal Medicine",
        "kind": Site.Kind.SECTION,
        "funding": Site.Funding.EXISTING,
        "privacy_officer": "Secretary of the Section, privacy.coastal@example.org",
        "reach_out": True,
    },
    supporters=(
        Peer("Dr. Vera Laurel", MID, W, "EMERGENCY"),
        Peer("Dr. Walt Oakley", LATE, M, "CRITICAL"),
        Peer("Dr. Xenia Thorn", EARLY, W, "FAMILY", trained=-260),
    ),
)
# Two of the roster are supporters of a local site too: one person, two rows, one load.
PROVINCE = Cast(
    slug="province",
    administrator="Morgan Fairweather",
    advisor="Dr. Quill Summers",
    supporters=(
        Peer("Dr. Yara Holly", MID, W, "PSYCHIATRY", cap_year=9, cap_live=3),
        Peer("Dr. Zeke Ash", LATE, M, "FAMILY", cap_year=9, french=True),
        Peer("Dr. Elin Spruce", LATE, W, "INTERNAL", french=True, cap_year=8),
        Peer("Dr. Nora Juniper", MID, W, "FAMILY"),
    ),
)
CASTS = (HARBOUR, NORTH_ISLANDS, COASTAL, PROVINCE)


def first_name(peer: Peer) -> str:
    """Return the name a supporter has in the scenes: Dr. Ada Cedar is `ada`."""
    return peer.name.split()[1].lower()


def make(cast: Cast, province: Site, anchor: datetime) -> DemoSite:
    """Make a site and its people, as they joined twenty months before `anchor`."""
    joined = anchor - timedelta(days=610)
    if cast.slug == province.slug:
        site = province
    else:
        site = Site.objects.create(slug=cast.slug, is_open=True, created_at=joined, **cast.site)
    with tenancy.site_scope(site.pk, now=joined):
        administrator = Actor(_join(site, cast.administrator, Role.ADMINISTRATOR).pk, Role.ADMINISTRATOR.value)
        if cast.lead:
            _join(site, cast.lead, Role.LEAD)
        if cast.advisor:
            _join(site, cast.advisor, Role.ADVISOR)
        departments = {name: Department.objects.create(name=name) for name in cast.departments}
        supporters = {}
        for peer in cast.supporters:
            user = _join(site, peer.name, Role.SUPPORTER)
            row = _enrol(peer, user, anchor)
            agreement.follow_readiness(row, frozenset({"agreement_until"}), administrator)
            if peer.published:
                faces.show(row, peer.name, Actor(user.pk, Role.SUPPORTER.value))
            Evaluates.objects.bulk_create(
                Evaluates(supporter=row, department=departments[name]) for name in peer.evaluates
            )
            supporters[first_name(peer)] = (row.pk, user.pk)
    return DemoSite(site, administrator, supporters, [row.pk for row in departments.values()])


def _join(site: Site, name: str, role: Role) -> User:
    email = ".".join(name.removeprefix("Dr. ").lower().split()) + "@" + DOMAIN
    now = tenancy.now()
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, joined_at=now)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    membership = Membership.objects.create(site=site, user=user, role=role, since=now)
    Profile.objects.get_or_create(user=user, defaults={"name": name})
    audit.record("JOIN", "MEMBERSHIP", membership.pk, by=Actor(user.pk, role.value))
    return user


def _enrol(peer: Peer, user: User, anchor: datetime) -> PeerSupporter:
    def day(offset: int | None) -> Any:
        return None if offset is None else (anchor + timedelta(days=offset)).date()

    family = peer.specialty in ("FAMILY", "MATERNITY")
    practice = Practice.FAMILY if family else Practice.SPECIALIST
    row = PeerSupporter.objects.create(
        user=user,
        profile=Profile.objects.get(user=user),
        state=PeerSupporter.State.PREPARING if peer.trained is None else PeerSupporter.State.ACTIVE,
        practice=Practice.RETIRED if peer.stage == RETIRED else practice,
        stage=peer.stage,
        specialty=Specialty.objects.get(code=peer.specialty),
        gender=peer.gender,
        speaks_french=peer.french,
        trained_on=day(peer.trained),
        agreement_until=day(peer.agreement),
        cap_year=peer.cap_year,
        cap_live=peer.cap_live,
    )
    trained_facts.count_trained(row)
    self_description.set_description(row, peer.described)
    return row


@dataclass(frozen=True)
class Physician:
    """Someone who asks."""

    answers: RequestAnswers
    identity: Identity


FIRST, LAST = (
    names.split()
    for names in (
        "Amber Basil Clover Dahlia Ember Fern Ginger Heath Ivo Jade Kale Lotus Moss Nettle Olive Pepper Quince"
        " Rue Sage Thyme Violet Willa Yarrow Zinnia",
        "Finch Heron Wren Plover Osprey Martin Starling Crane Teal Merlin Avocet Bunting Curlew Dipper Egret"
        " Grebe Jay Kestrel Lark Nuthatch Oriole Petrel Rail Sandpiper Tern Vireo Waxwing",
    )
)
REASONS = ("EVENT", "COMPLAINT", "CONFLICT", "LIFE", "BURNOUT", "CHANGE", "DISCRIM", "OTHER")
WISHES = (Wish.WOMAN, Wish.SPECIALTY, Wish.FRENCH, Wish.STAGE, Wish.PARENT, Wish.ABROAD, Wish.VIDEO)


def physicians(random: Random) -> Iterator[Physician]:
    """Yield physicians without end; no two have the same name, address or phone."""
    names = [f"{first} {last}" for first in FIRST for last in LAST]
    random.shuffle(names)
    for number, name in enumerate(names):
        stage = random.choices([Stage.TRAINEE, EARLY, MID, LATE, RETIRED, Stage.UNSAID], [6, 24, 36, 20, 2, 12])[0]
        practice = random.choices([Practice.FAMILY, Practice.SPECIALIST, Practice.UNSAID], [5, 4, 2])[0]
        if stage in (Stage.TRAINEE, RETIRED):
            practice = Practice.RESIDENT if stage == Stage.TRAINEE else Practice.RETIRED
        area = ("250", "604", "778", "236", "672", "257", "867")[number // 100]
        reached = random.choices(["phone", "email", "both"], [4, 3, 3])[0]
        answers = RequestAnswers(
            reasons=_sample(random, REASONS, (0, 1, 1, 1, 2, 2, 3), (18, 12, 8, 10, 24, 8, 5, 6)),
            stage=stage,
            practice=practice,
            source=random.choice(["", "", *Source.values]),
        )
        identity = Identity(
            name=name if random.random() < 0.8 else name.split()[0],
            phone="" if reached == "email" else f"{area} 555 01{number % 100:02d}",
            email="" if reached == "phone" else f"{name.replace(' ', '.').lower()}@{DOMAIN}",
            wishes=_sample(random, WISHES, (0, 0, 0, 1, 1, 2), (3, 1, 1, 2, 2, 1, 1)),
            ways=_ways(random, reached),
            times=_sample(random, ReachWhen.values, (0, 1, 1, 2), (1, 1, 3, 1)),
            voicemail="" if reached == "email" else random.choice(["", Voicemail.YES.value, Voicemail.NO.value]),
            talk_in=random.choices(["", Language.FRENCH.value, Language.PUNJABI.value], [12, 1, 1])[0],
            avoid_names=random.choices(["", "Larch"], [9, 1])[0],
        )
        yield Physician(answers, identity)


def _ways(random: Random, reached: str) -> tuple[str, ...]:
    """Return how someone asks to be reached, by what they gave: a phone, an address, or both."""
    ways = {"phone": ("CALL", "TEXT"), "email": ("EMAIL",), "both": ("CALL", "TEXT", "EMAIL")}[reached]
    return _sample(random, ways, (0, 1, 1, 2), (1,) * len(ways))


def _sample(random: Random, values: Any, sizes: tuple[int, ...], weights: tuple[int, ...]) -> tuple[str, ...]:
    """Return a few different values, in the order of the list."""
    size = random.choice(sizes)
    picked = set(random.choices(values, weights, k=size))
    return tuple(str(value) for value in values if value in picked)
