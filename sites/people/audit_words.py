"""What the entries of this room in the audit trail say: code, or code and kind of the object → sentence."""

from django.utils.translation import gettext_lazy as _

from sites.engine.audit_words import Words

WORDS: Words = {
    "INVITE": _("Invited someone to a role"),
    "REVOKE": _("Took an invitation to a role back"),
    "JOIN": _("Accepted an invitation to a role"),
    "ADD_ROLE": _("Added a role"),
    "CHANGE_ROLE": _("Changed a role"),
    "END_ROLE": _("Ended a role"),
}
