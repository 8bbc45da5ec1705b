"""The anonymous survey: one answer a request, and nothing in the database that leads from an answer to it."""

import itertools
import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from matching.invitations import transitions as matches
from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests.models import Consent, Referral, ReferralConsent
from referrals.requests.receipts import receipt_of
from sites.engine import agenda
from sites.engine.audit import SYSTEM
from sites.engine.models import Due, Fact
from sites.reference.queries import current_text
from tests import line, rows
from tests.people import World
from tests.tracker.test_rollups import counts, differences
from tracker.conversations import choices
from tracker.conversations.choices import MEASURES
from tracker.survey import transitions as survey
from tracker.survey.models import HeldAnswer, SurveyAnswer

ALL = dict.fromkeys(MEASURES, "YES")
# Every set of answers is another, so that each can be told from the rest.
SETS = [dict(zip(MEASURES, codes, strict=True)) for codes in itertools.product(("YES", "NO"), repeat=5)]
# What the rewriting writes, and none of it leads to a request: a fact, and the mark of a month.
BESIDE = {"tracker_surveyanswer", "sites_fact", "sites_due"}


def agree(referral_id: int) -> None:
    """The physician ticked on the form that they would like to be asked."""
    text = current_text(Consent.SURVEY, "en")
    ReferralConsent(referral_id=referral_id, purpose=Consent.SURVEY, text=text, given_at=tenancy.now()).save()


def ended(world: World, *, key: uuid.UUID | None = None, consent: bool = True, at: str = "north") -> Referral:
    """A request that was closed, with the consent to be asked or without."""
    site = getattr(world, at)
    referral = line.request(site, key=key)
    with site_scope(site.pk):
        if consent:
            agree(referral.pk)
        matches.close(referral.pk, Referral.Outcome.DECLINED, by=SYSTEM)
    return referral


def answer(referral: Referral, said: dict[str, str] = ALL) -> None:
    with site_scope(referral.site_id):
        survey.answer(referral.pk, said)


def held(world: World) -> int:
    with site_scope(world.north.pk):
        return HeldAnswer.objects.count()


class Physician:
    """Someone with a receipt, at the page of the five questions."""

    def __init__(self, key: uuid.UUID, site: Any) -> None:
        self.client, self.receipt = Client(), receipt_of(site.pk, key)

    def look(self, slug: str = "north") -> str:
        return self.client.post(f"/{slug}/status/", {"receipt": self.receipt}).text

    def send(self, said: dict[str, str], slug: str = "north", **more: str) -> Any:
        return self.client.post(f"/{slug}/status/survey/", {"receipt": self.receipt, "do": "send"} | said | more)


@pytest.fixture
def key() -> uuid.UUID:
    return uuid.uuid4()


@pytest.mark.xdist_group("races")
def test_fifty_posts_at_once_burn_one_right_and_hold_one_answer(committed_world: World, key: uuid.UUID) -> None:
    ended(committed_world, key=key)
    posts = [lambda: Physician(key, committed_world.north).send(ALL)] * 50
    answers = [found.text for found in line.together(*posts)]
    assert sum("Your answers are in." in text for text in answers) == 1
    assert sum("You have answered these questions already." in text for text in answers) == 49
    assert held(committed_world) == 1


def test_five_answered_at_once_are_rewritten_once_by_two_workers(committed_world: World) -> None:
    asked = [ended(committed_world) for _ in range(6)]
    line.together(*[lambda r=referral: answer(r) for referral in asked[:4]])
    agenda.sweep()
    assert held(committed_world) == 4
    assert not Due.objects.filter(kind=survey.KIND).exists()
    line.together(*[lambda r=referral: answer(r) for referral in asked[4:]], agenda.sweep)
    line.together(agenda.sweep, agenda.sweep)
    # Who waited too long for a row looks again later.
    line.rewind()
    agenda.sweep()
    north = committed_world.north
    with site_scope(north.pk):
        assert (HeldAnswer.objects.count(), SurveyAnswer.objects.count()) in {(0, 6), (1, 5)}
        rewritten = SurveyAnswer.objects.count()
        began = survey.quarter_start().date()
    told = {(month, measure): n for (month, measure, _), n in counts(north).items() if measure[:2] in ("SU", "SV")}
    assert told == dict.fromkeys(((began, m) for m in (survey.KIND, *MEASURES.values())), rewritten)
    assert differences(north) == []


