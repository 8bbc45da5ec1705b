"""Every address of the house, visited by everyone who has no business there."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path
from django.urls.resolvers import RoutePattern

from matching.invitations.notices import FOR_SUPPORTER
from matching.matches.models import Match
from matching.requests import views
from psi import tenancy
from referrals.promotion import access_points
from referrals.promotion.models import AccessPoint
from referrals.requests.models import ReachOut, Referral
from referrals.requests.receipts import receipt_of
from referrals.wording import texts as wording
from sites.accounts import views as account_views
from sites.engine import outbox
from sites.engine.audit import SYSTEM
from sites.engine.moves import Refused
from sites.gate.permissions import PUBLIC, SIGNED_IN, TOKEN, Access
from sites.people import transitions as people
from sites.program.forms import NewSiteForm
from sites.program.transitions import open_site
from sites.tenants import slugs
from sites.tenants.models import Invitation, Membership, Profile, Role, Site, User
from tests import line, printed, rows
from tests import people as cast
from tracker.releases.models import Release
from training.recruitment import transitions as recruitment
from training.recruitment.models import Recruit
from training.sessions import calendar
from training.sessions import transitions as sessions
from training.sessions.models import Enrolment, Material
from training.supporters import self_description
from training.supporters.models import Department, PeerSupporter, Photo

# What may come back from a page that anyone may open.
ANSWERS = {200, 204, 302, 400, 405, 422}
# An invitation opened by someone it was not sent to, a mail's locator that leads nowhere for this person.
# The photo of somebody who did not agree to be shown is not there, and no release is published.
ANSWERS_OF = {
    "join": {200, 302, 404, 422, 429},
    "photo": {404, 405},
    "published_one": {404, 405},
    "published_sheet": {404, 405},
    "api_nowhere": {404},
}


@dataclass(frozen=True)
class Address:
    """One entry of the URLconf: its route from the root, the view, and the arguments it takes."""

    route: str
    name: str
    view: Callable[..., HttpResponse]
    takes: frozenset[str]
    fixed: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def access(self) -> Access | None:
        return getattr(self.view, "access", None)

    @property
    def of_a_site(self) -> bool:
        return "site" in self.takes or "site" in self.fixed


def walk(patterns: Any, before: str = "", given: dict[str, Any] | None = None) -> Iterator[Address]:
    """Yield every address below `patterns`; a pattern that is no plain route is not understood, and says so.

    Args:
        given: arguments that the includes above give to their views.
    """
    for entry in patterns:
        if not isinstance(entry.pattern, RoutePattern):
            raise AssertionError(f"Not a path(): {before}{entry.pattern}. Teach this test to walk it.")
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from walk(entry.url_patterns, route, (given or {}) | entry.default_kwargs)
        elif isinstance(entry, URLPattern):
            takes = frozenset(re.findall(r"<(?:[^:>]+:)?([^>]+)>", route))
            yield Address(route, entry.name or "", entry.callback, takes, (given or {}) | entry.default_args)


def addresses() -> list[Address]:
    return list(walk(get_resolver().url_patterns))


def unmarked() -> list[str]:
    return [address.route for address in addresses() if not isinstance(address.access, Access)]


@dataclass
class Place:
    """A site with something to hide: rows of every kind, and the strings that must not leave."""

    site: Site
    referral: Referral
    match: Match
    supporter: PeerSupporter
    membership: Membership
    invitation: Invitation
    passkey: Authenticator
    point: AccessPoint
    receipt: str
    digest: str
    seat: Enrolment
    material: Material
    recruit: Recruit
    release_id: int
    canaries: set[str]

    def fill(self, address: Address) -> dict[str, Any]:
        """Return an argument for each that the address takes, with ids of this site's own rows."""
        known: dict[str, Any] = {
            "site": self.site.slug,
            "slug": self.site.slug,
            "ref": self.referral.ref,
            "user_id": self.supporter.user_id,
            "membership_id": self.membership.pk,
            "pk": self.passkey.pk,
            "code": self.point.code,
            "line": "PHP",
            "recruit": self.recruit.ref,
            "kind": "csv" if address.name == "roster_export" else "svg",
            "paper": "poster",
            "digest": self.digest,
            "spoken": "en",
            "at": self.site.slug,
            "number": 1,
            "quarter": "2026-q1",
            "year": "2025-26",
            "table": "p1",
            "panel": "months" if address.name == "figure_file" else "requests",
            "rest": "releases/2026-q9/",
            "release_id": self.release_id,
            "session_id": self.seat.session_id,
            "material_id": self.material.pk,
        }
        join = people.join_path(self.site.pk, self.invitation.pk)
        locator = outbox.locator(self.site.pk, FOR_SUPPORTER, self.match.pk)
        if address.name == "offer":
            locator = outbox.locator(self.site.pk, ReachOut.KIND, self.referral.pk)
        known["token"] = (join if address.name == "join" else locator).split("/")[-2]
        if address.name == "calendar":
            known["token"] = calendar.address(User.objects.get(pk=self.supporter.user_id))
        # Of the local run only: pages without a row of any site.
        known |= {"role": "administrator", "name": "0"}
        return {argument: known[argument] for argument in address.takes}

    def url(self, address: Address) -> str:
        filled = self.fill(address)
        return "/" + re.sub(r"<(?:[^:>]+:)?([^>]+)>", lambda found: str(filled[found[1]]), address.route)

    def posted(self, address: Address) -> dict[str, Any]:
        """Return what a person would send there, plausible for every form of the house at once."""
        return {
            **line.opened(f"/{self.site.slug}/{address.name if address.name == 'nominate' else 'request'}/"),
            "reasons": ["EVENT"],
            "peer_from": "HERE",
            "name": "Walker",
            "phone": "604 555 0199",
            "email": "walker@example.org",
            "agree_match": "on",
            "receipt": self.receipt,
            "login": "walker@example.org",
            "code": "123456",
            "supporter": str(self.supporter.pk),
            "outcome": "DONE",
            "role": Role.LEAD.value,
            "do": "change",
            "revoke": str(self.invitation.pk),
            "why": "NONE",
            "number": "1",
            "way": "PHONE",
            "minutes": "UNDER_15",
            "ease": "3",
            "strain": "3",
            "safety_steps": "no",
            "text": "Walked by.",
            "safe": "YES",
        }


