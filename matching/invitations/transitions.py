"""The moves of a match. Nothing else writes `Match.state`.

Lock order: referral, then match, then supporter, then the person's load.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils.timezone import localdate

from matching.candidates import queries as candidates
from matching.candidates.rules import CAPS
from matching.invitations import alerts
from matching.matches import load
from matching.matches.contact_window import missed, window_ends
from matching.matches.models import LIVE, MISSED, Match, MatchEvent, Prepared
from psi import tenancy
from referrals.requests import transitions as referral_moves
from referrals.requests.consents import by_notifier, confirm_agreement
from referrals.requests.models import Referral
from referrals.requests.notices import wants_notice
from sites.engine import agenda, audit, facts, outbox
from sites.engine.audit import Actor
from sites.engine.moves import Refused, target
from sites.reference.queries import numbers
from sites.tenants.models import Role, Site
from sites.tenants.queries import holders
from training.supporters.models import PeerSupporter

INVITATION, WINDOW, NEXT = "INVITATION", "WINDOW", "NEXT"
# Due once contact was made; `tracker.conversations.reminders`, which knows of conversations, looks after it
# (docs/rules.md#recording-reminder).
UNRECORDED, RECORD_WITHIN = "UNRECORDED", timedelta(days=3)
MOVED_ON = "This has moved on in the meantime. Here is how it stands now."


@dataclass(frozen=True)
class Seen:
    """A match as somebody had it on their page when they pressed: a move made on it since is not undone."""

    match_id: int
    state: str


@dataclass(frozen=True)
class Locked:
    referral: Referral
    match: Match


def lock(match_id: int) -> Locked:
    referral_id = Match.objects.values_list("referral_id", flat=True).get(pk=match_id)
    referral = referral_moves.lock(referral_id)
    match = Match.objects.select_for_update(of=("self",)).select_related("supporter").get(pk=match_id)
    return Locked(referral, match)


def _live(referral: Referral) -> Match | None:
    rows = Match.objects.select_for_update(of=("self",)).select_related("supporter")
    return rows.filter(referral=referral, state__in=LIVE).first()


def invite(
    referral_id: int, supporter_id: int, *, by: Actor, override: str | None = None, instead_of: Seen | None = None
) -> Match:
    """Invite a supporter to a referral.

    Args:
        override: a code of `Match.Override`, needed when a soft rule speaks against it.
        instead_of: the confirmed match that ends with this invitation, as the administrator saw it.

    Raises:
        Refused: the request is not open, somebody is invited already, a rule speaks against it, or the
            match to be replaced has moved on.
    """
    referral = referral_moves.lock(referral_id)
    live = _live(referral)
    if instead_of is not None:
        _check_unmoved(live, instead_of)
    elif referral.state != Referral.State.OPEN:
        raise Refused("This request is not looking for a peer any more.")
    elif live is not None:
        raise Refused("Somebody is invited already. Take that invitation back first.")
    candidate = candidates.one(referral, supporter_id)
    if candidate.hard:
        raise Refused("This supporter cannot be invited to this request: " + candidate.hard[0].text + ".")
    if candidate.soft and override not in Match.Override.values:
        raise Refused("Please say why, to invite this supporter all the same.")
    if live is not None:
        hand_on(referral, live, by=by)
    hours, at = numbers(), tenancy.now()
    match = Match(
        referral=referral,
        supporter_id=supporter_id,
        override=override if candidate.soft else None,
        cap_waived=any(reason.code in CAPS for reason in candidate.soft),
        invited_at=at,
        expires_at=at + timedelta(hours=hours["INVITE_ENDS"]),
    )
    match.save(force_insert=True)
    _note(match, None, by=by)
    alerts.heard(referral)
    agenda.cancel(referral_moves.WAITING, [referral.pk])
    agenda.schedule(INVITATION, [match.pk], at + timedelta(hours=hours["INVITE_NUDGE"]))
    Prepared.objects.filter(referral=referral).delete()
    outbox.enqueue("INVITED", [(match.pk, candidate.user_id)])
    facts.count(("INVITED", "ALL"))
    return match


def accept(match_id: int, *, by: Actor) -> Match:
    """The invited supporter says yes. Availability is asked again under the lock.

    Where the site has chosen so, the match is confirmed with it.

    Raises:
        Refused: not invited any more, not available any more, or at a cap.
    """
    locked = own(match_id, by)
    match = locked.match
    goal = target(Match.MOVES, "accept", match.state, MOVED_ON)
    supporter = PeerSupporter.objects.select_for_update(of=("self",)).get(pk=match.supporter_id)
    if not supporter.ready_on(localdate(tenancy.now())):
        raise Refused("Your agreement or training is not current, so you cannot take a match just now.")
    load.take(match, supporter)
    match.accepted_at = tenancy.now()
    _move(match, goal, by=by, also=("accepted_at", "load_year"))
    facts.count(("ACCEPTED", "ALL"))
    if Site.objects.get(pk=tenancy.current_site_id()).confirm_at_once:
        _confirm(locked, by=audit.SYSTEM)
        return match
    agenda.schedule(INVITATION, [match.pk], match.accepted_at + timedelta(hours=numbers()["CONFIRM_NUDGE"]))
    tell_administrators("ACCEPTED", match)
    return match


def decline(match_id: int, *, by: Actor, why: str = Match.Why.NONE, seen: str = Match.State.INVITED) -> Match:
    """The supporter says no; nobody asks for a reason, two may be given with a button.

    Args:
        why: `NONE`, `KNOWN` or `EVALUATES`.
        seen: the state they were shown; an older page does not take back what was accepted since.
    """
    match = own(match_id, by).match
    goal = target(Match.MOVES, "decline", match.state, MOVED_ON)
    if match.state == Match.State.ACCEPTED and seen != match.state:
        raise Refused("You have accepted in the meantime. If you cannot do it after all, please say so here.")
    if why not in (Match.Why.NONE, Match.Why.KNOWN, Match.Why.EVALUATES):
        raise Refused("Please press one of the buttons.")
    end(match, goal, why, by=by)
    return match


def expire(match: Match) -> None:
    """INVITED → EXPIRED when nobody answered; the referral and the match are locked."""
    end(match, target(Match.MOVES, "expire", match.state, MOVED_ON), Match.Why.NO_ANSWER, by=audit.SYSTEM)


def revoke(match_id: int, *, by: Actor) -> Match:
    """The administrator takes an invitation back before the match is confirmed."""
    match = lock(match_id).match
    end(match, target(Match.MOVES, "revoke", match.state, MOVED_ON), Match.Why.NONE, by=by)
    outbox.enqueue("RELEASED", [(match.pk, match.supporter.user_id)])
    return match


def confirm(match_id: int, *, by: Actor) -> Match:
    """Release the contact details to the supporter and start the 72 hours."""
    locked = lock(match_id)
    _confirm(locked, by=by)
    return locked.match


def _confirm(locked: Locked, *, by: Actor) -> None:
    match, at = locked.match, tenancy.now()
    goal = target(Match.MOVES, "confirm", match.state, MOVED_ON)
    referral_moves.match(locked.referral, by=by)
    alerts.heard(locked.referral)
    match.confirmed_at = at
    _move(match, goal, by=by, also=("confirmed_at",))
    agenda.cancel(INVITATION, [match.pk])
    agenda.schedule(WINDOW, [match.pk], at + timedelta(hours=numbers()["NUDGE_FIRST"]))
    outbox.enqueue("CONFIRMED", [(match.pk, match.supporter.user_id)])
    if wants_notice(locked.referral):
        outbox.enqueue("FOUND", [(match.pk, None)])
    facts.count(("MATCHED", "ALL"), ("TO_MATCH", facts.hours(at - locked.referral.received_at)))


def record_contact(match_id: int, *, by: Actor, agreed: bool = False) -> Match:
    """The supporter has made contact. Whether it was inside the window is a fact, and after how many hours.

    Args:
        agreed: the physician said that they want this; needed where only a notifier has said so before.

    Raises:
        Refused: not confirmed, or nobody asked the physician.
    """
    locked = own(match_id, by)
    match = locked.match
    goal = target(Match.MOVES, "record_contact", match.state, MOVED_ON)
    if by_notifier(locked.referral) is not None:
        if not agreed:
            raise Refused("This came through a colleague: please ask first whether the physician wants it.")
        confirm_agreement(locked.referral)
    match.contacted_at = tenancy.now()
    _move(match, goal, by=by, also=("contacted_at",))
    alerts.heard(locked.referral)
    alerts.acted(match)
    agenda.cancel(WINDOW, [match.pk])
    agenda.schedule(UNRECORDED, [match.pk], match.contacted_at + RECORD_WITHIN)
    assert match.confirmed_at is not None
    late = match.contacted_at > window_ends(match)
    counted = [("CONTACT", "LATE" if late else "IN_TIME")]
    counted.append(("TO_CONTACT", facts.hours(match.contacted_at - match.confirmed_at)))
    if late and match.window_step < MISSED:
        # The window was over before a worker could say so.
        counted.append(("WINDOW", "MISSED"))
    facts.count(*counted)
    return match


def untalked(match_id: int, *, by: Actor) -> None:
    """The supporter says that no conversation came about, and is not reminded any more; one may still be recorded.

    Raises:
        Refused: no contact was made yet.
    """
    match = own(match_id, by).match
    if match.contacted_at is None:
        raise Refused("Press “I have made contact” first.")
    match.untalked = True
    match.save(update_fields=["untalked"])
    agenda.cancel(UNRECORDED, [match.pk])


def unwanted(match_id: int, *, by: Actor) -> None:
    """At first contact the physician says that they do not want this: it ends at once, sealed like a withdrawal.

    Raises:
        Refused: the physician had agreed, or the match is not at its first contact.
    """
    locked = own(match_id, by)
    referral, match = locked.referral, locked.match
    if match.state != Match.State.CONFIRMED or by_notifier(referral) is None:
        raise Refused(MOVED_ON)
    _close_with(match, by=by)
    alerts.heard(referral)
    referral_moves.withdraw(referral, by=by)


def reassign(match_id: int, *, by: Actor, seen: Seen | None = None) -> Match:
    """Take the request from a peer without having another one yet: the referral is open again.

    Args:
        seen: the match as the administrator saw it.
    """
    locked = lock(match_id)
    if seen is not None:
        _check_unmoved(locked.match, seen)
    hand_on(locked.referral, locked.match, by=by)
    return locked.match


def release(referral: Referral, *, by: Actor) -> None:
    """End the live match of a request that its physician takes elsewhere or back; `referral` is locked."""
    live = _live(referral)
    if live is not None:
        _close_with(live, by=by)
        outbox.enqueue("RELEASED", [(live.pk, live.supporter.user_id)])


def finish(match_id: int, *, by: Actor) -> Match:
    """The supporter has had the last conversation."""
    match = own(match_id, by).match
    end(match, target(Match.MOVES, "finish", match.state, MOVED_ON), Match.Why.NONE, by=by)
    tell_administrators("FINISHED", match)
    return match


def close(referral_id: int, outcome: str, *, by: Actor) -> None:
    """Close a request, and end the match that is live with it."""
    referral = referral_moves.lock(referral_id)
    live = _live(referral)
    if why := untrue(outcome, list(Match.objects.filter(referral=referral))):
        raise Refused(why)
    referral_moves.close(referral, outcome, by=by)
    alerts.heard(referral)
    if live is not None:
        _close_with(live, by=by)
        if live.state == Match.State.REVOKED:
            outbox.enqueue("RELEASED", [(live.pk, live.supporter.user_id)])


def mark_spam(referral_id: int, *, by: Actor) -> None:
    """Take a request for spam.

    Raises:
        Refused: it is not open, its physician handed it over, or somebody was invited: what a name was used for
            stays on record for a year.
    """
    referral = referral_moves.lock(referral_id)
    if referral.state == Referral.State.OPEN and not referral_moves.may_be_spam(referral):
        raise Refused("Its physician handed this request over, so it is not spam. Please close it instead.")
    if Match.objects.filter(referral=referral).exists():
        raise Refused("Somebody was invited to this request, so it stays on record. Please close it instead.")
    referral_moves.mark_spam(referral, by=by)


def untrue(outcome: str, matches: Iterable[Match]) -> str:
    """Return why a request with these matches cannot have ended so; empty when it can."""
    if outcome == Referral.Outcome.UNREACHED and any(match.contacted_at for match in matches):
        return "A peer was in contact, so the physician was reached. Please choose how it ended."
    # A conversation nobody recorded may still have happened, but only where somebody had the contact details.
    if outcome == Referral.Outcome.DONE and not any(match.confirmed_at for match in matches):
        return "Nobody was matched to this request, so support was not given. Please choose how it ended."
    return ""


def _check_unmoved(live: Match | None, seen: Seen) -> None:
    if live is not None and live.pk == seen.match_id and live.state == seen.state:
        return
    if live is not None and live.pk == seen.match_id and live.state == Match.State.CONTACTED:
        raise Refused("Contact was made in the meantime, so the match was left as it is.")
    raise Refused(MOVED_ON)


def _close_with(live: Match, *, by: Actor) -> None:
    """End a match together with its request. Who was in contact may still record the conversations."""
    verb = "finish" if live.state == Match.State.CONTACTED else "close"
    end(live, target(Match.MOVES, verb, live.state, MOVED_ON), Match.Why.CLOSED, by=by)


def hand_on(referral: Referral, match: Match, *, by: Actor, why: str = Match.Why.NONE) -> None:
    """End a confirmed match, because the request goes to another peer; both are locked."""
    goal = target(Match.MOVES, "reassign", match.state, MOVED_ON)
    end(match, goal, why if why != Match.Why.NONE or not missed(match) else Match.Why.MISSED, by=by)
    referral_moves.reopen(referral, by=by)
    outbox.enqueue("HANDED_ON", [(match.pk, match.supporter.user_id)])
    facts.count(("REASSIGNED", "ALL"))


def own(match_id: int, by: Actor) -> Locked:
    """Lock a match on behalf of the supporter it belongs to; someone else's looks like none."""
    if by.user_id is None or not Match.objects.filter(pk=match_id, supporter__user_id=by.user_id).exists():
        raise Match.DoesNotExist
    return lock(match_id)


