"""The entries of this room in the menu."""

from django.utils.translation import gettext_lazy as _

from sites.gate.navigation import Entry
from sites.tenants.models import Role

ENTRIES = (Entry(90, _("Operations"), "operations", frozenset({Role.ADMINISTRATOR}), provincial=True),)
