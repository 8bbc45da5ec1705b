"""The rules without a database: what is assumed where nothing is known, every reason in words, and the last day."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from matching.candidates import rules
from matching.candidates.rules import Candidate, Need, Peer, assess

TODAY = date(2027, 3, 10)
DAY = timedelta(days=1)
PEER = Peer(
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


def reasons(need: Need = Need(), **peer: Any) -> dict[str, str]:  # noqa: B008  it is frozen
    """Return code → words of every reason against a good supporter with these changes."""
    judged = assess(need, replace(PEER, **peer), TODAY)
    return {reason.code: reason.text for reason in judged.hard + judged.soft}


def test_of_a_request_nothing_is_assumed() -> None:
    assert Need() == Need(
        stage="UNSAID",
        practice="UNSAID",
        wishes=(),
        departments=frozenset(),
        evaluators=frozenset(),
        avoid=frozenset(),
        avoid_surnames=frozenset(),
        email=None,
        talk_in="",
        specialty="",
        address="",
    )


def test_of_a_supporter_nothing_is_assumed() -> None:
    assert (
        replace(
            PEER,
            live=0,
            total=0,
            departments=frozenset(),
            email=None,
            invited=0,
            refused=False,
            has_request=False,
            tried=False,
            taken_back=False,
            matched_before=False,
            last_match=None,
            specialty_code="",
            described=frozenset(),
        )
        == PEER
    )
    assert Candidate(PEER) == assess(Need(), PEER, TODAY)
    assert (Candidate(PEER).hard, Candidate(PEER).soft, Candidate(PEER).user_id) == ([], [], 2)


def test_an_address_is_not_written_into_a_log() -> None:
    assert "robin" not in repr(Need(address="robin@example.ca"))


def test_what_was_judged_stays_as_it_is() -> None:
    for frozen, name in ((Need(), "stage"), (PEER, "state"), (Candidate(PEER), "hard"), (rules.ASKED, "code")):
        with pytest.raises(AttributeError):
            setattr(frozen, name, None)


@pytest.mark.parametrize(
    ("need", "peer", "code", "text"),
    [
        ({}, {"state": "PREPARING"}, "INACTIVE", "not active"),
        ({}, {"trained_on": None}, "UNTRAINED", "training is not complete"),
        ({}, {"trained_on": TODAY + DAY}, "UNTRAINED", "training is not complete"),
        ({}, {"agreement_until": None}, "AGREEMENT", "agreement is not current"),
        ({}, {"agreement_until": TODAY - DAY}, "AGREEMENT", "agreement is not current"),
        ({"avoid": frozenset({1})}, {}, "EXCLUDED", "not for this request"),
        ({"avoid_surnames": frozenset({"gray"})}, {}, "EXCLUDED", "not for this request"),
        ({"departments": frozenset({3})}, {"departments": frozenset({3})}, "EVALUATES", "not for this request"),
        ({"evaluators": frozenset({1})}, {}, "EVALUATES", "not for this request"),
        ({}, {"refused": True}, "REFUSED", "not for this request"),
        ({}, {"has_request": True}, "ASKED", "has this request now"),
        ({"email": b"a"}, {"email": b"a"}, "SELF", "not for this request"),
        ({"stage": "LATE"}, {"stage": "EARLY"}, "EARLY", "early career, and the physician is not"),
        ({"stage": "LATE"}, {"stage": "MID"}, "STAGE", "mid career, and the physician is late career"),
        ({}, {"paused_until": TODAY}, "PAUSED", "pausing until 10 March"),
        ({}, {"live": 2}, "CAP_LIVE", "supporting 2 now, the number they set"),
        ({}, {"total": 7}, "CAP_YEAR", "7 of 7 this year"),
        ({}, {"matched_before": True}, "BEFORE", "matched with the same physician before"),
        ({}, {"tried": True}, "TRIED", "was asked for this request before"),
        ({}, {"taken_back": True}, "TAKEN_BACK", "invited before, taken back"),
    ],
)
def test_every_reason_in_words(need: dict[str, Any], peer: dict[str, Any], code: str, text: str) -> None:
    assert reasons(Need(**need), **peer) == {code: text}


@pytest.mark.parametrize(
    ("need", "peer"),
    [
        ({}, {"trained_on": TODAY - DAY}),
        ({}, {"agreement_until": TODAY + DAY}),
        ({"avoid": frozenset({2})}, {}),
        ({"avoid_surnames": frozenset({"sam", "green"})}, {}),
        ({"departments": frozenset({3})}, {"departments": frozenset({4})}),
        ({"evaluators": frozenset({2})}, {}),
        ({"email": b"a"}, {"email": b"b"}),
        ({"email": None}, {"email": None}),
        ({"email": None}, {"email": b"a"}),
        ({}, {"paused_until": TODAY - DAY}),
        ({}, {"live": 1}),
        ({}, {"total": 6}),
    ],
)
def test_just_outside_a_rule_nothing_speaks_against_them(need: dict[str, Any], peer: dict[str, Any]) -> None:
    assert reasons(Need(**need), **peer) == {}


def test_only_a_cap_may_be_waived_as_a_cap() -> None:
    assert frozenset({"CAP_LIVE", "CAP_YEAR"}) == rules.CAPS


def test_what_can_never_be_set_aside_is_listed_in_the_order_in_which_it_is_counted() -> None:
    assert [reason.code for reason in rules.HARD_REASONS] == [
        "INACTIVE",
        "UNTRAINED",
        "AGREEMENT",
        "EXCLUDED",
        "EVALUATES",
        "REFUSED",
        "ASKED",
        "SELF",
        "EARLY",
    ]
