"""What a physician presses on the status page: each move, its refusals, and nothing twice."""

import re
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from matching.candidates import queries as candidates
from matching.invitations import alerts
from matching.matches.models import Alert, Match
from psi import tenancy, vault
from psi.tenancy import site_scope
from referrals.requests.identity import open_for_rules
from referrals.requests.models import Referral, ReferralConsent, ReferralEvent
from referrals.requests.receipts import receipt_of
from sites.engine import agenda, today
from sites.engine.models import AuditEntry, Due, Fact, Notice
from tests import line
from tests.people import World, account, supporter

DAY = timedelta(hours=24)


class Physician:
    """Someone with a receipt: looks, and presses what the page offers."""

    def __init__(self, site: Any, key: uuid.UUID, at: str = "") -> None:
        self.client, self.url = Client(), f"/{at or site.slug}/status/"
        self.receipt = receipt_of(site.pk, key)
        self.text, self.code = "", 0

    def look(self) -> str:
        return self._post({"receipt": self.receipt})

    def press(self, do: str, sealed: str = "") -> str:
        return self._post({"do": do, "sealed": sealed or self.sealed()})

    def sealed(self) -> str:
        """Return what the buttons of the page that was seen last carry."""
        return re.findall(r'name="sealed" value="([^"]+)"', self.text)[0]

    def offered(self) -> set[str]:
        return set(re.findall(r'name="do" value="([a-z]+)"', self.text))

    def _post(self, data: dict[str, str]) -> str:
        answer = self.client.post(self.url, data)
        self.text, self.code = answer.content.decode(), answer.status_code
        digits = self.receipt.replace(" ", "")
        kept = str(answer.headers) + str(answer.cookies)
        # What was typed wrongly stays in its own field.
        assert digits not in (kept if self.code == 422 else kept + self.text.replace(" ", ""))
        return self.text


@pytest.fixture
def key() -> uuid.UUID:
    return uuid.uuid4()


@pytest.fixture
def robin(world: World, key: uuid.UUID) -> Physician:
    return Physician(world.north, key)


def referrals(site: Any) -> list[Referral]:
    with site_scope(site.pk):
        return list(Referral.objects.order_by("pk"))


def facts(site: Any, *measures: str) -> list[str]:
    with site_scope(site.pk):
        return sorted(Fact.objects.filter(measure__in=measures).values_list("measure", flat=True))


def mails(site: Any, *kinds: str) -> list[tuple[str, int | None]]:
    with site_scope(site.pk):
        return sorted(Notice.objects.filter(kind__in=kinds).values_list("kind", "recipient_id"))


def titles(site: Any) -> list[str]:
    with site_scope(site.pk):
        return [f"{item.tone} {item.title}" for item in today.items(site.slug)]


# What is offered


@pytest.mark.parametrize(
    ("made", "ago", "expected"),
    [
        (line.request, 1, {"outside", "withdraw"}),
        (line.request, 25, {"unheard", "outside", "withdraw"}),
        (line.invited, 1, {"outside", "withdraw"}),
        (line.accepted, 25, {"unheard", "outside", "withdraw"}),
        (line.confirmed, 1, {"unheard", "known", "another", "outside", "withdraw"}),
        (line.contacted, 25, {"known", "another", "outside", "withdraw"}),
    ],
)
def test_the_buttons_of_each_state(
    world: World, robin: Physician, key: uuid.UUID, made: Any, ago: int, expected: set[str]
) -> None:
    then = tenancy.now() - timedelta(hours=ago)
    made(world.north if made is line.request else world, key=key, now=then)
    robin.look()
    assert (robin.offered(), robin.code) == (expected, 200)


def test_the_province_offers_no_outside_and_its_moves_are_made_there(world: World, key: uuid.UUID) -> None:
    line.request(world.north, outside=True, key=key)
    robin = Physician(world.north, key)
    robin.look()
    assert robin.offered() == {"withdraw"}
    assert "erased" in robin.press("withdraw")
    assert referrals(world.province) == []


# What a button carries


def test_a_page_older_than_ten_minutes_asks_for_the_receipt_again(
    world: World, robin: Physician, key: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.request(world.north, key=key)
    robin.look()
    then = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: then)
    assert "forgets your receipt after ten minutes" in robin.press("withdraw")
    assert robin.code == 422
    assert [r.state for r in referrals(world.north)] == ["OPEN"]


