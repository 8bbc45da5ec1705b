"""What a new site has to do about its public page before it opens."""

from django.urls import reverse
from django.utils.translation import gettext as _

from referrals.wording.models import Wording
from sites.engine.today import Item
from sites.program.opening import row
from sites.tenants.models import Site


def opening_row(site: Site) -> Item | None:
    """Return the row until the site has published its wording, changed or as it came."""
    if Wording.objects.filter(published=True).exists():
        return None
    return row(
        _("Read your public page"),
        _("Say when requests are read here; the other words may stay as they came."),
        _("See the words"),
        reverse("wording", args=[site.slug]),
    )
