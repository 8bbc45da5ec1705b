"""A roster comes in as a file: shown first, then all of it or nothing; and goes out with the same columns."""

import io
import re
import string
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psi.tenancy import site_scope
from sites.engine import agenda, spreadsheets
from sites.engine.models import AuditEntry, Fact
from sites.people import transitions as people
from sites.reference.models import Specialty
from sites.tenants.models import Invitation, Profile, Role
from tests import line, rows
from tests import people as cast
from tests.people import World
from training.commitment.models import Agreement
from training.recruitment.models import RosterLine
from training.roster import files as roster_files
from training.roster import imports as roster_import
from training.roster.files import Unreadable
from training.supporters.models import Department, Evaluates, Gender, PeerSupporter, Practice, Stage

SignIn = Callable[[Any], Client]
PATH = "/north/supporters/import/"
HEAD = "name,email,practice,stage,specialty,gender,french,trained_on,agreement_until,cap_year,cap_live,departments"


def upload(client: Client, text: str | bytes, name: str = "roster.csv") -> Any:
    body = text.encode() if isinstance(text, str) else text
    return client.post(PATH, {"file": SimpleUploadedFile(name, body)})


def press(client: Client, shown: Any) -> Any:
    """Press "Import this" on a page that shows what a file would change."""
    (sealed,) = re.findall(r'name="sealed" value="([^"]+)"', shown.text)
    return client.post(PATH, {"sealed": sealed})


