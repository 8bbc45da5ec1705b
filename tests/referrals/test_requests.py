"""A physician asks: once, whatever the finger or the line does, and only where the form was told."""

import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from psi import tenancy, vault
from psi.tenancy import site_scope
from referrals.public.views import RECEIPT
from referrals.requests import transitions
from referrals.requests.identity import open_for_rules
from referrals.requests.models import FormKey, Referral, ReferralConsent, ReferralEvent, ReferralReason
from referrals.requests.receipts import receipt_digest, receipt_of
from referrals.tasks import forget_keys
from sites.engine.audit import broken_links
from sites.engine.models import AuditEntry, Due, Fact, Notice
from sites.engine.references import ALPHABET, reference
from sites.tenants.models import Site
from tests import line
from tests.markup import flat
from tests.people import World

GOOD = {
    "peer_from": "HERE",
    "name": "Robin Example",
    "phone": "604 555 0100",
    "reasons": ["BURNOUT", "COMPLAINT"],
    "agree_match": "on",
}


def post(site: str, key: uuid.UUID | str, client: Client | None = None, **said: Any) -> Any:
    path = f"/{site}/request/"
    hidden = line.opened(path, key) if isinstance(key, uuid.UUID) else {"key": key}
    return (client or Client()).post(path, GOOD | hidden | said)


def receipt(response: Any) -> str:
    """Return the receipt that travels sealed to the confirmation."""
    assert (response.status_code, response["Location"]) == (
        302,
        f"/{response.request['PATH_INFO'].split('/')[1]}/request/sent/",
    )
    return RECEIPT.open(response.cookies["receipt"].value, response.wsgi_request.site.pk)["receipt"]


# Once


@pytest.mark.xdist_group("races")
def test_fifty_identical_posts_make_one_request_and_show_one_receipt(committed_world: World) -> None:
    key = uuid.uuid4()
    answers = line.together(*[lambda: receipt(post("north", key))] * 50)
    assert set(answers) == {receipt_of(committed_world.north.pk, key)}, line.kinds(answers)
    with site_scope(committed_world.north.pk):
        assert Referral.objects.count() == FormKey.objects.count() == 1
        assert Notice.objects.count() == 1
        assert ReferralEvent.objects.count() == 1
        assert Fact.objects.filter(measure="REQUEST").count() == 1
        assert AuditEntry.objects.filter(action="RECEIVED").count() == 1
        assert Referral.objects.get().receipt_digest.tobytes() == receipt_digest(answers[0])


@pytest.mark.xdist_group("races")
def test_twenty_different_posts_make_twenty(committed_world: World) -> None:
    answers = line.together(*[lambda: receipt(post("north", uuid.uuid4()))] * 20)
    assert len(set(answers)) == 20, line.kinds(answers)
    with site_scope(committed_world.north.pk):
        assert Referral.objects.count() == 20
        assert len(set(Referral.objects.values_list("ref", flat=True))) == 20
        assert broken_links() == []
        assert AuditEntry.objects.count() == 20


@pytest.mark.xdist_group("races")
def test_the_same_form_sent_here_and_outside_at_once_makes_one(committed_world: World) -> None:
    """The key is claimed under the site of the URL, even when the request is the province's."""
    key = uuid.uuid4()
    answers = line.together(
        *[lambda: receipt(post("north", key)), lambda: receipt(post("north", key, peer_from="OUTSIDE"))] * 4
    )
    assert len(set(answers)) == 1, line.kinds(answers)
    counts = []
    for site in (committed_world.north, committed_world.province):
        with site_scope(site.pk):
            counts.append(Referral.objects.count())
    assert sorted(counts) == [0, 1]


def test_the_same_key_at_another_site_is_another_form(world: World) -> None:
    key = uuid.uuid4()
    assert receipt(post("north", key)) != receipt(post("south", key))
    for site in (world.north, world.south):
        with site_scope(site.pk):
            assert Referral.objects.count() == 1


def test_a_double_press_shows_the_receipt_again_after_a_change_of_mind(world: World) -> None:
    key = uuid.uuid4()
    assert receipt(post("north", key)) == receipt(post("north", key, name="Somebody Else"))
    with site_scope(world.north.pk):
        assert open_for_rules(Referral.objects.get()).name == "Robin Example"


