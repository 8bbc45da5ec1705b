"""Mail: written with the move, asked again before it goes, sent once, and never a word too many."""

import base64
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.template import TemplateDoesNotExist

from matching.invitations import transitions
from matching.matches.models import Match
from psi import tenancy, vault
from psi.tenancy import site_scope
from referrals.requests import transitions as referral_moves
from referrals.requests.models import Reason, Referral
from referrals.requests.notices import address_of
from sites.engine import agenda, outbox
from sites.engine.audit import SYSTEM
from sites.engine.models import Due, Notice
from sites.people import transitions as people
from sites.tenants.models import Profile, Role, Site
from tests import line
from tests.people import World, member, supporter
from tests.people import site as new_site
from tests.smtp_sink import Sink
from tests.training.test_sessions import seat
from training.commitment import agreement
from training.commitment.models import Agreement
from training.supporters.models import PeerSupporter


def notices(site: Site) -> list[tuple[str, str]]:
    """Return (kind, what became of it) of the site's notices, oldest first."""
    with site_scope(site.pk):
        return [
            (n.kind, "sent" if n.sent_at else "dropped" if n.dropped_at else "waits")
            for n in Notice.objects.order_by("pk")
        ]


def waiting(site: Site) -> list[tuple[int, bool]]:
    """Return (attempts, parked) of the site's mail that is still to go."""
    rows = Due.objects.filter(site=site, kind=outbox.DUE).order_by("object_id")
    return list(rows.values_list("attempts", "parked"))


def three_administrators(world: World) -> None:
    for name in ("bea", "cid"):
        member(world.north, Role.ADMINISTRATOR, f"{name} North")


A, B, C = "ada.north@north.example.org", "bea.north@north.example.org", "cid.north@north.example.org"


# Written with the move


def test_a_notice_is_written_with_the_move_and_due_at_once(world: World) -> None:
    line.request(world.north)
    assert notices(world.north) == [("REQUEST", "waits")]
    with site_scope(world.north.pk):
        notice = Notice.objects.get()
        assert notice.recipient == world["north administrator"]
    assert list(Due.objects.filter(kind=outbox.DUE).values_list("site_id", "object_id")) == [
        (world.north.pk, notice.pk)
    ]


def test_none_is_written_when_the_move_is_taken_back(world: World) -> None:
    with pytest.raises(ZeroDivisionError), site_scope(world.north.pk):
        line.request(world.north)
        assert Notice.objects.count() == 1
        raise ZeroDivisionError
    assert notices(world.north) == []
    assert waiting(world.north) == []


def test_asking_twice_writes_one(world: World) -> None:
    referral = line.request(world.north)
    with site_scope(world.north.pk):
        outbox.enqueue("REQUEST", [(referral.pk, world["north administrator"].pk)] * 2)
        outbox.enqueue("REQUEST", [])
        assert Notice.objects.count() == 1


def test_a_mail_nobody_registered_is_refused_at_once(in_north: Site) -> None:
    with pytest.raises(LookupError, match="No mail is registered for NONSENSE"):
        outbox.enqueue("NONSENSE", [(1, 1)])


# Asked again


def test_an_invitation_taken_back_in_the_meantime_is_not_sent(world: World, sink: Sink) -> None:
    match = line.invited(world)
    with site_scope(world.north.pk):
        transitions.revoke(match.pk, by=line.administrator(world))
    agenda.sweep()
    assert notices(world.north) == [("REQUEST", "sent"), ("INVITED", "dropped"), ("RELEASED", "sent")]
    assert sink.to() == sorted([A, world["north supporter"].email])
    assert waiting(world.north) == []


def test_someone_whose_account_is_closed_gets_nothing(world: World, sink: Sink) -> None:
    line.request(world.north)
    type(world["stranger"]).objects.filter(pk=world["north administrator"].pk).update(is_active=False)
    agenda.sweep()
    assert (notices(world.north), sink.mails) == ([("REQUEST", "dropped")], [])


def test_a_notice_that_was_sent_is_not_sent_again(world: World, sink: Sink) -> None:
    line.request(world.north)
    agenda.sweep()
    with site_scope(world.north.pk):
        agenda.schedule(outbox.DUE, [Notice.objects.get().pk], tenancy.now())
    agenda.sweep()
    assert (sink.to(), waiting(world.north)) == ([A], [])


