"""What the entries of this room in the audit trail say of why identity was opened."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PURPOSES: dict[str, Promise] = {"CONTACT": _("to make contact"), "INVITE": _("to answer an invitation")}
