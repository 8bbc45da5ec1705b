"""From a nomination to the list of candidates: each step is a move, two people review, and nobody skips one."""

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.timezone import localdate

from matching.candidates import queries as candidates
from psi import tenancy, vault
from psi.tenancy import site_scope
from referrals.requests.evaluators import evaluators, is_listed
from sites.engine import agenda, audit, outbox, today
from sites.engine.audit import Actor
from sites.engine.models import AuditEntry, Due, Notice
from sites.engine.moves import Refused
from sites.people import transitions as people
from sites.tenants.models import Invitation, Membership, Role, User
from tests import line
from tests import people as cast
from tests.people import World
from tests.refusals import refused
from training.commitment import agreement
from training.recruitment import queries as recruits
from training.recruitment import transitions as recruitment
from training.recruitment.models import Recruit, RecruitEvent
from training.recruitment.transitions import Interest, Named, State
from training.supporters import lending, readiness
from training.supporters.models import Department, PeerSupporter

SignIn = Callable[[Any], Client]
ROBIN = Named("Dr Robin Newcomer", "robin.newcomer@example.ca", "Dr Wren Nominator")
FORM = {
    "practice": "FAMILY",
    "stage": "MID",
    "gender": "WOMAN",
    "traits": ["PARENT"],
    "languages": ["PUNJABI"],
    "evaluated": "Ottoline Featherby\nzia@example.ca",
    "bio": "I work nights.",
}


def nominate(world: World, named: Named = ROBIN) -> Recruit:
    with site_scope(world.north.pk):
        recruitment.nominate(named, key=uuid.uuid4())
        return Recruit.objects.latest("pk")


def admin(world: World) -> Actor:
    return line.administrator(world)


def lead(world: World) -> Actor:
    return line.acting(world["north lead"], Role.LEAD)


def joined(world: World, recruit: Recruit) -> User:
    """Invite who was nominated, and let them join."""
    with site_scope(world.north.pk):
        invitation = recruitment.invite(recruit.pk, by=admin(world))
        return people.accept_invitation(invitation).user


def interested(world: World) -> tuple[Recruit, PeerSupporter]:
    recruit = nominate(world)
    user = joined(world, recruit)
    with site_scope(world.north.pk):
        said = Interest({"practice": "FAMILY", "stage": "MID"}, evaluated="Ottoline Featherby")
        supporter = recruitment.send(recruit.pk, said, by=Actor(user.pk, Role.SUPPORTER))
    return recruit, supporter


def reviewed(world: World) -> tuple[Recruit, PeerSupporter]:
    recruit, supporter = interested(world)
    with site_scope(world.north.pk):
        recruitment.review(recruit.pk, roles={Role.ADMINISTRATOR}, by=admin(world))
        recruitment.review(recruit.pk, roles={Role.LEAD}, by=lead(world))
    return recruit, supporter


def fresh(recruit: Recruit) -> Recruit:
    with site_scope(recruit.site_id):
        return Recruit.objects.get(pk=recruit.pk)


def way(recruit: Recruit) -> list[tuple[str | None, str]]:
    with site_scope(recruit.site_id):
        return list(RecruitEvent.objects.filter(recruit=recruit).order_by("pk").values_list("source", "target"))


# In public


def said(**more: Any) -> dict[str, Any]:
    return line.opened("/north/nominate/") | {"name": ROBIN.name, "email": ROBIN.email} | more


def test_anyone_nominates_in_either_language_and_learns_nothing(world: World, client: Client) -> None:
    assert 'href="/north/nominate/?lang=fr"' in client.get("/north/?lang=fr").text
    page = client.get("/north/nominate/?lang=fr")
    assert "Proposer" in page.text and "no-cache" in page.headers["Cache-Control"]
    wrong = client.post("/north/nominate/?lang=fr", said(name="", email="robin"))
    assert wrong.status_code == 422 and "robin" in wrong.text
    first = said(nominator="Dr Wren Nominator")
    answers = [
        client.post("/north/nominate/?lang=fr", sent)
        for sent in (first, first, said(email="Robin.Newcomer@Example.CA "), said(email=world["north supporter"].email))
    ]
    assert {(a.status_code, a.headers["Location"]) for a in answers} == {(302, "/north/nominate/thanks/?lang=fr")}
    assert "Merci" in client.get("/north/nominate/thanks/?lang=fr").text
    with site_scope(world.north.pk):
        recruit = Recruit.objects.get()
        assert recruitment.named(recruit) == ROBIN
        assert ROBIN.name.encode() not in bytes(recruit.named or b"")
        kinds = Notice.objects.values_list("kind", "recipient__email")
        assert list(kinds) == [("RECRUIT_NEW", world["north administrator"].email)]


