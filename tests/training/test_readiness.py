"""The dates that make a supporter ready: whichever way they are recorded, the same follows, and nobody else writes."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import localdate

from psi import tenancy
from psi.tenancy import site_scope
from sites.engine.audit import SYSTEM
from sites.engine.models import AuditEntry, Due, Fact, Notice
from sites.people import transitions as people
from sites.tenants.models import Invitation, Site
from tests import line, rows
from tests import people as cast
from tests.people import World
from training.attendance import transitions as attendance
from training.commitment import agreement
from training.commitment.models import Agreement
from training.recruitment.models import Recruit
from training.sessions import transitions as sessions
from training.supporters import readiness
from training.supporters.models import PeerSupporter

SignIn = Callable[[Any], Client]
ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Case:
    """Somebody on the way at the north, lent to the province, and the dates to record."""

    world: World
    administrator: Client
    own: Client
    supporter: PeerSupporter
    trained_on: date
    agreement_until: date


@dataclass(frozen=True)
class Outcome:
    """What follows from two dates."""

    state: str
    dates: tuple[date | None, date | None]
    copied: tuple[date | None, date | None]
    recruit: str
    months_of_training: list[date]
    agreements: list[date | None]
    reminders: int
    mails: int


def columns(at: Site, supporter: PeerSupporter) -> tuple[date | None, date | None]:
    with site_scope(at.pk):
        row = PeerSupporter.objects.get(user_id=supporter.user_id)
        return row.trained_on, row.agreement_until


def outcome(case: Case) -> Outcome:
    with site_scope(case.world.north.pk):
        return Outcome(
            state=PeerSupporter.objects.get(pk=case.supporter.pk).state,
            dates=columns(case.world.north, case.supporter),
            copied=columns(case.world.province, case.supporter),
            recruit=Recruit.objects.get().state,
            months_of_training=list(Fact.objects.filter(measure="TRAINED").values_list("month", flat=True)),
            agreements=list(
                Agreement.objects.filter(supporter=case.supporter).order_by("pk").values_list("until", flat=True)
            ),
            reminders=Due.objects.filter(kind=agreement.KIND).count(),
            mails=Notice.objects.filter(kind="RECRUIT_ON", recipient=case.supporter.user).count(),
        )


@pytest.fixture
def case(world: World, sign_in: SignIn) -> Case:
    robin = rows.supporter(world.north, "Dr Robin", state="PREPARING", trained_on=None, agreement_until=None)
    cast.supporter(world.province, "Dr Robin", robin.user, home=world.north, trained_on=None, agreement_until=None)
    with site_scope(world.north.pk) as scope:
        Recruit.objects.create(
            ref="R-1",
            state="TRAINING",
            user=robin.user,
            by_administrator=world["north administrator"],
            by_lead=world["north lead"],
            started_at=scope.now,
            moved_at=scope.now,
        )
        today = localdate(scope.now)
    client = sign_in(world["north administrator"])
    return Case(world, client, sign_in(robin.user), robin, today - 9 * DAY, agreement.a_year_after(today))


def by_form(case: Case, **dates: date) -> None:
    now = dict(zip(readiness.COLUMNS, columns(case.world.north, case.supporter), strict=True)) | dates
    sent = {name: f"{day:%Y-%m-%d}" for name, day in now.items() if day}
    other = {"practice": "FAMILY", "stage": "MID", "gender": "UNSAID", "cap_year": "7", "cap_live": "2"}
    path = f"/north/supporters/{case.supporter.user_id}/"
    assert case.administrator.post(path, other | sent).status_code == 302


def by_file(case: Case, **dates: date) -> None:
    head, cells = ("email", *dates), (case.supporter.user.email, *(day.isoformat() for day in dates.values()))
    import_file(case.administrator, ",".join(head), ",".join(cells))


def import_file(client: Client, *lines: str) -> None:
    sent = SimpleUploadedFile("roster.csv", "\n".join(lines).encode())
    shown = client.post("/north/supporters/import/", {"file": sent}).text
    (sealed,) = re.findall(r'name="sealed" value="([^"]+)"', shown)
    assert client.post("/north/supporters/import/", {"sealed": sealed}).status_code == 302


def by_attendance(case: Case, trained_on: date) -> None:
    north, now = case.world.north, tenancy.now()
    for kind, ago in (("FOUNDATIONS", 12), ("PRACTICE", 9)):
        with site_scope(north.pk, now=now - 30 * DAY):
            plan = {"minutes": 90, "place": "Room", "link": "", "capacity": 9, "approval": ""}
            session = sessions.schedule(by=SYSTEM, kind=kind, starts_at=now - ago * DAY, **plan)
        seat = rows.seat(session, case.supporter.user, north)
        with site_scope(north.pk):
            attendance.note_attendance(session.pk, {seat.pk: 90}, by=line.administrator(case.world))


def by_signing(case: Case, agreement_until: date) -> None:
    with site_scope(case.world.north.pk):
        version = agreement.text().sha256
    assert case.own.post("/north/my/agreement/", {"version": version}).status_code == 302


@pytest.mark.parametrize(
    ("record", "column", "action"),
    [
        (by_form, "trained_on", "ROSTER"),
        (by_file, "trained_on", "ROSTER"),
        (by_attendance, "trained_on", "TRAINED"),
        (by_form, "agreement_until", "ROSTER"),
        (by_file, "agreement_until", "ROSTER"),
        (by_signing, "agreement_until", "SIGNED"),
    ],
)
def test_whichever_way_the_second_date_is_recorded_the_same_follows(
    case: Case, record: Callable[..., None], column: str, action: str
) -> None:
    (other,) = set(readiness.COLUMNS) - {column}
    with site_scope(case.world.north.pk):
        readiness.record(case.supporter, **{other: getattr(case, other)}, by=SYSTEM, action="FIRST")
    assert outcome(case).state == "PREPARING"
    record(case, **{column: getattr(case, column)})
    dates = case.trained_on, case.agreement_until
    assert outcome(case) == Outcome(
        state="ACTIVE",
        dates=dates,
        copied=dates,
        recruit="ACTIVE",
        months_of_training=[case.trained_on.replace(day=1)],
        agreements=[case.agreement_until],
        reminders=1,
        mails=1,
    )
    with site_scope(case.world.north.pk):
        entries = AuditEntry.objects.filter(object_kind="SUPPORTER", object_id=case.supporter.pk)
        assert list(entries.order_by("number").values_list("action", flat=True)) == ["FIRST", action]


def test_a_line_that_waited_for_its_person_has_the_same_followers(world: World, sign_in: SignIn) -> None:
    with site_scope(world.north.pk) as scope:
        today = localdate(scope.now)
    trained_on, until = today - 9 * DAY, agreement.a_year_after(today)
    cells = f"Dr New,new@example.ca,{trained_on},{until}"
    import_file(sign_in(world["north administrator"]), "name,email,trained_on,agreement_until", cells)
    with site_scope(world.north.pk):
        user = people.accept_invitation(Invitation.objects.get()).user
    with site_scope(world.north.pk):
        new = PeerSupporter.objects.get(user=user)
        assert (new.state, new.trained_on, new.agreement_until) == ("ACTIVE", trained_on, until)
        assert list(Fact.objects.filter(measure="TRAINED").values_list("month", flat=True)) == [
            trained_on.replace(day=1)
        ]
        assert list(Agreement.objects.filter(supporter=new).values_list("until", flat=True)) == [until]
        assert Due.objects.filter(kind=agreement.KIND).count() == 1
        entries = AuditEntry.objects.filter(object_kind="SUPPORTER", object_id=new.pk)
        assert list(entries.values_list("action", flat=True)) == ["ROSTER"]


def test_a_date_is_taken_away_with_what_followed_from_it(case: Case) -> None:
    with site_scope(case.world.north.pk):
        dates = {"trained_on": case.trained_on, "agreement_until": case.agreement_until}
        readiness.record(case.supporter, **dates, by=SYSTEM)
    with site_scope(case.world.north.pk):
        readiness.record(case.supporter, trained_on=None, agreement_until=None, by=SYSTEM)
    after = outcome(case)
    assert (after.dates, after.copied) == ((None, None), (None, None))
    assert after.agreements == [case.agreement_until, None]
    with site_scope(case.world.north.pk):
        measures = Fact.objects.filter(measure__endswith="TRAINED").values_list("measure", flat=True)
        assert sorted(measures) == ["-TRAINED", "TRAINED"]


# Nobody else writes these columns

APPS = ("psi", "sites", "training", "referrals", "matching", "tracker")
WRITERS = {"create", "get_or_create", "update_or_create", "update", "bulk_update", "PeerSupporter"}
# Where a column is named in a text: read, copied, or the heading of a file.
NAMED = {
    ("training/supporters/readiness.py", ""),
    ("training/supporters/readiness.py", "record"),
    ("training/supporters/lending.py", ""),  # COPIED: what `mirror` copies into another roster
    ("training/supporters/forms.py", "clean_trained_on"),
    ("training/commitment/agreement.py", "follow_readiness"),
    ("training/roster/files.py", ""),
    ("training/roster/imports.py", "_day"),
    ("training/roster/today.py", "rows"),
}


def functions(tree: ast.AST, name: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield (name of the function around it, node) for each node below."""
    for node in ast.iter_child_nodes(tree):
        yield name, node
        yield from functions(node, node.name if isinstance(node, ast.FunctionDef) else name)


