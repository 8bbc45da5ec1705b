"""A move: one step of a row from state to state, written in one way for every app.

A model that has a `state` declares what may happen to it:

- `MOVES`: verb → (states it may start from, state it leads to);
- `TRACE`: what a move leaves, an event row, an entry of the audit trail, both or neither;
- `REFUSALS`: verb → the refusal to give in place of `MOVED_ON`, where there is a better one.

Nothing else writes `state`; tests/test_moves.py reads that from the syntax trees of all apps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from psi import tenancy
from sites.engine import audit
from sites.engine.audit import Actor

Moves = Mapping[str, tuple[frozenset[str], str]]


class Refused(Exception):
    """A move that may not happen now; nothing was written.

    Attributes:
        code: what programs and tests ask for, such as `MOVED_ON`.
        sentence: what the person is shown, in the language in force.
    """

    def __init__(self, code: str, sentence: str | Promise) -> None:
        super().__init__(code)
        self.code = code
        self._sentence = sentence

    @property
    def sentence(self) -> str:
        """Return the sentence in the language in force; one that is safe HTML stays so."""
        return self._sentence if isinstance(self._sentence, str) else str(self._sentence)


Refusal = tuple[str, Any]  # code, sentence
MOVED_ON: Refusal = ("MOVED_ON", _("This has moved on in the meantime. Here is how it stands now."))


@dataclass(frozen=True)
class Trace:
    """What a move of a model leaves.

    Attributes:
        events: a row among the object's `events`: source, target, why, by, at.
        action: the code in the audit trail, from the object as it stands now and the reason; no entry without, or where
            it is empty.
        kind: code of the object in the audit trail.
    """

    events: bool = False
    action: Callable[[Any, str], str] | None = None
    kind: str = ""


class Stateful(Protocol):
    """A model with a `state`."""

    MOVES: ClassVar[Moves]
    TRACE: ClassVar[Trace]
    state: str


def move(obj: Any, verb: str, *, by: Actor, why: str = "", also: tuple[str, ...] = ()) -> None:
    """Take a row, locked, one step further.

    Args:
        obj: of a model with `MOVES` and `TRACE`; other fields may be set already.
        verb: of its `MOVES`.
        by: who does it.
        why: a code of the event's closed list of reasons; the list's own default without.
        also: names of other fields to write with the state.

    Raises:
        Refused: the verb does not start from where the row stands.
    """
    source, obj.state = obj.state, goal_of(type(obj), verb, obj.state)
    obj.save(update_fields=["state", *dict.fromkeys(also)])
    leave_trace(obj, source, by=by, why=why)


def leave_trace(obj: Any, source: str | None, *, by: Actor, why: str = "", action: str = "") -> None:
    """Leave what the model declares: of a row that begins (`source` is None), or of something that changes no state.

    Args:
        source: where it stood before.
        why: a code of the event's closed list of reasons; the list's own default without.
        action: code for the audit trail in place of the declared one.
    """
    trace: Trace = obj.TRACE
    if trace.events:
        reason = {"why": why} if why else {}
        event = obj.events.model(
            **{obj.events.field.name: obj},
            source=source,
            target=obj.state,
            by_id=by.user_id,
            at=tenancy.now(),
            **reason,
        )
        event.save(force_insert=True)
    if trace.action is not None and (code := action or trace.action(obj, why)):
        audit.record(code, trace.kind, obj.pk, by=by)


def leave_traces(steps: Sequence[tuple[Any, str]], *, by: Actor) -> None:
    """Leave traces of many rows of one model that changed no state, with one statement for each kind of trace.

    Args:
        steps: (object, code of why), in their order; the code is the audit trail's too.
    """
    if not steps:
        return
    trace: Trace = steps[0][0].TRACE
    if trace.events:
        field = type(steps[0][0]).events.field
        field.model.objects.bulk_create(
            field.model(
                **{field.name: obj}, source=obj.state, target=obj.state, why=why, by_id=by.user_id, at=tenancy.now()
            )
            for obj, why in steps
        )
    if trace.action is not None:
        audit.record_all([(why, obj.pk) for obj, why in steps], trace.kind, by=by)


def ensure_allowed(obj: Any, verb: str) -> None:
    """Refuse unless the verb starts from where a row stands: for moves that write elsewhere first.

    Raises:
        Refused: the verb does not start from there.
    """
    goal_of(type(obj), verb, obj.state)


def goal_of(model: type[Model], verb: str, state: str) -> str:
    """Return the state that a verb of the model's `MOVES` leads to.

    Raises:
        Refused: the verb does not start from `state`.
    """
    moves: Moves = model.MOVES  # type: ignore[attr-defined]
    sources, goal = moves[verb]
    if state not in sources:
        refusals: Mapping[str, Refusal] = getattr(model, "REFUSALS", MappingProxyType({}))
        raise Refused(*refusals.get(verb, MOVED_ON))
    return goal
