"""The entries of this room in the menu."""

from django.utils.translation import gettext_lazy as _

from sites.gate.navigation import Entry
from sites.tenants.models import Role

ENTRIES = (
    Entry(50, _("My training"), "my_training", frozenset({Role.SUPPORTER})),
    Entry(60, _("Training"), "sessions", frozenset({Role.ADMINISTRATOR, Role.LEAD})),
)