def furnish(world: cast.World, slug: str) -> Place:
    """Plant a canary in every field that holds a name or an address at one site."""
    site: Site = getattr(world, slug)
    planted: set[str] = set()
    holder = cast.member(site, Role.SUPPORTER, "Holder of a passkey")  # no walker: the passkey has no key in it

    def canary(what: str) -> str:
        planted.add(f"Canary{what}{slug}")
        return f"Canary{what}{slug}"

    for membership in Membership.objects.filter(site=site):
        address = f"{canary(f'mailbox{membership.pk}x')}@example.org"
        User.objects.filter(pk=membership.user_id).update(email=address)
        with tenancy.site_scope(site.pk):
            Profile.objects.filter(user_id=membership.user_id).update(name=f"Dr {canary(f'person{membership.pk}x')}")
    supporter = world.supporters[slug]
    key = uuid.uuid4()
    with tenancy.site_scope(site.pk):
        department = Department.objects.create(name=canary("department"))
        point = access_points.make(canary("wall"), by=SYSTEM)
        digest = "0123456789abcdef"
        Photo.objects.create(supporter=supporter, image=canary("photo").encode(), digest=digest)
        PeerSupporter.objects.filter(pk=supporter.pk).update(bio=canary("bio"), bio_fr=canary("frenchbio"))
        wording.save_draft("en", {"hours": canary("draft")}, by=SYSTEM)
        invitation = people.invite(
            site, email=f"{canary('invited')}@example.org", name=canary("guest"), role=Role.SUPPORTER, by=SYSTEM
        )
        canary("invited".lower())
        session = sessions.schedule(
            by=SYSTEM,
            kind="PRACTICE",
            starts_at=tenancy.now() + timedelta(days=3),
            minutes=90,
            place=canary("place"),
            link=f"https://example.org/{canary('link')}",
            capacity=9,
            approval="",
        )
        seat = Enrolment.objects.create(
            session=session, user_id=supporter.user_id, home=site, name=canary("enrolled"), since=tenancy.now()
        )
        material = Material.objects.create(
            session=session, name=canary("file"), kind="PNG", content=canary("content").encode()
        )
        self_description.set_evaluated(PeerSupporter.objects.get(pk=supporter.pk), canary("evaluated"))
        colleague = recruitment.Named(
            canary("colleague"), f"{canary('nominee')}@example.org".lower(), canary("nominator")
        )
        recruitment.nominate(colleague, key=uuid.uuid4())
        recruit = Recruit.objects.get()
        release = Release.objects.create(quarter=date(2026, 1, 1), key=uuid.uuid4(), asked_at=tenancy.now())
    referral = line.request(
        site,
        key=key,
        name=canary("name"),
        phone="604 555 0100 x 774411",
        email=f"{canary('contact')}@example.org",
        best_time=canary("besttime"),
        avoid_names=canary("avoid"),
        departments=(department.pk,),
    )
    planted.add("774411")
    match = rows.match(referral, supporter)
    passkey = Authenticator.objects.create(
        user=holder, type=Authenticator.Type.WEBAUTHN, data={"name": canary("passkey"), "credential": {}}
    )
    membership = Membership.objects.get(site=site, user=supporter.user)
    return Place(
        site,
        referral,
        match,
        supporter,
        membership,
        invitation,
        passkey,
        point,
        receipt_of(site.pk, key),
        digest,
        seat,
        material,
        recruit,
        release.pk,
        planted,
    )


