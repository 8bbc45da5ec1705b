"""The entries of this room in the menu."""

from django.utils.translation import gettext_lazy as _

from sites.gate.navigation import Entry
from sites.tenants.models import Role

ENTRIES = (
    Entry(10, _("Today"), "today", frozenset({Role.ADMINISTRATOR})),
    Entry(80, _("Sites"), "province_sites", frozenset({Role.ADMINISTRATOR}), provincial=True),
    Entry(100, _("Program"), "settings", frozenset({Role.ADMINISTRATOR})),
)
