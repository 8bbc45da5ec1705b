"""Who is offered first, and the words beside the name."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.candidates.ranking import LANGUAGE, Chip, chips, rank, waiting_words, wish_chips, wish_words
from matching.candidates.rules import Candidate, Need, Peer, assess
from psi import tenancy
from referrals.requests.models import Wish
from tests.matching.test_rules import GOOD, TODAY
from training.supporters.models import Trait

NEED = Need()


def peer(number: int, **fields: Any) -> Peer:
    return replace(GOOD, supporter_id=number, **fields)


def order(need: Need, *peers: Peer) -> list[int]:
    mixed = list(peers)
    random.Random(4).shuffle(mixed)
    ranked = rank(need, [assess(need, one, TODAY) for one in mixed], NOW)
    return [offer.candidate.peer.supporter_id for offer in ranked]


NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)


def ago(days: float) -> Any:
    return NOW - timedelta(days=days)


def test_those_with_a_hard_reason_are_not_offered() -> None:
    assert order(NEED, peer(1), peer(2, trained_on=None), peer(3, refused=True)) == [1]


def test_free_before_not_however_well_the_wishes_fit() -> None:
    need = Need(wishes=("WOMAN", "FRENCH"))
    fits = peer(1, gender="WOMAN", french=True, paused_until=TODAY)
    assert order(need, fits, peer(2, live=1, total=6)) == [2, 1]


def test_then_by_the_years_share() -> None:
    assert order(NEED, peer(2, total=6), peer(3, total=3), peer(4, total=3, cap_year=10)) == [4, 3, 2]


def test_an_invitation_that_waits_for_an_answer_counts_as_load() -> None:
    """Somebody who may say yes to two others is not free, and the next request goes to the one nobody has asked."""
    full = peer(1, live=1, total=1, invited=1)
    assert order(NEED, full, peer(2, invited=1), peer(3, total=6), peer(4)) == [4, 2, 3, 1]
    assert chips(NEED, assess(NEED, full, TODAY))[:2] == [Chip("supporting 1 now"), Chip("invited to another request")]
    assert chips(NEED, assess(NEED, peer(1, invited=2), TODAY))[0] == Chip("invited to 2 others")


def test_the_same_career_stage_and_fewer_at_a_time_only_break_ties() -> None:
    need = Need(stage="MID", wishes=("WOMAN",))
    late = {"stage": "LATE"}
    assert order(need, peer(1, live=1), peer(2, **late), peer(3), peer(4, gender="WOMAN", **late)) == [4, 3, 1, 2]


def test_the_language_to_talk_in_weighs_more_than_a_wish() -> None:
    need = Need(wishes=("WOMAN",), talk_in="PUNJABI")
    assert order(need, peer(1, gender="WOMAN"), peer(2, described=frozenset({"PUNJABI"}))) == [2, 1]


def test_wishes_order_only_those_who_are_equally_free() -> None:
    need = Need(wishes=("WOMAN",))
    assert order(need, peer(1), peer(2, gender="WOMAN"), peer(3, gender="WOMAN", total=1)) == [2, 1, 3]


def test_then_by_who_has_waited_longest() -> None:
    assert order(NEED, peer(1, last_match=ago(5)), peer(2, last_match=ago(50)), peer(3)) == [3, 2, 1]


def test_then_by_number_so_that_the_list_stands_still() -> None:
    assert order(NEED, *[peer(n) for n in (5, 3, 9, 1)]) == [1, 3, 5, 9]


peers = st.builds(
    peer,
    st.integers(1, 10**6),
    live=st.integers(0, 3),
    total=st.integers(0, 9),
    cap_year=st.integers(1, 9),
    gender=st.sampled_from(["WOMAN", "MAN", "UNSAID"]),
    refused=st.booleans(),
    paused_until=st.sampled_from([None, TODAY]),
)


@given(st.lists(peers, max_size=8, unique_by=lambda p: p.supporter_id), st.randoms())
def test_the_order_depends_on_nothing_but_the_candidates(found: list[Peer], dice: random.Random) -> None:
    need = Need(wishes=("WOMAN",))
    judged = [assess(need, one, TODAY) for one in found]
    mixed = judged[:]
    dice.shuffle(mixed)
    first, second = rank(need, judged, NOW), rank(need, mixed, NOW)
    assert first == second
    assert {o.candidate.peer.supporter_id for o in first} == {c.peer.supporter_id for c in judged if not c.hard}
    soft = [bool(offer.candidate.soft) for offer in first]
    assert soft == sorted(soft)


# Words


def test_chips_say_both_sides_in_the_order_they_matter() -> None:
    need = Need(stage="MID", practice="FAMILY", wishes=("WOMAN", "FRENCH", "SPECIALTY"))
    one = peer(1, gender="WOMAN", live=1, total=3, paused_until=TODAY)
    assert chips(need, assess(need, one, TODAY)) == [
        Chip("pausing until 10 March", good=False),
        Chip("3 of 7 this year"),
        Chip("same career stage"),
        Chip("a woman, as asked"),
        Chip("does not speak French", good=False),
        Chip("same field of practice, as asked"),
    ]


def test_what_speaks_for_someone_free() -> None:
    assert chips(NEED, assess(NEED, peer(1), TODAY)) == [Chip("free now"), Chip("0 of 7 this year")]
    assert chips(NEED, assess(NEED, peer(1, live=1, total=2), TODAY))[0] == Chip("supporting 1 now")


def test_at_a_cap_the_load_is_said_once() -> None:
    one = assess(NEED, peer(1, live=2, total=7), TODAY)
    assert chips(NEED, one) == [
        Chip("supporting 2 now, the number they set", good=False),
        Chip("7 of 7 this year", good=False),
    ]


@pytest.mark.parametrize(
    ("wish", "fields", "met"),
    [
        ("WOMAN", {"gender": "WOMAN"}, True),
        ("WOMAN", {"gender": "UNSAID"}, False),
        ("MAN", {"gender": "MAN"}, True),
        ("NONBINARY", {"gender": "NONBINARY"}, True),
        ("NONBINARY", {"gender": "WOMAN"}, False),
        ("FRENCH", {"french": True}, True),
        ("PARENT", {"described": frozenset({"PARENT", "PUNJABI"})}, True),
        ("INDIGENOUS", {"described": frozenset({"PARENT"})}, False),
        ("VIDEO", {}, False),
        ("SPECIALTY", {"practice": "SPECIALIST"}, False),
        ("SPECIALTY", {"practice": "FAMILY"}, True),
        ("STAGE", {"stage": "MID"}, True),
        ("STAGE", {"stage": "LATE"}, False),
    ],
)
def test_each_wish_has_a_chip(wish: str, fields: dict[str, Any], met: bool) -> None:
    need = Need(stage="MID", practice="FAMILY", wishes=(wish,))
    (chip,) = wish_chips(need, peer(1, **fields))
    assert chip.good == met


def test_every_wish_can_be_met_by_someone() -> None:
    """Nothing may be offered on the form that no supporter could say of themselves."""
    need = Need(stage="MID", practice="FAMILY", wishes=tuple(Wish.values))
    met = {"gender": "WOMAN", "french": True, "described": frozenset(Trait.values)}
    against = [chip.text for chip in wish_chips(need, peer(1, **met)) if not chip.good]
    assert against == ["not the gender asked for"] * 2  # one cannot be all three


@pytest.mark.parametrize(
    ("specialty", "code", "said"),
    [
        ("", "SURGERY", Chip("same field of practice, as asked")),
        ("SURGERY", "SURGERY", Chip("same specialty, as asked")),
        ("SURGERY", "UROLOGY", Chip("another specialty", good=False)),
        ("SURGERY", "", Chip("another specialty", good=False)),
    ],
)
def test_the_same_specialty_is_compared_where_the_physician_told_theirs(specialty: str, code: str, said: Chip) -> None:
    need = Need(practice="FAMILY", wishes=("SPECIALTY",), specialty=specialty)
    assert wish_chips(need, peer(1, specialty_code=code)) == [said]


@pytest.mark.parametrize(
    ("talk_in", "fields", "said"),
    [
        ("ENGLISH", {}, []),
        ("FRENCH", {"french": True}, [Chip("speaks French, as asked", weight=LANGUAGE)]),
        ("FRENCH", {}, [Chip("does not speak French", good=False)]),
        ("PUNJABI", {"described": frozenset({"PUNJABI"})}, [Chip("speaks Punjabi, as asked", weight=LANGUAGE)]),
        ("PUNJABI", {"described": frozenset({"HINDI"})}, [Chip("not known: Punjabi", good=False)]),
    ],
)
def test_the_language_to_talk_in_counts_like_a_wish(talk_in: str, fields: dict[str, Any], said: list[Chip]) -> None:
    assert wish_chips(Need(talk_in=talk_in), peer(1, **fields)) == said
    assert wish_words(Need(talk_in=talk_in))[0].startswith("To talk in ")
    assert len(wish_chips(Need(talk_in=talk_in, wishes=("FRENCH",)), peer(1))) == 1 + (talk_in == "PUNJABI")


def test_what_was_not_said_is_not_met() -> None:
    need = Need(practice="UNSAID", stage="UNSAID", wishes=("SPECIALTY", "STAGE"))
    assert [c.good for c in wish_chips(need, peer(1, practice="UNSAID", stage="UNSAID"))] == [False, False]


def test_nothing_is_said_of_wishes_nobody_had() -> None:
    assert wish_chips(NEED, peer(1, gender="WOMAN", french=True)) == []
    assert wish_words(Need(wishes=("WOMAN", "FRENCH"))) == ["A woman", "Speaks French"]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (None, "not matched yet"),
        (0.4, "matched today"),
        (1.5, "last match 1 day ago"),
        (40, "last match 40 days ago"),
        (-1, "matched today"),
    ],
)
def test_how_long_someone_has_waited(days: float | None, said: str) -> None:
    assert waiting_words(peer(1, last_match=None if days is None else ago(days)), NOW) == said


def test_the_database_is_not_asked() -> None:
    """Ranking is pure: without a database, without a scope."""
    with pytest.raises(tenancy.OutsideScope):
        tenancy.current_site_id()
    assert order(NEED, peer(1)) == [1]
    assert Candidate(GOOD).user_id == GOOD.user_id
