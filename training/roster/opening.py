"""What a new site has to do about its departments and its roster before it opens."""

from django.urls import reverse
from django.utils.translation import gettext as _

from sites.engine.today import Item
from sites.program.opening import is_filled_or_invited, row
from sites.tenants.models import Role, Site
from training.supporters.models import Department, PeerSupporter


def departments(site: Site) -> Item | None:
    """Return the row until one department is on the list."""
    if Department.objects.exists():
        return None
    return row(
        _("List your departments"),
        _("So that nobody is matched with someone who evaluates them."),
        _("List departments"),
        reverse("departments", args=[site.slug]),
    )


def supporters(site: Site) -> Item | None:
    """Return the row until a supporter in the roster is active."""
    if PeerSupporter.objects.filter(state=PeerSupporter.State.ACTIVE).exists():
        return None
    if not is_filled_or_invited(site, Role.SUPPORTER):
        return row(
            _("Invite peer supporters"),
            _("They get a mail, and set up their sign-in themselves."),
            _("Invite a supporter"),
            reverse("people", args=[site.slug]),
        )
    return row(
        _("Add your peer supporters to the roster"),
        _("Once they have joined: when they were trained, and until when their agreement holds."),
        _("See the roster"),
        reverse("supporters", args=[site.slug]),
    )
