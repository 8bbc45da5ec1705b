"""Someone tells of a physician: one neutral offer, and nothing kept of who did not say yes."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from matching.invitations import transitions as matches
from matching.matches.models import Match
from psi import tenancy, vault
from psi.tenancy import site_scope
from referrals.reach_out import transitions as reach_out
from referrals.requests.identity import open_for_rules
from referrals.requests.models import (
    EventKind,
    FormKey,
    ReachOut,
    Referral,
    ReferralConsent,
    ReferralEvent,
    ReferralReason,
)
from referrals.requests.receipts import receipt_digest
from sites.engine import agenda, outbox
from sites.engine.models import AuditEntry, Due, Fact, Notice
from sites.tenants.models import Site
from tests import line, rows
from tests.markup import flat
from tests.people import World
from tests.refusals import refused

GOOD = {
    "notifier": "LEADER",
    "own_name": "Chief Example",
    "name": "Robin Example",
    "email": "robin@clinic.example.org",
    "phone": "",
}
State = Referral.State


def tell(agreed: str = "unknown", client: Client | None = None, site: str = "north", **said: Any) -> Any:
    path = f"/{site}/colleague/tell/"
    key = said.pop("key", None) or uuid.uuid4()
    return (client or Client()).post(f"{path}?agreed={agreed}", GOOD | line.opened(path, key) | said)


def offered(world: World, **said: Any) -> Referral:
    assert tell(**said).status_code == 302
    with site_scope(world.north.pk):
        return Referral.objects.get(state=State.AWAITING_CONSENT)


def page_of(referral: Referral) -> str:
    return f"/offer/{outbox.token(referral.site_id, ReachOut.KIND, referral.pk)}/"


def code_of(referral: Referral) -> str:
    with site_scope(referral.site_id):
        return reach_out.code_of(referral.pk)


def opened(client: Client, referral: Referral) -> dict[str, str]:
    """Type the code; return what the page then carries."""
    page = client.post(page_of(referral), {"code": code_of(referral)}).text
    return {"sealed": re.search(r'name="sealed" value="([^"]+)"', page).group(1)}


def offers_counted() -> list[str]:
    return sorted(Fact.objects.filter(measure="OFFER").values_list("category", flat=True))


def kept(world: World) -> dict[str, int]:
    """Return how many rows lead to any physician at the site, the vault's included."""
    models = (Referral, ReachOut, ReferralConsent, ReferralReason, ReferralEvent, Notice, Due)
    with site_scope(world.north.pk):
        found = {model.__name__: model.objects.filter(site_id=world.north.pk).count() for model in models}
        found["Due"] = Due.objects.filter(site_id=world.north.pk).exclude(kind__in=["ROLLUP", "NOTICE"]).count()
        with tenancy.connection.cursor() as cursor:
            for table in ("key", "blind"):
                cursor.execute(f"SELECT count(*) FROM vault.{table}")
                found[table] = cursor.fetchone()[0]
    return {name: count for name, count in found.items() if count}


# Told


def test_without_the_physicians_word_no_reason_and_no_stage_is_asked_or_kept(world: World, client: Client) -> None:
    for agreed in ("no", "unknown"):
        page = client.get(f"/north/colleague/tell/?agreed={agreed}").text
        assert re.findall(r'name="(\w+)"', page.split("<form", 1)[1]) == [
            *("csrfmiddlewaretoken", "ready", "comment", "key", "notifier", "notifier", "notifier", "notifier"),
            *("own_name", "name", "email", "phone"),
        ]
    referral = offered(world, event="DEATH", reasons=["EVENT"], stage="LATE", word="on", practice="FP")
    with site_scope(world.north.pk):
        told = ReachOut.objects.get()
        assert (referral.pathway, referral.event, referral.stage, referral.practice) == (
            *("REACH_OUT", None, "UNSAID"),
            "UNSAID",
        )
        assert (told.notifier, told.way) == ("LEADER", "MAIL")
        assert not ReferralReason.objects.exists() and not ReferralConsent.objects.exists()
        identity = open_for_rules(referral)
        said = {name: value for name, value in vars(identity).items() if value}
        assert said == {
            "name": "Robin Example",
            "email": "robin@clinic.example.org",
            "notifier": "Chief Example",
            "language": "en",
        }
        assert list(Fact.objects.values_list("measure", "category")) == [("OFFER", "OFFERED")]
        with pytest.raises(IntegrityError), transaction.atomic():
            Referral.objects.update(event=EventKind.DEATH)


