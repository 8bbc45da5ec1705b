"""Moves on a site itself: setting one up, and changing what it is or how it works."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import audit
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.people import transitions as people
from sites.tenants import slugs
from sites.tenants.models import Role, Site


def open_site(*, first_name: str, first_email: str, by: Actor, **fields: Any) -> Site:
    """Create a site, closed to requests as yet, and invite its first administrator.

    Called in the province's scope; the invitation is written in the new site's own.

    Args:
        first_name: of the first administrator.
        first_email: where the invitation goes.
        by: the provincial coordinator.
        fields: slug, name, kind, cohort, funding, law, privacy_officer, reach_in, time_zone. Reach-out is off under
            FIPPA, until the site's own administrator turns it on.

    Raises:
        Refused: the slug is taken or reserved, or a field has no possible value.
    """
    site = Site(**{"reach_out": fields.get("law") != Site.Law.FIPPA} | fields, created_at=tenancy.now())
    if site.is_province:
        raise Refused("SECOND_PROVINCE", _("There is one province, and it is here already."))
    try:
        slugs.validate(site.slug)
        site.full_clean()
    except ValidationError as error:
        raise Refused("INVALID_SITE", " ".join(error.messages)) from error
    site.save(force_insert=True)
    audit.record("OPEN_SITE", "SITE", site.pk, by=by)
    with tenancy.site_scope(site.pk):
        people.invite(site, email=first_email, name=first_name, role=Role.ADMINISTRATOR, by=by)
    return site


def change_settings(site: Site, fields: list[str], *, by: Actor) -> None:
    """Write what a site's administrator changed of its program.

    Args:
        site: the current one, with the new values.
        fields: names of the fields that changed.
    """
    site.save(update_fields=fields)
    audit.record("SETTINGS", "SITE", site.pk, by=by)


def change_site(site: Site, fields: list[str], *, by: Actor) -> None:
    """Write what a provincial coordinator changed of what a site is.

    Args:
        site: any, with the new values; the entry stands in the province's audit trail.
        fields: names of the fields that changed.
    """
    site.save(update_fields=fields)
    audit.record("EDIT_SITE", "SITE", site.pk, by=by)
