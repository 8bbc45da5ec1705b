"""Every list costs the same number of queries, however long it is: the number stands here in full."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from psi.tenancy import site_scope
from referrals.requests.receipts import receipt_of
from referrals.wording import texts as wording
from sites.consumers import transitions as consumers
from sites.engine import agenda
from sites.engine.audit import SYSTEM
from sites.people import transitions as people
from sites.tenants.models import Role
from tests import line, rows
from tests import people as cast
from tests.markup import flat
from tests.tracker import published
from tests.tracker.test_survey import agree
from tracker.releases.models import ReleaseCell
from tracker.survey.models import HeldAnswer
from training.recruitment import models as recruitment_models
from training.recruitment import transitions as recruitment
from training.recruitment.models import Recruit
from training.sessions import calendar
from training.sessions.models import Material, Session
from training.supporters.models import Department, PeerSupporter, Photo

World = cast.World
SignIn = Callable[[Any], Client]


# A test runs inside a transaction, so the middleware's scope is a savepoint that is put back; on a server it is a plain one.
OF_THE_TEST = ("SAVEPOINT", "RELEASE SAVEPOINT", "SELECT set_config('psi.site_id', '',")


@contextmanager
def exactly(number: int) -> Iterator[None]:
    """As many queries as said, those of the middleware included; when not, which they were."""
    with CaptureQueriesContext(connection) as seen:
        yield
    asked = [query["sql"] for query in seen.captured_queries if not query["sql"].startswith(OF_THE_TEST)]
    words = "\n".join(f"{i}. {sql[:160]}" for i, sql in enumerate(asked, 1))
    assert len(asked) == number, f"{len(asked)} instead of {number}:\n{words}"


def opened(client: Client, path: str, number: int, *shown: str) -> None:
    """Open a page at its price, and see on it what makes the price count."""
    client.get(path)  # the first visit notes the time in the session
    with exactly(number):
        answer = client.get(path)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert [words for words in shown if flat(words) not in flat(text)] == []


@pytest.fixture
def roster(world: World) -> list[PeerSupporter]:
    """Three supporters beside the one of the cast, so that each request may have its own."""
    return [rows.supporter(world.north, f"Dr Number {i}") for i in range(3)]


def requests(world: World, roster: list[PeerSupporter], count: int) -> list[str]:
    """Return references of requests in as many states as there are."""
    refs = []
    for i, state in zip(range(count), ("CONTACTED", "INVITED", "ACCEPTED"), strict=False):
        referral = line.request(world.north, reasons=("EVENT", "BURNOUT"))
        rows.match(referral, roster[i], state)
        refs.append(str(referral))
    return refs


@pytest.mark.parametrize("count", [1, 3])
def test_today(world: World, roster: list[PeerSupporter], sign_in: SignIn, count: int) -> None:
    refs = requests(world, roster, count)
    opened(sign_in(world["north administrator"]), "/north/today/", 14, *refs)


@pytest.mark.parametrize("count", [1, 3])
def test_requests(world: World, roster: list[PeerSupporter], sign_in: SignIn, count: int) -> None:
    refs = requests(world, roster, count)
    opened(sign_in(world["north administrator"]), "/north/requests/", 8, *refs)


@pytest.mark.parametrize("count", [1, 3])
def test_one_request(world: World, roster: list[PeerSupporter], sign_in: SignIn, count: int) -> None:
    referral = line.request(world.north, email="robin@example.ca")
    for supporter in roster[: count - 1]:
        found = rows.match(referral, supporter)
        with site_scope(world.north.pk):
            line.transitions.decline(found.pk, by=line.acting(supporter.user, Role.SUPPORTER))
    rows.match(referral, roster[-1])
    # Knowing the same person again: the vault is asked, then the requests.
    again = [str(line.request(world.north, email="robin@example.ca")) for _ in range(count)]
    names = [*(f"Dr Number {i}" for i in (*range(count - 1), 2)), *again]
    opened(sign_in(world["north administrator"]), f"/north/requests/{referral.ref}/", 10, *names)


@pytest.mark.parametrize("count", [1, 3])
def test_choose(world: World, sign_in: SignIn, count: int) -> None:
    """Candidates and those left out, each with reasons, departments and earlier matches."""
    with site_scope(world.north.pk):
        department = Department.objects.create(name="Obstetrics")
    for i in range(count):
        free = rows.supporter(world.north, f"Dr Free {i}")
        rows.match(line.request(world.north), free, "COMPLETED")
        busy = rows.supporter(world.north, f"Dr Evaluates {i}")
        with site_scope(world.north.pk):
            busy.evaluates.create(department=department)  # type: ignore[attr-defined]
    referral = line.request(world.north, departments=(department.pk,), wishes=("FRENCH",))
    names = [f"Dr {what} {i}" for i in range(count) for what in ("Free", "Evaluates")]
    opened(sign_in(world["north administrator"]), f"/north/requests/{referral.ref}/choose/", 17, *names)


@pytest.mark.parametrize("count", [70, 140])
def test_choose_from_many(world: World, sign_in: SignIn, count: int) -> None:
    """The first fifty are explained, the others counted; nobody is named before their reason is opened."""
    ada = sign_in(world["north administrator"])
    rows.crowd(world.north, count, trained_on=lambda n: date(2025, 9, 25) if n % 10 else None)
    path = f"/north/requests/{line.request(world.north, stage='LATE').ref}/choose/"
    shown = f"These 50 come first of {count * 9 // 10 + 1}", f'<a href="?not=UNTRAINED">{count // 10} people'
    opened(ada, path, 15 if count // 10 > 12 else 16, *([shown[0]] if count // 10 <= 12 else shown))
    assert ada.get(path).content.count(b'name="supporter"') == 50
    opened(ada, f"{path}?not=UNTRAINED", 14, "Dr Crowd 00000", "Dr Crowd 00060")


@pytest.mark.parametrize("role", ["administrator", "lead"])
@pytest.mark.parametrize("count", [1, 3])
def test_supporters(world: World, sign_in: SignIn, role: str, count: int) -> None:
    for i in range(count):
        rows.supporter(world.north, f"Dr Number {i}")
        cast.member(world.north, Role.SUPPORTER, f"Dr Missing {i}")
        with site_scope(world.north.pk):
            recruitment.nominate(recruitment.Named(f"Dr Coming {i}", f"coming{i}@example.org"), key=uuid.uuid4())
    names = [f"Dr {what} {i}" for i in range(count) for what in ("Number", "Missing", "Coming")]
    opened(sign_in(world[f"north {role}"]), "/north/supporters/", 11, *names)


@pytest.mark.parametrize("count", [1, 3])
def test_one_on_the_way(world: World, sign_in: SignIn, count: int) -> None:
    with site_scope(world.north.pk):
        recruitment.nominate(recruitment.Named("Dr Coming", "coming@example.org"), key=uuid.uuid4())
        recruit = Recruit.objects.get()
        people.accept_invitation(recruitment.invite(recruit.pk, by=line.administrator(world)))
        by = line.acting(recruitment_models.Recruit.objects.get().user, Role.SUPPORTER)
        supporter = recruitment.send(recruit.pk, recruitment.Interest({}), by=by)
        for i in range(count):
            department = Department.objects.create(name=f"Department {i}")
            supporter.evaluates.create(department=department)  # type: ignore[attr-defined]
    names = [f"Department {i}" for i in range(count)]
    opened(sign_in(world["north lead"]), f"/north/supporters/recruits/{recruit.ref}/", 13, *names)


@pytest.mark.parametrize("count", [1, 3])
def test_figures(world: World, roster: list[PeerSupporter], sign_in: SignIn, count: int) -> None:
    requests(world, roster, count)
    agenda.sweep()
    opened(sign_in(world["north lead"]), "/north/figures/", 10, f'<b class="num">{count}</b>request')


@pytest.mark.parametrize("count", [1, 3])
def test_figures_of_the_province(world: World, sign_in: SignIn, count: int) -> None:
    with site_scope(world.province.pk):
        for i in range(count):
            ReleaseCell.objects.create(first=date(2025, 3 * i + 1, 1), last=date(2025, 3 * i + 3, 1), number=40 + i)
    counts = [f">{40 + i}<" for i in range(count)]
    opened(sign_in(world["advisor"]), "/province/figures/", 9, *counts)


@pytest.mark.parametrize("count", [1, 3])
def test_published_figures(world: World, sign_in: SignIn, count: int) -> None:
    """All five tables with what is told together, the files of each release, and what everybody may read."""
    quarters = [date(2026, 1, 1), date(2025, 10, 1), date(2025, 7, 1)][:count]
    names = ["January to March 2026", "October to December 2025", "July to September 2025"][:count]
    for quarter in quarters:
        published.release(world, quarter, public=True)
    opened(sign_in(world["advisor"]), "/province/figures/", 10, *names, "North Division", "Other (grouped)")
    opened(Client(), "/province/published/", 4, *names)
    opened(Client(), "/province/published/2026-q1/", 7, *names[:1], "North Division", "Other (grouped)")


@pytest.mark.parametrize("count", [1, 3])
def test_my(world: World, sign_in: SignIn, count: int) -> None:
    helper = rows.supporter(world.north, "Dr Helper")
    refs = []
    for state in ("INVITED", "COMPLETED"):
        for _ in range(count):
            referral = line.request(world.north)
            rows.match(referral, helper, state)
            refs.append(str(referral))
    opened(sign_in(helper.user), "/north/my/", 11, *refs)


@pytest.mark.parametrize("count", [1, 3])
def test_training(world: World, sign_in: SignIn, count: int) -> None:
    """Sessions of two sites, with who comes and files; and the feed, which is read by telephones at night."""
    sam, ada = world.supporters["north"], world["north administrator"]
    for at in (world.north, world.province):
        for i in range(count):
            session = rows.session(at, f"Room {at.slug} {i}")
            for user in (sam.user, ada):
                rows.seat(session, user, world.north)
            with site_scope(at.pk):
                Material.objects.create(session=session, name=f"File {at.slug} {i}", kind="PDF", content=b"")
    names = [f"{what} {at} {i}" for what in ("Room", "File") for at in ("north", "province") for i in range(count)]
    opened(sign_in(sam.user), "/north/my/training/", 16, *names)
    with site_scope(world.north.pk):
        first = Session.objects.order_by("pk")[0]
        for i in range(count):
            rows.seat(first, cast.member(world.north, Role.SUPPORTER, f"Dr Seat {i}"), world.north)
    client = sign_in(ada)
    opened(client, "/north/training/", 17, *[f"Room north {i}" for i in range(count)])
    opened(client, f"/north/training/{first.pk}/", 8, *[f"Dr Seat {i}" for i in range(count)], "File north 0")
    opened(Client(), f"/calendar/{calendar.address(sam.user)}.ics", 10, *names[: 2 * count])


@pytest.mark.parametrize("count", [1, 3])
def test_people(world: World, sign_in: SignIn, count: int) -> None:
    with site_scope(world.north.pk):
        for i in range(count):
            people.invite(world.north, email=f"g{i}@example.org", name=f"Guest {i}", role=Role.LEAD, by=SYSTEM)
    for i in range(count):
        cast.member(world.north, Role.LEAD, f"Dr Member {i}")
    names = [f"{what} {i}" for i in range(count) for what in ("Guest", "Dr Member")]
    opened(sign_in(world["north administrator"]), "/north/settings/people/", 9, *names)


@pytest.mark.parametrize("count", [1, 3])
def test_audit(world: World, sign_in: SignIn, count: int) -> None:
    found = line.fresh(line.invited(world))
    for _ in range(count):
        line.request(world.north)
    words = "A request was received", "Invited a supporter", "Ada North", str(found.referral)
    opened(sign_in(world["north administrator"]), "/north/settings/audit/", 8, *words)


@pytest.mark.parametrize("count", [1, 3])
def test_departments(world: World, sign_in: SignIn, count: int) -> None:
    with site_scope(world.north.pk):
        Department.objects.bulk_create(Department(name=f"Department {i}") for i in range(count))
    names = [f"Department {i}" for i in range(count)]
    opened(sign_in(world["north administrator"]), "/north/settings/departments/", 6, *names)


@pytest.mark.parametrize("count", [1, 3])
def test_sites_of_the_province(world: World, sign_in: SignIn, count: int) -> None:
    for i in range(count):
        cast.site(f"valley-{i}")
    names = [f"/valley-{i}/" for i in range(count)]
    opened(sign_in(world["coordinator"]), "/province/sites/", 6, *names)


@pytest.mark.parametrize("count", [1, 3])
def test_access_to_published_tables(world: World, sign_in: SignIn, count: int) -> None:
    with site_scope(world.province.pk):
        for i in range(count):
            consumers.issue(f"Organization {i}", by=SYSTEM)
    opened(sign_in(world["coordinator"]), "/province/consumers/", 9, *[f"Organization {i}" for i in range(count)])


@pytest.mark.parametrize("count", [1, 3])
def test_find_your_site(world: World, client: Client, count: int) -> None:
    for i in range(count):
        cast.site(f"valley-{i}")
    opened(client, "/", 2, *[f"/valley-{i}/" for i in range(count)])


@pytest.mark.parametrize("count", [1, 3])
def test_where_to_go(world: World, sign_in: SignIn, count: int) -> None:
    user = world["coordinator"]
    for i in range(count):
        cast.member(cast.site(f"valley-{i}"), Role.LEAD, f"Guest of {i}", user)
    opened(sign_in(user), "/start/", 4, *[f"/valley-{i}/figures/" for i in range(count)])


@pytest.mark.parametrize("count", [1, 3])
def test_the_request_form(world: World, client: Client, count: int) -> None:
    with site_scope(world.north.pk):
        Department.objects.bulk_create(Department(name=f"Department {i}") for i in range(count))
    opened(client, "/north/request/", 2, *[f"Department {i}" for i in range(count)])


@pytest.mark.parametrize("count", [1, 3])
def test_the_status_page(world: World, roster: list[PeerSupporter], client: Client, count: int) -> None:
    key = uuid.uuid4()
    referral = line.request(world.north, key=key)
    for supporter in roster[: count - 1]:
        found = rows.match(referral, supporter)
        with site_scope(world.north.pk):
            line.transitions.decline(found.pk, by=line.acting(supporter.user, Role.SUPPORTER))
    rows.match(referral, roster[-1], "ACCEPTED")
    receipt = {"receipt": receipt_of(world.north.pk, key)}
    with exactly(7):  # one is the wording that the button "from outside" agrees to
        answer = client.post("/north/status/", receipt)
    assert "A peer has agreed" in answer.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_survey(world: World, client: Client, count: int) -> None:
    key = uuid.uuid4()
    referral = line.request(world.north, key=key)
    with site_scope(world.north.pk):
        agree(referral.pk)
        line.transitions.close(referral.pk, "DECLINED", by=SYSTEM)
        HeldAnswer.objects.bulk_create(HeldAnswer() for _ in range(count))
    sent = {"receipt": receipt_of(world.north.pk, key), "safe": "YES", "do": "send"}
    # The request is found, then locked; the flag, the answer, and the row that says somebody should look.
    with exactly(10):
        answer = client.post("/north/status/survey/", sent)
    assert "Your answers are in." in answer.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_public_page(world: World, client: Client, count: int) -> None:
    for i in range(count):
        shown(world, f"Dr Shown {i}")
    names = [f'alt="Dr Shown {i}"' for i in range(count)]
    opened(client, "/north/", 12, *names)
    opened(client, "/north/peers/", 6, *names)


def shown(world: World, name: str) -> None:
    supporter = rows.supporter(world.north, name, published=True, bio="Words.")
    with site_scope(world.north.pk):
        Photo.objects.create(supporter=supporter, image=b"", digest=f"{supporter.pk:064x}")


@pytest.mark.parametrize("count", [1, 3])
def test_words_on_the_page(world: World, sign_in: SignIn, count: int) -> None:
    ada = world["north administrator"]
    with site_scope(world.north.pk):
        by = line.acting(ada, Role.ADMINISTRATOR)
        for i in range(count):
            wording.publish(wording.save_draft("en", {"hours": f"Hours {i}"}, by=by).at, by=by)
        wording.save_draft("en", {"hours": "Draft."}, by=by)
    opened(sign_in(ada), "/north/settings/wording/", 8, "Ada North", *["Bring back"][: count - 1])
