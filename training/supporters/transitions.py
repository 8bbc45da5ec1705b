"""What is written to a line of the roster: by an administrator, by an import, and by the supporter themselves."""

from collections.abc import Iterable, Mapping
from typing import Any

from sites.engine import audit
from sites.engine.audit import Actor
from sites.engine.moves import move
from sites.tenants.models import Profile
from training.supporters import lending, readiness, self_description
from training.supporters.models import Department, Evaluates, PeerSupporter

_VERBS = {goal: verb for verb, (_sources, goal) in PeerSupporter.MOVES.items()}


def save_line(
    user_id: int,
    columns: Mapping[str, Any],
    *,
    departments: Iterable[int] | None = None,
    state: str | None = None,
    by: Actor,
) -> PeerSupporter:
    """Write a line of the roster, new or changed, with all that follows from its dates.

    Args:
        user_id: whose line it is; they have a profile at the current site.
        columns: column of `PeerSupporter` → value; columns that are left out stay as they are.
        departments: ids of those whose physicians they evaluate; None leaves them as they are.
        state: the state of the line from now on; None leaves it as it is, and makes a new line active.
        by: who writes it.

    Returns:
        The supporter as saved.
    """
    plain = {name: value for name, value in columns.items() if name not in readiness.COLUMNS}
    dates = {name: columns[name] for name in readiness.COLUMNS if name in columns}
    supporter = PeerSupporter.objects.select_for_update(no_key=True).filter(user_id=user_id).first()
    if supporter is None:
        profile = Profile.objects.get(user_id=user_id)
        first = state or PeerSupporter.State.ACTIVE
        supporter = PeerSupporter.objects.create(user_id=user_id, profile=profile, state=first, **plain)
    else:
        for name, value in plain.items():
            setattr(supporter, name, value)
        if plain:
            supporter.save(update_fields=list(plain))
        if state is not None and state != supporter.state:
            move(supporter, _VERBS[state], by=by)
    if departments is not None:
        set_departments(supporter, departments)
    readiness.record(supporter, **dates, by=by)
    return supporter


def set_departments(supporter: PeerSupporter, departments: Iterable[int]) -> None:
    """Set the departments, by their ids, whose physicians a supporter evaluates."""
    Evaluates.objects.filter(supporter=supporter).delete()
    Evaluates.objects.bulk_create(Evaluates(supporter=supporter, department_id=one) for one in departments)


def save_self_description(
    supporter_id: int, columns: Mapping[str, Any], *, codes: Iterable[str], evaluated: str, by: Actor
) -> None:
    """Write what a supporter says of themselves, here and in every roster they are lent to.

    Args:
        columns: column of `PeerSupporter` → value, without `readiness.COLUMNS`.
        codes: of `Trait` and `Language`.
        evaluated: names and addresses of people they evaluate.
    """
    supporter = PeerSupporter.objects.select_for_update(no_key=True).get(pk=supporter_id)
    for name, value in columns.items():
        setattr(supporter, name, value)
    supporter.save(update_fields=list(columns))
    self_description.set_description(supporter, codes)
    self_description.set_evaluated(supporter, evaluated)
    lending.mirror(supporter)
    audit.record("ROSTER", PeerSupporter.KIND, supporter.pk, by=by)


def add_department(name: str, *, by: Actor) -> None:
    """Add a department to the list of the current site."""
    department = Department.objects.create(name=name)
    audit.record("DEPARTMENT", "SITE", department.site_id, by=by)
