"""Credits and pay: the arithmetic, claims in time, nobody approves their own, each is paid once, certificates verify."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.utils.timezone import get_current_timezone, localdate
from hypothesis import given
from hypothesis import strategies as st

from psi import tenancy
from psi.tenancy import site_scope
from sites.engine import agenda, spreadsheets
from sites.engine.models import AuditEntry, Notice
from sites.reference.models import Rate
from sites.tenants.models import Role
from tests import line, printed
from tests.markup import flat
from tests.people import World, member, supporter
from tests.refusals import refused
from tests.training.test_sessions import attend, come, plan
from training.credits import certificates, money
from training.credits import claims as pay
from training.credits.models import Batch, Certificate, Claim, ClaimEvent
from training.sessions.models import Enrolment, Session
from training.supporters.models import PeerSupporter

SignIn = Callable[[Any], Client]
HOURLY = Decimal("176.18")


# Arithmetic


@pytest.mark.parametrize(("minutes", "amount"), [(150, "440.45"), (90, "264.27"), (240, "704.72"), (0, "0.00")])
def test_the_amounts_of_the_program(minutes: int, amount: str) -> None:
    assert money.amount(minutes, HOURLY) == Decimal(amount)


@given(a=st.integers(0, 600), b=st.integers(0, 600), rate=st.decimals(min_value=1, max_value=9999, places=2))
def test_pay_grows_with_time_and_parts_differ_from_the_whole_by_a_cent_at_most(a: int, b: int, rate: Decimal) -> None:
    parts, whole = money.amount(a, rate) + money.amount(b, rate), money.amount(a + b, rate)
    assert abs(parts - whole) <= Decimal("0.01")
    assert money.amount(a, rate) <= whole
    assert whole == whole.quantize(Decimal("0.01"))


@given(attended=st.lists(st.tuples(st.sampled_from(Session.Kind.values), st.integers(0, 700)), max_size=6))
def test_credits_never_pass_what_is_approved(attended: list[tuple[str, int]]) -> None:
    credits = money.credits_in_all(attended)
    assert Decimal(0) <= credits <= Decimal("4.0")
    assert credits * 4 == int(credits * 4)
    hours = sum(Decimal(minutes) / 60 for kind, minutes in attended if kind in money.CREDITS)
    assert credits <= hours


def test_both_in_full_are_four_credits_and_fourteen_minutes_are_none() -> None:
    assert money.credits_in_all([("FOUNDATIONS", 150), ("PRACTICE", 90)]) == 4
    assert money.credits_in_all([("FOUNDATIONS", 180), ("FOUNDATIONS", 150)]) == Decimal("2.5")
    assert (money.credits_of("PRACTICE", 14), money.credits_of("PRACTICE", 89)) == (0, Decimal("1.25"))
    assert money.credits_of("DEBRIEF", 60) == 0


# Claims


def held(world: World, kind: str = "FOUNDATIONS", *, days: float = -9, minutes: int = 150) -> Session:
    """A session of the province that the supporter of the north attended in full."""
    session = plan(world.province, kind, days=days, minutes=minutes)
    come(session, world.province, world.supporters["north"], world.north)
    attend(world.province, session, drsam=minutes)
    return session


def press(client: Client, text: str, do: str = "claim") -> Any:
    """Press the first button of this kind on the statement."""
    found = re.findall(
        rf'name="at" value="(\w+)"><input type="hidden" name="number" value="(\d+)"[^>]*><button[^>]*value="{do}"',
        flat(text),
    )
    at, number = found[0]
    return client.post("/north/my/statement/", {"do": do, "at": at, "number": number})


def claims(world: World) -> list[Claim]:
    with site_scope(world.province.pk):
        return list(Claim.objects.order_by("pk"))


def test_from_attendance_to_a_batch_and_each_is_in_one(world: World, sign_in: SignIn) -> None:
    held(world), held(world, "PRACTICE", minutes=90)
    sam, cora = sign_in(world["north supporter"]), sign_in(world["coordinator"])
    text = sam.get("/north/my/statement/").content.decode()
    assert [words in text for words in ("Claim $440.45", "Claim $264.27", "4.00", "2.50 credits")] == [True] * 4
    press(sam, text)
    press(sam, text)
    press(sam, sam.get("/north/my/statement/").content.decode())
    assert [(each.amount, each.state) for each in claims(world)] in (
        [(Decimal("440.45"), "SUBMITTED"), (Decimal("264.27"), "SUBMITTED")],
        [(Decimal("264.27"), "SUBMITTED"), (Decimal("440.45"), "SUBMITTED")],
    )
    assert "2 claims wait for approval" in cora.get("/province/today/").content.decode()
    for each in claims(world):
        cora.post("/province/pay/", {"do": "approve", "claim": each.pk})
    assert "2 claims, $704.72 in all." in cora.get("/province/pay/").content.decode()
    for _ in range(2):
        cora.post("/province/pay/", {"do": "batch"})
    with site_scope(world.province.pk):
        (batch,) = Batch.objects.all()
        assert batch.total == Decimal("704.72")
    assert "Given to be paid" in sam.get("/north/my/statement/").content.decode()
    body = cora.get("/province/pay/batch-1.csv").content
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert sorted(row["amount"] for row in rows) == ["264.27", "440.45"]
    assert cora.get("/province/pay/batch-1.csv").content == body
    sheet = openpyxl.load_workbook(io.BytesIO(cora.get("/province/pay/batch-1.xlsx").content)).active
    assert [cell.value for cell in sheet[1]] == list(rows[0])
    with site_scope(world.province.pk):
        assert AuditEntry.objects.filter(action="EXPORT").count() == 3
        walked = ClaimEvent.objects.filter(claim=claims(world)[0]).order_by("pk").values_list("source", "target")
        assert list(walked) == [(None, "SUBMITTED"), ("SUBMITTED", "APPROVED"), ("APPROVED", "BATCHED")]


def test_two_batches_at_once_pay_each_claim_once(committed_world: World) -> None:
    world = committed_world
    held(world)
    with site_scope(world.province.pk):
        seat = Enrolment.objects.get()
        made = pay.claim(seat.pk, at=world.province, user_id=seat.user_id, by=line.helper(world))
        by = line.acting(world["coordinator"], "administrator")
        pay.approve(made.pk, by=by)

    def batch() -> Batch:
        with site_scope(world.province.pk):
            return pay.make_batch(by=by)

    answers = line.together(*[batch] * 8)
    assert line.kinds(answers) == {"Batch": 1, "Refused": 7}


def test_whoever_approves_is_never_who_is_paid(world: World, sign_in: SignIn) -> None:
    held(world)
    sam = world["north supporter"]
    member(world.province, Role.ADMINISTRATOR, "Dr Sam North", sam)
    client = sign_in(sam)
    press(client, client.get("/north/my/statement/").content.decode())
    assert "somebody else decides" in client.get("/province/pay/").content.decode()
    (made,) = claims(world)
    client.post("/province/pay/", {"do": "approve", "claim": made.pk})
    client.post("/province/pay/", {"do": "refuse", "claim": made.pk, "why": "PAID"})
    assert claims(world)[0].state == "SUBMITTED"


@pytest.mark.parametrize(
    ("days", "may", "said"), [(-59, True, ""), (-61, True, "Claim by"), (-91, False, "ninety days")]
)
def test_sixty_days_warn_and_ninety_stop(world: World, sign_in: SignIn, days: int, may: bool, said: str) -> None:
    # At noon of that day, for between two changes of clocks not every day has 24 hours.
    noon = datetime.combine(localdate(tenancy.now()) + timedelta(days=days), time(12), get_current_timezone())
    held(world, days=(noon - tenancy.now()) / timedelta(days=1))
    client = sign_in(world["north supporter"])
    text = client.get("/north/my/statement/").content.decode()
    assert ("Claim $" in text, said in text) == (may, True)
    with site_scope(world.province.pk):
        seat = Enrolment.objects.get()
    client.post("/north/my/statement/", {"do": "claim", "at": "province", "number": seat.pk})
    assert len(claims(world)) == may


def test_who_has_not_claimed_is_reminded_once_after_sixty_days(world: World) -> None:
    held(world, days=-1)
    for day in range(55, 70):
        agenda.sweep(now=tenancy.now() + timedelta(days=day))
    with site_scope(world.province.pk):
        assert Notice.objects.get(kind="CLAIM_SOON").recipient == world["north supporter"]


def test_the_rate_is_that_of_the_day_of_service(world: World, sign_in: SignIn) -> None:
    cora = sign_in(world["coordinator"])
    said = {"hourly": "200.00", "valid_from": f"{localdate(tenancy.now()) + timedelta(days=2):%Y-%m-%d}"}
    assert cora.post("/province/settings/rates/", said | {"valid_from": "2025-01-01"}).status_code == 422
    cora.post("/province/settings/rates/", said)
    assert pay.rate_on(date(2024, 4, 1)).hourly == HOURLY  # type: ignore[union-attr]
    assert pay.rate_on(date(2024, 3, 31)) is None
    assert pay.rate_on(localdate(tenancy.now()) + timedelta(days=3)).hourly == 200  # type: ignore[union-attr]
    assert Rate.objects.count() == 2


def test_a_correction_after_the_claim_is_seen_and_claimed_anew(world: World, sign_in: SignIn) -> None:
    session = held(world)
    sam, cora = sign_in(world["north supporter"]), sign_in(world["coordinator"])
    press(sam, sam.get("/north/my/statement/").content.decode())
    attend(world.province, session, drsam=120)
    (made,) = claims(world)
    assert "Attendance was corrected" in cora.get("/province/pay/").content.decode()
    cora.post("/province/pay/", {"do": "approve", "claim": made.pk})
    assert claims(world)[0].state == "SUBMITTED"
    cora.post("/province/pay/", {"do": "refuse", "claim": made.pk, "why": "ATTENDANCE"})
    text = sam.get("/north/my/statement/").content.decode()
    assert "Attendance is not as claimed" in text and "Claim $352.36" in text
    press(sam, text)
    assert (claims(world)[0].amount, claims(world)[0].state) == (Decimal("352.36"), "SUBMITTED")


def test_a_claim_can_be_withdrawn_and_nobody_claims_for_another(world: World, sign_in: SignIn) -> None:
    held(world)
    sam, other = sign_in(world["north supporter"]), sign_in(supporter(world.north, "Dr Otto North").user)
    press(sam, sam.get("/north/my/statement/").content.decode())
    (made,) = claims(world)
    for do, number in (("claim", made.enrolment_id), ("withdraw", made.pk)):
        answer = other.post("/north/my/statement/", {"do": do, "at": "province", "number": number})
        assert answer.status_code == 404
    press(sam, sam.get("/north/my/statement/").content.decode(), "withdraw")
    assert claims(world)[0].state == "WITHDRAWN"


def test_what_is_voluntary_is_not_paid(world: World) -> None:
    session = plan(world.north, "DEBRIEF", days=-3, minutes=60)
    come(session, world.north, world.supporters["north"], world.north)
    attend(world.north, session, drsam=60)
    with site_scope(world.north.pk):
        seat = Enrolment.objects.get()
        with refused("NOT_PAID"):
            pay.claim(seat.pk, at=world.north, user_id=seat.user_id, by=line.helper(world))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_cell_is_a_formula(cell: str) -> None:
    body = spreadsheets.file("x", "csv", ["name"], [[cell]]).content.decode("utf-8-sig")
    assert next(csv.DictReader(io.StringIO(body)))["name"] == f"'{cell}"


# Certificates


def verified(code: str, surname: str, path: str = "/verify/") -> tuple[int, str]:
    answer = Client().post(path, {"code": code, "surname": surname})
    return answer.status_code, answer.content.decode()


def test_the_certificate_says_what_ubc_asks_and_anyone_can_verify_it(world: World, sign_in: SignIn) -> None:
    session = held(world)
    held(world, "PRACTICE", minutes=90)
    client = sign_in(world["north supporter"])
    text = printed.words(client.get("/north/my/certificate/province.pdf").content)
    with site_scope(world.province.pk):
        (made,) = Certificate.objects.all()
    day = f"{localdate(session.starts_at):%Y}"
    for words in (
        "Certificate of attendance",
        "Provincial peer support",
        "Dr Who Comes",
        "Foundations",
        "Online",
        "CPD-7",
        "4.00 credits",
        "UBC Continuing Professional Development",
        "Signed for the program",
        day,
        f"{made.code[:4]} {made.code[4:8]} {made.code[8:]}",
    ):
        assert words in text, words
    client.get("/north/my/certificate/province.pdf")
    with site_scope(world.province.pk):
        assert Certificate.objects.count() == 1
    code, page = verified(f"{made.code[:4].lower()} {made.code[4:8]}-{made.code[8:]}", "comes")
    assert (code, "This certificate is valid." in page, "4.00 UBC CPD credits" in page) == (200, True, True)
    assert "Who" not in re.sub(r"<title>.*?</title>", "", page).split("<main")[1].split("</main")[0]
    wrong = made.code[:-1] + ("2" if made.code[-1] != "2" else "3")
    for typed, surname in ((wrong, "comes"), (made.code, "north"), (made.code, "who"), (made.code, "dr")):
        code, page = verified(typed, surname)
        assert (code, "No certificate has this code and surname" in page) == (422, True)
    assert "Ce certificat est valide." in verified(made.code, "Comes", "/verify/?lang=fr")[1]


def test_a_certificate_is_void_when_attendance_is_corrected_and_another_takes_its_place(
    world: World, sign_in: SignIn
) -> None:
    session = held(world)
    client = sign_in(world["north supporter"])
    client.get("/north/my/certificate/province.pdf")
    with site_scope(world.province.pk):
        first = Certificate.objects.get()
    attend(world.province, session, drsam=100)
    assert "not valid any more" in verified(first.code, "Comes")[1]
    assert "1.50 credits" in printed.words(client.get("/north/my/certificate/province.pdf").content)
    with site_scope(world.province.pk):
        assert list(Certificate.objects.order_by("pk").values_list("credits", flat=True)) == [
            Decimal("2.50"),
            Decimal("1.50"),
        ]


def test_without_attendance_there_is_no_certificate(world: World) -> None:
    with site_scope(world.north.pk), refused("NO_CREDITS"):
        certificates.issue(world["north supporter"].pk, at=world.north, by=line.helper(world))


def test_a_code_read_wrongly_is_known_by_its_check() -> None:
    for _ in range(50):
        code = certificates.new_code()
        assert certificates.read_code(code) == code
        for place in range(12):
            other = certificates.LETTERS[(certificates.LETTERS.index(code[place]) + 1) % len(certificates.LETTERS)]
            assert certificates.read_code(code[:place] + other + code[place + 1 :]) is None


def test_the_statement_as_a_file(world: World, sign_in: SignIn) -> None:
    held(world)
    body = sign_in(world["north supporter"]).get("/north/my/statement.csv").content.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(body))
    assert (row["hours"], row["credits"], row["pay"], row["claim"]) == ("2.50", "2.50", "440.45", "")
    with site_scope(world.north.pk):
        assert PeerSupporter.objects.count() == 1
