"""Why a supporter is not offered: each rule on both sides, and what the list gives away."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils.timezone import localdate
from hypothesis import given
from hypothesis import strategies as st

from matching.candidates import queries as candidates
from matching.candidates import rules
from matching.candidates.rules import HARD, NOT_FOR_THIS, SOFT, Need, Peer, assess
from matching.invitations import transitions
from matching.matches.models import Match
from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests.models import Referral
from sites.tenants.models import Membership
from tests import line
from tests.people import World, supporter
from tests.refusals import refused
from training.supporters.models import Department, Evaluates, PeerSupporter, Stage, SupporterLoad
from training.supporters.surnames import name_words as words
from training.supporters.surnames import surnames

TODAY = date(2027, 3, 10)
DAY = timedelta(days=1)
GOOD = Peer(
    supporter_id=1,
    user_id=2,
    name="Dr Sam Gray",
    state="ACTIVE",
    stage="MID",
    practice="FAMILY",
    gender="UNSAID",
    french=False,
    specialty="",
    trained_on=TODAY,
    agreement_until=TODAY,
    paused_until=None,
    cap_year=7,
    cap_live=2,
)
NEED = Need()


def codes(need: Need = NEED, **peer: Any) -> tuple[list[str], list[str]]:
    """Return the codes of the hard and of the soft reasons against a good supporter with these changes."""
    judged = assess(need, replace(GOOD, **peer), TODAY)
    return [r.code for r in judged.hard], [r.code for r in judged.soft]


def test_nothing_speaks_against_a_good_supporter() -> None:
    assert codes() == ([], [])


def test_every_rule_is_asked_and_named_once() -> None:
    checks = [value for name, value in vars(rules).items() if name.startswith("check_")]
    assert sorted(c.__name__ for c in HARD + SOFT) == sorted(c.__name__ for c in checks)
    assert len(set(HARD + SOFT)) == len(HARD) + len(SOFT)


@pytest.mark.parametrize(
    ("need", "peer", "hard"),
    [
        ({}, {"state": "PREPARING"}, ["INACTIVE"]),
        ({}, {"state": "LEFT"}, ["INACTIVE"]),
        ({}, {"trained_on": None}, ["UNTRAINED"]),
        ({}, {"trained_on": TODAY + DAY}, ["UNTRAINED"]),
        ({}, {"trained_on": TODAY - DAY}, []),
        ({}, {"agreement_until": None}, ["AGREEMENT"]),
        ({}, {"agreement_until": TODAY - DAY}, ["AGREEMENT"]),
        ({}, {"agreement_until": TODAY + DAY}, []),
        ({"avoid": frozenset({1})}, {}, ["EXCLUDED"]),
        ({"avoid": frozenset({2})}, {}, []),
        ({"avoid_surnames": frozenset({"gray"})}, {}, ["EXCLUDED"]),
        ({"avoid_surnames": frozenset({"green", "s"})}, {}, []),
        ({"departments": frozenset({3, 4})}, {"departments": frozenset({4, 5})}, ["EVALUATES"]),
        ({"departments": frozenset({3})}, {"departments": frozenset({4})}, []),
        ({"departments": frozenset()}, {"departments": frozenset({4})}, []),
        ({}, {"refused": True}, ["REFUSED"]),
        ({"email": b"a"}, {"email": b"a"}, ["SELF"]),
        ({"email": b"a"}, {"email": b"b"}, []),
        ({"email": None}, {"email": None}, []),
    ],
)
def test_hard_rules(need: dict[str, Any], peer: dict[str, Any], hard: list[str]) -> None:
    assert codes(Need(**need), **peer) == (hard, [])


@pytest.mark.parametrize(
    ("peer", "soft", "text"),
    [
        ({"paused_until": TODAY}, ["PAUSED"], "pausing until 10 March"),
        ({"paused_until": TODAY - DAY}, [], None),
        ({"live": 2}, ["CAP_LIVE"], "supporting 2 now, the number they set"),
        ({"live": 3}, ["CAP_LIVE"], "supporting 3 now, the number they set"),
        ({"live": 1}, [], None),
        ({"total": 7}, ["CAP_YEAR"], "7 of 7 this year"),
        ({"total": 6}, [], None),
        ({"matched_before": True}, ["BEFORE"], "matched with the same physician before"),
    ],
)
def test_soft_rules(peer: dict[str, Any], soft: list[str], text: str | None) -> None:
    assert codes(**peer) == ([], soft)
    if text:
        assert [reason.text for reason in assess(NEED, replace(GOOD, **peer), TODAY).soft] == [text]


# Rows: the physician; columns: the supporter. - nothing, ! never, ~ may be set aside.
TABLE = """
           TRAINEE EARLY MID LATE RETIRED UNSAID
