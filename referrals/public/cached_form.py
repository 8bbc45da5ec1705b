"""The blank request form. It is the same for everybody, so it is rendered once and what differs spliced in.

Rendering a form of this size costs more than all the rest of a request; someone on a bad connection in a
corridor should not wait for it.
"""

import time
import uuid
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.timezone import localdate
from django.utils.translation import get_language

from psi import tenancy
from referrals.public.forms import RequestForm
from referrals.requests.models import ON_FORM
from sites.gate import language, slowdown
from sites.gate.requests import SiteRequest
from sites.reference.models import Specialty, TextVersion
from sites.reference.queries import current_text
from sites.tenants.models import Site
from training.supporters import queries as roster
from training.supporters.models import Department

# A new department or wording shows within this time; each process keeps its own copy.
SECONDS = 30
# More names than this are typed rather than ticked: the page is for a bad connection.
MAX_NAMES = 20
_pages = LocMemCache("blank-forms", {"OPTIONS": {"MAX_ENTRIES": 2000}})
# Stand-ins for what replaces them; none can occur in a page by chance.
KEY, TOKEN, SWITCH, TICKET = (
    uuid.UUID(int=0),
    "psi-csrf-token-goes-here",
    "?psi-switch-goes-here",
    "psi-ticket-goes-here",
)


def consent_texts() -> dict[str, TextVersion]:
    """Return purpose → the wording in force, in the language of this request."""
    spoken = (get_language() or "en")[:2]
    return {purpose.value: current_text(purpose, spoken) for purpose in ON_FORM}


def form_arguments(site: Site) -> dict[str, Any]:
    """Return what a request form is made with at this site: wordings, and the lists to choose from."""
    published = list(roster.published().select_related("profile")[: MAX_NAMES + 1])
    today = localdate(tenancy.now())
    return {
        "site": site,
        "texts": consent_texts(),
        "departments": list(Department.objects.all()),
        "published": published if len(published) <= MAX_NAMES else [],
        "specialties": list(
            Specialty.objects.filter(valid_from__lte=today).exclude(valid_until__lt=today).order_by("name")
        ),
    }


def request_page(request: SiteRequest) -> str:
    """Return the blank form as HTML with its own key, ticket and CSRF token."""
    site: Site = request.site
    name = f"{site.pk}-{get_language()}-{language.link_query(request)}-{int(time.monotonic() // SECONDS)}"
    page: str | None = _pages.get(name)
    if page is None:
        form = RequestForm(**form_arguments(site), key=KEY)
        page = render_to_string(
            "referrals/request.html",
            {"form": form, "blank_token": TOKEN, "switch_url": SWITCH, "ticket": TICKET},
            request,
        )
        _pages.set(name, page, SECONDS)
    key = uuid.uuid4()
    page = page.replace(SWITCH, escape(language.switch_query(request)))
    for stand_in, own in (
        (TOKEN, get_token(request)),
        (str(KEY), str(key)),
        (TICKET, slowdown.ticket_for(request, key)),
    ):
        page = page.replace(stand_in, own, 1)
    return page
