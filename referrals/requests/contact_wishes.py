"""How and when a physician wishes to be reached, in words, for who may read it: after the name is open to them."""

from typing import Any

from django.utils.translation import gettext as _

from referrals.requests.identity import Identity
from referrals.requests.models import ReachBy, ReachWhen, Voicemail
from training.supporters.models import Language


def language_to_talk_in(identity: Identity) -> str:
    """Return the code of the language to talk in: as chosen, else French for a form in French, else nothing."""
    return identity.talk_in or (Language.FRENCH.value if identity.language == "fr" else "")


def labelled_wishes(identity: Identity) -> list[tuple[str, str]]:
    """Return (what, answer) for everything that was said of it."""
    language = language_to_talk_in(identity)
    answers = [
        (_("Reach them by"), _labels(ReachBy, identity.ways)),
        (_("Good times"), _labels(ReachWhen, identity.times) or identity.best_time),
        (_("May leave a voicemail"), _labels(Voicemail, (identity.voicemail,))),
        (_("To talk in"), _labels(Language, (language,))),
    ]
    return [(what, answer) for what, answer in answers if answer]


def _labels(listed: Any, codes: tuple[str, ...]) -> str:
    return ", ".join(str(listed(code).label) for code in codes if code)