def test_back_and_sent_again_shows_the_same_receipt(world: World) -> None:
    """The page Back leads to has another key; what was typed is the same."""
    client = Client()
    first = receipt(post("north", uuid.uuid4(), client))
    again = post("north", uuid.uuid4(), client)
    assert (again["Location"], dict(again.cookies)) == ("/north/request/sent/", {})
    assert first[:4] in client.get("/north/request/sent/").content.decode()
    other = receipt(post("north", uuid.uuid4(), client, name="Another Person"))
    assert other != first
    with site_scope(world.north.pk):
        assert Referral.objects.count() == 2


# The same person again


def test_the_request_page_says_who_may_be_the_same_person(world: World, sign_in: Any) -> None:
    first, second = (line.request(world.north, phone=phone) for phone in ("604 555 0100", "+1 (604) 555-0100"))
    for elsewhere in ({"site": world.south}, {"site": world.north, "outside": True}):
        line.request(phone="604 555 0100", **elsewhere)
    client, hint = sign_in(world["north administrator"]), "May be the same person as"

    def page(of: Referral) -> str:
        text = client.get(f"/north/requests/{of.ref}/").content.decode()
        assert "Robin" not in text
        return text.split(hint)[1].split("</p>")[0] if hint in text else ""

    assert re.findall(r"R-\w+", page(first)) == [str(second)]
    assert re.findall(r"R-\w+", page(second)) == [str(first)]
    assert page(line.request(world.north)) == ""
    with site_scope(world.north.pk):
        transitions.close(second, "DECLINED", by=line.administrator(world))
    assert (page(first), page(second)) == ("", "")


# A form that waited too long


def test_a_form_without_its_token_is_given_back_filled_and_makes_nothing(world: World) -> None:
    client, key, nasty = Client(enforce_csrf_checks=True), uuid.uuid4(), '"><script>alert(1)</script>'
    stale = post("north", key, client, name="Robin Example", avoid_names=nasty)
    page = stale.content.decode()
    assert (stale.status_code, "no-store" in stale["Cache-Control"]) == (403, True)
    assert "Your form waited too long. It is all still here; send it again." in page
    assert (nasty in page, 'value="&quot;&gt;&lt;script&gt;' in page, 'value="Robin Example"' in page) == (
        False,
        True,
        True,
    )
    # Nobody else may know the key of what is sent next.
    assert str(key) not in page
    with site_scope(world.north.pk):
        assert (Referral.objects.count(), FormKey.objects.count()) == (0, 0)
    fresh = dict(re.findall(r'name="(csrfmiddlewaretoken|key)" value="([^"]+)"', page))
    receipt(post("north", uuid.UUID(fresh["key"]), client, csrfmiddlewaretoken=fresh["csrfmiddlewaretoken"]))
    with site_scope(world.north.pk):
        assert Referral.objects.count() == 1


def test_what_was_typed_is_carried_to_the_province_when_the_door_closed_meanwhile(world: World) -> None:
    browser, key = Client(), uuid.uuid4()
    browser.get("/north/request/")
    Site.objects.filter(pk=world.north.pk).update(reach_in=False)
    closed = post("north", key, browser, name="Robin <b>")
    form = closed.text.split('action="/province/request/">')[1].split("</form>")[0]
    carried = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
    assert (carried["name"], carried["phone"], carried["lang"]) == ("Robin <b>", GOOD["phone"], "en")
    assert not {"key", "departments"} & set(carried)
    there = browser.post("/province/request/", carried)
    assert (there.status_code, 'value="Robin &lt;b&gt;"' in there.text) == (200, True)
    for site in (world.north, world.province):
        with site_scope(site.pk):
            assert not Referral.objects.exists()


@pytest.mark.parametrize("name", ["\u200b\u200b", " . ", "\u2060-"])
def test_a_name_nobody_can_be_asked_for_by_is_none(world: World, name: str) -> None:
    answer = post("north", uuid.uuid4(), name=name)
    assert (answer.status_code, "Enter a name. It may be one you made up." in answer.text) == (422, True)


# What is needed stands first


