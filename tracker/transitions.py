"""Recording that a conversation happened. Closed lists only; a double press records one."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.timezone import localdate

from matching.models import Match
from psi import tenancy
from sites import audit, facts
from sites.audit import Actor
from sites.moves import Refused
from tracker.models import Interaction, Minutes, Resource, ResourceOffered, Way


@dataclass(frozen=True)
class Conversation:
    """What is kept of a conversation.

    Attributes:
        number: 1, 2, 3, or 4 for any later one.
        ease: how easy it was for the supporter, 1 to 5.
        strain: how much it weighed on the supporter, 1 to 5.
    """

    number: int
    way: Way
    minutes: Minutes
    ease: int
    strain: int
    resources: tuple[Resource, ...] = ()
    wants_debrief: bool = False
    safety_steps: bool = False


def record(match_id: int, conversation: Conversation, *, key: uuid.UUID, by: Actor) -> Interaction:
    """Record a conversation of the supporter's own match, in the month of the current site.

    Args:
        key: the form's idempotency key; the same key again returns the first row.

    Raises:
        Refused: no contact was made. A conversation that was had is recorded even if the match has ended since.
        Match.DoesNotExist: it is not theirs.
    """
    if by.user_id is None:
        raise Match.DoesNotExist
    match = Match.objects.select_for_update(of=("self",)).get(pk=match_id, supporter__user_id=by.user_id)
    if earlier := Interaction.objects.filter(key=key).first():
        return earlier
    if match.contacted_at is None:
        raise Refused("Press “I have made contact” first.")
    interaction = Interaction(
        match=match,
        month=localdate(tenancy.now()).replace(day=1),
        number=conversation.number,
        way=conversation.way,
        minutes=conversation.minutes,
        ease=conversation.ease,
        strain=conversation.strain,
        wants_debrief=conversation.wants_debrief,
        safety_steps=conversation.safety_steps,
        key=key,
    )
    interaction.save(force_insert=True)
    _offer(interaction, conversation.resources)
    facts.count(
        ("TALK", "ALL"),
        ("TALK_WAY", conversation.way),
        ("TALK_LENGTH", conversation.minutes),
    )
    audit.record("RECORDED", Match.KIND, match.pk, by=by)
    return interaction


def _offer(interaction: Interaction, resources: Iterable[Resource]) -> None:
    ResourceOffered.objects.bulk_create(
        ResourceOffered(interaction=interaction, resource=resource) for resource in resources
    )