def test_agreed_makes_a_request_by_the_notifiers_word(world: World) -> None:
    assert "Tick the box" in tell("yes").text
    assert tell("yes", word="on", event="DEATH").status_code == 302
    with site_scope(world.north.pk):
        referral, consent = Referral.objects.get(), ReferralConsent.objects.get()
        assert (referral.state, referral.pathway, referral.event) == ("OPEN", "REACH_OUT", "DEATH")
        assert (consent.purpose, consent.channel, consent.text.kind) == ("MATCH", "NOTIFIER", "NOTIFIED")
        assert set(Fact.objects.values_list("measure", "category")) == {
            ("REQUEST", "ALL"),
            ("REQ_PATH", "REACH_OUT"),
            ("REQ_REASON", "OTHER"),
            ("REQ_SET", "OUT_80"),
        }


def test_the_notifier_reads_one_page_whoever_the_physician_is(world: World) -> None:
    line.request(world.north, email="known@clinic.example.org")
    key = uuid.uuid4()
    answers = [
        tell(),
        tell(),
        tell("yes", word="on", email="known@clinic.example.org"),
        tell("no", email="", phone="604 555 0188", key=key),
        tell("no", email="", phone="604 555 0188", key=key),
    ]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/north/colleague/thanks/")}
    assert [dict(answer.cookies) for answer in answers] == [{}] * 5
    with site_scope(world.north.pk):
        assert (Referral.objects.count(), FormKey.objects.count()) == (3, 5)


def test_one_physician_gets_one_offer_and_none_beside_an_open_request(world: World) -> None:
    first = offered(world)
    tell(email="ROBIN@clinic.example.org", phone="604 555 0100")
    line.request(world.north, phone="(604) 555-0101", email="open@clinic.example.org")
    tell(email="", phone="+1 604 555 0101")
    tell("yes", word="on", email="open@clinic.example.org")
    with site_scope(world.north.pk):
        assert sorted(Referral.objects.values_list("state", flat=True)) == ["AWAITING", "OPEN"]
        assert offers_counted() == ["OFFERED"]
    # Who has agreed meanwhile is not asked by mail any more.
    tell("yes", word="on")
    with site_scope(world.north.pk):
        assert not Referral.objects.filter(pk=first.pk).exists()
        assert set(Referral.objects.values_list("state", "pathway")) == {("OPEN", "REACH_IN"), ("OPEN", "REACH_OUT")}
        assert not Notice.objects.filter(kind="OFFER_1").exists()


@pytest.mark.xdist_group("races")
def test_two_who_tell_of_one_physician_at_the_same_moment_make_one_offer(committed_world: World) -> None:
    answers = line.together(*[lambda: tell().status_code] * 8)
    assert answers == [302] * 8, line.kinds(answers)
    with site_scope(committed_world.north.pk):
        assert (Referral.objects.count(), Notice.objects.count()) == (1, 1)


def test_bad_input_keeps_what_was_typed_and_a_closed_door_leads_away(world: World, client: Client) -> None:
    answer = tell("yes", email="", phone="12", own_name="Chief", event="LEAVE", name="")
    assert answer.status_code == 422
    assert all(words in answer.text for words in ('value="Chief"', 'value="12"', '"LEAVE" selected', "Tick the box"))
    switched = client.post("/north/colleague/tell/?agreed=no&lang=fr", GOOD | {"lang": "fr"})
    assert 'value="Robin Example"' in switched.text and 'lang="fr"' in switched.text
    Site.objects.filter(pk=world.north.pk).update(reach_out=False)
    assert tell()["Location"] == "/north/colleague/"
    with site_scope(world.north.pk):
        assert not Referral.objects.exists()


def test_the_form_is_guarded_like_the_request_form(world: World) -> None:
    assert tell(comment="buy")["Location"] == "/north/colleague/thanks/"
    waits = tell(ready="")
    assert (waits.status_code, "Tell the program" in waits.text, "Robin Example" in waits.text) == (429, True, True)
    with site_scope(world.north.pk):
        assert not Referral.objects.exists()


