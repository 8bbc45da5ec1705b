"""Thin tasks: wake up and look at the agenda."""

from celery import shared_task

from sites import agenda


@shared_task(name=agenda.TICK)
def tick() -> None:
    """Handle what is due, mail included."""
    agenda.sweep()