def test_a_failure_loses_neither_the_right_nor_the_answer(world: World) -> None:
    referral = ended(world)
    with pytest.raises(ZeroDivisionError), site_scope(world.north.pk):
        survey.answer(referral.pk, ALL)
        raise ZeroDivisionError
    assert held(world) == 0
    answer(referral)
    assert held(world) == 1


def test_nothing_leads_from_an_answer_to_a_request(committed_world: World) -> None:
    north = committed_world.north
    asked = [ended(committed_world) for _ in range(12)]
    for referral, said in zip(asked, SETS, strict=False):
        answer(referral, said)
    before = set(_rows(north, "tracker_heldanswer", "id::text"))
    with site_scope(north.pk):
        by_key = list(HeldAnswer.objects.order_by("pk").values_list(*choices.MEASURES))
    agenda.sweep()
    assert _rows(north, "tracker_heldanswer", "id::text") == []
    # No key goes over, and the place of a row is neither that of its arrival nor that of its key.
    assert before.isdisjoint(_rows(north, "tracker_surveyanswer", "id::text"))
    placed = _rows(north, "tracker_surveyanswer", ", ".join(f"{name}::text" for name in MEASURES))
    arrived = [tuple(said.values()) for said in SETS[:12]]
    assert sorted(placed) == sorted(arrived) == sorted(by_key)
    assert placed != arrived
    assert placed != by_key
    # No fact stands beside the others of its answer.
    facts = _rows(north, "sites_fact", "measure, category", "WHERE measure LIKE 'SV%%' OR measure = 'SURVEY'")
    assert facts == sorted(facts)
    # No row of any other table was written in the transaction that wrote the answers.
    mine = set(_rows(north, "tracker_surveyanswer", "xmin::text"))
    burnt = set(_rows(north, "referrals_referral", "xmin::text"))
    assert len(mine) == 1
    assert len(burnt) == 12
    tables = _tables()
    assert {"referrals_referral", "referrals_referralevent", "sites_auditentry", "vault.key", *BESIDE} <= set(tables)
    same = {table for table in tables if mine & set(_rows(north, table, "xmin::text"))}
    assert same <= BESIDE
    assert "sites_fact" in same
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT kind FROM sites_due WHERE xmin::text = ANY(%s)", [list(mine)])
        assert {kind for (kind,) in cursor.fetchall()} <= {"ROLLUP"}


def test_no_key_and_no_time_of_day_stands_beside_an_answer(db: None) -> None:
    """Read from the catalogue: no reference but to the site, no sequence, no column beyond quarter and answers."""
    mine = ["tracker_heldanswer", "tracker_surveyanswer"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
            " AND (conrelid = ANY(%s::regclass[]) OR confrelid = ANY(%s::regclass[]))",
            [mine, mine],
        )
        assert sorted(cursor.fetchall()) == [(table, "sites_site") for table in mine]
        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL), pg_get_expr(adbin, adrelid) FROM pg_attribute"
            " LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
            " WHERE attrelid = ANY(%s::regclass[]) AND attnum > 0 AND NOT attisdropped",
            [mine],
        )
        columns = {("id", "uuid", None), ("site_id", "bigint", None), ("quarter", "date", None)}
        assert set(cursor.fetchall()) == columns | {(name, "character varying", None) for name in MEASURES}
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = ANY(%s::regclass[]) AND NOT tgisinternal"
            " AND tgname <> 'append_only'",
            [mine],
        )
        assert cursor.fetchone() == (0,)


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind = 'r' AND nspname IN ('public', 'vault')"
        )
        return [table for (table,) in cursor.fetchall()]


def _rows(site: Any, table: str, columns: str, where: str = "") -> list[Any]:
    """Return rows in the order in which they stand on the disk; of one column its values alone."""
    with site_scope(site.pk), connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} {where} ORDER BY ctid")
        return [row[0] if len(row) == 1 else row for row in cursor.fetchall()]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2027, 1, 1, 6, 59, tzinfo=UTC), date(2026, 10, 1)),
        (datetime(2027, 1, 1, 8, 0, tzinfo=UTC), date(2027, 1, 1)),
        (datetime(2027, 7, 1, 6, 59, tzinfo=UTC), date(2027, 4, 1)),
        (datetime(2027, 7, 1, 7, 0, tzinfo=UTC), date(2027, 7, 1)),
    ],
)
def test_the_quarter_is_that_of_the_rewriting_in_the_sites_calendar(world: World, at: datetime, expected: date) -> None:
    with site_scope(world.north.pk):
        HeldAnswer.objects.bulk_create(HeldAnswer(**said) for said in SETS[:5])
    with site_scope(world.north.pk, now=at):
        survey.rewrite([0])
    with site_scope(world.north.pk):
        assert set(SurveyAnswer.objects.values_list("quarter", flat=True)) == {expected}
        assert set(Fact.objects.values_list("month", flat=True)) == {expected}


