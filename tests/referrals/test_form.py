"""Every option of the request form: where each answer goes, who may see it, and what no answer can break."""

import re
import uuid
from html import unescape
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils.timezone import localdate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.candidates import queries as candidates
from psi import tenancy, vault
from psi.tenancy import site_scope
from referrals.public import cached_form
from referrals.public.forms import RequestForm
from referrals.requests import transitions
from referrals.requests.identity import Identity, open_for_rules
from referrals.requests.models import FormKey, Referral, Source, Wish
from sites.engine import agenda
from sites.engine.models import AuditEntry, Fact, Notice
from tests import line
from tests.markup import flat
from tests.people import World, supporter
from tests.referrals.test_requests import GOOD, post, receipt
from training.supporters.models import Department, Evaluates, PeerSupporter
from training.supporters.self_description import described, set_description

EVERYTHING: dict[str, Any] = {
    "email": "robin@example.ca",
    "looking_for": "TALK",
    "stage": "MID",
    "ways": ["CALL", "EMAIL"],
    "times": ["EVENING", "WEEKEND"],
    "voicemail": "NO",
    "talk_in": "PUNJABI",
    "wishes": ["PARENT", "INDIGENOUS", "SPECIALTY"],
    "specialty": "SURGERY",
    "avoid_names": "Quill",
    "practice": "SPECIALIST",
    "source": "CMPA",
}


@pytest.fixture
def listed(world: World) -> PeerSupporter:
    """A supporter who agreed to be shown, beside one who did not."""
    return supporter(world.north, "Dr Pat van der Berg", published=True)


def only(world: World, at: str = "north") -> tuple[Referral, Identity]:
    with site_scope(getattr(world, at).pk):
        referral = Referral.objects.get()
        return referral, open_for_rules(referral)


def test_every_answer_arrives_where_it_belongs(world: World, listed: PeerSupporter) -> None:
    receipt(post("north", uuid.uuid4(), **EVERYTHING, avoid=[str(listed.pk)]))
    referral, identity = only(world)
    assert (referral.stage, referral.practice, referral.source) == ("MID", "SPECIALIST", "CMPA")
    assert identity == Identity(
        name="Robin Example",
        phone="604 555 0100",
        email="robin@example.ca",
        ways=("CALL", "EMAIL"),
        times=("EVENING", "WEEKEND"),
        voicemail="NO",
        talk_in="PUNJABI",
        wishes=("PARENT", "INDIGENOUS", "SPECIALTY"),
        specialty="SURGERY",
        avoid=(listed.pk,),
        avoid_names="Quill",
    )
    with site_scope(world.north.pk):
        assert list(Fact.objects.filter(measure="REQ_FROM").values_list("category", flat=True)) == [Source.CMPA]


def test_only_those_who_agreed_to_be_shown_can_be_chosen_and_only_at_their_site(
    world: World, listed: PeerSupporter
) -> None:
    assert "van der Berg" in Client().get("/north/request/").text
    for path in ("/south/request/", "/province/request/"):
        assert "van der Berg" not in Client().get(path).text
    hidden = world.supporters["north"].pk
    answer = post("north", uuid.uuid4(), avoid=[str(hidden)])
    assert (answer.status_code, "Choose from the list." in answer.text) == (422, True)


def test_outside_the_region_those_not_to_ask_are_known_by_surname(world: World, listed: PeerSupporter) -> None:
    """Chosen here, or evaluating the physician here, and in the province's roster as well."""
    with site_scope(world.north.pk):
        department = Department.objects.create(name="Surgery")
        Evaluates.objects.create(supporter=world.supporters["north"], department=department)
    twins = [supporter(world.province, name) for name in ("Pat van der Berg", "Dr Sam North", "Dr Sam Quill")]
    free = supporter(world.province, "Dr Pat Free")
    said = {"avoid": [str(listed.pk)], "departments": [str(department.pk)], "avoid_names": "Quill"}
    receipt(post("north", uuid.uuid4(), peer_from="OUTSIDE", **said))
    referral, identity = only(world, "province")
    assert (identity.avoid, identity.departments) == ((), ())
    with site_scope(world.province.pk):
        need = candidates.need_of(referral)
        found = candidates.assess_supporters(
            need, candidates.history_of(referral, need), PeerSupporter.objects.values_list("pk", flat=True)
        )
        judged = {c.peer.supporter_id: c.hard for c in found}
    assert {pk for pk, hard in judged.items() if hard} == {twin.pk for twin in twins}
    assert judged[free.pk] == []


