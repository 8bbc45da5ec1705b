"""Thin tasks: wake up and look at the agenda."""

from celery import shared_task

from sites.engine import agenda, audit


@shared_task(name=agenda.TICK)
def tick() -> None:
    """Handle what is due, mail included."""
    agenda.sweep()


@shared_task(name="sites.tasks.verify_trails")
def verify_trails() -> None:
    """Check the audit trails and the chain of sign-ins; what does not fit is logged at ERROR."""
    audit.verify()
