"""What the entries of this room in the audit trail say: code, or code and kind of the object → sentence."""

from django.utils.translation import gettext_lazy as _

from sites.engine.audit_words import Words

WORDS: Words = {
    "NOMINATED": _("Nominated a peer supporter"),
    ("INVITED", "RECRUIT"): _("Someone on the way to be a peer supporter is invited"),
    "INTERESTED": _("Sent the interest form"),
    "ONE_YES": _("Reviewed an interest form, the first of two"),
    "REVIEWED": _("Reviewed an interest form; both have said yes"),
    ("TRAINING", "RECRUIT"): _("Someone on the way waits for training"),
    ("AGREEING", "RECRUIT"): _("Someone on the way is trained"),
    ("ACTIVE", "RECRUIT"): _("A new peer supporter is active"),
    ("STOPPED", "RECRUIT"): _("Somebody’s way to be a peer supporter was stopped"),
}
