"""The moves of a match, and what follows from each: due rows, mail, facts, the load of the supporter.

Lock order: referral, then match, then supporter, then the person's load.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from matching.candidates import queries as candidates
from matching.candidates.rules import CAPS
from matching.invitations import alerts
from matching.matches import load
from matching.matches.contact_window import is_missed, window_ends
from matching.matches.models import LIVE, Match, Prepared, WindowStep
from psi import tenancy
from referrals.requests import transitions as referral_moves
from referrals.requests.consents import confirm_agreement, notifier_consent
from referrals.requests.models import Referral
from referrals.requests.notices import wants_notice
from sites.engine import agenda, audit, facts, outbox
from sites.engine.audit import Actor
from sites.engine.moves import MOVED_ON, Refusal, Refused, ensure_allowed, leave_trace, move
from sites.reference.queries import province_settings
from sites.tenants.models import Role, Site
from sites.tenants.queries import members_with_role
from training.supporters.models import PeerSupporter

INVITATION, WINDOW, NEXT = "INVITATION", "WINDOW", "NEXT"
# Due once contact was made; `tracker.conversations.reminders`, which knows of conversations, looks after it
# (docs/rules.md#recording-reminder).
UNRECORDED, RECORD_WITHIN = "UNRECORDED", timedelta(days=3)


@dataclass(frozen=True)
class SeenMatch:
    """A match as somebody had it on their page when they pressed: a move made on it since is not undone."""

    match_id: int
    state: str


@dataclass(frozen=True)
class LockedMatch:
    referral: Referral
    match: Match


def lock(match_id: int) -> LockedMatch:
    referral_id = Match.objects.values_list("referral_id", flat=True).get(pk=match_id)
    referral = referral_moves.lock(referral_id)
    match = Match.objects.select_for_update(of=("self",)).select_related("supporter").get(pk=match_id)
    return LockedMatch(referral, match)


def _live(referral: Referral) -> Match | None:
    rows = Match.objects.select_for_update(of=("self",)).select_related("supporter")
    return rows.filter(referral=referral, state__in=LIVE).first()


def invite(
    referral_id: int, supporter_id: int, *, by: Actor, override: str | None = None, instead_of: SeenMatch | None = None
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
        _check_unchanged(live, instead_of)
    elif referral.state != Referral.State.OPEN:
        raise Refused("NOT_OPEN", _("This request is not looking for a peer any more."))
    elif live is not None:
        raise Refused("INVITED_ALREADY", _("Somebody is invited already. Take that invitation back first."))
    candidate = candidates.candidate_for(referral, supporter_id)
    if candidate.hard:
        sentence = _("This supporter cannot be invited to this request: %(why)s.") % {"why": candidate.hard[0].text}
        raise Refused(candidate.hard[0].code, sentence)
    if candidate.soft and override not in Match.Override.values:
        raise Refused("NO_OVERRIDE", _("Please say why, to invite this supporter all the same."))
    if live is not None:
        end_for_other_peer(referral, live, by=by)
    hours, at = province_settings(), tenancy.now()
    match = Match(
        referral=referral,
        supporter_id=supporter_id,
        override=override if candidate.soft else None,
        cap_waived=any(reason.code in CAPS for reason in candidate.soft),
        invited_at=at,
        expires_at=at + timedelta(hours=hours["INVITE_ENDS"]),
    )
    match.save(force_insert=True)
    leave_trace(match, None, by=by)
    alerts.resolve_no_contact(referral)
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
    locked = lock_own(match_id, by)
    match = locked.match
    ensure_allowed(match, "accept")
    supporter = PeerSupporter.objects.select_for_update(of=("self",)).get(pk=match.supporter_id)
    if not supporter.ready_on(localdate(tenancy.now())):
        sentence = _("Your agreement or training is not current, so you cannot take a match just now.")
        raise Refused("NOT_READY", sentence)
    load.add(match, supporter)
    match.accepted_at = tenancy.now()
    move(match, "accept", by=by, also=("accepted_at", "load_year"))
    facts.count(("ACCEPTED", "ALL"))
    if Site.objects.get(pk=tenancy.current_site_id()).confirm_at_once:
        _confirm(locked, by=audit.SYSTEM)
        return match
    agenda.schedule(INVITATION, [match.pk], match.accepted_at + timedelta(hours=province_settings()["CONFIRM_NUDGE"]))
    mail_administrators("ACCEPTED", match)
    return match


def decline(match_id: int, *, by: Actor, why: str = Match.Why.NONE, seen: str = Match.State.INVITED) -> Match:
    """The supporter says no; nobody asks for a reason, two may be given with a button.

    Args:
        why: `NONE`, `KNOWN` or `EVALUATES`.
        seen: the state they were shown; an older page does not take back what was accepted since.
    """
    match = lock_own(match_id, by).match
    ensure_allowed(match, "decline")
    if match.state == Match.State.ACCEPTED and seen != match.state:
        sentence = _("You have accepted in the meantime. If you cannot do it after all, please say so here.")
        raise Refused("ACCEPTED_SINCE", sentence)
    if why not in (Match.Why.NONE, Match.Why.KNOWN, Match.Why.EVALUATES):
        raise Refused("NO_SUCH_REASON", _("Please press one of the buttons."))
    end(match, "decline", why, by=by)
    return match


def expire(match: Match) -> None:
    """INVITED → EXPIRED when nobody answered; the referral and the match are locked."""
    end(match, "expire", Match.Why.NO_ANSWER, by=audit.SYSTEM)


def revoke(match_id: int, *, by: Actor) -> Match:
    """The administrator takes an invitation back before the match is confirmed."""
    match = lock(match_id).match
    end(match, "revoke", Match.Why.NONE, by=by)
    outbox.enqueue("RELEASED", [(match.pk, match.supporter.user_id)])
    return match


def confirm(match_id: int, *, by: Actor) -> Match:
    """Release the contact details to the supporter and start the 72 hours."""
    locked = lock(match_id)
    _confirm(locked, by=by)
    return locked.match


def _confirm(locked: LockedMatch, *, by: Actor) -> None:
    match, at = locked.match, tenancy.now()
    ensure_allowed(match, "confirm")
    referral_moves.match(locked.referral, by=by)
    alerts.resolve_no_contact(locked.referral)
    match.confirmed_at = at
    move(match, "confirm", by=by, also=("confirmed_at",))
    agenda.cancel(INVITATION, [match.pk])
    agenda.schedule(WINDOW, [match.pk], at + timedelta(hours=province_settings()["NUDGE_FIRST"]))
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
    locked = lock_own(match_id, by)
    match = locked.match
    ensure_allowed(match, "record_contact")
    if notifier_consent(locked.referral) is not None:
        if not agreed:
            sentence = _("This came through a colleague: please ask first whether the physician wants it.")
            raise Refused("NOT_AGREED", sentence)
        confirm_agreement(locked.referral)
    match.contacted_at = tenancy.now()
    move(match, "record_contact", by=by, also=("contacted_at",))
    alerts.resolve_no_contact(locked.referral)
    alerts.resolve_missed(match)
    agenda.cancel(WINDOW, [match.pk])
    agenda.schedule(UNRECORDED, [match.pk], match.contacted_at + RECORD_WITHIN)
    assert match.confirmed_at is not None
    late = match.contacted_at > window_ends(match)
    counts = [("CONTACT", "LATE" if late else "IN_TIME")]
    counts.append(("TO_CONTACT", facts.hours(match.contacted_at - match.confirmed_at)))
    if late and match.window_step < WindowStep.MISSED:
        # The window was over before a worker could say so.
        counts.append(("WINDOW", "MISSED"))
    facts.count(*counts)
    return match


def record_no_conversation(match_id: int, *, by: Actor) -> None:
    """The supporter says that no conversation came about, and is not reminded any more; one may still be recorded.

    Raises:
        Refused: no contact was made yet.
    """
    match = lock_own(match_id, by).match
    if match.contacted_at is None:
        raise Refused("NO_CONTACT", _("Press “I have made contact” first."))
    match.untalked = True
    match.save(update_fields=["untalked"])
    agenda.cancel(UNRECORDED, [match.pk])


def record_not_wanted(match_id: int, *, by: Actor) -> None:
    """At first contact the physician says that they do not want this: it ends at once, sealed like a withdrawal.

    Raises:
        Refused: the physician had agreed, or the match is not at its first contact.
    """
    locked = lock_own(match_id, by)
    referral, match = locked.referral, locked.match
    if match.state != Match.State.CONFIRMED or notifier_consent(referral) is None:
        raise Refused(*MOVED_ON)
    _close_with(match, by=by)
    alerts.resolve_no_contact(referral)
    referral_moves.withdraw(referral, by=by)


def reassign(match_id: int, *, by: Actor, seen: SeenMatch | None = None) -> Match:
    """Take the request from a peer without having another one yet: the referral is open again.

    Args:
        seen: the match as the administrator saw it.
    """
    locked = lock(match_id)
    if seen is not None:
        _check_unchanged(locked.match, seen)
    end_for_other_peer(locked.referral, locked.match, by=by)
    return locked.match


def release(referral: Referral, *, by: Actor) -> None:
    """End the live match of a request that its physician takes elsewhere or back; `referral` is locked."""
    live = _live(referral)
    if live is not None:
        _close_with(live, by=by)
        outbox.enqueue("RELEASED", [(live.pk, live.supporter.user_id)])


def finish(match_id: int, *, by: Actor) -> Match:
    """The supporter has had the last conversation."""
    match = lock_own(match_id, by).match
    end(match, "finish", Match.Why.NONE, by=by)
    mail_administrators("FINISHED", match)
    return match


def close(referral_id: int, outcome: str, *, by: Actor) -> None:
    """Close a request, and end the match that is live with it."""
    referral = referral_moves.lock(referral_id)
    live = _live(referral)
    if refusal := outcome_refusal(outcome, list(Match.objects.filter(referral=referral))):
        raise Refused(*refusal)
    referral_moves.close(referral, outcome, by=by)
    alerts.resolve_no_contact(referral)
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
    if referral.state == Referral.State.OPEN and not referral_moves.can_be_spam(referral):
        sentence = _("Its physician handed this request over, so it is not spam. Please close it instead.")
        raise Refused("HANDED_OVER_HERE", sentence)
    if Match.objects.filter(referral=referral).exists():
        sentence = _("Somebody was invited to this request, so it stays on record. Please close it instead.")
        raise Refused("SOMEBODY_INVITED", sentence)
    referral_moves.mark_spam(referral, by=by)


def clear_spam(referral_id: int, *, by: Actor) -> None:
    """Take the mark of spam off a request: it is open again.

    Raises:
        Refused: it is not marked (any more).
    """
    referral_moves.clear_spam(referral_moves.lock(referral_id), by=by)


def outcome_refusal(outcome: str, matches: Iterable[Match]) -> Refusal | None:
    """Return why a request with these matches cannot have ended so; None when it can.

    Args:
        outcome: code of `Referral.Outcome`.
        matches: all of the request.
    """
    if outcome == Referral.Outcome.UNREACHED and any(match.contacted_at for match in matches):
        return "WAS_REACHED", _("A peer was in contact, so the physician was reached. Please choose how it ended.")
    # A conversation nobody recorded may still have happened, but only where somebody had the contact details.
    if outcome == Referral.Outcome.DONE and not any(match.confirmed_at for match in matches):
        sentence = _("Nobody was matched to this request, so support was not given. Please choose how it ended.")
        return "NEVER_MATCHED", sentence
    return None


def _check_unchanged(live: Match | None, seen: SeenMatch) -> None:
    if live is not None and live.pk == seen.match_id and live.state == seen.state:
        return
    if live is not None and live.pk == seen.match_id and live.state == Match.State.CONTACTED:
        raise Refused("CONTACTED_SINCE", _("Contact was made in the meantime, so the match was left as it is."))
    raise Refused(*MOVED_ON)


def _close_with(live: Match, *, by: Actor) -> None:
    """End a match together with its request. Who was in contact may still record the conversations."""
    verb = "finish" if live.state == Match.State.CONTACTED else "close"
    end(live, verb, Match.Why.CLOSED, by=by)


def end_for_other_peer(referral: Referral, match: Match, *, by: Actor, why: str = Match.Why.NONE) -> None:
    """End a confirmed match, because the request goes to another peer; both are locked."""
    end(match, "reassign", why if why != Match.Why.NONE or not is_missed(match) else Match.Why.MISSED, by=by)
    referral_moves.reopen(referral, by=by)
    outbox.enqueue("HANDED_ON", [(match.pk, match.supporter.user_id)])
    facts.count(("REASSIGNED", "ALL"))


def lock_own(match_id: int, by: Actor) -> LockedMatch:
    """Lock a match on behalf of the supporter it belongs to; someone else's looks like none."""
    if by.user_id is None or not Match.objects.filter(pk=match_id, supporter__user_id=by.user_id).exists():
        raise Match.DoesNotExist
    return lock(match_id)


