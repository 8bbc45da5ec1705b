"""What the entries of this room in the audit trail say: code, or code and kind of the object → sentence."""

from django.utils.translation import gettext_lazy as _

from sites.engine.audit_words import Words

WORDS: Words = {
    "SIGNED": _("Signed the agreement"),
    "REWORDED": _("Published a new wording of the agreement"),
    "PLEDGED": _("Set how many matches they take"),
    "PAUSED": _("Takes a break from new matches"),
    "RESUMED": _("Ended the break"),
    "NOTICE": _("Gave notice as a supporter"),
    "STAYS": _("Took the notice back"),
}
