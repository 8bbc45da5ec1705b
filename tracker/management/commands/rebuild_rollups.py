"""Rebuild every rollup from the facts."""

from typing import Any

from django.core.management.base import BaseCommand

from psi.tenancy import site_scope
from sites.tenants.models import Site
from tracker.figures import rollups


class Command(BaseCommand):
    help = "Count all facts anew, one site at a time. The result is what the workers keep up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        for site_id in Site.objects.order_by("pk").values_list("pk", flat=True):
            with site_scope(site_id):
                rollups.rebuild_all()
        rollups.verify()  # which also takes back what the province was told
