"""Thin tasks of the forms."""

from celery import shared_task

from psi.tenancy import site_scope
from referrals.requests import receipts
from sites.tenants.models import Site


@shared_task(name="referrals.tasks.forget_keys")
def forget_keys() -> None:
    """Delete, site by site, the keys of forms that cannot be sent again."""
    for site_id in Site.objects.order_by("pk").values_list("pk", flat=True):
        with site_scope(site_id):
            receipts.delete_old_keys()