def test_a_program_that_answers_a_trap_or_is_too_fast_nominates_nobody(world: World, client: Client) -> None:
    client.post("/north/nominate/", said(comment="x"))
    waits = client.post("/north/nominate/", said(ready=""))
    assert (waits.status_code, "Robin" in waits.text) == (429, True)
    world.north.privacy_officer = ""
    world.north.save()
    assert client.get("/north/nominate/").headers["Location"] == "/north/"
    with site_scope(world.north.pk):
        assert Recruit.objects.count() == 0


# The way


def test_the_whole_way(world: World, sign_in: SignIn) -> None:
    """By the pages: nominated, invited, the form, two reviews, trained and agreed on the roster, a candidate."""
    recruit = nominate(world)
    path = f"/north/supporters/recruits/{recruit.ref}/"
    ada, lea = sign_in(world["north administrator"]), sign_in(world["north lead"])
    assert recruit.ref in ada.get("/north/today/").text
    assert ROBIN.name in lea.get("/north/supporters/").text
    assert lea.post(path, {"do": "invite"}).status_code == 302 and fresh(recruit).state == State.NOMINATED
    ada.post(path, {"do": "invite"})
    with site_scope(world.north.pk):
        invitation = Invitation.objects.get()
        user = people.accept_invitation(invitation).user
    assert (fresh(recruit).user_id, fresh(recruit).named) == (user.pk, None)
    robin = sign_in(user)
    assert "Tell us about yourself" in robin.get("/north/my/").text
    # The roster cannot be used to skip the form, nor the review.
    assert ada.get(f"/north/supporters/{user.pk}/").headers["Location"] == path
    bad = robin.post("/north/my/interest/", FORM | {"stage": "BISHOP"})
    assert bad.status_code == 422 and "Ottoline Featherby" in bad.text
    robin.post("/north/my/interest/", FORM)
    with site_scope(world.north.pk):
        supporter = PeerSupporter.objects.get(user=user)
        line_of = (supporter.state, supporter.practice, supporter.stage, supporter.bio, supporter.published)
        assert line_of == ("PREPARING", "FAMILY", "MID", "I work nights.", False)
        assert sorted(vault.open_sealed("SUPPORTER", supporter.pk, supporter.described or b"")["said"]) == [
            "PARENT",
            "PUNJABI",
        ]
    roster = {"practice": "FAMILY", "stage": "MID", "gender": "WOMAN", "cap_year": 7, "cap_live": 2}
    ready = roster | {"state": "ACTIVE", "trained_on": "2026-01-02", "agreement_until": "2099-01-01"}
    ada.post(f"/north/supporters/{user.pk}/", ready)
    assert fresh(recruit).state == State.INTERESTED
    page = lea.get(path).text
    assert "I work nights." in page and "Featherby" not in page and "Punjabi" not in page
    for reviewer, after in ((ada, State.INTERESTED), (ada, State.INTERESTED), (lea, State.ACTIVE)):
        reviewer.post(path, {"do": "review"})
        assert fresh(recruit).state == after
    assert way(recruit) == [
        (None, "NOMINATED"),
        ("NOMINATED", "INVITED"),
        ("INVITED", "INTERESTED"),
        ("INTERESTED", "INTERESTED"),
        ("INTERESTED", "REVIEWED"),
        ("REVIEWED", "TRAINING"),
        ("TRAINING", "AGREEING"),
        ("AGREEING", "ACTIVE"),
    ]
    with site_scope(world.north.pk):
        names = {one.supporter.profile.name for one in candidates.readiness() if not one.obstacles}
        assert names == {ROBIN.name, "Dr Sam North"}
        assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"NOMINATED", "ONE_YES", "REVIEWED"}
        assert Due.objects.filter(kind=Recruit.KIND).count() == 0
    assert "ROSTER" not in ada.get("/north/settings/audit/").text


