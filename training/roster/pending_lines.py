"""Lines of an imported roster that wait until their person has joined."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from psi import tenancy
from sites.engine import agenda
from sites.engine.audit import Actor
from sites.people import transitions as people
from sites.tenants.models import Invitation, Membership
from training.recruitment.models import RosterLine
from training.roster.files import DATES
from training.supporters import transitions
from training.supporters.models import Department, PeerSupporter

# Columns of the file that `PeerSupporter` knows under another name.
FIELDS = {"french": "speaks_french", "specialty": "specialty_id"}


def save_line(user_id: int, line: Mapping[str, Any], *, state: str | None = None, by: Actor) -> None:
    """Write a line of a file to the roster.

    Args:
        user_id: whose line it is; they have a profile at the current site.
        line: column of the file → its value, as JSON holds it; columns that are left out stay as they are.
        state: the state of the line from now on; None leaves it as it is, and makes a new line active.
    """
    columns = {FIELDS.get(name, name): value for name, value in line.items() if name != "departments"}
    for name in DATES:
        if columns.get(name):
            columns[name] = date.fromisoformat(columns[name])
    transitions.save_line(user_id, columns, departments=line.get("departments"), state=state, by=by)


def put(invitation: Invitation, line: Mapping[str, Any]) -> None:
    """Store a line for whoever uses this invitation, until it ends.

    Args:
        line: column of the file → its value, as JSON holds it; columns of an earlier line that are left out stay.
    """
    row, _new = RosterLine.objects.get_or_create(invitation=invitation, defaults={"line": {}})
    row.line = {**row.line, **line}
    row.save(update_fields=["line"])
    agenda.schedule(RosterLine.KIND, [row.pk], invitation.expires_at)


def apply_pending_line(membership: Membership, invitation: Invitation | None) -> None:
    """Write the line that waited for a person who joins, if there is one, and delete it."""
    waiting = RosterLine.objects.select_for_update(of=("self",)).filter(invitation=invitation).first()
    if invitation is None or waiting is None:
        return
    # A department may have gone while the line waited.
    departments = Department.objects.filter(pk__in=waiting.line.get("departments", []))
    line = {**waiting.line, "departments": list(departments.values_list("pk", flat=True))}
    by = Actor(membership.user_id, membership.role)
    save_line(membership.user_id, line, state=PeerSupporter.State.ACTIVE, by=by)
    agenda.cancel(RosterLine.KIND, [waiting.pk])
    waiting.delete()


def handle(ids: list[int]) -> None:
    """Delete those of these pending lines whose invitation is over."""
    rows = RosterLine.objects.select_for_update(of=("self",)).select_related("invitation").filter(pk__in=ids)
    for row in rows.order_by("pk"):
        if row.invitation.expires_at <= tenancy.now():
            row.delete()


def register() -> None:
    """Register what follows from joining, before recruitment asks whether they are in the roster, and what is due."""
    people.register_join(apply_pending_line)
    agenda.register(RosterLine.KIND, handle)
