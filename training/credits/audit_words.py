"""What the entries of this room in the audit trail say: code, or code and kind of the object → sentence."""

from django.utils.translation import gettext_lazy as _

from sites.engine.audit_words import Words

WORDS: Words = {
    ("SUBMITTED", "CLAIM"): _("Claimed sessional pay"),
    ("APPROVED", "CLAIM"): _("Approved a claim"),
    ("REFUSED", "CLAIM"): _("Refused a claim"),
    ("WITHDRAWN", "CLAIM"): _("Withdrew a claim"),
    ("BATCHED", "CLAIM"): _("Put a claim into a payment batch"),
    "BATCH": _("Made a payment batch"),
    ("EXPORT", "BATCH"): _("Downloaded a payment batch"),
    "RATE": _("Set a rate"),
    "CERTIFIED": _("Issued a certificate"),
    "VOIDED": _("A certificate became void"),
}