def sheet(*lines: list[Any]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for cells in lines:
        book.active.append(cells)
    book.save(out)
    return out.getvalue()


def sam(world: World) -> str:
    return world["north supporter"].email


def test_a_file_is_shown_before_anything_changes_and_then_imported_as_shown(world: World, sign_in: SignIn) -> None:
    client = sign_in(world["north administrator"])
    with site_scope(world.north.pk):
        Department.objects.create(name="Emergency; nights")
    file = (
        "\ufeffEMAIL;Name;Stage;French;Cap Year;Trained-On;Agreement until;Departments\r\n\r\n"
        f'{sam(world).upper()};;early;Oui;5;;;"""Emergency; nights"""\r\n'
        ";;;;;;;\r\nnew@example.ca;Dr New;Mid (6 to 20 years);no;;2026-02-03;2099-01-31;\r\n"
    )
    shown = upload(client, file)
    assert "cap_year: 7 → <b>5</b>" in shown.text and "stage: Prefer not to say → <b>Early" in shown.text
    assert "1 to invite" in shown.text and "1 to change" in shown.text
    with site_scope(world.north.pk):
        assert (Invitation.objects.count(), PeerSupporter.objects.get().cap_year) == (0, 7)
    assert press(client, shown).headers["Location"] == "/north/supporters/"
    with site_scope(world.north.pk):
        one = PeerSupporter.objects.get()
        assert (one.cap_year, one.cap_live, one.stage, one.speaks_french) == (5, 2, "EARLY", True)
        assert one.trained_on == date(2025, 9, 25)  # an empty cell changes nothing
        assert Evaluates.objects.get().department.name == "Emergency; nights"
        invitation = Invitation.objects.get()
        assert (invitation.email, invitation.name, invitation.role) == ("new@example.ca", "Dr New", Role.SUPPORTER)
        user = people.accept_invitation(invitation).user
        new = PeerSupporter.objects.get(user=user)
        assert (new.state, new.stage, new.trained_on) == ("ACTIVE", "MID", date(2026, 2, 3))
        assert (RosterLine.objects.count(), Agreement.objects.get().until) == (0, date(2099, 1, 31))
        actions = set(AuditEntry.objects.values_list("action", flat=True))
        assert {"IMPORTED", "ROSTER", "INVITE"} <= actions
    with site_scope(world.north.pk):
        trained = Fact.objects.filter(measure="TRAINED").order_by("month").values_list("month", flat=True)
        assert list(trained) == [date(2025, 9, 1), date(2026, 2, 1)]
    assert "says what is in the roster already" in upload(client, file).text


def test_every_row_says_what_is_wrong_and_nothing_is_half_imported(world: World, sign_in: SignIn) -> None:
    client = sign_in(world["north administrator"])
    bad = (
        f"{HEAD}\nDr Sam,{sam(world)},,,,,,,,9,,\nNobody,at home,,,,,,,,,,\n,nameless@example.ca,,,,,,,,,,\n"
        "Dr A,a@example.ca,plumber,old,knitting,,perhaps,2026-02-31,soon,0,x,Kitchen\n"
        "Dr B,twice@example.ca,,,,,,,,,,\nDr B,TWICE@example.ca,,,,,,,,,,\n"
    )
    page = upload(client, bad)
    assert 'name="sealed"' not in page.text and "5 to mend" in page.text
    for sentence in (
        "Enter an email address such as name@example.ca.",
        "Enter the name of somebody who is new.",
        "“plumber” is no practice. Use one of: Family physician",
        "“old” is no stage.",
        "“knitting” is no specialty on the list.",
        "write yes or no",
        "“2026-02-31” is no date.",
        "“soon” is no date.",
        "“0” in the column “cap_year” is no whole number",
        "There is no department “Kitchen” on your list.",
        "The same address stands in another row too.",
    ):
        assert sentence in page.text
    with site_scope(world.north.pk):
        table = roster_files.read(bad.encode())
        with pytest.raises(roster_import.Changed):
            shown = roster_import.fingerprint(roster_import.preview(table))
            roster_import.carry_out(table, shown, by=line.administrator(world))
        assert PeerSupporter.objects.get().cap_year == 7


def test_what_changed_meanwhile_is_shown_again(world: World, sign_in: SignIn) -> None:
    client = sign_in(world["north administrator"])
    shown = upload(client, f"email,name,cap_year\n{sam(world)},,5\nnew@example.ca,Dr New,\n")
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(cap_year=6)
    again = press(client, shown)
    assert "nothing was imported" in again.text and "cap_year: 6 → <b>5</b>" in again.text
    with site_scope(world.north.pk):
        assert (PeerSupporter.objects.get().cap_year, Invitation.objects.count()) == (6, 0)
    assert press(client, again).status_code == 302
    # Only the person who saw it, and not for ever.
    (sealed,) = re.findall(r'name="sealed" value="([^"]+)"', again.text)
    other = sign_in(cast.member(world.north, Role.ADMINISTRATOR, "Bea North"))
    assert other.post(PATH, {"sealed": sealed}).headers["Location"] == PATH


def test_who_is_invited_already_gets_the_line_and_it_goes_with_the_invitation(world: World) -> None:
    by = line.administrator(world)
    with site_scope(world.north.pk) as scope:
        people.invite(world.north, email="new@example.ca", name="Dr New", role=Role.SUPPORTER, by=by)
        for cap in ("5", "6"):
            table = roster_files.read(f"email,cap_year\nnew@example.ca,{cap}\n".encode())
            roster_import.carry_out(table, roster_import.fingerprint(roster_import.preview(table)), by=by)
        assert (Invitation.objects.count(), RosterLine.objects.get().line) == (1, {"cap_year": 6})
        now = scope.now
    agenda.sweep(now=now + timedelta(days=15))
    with site_scope(world.north.pk):
        assert RosterLine.objects.count() == 0


def test_the_dates_of_a_spreadsheet_and_of_its_cells(world: World) -> None:
    head = HEAD.split(",")
    body = sheet(head, ["Dr", "x@example.ca", *[None] * 4, True, datetime(2026, 2, 3), 46055, 7.0, 2, None])  # noqa: DTZ001  cells have no time zone
    ((number, cells),) = roster_files.read(body)
    assert (number, cells["trained_on"], cells["french"], cells["cap_year"]) == (2, "2026-02-03", "yes", "7")
    assert roster_files.day(cells["agreement_until"]) == date(2026, 2, 2)


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b"0" * (roster_files.MOST_UNPACKED + 1))
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"x" * (roster_files.MOST_BYTES + 1), "larger than 2 MB"),
        (bomb(), "larger than 2 MB"),
        (b"PK\x03\x04 broken", "not a roster we can read"),
        (b"email\0", "not a roster we can read"),
        (b"", "nobody in this file"),
        (HEAD.encode(), "nobody in this file"),
        (b"name\nDr A\n", "one of them"),
        (b"email,shoe size\na@example.ca,44\n", "shoe size"),
        (b"email,Email\na@example.ca,b@example.ca\n", "Two columns"),
        (b"email\na@example.ca,more\n", "more cells"),
        (b"email\n" + b"a@example.ca\n" * 2001, "at most 2,000 rows"),
        (b"email" + b"\n" * 7000, "at most 2,000 rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_roster_is_answered_with_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        roster_files.read(body)


def test_the_export_asks_for_the_factor_is_noted_and_is_no_formula(world: World, sign_in: SignIn) -> None:
    client = sign_in(world["north administrator"])
    with site_scope(world.north.pk):
        Profile.objects.filter(user=world["north supporter"]).update(name='=HYPERLINK("http://x")')
    answer = client.get("/north/supporters/export.csv")
    text = answer.content.decode("utf-8-sig")
    assert text.splitlines()[0] == HEAD and '"\'=HYPERLINK(""http://x"")"' in text
    book = openpyxl.load_workbook(io.BytesIO(client.get("/north/supporters/export.xlsx").content))
    assert book.active["A2"].data_type == "s" and book.active["H2"].value == datetime(2025, 9, 25)  # noqa: DTZ001  cells have no time zone
    TOTP.activate(world["north administrator"], generate_totp_secret())
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": 0, "type": "webauthn"}]
    session.save()
    assert "/accounts/confirm/" in client.get("/north/supporters/export.csv").headers["Location"]
    with site_scope(world.north.pk):
        assert AuditEntry.objects.filter(action="EXPORTED").count() == 2


TEXT = st.text(st.sampled_from(string.ascii_letters + "éÇ'=+-@;,\"“ "), min_size=1, max_size=30)
DAYS = st.none() | st.dates(date(2000, 1, 1), date(2026, 11, 1))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_was_exported_changes_nothing(world: World, data: st.DataObject) -> None:
    """For any roster, in both kinds of file."""
    with site_scope(world.north.pk):
        specialties = [None, *Specialty.objects.all()[:3]]
        names = data.draw(
            st.lists(TEXT.map(str.strip).filter(bool), unique_by=lambda n: " ".join(n.split()).casefold(), max_size=3)
        )
        Department.objects.all().delete()
        departments = Department.objects.bulk_create(Department(name=name) for name in names)
        one = PeerSupporter.objects.get(pk=world.supporters["north"].pk)
        one.practice, one.stage = data.draw(st.sampled_from(Practice.values)), data.draw(st.sampled_from(Stage.values))
        one.gender, one.speaks_french = data.draw(st.sampled_from(Gender.values)), data.draw(st.booleans())
        one.specialty = data.draw(st.sampled_from(specialties))
        one.trained_on, one.agreement_until = data.draw(DAYS), data.draw(DAYS)
        one.cap_year, one.cap_live = data.draw(st.integers(1, 365)), data.draw(st.integers(1, 365))
        one.save()
        Profile.objects.filter(pk=one.profile_id).update(name=data.draw(TEXT.filter(str.strip)))
        chosen = [one for one in departments if data.draw(st.booleans())]
        Evaluates.objects.bulk_create(Evaluates(supporter=one, department=department) for department in chosen)
        for kind in ("csv", "xlsx"):
            body = spreadsheets.file("roster", kind, roster_files.COLUMNS, roster_import.exported()).content
            (row,) = roster_import.preview(roster_files.read(body))
            assert (row.kind, row.changes, row.errors) == ("same", [], [])


@pytest.mark.parametrize("count", [1, 20])
def test_a_preview_costs_the_same_however_long_it_is(world: World, django_assert_num_queries: Any, count: int) -> None:
    lines = [rows.supporter(world.north, f"Dr Number {i}") for i in range(count)]
    body = "email,name,cap_year\n" + "".join(f"{one.user.email},,3\nn{one.pk}@example.ca,Dr N,\n" for one in lines)
    with site_scope(world.north.pk), django_assert_num_queries(8):
        assert [row.kind for row in roster_import.preview(roster_files.read(body.encode()))] == [
            "changed",
            "new",
        ] * count
