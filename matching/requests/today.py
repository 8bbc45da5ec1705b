"""Requests and matches on *Today*: what each waits for, and the one button that helps."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from matching.invitations.alerts import OPEN_STATES
from matching.invitations.queries import with_latest_match
from matching.matches.contact_window import window_ends, window_of
from matching.matches.models import LIVE, Alert, Match
from psi import tenancy
from referrals.reach_out.transitions import call_due, offer_ends_at
from referrals.requests.models import ReachOut, Referral
from sites.engine import today
from sites.tenants.models import PROVINCE_SLUG

# A new request should not wait longer than this before somebody is asked (docs/rules.md#waiting-request).
CHOOSE_WITHIN = timedelta(hours=24)
# An accepted match waits for one press (docs/rules.md#confirmation); a finished one only wants to be closed.
PRESS_WITHIN, CLOSE_WITHIN = timedelta(hours=24), timedelta(days=14)


def register() -> None:
    """Tell *Today* what requests and matches know."""
    today.register(rows_for_today)


def rows_for_today(slug: str) -> list[today.Item]:
    """Return a row for every open request: what it waits for, and the one button that helps."""
    states = (*OPEN_STATES, Referral.State.AWAITING_CONSENT)
    all_referrals = list(Referral.objects.filter(state__in=states).prefetch_related("reasons").order_by("pk"))
    referrals = [referral for referral in all_referrals if referral.state in OPEN_STATES]
    matches = with_latest_match(referrals)
    rows = [_request_row(slug, referral, matches.get(referral.pk)) for referral in referrals]
    if len(referrals) < len(all_referrals):
        rows += _offer_rows(slug)
    return [*_alert_rows(), *rows] if slug == PROVINCE_SLUG else rows


def _alert_rows() -> list[today.Item]:
    """Return a row for everything a site was told is late and left for a day, and for figures that are wrong."""
    unheard = _("%(site)s: nobody has been in touch about %(ref)s")
    words = {
        Alert.Kind.UNHEARD: (
            unheard,
            _("The physician said so, and a day later nothing is noted there. Please call the site."),
        ),
        Alert.Kind.MISSED: (
            unheard,
            _("The 72 hours were over a day ago, and nothing is noted there. Please call the site."),
        ),
        Alert.Kind.COUNTS: (
            _("%(site)s: its figures are not what was counted"),
            _("Nothing is lost. Please ask whoever runs the server to look at the log and to rebuild the figures."),
        ),
    }
    return [
        today.Item(
            alert.at,
            words[Alert.Kind(alert.kind)][0] % {"site": alert.origin.name, "ref": alert},
            words[Alert.Kind(alert.kind)][1],
            _("Open the site"),
            reverse("today" if alert.origin.slug == PROVINCE_SLUG else "province_site", args=[alert.origin.slug]),
            tone="late",
            chip=_("told %(when)s") % {"when": ago_words(alert.at)},
            chip_tone="late",
        )
        for alert in Alert.objects.select_related("origin").order_by("pk")
    ]


def _offer_rows(slug: str) -> list[today.Item]:
    """Return a row for every offer without an answer; only a call that is due needs anybody."""
    rows = ReachOut.objects.filter(referral__state=Referral.State.AWAITING_CONSENT).select_related("referral")
    return [_offer_row(slug, offer) for offer in rows.order_by("referral_id")]


def _offer_row(slug: str, offer: ReachOut) -> today.Item:
    url, due, ends = reverse("request_detail", args=[slug, offer.referral.ref]), call_due(offer), offer_ends_at(offer)
    assert ends is not None
    if due is not None and due <= tenancy.now():
        late = tenancy.now() - due > CHOOSE_WITHIN
        return today.Item(
            due + CHOOSE_WITHIN,
            _("%(ref)s · a call to make") % {"ref": offer.referral},
            _("Someone told of a physician. Call with the offer; the words are on the page."),
            _("Open the request"),
            url,
            tone="late" if late else "soon",
            chip=_("told %(when)s") % {"when": ago_words(offer.offered_at)},
            chip_tone="late" if late else "warm",
        )
    return today.Item(
        ends,
        _("%(ref)s · an offer was made") % {"ref": offer.referral},
        _("Nobody is asked for it before the physician says yes."),
        _("Open"),
        url,
        tone="calm",
        chip=_("erased %(when)s") % {"when": ago_words(ends)},
        chip_tone="plain",
        quiet=True,
    )


def _request_row(slug: str, referral: Referral, match: Match | None) -> today.Item:
    url = reverse("request_detail", args=[slug, referral.ref])
    if referral.unheard_at is not None:
        return today.Item(
            referral.received_at,
            _("%(ref)s says nobody has been in touch") % {"ref": referral},
            _("Please call the peer, or choose another one. A day later the provincial team is told."),
            _("Open the request"),
            url,
            tone="late",
            chip=_("said %(when)s") % {"when": ago_words(referral.unheard_at)},
            chip_tone="late",
        )
    missed_count = match.missed if match else 0  # type: ignore[attr-defined]
    overdue = age_of(referral, missed_count) if missed_count else None
    choose = reverse("choose", args=[slug, referral.ref])
    if match is None or match.state not in (*LIVE, Match.State.COMPLETED):
        if match is not None and match.next_user:  # type: ignore[attr-defined]
            return _next_candidate_row(slug, referral, missed_count, match, choose)
        return _searching_row(referral, missed_count, choose, again=match is not None)
    name = match.supporter.profile.name
    if match.state == Match.State.INVITED:
        return today.Item(
            match.expires_at,
            _("%(name)s is invited to %(ref)s") % {"name": name, "ref": referral},
            _("Reminded after a day. If there is no answer, you choose someone else."),
            _("Open"),
            url,
            tone="late" if overdue else "calm",
            chip=overdue.words if overdue else _("answer due %(when)s") % {"when": ago_words(match.expires_at)},
            chip_tone="late" if overdue else "plain",
            quiet=True,
        )
    if match.state == Match.State.ACCEPTED:
        press_by = (match.accepted_at or match.invited_at) + PRESS_WITHIN
        late = overdue is not None or press_by < tenancy.now()
        return today.Item(
            press_by,
            _("%(name)s accepted %(ref)s") % {"name": name, "ref": referral},
            _("Confirm to release the contact details and start the 72 hours."),
            _("Confirm the match"),
            reverse("confirm", args=[slug, referral.ref]),
            tone="late" if late else "soon",
            chip=overdue.words if overdue else _("accepted %(when)s") % {"when": ago_words(match.accepted_at)},
            chip_tone="late" if late else "",
            post=True,
        )
    if match.state == Match.State.COMPLETED:
        return today.Item(
            (match.ended_at or match.invited_at) + CLOSE_WITHIN,
            _("%(ref)s is finished") % {"ref": referral},
            _("%(name)s has had the last conversation.") % {"name": name},
            _("Close the request"),
            url,
            tone="calm",
            chip=_("finished %(when)s") % {"when": ago_words(match.ended_at)},
            chip_tone="plain",
        )
    return _window_row(referral, match, url, choose)


def _next_candidate_row(slug: str, referral: Referral, missed_count: int, match: Any, choose: str) -> today.Item:
    waited, name = age_of(referral, missed_count), match.next_name
    return today.Item(
        referral.received_at + CHOOSE_WITHIN,
        _("%(ref)s needs another peer") % {"ref": referral},
        _("%(name)s could be next. Nothing speaks against it.") % {"name": name},
        _("Invite %(name)s") % {"name": name},
        reverse("invite_next", args=[slug, referral.ref, match.next_user]),
        tone="late" if waited.late else "soon",
        chip=waited.words,
        chip_tone="late" if waited.late else "warm",
        post=True,
        other=(_("Choose someone else"), choose),
    )


def _searching_row(referral: Referral, missed_count: int, choose: str, *, again: bool) -> today.Item:
    waited = age_of(referral, missed_count)
    title = _("%(ref)s needs another peer") if again else _("%(ref)s · new request")
    reasons = [str(reason.get_reason_display()) for reason in referral.reasons.all()]
    return today.Item(
        referral.received_at + CHOOSE_WITHIN,
        title % {"ref": referral},
        " · ".join([*reasons, *_stage(referral)]) or _("No reason was given"),
        _("Choose a peer"),
        choose,
        tone="late" if waited.late else "soon",
        chip=waited.words,
        chip_tone="late" if waited.late else "warm",
    )


@dataclass(frozen=True)
class Age:
    """How long ago a physician asked, whoever was asked for them since; `late` when that is too long."""

    words: str
    late: bool


def age_of(referral: Referral, missed_count: int) -> Age:
    """Return the age of an open request; `missed_count` is how often the contact window was missed."""
    words = _("asked %(when)s") % {"when": ago_words(referral.received_at)}
    if missed_count:
        words += " · " + ngettext("72 hours missed once", "72 hours missed %(n)s times", missed_count) % {
            "n": missed_count
        }
    return Age(words, bool(missed_count) or tenancy.now() - referral.received_at > CHOOSE_WITHIN)


def _window_row(referral: Referral, match: Match, url: str, choose: str) -> today.Item:
    window, name = window_of(match), match.supporter.profile.name
    assert window is not None
    if match.state == Match.State.CONTACTED:
        return today.Item(
            window_ends(match) + timedelta(days=3650),
            _("%(ref)s · in contact") % {"ref": referral},
            _("%(name)s and the physician are talking.") % {"name": name},
            _("Open"),
            url,
            tone="calm",
            window=window,
            quiet=True,
        )
    late = window.state == "late"
    sentence = (
        _("%(name)s was to make contact within 72 hours.")
        if late
        else _("%(name)s is to make contact within 72 hours.")
    )
    return today.Item(
        window_ends(match),
        _("%(ref)s has not been contacted") % {"ref": referral}
        if late
        else _("%(ref)s · window running") % {"ref": referral},
        sentence % {"name": name},
        _("Find another peer") if late else _("Open"),
        choose if late else url,
        tone=window.state,
        window=window,
        quiet=window.state == "",
    )


def _stage(referral: Referral) -> list[str]:
    return [] if referral.stage == "UNSAID" else [str(referral.get_stage_display())]


def ago_words(moment: datetime | None) -> str:
    """Return how long ago, or in how long, in words."""
    if moment is None:
        return ""
    distance = tenancy.now() - moment
    if distance < timedelta(0):
        return _("in %(time)s") % {"time": duration_words(-distance)}
    return _("%(time)s ago") % {"time": duration_words(distance)}


def duration_words(time: timedelta) -> str:
    """Return a length of time in its largest whole unit."""
    minutes = max(int(time.total_seconds() // 60), 0)
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)s h") % {"n": minutes // 60}
    return _("%(n)s days") % {"n": minutes // (24 * 60)}
