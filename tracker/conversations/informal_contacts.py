"""A contact outside any match: a word in the corridor, a call between colleagues. Counted, about nobody."""

import uuid
from datetime import date

from django.utils.translation import gettext as _

from sites.engine import facts
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.engine.recording_months import open_months
from tracker.conversations.choices import Minutes, Way
from tracker.conversations.models import InformalContact
from training.supporters.models import PeerSupporter


def log(*, month: date, way: Way, minutes: Minutes, key: uuid.UUID, by: Actor) -> None:
    """Log an informal contact of the supporter who says so; the same key again writes nothing.

    Raises:
        Refused: the month is neither this one nor the one before.
        PeerSupporter.DoesNotExist: they do not stand on the roster of the current site.
    """
    if month not in open_months():
        raise Refused("MONTH_CLOSED", _("Only this month and the one before can be recorded."))
    if by.user_id is None or not PeerSupporter.objects.filter(user_id=by.user_id).exists():
        raise PeerSupporter.DoesNotExist
    fields = {"month": month, "way": way, "minutes": minutes}
    _contact, created = InformalContact.objects.get_or_create(key=key, defaults=fields)
    if created:
        facts.count(("INFORMAL", "ALL"))
        # No person is locked for it, and no entry of the trail stands beside others of theirs.
