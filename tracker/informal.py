"""A contact outside any match: a word in the corridor, a call between colleagues. Counted, about nobody."""

import uuid
from datetime import date

from sites import audit, facts
from sites.audit import Actor
from sites.moves import Refused
from tracker.beside_models import InformalContact
from tracker.lists import Minutes, Way
from tracker.months import open_months
from training.models import PeerSupporter


def log(*, month: date, way: Way, minutes: Minutes, key: uuid.UUID, by: Actor) -> None:
    """Log an informal contact of the supporter who says so; the same key again writes nothing.

    Raises:
        Refused: the month is neither this one nor the one before.
        PeerSupporter.DoesNotExist: they do not stand on the roster of the current site.
    """
    if month not in open_months():
        raise Refused("Only this month and the one before can be recorded.")
    if by.user_id is None:
        raise PeerSupporter.DoesNotExist
    # Two presses at once wait for each other on the supporter's row; the contact itself knows no person.
    PeerSupporter.objects.select_for_update(of=("self",)).get(user_id=by.user_id)
    if InformalContact.objects.filter(key=key).exists():
        return
    InformalContact(month=month, way=way, minutes=minutes, key=key).save(force_insert=True)
    facts.count(("INFORMAL", "ALL"))
    audit.record("INFORMAL", "CONTACT", None, by=by)
