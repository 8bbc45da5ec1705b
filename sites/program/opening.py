"""What is left to do before a site opens: each app registers its step, *Today* lists them in order."""

from collections.abc import Callable

from django.urls import reverse
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine.today import Item
from sites.people import transitions as people
from sites.tenants.models import Membership, Role, Site

Step = Callable[[Site], Item | None]
_steps: list[Step] = []


def register(*steps: Step) -> None:
    """Add steps; each returns its row, or None when it is done."""
    _steps.extend(step for step in steps if step not in _steps)  # apps may be made ready twice


def steps(site: Site) -> list[Item]:
    """Return the rows of a site that takes no requests yet, the opening itself last; none once it is open."""
    if site.takes_requests and (site.reach_in or site.reach_out):
        return []
    return [item for step in (_privacy_officer, _lead, *_steps, _open_for_requests) if (item := step(site))]


def row(title: str, detail: str, label: str, url: str) -> Item:
    """Return a row of *Today* for a step."""
    return Item(tenancy.now(), title, detail, label, url, tone="calm")


def is_filled_or_invited(site: Site, role: Role) -> bool:
    """Return whether somebody has the role at the current site, or an invitation to it."""
    is_filled = Membership.objects.filter(site=site, role=role, ended_at=None).exists()
    return is_filled or people.waiting().filter(role=role).exists()


def _privacy_officer(site: Site) -> Item | None:
    if site.privacy_officer:
        return None
    return row(
        _("Name who answers for privacy"),
        _("It is shown on your page. Without it no request can be sent."),
        _("Name them"),
        reverse("settings", args=[site.slug]),
    )


def _lead(site: Site) -> Item | None:
    if Role.LEAD not in people.possible_roles(site) or is_filled_or_invited(site, Role.LEAD):
        return None
    return row(
        _("Invite a physician lead"),
        _("They see the peer supporters and the figures, never who asked."),
        _("Invite a lead"),
        reverse("people", args=[site.slug]),
    )


def _open_for_requests(site: Site) -> Item | None:
    return row(
        _("Open for requests"),
        _("When you are ready: turn on “Requests can be sent” and reach-in."),
        _("Open the doors"),
        reverse("settings", args=[site.slug]),
    )
