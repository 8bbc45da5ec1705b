"""What the entries of this room in the audit trail say: code, or code and kind of the object → sentence."""

from django.utils.translation import gettext_lazy as _

from sites.engine.audit_words import Words

WORDS: Words = {
    "RECEIVED": _("A request was received"),
    ("CONFIRMED", "REFERRAL"): _("The request is matched"),
    "CLOSED": _("Closed the request"),
    "SPAM": _("Marked the request as spam"),
    "NOT_SPAM": _("Took the mark of spam off the request"),
    "READ_IDENT": _("Opened who asked"),
    "ERASED": _("Erased who asked"),
    "UNHEARD": _("The physician said that nobody has been in touch"),
    "ALERTED": _("Told the province that nobody has been in touch"),
    "WITHDRAWN": _("The physician withdrew the request"),
    "HANDED_OVER": _("Handed the request over to the province"),
    "TAKEN_OVER": _("A request was handed over by a site"),
    "OFFERED": _("Someone told of a physician; an offer goes out"),
    "AGREED": _("The physician said yes to the offer"),
    "NOT_REACHED": _("Called with the offer, and reached nobody"),
    ("REASSIGNED", "REFERRAL"): _("The request needs another peer"),
}