def test_whom_not_to_ask_is_on_no_page_in_no_trail_and_in_no_mail(
    world: World, listed: PeerSupporter, sign_in: Any
) -> None:
    receipt(post("north", uuid.uuid4(), avoid=[str(listed.pk)], avoid_names="Dr Bumfuzzle"))
    referral, _identity = only(world)
    browser, path = sign_in(world["north administrator"]), f"/north/requests/{referral.ref}/"
    pages = [browser.get(path).text, browser.post(path).text, browser.get(f"{path}choose/").text]
    pages += [browser.get(f"/north/{page}/").text for page in ("today", "requests", "settings/audit", "figures")]
    assert [page for page in pages if "Bumfuzzle" in page] == []
    assert [page for page in pages if "van der Berg" in page] == [pages[2]]
    assert "Not for this request: Dr Pat van der Berg" in flat(pages[2])
    with site_scope(world.north.pk):
        assert {notice.kind for notice in Notice.objects.all()} == {"REQUEST"}
        assert not AuditEntry.objects.filter(object_kind="SUPPORTER").exists()


def test_a_record_sealed_before_these_questions_still_opens(world: World) -> None:
    referral = line.request(world.north)
    old = {"name": "Robin", "best_time": "after 7", "wishes": ["FRENCH"], "avoid_names": "Quill", "language": "en"}
    with site_scope(world.north.pk):
        referral.sealed = vault.seal(Referral.KIND, referral.pk, old)
        referral.save(update_fields=["sealed"])
        assert open_for_rules(referral) == Identity(
            name="Robin", best_time="after 7", wishes=("FRENCH",), avoid_names="Quill"
        )
        assert candidates.need_of(referral).wishes == ("FRENCH",)


def test_how_to_reach_is_shown_once_the_contact_details_are(world: World, sign_in: Any) -> None:
    said = {"ways": ("CALL", "TEXT"), "times": ("EVENING",), "voicemail": "NO", "talk_in": "FRENCH"}
    words = ("A call, A text message", "Evenings", "<dd>No</dd>", "<dd>French</dd>")

    def seen(page: str) -> list[bool]:
        return [word in page for word in words]

    for match, shown in ((line.accepted(world, **said), False), (line.confirmed(world, **said), True)):
        ref = line.fresh(match).referral.ref
        assert seen(sign_in(world["north supporter"]).get(f"/north/my/{ref}/").text) == [shown] * 4
        administrator = sign_in(world["north administrator"])
        assert seen(administrator.get(f"/north/requests/{ref}/").text) == [False] * 4
        assert seen(administrator.post(f"/north/requests/{ref}/").text) == [True] * 4


# What a supporter says of themselves


def test_a_supporter_describes_themselves_and_nobody_reads_it(world: World, sign_in: Any) -> None:
    own, client = world.supporters["north"], sign_in(world["north supporter"])
    said = {"gender": "NONBINARY", "speaks_french": "on", "traits": ["PARENT", "BLACK"], "languages": ["HINDI"]}
    assert client.post("/north/my/about/", said)["Location"] == "/north/my/"
    page = client.get("/north/my/about/").text
    assert sorted(re.findall(r'value="(\w+)"[^>]*checked', page)) == ["BLACK", "HINDI", "PARENT"]
    with site_scope(world.north.pk):
        own = PeerSupporter.objects.get(pk=own.pk)
        assert (own.gender, own.speaks_french) == ("NONBINARY", True)
        assert described([own]) == {own.pk: {"PARENT", "BLACK", "HINDI"}}
        assert b"PARENT" not in bytes(own.described or b"")
        assert not AuditEntry.objects.filter(purpose__in=["PARENT", "BLACK"]).exists()
    for who in ("north administrator", "north lead", "coordinator"):
        assert sign_in(world[who]).get("/north/my/about/").status_code in (403, 404)
    staff = sign_in(world["north administrator"])
    lists = [f"/north/supporters/{own.user_id}/", "/north/supporters/", "/north/figures/", "/north/settings/audit/"]
    for path in lists:
        assert not re.search("BLACK|PARENT|HINDI|A parent|Hindi", staff.get(path).text), path
    client.post("/north/my/about/", {"gender": "UNSAID"})
    with site_scope(world.north.pk):
        own.refresh_from_db()
        assert (own.described, own.speaks_french, described([own])) == (None, False, {})