@dataclass
class Visit:
    """An answer, with what a reader could find in it."""

    status: int
    place: str
    text: str

    @property
    def to_sign_in(self) -> bool:
        return self.status == 302 and self.place.startswith("/accounts/login/")

    def holds(self, canaries: set[str]) -> set[str]:
        low = (self.text + self.place).lower()
        return {canary for canary in canaries if canary.lower() in low}


def visit(client: Client, method: str, url: str, data: dict[str, Any] | None = None) -> Visit:
    """Knock once, and leave everything as it was: the session too."""
    kept = dict(client.cookies.items())
    with transaction.atomic():
        response = getattr(client, method)(url, data)
        transaction.set_rollback(True)
    client.cookies.clear()
    for name, morsel in kept.items():
        client.cookies[name] = morsel.value
    body = b"".join(response) if response.streaming else response.content
    headers = " ".join(f"{name}: {value}" for name, value in response.headers.items())
    cookies = response.cookies.output()
    text = printed.words(body) if response.headers.get("Content-Type") == "application/pdf" else body.decode()
    return Visit(response.status_code, response.headers.get("Location", ""), f"{headers} {cookies} {text}")


@dataclass
class Walk:
    """The world, its two furnished places, and everyone as a browser in which they are signed in."""

    world: cast.World
    places: dict[str, Place]
    clients: dict[str, Client]

    def outsiders(self, slug: str) -> dict[str, Client]:
        """Everyone without any role at the site, by name; the signed-out one is called "nobody"."""
        return {who: client for who, client in self.clients.items() if who.split()[0] != slug}

    def insiders(self, slug: str) -> dict[str, Client]:
        """Role → browser of the site's own people."""
        return {who.split()[1]: client for who, client in self.clients.items() if who.split()[0] == slug}


