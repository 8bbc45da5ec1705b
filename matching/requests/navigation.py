"""The entries of this room in the menu."""

from django.utils.translation import gettext_lazy as _

from sites.gate.navigation import Entry
from sites.tenants.models import Role

ENTRIES = (
    Entry(20, _("Requests"), "requests", frozenset({Role.ADMINISTRATOR})),
    Entry(30, _("Peer supporters"), "supporters", frozenset({Role.ADMINISTRATOR, Role.LEAD})),
)