def test_a_form_of_a_stranger_is_given_back_and_not_taken(world: World) -> None:
    assert tell(client=Client(enforce_csrf_checks=True)).status_code == 403
    with site_scope(world.north.pk):
        assert not Referral.objects.exists()


# The offer


def test_the_link_alone_shows_the_numbers_and_changes_nothing(world: World, client: Client) -> None:
    referral = offered(world)
    with site_scope(world.north.pk):
        link = outbox.locator(world.north.pk, ReachOut.KIND, referral.pk)
    before = kept(world)
    with site_scope(world.north.pk):
        rows_before = [list(model.objects.values()) for model in (Referral, ReachOut, ReferralEvent, AuditEntry)]
    for method in ("get", "head", "options"):
        for path in ("/" + link.split("/", 3)[3], page_of(referral)):
            getattr(client, method)(path)
    page = client.get(page_of(referral))
    assert "9-8-8" in page.text
    told = (*("Robin", "North", "Division", "peer", "Reach", "colleague", "clinic", "Chief"), referral.ref)
    assert [word for word in told if word.lower() in page.text.lower()] == []
    for posted in ({}, {"code": ""}, {"do": "yes"}, {"do": "no", "sealed": "x"}, {"lang": "fr"}):
        assert client.post(page_of(referral), posted).status_code == 422
    with site_scope(world.north.pk):
        rows_after = [list(model.objects.values()) for model in (Referral, ReachOut, ReferralEvent, AuditEntry)]
    assert rows_after == rows_before and kept(world) == before
    assert client.get("/offer/nonsense/").status_code == 404
    invitation = outbox.token(world.north.pk, "JOIN", referral.pk)
    assert client.get(f"/offer/{invitation}/").status_code == 404


def test_wrong_codes_are_counted_per_offer_and_then_only_a_call_answers_it(world: World, client: Client) -> None:
    referral = offered(world)
    for number in range(reach_out.MAX_WRONG_CODES):
        assert "This is not the code" in client.post(page_of(referral), {"code": f"{number:016}"}).text
    late = client.post(page_of(referral), {"code": code_of(referral)})
    assert (late.status_code, "This page takes no more codes" in late.text) == (422, True)
    with site_scope(world.north.pk):
        assert ReachOut.objects.get().wrong == reach_out.MAX_WRONG_CODES
        reach_out.accept_by_voice(referral.pk, by=line.administrator(world))
        assert ReferralConsent.objects.get().channel == "VOICE"


def test_yes_opens_the_request_in_the_language_shown_with_a_receipt(world: World, client: Client) -> None:
    referral = offered(world)
    page, sealed = page_of(referral) + "?lang=fr", opened(client, referral)
    wrong = client.post(page, sealed | {"do": "yes", "phone": "12"})
    assert (wrong.status_code, 'value="12"' in wrong.text) == (422, True)
    said = sealed | {"do": "yes", "phone": "604 555 0123", "stage": "LATE"}
    answers = [client.post(page, said).text for _ in range(2)]
    receipts = {re.sub(r"\D", "", re.search(r'class="receipt.*?</p>', flat(text)).group()) for text in answers}
    (receipt,) = receipts
    with site_scope(world.north.pk):
        referral = Referral.objects.get()
        assert (referral.state, referral.stage, referral.receipt_digest.tobytes()) == (
            *("OPEN", "LATE"),
            receipt_digest(receipt),
        )
        consent, identity = ReferralConsent.objects.get(), open_for_rules(referral)
        assert (consent.purpose, consent.channel, consent.text.language) == ("MATCH", "FORM", "fr")
        assert (identity.name, identity.phone, identity.email, identity.notifier, identity.language) == (
            *("Robin Example", "604 555 0123", "", ""),
            "fr",
        )
        # The business address is forgotten with the key under which it was remembered.
        assert vault.find(Referral.KIND, {"email": "robin@clinic.example.org"}) == []
        assert offers_counted() == ["OFFERED", "YES"]
        assert Fact.objects.filter(measure="REQUEST").count() == 1
        assert not Due.objects.filter(site_id=world.north.pk, kind=ReachOut.KIND).exists()
    status = client.post("/north/status/", {"receipt": receipt}).text
    assert "Looking for a peer" in status
    assert "answered, or has ended" in client.post(page_of(referral), sealed | {"do": "no"}).text


