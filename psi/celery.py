"""The workers' switchboard: which task runs when. The broker only wakes; promises live in rows."""

import os
import threading
import time
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, worker_init, worker_shutdown
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "psi.settings")

app = Celery("psi")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "tick": {
        "task": "sites.tasks.tick",
        "schedule": settings.PSI_TICK_SECONDS,
        # A tick that waited in the queue is worthless: the next one finds the same rows.
        "options": {"expires": settings.PSI_TICK_SECONDS},
    },
    "look": {"task": "tracker.tasks.look_at_sites", "schedule": crontab(minute="*/15")},
    "verify": {"task": "sites.tasks.verify_trails", "schedule": crontab(minute=41, hour=11)},  # UTC: at night
    "prove": {"task": "tracker.tasks.prove_rollups", "schedule": crontab(minute=53, hour=11)},
    "forget": {"task": "referrals.tasks.forget_keys", "schedule": crontab(minute=47, hour=11)},
}


@worker_init.connect
@beat_init.connect
def refuse_if_wrong(**kwargs: Any) -> None:
    """Stop before anything is claimed; Celery swallows exceptions in signals, but not this one."""
    from psi import startup  # noqa: PLC0415  needs the app registry

    try:
        startup.refuse_if_wrong()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error


@worker_init.connect
def start_clock(**kwargs: Any) -> None:
    """Keep time inside the worker too, so that a dead broker or beat delays nothing.

    Beat reaches workers through the broker. When no tick has come for an interval, the worker does
    the same sweep by itself; claims skip each other's rows, so a needless sweep changes nothing.
    """
    from sites.engine import agenda  # noqa: PLC0415  needs the app registry

    def keep_time() -> None:
        while not stop.wait(0.5):
            # A little later than beat's tick, which comes first when all is well.
            if time.monotonic() - agenda.last_sweep() > settings.PSI_TICK_SECONDS + 0.4:
                agenda.sweep_quietly()

    stop = threading.Event()
    clock = threading.Thread(target=keep_time, name="psi-clock", daemon=True)
    clock.start()

    def finish(**kwargs: Any) -> None:
        # A mail that was sent but not yet noted as sent would go out again after the lease.
        stop.set()
        clock.join(60)

    worker_shutdown.connect(finish, weak=False)
