"""Play time forward: whatever would be due by a moment, handled now and dated with it."""

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from psi import tenancy
from sites.engine import agenda
from sites.engine.models import Due

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
YEARS = 5  # further ahead nothing is due, and a date may not exist


class Command(BaseCommand):
    help = (
        "Handle everything that is due by a moment, mail included, as if that moment had come; events are"
        " dated with it. Local run only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at",
            default="+0m",
            help='"+30m", "+73h" or "+2d" from now, or a time with its zone such as 2026-11-02T09:00-08:00;'
            " now when left out",
        )

    def handle(self, *args: Any, at: str, **options: Any) -> None:
        if not settings.PSI_LOCAL:
            raise CommandError("run_due is for the local run only: it plays with time.")
        moment = read_moment(at, tenancy.now())
        waiting = Counter(Due.objects.filter(at__lte=moment, parked=False).values_list("kind", flat=True))
        handled = agenda.sweep(now=moment)
        followed = max(handled - waiting.total(), 0)
        parts = [f"{kind} {count}" for kind, count in sorted(waiting.items())]
        parts += [f"{followed} that followed from them"] if followed else []
        said = f" ({', '.join(parts)})" if parts else ""
        self.stdout.write(f"Played until {moment:%Y-%m-%d %H:%M} UTC: {handled} handled{said}.")


def read_moment(text: str, now: datetime) -> datetime:
    """Return the moment that `--at` means, in UTC.

    Args:
        text: `+` and a number of minutes, hours or days (`m`, `h`, `d`), or an ISO time with its zone.
        now: the database's time.

    Raises:
        CommandError: it is neither, has no zone, has passed already, or lies too far ahead.
    """
    if offset := re.fullmatch(r"\+([0-9]{1,9})([mhd])", text.strip()):
        ahead = timedelta(**{UNITS[offset[2]]: int(offset[1])})
    else:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError as error:
            raise CommandError(
                f"--at {text!r} is not a time: give +30m, +73h, +2d, or a time such as 2026-11-02T09:00-08:00."
            ) from error
        if moment.tzinfo is None:
            raise CommandError(f"--at {text!r} has no zone: write it like 2026-11-02T09:00-08:00.")
        ahead = moment - now
    if ahead < timedelta(0):
        raise CommandError(f"--at {text!r} has passed already: time is only played forward.")
    if ahead > timedelta(days=366 * YEARS):
        raise CommandError(f"--at {text!r} is more than {YEARS} years ahead.")
    return now + ahead
