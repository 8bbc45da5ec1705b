"""What a worker does with a release: freeze the counts, see what may be told, attack it, write down what was found.

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
from sites.engine import agenda, audit
from sites.engine.moves import target
from sites.tenants.models import Site
from sites.tenants.queries import province
from tracker.figures import periods
from tracker.releases import attack_model, disclosure_audit, snapshot, suppression
from tracker.releases import options as wanted
from tracker.releases.cube import Cube, Incomplete
from tracker.releases.models import Release, ReleaseCell, ReleaseMember
from tracker.releases.options import MONTH
from tracker.releases.transitions import CONTRADICTS, FAILED, HELD, KIND, MOVES, NOTHING

log = logging.getLogger("psi.figures")
State, Table = Release.State, Release.Table


def check(release_id: int) -> None:
    """Freeze the counts, see what may be told of them, attack it, and write down what was found.

    Long: done by a worker of the queue for heavy work, step by step, holding no transaction meanwhile. A
    second worker at the same release goes away; one that was killed is followed by another.
    """
    home = province()
    with tenancy.site_scope(home.pk):
        release = _hold(release_id)
    if release is None:
        return
    try:
        _check(home, release)
    except DatabaseError:
        # It waits as it was, and another worker begins anew.
        raise
    except Exception:
        log.exception("the check of release %s broke off", release_id)
        _refuse(home, release, disclosure_audit.Verdict(), FAILED, None)


def _check(home: Site, release: Release) -> None:
    last = periods.last_month(release.quarter)
    try:
        snapshot.freeze(last)
        cube = snapshot.read(last)
    except Incomplete:
        return _refuse(home, release, disclosure_audit.Verdict(), CONTRADICTS, None)
    if cube is None:
        return _refuse(home, release, disclosure_audit.Verdict(), NOTHING, None)
    with tenancy.site_scope(home.pk):
        told, stood = known()
        begun = starts(published(), cube)
        regions = dict(Site.objects.values_list("pk", "region"))
    made = suppression.plan(cube, release.quarter, begun, wanted.of(release), settings.PSI_K, regions=regions)

    def progress(done: int, total: int) -> None:
        with tenancy.site_scope(home.pk) as scope:
            Release.objects.filter(pk=release.pk, state=State.CHECKING).update(
                done=done, total=total, held_until=scope.now + HELD
            )

    verdict, contradicts = examine(cube, [*told, *made.cells], [*stood, *made.members], settings.PSI_K, progress)
    if contradicts:
        return _refuse(home, release, verdict, CONTRADICTS, None)
    if not verdict.passed:
        helps = remedy(cube, told, made, stood, verdict, lambda: progress(verdict.examined, verdict.examined))
        return _refuse(home, release, verdict, verdict.known[0].family, helps)
    return _accept(home, release, verdict, made)


def _hold(release_id: int) -> Release | None:
    """Take a release to check, unless another worker is at it."""
    now = tenancy.now()
    free = Release.objects.filter(Q(held_until=None) | Q(held_until__lte=now), pk=release_id, state=State.CHECKING)
    if not free.update(held_until=now + HELD, done=0, total=0):
        return None
    return Release.objects.get(pk=release_id)


def known() -> tuple[list[suppression.Cell], list[suppression.Member]]:
    """Return every cell that anybody was ever shown, and what stands together in them.

    Published ones, and those of previews that were set aside: who saw two previews may put them together.
    """
    members = ReleaseMember.objects.order_by("pk").values_list("table", "group", "member", "first", "last")
    return _cells(ReleaseCell.objects.all()), [suppression.Member(*row) for row in members]


def published() -> list[suppression.Cell]:
    """Return every cell ever published by the province."""
    return _cells(ReleaseCell.objects.filter(Q(release=None) | Q(release__state=State.PUBLISHED)))


def _cells(rows: QuerySet[ReleaseCell]) -> list[suppression.Cell]:
    columns = rows.order_by("pk").values_list("table", "category", "first", "last", "number", "unit")
    return [suppression.Cell(*row) for row in columns]


def starts(told: Iterable[suppression.Cell], cube: Cube) -> dict[str, date]:
    """Return for each table the first month that it has not told."""
    starts = dict.fromkeys(Table.values, cube.months[0])
    for cell in told:
        starts[cell.table] = max(starts[cell.table], periods.next_month(cell.last))
    return starts


def examine(
    cube: Cube,
    cells: Iterable[suppression.Cell],
    members: Iterable[suppression.Member],
    k: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[disclosure_audit.Verdict, bool]:
    """Attack what is to be told together with all that was told before.

    Returns:
        What was found, and whether the numbers contradict the counts, so that nothing can be said.
    """
    fronts = attack_model.fronts(cube, cells, members, k)
    total, verdict = sum(len(front.secrets) for front in fronts), disclosure_audit.Verdict()
    progress(0, total)
    for front in fronts:
        if any(not number.low <= front.counts[number.cells].sum() <= number.high for number in front.numbers):
            return verdict, True
        before = verdict.examined

        def tell(done: int, before: int = before) -> None:
            if done % 20 == 0:
                progress(before + done, total)

        found = disclosure_audit.attack(
            front.counts, front.numbers, front.secrets, k, possible=front.possible, progress=tell
        )
        verdict.numbers += found.numbers
        verdict.examined += found.examined
        verdict.known += found.known
        bounds = [bound for bound in (verdict.narrowest, found.narrowest) if bound is not None]
        verdict.narrowest = min(bounds, default=None)
    return verdict, False


def remedy(
    cube: Cube,
    told: list[suppression.Cell],
    made: suppression.Plan,
    stood: list[suppression.Member],
    verdict: disclosure_audit.Verdict,
    beat: Callable[[], None] = lambda: None,
) -> str | None:
    """Return the table that helps when it is left out: what a coordinator may coarsen. None if none does alone.

    Args:
        beat: called now and then, for whoever wants to know that this is still at work.
    """
    families = {secret.family for secret in verdict.known}
    for left_out in (MONTH, Table.SITES, Table.REASONS, Table.PATHWAYS, Table.PROCESS, Table.MONTHS):
        out = {MONTH, left_out} if left_out == Table.MONTHS else {left_out}
        kept = [cell for cell in made.cells if attack_model.table(cell) not in out]
        if len(kept) == len(made.cells):
            continue
        fronts = attack_model.fronts(cube, [*told, *kept], [*stood, *made.members], settings.PSI_K)
        if all(
            disclosure_audit.attack(
                front.counts,
                front.numbers,
                [secret for secret in front.secrets if secret.family in families],
                settings.PSI_K,
                possible=front.possible,
                progress=lambda done: beat() if done % 20 == 0 else None,
            ).passed
            for front in fronts
        ):
            return str(left_out)
    return None


def _refuse(home: Site, release: Release, verdict: disclosure_audit.Verdict, found: str, remedy: str | None) -> None:
    with tenancy.site_scope(home.pk):
        if _settle(release.pk, "refuse", verdict, found=found, remedy=remedy):
            audit.record("REFUSED", KIND, release.pk, by=audit.SYSTEM)


def _accept(home: Site, release: Release, verdict: disclosure_audit.Verdict, made: suppression.Plan) -> None:
    with tenancy.site_scope(home.pk):
        if not _settle(release.pk, "pass", verdict, digest=digest(made.cells)):
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
            for cell in made.cells
        )
        ReleaseMember.objects.bulk_create(
            ReleaseMember(
                release=release,
                table=each.table,
                group=each.group,
                member=each.member,
                first=each.first,
                last=each.last,
            )
            for each in made.members
        )
        audit.record("CHECKED", KIND, release.pk, by=audit.SYSTEM)


def _settle(release_id: int, verb: str, verdict: disclosure_audit.Verdict, **fields: str | None) -> bool:
    """Write down what was found, unless the release was set aside meanwhile."""
    release = Release.objects.select_for_update(of=("self",)).get(pk=release_id)
    if release.state != State.CHECKING:
        return False
    found = {
        "state": target(MOVES, verb, release.state, ""),
        "solver": disclosure_audit.solver(),
        "numbers": verdict.numbers,
        "examined": verdict.examined,
        "narrowest": verdict.narrowest,
        "done": verdict.examined,
        "total": verdict.examined,
        "held_until": None,
        **fields,
    }
    for name, value in found.items():
        setattr(release, name, value)
    release.save(update_fields=list(found))
    agenda.cancel(KIND, [release_id])
    return True


def digest(cells: Iterable[suppression.Cell]) -> str:
    """Return the SHA-256 of a release's cells, by which anyone can see that they are the same."""
    lines = sorted(
        f"{cell.table} {cell.category} {cell.first:%Y-%m} {cell.last:%Y-%m} {cell.number} {cell.unit}" for cell in cells
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