def test_what_is_optional_is_folded_away_until_something_is_in_it(world: World) -> None:
    def folds(**said: Any) -> list[bool]:
        page = post("north", uuid.uuid4(), name="", **said).content.decode()
        return ["open" in tag for tag in re.findall(r"<details([^>]*)>", page)]

    blank = flat(Client().get("/north/request/").content.decode())
    assert re.findall(r"<details([^>]*)>", blank) == [' class="fold"'] * 4
    before, after = blank.split("<details", 1)[0], blank.rsplit("</details>", 1)[1]
    named = re.compile(r'name="(\w+)"')
    assert set(named.findall(before.split("<form")[1])) == {
        "csrfmiddlewaretoken",
        "ready",
        "comment",
        "key",
        "peer_from",
        "name",
        "phone",
        "email",
        "notice",
        "reasons",
        "looking_for",
        "stage",
    }
    assert named.findall(after) == ["agree_match", "agree_province", "agree_survey"]
    assert folds(reasons=[]) == [False] * 4
    assert folds(reasons=[], wishes=["WOMAN"]) == [False, True, False, False]
    assert folds(stage="LATE") == [False] * 4
    assert folds(practice="FAMILY", times=["EVENING"]) == [True, False, False, True]
    assert folds(reasons=[], avoid_names="x" * 301) == [False, False, True, False]


# What is kept, and where


def test_what_was_said_stands_in_rows_and_who_said_it_in_the_vault(world: World) -> None:
    post(
        "north",
        uuid.uuid4(),
        email="robin@example.ca",
        stage="MID",
        wishes=["WOMAN"],
        avoid_names="Dr Gray",
        notice="on",
    )
    with site_scope(world.north.pk):
        referral = Referral.objects.get()
        assert (referral.state, referral.pathway, referral.stage) == ("OPEN", "REACH_IN", "MID")
        assert set(ReferralReason.objects.values_list("reason", flat=True)) == {"BURNOUT", "COMPLAINT"}
        assert set(ReferralConsent.objects.values_list("purpose", flat=True)) == {"MATCH"}
        identity = open_for_rules(referral)
        assert (identity.name, identity.email, identity.wishes) == ("Robin Example", "robin@example.ca", ("WOMAN",))
        assert identity.notice
        assert set(vault.blinds("REFERRAL", referral.pk)) == {"email", "phone"}
        facts = set(Fact.objects.values_list("measure", "category"))
    assert facts == {
        ("REQUEST", "ALL"),
        ("REQ_PATH", "REACH_IN"),
        ("REQ_REASON", "BURNOUT"),
        ("REQ_REASON", "COMPLAINT"),
        ("REQ_SET", "IN_12"),
    }


