"""How and when a physician wishes to be reached, in words, for who may read it: after the name is open to them."""

from typing import Any

from django.utils.translation import gettext as _

from referrals.requests.identity import Identity
from referrals.requests.models import ReachBy, ReachWhen, Voicemail
from training.supporters.models import Language


def spoken(identity: Identity) -> str:
    """Return the code of the language to talk in: as chosen, else French for a form in French, else nothing."""
    return identity.talk_in or (Language.FRENCH.value if identity.language == "fr" else "")


def wishes(identity: Identity) -> list[tuple[str, str]]:
    """Return (what, answer) for everything that was said of it."""
    language = spoken(identity)
    said = [
        (_("Reach them by"), _words(ReachBy, identity.ways)),
        (_("Good times"), _words(ReachWhen, identity.times) or identity.best_time),
        (_("May leave a voicemail"), _words(Voicemail, (identity.voicemail,))),
        (_("To talk in"), _words(Language, (language,))),
    ]
    return [(what, answer) for what, answer in said if answer]


def _words(listed: Any, codes: tuple[str, ...]) -> str:
    return ", ".join(str(listed(code).label) for code in codes if code)
