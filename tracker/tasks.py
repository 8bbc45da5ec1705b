"""Thin tasks of the figures."""

from celery import shared_task

from sites.engine.agenda import HEAVY
from tracker.figures import rollups
from tracker.operations import site_health
from tracker.releases.transitions import CHECK


@shared_task(name=CHECK, queue=HEAVY)
def check_release(release_id: int) -> None:
    """Make a release and attack it: minutes of work, done once whoever is told of it twice
    (docs/rules.md#disclosure-audit).
    """
    from tracker.releases import check as release_check  # noqa: PLC0415  loaded by who does the work alone

    release_check.check(release_id)


@shared_task(name="tracker.tasks.look_at_sites")
def look_at_sites() -> None:
    """See where a site needs a hand."""
    site_health.inspect_sites()


@shared_task(name="tracker.tasks.prove_rollups")
def prove_rollups() -> None:
    """Count every site's facts anew; what differs is logged at ERROR and told to the province."""
    rollups.verify()
