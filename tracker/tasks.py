"""Thin tasks of the figures."""

from celery import shared_task

from tracker import releases


@shared_task(name="tracker.tasks.release_closed_quarters")
def release_closed_quarters() -> None:
    """Publish the quarters that closed thirty days ago, once."""
    releases.release_closed_quarters()
