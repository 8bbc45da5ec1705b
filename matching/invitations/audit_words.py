"""What the entries of this room in the audit trail say: code, or code and kind of the object → sentence."""

from django.utils.translation import gettext_lazy as _

from sites.engine.audit_words import Words

WORDS: Words = {
    "INVITED": _("Invited a supporter"),
    "ANSWERED": _("Answered the invitation"),
    "CONFIRMED": _("Confirmed the match"),
    "CONTACTED": _("Made contact"),
    "COMPLETED": _("Finished the match"),
    "EXPIRED": _("The invitation ended without an answer"),
    ("REVOKED", "MATCH"): _("Took the invitation of a supporter back"),
    "REASSIGNED": _("Looked for another peer"),
    "NUDGE": _("Sent a reminder"),
    "MISSED": _("72 hours passed without contact"),
    "LEFT": _("Left as a supporter; open matches were handed on"),
}
