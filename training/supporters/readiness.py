"""The two dates that make a supporter ready, and all that follows from them: nothing else writes these columns.

`record` works in one order: the columns, the figures' count of who was trained, the audit trail, the copies in other
rosters, and then the followers in the order in which TrainingConfig.ready registers them: first the agreement
(a row for what was agreed on paper, and its reminder), then recruitment (trained and agreed, somebody becomes active).
Followers are registered because the rooms they stand in are above this one.
"""

from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Final

from sites.engine import audit
from sites.engine.audit import Actor
from training.supporters import lending, trained_facts
from training.supporters.models import PeerSupporter

COLUMNS: Final = ("trained_on", "agreement_until")


class Unchanged(Enum):
    """The type of `UNCHANGED`: None is a value of these columns, and cannot say it."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED
Follower = Callable[[PeerSupporter, frozenset[str], Actor], None]
_followers: list[Follower] = []


def register(follower: Follower) -> None:
    """Let `follower(supporter, columns, by)` do what must follow once the dates of a supporter are recorded.

    Args:
        follower: called after every `record`, with those of `COLUMNS` that were given, whether their value is new or
            not. Followers are called in the order of their registration.
    """
    if follower not in _followers:  # apps may be made ready twice
        _followers.append(follower)


def record(
    supporter: PeerSupporter,
    *,
    trained_on: date | Unchanged | None = UNCHANGED,
    agreement_until: date | Unchanged | None = UNCHANGED,
    by: Actor,
    action: str = "ROSTER",
) -> None:
    """Record when a supporter was trained and until when their agreement holds, and all that follows.

    With neither date it does what follows from any other change to a line of the roster.

    Args:
        supporter: of the current site, saved and locked; who is on the way (`recruitment.hold`) is locked before.
        trained_on: the day of training, None to take it away.
        agreement_until: the last day of the agreement, None where none holds.
        by: who says so.
        action: code for the audit trail.
    """
    values: dict[str, date | None] = {}
    if trained_on is not UNCHANGED:
        values["trained_on"] = supporter.trained_on = trained_on
    if agreement_until is not UNCHANGED:
        values["agreement_until"] = supporter.agreement_until = agreement_until
    if values:
        supporter.save(update_fields=list(values))
    trained_facts.count_trained(supporter)
    audit.record(action, PeerSupporter.KIND, supporter.pk, by=by)
    lending.mirror(supporter)
    if supporter.home_id is None:  # dates of a copy are their own site's, and so is what follows from them
        for follower in _followers:
            follower(supporter, frozenset(values), by)