@pytest.mark.parametrize("verb", sorted(Recruit.MOVES))
def test_a_move_starts_from_its_own_states_alone(world: World, verb: str) -> None:
    """The three that look at dates are made by `follow_readiness`, which does nothing elsewhere."""
    recruit, supporter = reviewed(world)
    moves: dict[str, Callable[[], Any]] = {
        "invite": lambda: recruitment.invite(recruit.pk, by=admin(world)),
        "send": lambda: recruitment.send(recruit.pk, Interest({}), by=Actor(supporter.user_id, "supporter")),
        "review": lambda: recruitment.review(recruit.pk, roles={Role.LEAD}, by=lead(world)),
        "stop": lambda: recruitment.stop(recruit.pk, "NOT_NOW", by=admin(world)),
    }
    with site_scope(world.north.pk):
        for state in set(State.values) - Recruit.MOVES[verb][0]:
            Recruit.objects.filter(pk=recruit.pk).update(state=state)
            if verb in moves:
                with pytest.raises(Refused), transaction.atomic():
                    moves[verb]()
            elif state not in ("REVIEWED", "TRAINING", "AGREEING"):
                recruitment.follow_readiness(supporter, frozenset(), admin(world))
            assert Recruit.objects.get().state == state


def test_two_people_review_never_one_twice(world: World) -> None:
    recruit, _supporter = interested(world)
    both = {Role.ADMINISTRATOR, Role.LEAD}
    with site_scope(world.north.pk):
        ada = admin(world)
        recruitment.review(recruit.pk, roles=both, by=ada)
        with refused("OWN_REVIEW"):
            recruitment.review(recruit.pk, roles=both, by=ada)
        with pytest.raises(IntegrityError), transaction.atomic():
            Recruit.objects.filter(pk=recruit.pk).update(by_administrator=ada.user_id, by_lead=ada.user_id)
        with pytest.raises(IntegrityError), transaction.atomic():
            Recruit.objects.filter(pk=recruit.pk).update(state="TRAINING")
    other, _supporter = interested_by(world, "Dr Other", "other@example.ca")
    Membership.objects.filter(user=world["north lead"]).update(ended_at=tenancy.now())
    with site_scope(world.north.pk):
        recruitment.review(other.pk, roles={Role.ADMINISTRATOR}, by=ada)
        with refused("REVIEWER_MISSING"):
            recruitment.review(other.pk, roles={Role.ADMINISTRATOR}, by=ada)


def interested_by(world: World, name: str, email: str) -> tuple[Recruit, PeerSupporter]:
    recruit = nominate(world, Named(name, email))
    user = joined(world, recruit)
    with site_scope(world.north.pk):
        return recruit, recruitment.send(recruit.pk, Interest({}), by=Actor(user.pk, Role.SUPPORTER))


def test_training_and_agreement_are_awaited_each_for_itself(world: World) -> None:
    recruit, supporter = reviewed(world)
    assert fresh(recruit).state == State.TRAINING
    with site_scope(world.north.pk) as scope:
        ahead = localdate(scope.now) + timedelta(days=3)
        readiness.record(supporter, trained_on=ahead, agreement_until=date(2099, 1, 1), by=admin(world))
        assert Recruit.objects.get().state == State.TRAINING
        later = scope.now + timedelta(days=4)
    agenda.sweep(now=later)
    assert fresh(recruit).state == State.ACTIVE
    with site_scope(world.north.pk):
        assert PeerSupporter.objects.get(pk=supporter.pk).state == "ACTIVE"
        mails = Notice.objects.filter(recipient=supporter.user).values_list("kind", flat=True)
        assert sorted(mails) == ["RECRUIT_ON", "RECRUIT_YES"]


def test_signing_the_agreement_makes_active_who_is_trained_and_is_asked_of_nobody_before(
    world: World, sign_in: SignIn
) -> None:
    recruit, supporter = reviewed(world)
    robin = sign_in(supporter.user)
    assert "See the sessions" in robin.get("/north/my/").text and "Read and sign" not in robin.get("/north/my/").text
    with site_scope(world.north.pk):
        readiness.record(supporter, trained_on=date(2026, 1, 2), by=admin(world))
        assert Recruit.objects.get().state == State.AGREEING
        version = agreement.text().sha256
    assert "Read and sign" in robin.get("/north/my/").text
    robin.post("/north/my/agreement/", {"version": version})
    assert fresh(recruit).state == State.ACTIVE