def end(match: Match, verb: str, why: str, *, by: Actor) -> None:
    """End a match by one of its moves, and start looking for another peer where the request goes on.

    Args:
        match: locked, its referral too.
        verb: of `Match.MOVES`.
        why: code of `Match.Why`; `CLOSED` where the request ends with it.
        by: who ends it.

    Raises:
        Refused: the move does not start from where the match stands; nothing was written.
    """
    ensure_allowed(match, verb)
    match.why, match.ended_at = why, tenancy.now()
    load.remove(match)
    move(match, verb, by=by, why=why, also=("why", "ended_at", "load_year"))
    agenda.cancel(INVITATION, [match.pk])
    agenda.cancel(WINDOW, [match.pk])
    completed = match.state == Match.State.COMPLETED
    if not completed:
        agenda.cancel(UNRECORDED, [match.pk])
    alerts.resolve_missed(match)
    if not completed and why != Match.Why.CLOSED:
        referral_moves.schedule_wait(match.referral_id)
        # A worker looks who could be next: `matching.invitations.next_candidate`.
        agenda.schedule(NEXT, [match.referral_id], tenancy.now())


def mail_administrators(kind: str, match: Match) -> None:
    outbox.enqueue(kind, [(match.pk, user_id) for user_id in members_with_role(Role.ADMINISTRATOR)])