@pytest.mark.parametrize("sealed", ["x", "é", "gAAAA" + "x" * 90])
def test_what_we_did_not_seal_does_nothing(world: World, robin: Physician, key: uuid.UUID, sealed: str) -> None:
    line.request(world.north, key=key)
    robin.press("withdraw", sealed)
    assert (robin.code, [r.state for r in referrals(world.north)]) == (422, ["OPEN"])


def test_a_press_counts_at_its_own_site_only(world: World, robin: Physician, key: uuid.UUID) -> None:
    line.request(world.north, key=key)
    robin.look()
    sealed = robin.sealed()
    abroad = Physician(world.north, key, at="south")
    abroad.press("withdraw", sealed)
    assert abroad.code == 422
    abroad.look()
    assert "We do not find this receipt" in abroad.text
    assert [r.state for r in referrals(world.north)] == ["OPEN"]


def test_a_typed_receipt_alone_moves_nothing(world: World, robin: Physician, key: uuid.UUID) -> None:
    line.request(world.north, key=key)
    robin._post({"receipt": robin.receipt, "do": "withdraw"})
    robin.press("close")
    assert "moved on" in robin.text
    assert [r.state for r in referrals(world.north)] == ["OPEN"]


# Nobody has contacted me


@pytest.fixture
def quiet(world: World, key: uuid.UUID) -> Match:
    return line.confirmed(world, key=key, now=tenancy.now() - timedelta(hours=30))


def unheard(world: World, robin: Physician) -> Referral:
    robin.look()
    robin.press("unheard")
    return referrals(world.north)[0]


def alerted(world: World) -> list[tuple[int, str]]:
    with site_scope(world.province.pk):
        return list(Alert.objects.values_list("origin_id", "ref"))


def test_it_is_on_today_at_once_and_said_once(world: World, robin: Physician, quiet: Match) -> None:
    referral = unheard(world, robin)
    robin.press("unheard", robin.sealed())
    assert titles(world.north) == [f"late {referral} says nobody has been in touch"]
    assert mails(world.north, "UNHEARD") == [("UNHEARD", world["north administrator"].pk)]
    assert "unheard" not in robin.offered()
    with site_scope(world.north.pk):
        assert ReferralEvent.objects.filter(why="UNHEARD").count() == 1
        assert AuditEntry.objects.get(action="UNHEARD").role == "public"


def test_after_a_day_the_province_is_told_once_by_site_and_reference(
    world: World, robin: Physician, quiet: Match, mailoutbox: Any
) -> None:
    referral = unheard(world, robin)
    at = referral.unheard_at
    assert at is not None
    agenda.sweep(now=at + DAY - timedelta(seconds=1))
    assert alerted(world) == []
    for hours in (24, 25, 50):
        agenda.sweep(now=at + timedelta(hours=hours))
    with site_scope(world.north.pk, now=at + 2 * DAY):
        alerts.handle_no_contact([referral.pk])
    assert alerted(world) == [(world.north.pk, referral.ref)]
    assert titles(world.province) == [f"late North Division: nobody has been in touch about {referral}"]
    assert mails(world.province, "ALERT") == [("ALERT", world["coordinator"].pk)]
    (mail,) = [mail for mail in mailoutbox if mail.to == [world["coordinator"].email]]
    assert referral.ref not in mail.body and "North" not in mail.body
    with site_scope(world.north.pk):
        assert AuditEntry.objects.filter(action="ALERTED").count() == 1


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("what", ["contact", "invitation", "closed", "withdrawn", "outside"])
def test_it_is_taken_back_when_something_happens(
    world: World, robin: Physician, quiet: Match, what: str, late: bool
) -> None:
    referral = unheard(world, robin)
    assert referral.unheard_at is not None
    if late:
        agenda.sweep(now=referral.unheard_at + DAY)
        assert alerted(world) != []
    administrator = line.administrator(world)
    with site_scope(world.north.pk):
        if what == "contact":
            line.transitions.record_contact(quiet.pk, by=line.helper(world))
        elif what == "invitation":
            line.transitions.reassign(quiet.pk, by=administrator)
            assert Referral.objects.get().unheard_at is not None
            line.transitions.invite(
                quiet.referral_id, world.supporters["north"].pk, by=administrator, override="NOBODY"
            )
        elif what == "closed":
            line.transitions.close(quiet.referral_id, "UNREACHED", by=administrator)
    if what in ("withdrawn", "outside"):
        robin.press("withdraw" if what == "withdrawn" else what)
    agenda.sweep(now=referral.unheard_at + 2 * DAY)
    assert (alerted(world), referrals(world.north)[0].unheard_at) == ([], None)
    assert not Due.objects.filter(kind=alerts.NO_CONTACT).exists()
    assert [title for title in titles(world.north) if "nobody has been in touch" in title] == []


