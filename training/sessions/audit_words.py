"""What the entries of this room in the audit trail say: code, or code and kind of the object → sentence."""

from django.utils.translation import gettext_lazy as _

from sites.engine.audit_words import Words

WORDS: Words = {
    "SCHEDULED": _("Planned a session"),
    ("CHANGED", "SESSION"): _("Changed a session"),
    "CALLED_OFF": _("Cancelled a session"),
    "FILE": _("Added a file to a session"),
    "FILE_GONE": _("Removed a file from a session"),
    "ENROLLED": _("Someone has a place in a session"),
    "WAITING": _("Someone waits for a place in a session"),
    ("CANCELLED", "SEAT"): _("Someone gave a place back"),
    "ATTENDED": _("Noted that someone attended"),
    "ABSENT": _("Noted that someone did not attend"),
}