# To someone without an account


@pytest.fixture
def told(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A kind of mail to the physician of a request, with a code in its words and a public page behind its link."""
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "told.txt").write_text("A code\n{{ code }}\n{{ link }}")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path]}]
    kind = outbox.MailKind(
        "told",
        "TOLD",
        still_true=set,
        words=lambda referral_id: {"code": vault.digits("told", tenancy.current_site_id(), referral_id)},
        address=address_of,
    )
    monkeypatch.setitem(outbox._kinds, "TOLD", kind)
    monkeypatch.setitem(outbox._links, "TOLD", lambda referral_id: f"/north/status/#{referral_id}")
    monkeypatch.setattr(outbox, "_public", outbox._public | {"TOLD"})
    return "TOLD"


def test_a_physician_gets_mail_at_the_address_in_the_vault(
    world: World, sink: Sink, client: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    referral = line.request(world.north, email="robin@clinic.example.org")
    with site_scope(world.north.pk):
        outbox.enqueue(told, [(referral.pk, None)] * 2)
        outbox.enqueue(told, [(referral.pk, None)])
    sink.say = lambda to: "450" if to.startswith("robin") else "ok"
    agenda.sweep()
    line.rewind()
    sink.say = lambda to: "ok"
    agenda.sweep()
    (mail,) = [mail for mail in sink.mails if mail.to == "robin@clinic.example.org"]
    code = re.search(r"\d{4} \d{4} \d{4} \d{4}", mail.text)
    with site_scope(world.north.pk):
        stored = str([list(model.objects.values()) for model in (Notice, Due)]).replace(" ", "")
        assert code is not None and code[0] == vault.digits("told", world.north.pk, referral.pk)
        assert code[0].replace(" ", "") not in stored and "robin" not in stored
    assert "robin" not in caplog.text and "Mail" not in caplog.text
    # Its link opens without a sign-in, and needs the same row to be there.
    link = re.search(r"/go/\S+", mail.text.replace("=\n", ""))
    assert link is not None
    assert client.get(link[0])["Location"] == f"/north/status/#{referral.pk}"


@pytest.mark.parametrize("gone", ["no address", "withdrawn", "erased", "key destroyed"])
def test_a_physician_who_is_not_to_be_reached_gets_nothing_and_nothing_is_parked(
    world: World, sink: Sink, told: str, gone: str
) -> None:
    referral = line.request(world.north, email="" if gone == "no address" else "robin@clinic.example.org")
    with site_scope(world.north.pk):
        outbox.enqueue(told, [(referral.pk, None)])
        if gone == "withdrawn":
            referral_moves.withdraw(referral_moves.lock(referral.pk), by=SYSTEM)
        elif gone == "erased":
            referral_moves.erase([referral.pk])
        elif gone == "key destroyed":
            vault.shred(Referral.KIND, [referral.pk])
    agenda.sweep()
    assert ("TOLD", "dropped") in notices(world.north)
    assert [mail.to for mail in sink.mails if mail.to != A] == []
    assert waiting(world.north) == []


def test_who_asked_to_be_told_gets_one_short_mail_for_each_confirmed_match(world: World, sink: Sink) -> None:
    at = tenancy.now().replace(year=2027, month=7, day=6, hour=20, minute=30)
    match = line.confirmed(world, now=at, email="robin@clinic.example.org", notice=True)
    agenda.sweep(now=at)
    agenda.sweep(now=at)
    (mail,) = [mail for mail in sink.mails if mail.to == "robin@clinic.example.org"]
    halves = str(mail.message.get_payload()).split("-" * 40)
    assert [" ".join(half.split()) for half in halves] == [
        "Someone will be in touch by Friday 9 July, 13:30. You asked for this message. There is nothing to answer.",
        "On communiquera avec vous d’ici le vendredi 9 juillet, 13:30."
        " Vous avez demandé ce message. Il n’y a rien à répondre.",
    ]
    # Handed on before the next sweep, or in contact already: what was promised is not true any more.
    second = line.confirmed(world, "south", email="sasha@clinic.example.org", notice=True)
    with site_scope(second.site_id):
        transitions.record_contact(second.pk, by=line.helper(world, "south"))
    line.confirmed(world, "south", email="kim@clinic.example.org")
    agenda.sweep()
    assert [what for kind, what in notices(world.north) if kind == "FOUND"] == ["sent"]
    assert [what for kind, what in notices(world.south) if kind == "FOUND"] == ["dropped"]
    assert [mail.to for mail in sink.mails if "clinic" in mail.to] == ["robin@clinic.example.org"]
    assert match.state == Match.State.CONFIRMED


# A server in trouble


def test_a_server_that_is_away_parks_nothing_and_all_goes_out_when_it_is_back(world: World, sink: Sink) -> None:
    three_administrators(world)
    line.request(world.north)
    sink.down()
    for _ in range(agenda.ATTEMPTS + 2):
        agenda.sweep()
        line.rewind()
    assert waiting(world.north) == [(agenda.ATTEMPTS + 2, False)] * 3
    sink.up()
    agenda.sweep()
    assert (sink.to(), waiting(world.north)) == ([A, B, C], [])
    assert set(sink.times().values()) == {1}


@pytest.mark.expects_error_log
def test_an_address_that_is_refused_for_good_is_parked_and_the_others_are_not_delayed(
    world: World, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    three_administrators(world)
    sink.say = lambda to: "550" if to == A else "ok"
    line.request(world.north)
    agenda.sweep()
    assert (sink.to(), waiting(world.north)) == ([B, C], [(1, False)])
    for _ in range(agenda.ATTEMPTS - 1):
        line.rewind()
        agenda.sweep()
    assert waiting(world.north) == [(agenda.ATTEMPTS, True)]
    line.rewind(where="true")
    agenda.sweep()
    assert sink.tried.count(A) == agenda.ATTEMPTS
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == [
        f"1 of NOTICE at site {world.north.pk} parked after 8 attempts"
    ]


def test_an_address_that_is_refused_for_now_waits_however_long_it_takes(world: World, sink: Sink) -> None:
    three_administrators(world)
    sink.say = lambda to: "450" if to == B else "ok"
    line.request(world.north)
    agenda.sweep()
    assert sink.to() == [A, C]
    for _ in range(agenda.ATTEMPTS + 2):
        line.rewind()
        agenda.sweep()
    assert [parked for _, parked in waiting(world.north)] == [False]
    sink.say = lambda to: "ok"
    line.rewind()
    agenda.sweep()
    assert (sink.to(), waiting(world.north)) == ([A, B, C], [])


@pytest.mark.parametrize("trouble", ["drop", "421", "hang"])
def test_a_mail_that_breaks_the_connection_delays_no_other(world: World, sink: Sink, trouble: str) -> None:
    three_administrators(world)
    sink.say = lambda to: trouble if to == A else "ok"
    line.request(world.north)
    agenda.sweep()
    assert (sink.to(), waiting(world.north)) == ([B, C], [(1, False)])
    sink.say = lambda to: "ok"
    line.rewind()
    agenda.sweep()
    assert (sink.to(), waiting(world.north)) == ([A, B, C], [])


def test_every_attempt_carries_the_same_message_id(world: World, sink: Sink) -> None:
    line.request(world.north)
    seen: list[str] = []
    with site_scope(world.north.pk):
        expected = f"<{Notice.objects.get().message_id}@localhost>"
    # The server keeps the message and hangs up before it says so: this is how doubles are made.
    sink.delay = 1.5
    agenda.sweep()
    time.sleep(0.8)
    seen += [mail.message_id for mail in sink.mails]
    sink.delay = 0
    line.rewind()
    agenda.sweep()
    assert [mail.message_id for mail in sink.mails] == [expected, expected]
    assert seen == [expected]


def test_a_server_that_never_greets_makes_all_wait_and_a_window_is_on_time(world: World, sink: Sink) -> None:
    at = tenancy.now()
    match = line.confirmed(world, now=at - timedelta(hours=73))
    line.request(world.south)
    sink.silent = True
    began = time.monotonic()
    agenda.sweep()
    assert time.monotonic() - began < 8
    assert line.fresh(match).window_step == 3
    assert sink.mails == []
    assert {parked for site in (world.north, world.south) for _, parked in waiting(site)} == {False}
    sink.silent = False
    line.rewind()
    agenda.sweep()
    assert waiting(world.north) + waiting(world.south) == []


@pytest.mark.parametrize("trouble", ["never greets", "hangs"])
def test_a_sweep_over_many_sites_waits_for_a_server_that_hangs_once_or_twice(
    world: World, sink: Sink, trouble: str
) -> None:
    sites = [world.north, world.south, *(new_site(f"far-{n}") for n in range(4))]
    for far in sites[2:]:
        member(far, Role.ADMINISTRATOR, f"Ann {far.slug}")
    for at in sites:
        line.request(at)
    sink.silent, sink.say = trouble == "never greets", lambda to: "hang"
    began = time.monotonic()
    agenda.sweep()
    assert time.monotonic() - began < 2.9  # a second for each that was tried
    assert [waiting(at) for at in sites] == [[(1, False)]] * 6
    sink.silent, sink.say = False, lambda to: "ok"
    line.rewind(timedelta(seconds=61))
    agenda.sweep()
    assert [waiting(at) for at in sites] == [[]] * 6
    assert len(sink.mails) == 6
    assert set(sink.times().values()) == {1}


def test_after_a_day_without_a_server_each_mail_goes_out_once_or_is_no_longer_true(world: World, sink: Sink) -> None:
    begin = tenancy.now()
    match = line.invited(world)
    line.request(world.south)
    sink.down()
    for hour in range(25):
        agenda.sweep(now=begin + timedelta(hours=hour, minutes=1))
    with site_scope(world.north.pk, now=begin + timedelta(hours=25)):
        transitions.revoke(match.pk, by=line.administrator(world))
    sink.up()
    line.rewind()
    agenda.sweep(now=begin + timedelta(hours=26))
    agenda.sweep(now=begin + timedelta(hours=27))
    assert notices(world.north) == [
        ("REQUEST", "sent"),
        ("INVITED", "dropped"),
        ("REMIND", "dropped"),
        ("RELEASED", "sent"),
    ]
    # Nobody was asked for it meanwhile, which is told too.
    assert notices(world.south) == [("REQUEST", "sent"), ("WAIT_1", "sent")]
    assert waiting(world.north) + waiting(world.south) == []
    assert set(sink.times().values()) == {1} and len(sink.mails) == 4


@pytest.mark.expects_error_log
def test_a_notice_that_cannot_be_written_is_parked_and_the_others_go_out(world: World, sink: Sink) -> None:
    """Such as one of newer code, found by an older worker while a new version is rolled out."""
    line.request(world.north)
    line.request(world.south)
    with site_scope(world.north.pk), connection.cursor() as cursor:
        outbox.enqueue("REQUEST", [(Notice.objects.get().object_id, world["north lead"].pk)])
        cursor.execute("UPDATE sites_notice SET kind = 'OF_TOMORROW' WHERE recipient_id = %s", [world["north lead"].pk])
    for _ in range(agenda.ATTEMPTS):
        agenda.sweep()
        line.rewind()
    assert notices(world.north) == [("REQUEST", "sent"), ("OF_TOMORROW", "waits")]
    assert waiting(world.north) == [(agenda.ATTEMPTS, True)]
    assert sink.to() == [A, world["south administrator"].email]


def test_a_kind_whose_template_fails_delays_no_other(world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    match = line.invited(world)
    broken = outbox.MailKind("no-such-file", "MATCH", outbox._kinds["INVITED"].still_true)
    monkeypatch.setitem(outbox._kinds, "INVITED", broken)
    with site_scope(world.north.pk), pytest.raises(TemplateDoesNotExist):
        outbox._write(world.north.pk, Notice.objects.get(kind="INVITED"), broken, ZoneInfo("UTC"), A)
    agenda.sweep()
    assert notices(world.north) == [("REQUEST", "sent"), ("INVITED", "waits")]
    assert match.state == Match.State.INVITED


# Several at once, with real commits


@pytest.mark.xdist_group("races")
def test_two_workers_send_each_mail_once(committed_world: World, sink: Sink) -> None:
    for _ in range(30):
        line.request(committed_world.north)
    sink.delay = 0.005
    line.together(*[agenda.sweep] * 4)
    assert len(sink.mails) == 30
    assert set(sink.times().values()) == {1}
    assert waiting(committed_world.north) == []


@pytest.mark.xdist_group("races")
def test_a_server_slower_than_the_lease_makes_no_doubles(
    committed_world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agenda, "LEASE", timedelta(seconds=0.3))
    for _ in range(12):
        line.request(committed_world.north)
    sink.delay = 0.08

    def look_again_and_again() -> None:
        for _ in range(15):
            time.sleep(0.1)
            agenda.sweep()

    line.together(agenda.sweep, look_again_and_again)
    assert len(sink.mails) == 12
    assert set(sink.times().values()) == {1}
    assert waiting(committed_world.north) == []


# What a mail says


def test_no_mail_says_more_than_where_to_look(world: World) -> None:
    """Every registered kind: a locator, and not a word of who, where, why or what this is about."""
    zephyr = new_site("zephyrine", name="Zephyrine Division", time_zone="America/Vancouver")
    world.people["zephyr administrator"] = member(zephyr, Role.ADMINISTRATOR, "Isolde Quarrington")
    world.supporters["zephyr"] = supporter(zephyr, "Dr Quillon Vashti")
    world.people["zephyr supporter"] = world.supporters["zephyr"].user
    world.zephyr = zephyr  # type: ignore[attr-defined]
    match = line.confirmed(world, "zephyr", name="Ottoline Featherby", avoid_names="Mordaunt", reasons=("COMPLAINT",))
    with site_scope(zephyr.pk):
        invitation = people.invite(
            zephyr, email="isolde@zephyrine.example.org", name="Isolde Quarrington", role="lead", by=SYSTEM
        )
        objects = {"REFERRAL": match.referral_id, "MATCH": match.pk, "MATCH_REF": match.pk, "JOIN": invitation.pk}
        objects["OFFER"] = match.referral_id
        PeerSupporter.objects.update(agreement_until=None)
        agreement.sign(world.supporters["zephyr"].pk, agreement.text().sha256, by=SYSTEM)
        objects["AGREEMENT"] = Agreement.objects.get().pk
        objects["SEAT"] = objects["STATEMENT"] = seat(zephyr, world.supporters["zephyr"]).pk
        objects |= dict.fromkeys(
            ("ALERT", "RECRUIT", "RECRUIT_MY", "UNREC_WEEK", "DEBRIEF"), 1
        )  # their mail does not look at the row
        names = list(Profile.objects.values_list("name", flat=True))
        ref = match.referral.ref
        written = {
            kind: outbox._write(
                zephyr.pk,
                Notice(
                    kind=kind,
                    object_id=objects[mail.target],
                    recipient=None if mail.address else world["zephyr supporter"],
                ),
                mail,
                ZoneInfo("America/Vancouver"),
                "someone@example.org",
            )
            for kind, mail in sorted(outbox._kinds.items())
        }
    assert {"INVITED", "CONFIRMED", "WINDOW_72", "REQUEST", "ACCOUNT"} <= set(written)
    never = {"zephyr", "peer", "support", "physician", "doctor", "program", "division", "featherby", "ottoline"}
    never |= {"mordaunt", "604", "complaint", "match", "referral", "crisis", "burnout"}
    never |= {"soutien", "pair", "entraide", "médecin", "docteur", "programme", "jumelage", "plainte", "épuisement"}
    never |= {word for name in names for word in name.lower().split() if word != "dr"}
    never |= {word.lower() for label in Reason.labels for word in re.findall(r"[A-Za-z]{8,}", str(label))} - {
        "something"
    }
    for kind, mail in written.items():
        links = re.findall(r"\S+://\S+", mail.body)
        # The same in each language; and to a physician who asked to be told, none.
        assert (len(links), len(set(links))) == ((0, 0) if kind == "FOUND" else (2, 1)), kind
        for link in links:
            token = link.removeprefix("http://localhost:8000/go/").rstrip("/")
            said = outbox.read_locator(token)
            assert said == (zephyr.pk, outbox._kinds[kind].target, objects[outbox._kinds[kind].target])
        assert mail.subject.count(" · ") == mail.body.count("\n----") == 1, kind
        words = re.sub(r"\S+://\S+", "", mail.body)
        headers = [
            f"{name}: {value}" for name, value in mail.message().items() if name not in ("To", "Date", "Message-ID")
        ]
        text = "\n".join([mail.subject, words, mail.from_email, *headers]).lower()
        assert [word for word in never if word in text] == [], kind
        assert ref not in mail.subject + words, kind
        assert re.fullmatch(r"<[0-9a-f-]{36}@localhost>", mail.message()["Message-ID"]), kind
        assert mail.subject, kind
        assert "<" not in mail.body, kind
        assert (type(mail).__name__, mail.attachments) == ("EmailMessage", []), kind
        assert len(mail.to) == 1 and mail.cc == mail.bcc == [], kind


def test_a_mail_over_the_wire_says_no_more(world: World, sink: Sink) -> None:
    """What the server got, byte for byte, for one of them: nothing is added on the way."""
    line.invited(world, name="Ottoline Featherby")
    agenda.sweep()
    (mail,) = [m for m in sink.mails if m.to == world["north supporter"].email]
    assert sorted(mail.message.keys()) == [
        "Auto-Submitted",
        "Content-Transfer-Encoding",
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ]
    assert mail.sender == "<no-reply@localhost>"
    text = re.sub(r"\S+://\S+", "", mail.text.replace(mail.to, "")).lower()
    assert [w for w in ("north", "peer", "support", "ottoline", "featherby", "robin") if w in text] == []


def test_times_are_in_the_sites_own_zone(world: World) -> None:
    at = tenancy.now().replace(year=2027, month=7, day=6, hour=20, minute=30)
    match = line.invited(world, now=at)
    with site_scope(world.north.pk):
        notice = Notice.objects.get(kind="INVITED")
        mail = outbox._kinds["INVITED"]
        here = outbox._write(world.north.pk, notice, mail, ZoneInfo("America/Vancouver"), A)
        there = outbox._write(world.north.pk, notice, mail, ZoneInfo("America/Toronto"), A)
    assert match.expires_at == at + timedelta(hours=48)
    assert "by Thursday 8 July, 13:30." in here.body and "d’ici le jeudi 8 juillet, 13:30." in here.body
    assert "by Thursday 8 July, 16:30." in there.body and "d’ici le jeudi 8 juillet, 16:30." in there.body


# Where a locator leads


def test_a_locator_that_was_changed_is_nobodys(in_north: Site) -> None:
    address = outbox.locator(in_north.pk, "MATCH", 7)
    token = address.rstrip("/").rsplit("/", 1)[1]
    assert outbox.read_locator(token) == (in_north.pk, "MATCH", 7)
    old = outbox.signing.dumps([in_north.pk, "MATCH", 7], salt="psi.locator")
    for other in (("A" if token[0] != "A" else "B") + token[1:], token[1:], token[:8], "é", old):
        with pytest.raises(outbox.signing.BadSignature):
            outbox.read_locator(other)


def test_a_locator_tells_nothing_and_fits_a_line(client: Any, in_north: Site) -> None:
    addresses = [outbox.locator(site, "INVITATION", row) for site, row in ((7, 70001), (7, 70002))]
    tokens = [address.rstrip("/").rsplit("/", 1)[1] for address in addresses]
    assert tokens[0][:8] != tokens[1][:8]
    for token in tokens:
        read = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        assert [told for told in (b"INVITATION", b"7000") if told in read] == []
        # RFC 5322 asks for lines of at most 78 characters.
        assert len(f"https://support.example.ca/go/{token}/") <= 78
    assert "This page is not here" in client.get(f"/go/{tokens[0][1:]}/").content.decode()


def test_following_a_link_changes_nothing(world: World, client: Any, sign_in: Any) -> None:
    match = line.invited(world)
    with site_scope(world.north.pk):
        path = outbox.locator(world.north.pk, "MATCH", match.pk).removeprefix("http://localhost:8000")
    before = line.fresh(match)
    stranger = client.get(path, follow=True)
    assert stranger.redirect_chain[-1][0].startswith("/accounts/login/")
    own = sign_in(world["north supporter"]).get(path, follow=True)
    assert own.redirect_chain[-1] == (f"/north/my/{before.referral.ref}/", 302)
    assert sign_in(world["south supporter"]).get(path, follow=True).status_code == 404
    after = line.fresh(match)
    assert (after.state, after.nudged, after.window_step) == (before.state, before.nudged, before.window_step)
