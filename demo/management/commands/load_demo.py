"""Load the demonstration data, once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from demo.views import FIRST_SITE
from psi import tenancy
from sites.tenants.models import Site


class Command(BaseCommand):
    help = "Load the demonstration data, ending today, unless it is there already. Local run only."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.PSI_LOCAL:
            raise CommandError("load_demo is for the local run only: these people are invented.")
        if Site.objects.filter(slug=FIRST_SITE).exists():
            return
        # Every start of the local run asks whether there is something to load.
        from demo.seed import province as seed  # noqa: PLC0415  loaded by who does the work alone

        seed.load(anchor=tenancy.now())