def test_who_stops_loses_the_role_and_may_begin_again(world: World, sign_in: SignIn) -> None:
    recruit, supporter = interested(world)
    robin = sign_in(supporter.user)
    assert robin.post("/north/my/interest/", {"do": "stop"}).headers["Location"] == "/start/"
    assert robin.get("/north/my/").status_code == 404
    assert (fresh(recruit).state, fresh(recruit).why) == (State.STOPPED, "OWN_WISH")
    with site_scope(world.north.pk):
        left = PeerSupporter.objects.get(pk=supporter.pk)
        assert (left.state, left.described, left.evaluated) == ("LEFT", None, None)
    again = nominate(world)
    assert again.pk != recruit.pk
    joined(world, again)
    with site_scope(world.north.pk):
        back = recruitment.send(again.pk, Interest({"stage": "LATE"}), by=Actor(supporter.user_id, Role.SUPPORTER))
    assert (back.pk, back.state, back.stage) == (supporter.pk, "PREPARING", "LATE")


def test_who_is_stopped_before_joining_is_erased_and_the_invitation_with_it(world: World, sign_in: SignIn) -> None:
    recruit = nominate(world)
    with site_scope(world.north.pk):
        recruitment.invite(recruit.pk, by=admin(world))
    ada, path = sign_in(world["north administrator"]), f"/north/supporters/recruits/{recruit.ref}/"
    assert ada.post(path, {"do": "stop"}).status_code == 422
    ada.post(path, {"do": "stop", "why": "NOT_NOW"})
    with site_scope(world.north.pk):
        assert Invitation.objects.get().revoked_at is not None
        assert vault.find(Recruit.KIND, {"email": ROBIN.email}) == []
    assert "Who this was has been erased." in ada.get(path).text


def test_silence_is_remembered_and_after_half_a_year_erased(world: World) -> None:
    recruit = nominate(world)
    with site_scope(world.north.pk) as scope:
        recruitment.invite(recruit.pk, by=admin(world))
        now = scope.now
    agenda.sweep(now=now + timedelta(days=15))
    with site_scope(world.north.pk, now=now + timedelta(days=15)):
        assert Notice.objects.filter(kind="RECRUIT_LATE").count() == 1
        (row,) = [item for item in today.items("north") if recruit.ref in item.title]
        assert "did not answer" in row.title
        recruitment.invite(recruit.pk, by=admin(world))
    agenda.sweep(now=now + timedelta(days=181))
    assert (fresh(recruit).state, fresh(recruit).why, fresh(recruit).named) == (State.STOPPED, "SILENT", None)
    with site_scope(world.north.pk):
        with pytest.raises(vault.Sealed):
            vault.open_sealed(Recruit.KIND, recruit.pk, b"x" * 40)


def test_a_form_that_nobody_reviews_is_remembered_to_those_who_have_not(world: World) -> None:
    recruit, _supporter = interested(world)
    with site_scope(world.north.pk) as scope:
        recruitment.review(recruit.pk, roles={Role.ADMINISTRATOR}, by=admin(world))
        now = scope.now
    agenda.sweep(now=now + timedelta(days=8))
    with site_scope(world.north.pk):
        told = Notice.objects.filter(kind="RECRUIT_WAIT").values_list("recipient_id", flat=True)
        assert list(told) == [world["north lead"].pk]


def test_who_is_invited_by_hand_is_on_the_way_too_and_who_is_in_the_roster_is_not(world: World) -> None:
    with site_scope(world.north.pk):
        direct = people.invite(
            world.north, email="d@example.ca", name="Dr Direct", role=Role.SUPPORTER, by=audit.SYSTEM
        )
        user = people.accept_invitation(direct).user
        recruit = Recruit.objects.get()
        assert (recruit.user_id, recruit.state, recruits.lines()[0].name) == (user.pk, "INVITED", "Dr Direct")
        people.end_role(Membership.objects.get(user=user), by=admin(world))
        assert (Recruit.objects.get().state, Recruit.objects.get().why) == ("STOPPED", "ROLE_ENDED")
        sam = Membership.objects.get(user=world["north supporter"])
        people.end_role(sam, by=admin(world))
        people.add_role(Membership.objects.get(user=world["north lead"]), Role.SUPPORTER, by=admin(world))
        assert Recruit.objects.filter(user=world["north lead"], state="INVITED").count() == 1
        assert outbox.path_of(Recruit.KIND, recruit.pk) == f"/north/supporters/recruits/{recruit.ref}/"