def test_at_the_province_its_own_list_is_enough(world: World, key: uuid.UUID) -> None:
    line.request(world.north, outside=True, key=key, now=tenancy.now() - timedelta(hours=30))
    robin = Physician(world.north, key)
    robin.look()
    robin.press("unheard")
    agenda.sweep(now=tenancy.now() + 2 * DAY)
    assert (alerted(world), len(titles(world.province))) == ([], 1)


# I know this person, choose someone else


def test_someone_else_is_looked_for_and_this_peer_is_not_offered_again(
    world: World, robin: Physician, quiet: Match
) -> None:
    robin.look()
    old = robin.sealed()
    for _ in range(2):
        assert "somebody else is looked for" in robin.press("known", old)
    after = line.fresh(quiet)
    assert (after.state, after.why, after.referral.state) == ("REASSIGNED", "KNOWN", "OPEN")
    assert after.referral.received_at == quiet.invited_at
    assert mails(world.north, "HANDED_ON", "UNMATCHED") == [
        ("HANDED_ON", world["north supporter"].pk),
        ("UNMATCHED", world["north administrator"].pk),
    ]
    assert facts(world.north, "REASSIGNED") == ["REASSIGNED"]
    with site_scope(world.north.pk):
        judged = candidates.candidate_for(after.referral, after.supporter_id)
        assert [(r.code, r.text) for r in judged.hard] == [("REFUSED", "not for this request")]


def test_an_older_page_does_not_end_a_match_made_since(world: World, robin: Physician, quiet: Match) -> None:
    other = supporter(world.north, "Dr Otto North")
    robin.look()
    old = robin.sealed()
    with site_scope(world.north.pk):
        line.transitions.reassign(quiet.pk, by=line.administrator(world))
        second = line.transitions.invite(quiet.referral_id, other.pk, by=line.administrator(world))
        line.transitions.accept(second.pk, by=line.acting(other.user, "supporter"))
        line.transitions.confirm(second.pk, by=line.administrator(world))
    assert "moved on" in robin.press("known", old)
    assert line.fresh(second).state == "CONFIRMED"


# I would rather have someone from outside


def test_before_any_invitation_the_request_moves_and_its_identity_is_erased_here(
    world: World, robin: Physician, key: uuid.UUID
) -> None:
    then = tenancy.now() - timedelta(hours=3)
    line.request(world.north, key=key, now=then, email="robin@example.ca", reasons=("EVENT",), stage="MID")
    assert escape("I agree that my request is shared with the provincial team") in robin.look()
    old = robin.sealed()
    for _ in range(2):
        assert "The provincial team has your request now" in robin.press("outside", old)
    (here,), (there,) = referrals(world.north), referrals(world.province)
    assert (here.state, here.sealed) == ("HANDED_OVER", None)
    with site_scope(world.north.pk):
        assert vault.blinds(Referral.KIND, here.pk) == {}
        with pytest.raises(vault.Sealed):
            open_for_rules(here)
    with site_scope(world.province.pk):
        identity = open_for_rules(there)
        consents = sorted(there.consents.values_list("purpose", "channel"))
    assert (identity.name, identity.email) == ("Robin Example", "robin@example.ca")
    assert consents == [("MATCH", "FORM"), ("PROVINCE", "FORM")]
    assert (there.state, there.stage, there.home, there.received_at) == ("OPEN", "MID", world.north, here.received_at)
    assert facts(world.north, "REQUEST", "HANDED_OVER") == ["HANDED_OVER", "REQUEST"]
    assert facts(world.province, "REQUEST", "TAKEN_OVER") == ["TAKEN_OVER"]
    assert mails(world.province, "REQUEST") == [("REQUEST", world["coordinator"].pk)]
    robin.look()
    assert "Looking for a peer" in robin.text and robin.offered() == {"withdraw"}
    assert titles(world.north) == []


def test_after_an_invitation_the_peer_is_released_and_openings_stay_known(
    world: World, robin: Physician, quiet: Match, sign_in: Any
) -> None:
    page = sign_in(world["north administrator"])
    address = f"/north/requests/{line.fresh(quiet).referral.ref}/"
    assert "Robin Example" in page.post(address).content.decode()
    robin.look()
    robin.press("outside")
    assert line.fresh(quiet).state == "REVOKED"
    assert mails(world.north, "RELEASED") == [("RELEASED", world["north supporter"].pk)]
    assert "Program administrator: once" in robin.look()
    answer = page.post(address).content.decode()
    assert "Handed over to Provincial peer support" in answer and "Robin Example" not in answer
    with site_scope(world.north.pk):
        assert ReferralConsent.objects.filter(purpose="PROVINCE").count() == 1
        assert Due.objects.filter(kind="ERASE", object_id=quiet.referral_id).count() == 1