def test_yes_with_nothing_added_keeps_the_way_the_offer_came(world: World, client: Client) -> None:
    referral = offered(world)
    client.post(page_of(referral), opened(client, referral) | {"do": "yes"})
    with site_scope(world.north.pk):
        assert open_for_rules(Referral.objects.get()).email == "robin@clinic.example.org"


def test_no_erases_at_once_and_leaves_a_count(world: World, client: Client) -> None:
    referral = offered(world)
    answer = client.post(page_of(referral), opened(client, referral) | {"do": "no"})
    assert "erased" in answer.text
    assert kept(world) == {}
    with site_scope(world.north.pk):
        assert offers_counted() == ["NO", "OFFERED"]
    # Who comes back with the code is told that it has ended; a wrong code still tells nothing.
    assert "has ended" in client.post(page_of(referral), {"code": code_of(referral)}).text
    assert "This is not the code" in client.post(page_of(referral), {"code": "1" * 16}).text


def test_a_page_of_one_offer_does_not_answer_another(world: World, client: Client) -> None:
    first = offered(world)
    sealed = opened(client, first)
    tell(email="second@clinic.example.org")
    with site_scope(world.north.pk):
        second = Referral.objects.exclude(pk=first.pk).get()
    assert client.post(page_of(second), sealed | {"do": "no"}).status_code == 422
    with site_scope(world.north.pk):
        assert Referral.objects.count() == 2