# Whom they evaluate


@pytest.mark.parametrize(
    ("typed", "name", "email", "stands"),
    [
        ("Ottoline Featherby", "Dr. O. Featherby", "", True),
        ("Featherby, Ottoline; zia@example.ca", "Zia Elsewhere", "ZIA@example.ca", True),
        ("zia@example.ca", "Zia Example", "", False),
        ("Ottoline Featherby", "Ottoline Mordaunt", "", False),
        ("", "Featherby", "", False),
    ],
)
def test_a_list_names_a_physician_by_surname_or_address(typed: str, name: str, email: str, stands: bool) -> None:
    assert is_listed(typed, name, email) is stands


def test_nobody_is_matched_with_whom_they_evaluate(world: World, sign_in: SignIn) -> None:
    sam = world.supporters["north"]
    sign_in(sam.user).post("/north/my/about/", {"gender": "UNSAID", "evaluated": "Featherby\nzia@example.ca"})
    others = [line.request(world.north, name="Robin Example"), line.request(world.north, name="Ottoline Featherby")]
    others.append(line.request(world.north, name="Zia", email="Zia@example.ca"))
    with site_scope(world.north.pk):
        hard = [[r.code for r in candidates.candidate_for(referral, sam.pk).hard] for referral in others]
        assert hard == [[], ["EVALUATES"], ["EVALUATES"]]
        assert b"Featherby" not in bytes(PeerSupporter.objects.get(pk=sam.pk).evaluated or b"")
    assert "Featherby" in sign_in(sam.user).get("/north/my/about/").text
    # Lent to another roster the list goes along, and outside the region it does by surname.
    with site_scope(world.north.pk):
        lending.lend(sam.pk, to=world.province, by=Actor(sam.user_id, Role.SUPPORTER))
    with site_scope(world.province.pk):
        copy = PeerSupporter.objects.get(user=sam.user)
        assert evaluators("Ottoline Featherby", "") == {copy.pk}
    far = line.request(world.north, outside=True, name="Ottoline Featherby")
    with site_scope(world.province.pk):
        assert "north" in candidates.need_of(far).avoid_surnames
    with site_scope(world.north.pk):
        people.end_role(Membership.objects.get(site=world.north, user=sam.user), by=admin(world))
        assert PeerSupporter.objects.get(pk=sam.pk).evaluated is None


def test_the_interest_form_asks_for_departments_the_site_has(world: World, sign_in: SignIn) -> None:
    recruit = nominate(world)
    user = joined(world, recruit)
    with site_scope(world.north.pk):
        maternity = Department.objects.create(name="Maternity")
    sign_in(user).post("/north/my/interest/", FORM | {"evaluates": [maternity.pk]})
    assert "Maternity" in sign_in(world["north lead"]).get(f"/north/supporters/recruits/{recruit.ref}/").text


def test_the_province_reviews_by_two_coordinators(world: World) -> None:
    at, cora = world.province, line.acting(world["coordinator"], Role.ADMINISTRATOR)
    second = cast.member(at, Role.ADMINISTRATOR, "Cleo Province")
    with site_scope(at.pk):
        recruitment.nominate(ROBIN, key=uuid.uuid4())
        recruit = Recruit.objects.get()
        user = people.accept_invitation(recruitment.invite(recruit.pk, by=cora)).user
        recruitment.send(recruit.pk, Interest({}), by=Actor(user.pk, Role.SUPPORTER))
        recruitment.review(recruit.pk, roles={Role.ADMINISTRATOR}, by=cora)
        with pytest.raises(Refused):
            recruitment.review(recruit.pk, roles={Role.ADMINISTRATOR}, by=cora)
        done = recruitment.review(recruit.pk, roles={Role.ADMINISTRATOR}, by=Actor(second.pk, Role.ADMINISTRATOR))
        assert done.state == State.TRAINING