def test_whom_not_to_ask_crosses_by_surname(world: World, robin: Physician, key: uuid.UUID) -> None:
    twin = supporter(world.province, "Dr Sam North", account("sam.again@example.org"))
    line.request(world.north, key=key, avoid=(world.supporters["north"].pk,), avoid_names="Quill")
    robin.look()
    robin.press("outside")
    (there,) = referrals(world.province)
    with site_scope(world.province.pk):
        assert open_for_rules(there).avoid_names == "Quill; north"
        assert [reason.code for reason in candidates.candidate_for(there, twin.pk).hard] == ["EXCLUDED"]


# Withdraw


def test_before_any_invitation_everything_is_erased_at_once(world: World, robin: Physician, key: uuid.UUID) -> None:
    referral = line.request(world.north, key=key, email="robin@example.ca")
    robin.look()
    old = robin.sealed()
    assert "Your name and everything you told us is erased" in robin.press("withdraw")
    assert "Nothing of this request is kept any more" in robin.press("withdraw", old)
    assert referrals(world.north) == []
    with site_scope(world.north.pk):
        assert not ReferralEvent.objects.exists() and not ReferralConsent.objects.exists()
        assert vault.blinds(Referral.KIND, referral.pk) == {}
        assert sorted(AuditEntry.objects.filter(role__in=["public", "system"]).values_list("action", flat=True)) == [
            "ERASED",
            "RECEIVED",
            "WITHDRAWN",
        ]
        assert not Notice.objects.exists()
    assert facts(world.north, "REQUEST", "WITHDRAWN") == ["REQUEST", "WITHDRAWN"]
    assert not Due.objects.exclude(kind__in=["NOTICE", "ROLLUP"]).exists()
    assert "We do not find this receipt" in robin.look()


@pytest.mark.parametrize(
    ("made", "ends"), [(line.invited, "REVOKED"), (line.confirmed, "REVOKED"), (line.contacted, "COMPLETED")]
)
def test_after_an_invitation_it_is_sealed_and_erased_a_year_later(
    world: World, robin: Physician, key: uuid.UUID, sign_in: Any, made: Any, ends: str
) -> None:
    match = made(world, key=key)
    robin.look()
    old = robin.sealed()
    for _ in range(2):
        assert "Nobody is to contact you" in robin.press("withdraw", old)
    after = line.fresh(match)
    assert (after.state, after.referral.state) == (ends, "WITHDRAWN")
    assert mails(world.north, "RELEASED") == [("RELEASED", world["north supporter"].pk)]
    assert facts(world.north, "WITHDRAWN") == ["WITHDRAWN"]
    assert titles(world.north) == []
    page = sign_in(world["north administrator"])
    assert "Withdrawn" in page.get("/north/requests/").content.decode()
    assert "Robin Example" not in page.post(f"/north/requests/{after.referral.ref}/").content.decode()
    assert (
        "Robin Example"
        not in sign_in(world["north supporter"]).get(f"/north/my/{after.referral.ref}/").content.decode()
    )
    for days, left in ((364, 1), (366, 0)):
        agenda.sweep(now=after.referral.closed_at + timedelta(days=days))
        assert len(referrals(world.north)) == left


@pytest.mark.parametrize("do", ["unheard", "known", "outside", "withdraw"])
def test_a_closed_request_is_moved_by_no_button(world: World, robin: Physician, quiet: Match, do: str) -> None:
    robin.look()
    with site_scope(world.north.pk):
        line.transitions.close(quiet.referral_id, "UNREACHED", by=line.administrator(world))
    assert "moved on" in robin.press(do)
    assert ([r.state for r in referrals(world.north)], referrals(world.province)) == (["CLOSED"], [])


def test_two_presses_at_the_same_moment_hand_over_once(committed_world: World) -> None:
    key = uuid.uuid4()
    line.request(committed_world.north, key=key)
    robin = Physician(committed_world.north, key)
    robin.look()
    sealed = robin.sealed()
    answers = line.together(*[lambda: Physician(committed_world.north, key).press("outside", sealed)] * 4)
    assert ["has your request now" in answer for answer in answers] == [True] * 4
    assert len(referrals(committed_world.province)) == 1
