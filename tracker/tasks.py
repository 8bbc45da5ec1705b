"""Thin tasks of the figures."""

from celery import shared_task

from sites.agenda import HEAVY
from tracker.releases import CHECK


@shared_task(name=CHECK, queue=HEAVY)
def check_release(release_id: int) -> None:
    """Make a release and attack it: minutes of work, done once whoever is told of it twice."""
    # Loaded by who does the work, and not by each process that can ask for it.
    from tracker import checking

    checking.check(release_id)
