"""Recording that a conversation happened. Closed lists only; a double press records one."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from matching.invitations.transitions import UNRECORDED
from matching.matches.models import Match
from sites.engine import agenda, facts
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.engine.recording_months import open_months, this_month
from tracker.conversations import debriefs
from tracker.conversations.choices import Minutes, Resource, Way
from tracker.conversations.models import Interaction, ResourceOffered

# The number of any conversation after the third (docs/rules.md#short-term-support).
LATER = 4


@dataclass(frozen=True)
class Conversation:
    """What is kept of a conversation (docs/rules.md#tracker).

    Attributes:
        number: 1, 2, 3, or 4 for any later one.
        ease: how easy it was for the supporter, 1 to 5.
        strain: how much it weighed on the supporter, 1 to 5.
        wants_debrief: goes to the province's list, and stands on no conversation.
        month: first day of the month in which it was, when that is not this one.
    """

    number: int
    way: Way
    minutes: Minutes
    ease: int
    strain: int
    resources: tuple[Resource, ...] = ()
    wants_debrief: bool = False
    safety_steps: bool = False
    month: date | None = None


def record(match_id: int, conversation: Conversation, *, key: uuid.UUID, by: Actor) -> Interaction:
    """Record a conversation of the supporter's own match; it is counted now, in the month of the current site.

    Args:
        key: the form's idempotency key; the same key again returns the first row.

    Raises:
        Refused: no contact was made, that number is recorded already, or the month is too long ago. A conversation
            that was had is recorded even if the match has ended since.
        Match.DoesNotExist: it is not theirs.
    """
    if by.user_id is None:
        raise Match.DoesNotExist
    match = Match.objects.select_for_update(of=("self",)).get(pk=match_id, supporter__user_id=by.user_id)
    if earlier := Interaction.objects.filter(key=key).first():
        return earlier
    if match.contacted_at is None:
        raise Refused("NO_CONTACT", _("Press “I have made contact” first."))
    if conversation.number < LATER and Interaction.objects.filter(match=match, number=conversation.number).exists():
        raise Refused("RECORDED_ALREADY", _("This conversation is recorded already."))
    months = open_months(match.contacted_at, match.ended_at)
    if (conversation.month or this_month()) not in months:
        raise Refused(
            "MONTH_CLOSED",
            _("Only this month and the one before can be recorded, and none after the match has ended."),
        )
    interaction = Interaction(
        match=match,
        month=conversation.month or this_month(),
        number=conversation.number,
        way=conversation.way,
        minutes=conversation.minutes,
        ease=conversation.ease,
        strain=conversation.strain,
        safety_steps=conversation.safety_steps,
        key=key,
    )
    interaction.save(force_insert=True)
    _offer(interaction, conversation.resources)
    agenda.cancel(UNRECORDED, [match.pk])
    if conversation.wants_debrief:
        debriefs.request_debrief(match.supporter_id)
    facts.count(
        ("TALK", "ALL"),
        ("TALK_WAY", conversation.way),
        ("TALK_LENGTH", conversation.minutes),
    )
    # No entry of the trail: beside those of the match it would tell the hour, where this keeps a month.
    return interaction


def _offer(interaction: Interaction, resources: Iterable[Resource]) -> None:
    ResourceOffered.objects.bulk_create(
        ResourceOffered(interaction=interaction, resource=resource) for resource in resources
    )
