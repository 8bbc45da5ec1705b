"""One step of a row: what it writes, what it leaves behind, and that a step that may not be taken writes nothing."""

from types import MappingProxyType
from typing import Any, ClassVar

import pytest
from django.utils.translation import gettext_lazy, override

from matching.matches.models import Match
from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests.models import Referral
from sites.engine.models import AuditEntry
from sites.engine.moves import (
    MOVED_ON,
    Moves,
    Refusal,
    Refused,
    Trace,
    ensure_allowed,
    goal_of,
    leave_trace,
    leave_traces,
    move,
)
from tests import line
from tests.people import World


def events(obj: Any) -> list[tuple[str | None, str, str, int | None]]:
    return list(obj.events.order_by("pk").values_list("source", "target", "why", "by"))


def entries(kind: str, *numbers: int) -> list[tuple[str, int | None, str, int | None]]:
    found = AuditEntry.objects.filter(object_kind=kind, object_id__in=numbers).order_by("number")
    return list(found.values_list("action", "object_id", "role", "actor"))


def test_a_move_writes_the_state_and_what_is_named_with_it_and_nothing_else(world: World) -> None:
    referral, by = line.request(world.north), line.administrator(world)
    with site_scope(world.north.pk) as scope:
        before = events(referral)
        referral.closed_at, referral.outcome, referral.stage = scope.now, "DONE", "LATE"
        move(referral, "close", by=by, why="CLOSED", also=("closed_at", "outcome"))
        now = Referral.objects.get(pk=referral.pk)
        assert (referral.state, now.state, now.closed_at, now.outcome) == ("CLOSED", "CLOSED", scope.now, "DONE")
        assert now.stage == "UNSAID"
        assert events(referral) == [*before, ("OPEN", "CLOSED", "CLOSED", by.user_id)]
        assert referral.events.order_by("pk").last().at == scope.now
    with site_scope(world.north.pk):
        assert entries("REFERRAL", referral.pk)[1:] == [("CLOSED", referral.pk, by.role, by.user_id)]


def test_a_move_without_a_reason_has_that_of_the_list(world: World) -> None:
    match, by = line.invited(world), line.helper(world)
    with site_scope(world.north.pk):
        move(match, "accept", by=by)
        assert events(match)[1:] == [("INVITED", "ACCEPTED", "NONE", by.user_id)]
    with site_scope(world.north.pk):
        assert entries("MATCH", match.pk)[1:] == [("ANSWERED", match.pk, by.role, by.user_id)]


def test_a_move_that_does_not_start_from_there_is_refused_and_writes_nothing(world: World) -> None:
    referral, by = line.request(world.north), line.administrator(world)
    with site_scope(world.north.pk):
        before = events(referral)
        for attempt in (
            lambda: move(referral, "reopen", by=by),
            lambda: ensure_allowed(referral, "reopen"),
            lambda: goal_of(Referral, "reopen", "OPEN"),
        ):
            with pytest.raises(Refused) as refused:
                attempt()
            assert refused.value.code == "MOVED_ON"
            assert refused.value.sentence == "This request has moved on in the meantime."
        assert (referral.state, Referral.objects.get(pk=referral.pk).state) == ("OPEN", "OPEN")
        assert events(referral) == before
        ensure_allowed(referral, "close")
        assert goal_of(Referral, "close", "OPEN") == "CLOSED"
        assert referral.state == "OPEN"
    with site_scope(world.north.pk):
        assert len(entries("REFERRAL", referral.pk)) == 1


class Door:
    """Neither in the database nor anywhere: a state and what becomes of it."""

    MOVES: ClassVar[Moves] = {"open": (frozenset({"SHUT"}), "OPEN"), "lock": (frozenset({"SHUT"}), "LOCKED")}
    TRACE: ClassVar[Trace] = Trace()
    REFUSALS: ClassVar[Any] = MappingProxyType({"lock": ("AJAR", "Shut it first.")})


@pytest.mark.parametrize(("verb", "refusal"), [("lock", ("AJAR", "Shut it first.")), ("open", MOVED_ON)])
def test_a_verb_may_have_a_refusal_of_its_own(verb: str, refusal: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        goal_of(Door, verb, "OPEN")  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.sentence) == (refusal[0], str(refusal[1]))
    assert MOVED_ON[0] == "MOVED_ON"


def test_the_sentence_of_a_refusal_is_in_the_language_of_who_reads_it() -> None:
    refused = Refused("CODE", gettext_lazy("Cancel"))
    assert (refused.code, str(refused), refused.sentence) == ("CODE", "CODE", "Cancel")
    with override("fr"):
        assert refused.sentence == "Annuler"
    assert Refused("CODE", "Words").sentence == "Words"


def test_what_leaves_no_trace_leaves_none(world: World) -> None:
    with site_scope(world.north.pk):
        leave_trace(Door(), None, by=line.administrator(world))
        leave_traces([(Door(), "WHY")], by=line.administrator(world))
        leave_traces([], by=line.administrator(world))
    with site_scope(world.north.pk):
        assert not AuditEntry.objects.filter(object_kind="").exists()
    assert Trace() == Trace(events=False, action=None, kind="")


def test_a_beginning_and_what_changes_no_state_can_leave_a_trace(world: World) -> None:
    match, by = line.invited(world), line.administrator(world)
    with site_scope(world.north.pk):
        assert events(match) == [(None, "INVITED", "NONE", by.user_id)]
        leave_trace(match, match.state, by=by, why="NUDGE", action="NUDGED")
        assert events(match)[1:] == [("INVITED", "INVITED", "NUDGE", by.user_id)]
    with site_scope(world.north.pk):
        assert entries("MATCH", match.pk) == [
            ("INVITED", match.pk, by.role, by.user_id),
            ("NUDGED", match.pk, by.role, by.user_id),
        ]


def test_many_rows_leave_their_traces_in_order(world: World) -> None:
    first, second = line.request(world.north), line.request(world.north)
    by = line.administrator(world)
    with site_scope(world.north.pk):
        leave_traces([(second, "ALERTED"), (first, "UNHEARD")], by=by)
        assert events(first)[1:] == [("OPEN", "OPEN", "UNHEARD", by.user_id)]
        assert events(second)[1:] == [("OPEN", "OPEN", "ALERTED", by.user_id)]
        assert second.events.order_by("pk").last().at == tenancy.now()
    with site_scope(world.north.pk):
        assert entries("REFERRAL", first.pk, second.pk)[2:] == [
            ("ALERTED", second.pk, by.role, by.user_id),
            ("UNHEARD", first.pk, by.role, by.user_id),
        ]


def test_one_row_of_many_may_be_all(world: World) -> None:
    referral = line.request(world.north)
    with site_scope(world.north.pk):
        leave_traces([(referral, "ALERTED")], by=line.administrator(world))
        assert len(events(referral)) == 2


def test_an_event_is_a_new_row_each_time(world: World) -> None:
    match, by = line.invited(world), line.administrator(world)
    with site_scope(world.north.pk):
        for _ in range(2):
            leave_trace(match, match.state, by=by)
        assert len(events(match)) == 3
        assert Match.objects.get(pk=match.pk).state == "INVITED"
