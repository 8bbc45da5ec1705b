"""What a worker does with a release: freeze the counts, see what may be published, attack it, store the result.

It alone loads the solver; pages and other workers stay small.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable
from datetime import date

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q, QuerySet

from psi import tenancy
from sites.engine import agenda
from sites.engine.audit import SYSTEM
from sites.engine.moves import move
from sites.tenants.models import Site
from sites.tenants.queries import province
from tracker.figures import periods
from tracker.releases import attack_model, disclosure_audit, snapshot, suppression
from tracker.releases import options as options
from tracker.releases.cube import Cube, InconsistentCounts
from tracker.releases.models import Release, ReleaseCell, ReleaseMember
from tracker.releases.options import MONTH
from tracker.releases.transitions import CONTRADICTS, FAILED, LEASE, NOTHING

log = logging.getLogger("psi.figures")
State, Table = Release.State, Release.Table


def check(release_id: int) -> None:
    """Freeze the counts, protect the tables, audit them, and store the result.

    Long: done by a worker of the queue for heavy work, step by step, holding no transaction meanwhile. A
    second worker at the same release goes away; one that was killed is followed by another.
    """
    province_site = province()
    with tenancy.site_scope(province_site.pk):
        release = _claim(release_id)
    if release is None:
        return
    try:
        _check(province_site, release)
    except DatabaseError:
        # It waits as it was, and another worker begins anew.
        raise
    except Exception:
        log.exception("the check of release %s broke off", release_id)
        _refuse(province_site, release, disclosure_audit.AuditResult(), FAILED, None)


def _check(province_site: Site, release: Release) -> None:
    last = periods.last_month(release.quarter)
    try:
        snapshot.take(last)
        cube = snapshot.load(last)
    except InconsistentCounts:
        return _refuse(province_site, release, disclosure_audit.AuditResult(), CONTRADICTS, None)
    if cube is None:
        return _refuse(province_site, release, disclosure_audit.AuditResult(), NOTHING, None)
    with tenancy.site_scope(province_site.pk):
        known_cells, known_groups = attacker_knowledge()
        starts = first_unpublished(published_cells(), cube)
        regions = dict(Site.objects.values_list("pk", "region"))
    tables = suppression.protected_tables(
        cube, release.quarter, starts, options.options_of(release), settings.PSI_K, regions=regions
    )

    def progress(done: int, total: int) -> None:
        with tenancy.site_scope(province_site.pk) as scope:
            Release.objects.filter(pk=release.pk, state=State.CHECKING).update(
                done=done, total=total, held_until=scope.now + LEASE
            )

    result, contradicts = audit_disclosure(
        cube, [*known_cells, *tables.cells], [*known_groups, *tables.members], settings.PSI_K, progress
    )
    if contradicts:
        return _refuse(province_site, release, result, CONTRADICTS, None)
    if not result.passed:
        remedy = suggest_coarsening(
            cube, known_cells, tables, known_groups, result, lambda: progress(result.examined, result.examined)
        )
        return _refuse(province_site, release, result, result.disclosed[0].family, remedy)
    return _accept(province_site, release, result, tables)


def _claim(release_id: int) -> Release | None:
    """Take a release to check, unless another worker is at it."""
    now = tenancy.now()
    free = Release.objects.filter(Q(held_until=None) | Q(held_until__lte=now), pk=release_id, state=State.CHECKING)
    if not free.update(held_until=now + LEASE, done=0, total=0):
        return None
    return Release.objects.get(pk=release_id)


def attacker_knowledge() -> tuple[list[suppression.Cell], list[suppression.GroupMember]]:
    """Return every cell that anybody was ever shown, and what stands together in them.

    Published ones, and those of previews that were set aside: who saw two previews may put them together.
    """
    members = ReleaseMember.objects.order_by("pk").values_list("table", "group", "member", "first", "last")
    return _cells(ReleaseCell.objects.all()), [suppression.GroupMember(*row) for row in members]


def published_cells() -> list[suppression.Cell]:
    """Return every cell ever published by the province."""
    return _cells(ReleaseCell.objects.filter(Q(release=None) | Q(release__state=State.PUBLISHED)))


def _cells(rows: QuerySet[ReleaseCell]) -> list[suppression.Cell]:
    columns = rows.order_by("pk").values_list("table", "category", "first", "last", "number", "unit")
    return [suppression.Cell(*row) for row in columns]


def first_unpublished(published: Iterable[suppression.Cell], cube: Cube) -> dict[str, date]:
    """Return for each table the first day of the first month that is not published in it."""
    starts = dict.fromkeys(Table.values, cube.months[0])
    for cell in published:
        starts[cell.table] = max(starts[cell.table], periods.next_month(cell.last))
    return starts


def audit_disclosure(
    cube: Cube,
    cells: Iterable[suppression.Cell],
    members: Iterable[suppression.GroupMember],
    k: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[disclosure_audit.AuditResult, bool]:
    """Audit the cells of a release together with everything published before.

    Returns:
        What was found, and whether the numbers contradict the counts, so that nothing can be said.
    """
    surfaces = attack_model.attack_surfaces(cube, cells, members, k)
    total, result = sum(len(surface.protected_counts) for surface in surfaces), disclosure_audit.AuditResult()
    progress(0, total)
    for surface in surfaces:
        if any(not number.low <= surface.counts[number.cells].sum() <= number.high for number in surface.numbers):
            return result, True
        before = result.examined

        def report(done: int, before: int = before) -> None:
            if done % 20 == 0:
                progress(before + done, total)

        attacked = disclosure_audit.attack(
            surface.counts, surface.numbers, surface.protected_counts, k, possible=surface.possible, progress=report
        )
        result.numbers += attacked.numbers
        result.examined += attacked.examined
        result.disclosed += attacked.disclosed
        bounds = [bound for bound in (result.narrowest, attacked.narrowest) if bound is not None]
        result.narrowest = min(bounds, default=None)
    return result, False


def suggest_coarsening(
    cube: Cube,
    known_cells: list[suppression.Cell],
    tables: suppression.ProtectedTables,
    known_groups: list[suppression.GroupMember],
    result: disclosure_audit.AuditResult,
    heartbeat: Callable[[], None] = lambda: None,
) -> str | None:
    """Return the table that helps when it is left out: what a coordinator may coarsen. None if none does alone.

    Args:
        heartbeat: called now and then, for whoever wants to know that this is still at work.
    """
    families = {protected.family for protected in result.disclosed}
    for left_out in (MONTH, Table.SITES, Table.REASONS, Table.PATHWAYS, Table.PROCESS, Table.MONTHS):
        out = {MONTH, left_out} if left_out == Table.MONTHS else {left_out}
        remaining = [cell for cell in tables.cells if attack_model.optional_part(cell) not in out]
        if len(remaining) == len(tables.cells):
            continue
        surfaces = attack_model.attack_surfaces(
            cube, [*known_cells, *remaining], [*known_groups, *tables.members], settings.PSI_K
        )
        if all(
            disclosure_audit.attack(
                surface.counts,
                surface.numbers,
                [protected for protected in surface.protected_counts if protected.family in families],
                settings.PSI_K,
                possible=surface.possible,
                progress=lambda done: heartbeat() if done % 20 == 0 else None,
            ).passed
            for surface in surfaces
        ):
            return str(left_out)
    return None


def _refuse(
    province_site: Site, release: Release, result: disclosure_audit.AuditResult, found: str, remedy: str | None
) -> None:
    with tenancy.site_scope(province_site.pk):
        _finish(release.pk, "refuse", result, found=found, remedy=remedy)


def _accept(
    province_site: Site, release: Release, result: disclosure_audit.AuditResult, tables: suppression.ProtectedTables
) -> None:
    with tenancy.site_scope(province_site.pk):
        if not _finish(release.pk, "pass", result, digest=digest(tables.cells)):
            return
        ReleaseCell.objects.bulk_create(
            ReleaseCell(
                release=release,
                table=cell.table,
                category=cell.category,
                first=cell.first,
                last=cell.last,
                number=cell.number,
                unit=cell.unit,
            )
            for cell in tables.cells
        )
        ReleaseMember.objects.bulk_create(
            ReleaseMember(
                release=release,
                table=member.table,
                group=member.group,
                member=member.member,
                first=member.first,
                last=member.last,
            )
            for member in tables.members
        )


def _finish(release_id: int, verb: str, result: disclosure_audit.AuditResult, **fields: str | None) -> bool:
    """Write down what was found, unless the release was set aside meanwhile."""
    release = Release.objects.select_for_update(of=("self",)).get(pk=release_id)
    if release.state != State.CHECKING:
        return False
    outcome = {
        "solver": disclosure_audit.solver_version(),
        "numbers": result.numbers,
        "examined": result.examined,
        "narrowest": result.narrowest,
        "done": result.examined,
        "total": result.examined,
        "held_until": None,
        **fields,
    }
    for name, value in outcome.items():
        setattr(release, name, value)
    move(release, verb, by=SYSTEM, also=tuple(outcome))
    agenda.cancel(Release.KIND, [release_id])
    return True


def digest(cells: Iterable[suppression.Cell]) -> str:
    """Return the SHA-256 of a release's cells, by which anyone can see that they are the same."""
    lines = sorted(
        f"{cell.table} {cell.category} {cell.first:%Y-%m} {cell.last:%Y-%m} {cell.number} {cell.unit}" for cell in cells
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