@pytest.fixture
def walked(world: cast.World, sign_in: Callable[[Any], Client], monkeypatch: pytest.MonkeyPatch) -> Walk:
    monkeypatch.setattr(account_views, "EVEN_SECONDS", 0.0)  # the walk is no attacker with a stopwatch
    world.supporters["province"] = cast.supporter(world.province, "Dr Pia Province")
    users = {name: user for name, user in world.people.items() if name not in ("coordinator", "advisor")}
    users |= {
        "province administrator": world["coordinator"],
        "province advisor": world["advisor"],
        "province supporter": world.supporters["province"].user,
    }
    places = {slug: furnish(world, slug) for slug in ("north", "province")}
    clients = {name: sign_in(user) for name, user in users.items()} | {"nobody": Client()}
    for user in users.values():
        TOTP.activate(user, generate_totp_secret())
        RecoveryCodes.activate(user)
    for client in clients.values():
        client.raise_request_exception = False
    return Walk(world, places, clients)


def complaints(walked: Walk, slug: str, only: str = "") -> list[str]:
    """Visit every address as everyone from elsewhere; return a line for each answer that should not be."""
    place, found = walked.places[slug], []
    for address in addresses():
        if only and address.name != only:
            continue
        if address.fixed.get("site", slug) != slug:
            continue
        url, data = place.url(address), place.posted(address)
        for who, client in walked.outsiders(slug).items():
            for method in ("get", "post"):
                answer = visit(client, method, url, data if method == "post" else None)
                if why := _wrong(address, who, answer, place):
                    found.append(f"{who} {method.upper()} {url}: {why}")
    return found


def _wrong(address: Address, who: str, answer: Visit, place: Place) -> str:
    # The list of departments is part of the public form; names of people never are.
    allowed = {c for c in place.canaries if address.name == "request" and "department" in c}
    # A feed is for whoever has its address: times, places and links, and no names.
    allowed |= {c for c in place.canaries if address.name == "calendar" and c.startswith(("Canaryplace", "Canarylink"))}
    if leaked := answer.holds(place.canaries - allowed):
        return f"{answer.status} holds {sorted(leaked)}"
    if address.access == PUBLIC:
        expected = ANSWERS_OF.get(address.name, ANSWERS)
    elif address.access == TOKEN:
        # Being somebody is no token.
        expected = {401}
    elif who == "nobody":
        return "" if answer.to_sign_in else f"{answer.status} instead of the sign-in page"
    elif address.access == SIGNED_IN:
        expected = ANSWERS | {404}
    else:
        expected = {404}
    return "" if answer.status in expected else f"{answer.status} instead of one of {sorted(expected)}"


def test_every_address_carries_a_mark() -> None:
    assert unmarked() == []


def test_every_argument_of_every_address_can_be_filled(walked: Walk) -> None:
    """A new argument fails here, loudly, until the walk knows a row of the visited site for it."""
    unknown = {(address.route, argument) for address in addresses() for argument in address.takes}
    for address in addresses():
        filled = walked.places["north"].fill(address)
        unknown -= {(address.route, argument) for argument in filled}
    assert unknown == set()


@pytest.mark.parametrize("slug", ["north", "province"])
def test_nobody_from_elsewhere_sees_anything(walked: Walk, slug: str) -> None:
    assert complaints(walked, slug) == []


@pytest.mark.parametrize("slug", ["north", "province"])
def test_the_canaries_sing_for_those_who_belong(walked: Walk, slug: str) -> None:
    """What the walk looks for is on the pages: its silence elsewhere means something."""
    place, heard = walked.places[slug], set()
    for role, client in walked.insiders(slug).items():
        for address in addresses():
            if address.of_a_site and address.fixed.get("site", slug) == slug:
                opened = visit(client, "get", place.url(address))
                heard |= opened.holds(place.canaries)
                if address.name == "request_detail" and role == "administrator":
                    heard |= visit(client, "post", place.url(address)).holds(place.canaries)
    # Nobody is ever shown whom a physician wants to avoid, nor the names of somebody's passkeys.
    # A photo is a picture, on its owner's page in another alphabet.
    silent = {f"Canaryavoid{slug}", f"Canarypasskey{slug}", f"Canaryphoto{slug}"}
    unseen = {canary for canary in place.canaries - heard if "contact" not in canary}
    assert unseen == silent


