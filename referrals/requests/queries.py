"""Nouns about the public pages."""

import re

from sites.engine.models import Fact
from sites.tenants.models import Site


def has_requests() -> bool:
    """Return whether anybody ever sent a request to the current site: closed, it is paused; else not open yet."""
    return Fact.objects.filter(measure="REQUEST").exists()


def office(site: Site) -> str:
    """Return who answers for privacy, as the site publishes it; "" when that gives no way to reach them."""
    return site.privacy_officer if re.search(r"@|\d{3}", site.privacy_officer) else ""
