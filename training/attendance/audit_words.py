"""What the entries of this room in the audit trail say: code, or code and kind of the object → sentence."""

from django.utils.translation import gettext_lazy as _

from sites.engine.audit_words import Words

WORDS: Words = {
    "TRAINED": _("A supporter has attended both courses, and is trained"),
    "UNTRAINED": _("A supporter is not trained any more: attendance was corrected"),
}
