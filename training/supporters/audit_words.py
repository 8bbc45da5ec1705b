"""What the entries of this room in the audit trail say: code, or code and kind of the object → sentence."""

from django.utils.translation import gettext_lazy as _

from sites.engine.audit_words import Words

WORDS: Words = {
    "ROSTER": _("Changed a line of the roster"),
    "DEPARTMENT": _("Added a department"),
    "BIO": _("Changed what is said of them on the public page"),
    "PHOTO": _("Put up a photo for the public page"),
    "PHOTO_GONE": _("Deleted the photo for the public page"),
    "SHOWN": _("Agreed to be shown on the public page"),
    "UNSHOWN": _("Taken off the public page"),
    "LENT": _("Offered to help outside the site"),
    "BORROWED": _("A supporter of another site helps here"),
    "TAKEN_BACK": _("Ended the help outside the site"),
    "LINKED": _("Recorded an agreement between two sites"),
    "UNLINKED": _("Ended an agreement between two sites"),
}