@pytest.mark.parametrize("slug", ["north", "province"])
def test_a_wrong_role_of_the_same_site_is_refused_and_the_right_one_is_not(walked: Walk, slug: str) -> None:
    place, found = walked.places[slug], []
    for address in addresses():
        access = address.access
        if not address.of_a_site or access in (PUBLIC, SIGNED_IN, TOKEN) or access is None:
            continue
        if address.fixed.get("site", slug) != slug:
            continue
        for role, client in walked.insiders(slug).items():
            for method in ("get", "post"):
                answer = visit(client, method, place.url(address), place.posted(address) if method == "post" else None)
                if role in access.roles and (answer.status in (401, 403) or answer.status >= 500 or answer.to_sign_in):
                    found.append(f"{role} {method} {address.route}: {answer.status}")
                if role not in access.roles and (answer.status != 403 or answer.holds(place.canaries)):
                    found.append(f"{role} {method} {address.route}: {answer.status} instead of 403")
    assert found == []


def test_who_may_open_what_is_what_the_overview_says() -> None:
    """The marks, read once more by hand: names and details for the administrator and the supporter alone."""
    marked = {address.name: address.access.roles for address in addresses() if address.access and address.access.roles}
    administrator, lead, supporter, advisor = "administrator", "lead", "supporter", "advisor"
    administrators_only = (
        "today requests caller by_hand request_detail choose confirm revoke reassign close spam not_spam supporter settings people"
        " member audit departments wording wording_text wording_preview province_sites province_site operations debriefs releases release consumers crisis_numbers"
        " crisis_number local_numbers agreement_text links invite_next hand_over cover"
        " releases release new_session edit_session session pay batch_file rates roster_import roster_export"
    )
    own = "my informal remark my_page about_me interest my_training my_statement my_statement_file certificate agreement commitment my_match hand_back accept decline contacted conversation no_conversation finish"
    expected = {name: {administrator} for name in administrators_only.split()}
    expected |= {name: {supporter} for name in own.split()}
    expected |= {
        "supporters": {administrator, lead},
        "sessions": {administrator, lead},
        **{name: {administrator, lead, supporter} for name in ("session_file", "material")},
        "recruit": {administrator, lead},
        "offer_answer": {administrator},
        "welcome": {administrator, lead},
        "unwanted": {supporter},
        "figures": {administrator, lead, advisor},
        **{
            name: {administrator, advisor}
            for name in (
                "release_book",
                "release_sheet",
                "release_picture",
                "province_file",
                "release_report",
                "evaluation",
            )
        },
        **{
            name: {administrator, lead}
            for name in ("codes", "code", "code_picture", "code_pdf", "figure_file", "site_report")
        },
        "remarks": {administrator, lead},
        "safety": {administrator, lead, supporter},
    }
    assert {name: set(roles) for name, roles in marked.items()} == expected


def test_rows_of_another_site_do_not_exist_under_ones_own_address(walked: Walk) -> None:
    """The right role, the own site in the address, and the ids of somebody else's rows."""
    theirs, found = walked.places["north"], []
    own = {"south": walked.insiders("south"), "province": walked.insiders("province")}
    for address in addresses():
        if "site" not in address.takes or not address.takes & {"ref", "user_id", "membership_id", "recruit"}:
            continue
        for slug, clients in own.items():
            url = theirs.url(address).replace("/north/", f"/{slug}/", 1)
            for role, client in clients.items():
                for method in ("get", "post"):
                    answer = visit(client, method, url, theirs.posted(address) if method == "post" else None)
                    right = role in address.access.roles  # type: ignore[union-attr]
                    # A page that only takes a press says so before it looks anything up.
                    expected = {404, 405} if right else {403}
                    if answer.status not in expected or answer.holds(theirs.canaries):
                        found.append(f"{slug} {role} {method} {address.route}: {answer.status}")
    assert found == []


