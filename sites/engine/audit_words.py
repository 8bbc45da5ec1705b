"""The audit trail in words, for administrators: each room registers the words of the entries it makes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sites.engine.models import AuditEntry
from sites.tenants import queries
from sites.tenants.models import Role

# Action, where it matters with the kind of the object → what happened.
Words = Mapping[str | tuple[str, str], Promise]
AuditedObjects = set[tuple[str, int]]
RequestReferences = Callable[[AuditedObjects], dict[tuple[str, int], str]]

NOBODY = {
    "public": _("Someone on the public pages"),
    "system": _("The program itself"),
    "stranger": _("Someone without a role here"),
}
_words: dict[str | tuple[str, str], Promise] = {}
_purposes: dict[str, Promise] = {}
_request_references: list[RequestReferences] = []


@dataclass(frozen=True)
class Line:
    """An entry in words.

    Attributes:
        number: its place in the chain.
        who: a person's name, or what stands in place of one.
        role: of the person; empty where there is none.
        what: what happened.
        purpose: what for; empty where it is the work itself.
        ref: code of the request it belongs to, or empty.
    """

    number: int
    at: datetime
    who: str
    role: str
    what: str
    purpose: str
    ref: str


def register(*words: Words) -> None:
    """Add the words of rooms' entries. An entry without words is shown by its code.

    Args:
        words: code of an action, or code and kind of the object where one code means several things → a sentence.

    Raises:
        ValueError: another room has given words to the same entry.
    """
    for each in words:
        _add(each, _words)


def registered() -> dict[str | tuple[str, str], Promise]:
    """Return the words of all rooms."""
    return dict(_words)


def register_purposes(purposes: Mapping[str, Promise]) -> None:
    """Add words for codes of why something was opened (`purpose` of sites.engine.audit.record).

    Raises:
        ValueError: another room has given words to the same code.
    """
    _add(purposes, _purposes)


def register_request_references(references: RequestReferences) -> None:
    """Let an app say to which request objects belong: set of (kind, id) → dict of (kind, id) → the request's code."""
    if references not in _request_references:  # apps may be made ready twice
        _request_references.append(references)


Key = TypeVar("Key", str, str | tuple[str, str])


def _add(new: Mapping[Key, Promise], registered: dict[Key, Promise]) -> None:
    for key, sentence in new.items():
        if registered.setdefault(key, sentence) is not sentence:  # apps may be made ready twice
            raise ValueError(f"Two rooms have words for {key}.")


def lines(entries: Iterable[AuditEntry]) -> list[Line]:
    """Return entries of the current site in words."""
    entries = list(entries)
    names = queries.names({entry.actor_id for entry in entries if entry.actor_id})
    objects = {(entry.object_kind, entry.object_id) for entry in entries if entry.object_id}
    refs = {each: ref for references in _request_references for each, ref in references(objects).items()}
    return [_line(entry, names, refs) for entry in entries]


def _line(entry: AuditEntry, names: dict[int, str], refs: dict[tuple[str, int], str]) -> Line:
    role = Role(entry.role).label if entry.role in Role.values else ""
    name = names.get(entry.actor_id or 0, "")
    return Line(
        number=entry.number,
        at=entry.at,
        who=name or role or str(NOBODY.get(entry.role, entry.role)),
        role=role if name else "",
        what=str(_words.get((entry.action, entry.object_kind)) or _words.get(entry.action) or entry.action),
        purpose=str(_purposes.get(entry.purpose, "")),
        ref=refs.get((entry.object_kind, entry.object_id or 0), ""),
    )
