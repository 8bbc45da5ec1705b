"""Lines of an imported roster that wait until their person has joined."""

from collections.abc import Mapping
from typing import Any

from psi import tenancy
from sites.engine import agenda, audit
from sites.engine.audit import Actor
from sites.people import transitions as people
from sites.tenants.models import Invitation, Membership, Profile
from training.commitment import agreement
from training.recruitment.models import RosterLine
from training.supporters import trained_facts
from training.supporters.models import Department, Evaluates, PeerSupporter

# Columns of the file that `PeerSupporter` knows under another name.
FIELDS = {"french": "speaks_french", "specialty": "specialty_id"}


def columns(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of `PeerSupporter` that a line says."""
    return {FIELDS.get(name, name): value for name, value in line.items() if name != "departments"}


def put(invitation: Invitation, line: Mapping[str, Any]) -> None:
    """Keep a line for whoever uses this invitation, until it ends.

    Args:
        line: column of the file → its value, as JSON holds it; what was said before and is not said now stays.
    """
    row, _new = RosterLine.objects.get_or_create(invitation=invitation, defaults={"line": {}})
    row.line = {**row.line, **line}
    row.save(update_fields=["line"])
    agenda.schedule(RosterLine.KIND, [row.pk], invitation.expires_at)


def take_up(membership: Membership, invitation: Invitation | None) -> None:
    """Give a person who joins the line that waited for them."""
    waiting = RosterLine.objects.select_for_update(of=("self",)).filter(invitation=invitation).first()
    if invitation is None or waiting is None:
        return
    user_id, by = membership.user_id, Actor(membership.user_id, membership.role)
    line = columns(waiting.line)
    departments = Department.objects.filter(pk__in=waiting.line.get("departments", []))
    profile = Profile.objects.get(user_id=user_id)
    supporter, _new = PeerSupporter.objects.update_or_create(
        user_id=user_id, defaults={"profile": profile, "state": PeerSupporter.State.ACTIVE, **line}
    )
    Evaluates.objects.filter(supporter=supporter).delete()
    Evaluates.objects.bulk_create(Evaluates(supporter=supporter, department=one) for one in departments)
    supporter.refresh_from_db()  # dates were kept as text
    agreement.noted(supporter, by=by)
    trained_facts.trained(supporter)
    agenda.cancel(RosterLine.KIND, [waiting.pk])
    waiting.delete()
    audit.record("ROSTER", "SUPPORTER", supporter.pk, by=by)


def look_after(ids: list[int]) -> None:
    """Delete the lines whose invitation is over; a later one is looked at again."""
    rows = RosterLine.objects.select_for_update(of=("self",)).select_related("invitation").filter(pk__in=ids)
    for row in rows.order_by("pk"):
        if row.invitation.expires_at <= tenancy.now():
            row.delete()


def register() -> None:
    """Tell the agenda, and the people: before recruitment asks whether they are in the roster."""
    people.register_join(take_up)
    agenda.register(RosterLine.KIND, look_after)