def test_rows_of_another_site_cannot_be_named_in_a_form(walked: Walk) -> None:
    """An own request, another site's supporter; an own page, another site's invitation."""
    north, province = walked.places["north"], walked.places["province"]
    mine = line.request(walked.world.south)
    administrator = walked.clients["south administrator"]
    for stranger in (north.supporter, province.supporter):
        answer = visit(administrator, "post", f"/south/requests/{mine.ref}/choose/", {"supporter": stranger.pk})
        assert (answer.status, answer.holds(north.canaries | province.canaries)) == (404, set())
    answer = visit(administrator, "post", "/south/settings/people/", {"revoke": north.invitation.pk})
    assert answer.status == 404


def test_an_ended_role_opens_nothing(walked: Walk) -> None:
    place = walked.places["north"]
    Membership.objects.filter(site=place.site).update(ended_at=tenancy.now())
    for client in walked.insiders("north").values():
        for address in addresses():
            if "site" in address.takes and address.access != PUBLIC:
                answer = visit(client, "get", place.url(address))
                assert (address.route, answer.status, answer.holds(place.canaries)) == (address.route, 404, set())


def test_without_the_second_factor_every_door_leads_to_it(walked: Walk) -> None:
    place, client = walked.places["north"], Client()
    client.force_login(walked.world["north administrator"], backend=settings.AUTHENTICATION_BACKENDS[0])
    for address in addresses():
        if address.access != PUBLIC and address.fixed.get("site", "north") == "north":
            for method in ("get", "post"):
                answer = visit(client, method, place.url(address), place.posted(address))
                assert (address.route, answer.status, answer.place.split("?")[0]) == (
                    address.route,
                    302,
                    "/accounts/second-factor/",
                )


@pytest.mark.parametrize("role", ["administrator", "lead", "supporter"])
def test_local_sites_have_none_of_the_provinces_pages(walked: Walk, role: str) -> None:
    for url in ("/north/sites/", "/north/sites/south/"):
        assert visit(walked.clients[f"north {role}"], "get", url).status == 404


def test_the_walk_notices_a_door_left_open(walked: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk itself, tried: an access level taken off, and a staff page made public."""
    monkeypatch.setattr(views.supporters, "access", PUBLIC)
    found = [line for line in complaints(walked, "north", only="supporters") if " GET " in line]
    assert len(found) == len(walked.outsiders("north"))
    assert all("200 holds ['Canary" in line for line in found)
    monkeypatch.delattr(views.supporters, "access")
    assert unmarked() == ["<slug:site>/supporters/"]
    assert visit(walked.clients["north administrator"], "get", "/north/supporters/").status == 404


def _shadow(request: HttpRequest, colour: str) -> HttpResponse:
    return HttpResponse(colour)


def test_the_walk_does_not_know_what_to_fill_in_and_says_so(walked: Walk) -> None:
    (strange,) = walk([path("paint/<str:colour>/", _shadow)])
    with pytest.raises(KeyError, match="colour"):
        walked.places["north"].url(strange)


def test_no_site_can_shadow_an_address_of_the_program(world: cast.World) -> None:
    firsts = {route.split("/")[0] for route in (address.route for address in addresses())}
    literal = {first for first in firsts if first and "<" not in first}
    assert literal >= {"accounts", "leave", "healthz", "readyz", "go", "start", "province"}
    assert slugs.reserved() == literal | {"static"}
    values = {
        "name": "Shadow",
        "kind": "DIVISION",
        "cohort": "1",
        "funding": "FUNDED",
        "law": "PIPA",
        "time_zone": "America/Vancouver",
        "first_name": "First",
        "first_email": "first@example.org",
    }
    for slug in sorted(slugs.reserved()):
        form = NewSiteForm(values | {"slug": slug})
        assert (slug, form.is_valid(), list(form.errors)) == (slug, False, ["slug"])
        fields = {name: value for name, value in values.items() if not name.startswith("first")}
        with pytest.raises(Refused), tenancy.site_scope(world.province.pk):
            open_site(slug=slug, first_name="First", first_email="first@example.org", by=SYSTEM, **fields)
    assert NewSiteForm(values | {"slug": "shadow-valley"}).is_valid()
