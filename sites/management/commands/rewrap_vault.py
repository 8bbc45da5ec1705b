"""Wrap every key of the vault anew under the first of PSI_VAULT_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from psi import vault
from psi.tenancy import site_scope
from sites.accounts.adapters import rewrap_factors
from sites.tenants.models import Site


class Command(BaseCommand):
    help = (
        "After a new master key was put first in PSI_VAULT_KEYS: wrap all data keys under it, one site at"
        " a time, and seal the secrets of authenticator apps under it. When it reports nothing left to change,"
        " the old master key can be removed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        changed = 0
        for site_id in Site.objects.order_by("pk").values_list("pk", flat=True):
            with site_scope(site_id):
                changed += vault.rewrap()
        factors = rewrap_factors()
        self.stdout.write(f"{changed} keys wrapped anew, {factors} secrets of authenticators sealed anew.")
