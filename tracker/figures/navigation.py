"""The entries of this room in the menu."""

from django.utils.translation import gettext_lazy as _

from sites.gate.navigation import Entry
from sites.tenants.models import Role

ENTRIES = (Entry(70, _("Figures"), "figures", frozenset({Role.ADMINISTRATOR, Role.LEAD, Role.ADVISOR})),)