def test_it_is_forgotten_when_they_leave(world: World, sign_in: Any) -> None:
    own = world.supporters["north"]
    with site_scope(world.north.pk):
        set_description(own, ["PARENT"])
    sign_in(world["north administrator"]).post(
        f"/north/supporters/{own.user_id}/",
        {"do": "leaves", "on": f"{localdate(tenancy.now()):%Y-%m-%d}"},
    )
    agenda.sweep()
    with site_scope(world.north.pk):
        own.refresh_from_db()
        assert (own.state, own.described) == ("LEFT", None)


def test_a_wish_goes_to_who_said_it_of_themselves(world: World, sign_in: Any) -> None:
    one = supporter(world.north, "Dr Zoe Fitting")
    with site_scope(world.north.pk):
        set_description(one, ["ABROAD", "TAGALOG"])
    referral = line.request(world.north, wishes=("ABROAD",), talk_in="TAGALOG")
    page = sign_in(world["north administrator"]).get(f"/north/requests/{referral.ref}/choose/").text
    assert page.index("Dr Zoe Fitting") < page.index("Dr Sam North")
    chips = ("as asked: Trained abroad", "speaks Tagalog, as asked", "not known: Trained abroad", "not known: Tagalog")
    assert [page.count(chip) for chip in chips] == [1] * 4
    assert "Hopes for: Trained abroad, To talk in Tagalog" in page
    plain = line.request(world.north)
    assert (
        "Trained abroad" not in sign_in(world["north administrator"]).get(f"/north/requests/{plain.ref}/choose/").text
    )


# What a peer is not the right help for


@pytest.mark.parametrize(("lang", "title"), [("en", "can help with this"), ("fr", "peut vous aider")])
def test_out_of_scope_comes_to_one_page_and_then_goes_on(world: World, lang: str, title: str) -> None:
    browser, key = Client(), uuid.uuid4()
    said = (
        GOOD
        | line.opened("/north/request/", key)
        | {"looking_for": "SUBSTANCE", "name": 'Zoé "O" <b>', "wishes": ["WOMAN", "PARENT"]}
    )
    page = browser.post(f"/north/request/?lang={lang}", said)
    assert (page.status_code, title in page.text, "tel:18006636729" in page.text) == (200, True, True)
    with site_scope(world.north.pk):
        assert (Referral.objects.count(), FormKey.objects.count()) == (0, 0)
    carried = _hidden(page.text)
    back = browser.post("/north/request/", carried | {"back": "1"})
    assert (back.status_code, 'value="Zoé &quot;O&quot; &lt;b&gt;"' in back.text, str(key) in back.text) == (
        200,
        True,
        True,
    )
    assert "Please check your answers" not in back.text
    first = receipt(browser.post("/north/request/", carried | {"go_on": "1"}))
    assert receipt(Client().post("/north/request/", carried | {"go_on": "1"})) == first
    _referral, identity = only(world)
    assert (identity.name, identity.wishes) == ('Zoé "O" <b>', ("WOMAN", "PARENT"))
    assert "SUBSTANCE" not in repr(identity)
    with site_scope(world.north.pk):
        assert not Fact.objects.filter(category="SUBSTANCE").exists()


def _hidden(page: str) -> dict[str, Any]:
    carried: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page):
        carried.setdefault(name, []).append(unescape(value))
    return carried


def test_someone_to_talk_with_and_no_answer_are_sent_at_once(world: World) -> None:
    for said in ({"looking_for": "TALK"}, {"looking_for": ""}, {}):
        receipt(post("north", uuid.uuid4(), **said))


def test_what_is_looked_for_is_not_kept_while_somebody_waits(world: World) -> None:
    browser = Client()
    said = GOOD | {"key": str(uuid.uuid4()), "looking_for": "ADVICE", "go_on": "1"}
    waits = browser.post("/north/request/", said)
    assert (waits.status_code, "ADVICE" in waits.text, 'value="Robin Example"' in waits.text) == (429, False, True)
    filled = browser.get("/north/request/").text
    assert ('value="Robin Example"' in filled, 'value="ADVICE" selected' in filled) == (True, False)


def test_spam_takes_back_who_suggested_it(world: World) -> None:
    referral = line.request(world.north, source="MSA")
    with site_scope(world.north.pk):
        assert (referral.source, Fact.objects.filter(measure="REQ_FROM").count()) == ("MSA", 1)
        transitions.mark_spam(referral, by=line.administrator(world))
    with site_scope(world.north.pk):
        assert set(Fact.objects.filter(category="MSA").values_list("measure", flat=True)) == {"REQ_FROM", "-REQ_FROM"}


