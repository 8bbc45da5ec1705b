"""What time does: to a request nobody is asked for, to an invitation, and the 72 hours of the contact window.

Times stand in `Due` rows. The handlers read the truth again under the locks and take every step that
is due and was not taken, so a worker that slept, died or was doubled takes each step exactly once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from matching.invitations import alerts, transitions
from matching.invitations.queries import with_latest_match
from matching.invitations.transitions import INVITATION, WINDOW
from matching.matches.contact_window import CONTACT_HOURS
from matching.matches.models import LIVE, Match, WindowStep
from psi import tenancy
from referrals.requests.models import Referral
from referrals.requests.transitions import WAITING
from sites.engine import agenda, facts, outbox
from sites.engine.audit import SYSTEM
from sites.engine.moves import leave_trace, leave_traces
from sites.reference.queries import province_settings
from sites.tenants.models import Role
from sites.tenants.queries import members_with_role


def register() -> None:
    """Register the handlers of waiting requests, invitations and windows with the agenda."""
    agenda.register(WAITING, handle_waiting)
    agenda.register(INVITATION, handle_invitations)
    agenda.register(WINDOW, handle_windows)


def steps(hours: dict[str, int]) -> list[int]:
    """Return the hours after confirmation at which something happens: two reminders, then the end."""
    return [hours["NUDGE_FIRST"], hours["NUDGE_SECOND"], CONTACT_HOURS]


def _locked(ids: Sequence[int]) -> list[Match]:
    """Return these matches locked, their referrals first, in one order everywhere."""
    of = Match.objects.filter(pk__in=ids).values("referral_id")
    list(Referral.objects.select_for_update(of=("self",)).filter(pk__in=of).order_by("pk").values("pk"))
    rows = Match.objects.select_for_update(of=("self",)).select_related("supporter")
    return list(rows.filter(pk__in=ids).order_by("pk"))


def handle_windows(ids: list[int]) -> None:
    """Take every step of these contact windows that is due by now."""
    at, hours, administrators = tenancy.now(), steps(province_settings()), members_with_role(Role.ADMINISTRATOR)
    taken: list[tuple[Match, str]] = []
    moved: dict[int, list[int]] = {}
    to_supporter: dict[str, list[tuple[int, int | None]]] = {"NUDGE_1": [], "NUDGE_2": []}
    to_administrators: dict[str, list[tuple[int, int | None]]] = {"WINDOW_48": [], "WINDOW_72": []}
    later: dict[datetime, list[int]] = {}
    missed_ids: list[int] = []
    for match in _locked(ids):
        if match.state != Match.State.CONFIRMED or match.confirmed_at is None:
            continue
        before = match.window_step
        while match.window_step < WindowStep.MISSED and match.confirmed_at + _h(hours[match.window_step]) <= at:
            match.window_step += 1
            is_last = match.window_step == WindowStep.MISSED
            taken.append((match, Match.Why.MISSED if is_last else Match.Why.NUDGE))
            everyone = [(match.pk, user_id) for user_id in administrators]
            if is_last:
                missed_ids.append(match.pk)
                to_administrators["WINDOW_72"] += everyone
            else:
                to_supporter[f"NUDGE_{match.window_step}"].append((match.pk, match.supporter.user_id))
                if match.window_step == WindowStep.SECOND_REMINDER:
                    to_administrators["WINDOW_48"] += everyone
        if match.window_step > before:
            moved.setdefault(match.window_step, []).append(match.pk)
        if match.window_step < WindowStep.MISSED:
            later.setdefault(match.confirmed_at + _h(hours[match.window_step]), []).append(match.pk)
    _write_steps(moved, taken, to_supporter | to_administrators)
    for due, match_ids in later.items():
        agenda.schedule(WINDOW, match_ids, due)
    if missed_ids:
        facts.count(*[("WINDOW", "MISSED")] * len(missed_ids))
        alerts.schedule_missed(missed_ids)


def _write_steps(
    moved: dict[int, list[int]], taken: list[tuple[Match, str]], notices: dict[str, list[tuple[int, int | None]]]
) -> None:
    """Write the steps that windows took (step → ids of matches), their traces, and who is to hear of it."""
    for step, match_ids in moved.items():
        Match.objects.filter(pk__in=match_ids).update(window_step=step)
    leave_traces(taken, by=SYSTEM)
    for kind, to in notices.items():
        outbox.enqueue(kind, to)


def handle_waiting(ids: list[int]) -> None:
    """Tell the administrators of requests for which nobody is asked; of two steps slept through, the second."""
    at, hours, administrators = tenancy.now(), province_settings(), members_with_role(Role.ADMINISTRATOR)
    rows = Referral.objects.select_for_update(of=("self",)).filter(pk__in=ids, state=Referral.State.OPEN)
    referrals = list(rows.order_by("pk"))
    latest = with_latest_match(referrals)
    for referral in referrals:
        match = latest.get(referral.pk)
        if match and match.state in LIVE:
            continue
        # Each wait is told of once: the first by its referral, a later one by the match it began with.
        kind, about, since = "WAIT", referral.pk, referral.received_at
        if match and match.ended_at:
            kind, about, since = "AGAIN", match.pk, match.ended_at
        steps = [since + _h(hours[code]) for code in ("WAIT_FIRST", "WAIT_SECOND")]
        if taken := sum(step <= at for step in steps):
            outbox.enqueue(f"{kind}_{taken}", [(about, user_id) for user_id in administrators])
        if taken < len(steps):
            agenda.schedule(WAITING, [referral.pk], steps[taken])


def handle_invitations(ids: list[int]) -> None:
    """Remind once, then let the invitation end; once accepted, remind the administrators to confirm."""
    at, hours = tenancy.now(), province_settings()
    nudge, confirm = _h(hours["INVITE_NUDGE"]), _h(hours["CONFIRM_NUDGE"])
    for match in _locked(ids):
        if match.state == Match.State.ACCEPTED and match.accepted_at is not None:
            if match.accepted_at + confirm <= at:
                outbox.enqueue(
                    "UNCONFIRMED", [(match.pk, user_id) for user_id in members_with_role(Role.ADMINISTRATOR)]
                )
            else:
                agenda.schedule(INVITATION, [match.pk], match.accepted_at + confirm)
        if match.state != Match.State.INVITED:
            continue
        if not match.nudged and match.invited_at + nudge <= at:
            match.nudged = True
            match.save(update_fields=["nudged"])
            leave_trace(match, match.state, by=SYSTEM, why=Match.Why.NUDGE, action=Match.Why.NUDGE)
            outbox.enqueue("REMIND", [(match.pk, match.supporter.user_id)])
        if match.expires_at <= at:
            transitions.expire(match)
        else:
            later = match.expires_at if match.nudged else min(match.invited_at + nudge, match.expires_at)
            agenda.schedule(INVITATION, [match.pk], later)


def _h(hours: int) -> timedelta:
    return timedelta(hours=hours)
