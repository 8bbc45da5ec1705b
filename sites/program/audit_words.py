"""What the entries of this room in the audit trail say: code, or code and kind of the object → sentence."""

from django.utils.translation import gettext_lazy as _

from sites.engine.audit_words import Words

WORDS: Words = {
    "OPEN_SITE": _("Set up a site"),
    "SETTINGS": _("Changed the program’s settings"),
    "EDIT_SITE": _("Changed a site"),
}