def test_silence_is_reminded_once_and_then_erased(world: World, settings: Any, mailoutbox: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    offered(world)
    now = tenancy.now()
    for days in (0, 6, 8, 20):
        agenda.sweep(now=now + timedelta(days=days))
    assert [mail.to for mail in mailoutbox] == [["robin@clinic.example.org"]] * 2
    told = ("robin", "example d", "north", "peer", "support", "physician", "colleague", "médecin", "pair ", "chief")
    for mail in mailoutbox:
        text = f"{mail.subject} {mail.body} {mail.from_email}".lower()
        assert [word for word in told if word in text] == []
        assert len(set(re.findall(r"\d{4} \d{4} \d{4} \d{4}", mail.body))) == 1
    agenda.sweep(now=now + timedelta(days=31))
    assert kept(world) == {}
    with site_scope(world.north.pk):
        assert offers_counted() == ["OFFERED", "SILENT"]


def test_a_phone_number_alone_is_called_twice_and_then_left_alone(world: World, sign_in: Any) -> None:
    referral = offered(world, email="", phone="604 555 0177")
    admin = sign_in(world["north administrator"])
    assert "a call to make" in admin.get("/north/today/").text
    page = admin.get(f"/north/requests/{referral.ref}/").text
    assert all(words in page for words in ("They said yes", "They said no", "Not reached", "A medical leader"))
    assert "Robin" not in page and "Chief" not in page
    shown = admin.post(f"/north/requests/{referral.ref}/").text
    assert "Robin Example" in shown and "Chief Example" in shown
    answer = f"/north/requests/{referral.ref}/answer/"
    assert "One more call" in admin.post(answer, {"said": "missed"}, follow=True).text
    assert "a call to make" not in admin.get("/north/today/").text
    assert "noted already" in admin.post(answer, {"said": "missed"}, follow=True).text
    with site_scope(world.north.pk, now=tenancy.now() + timedelta(days=8)):
        reach_out.note_unanswered_call(referral.pk, by=line.administrator(world))
        assert reach_out.call_due(ReachOut.objects.get()) is None
        assert ReferralEvent.objects.filter(why="NOT_REACHED").count() == 2
    assert "Everything about it is erased" in admin.post(answer, {"said": "no"}, follow=True).text
    assert kept(world) == {}


def test_yes_on_the_phone_gives_a_receipt_to_read_out(world: World, sign_in: Any, client: Client) -> None:
    referral = offered(world, email="", phone="604 555 0177")
    admin = sign_in(world["north administrator"])
    answer = f"/north/requests/{referral.ref}/answer/"
    page = admin.post(answer, {"said": "yes"}).text
    receipt = re.sub(r"\D", "", "".join(re.findall(r"<span>([\d ]{9})</span>", page)))
    assert "Looking for a peer" in client.post("/north/status/", {"receipt": receipt}).text
    assert "has been answered" in admin.post(answer, {"said": "yes"}, follow=True).text
    agenda.sweep(now=tenancy.now() + timedelta(minutes=1))
    assert re.search(r"Answered with yes</th>\s*<td[^>]*>1<", admin.get("/north/figures/").text)


def test_nobody_is_asked_for_an_offer_and_it_cannot_be_closed(world: World, sign_in: Any) -> None:
    referral = offered(world)
    with site_scope(world.north.pk):
        with refused("NOT_OPEN"):
            matches.invite(referral.pk, world.supporters["north"].pk, by=line.administrator(world))
        with refused("MOVED_ON"):
            matches.close(referral.pk, "DECLINED", by=line.administrator(world))
    admin, page = sign_in(world["north administrator"]), f"/north/requests/{referral.ref}/"
    assert admin.get(f"{page}choose/")["Location"] == page
    text = admin.get(page).text
    assert "Close the request" not in text and "Choose a peer" not in text and "Career stage" not in text


# At first contact


def told_match(world: World) -> Match:
    tell("yes", word="on")
    with site_scope(world.north.pk):
        referral = Referral.objects.get()
    return rows.match(referral, world.supporters["north"], "CONFIRMED")


def test_the_peer_asks_again_before_contact_counts(world: World, sign_in: Any) -> None:
    match = told_match(world)
    peer, page = sign_in(world["north supporter"]), f"/north/my/{line.fresh(match).referral.ref}/"
    assert "This request came through a colleague." in peer.get(page).text
    refused = peer.post(f"{page}contacted/", follow=True).text
    assert "ask first" in refused and line.fresh(match).state == "CONFIRMED"
    peer.post(f"{page}contacted/", {"agreed": "yes"})
    with site_scope(world.north.pk):
        consent = ReferralConsent.objects.get()
        assert (line.fresh(match).state, consent.channel, consent.text.kind) == ("CONTACTED", "VOICE", "MATCH")


def test_not_wanted_at_first_contact_ends_it_at_once_and_seals_it(world: World, sign_in: Any) -> None:
    match = told_match(world)
    peer, ref = sign_in(world["north supporter"]), line.fresh(match).referral.ref
    assert "nobody contacts them again" in peer.post(f"/north/my/{ref}/unwanted/", follow=True).text
    ended = line.fresh(match)
    assert (ended.state, ended.referral.state) == ("REVOKED", "WITHDRAWN")
    admin = sign_in(world["north administrator"]).post(f"/north/requests/{ref}/").text
    assert "sealed or erased" in admin and "Robin" not in admin
    own = line.fresh(line.confirmed(world))
    again = peer.post(f"/north/my/{own.referral.ref}/unwanted/", follow=True).text
    assert "moved on" in again and line.fresh(own).state == "CONFIRMED"


# Settings, words of welcome


def test_under_fippa_reach_out_opens_only_after_a_deliberate_tick(world: World, sign_in: Any) -> None:
    Site.objects.filter(pk=world.north.pk).update(reach_out=False, law=Site.Law.FIPPA)
    admin = sign_in(world["north administrator"])
    said = {"is_open": "on", "reach_in": "on", "reach_out": "on", "privacy_officer": "Pat, 250 555 0100"}
    said |= {"time_zone": "America/Vancouver"}
    assert "This organization is under FIPPA" in admin.get("/north/settings/").text
    assert "Tick this once" in admin.post("/north/settings/", said).text
    assert not Site.objects.get(pk=world.north.pk).reach_out
    assert admin.post("/north/settings/", said | {"advised": "on"}).status_code == 302
    assert Site.objects.get(pk=world.north.pk).reach_out
    assert "under FIPPA" not in admin.get("/north/settings/").text


def test_words_of_welcome_are_in_both_languages_with_the_address(world: World, sign_in: Any) -> None:
    for who in ("north administrator", "north lead"):
        page = sign_in(world[who]).get("/north/welcome/").text
        assert all(words in page for words in ("You need no reason", "aucune raison", "/north/</p>"))