TRAINEE    -       -     -   -    -       -
EARLY      -       -     -   -    -       -
MID        !       !     -   -    -       -
LATE       !       !     ~   -    -       -
RETIRED    !       !     ~   -    -       -
UNSAID     -       -     -   -    -       -
"""


def test_the_table_of_career_stages() -> None:
    head, *rows = [row.split() for row in TABLE.strip().splitlines()]
    assert sorted(head) == sorted(Stage.values) == sorted(row[0] for row in rows)
    for physician, *cells in rows:
        for peer, cell in zip(head, cells, strict=True):
            expected = {"-": ([], []), "!": (["EARLY"], []), "~": ([], ["STAGE"])}[cell]
            assert (physician, peer, codes(Need(stage=physician), stage=peer)) == (physician, peer, expected)


@given(physician=st.sampled_from(Stage.values), peer=st.sampled_from(Stage.values))
def test_nobody_above_the_physician_is_ever_turned_down_for_their_stage(physician: str, peer: str) -> None:
    order = {"TRAINEE": 0, "EARLY": 0, "MID": 1, "LATE": 2, "RETIRED": 2}
    hard, soft = codes(Need(stage=physician), stage=peer)
    if "UNSAID" in (physician, peer) or order[peer] >= order[physician]:
        assert (hard, soft) == ([], [])
    else:
        assert len(hard + soft) == 1


def test_all_reasons_are_collected() -> None:
    need = Need(stage="LATE", avoid=frozenset({1}), departments=frozenset({4}), email=b"a")
    hard, soft = codes(
        need, state="LEFT", trained_on=None, agreement_until=None, departments=frozenset({4}), refused=True, email=b"a",
        stage="EARLY", paused_until=TODAY, live=2, total=7, matched_before=True,
    )  # fmt: skip
    assert hard == ["INACTIVE", "UNTRAINED", "AGREEMENT", "EXCLUDED", "EVALUATES", "REFUSED", "SELF", "EARLY"]
    assert soft == ["PAUSED", "CAP_LIVE", "CAP_YEAR", "BEFORE"]


def test_who_excluded_evaluates_or_declined_is_not_to_be_read_off() -> None:
    same = [
        assess(Need(avoid=frozenset({1})), GOOD, TODAY),
        assess(Need(avoid_surnames=frozenset({"gray"})), GOOD, TODAY),
        assess(Need(departments=frozenset({4})), replace(GOOD, departments=frozenset({4})), TODAY),
        assess(NEED, replace(GOOD, refused=True), TODAY),
        assess(Need(email=b"a"), replace(GOOD, email=b"a"), TODAY),
    ]
    assert [[reason.text for reason in c.hard] for c in same] == [[NOT_FOR_THIS]] * 5


# Names typed as not to be matched with


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Gray", "Dr Sam Gray"),
        ("dr. GRAY, Dr Green", "Dr Sam Gray"),
        ("Green;Gray", "Dr Sam Gray"),
        ("Green/Gray", "Dr Sam Gray"),
        ("Green\nGray", "Dr Sam Gray"),
        ("(Gray)", "Dr Sam Gray"),
        ("Green and Gray.", "Dr Sam Gray"),
        ("O'Brien", "Dr Pat O’Brien"),
        ("O’Brien", "Dr Pat O'Brien"),
        ("Oʼbrien", "Dr Pat O'Brien"),
        ("Lévesque", "Dr Anne Levesque"),
        ("Levesque", "Dr Anne Lévesque"),
        ("Le\u0301vesque", "Dr Anne Lévesque"),
        ("STRAẞER", "Dr Max Straßer"),
        ("Gray-Smith", "Dr Sam Gray"),
        ("Gray", "Dr Sam Gray–Smith"),
        ("Li", "Dr Wei Li"),
        ("Sam Gray", "Dr Alex Gray"),
        ("GRAY SAM, MD", "Sam Gray MD"),
        ("S.Gray", "Dr. Sam P. Gray, M.D., FRCPC"),
        ("Gray", "Gray, Sam"),
        ("Green & Gray", "Sam “Sunny” Gray"),
        ("Dre Green et Dr Gray", "Dr Sam Gray"),
        ("van der Berg", "Dr Jo van der Berg"),
        ("Berg", "Dr Jo van der Berg"),
        ("Vanderberg", "Dr Jo van der Berg"),
        ("van der Berg", "Dr Jo Vanderberg"),
        ("Le Blanc", "Dr Jo LeBlanc"),
        ("O Brien", "Dr Pat O'Brien"),
        ("OBrien", "Dr Pat O’Brien"),
        ("d’Angelo", "Dr Pat Dangelo"),
        ("Mc Donald", "Dr Pat McDonald"),
        ("Garcia", "Dr Ana Garcia Lopez"),
        ("Garcia-Lopez", "Dr Ana Lopez"),
        ("Sorensen", "Dr Lis Sørensen"),
        ("Le", "Dr Anh Le"),
        ("Anh Le", "Dr Anh Le"),
        ("Van Le", "Dr Van Le"),
        ("Van", "Dr Van"),
        ("A Al-A", "Dr A Al-A"),
    ],
)
def test_a_name_is_known_in_any_spelling(typed: str, name: str) -> None:
    assert codes(Need(avoid_surnames=words(typed)), name=name)[0] == ["EXCLUDED"]


@pytest.mark.parametrize(
    "typed", ["", "Dr", "Doctor, Dre", "Grayson", "Gra", "S.", "-", "Dr. M. Green", "Sam", "Sam Green", "Green, Sam P."]
)
def test_other_names_exclude_nobody(typed: str) -> None:
    assert codes(Need(avoid_surnames=words(typed)))[0] == []


@pytest.mark.parametrize("typed", ["de la Cruz", "Van", "Le", "Anne", "Marie", "Anne-Marie Gray", "van den Hout and O"])
def test_a_particle_or_a_first_name_excludes_nobody(typed: str) -> None:
    for name in ("Dr Anne-Marie van der Berg", "Dr Anne Le Blanc", "Dr Marie de la Tour", "Dr Pat O'Brien"):
        assert codes(Need(avoid_surnames=words(typed)), name=name)[0] == [], name


@given(st.from_regex(r"[a-zéß'’-]{1,8}( [A-ZÉa-z][a-z][a-zé'’-]{0,8}){1,3}", fullmatch=True), st.text(max_size=40))
def test_a_whole_name_typed_always_excludes_its_bearer(name: str, other: str) -> None:
    known = surnames(name)
    assert not known or known & words(f"Dr {name}, {other}")


# With the database


def judged(world: World, referral: Referral) -> dict[int, tuple[list[str], list[str]]]:
    with site_scope(world.north.pk):
        need = candidates.need_of(referral)
        roster = PeerSupporter.objects.exclude(state="LEFT").values_list("pk", flat=True)
        found = candidates.assess_supporters(need, candidates.history_of(referral, need), roster)
        return {c.user_id: ([r.code for r in c.hard], [r.code for r in c.soft]) for c in found}


def test_a_supporter_of_the_site_is_offered_and_no_other(world: World) -> None:
    assert judged(world, line.request(world.north)) == {world["north supporter"].pk: ([], [])}


def test_the_physicians_own_account_is_known_by_its_address_alone(world: World) -> None:
    own = world["north supporter"]
    assert judged(world, line.request(world.north, email=own.email.upper()))[own.pk] == (["SELF"], [])
    assert judged(world, line.request(world.north, email="x" + own.email))[own.pk] == ([], [])
    assert judged(world, line.request(world.north, email=world["south supporter"].email))[own.pk] == ([], [])


@pytest.mark.parametrize(
    ("first", "second", "known"),
    [
        ({"phone": "(604) 555-0199"}, {"phone": "604 555 0199"}, True),
        ({"email": "robin@example.ca", "phone": ""}, {"email": "Robin@Example.ca"}, True),
        (
            {"email": "robin@example.ca", "phone": "604 555 0199"},
            {"email": "other@example.ca", "phone": "6045550199"},
            True,
        ),
        ({"phone": "604 555 0199"}, {"phone": "604 555 0198"}, False),
        ({"phone": "", "email": "a@example.ca"}, {"phone": "", "email": "b@example.ca"}, False),
    ],
)
def test_matched_before_is_known_by_address_or_phone(
    world: World, first: dict[str, str], second: dict[str, str], known: bool
) -> None:
    match = line.contacted(world, **first)
    with site_scope(world.north.pk):
        transitions.finish(match.pk, by=line.helper(world))
        transitions.close(match.referral_id, "DONE", by=line.administrator(world))
    again = line.request(world.north, **second)
    assert judged(world, again)[world["north supporter"].pk] == ([], ["BEFORE"] if known else [])


def test_an_invitation_that_came_to_nothing_is_no_match_before(world: World) -> None:
    match = line.invited(world, phone="604 555 0199")
    with site_scope(world.north.pk):
        transitions.decline(match.pk, by=line.helper(world))
    assert judged(world, line.request(world.north, phone="604 555 0199"))[world["north supporter"].pk] == ([], [])


@pytest.mark.parametrize(
    ("ending", "reasons"),
    [
        ("decline", (["REFUSED"], [])),
        ("expire", ([], ["TRIED"])),
        ("reassign", ([], ["TRIED"])),
        ("revoke", ([], ["TAKEN_BACK"])),
        ("", (["ASKED"], [])),
    ],
)
def test_who_was_asked_for_this_request_before_is_not_simply_asked_again(
    world: World, ending: str, reasons: tuple[list[str], list[str]]
) -> None:
    match = (line.confirmed if ending == "reassign" else line.invited)(world)
    with site_scope(world.north.pk):
        if ending == "decline":
            transitions.decline(match.pk, by=line.helper(world), why="KNOWN")
        elif ending == "expire":
            transitions.expire(Match.objects.select_related("supporter").get(pk=match.pk))
        elif ending:
            getattr(transitions, ending)(match.pk, by=line.administrator(world))
        referral = Referral.objects.get(pk=match.referral_id)
    assert judged(world, referral)[world["north supporter"].pk] == reasons
    assert judged(world, line.request(world.north))[world["north supporter"].pk][0] == []


def test_departments_where_the_physician_is_evaluated(world: World) -> None:
    with site_scope(world.north.pk):
        here, there = (Department.objects.create(name=name) for name in ("Here", "There"))
        Evaluates.objects.create(supporter=world.supporters["north"], department=here)
    pk = world["north supporter"].pk
    assert judged(world, line.request(world.north, departments=(here.pk, there.pk)))[pk] == (["EVALUATES"], [])
    assert judged(world, line.request(world.north, departments=(there.pk,)))[pk] == ([], [])


def test_load_is_that_of_the_person_in_every_roster(world: World) -> None:
    elsewhere = supporter(world.south, "Dr Sam North", user=world["north supporter"])
    SupporterLoad.objects.create(user=world["north supporter"], year=localdate(tenancy.now()).year, live=2, total=2)
    SupporterLoad.objects.create(user=world["north supporter"], year=localdate(tenancy.now()).year - 1, live=0, total=7)
    assert judged(world, line.request(world.north))[elsewhere.user_id] == ([], ["CAP_LIVE"])
    with site_scope(world.south.pk):
        (line_of,) = [r for r in candidates.readiness() if r.supporter.pk == elsewhere.pk]
        assert (line_of.live, line_of.total) == (2, 2)


def test_a_match_taken_last_year_still_counts_as_live_and_not_for_this_year(world: World) -> None:
    SupporterLoad.objects.create(user=world["north supporter"], year=localdate(tenancy.now()).year - 1, live=2, total=7)
    assert judged(world, line.request(world.north))[world["north supporter"].pk] == ([], ["CAP_LIVE"])


def test_whose_role_has_ended_is_not_offered(world: World) -> None:
    Membership.objects.filter(user=world["north supporter"]).update(ended_at=tenancy.now())
    assert judged(world, line.request(world.north))[world["north supporter"].pk][0] == ["INACTIVE"]


def test_someone_who_left_is_not_on_the_list_at_all(world: World) -> None:
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(state="LEFT")
    assert judged(world, line.request(world.north)) == {}


@pytest.mark.parametrize("ask", ["first", "left_out", "one", "readiness"])
def test_the_number_of_queries_does_not_grow_with_the_roster(
    world: World, django_assert_num_queries: Any, ask: str
) -> None:
    """Literal counts at one and at three supporters, with departments, loads and matches before."""
    calls: dict[str, Callable[[Referral], Any]] = {
        "first": lambda r: candidates.first(need, candidates.history_of(r, need)),
        "left_out": lambda r: candidates.left_out(need, candidates.history_of(r, need)),
        "one": lambda r: candidates.candidate_for(r, world.supporters["north"].pk),
        "readiness": lambda r: candidates.readiness(),
    }
    expected = {"first": 4, "left_out": 4, "one": 7, "readiness": 2}[ask]
    referral = line.request(world.north, email="robin@example.ca")
    for more in (0, 2):
        for number in range(more):
            other = supporter(world.north, f"Dr Nova Number{number}")
            with site_scope(world.north.pk):
                department = Department.objects.create(name=f"D{number}")
                Evaluates.objects.create(supporter=other, department=department)
                SupporterLoad.objects.create(user=other.user, year=localdate(tenancy.now()).year, live=1, total=3)
        with site_scope(world.north.pk):
            referral = Referral.objects.get(pk=referral.pk)
            need = candidates.need_of(referral)
            with django_assert_num_queries(expected):
                found = calls[ask](referral)
            assert ask == "one" or (found == (1 + more, []) if ask == "left_out" else len(found) == 1 + more)


# The move that invites asks again


def test_a_hard_rule_is_not_set_aside(world: World) -> None:
    referral = line.request(world.north, email=world["north supporter"].email)
    with refused("SELF") as raised, site_scope(world.north.pk):
        transitions.invite(referral.pk, world.supporters["north"].pk, by=line.administrator(world), override="NOBODY")
    assert f"cannot be invited to this request: {NOT_FOR_THIS}." in raised.value.sentence
    with site_scope(world.north.pk):
        assert Match.objects.count() == 0


def test_a_soft_rule_is_set_aside_with_a_reason_from_the_list(world: World) -> None:
    referral = line.request(world.north)
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(paused_until=date(2099, 1, 1))
    number = world.supporters["north"].pk
    for override in (None, "", "BECAUSE", "because he knows her well"):
        with refused("NO_OVERRIDE"), site_scope(world.north.pk):
            transitions.invite(referral.pk, number, by=line.administrator(world), override=override)
    with site_scope(world.north.pk):
        match = transitions.invite(referral.pk, number, by=line.administrator(world), override="NOBODY")
        assert (match.override, match.cap_waived) == ("NOBODY", False)


def test_a_reason_nobody_needed_is_not_kept(world: World) -> None:
    referral = line.request(world.north)
    with site_scope(world.north.pk):
        match = transitions.invite(
            referral.pk, world.supporters["north"].pk, by=line.administrator(world), override="WISHED"
        )
        assert match.override is None


def test_someone_asked_before_may_be_asked_again_with_a_reason() -> None:
    """An invitation that ended unanswered, or a missed window, is soft; a decline is hard."""
    assert codes(tried=True) == ([], ["TRIED"])
    assert codes(refused=True) == (["REFUSED"], [])
