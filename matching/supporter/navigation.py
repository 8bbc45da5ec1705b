"""The entries of this room in the menu."""

from django.utils.translation import gettext_lazy as _

from sites.gate.navigation import Entry
from sites.tenants.models import Role

ENTRIES = (Entry(40, _("My matches"), "my", frozenset({Role.SUPPORTER})),)
