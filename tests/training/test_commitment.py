"""The agreement signed in the app, how much a supporter takes on, breaks, help outside, and leaving."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.utils.timezone import localdate

from matching.candidates import queries as candidates
from matching.invitations import transitions
from matching.matches.models import Match
from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests.models import Referral
from sites.engine import agenda
from sites.engine.audit import SYSTEM
from sites.engine.models import Due, Notice
from sites.people import transitions as people
from sites.tenants.models import Link, Membership, Site
from tests import line
from tests.people import World
from tests.refusals import refused
from training.commitment import agreement
from training.commitment import transitions as commitment
from training.commitment.models import Agreement
from training.supporters import lending, self_description
from training.supporters.models import PeerSupporter, SupporterLoad

SignIn = Callable[[Any], Client]
DAY = timedelta(days=1)


def today() -> date:
    return localdate(tenancy.now())


def fresh(supporter: PeerSupporter) -> PeerSupporter:
    with site_scope(supporter.site_id):
        return PeerSupporter.objects.get(pk=supporter.pk)


def against(world: World, supporter: PeerSupporter, at: str = "north") -> list[str]:
    """Return the codes of what speaks against a supporter at a site."""
    site = getattr(world, at)
    referral = line.request(site)
    with site_scope(site.pk):
        row = PeerSupporter.objects.get(user_id=supporter.user_id)
        judged = candidates.candidate_for(referral, row.pk)
        return [reason.code for reason in judged.hard + judged.soft]


# The agreement


def test_signing_keeps_who_when_and_which_words_and_puts_them_into_matching(world: World, sign_in: SignIn) -> None:
    sam = world.supporters["north"]
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(agreement_until=None)
    assert against(world, sam) == ["AGREEMENT"]
    client = sign_in(sam.user)
    page = client.get("/north/my/agreement/").content.decode()
    assert "I make contact within 72 hours" in page
    version = agreement.text().sha256
    for _ in range(2):
        assert client.post("/north/my/agreement/", {"version": version}).status_code == 302
    with site_scope(world.north.pk):
        (signed,) = Agreement.objects.all()
        assert (signed.supporter_id, signed.by_id, signed.text_id) == (sam.pk, sam.user_id, version)
        assert signed.until == agreement.a_year_after(today()) == fresh(sam).agreement_until
    assert against(world, sam) == []


def test_a_signature_cannot_be_changed_nor_taken_away(world: World) -> None:
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(agreement_until=None)
        agreement.sign(world.supporters["north"].pk, agreement.text().sha256, by=line.helper(world))
        for write in (Agreement.objects.all().delete, lambda: Agreement.objects.update(until=None)):
            with pytest.raises(ProgrammingError), transaction.atomic():
                write()


def test_words_that_changed_meanwhile_are_read_again_first(world: World, sign_in: SignIn) -> None:
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(agreement_until=None)
    read = agreement.text().sha256
    coordinator = sign_in(world["coordinator"])
    assert coordinator.post("/province/settings/agreement/", {"text": "New words.\r\nTwo lines."}).status_code == 302
    client = sign_in(world["north supporter"])
    answer = client.post("/north/my/agreement/", {"version": read}, follow=True)
    assert "Please read it again before you sign" in answer.content.decode()
    assert "Two lines." in client.get("/north/my/agreement/").content.decode()
    assert fresh(world.supporters["north"]).agreement_until is None


def test_a_reminder_comes_thirty_days_ahead_and_the_end_takes_them_out(world: World, mailoutbox: Any) -> None:
    sam, start = world.supporters["north"], tenancy.now()
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(agreement_until=None)
        until = agreement.sign(sam.pk, agreement.text().sha256, by=line.helper(world))
    told = []
    for day in range(330, 372):
        agenda.sweep(now=start + day * DAY)
        with site_scope(world.north.pk):
            kinds = Notice.objects.filter(kind__in=["RENEW", "UNSIGNED"]).values_list("kind", flat=True)
            told.append((sorted(kinds), (localdate(start + day * DAY) - until).days))
    first = {kind: next(day for kinds, day in told if kind in kinds) for kind in ("RENEW", "UNSIGNED")}
    assert first["RENEW"] in (-30, -29) and first["UNSIGNED"] in (1, 2)
    assert [mail.subject.split(" · ")[0] for mail in mailoutbox if "Something" in mail.subject] == [
        "Something of yours ends soon",
        "Something of yours has ended",
    ]
    with site_scope(world.north.pk, now=start + 370 * DAY):
        assert not PeerSupporter.objects.get(pk=sam.pk).ready_on(localdate(tenancy.now()))
    assert not Due.objects.filter(kind="AGREEMENT").exists()


def test_renewing_early_loses_no_days_and_too_early_changes_nothing(world: World) -> None:
    sam = world.supporters["north"]
    with site_scope(world.north.pk):
        words = agreement.text().sha256
        for left, expected in ((10, agreement.a_year_after(today() + 10 * DAY)), (31, today() + 31 * DAY)):
            PeerSupporter.objects.filter(pk=sam.pk).update(agreement_until=today() + left * DAY)
            assert agreement.sign(sam.pk, words, by=line.helper(world)) == expected
        assert Agreement.objects.count() == 1


def test_a_year_after_a_leap_day() -> None:
    assert agreement.a_year_after(date(2028, 2, 29)) == date(2029, 2, 28)


# Breaks and limits


def test_a_break_holds_to_its_last_day_and_ends_by_itself(world: World, sign_in: SignIn) -> None:
    sam, client = world.supporters["north"], sign_in(world["north supporter"])
    client.post("/north/my/commitment/", {"do": "week"})
    assert fresh(sam).paused_until == commitment.end_of_week(today())
    assert against(world, sam) == ["PAUSED"]
    client.post("/north/my/commitment/", {"do": "resume"})
    assert against(world, sam) == []
    until = today() + 20 * DAY
    client.post("/north/my/commitment/", {"do": "pause", "until": f"{until:%Y-%m-%d}"})
    with site_scope(world.north.pk):
        (line_,) = candidates.readiness()
        assert line_.obstacles == [f"pausing until {until:%-d %B}"]
    for wrong in (today() - DAY, today() + 400 * DAY):
        client.post("/north/my/commitment/", {"do": "pause", "until": f"{wrong:%Y-%m-%d}"})
        assert fresh(sam).paused_until == until


def test_a_number_out_of_reach_is_refused_and_kept_on_the_page(world: World, sign_in: SignIn) -> None:
    client = sign_in(world["north supporter"])
    answer = client.post("/north/my/commitment/", {"do": "pledge", "cap_year": "0", "cap_live": "3"})
    page = answer.content.decode()
    assert (answer.status_code, 'value="0"' in page, "Enter a whole number, 1 to 50." in page) == (422, True, True)
    client.post("/north/my/commitment/", {"do": "pledge", "cap_year": "5", "cap_live": "1"})
    sam = fresh(world.supporters["north"])
    assert (sam.cap_year, sam.cap_live) == (5, 1)


# Helping outside


def test_helping_outside_is_a_row_at_the_province_that_follows_the_one_at_home(world: World, sign_in: SignIn) -> None:
    sam, client = world.supporters["north"], sign_in(world["north supporter"])
    with site_scope(world.north.pk):
        self_description.set_description(PeerSupporter.objects.get(pk=sam.pk), ["PARENT"])
    client.post("/north/my/commitment/", {"do": "lend", "at": "province"})
    client.post("/north/my/commitment/", {"do": "lend", "at": "province"})
    client.post("/north/my/commitment/", {"do": "pledge", "cap_year": "3", "cap_live": "1"})
    with site_scope(world.province.pk):
        (copy,) = PeerSupporter.objects.filter(user=sam.user)
        assert (copy.home_id, copy.cap_year, copy.state, copy.trained_on) == (
            world.north.pk,
            3,
            "ACTIVE",
            sam.trained_on,
        )
        assert self_description.described([copy]) == {copy.pk: frozenset({"PARENT"})}
    assert against(world, sam, "province") == []
    match = line.accepted(world)
    assert SupporterLoad.objects.get(user=sam.user).live == 1
    assert against(world, sam, "province") == ["CAP_LIVE"]
    with site_scope(world.north.pk):
        transitions.revoke(match.pk, by=line.administrator(world))
    # What their own site keeps is not to be changed here.
    page = sign_in(world["coordinator"]).get(f"/province/supporters/{sam.user_id}/").content.decode()
    assert "They help here beside North Division" in page and 'name="cap_year"' not in page
    client.post("/north/my/commitment/", {"do": "take_back", "at": "province"})
    assert not Membership.objects.filter(site=world.province, user=sam.user, ended_at=None).exists()
    assert against(world, sam, "province")[0] == "INACTIVE"


def test_who_supports_someone_there_finishes_first(world: World) -> None:
    sam = world.supporters["north"]
    with site_scope(world.north.pk):
        lending.lend(sam.pk, to=world.province, by=line.helper(world))
    referral = line.request(world.north, outside=True)
    with site_scope(world.province.pk):
        copy = PeerSupporter.objects.get(user=sam.user)
        transitions.invite(referral.pk, copy.pk, by=line.acting(world["coordinator"], "administrator"))
    with site_scope(world.north.pk), refused("BUSY_THERE"):
        lending.take_back(sam.pk, at=world.province, by=line.helper(world))


def test_two_sites_lend_only_under_a_recorded_agreement(world: World, sign_in: SignIn) -> None:
    sam, client = world.supporters["north"], sign_in(world["north supporter"])
    assert 'value="south"' not in client.get("/north/my/commitment/").content.decode()
    client.post("/north/my/commitment/", {"do": "lend", "at": "south"})
    with site_scope(world.south.pk):
        assert not PeerSupporter.objects.filter(user=sam.user).exists()
    coordinator = sign_in(world["coordinator"])
    said = {"one": world.south.pk, "other": world.north.pk, "signed_on": f"{today():%Y-%m-%d}", "reference": ""}
    assert coordinator.post("/province/links/", said).status_code == 422
    assert coordinator.post("/province/links/", said | {"reference": "ISA 12"}).status_code == 302
    client.post("/north/my/commitment/", {"do": "lend", "at": "south"})
    assert against(world, sam, "south") == []
    link = Link.objects.get()
    coordinator.post("/province/links/", {"do": "end", "link": link.pk})
    agenda.sweep()
    assert against(world, sam, "south")[0] == "INACTIVE"
    assert not Membership.objects.filter(site=world.south, user=sam.user, ended_at=None).exists()
    assert 'value="south"' not in client.get("/north/my/commitment/").content.decode()


# Leaving


def test_after_the_notice_matches_are_handed_on_and_access_ends_that_day(world: World, sign_in: SignIn) -> None:
    sam, client = world.supporters["north"], sign_in(world["north supporter"])
    with site_scope(world.north.pk):
        lending.lend(sam.pk, to=world.province, by=line.helper(world))
        commitment.pledge(sam.pk, cap_year=7, cap_live=5, by=line.helper(world))
    contacted, invited = line.contacted(world), line.invited(world)
    away = line.request(world.north, outside=True)
    with site_scope(world.province.pk):
        copy = PeerSupporter.objects.get(user=sam.user)
        there = transitions.invite(away.pk, copy.pk, by=line.acting(world["coordinator"], "administrator"))
    Site.objects.filter(pk=world.north.pk).update(notice_days=14)
    client.post("/north/my/commitment/", {"do": "leave"})
    day = today() + 14 * DAY
    assert (fresh(sam).leaving_on, against(world, sam)) == (day, ["PAUSED"])
    assert "Dr Sam North leaves on" in sign_in(world["north administrator"]).get("/north/today/").content.decode()
    agenda.sweep(now=tenancy.now() + 13 * DAY - timedelta(hours=2))
    assert fresh(sam).state == "ACTIVE"
    agenda.sweep(now=agreement.morning(day) + timedelta(minutes=1))
    assert (fresh(sam).state, fresh(sam).leaving_on) == ("LEFT", None)
    with site_scope(world.north.pk):
        ends = Match.objects.filter(pk__in=[contacted.pk, invited.pk]).order_by("pk").values_list("state", "why")
        assert list(ends) == [("REASSIGNED", "LEFT"), ("EXPIRED", "NO_ANSWER")]
        assert set(Referral.objects.filter(matches__in=[contacted.pk]).values_list("state", flat=True)) == {"OPEN"}
        assert Notice.objects.filter(kind="HANDED_ON", object_id=contacted.pk, recipient=sam.user).exists()
    assert line.fresh(there).state in ("REVOKED", "EXPIRED")
    with site_scope(world.province.pk):
        assert PeerSupporter.objects.get(user=sam.user).state == "LEFT"
    assert not Membership.objects.filter(user=sam.user, ended_at=None).exists()
    assert client.get("/north/my/").status_code == 404
    assert SupporterLoad.objects.get(user=sam.user).live == 0


def test_an_invitation_is_taken_back_when_they_leave_today(world: World, sign_in: SignIn) -> None:
    invited = line.invited(world)
    administrator = sign_in(world["north administrator"])
    path = f"/north/supporters/{world['north supporter'].pk}/"
    assert "Enter a date" in administrator.post(path, {"do": "leaves", "on": "soon"}).content.decode()
    administrator.post(path, {"do": "leaves", "on": f"{today():%Y-%m-%d}"})
    agenda.sweep()
    assert (line.fresh(invited).state, line.fresh(invited).why) == ("REVOKED", "LEFT")
    with site_scope(world.north.pk):
        assert set(Notice.objects.filter(object_id=invited.pk).values_list("kind", flat=True)) >= {
            "RELEASED",
            "UNMATCHED",
        }
        assert not PeerSupporter.objects.get().ready_on(today())


def test_a_notice_can_be_taken_back(world: World, sign_in: SignIn) -> None:
    sam, client = world.supporters["north"], sign_in(world["north supporter"])
    client.post("/north/my/commitment/", {"do": "leave"})
    client.post("/north/my/commitment/", {"do": "stay"})
    agenda.sweep(now=tenancy.now() + 60 * DAY)
    assert (fresh(sam).state, against(world, sam)) == ("ACTIVE", [])


def test_a_role_that_ends_with_matches_open_is_still_refused(world: World) -> None:
    line.confirmed(world)
    with site_scope(world.north.pk), refused("OPEN_MATCHES"):
        people.end_role(Membership.objects.get(user=world["north supporter"], site=world.north), by=SYSTEM)