def test_the_page_between_is_not_reached_with_a_form_that_waited_too_long(world: World) -> None:
    stale = post("north", uuid.uuid4(), Client(enforce_csrf_checks=True), looking_for="ADVICE")
    assert (stale.status_code, "Your form waited too long" in stale.text) == (403, True)


# Anything at all

FIELDS = [
    *GOOD,
    *EVERYTHING,
    "avoid",
    "departments",
    "key",
    "ready",
    "comment",
    "lang",
    "back",
    "go_on",
    "csrfmiddlewaretoken",
]
ANYTHING = st.one_of(
    st.text(st.characters(codec=None), max_size=40),
    st.sampled_from(["\0", "\ud800", "\x7f\u200b", "9" * 5000, "x" * 400, "<b>", "-1", "1e400", "WOMAN", "\u202e"]),
)
# What Django would say, in whatever language, of input it was never asked about.
RAW = re.compile("Null char|Select a valid|not one of the|Ensure this|This field|Enter a list|valid UUID|Surrogate")


ANY_FORM = st.dictionaries(st.sampled_from(FIELDS), st.lists(ANYTHING, max_size=4), max_size=8)
WITH_DATABASE = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=80, **WITH_DATABASE)  # type: ignore[arg-type]
@given(said=ANY_FORM)
def test_whatever_is_sent_is_answered_in_words_of_ours(in_north: Any, said: dict[str, list[str]]) -> None:
    posted = QueryDict(mutable=True)
    for name, value in (GOOD | {"key": str(uuid.uuid4())} | said).items():
        posted.setlist(name, [value] if isinstance(value, str) else value)
    form = RequestForm(posted, **cached_form.form_arguments(in_north))
    if form.is_valid():
        repr((form.answers(), form.identity(), form.consent_texts())).encode()
    assert not RAW.search(str(form.errors))


@settings(max_examples=12, **WITH_DATABASE)  # type: ignore[arg-type]
@given(said=ANY_FORM, french=st.booleans())
def test_whatever_is_sent_leaves_nothing_by_half(world: World, said: dict[str, list[str]], french: bool) -> None:
    posted: dict[str, Any] = GOOD | line.opened("/north/request/") | said
    lists = {name: [value] if isinstance(value, str) else value for name, value in posted.items()}
    body = "&".join(f"{name}={_percent(value)}" for name, values in lists.items() for value in values)

    def rows() -> list[int]:
        with site_scope(world.north.pk):
            return [model.objects.count() for model in (Referral, FormKey, Notice)]

    before = rows()
    path = f"/north/request/{'?lang=fr' * french}"
    answer = Client().generic("POST", path, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (200, 302, 422, 429)
    # What fills the trap is thanked and thrown away.
    sent = "receipt" in answer.cookies
    assert sent == (answer.status_code == 302 and not any(posted.get("comment", "")))
    assert rows() == [count + sent for count in before]
    if answer.status_code == 422:
        assert ("Vérifiez vos réponses" if french else "Please check your answers") in answer.text


def _percent(value: str) -> str:
    return "".join(f"%{byte:02X}" for byte in value.encode(errors="surrogatepass"))


@pytest.mark.parametrize("charset", ["unicode_escape", "utf-16", "utf-7", "no-such-thing"])
def test_a_strange_encoding_is_read_or_refused(world: World, charset: str) -> None:
    body = b"name=%5Cud800%00&avoid_names=%2BA-%FF%FE&wishes=%5Cudfff&key=1"
    answer = Client().generic(
        "POST", "/north/request/", body, content_type=f"application/x-www-form-urlencoded; charset={charset}"
    )
    assert answer.status_code in (400, 422)


@pytest.mark.expects_error_log
@pytest.mark.parametrize("what", ["fields", "bytes"])
def test_too_much_of_anything_is_refused_in_our_words(world: World, what: str) -> None:
    body = "&".join(["wishes=WOMAN"] * 5000) if what == "fields" else "name=" + "x" * 3_000_000
    answer = Client().generic("POST", "/north/request/?lang=fr", body, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, "Nous n’avons pas pu lire" in answer.text, "9-8-8" in answer.text) == (400, True, True)


def test_every_wish_is_on_the_form_and_none_asks_about_the_physician(world: World) -> None:
    page = flat(Client().get("/north/request/").text)
    assert [code for code in Wish.values if f'name="wishes" value="{code}"' not in page] == []
    assert not re.search(
        "suicid[^e]|in crisis|your gender|your race|orientation", page.split("<form")[1].split("<p")[0], re.I
    )