def test_outside_my_region_leaves_the_local_site_with_a_key_and_nothing_else(world: World) -> None:
    post("north", uuid.uuid4(), peer_from="OUTSIDE", departments=[])
    with site_scope(world.north.pk):
        assert (Referral.objects.count(), Fact.objects.count(), Notice.objects.count()) == (0, 0, 0)
        assert (AuditEntry.objects.count(), FormKey.objects.count()) == (0, 1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT (SELECT count(*) FROM vault.key) + (SELECT count(*) FROM vault.blind)")
            assert cursor.fetchone() == (0,)
    with site_scope(world.province.pk):
        assert Referral.objects.get().home == world.north
        assert set(ReferralConsent.objects.values_list("purpose", flat=True)) == {"MATCH", "PROVINCE"}
        assert [n.recipient for n in Notice.objects.all()] == [world["coordinator"]]
    assert set(Due.objects.values_list("site_id", flat=True)) == {world.province.pk}


def test_the_receipt_is_not_stored(world: World) -> None:
    digits = receipt(post("north", uuid.uuid4())).replace(" ", "")
    with site_scope(world.north.pk):
        stored = Referral.objects.get().receipt_digest.tobytes()
    assert len(stored) == 32
    assert digits.encode() not in stored
    assert int(digits).to_bytes(8, "big") not in stored


def test_a_receipt_depends_on_the_index_key_the_site_and_the_form(settings: Any) -> None:
    key = uuid.UUID(int=7)
    here = receipt_of(1, key)
    assert re.fullmatch(r"\d{4} \d{4} \d{4} \d{4}", here)
    assert receipt_of(1, key) == here
    assert len({here, receipt_of(2, key), receipt_of(1, uuid.UUID(int=8))}) == 3
    settings.PSI_INDEX_KEY = "another"
    assert receipt_of(1, key) != here


def test_after_the_secret_key_was_changed_receipts_and_the_same_person_are_still_found(
    world: World, settings: Any
) -> None:
    key = uuid.uuid4()
    first = line.request(world.north, key=key, email="robin@example.ca")
    settings.SECRET_KEY = "s" * 50
    answer = Client().post("/north/status/", {"receipt": receipt_of(world.north.pk, key)})
    assert "Looking for a peer" in answer.content.decode()
    second = line.request(world.north, email="Robin@example.ca")
    with site_scope(world.north.pk):
        assert vault.same_person("REFERRAL", second.pk) == [first.pk]


@pytest.mark.parametrize(
    "typed", ["1234567890123456", "1234 5678 9012 3456", " 1234-5678-9012-3456 ", "1234.5678–9012 3456"]
)
def test_a_receipt_may_be_typed_in_any_spelling(typed: str) -> None:
    assert receipt_digest(typed) == receipt_digest("1234 5678 9012 3456")


@pytest.mark.parametrize("typed", ["", "1234", "1234 5678 9012 345x", "1" * 17, "١٢٣٤" * 4])
def test_what_is_no_receipt_is_none(typed: str) -> None:
    assert receipt_digest(typed) is None


# Bad input


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"name": ""}, "Enter a name. It may be one you made up."),
        ({"phone": ""}, "Enter a phone number or an email address"),
        ({"phone": "call me"}, "Enter a phone number, such as 604 555 0123."),
        ({"phone": "12345"}, "This phone number is too short"),
        ({"email": "robin@"}, "Enter an email address such as name@example.ca."),
        ({"peer_from": ""}, "Choose where your peer should come from."),
        ({"agree_match": ""}, "Tick the box to agree to be matched and contacted."),
        ({"wishes": ["WOMAN", "FRENCH", "STAGE", "SPECIALTY"]}, "Choose at most three wishes."),
        ({"phone": "5" * 31}, "Keep this to 30 characters."),
        ({"email": "x" * 121}, "Keep this to 120 characters."),
        ({"voicemail": "PERHAPS"}, "Choose from the list."),
        ({"phone": "", "email": "robin@example.ca", "ways": ["TEXT"]}, "Add a phone number above, or choose email"),
        ({"ways": ["CALL", "EMAIL"]}, "Add an email address above, or choose another way."),
    ],
)
def test_bad_input_gets_a_sentence_keeps_what_was_typed_and_writes_nothing(
    world: World, said: dict[str, Any], sentence: str
) -> None:
    answer = post("north", uuid.uuid4(), avoid_names="Kept Words", **said)
    page = answer.content.decode().replace("&#x27;", "'")
    assert answer.status_code == 422
    assert sentence in page
    assert "Kept Words" in page
    with site_scope(world.north.pk):
        assert (Referral.objects.count(), FormKey.objects.count(), Notice.objects.count()) == (0, 0, 0)


def test_nonsense_in_closed_lists_is_refused(world: World) -> None:
    for said in ({"reasons": ["<b>"]}, {"stage": "EXPERT"}, {"departments": ["999"]}, {"key": "no"}):
        departments = "departments" in said
        answer = post("north", said.get("key", uuid.uuid4()), **{k: v for k, v in said.items() if k != "key"})
        assert answer.status_code == (302 if departments else 422), said
    with site_scope(world.north.pk):
        # The site has no departments, so the field was not on its form.
        assert [open_for_rules(r).departments for r in Referral.objects.all()] == [()]


# References


def test_references_never_repeat_and_do_not_tell_the_order() -> None:
    codes = [reference(number) for number in range(50_000)]
    assert len(set(codes)) == 50_000
    assert {len(code) for code in codes} == {4}
    assert set("".join(codes)) == set(ALPHABET)
    assert codes[:2000] != sorted(codes[:2000])
    assert len(reference(31**4)) == 5


def test_a_forms_key_holds_for_thirty_days_and_is_then_forgotten(world: World) -> None:
    key = uuid.uuid4()
    line.request(world.north, key=key, now=tenancy.now() - timedelta(days=29, hours=23))
    line.request(world.south, now=tenancy.now() - timedelta(days=30, hours=1))
    forget_keys()
    line.request(world.north, key=key)
    with site_scope(world.north.pk):
        assert (Referral.objects.count(), FormKey.objects.count()) == (1, 1)
    with site_scope(world.south.pk):
        assert (Referral.objects.count(), FormKey.objects.count()) == (1, 0)