def test_who_did_not_ask_for_it_or_withdrew_is_asked_nothing(world: World, key: uuid.UUID) -> None:
    ended(world, key=key, consent=False)
    robin = Physician(key, world.north)
    assert "Answer five questions" not in robin.look()
    assert "There are no questions for this request." in robin.send(ALL).text
    other = uuid.uuid4()
    match = line.contacted(world, key=other)
    with site_scope(world.north.pk):
        agree(match.referral_id)
    sam = Physician(other, world.north)
    assert "Answer five questions" not in sam.look()
    sealed = sam.look().split('name="sealed" value="')[1].split('"')[0]
    sam.client.post("/north/status/", {"sealed": sealed, "do": "withdraw"})
    assert "You withdrew this request." in sam.look()
    assert "Answer five questions" not in sam.look()
    assert "There are no questions for this request." in sam.send(ALL).text
    assert held(world) == 0


def test_the_page_from_the_receipt_to_the_thanks(world: World, key: uuid.UUID) -> None:
    """The supporter has finished, and nobody has closed the request yet."""
    referral = line.request(world.north, key=key)
    with site_scope(world.north.pk):
        agree(referral.pk)
    rows.match(referral, world.supporters["north"], "COMPLETED")
    robin = Physician(key, world.north)
    sealed = robin.look().split('name="sealed" value="')[1].split('"')[0]
    url = "/north/status/survey/"
    page = robin.client.post(url, {"sealed": sealed})
    assert (page.status_code, page.text.count('type="radio"'), " checked" in page.text) == (200, 15, False)
    assert "<title>Request</title>" in page.text and "/leave/" in page.text and "9-8-8" in page.text
    empty = robin.client.post(url, {"sealed": sealed, "do": "send"})
    assert (empty.status_code, "Answer at least one question" in empty.text) == (422, True)
    wrong = robin.client.post(url, {"sealed": sealed, "do": "send", "safe": "YES", "again": "MAYBE"})
    assert (wrong.status_code, wrong.text.count(" checked")) == (422, 1)
    # The page was left open too long: the receipt is asked for again, what was answered stays.
    stale = robin.client.post(url, {"sealed": "old", "do": "send", "safe": "YES", "again": "NO"})
    assert (stale.status_code, stale.text.count(" checked")) == (422, 2)
    assert "this page forgets your receipt after ten minutes" in stale.text
    unknown = robin.client.post(url, {"receipt": "1" * 16, "do": "send", "safe": "YES"})
    assert "We do not find this receipt." in unknown.text and unknown.text.count(" checked") == 1
    switched = robin.client.post(f"{url}?lang=fr", {"sealed": sealed, "lang": "fr", "safe": "NO"})
    assert (switched.status_code, switched.text.count(" checked")) == (200, 1)
    assert held(world) == 0
    sent = robin.send({"safe": "YES", "again": "NO"})
    assert (sent.status_code, "Your answers are in." in sent.text) == (200, True)
    assert "You have answered these questions already." in robin.send({"safe": "YES"}).text
    assert "You have answered the questions about it." in robin.look()
    assert robin.client.get(f"{url}?lang=fr")["Location"] == "/north/status/?lang=fr"
    with site_scope(world.north.pk):
        (row,) = HeldAnswer.objects.values(*MEASURES)
        assert row == dict.fromkeys(MEASURES, "UNSAID") | {"safe": "YES", "again": "NO"}


def test_it_is_answered_where_the_request_ended(world: World, key: uuid.UUID) -> None:
    referral = line.request(world.north, key=key, outside=True)
    with site_scope(world.province.pk):
        agree(referral.pk)
        matches.close(referral.pk, Referral.Outcome.ONWARD, by=SYSTEM)
    robin = Physician(key, world.north)
    assert "Answer five questions" in robin.look()
    assert "Your answers are in." in robin.send(ALL).text
    assert held(world) == 0
    with site_scope(world.province.pk):
        assert HeldAnswer.objects.count() == 1
