"""What the entries of this room in the audit trail say: code, or code and kind of the object → sentence."""

from django.utils.translation import gettext_lazy as _

from sites.engine.audit_words import Words

WORDS: Words = {
    "LOCAL_LINE": _("Changed the site’s own crisis numbers"),
    "CRISIS_OK": _("Called a crisis number: it is right"),
    "CRISIS_SET": _("Changed a crisis number"),
}