def end(match: Match, goal: str, why: str, *, by: Actor) -> None:
    match.why, match.ended_at = why, tenancy.now()
    load.give_back(match)
    _move(match, goal, by=by, also=("why", "ended_at", "load_year"), why=why)
    agenda.cancel(INVITATION, [match.pk])
    agenda.cancel(WINDOW, [match.pk])
    if goal != Match.State.COMPLETED:
        agenda.cancel(UNRECORDED, [match.pk])
    alerts.acted(match)
    if goal != Match.State.COMPLETED and why != Match.Why.CLOSED:
        referral_moves.wait(match.referral_id)
        # A worker looks who could be next: `matching.invitations.next_candidate`.
        agenda.schedule(NEXT, [match.referral_id], tenancy.now())


def _move(match: Match, goal: str, *, by: Actor, also: tuple[str, ...], why: str = Match.Why.NONE) -> None:
    source, match.state = match.state, goal
    match.save(update_fields=["state", *also])
    _note(match, source, by=by, why=why)


def _note(match: Match, source: str | None, *, by: Actor, why: str = Match.Why.NONE) -> None:
    MatchEvent(match=match, source=source, target=match.state, why=why, by_id=by.user_id, at=tenancy.now()).save(
        force_insert=True
    )
    # Only the inviter learns of a decline; the trail, which every administrator reads, says "answered".
    answered = match.state in (Match.State.ACCEPTED, Match.State.DECLINED)
    audit.record("ANSWERED" if answered else match.state, Match.KIND, match.pk, by=by)


def tell_administrators(kind: str, match: Match) -> None:
    outbox.enqueue(kind, [(match.pk, user_id) for user_id in holders(Role.ADMINISTRATOR)])