def sources() -> Iterator[tuple[str, str, ast.AST]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                for function, node in functions(ast.parse(path.read_text())):
                    yield path.relative_to(ROOT).as_posix(), function, node


def test_only_record_assigns_the_columns_or_hands_them_to_a_query() -> None:
    assigned, passed, named = set(), set(), set()
    for path, function, node in sources():
        if isinstance(node, ast.Attribute) and node.attr in readiness.COLUMNS and not isinstance(node.ctx, ast.Load):
            assigned.add((path, function))
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in WRITERS and {word.arg for word in node.keywords} & set(readiness.COLUMNS):
                passed.add((path, function))
        if isinstance(node, ast.Constant) and node.value in readiness.COLUMNS:
            named.add((path, function))
    assert assigned == {("training/supporters/readiness.py", "record")}
    assert passed == set()
    assert named == NAMED


def test_no_form_of_a_model_has_the_columns_or_the_state() -> None:
    def below(form: type) -> Iterator[type]:
        for each in form.__subclasses__():
            yield each
            yield from below(each)

    ours = [form for form in below(forms.ModelForm) if form._meta.model is PeerSupporter]  # type: ignore[attr-defined]
    assert len(ours) == 3
    for form in ours:
        assert not {*readiness.COLUMNS, "state"} & set(form._meta.fields)  # type: ignore[attr-defined]
