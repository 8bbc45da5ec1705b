"""Nouns about requests and matches, for pages and for *Today*."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from matching.models import LIVE, Match
from matching.transitions import CONTACT_HOURS, MISSED, window_ends
from psi import tenancy, vault
from referrals.models import Referral
from sites import today
from training.models import PeerSupporter

PAGE = 50
OPEN_STATES = (Referral.State.OPEN, Referral.State.MATCHED)
# A new request should not wait longer than this before somebody is asked.
CHOOSE_WITHIN = timedelta(hours=24)
# An accepted match waits for one press; a finished one only wants to be tidied away.
PRESS_WITHIN, CLOSE_WITHIN = timedelta(hours=24), timedelta(days=14)


@dataclass(frozen=True)
class Window:
    """The contact window as it is drawn: three days, one bar (components/window_bar.html)."""

    hours_used: int
    percent_720: int
    words: str
    state: str


def window_of(match: Match) -> Window | None:
    """Return the window of a confirmed match, up to now or to the contact; None before confirmation."""
    if match.confirmed_at is None:
        return None
    until = match.contacted_at or match.ended_at or tenancy.now()
    used = max(int((until - match.confirmed_at).total_seconds() // 3600), 0)
    # The step counts too: when time is played forward the clock on the wall is behind it.
    missed = match.window_step == MISSED and match.contacted_at is None
    used = max(used, CONTACT_HOURS) if missed else used
    late = missed or until > window_ends(match)
    if match.contacted_at:
        words = ngettext("contact after %(n)s hour", "contact after %(n)s hours", used) % {"n": used}
    elif late:
        words = _("%(n)s h past 72") % {"n": used - CONTACT_HOURS}
    else:
        words = _("%(n)s h left") % {"n": CONTACT_HOURS - used}
    state = "late" if late else "soon" if used >= CONTACT_HOURS - 24 and not match.contacted_at else ""
    return Window(used, min(used, CONTACT_HOURS) * 10, words, state)


def perhaps_same_person(referral: Referral) -> list[Referral]:
    """Return other requests of this site, not closed, that give the same phone or email."""
    others = vault.same_person(Referral.KIND, referral.pk)
    return list(Referral.objects.filter(pk__in=others, state__in=OPEN_STATES).order_by("-id")) if others else []


def requests_page(before: int | None) -> list[Referral]:
    """Return a page of requests, newest first, each with its latest match, starting under id `before`.

    One more than a page is read, so that the caller knows whether there is an older one.
    """
    rows = Referral.objects.order_by("-id").prefetch_related("reasons")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows[: PAGE + 1])


def with_latest_match(referrals: Iterable[Referral]) -> dict[int, Match]:
    """Return referral id → its latest match, with the supporter's name."""
    latest = Match.objects.filter(referral=OuterRef("referral")).order_by("-id").values("pk")[:1]
    rows = Match.objects.filter(
        referral_id__in=[referral.pk for referral in referrals], pk=Subquery(latest)
    ).select_related("supporter__profile")
    return {match.referral_id: match for match in rows}


def matches_of(user_id: int) -> QuerySet[Match]:
    """Return the matches of a supporter at the current site, newest first."""
    return (
        Match.objects.filter(supporter__user_id=user_id)
        .select_related("referral")
        .prefetch_related(Prefetch("referral__reasons"))
        .order_by("-id")
    )


def roster() -> QuerySet[PeerSupporter]:
    """Return the supporters of the current site by name."""
    return PeerSupporter.objects.select_related("profile", "specialty").order_by("profile__name", "pk")


def register_today() -> None:
    """Tell *Today* what requests and matches know."""
    today.register(rows_for_today)


def codes_of(things: set[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Return the code of the request that each (kind, id) is, or is a match of, for the audit trail."""
    referrals = {pk for kind, pk in things if kind == Referral.KIND}
    matches = {pk for kind, pk in things if kind == Match.KIND}
    rows = Referral.objects.filter(Q(pk__in=referrals) | Q(matches__in=matches)).values_list("pk", "matches", "ref")
    found: dict[tuple[str, int], str] = {}
    for referral_id, match_id, ref in rows:
        found[Referral.KIND, referral_id] = ref
        found[Match.KIND, match_id] = ref
    return found


def rows_for_today(slug: str) -> list[today.Item]:
    """Return a row for every open request: what it waits for, and the one button that helps."""
    referrals = list(Referral.objects.filter(state__in=OPEN_STATES).prefetch_related("reasons").order_by("pk"))
    matches = with_latest_match(referrals)
    return [_row(slug, referral, matches.get(referral.pk)) for referral in referrals]


def _row(slug: str, referral: Referral, match: Match | None) -> today.Item:
    url = reverse("request_detail", args=[slug, referral.ref])
    choose = reverse("choose", args=[slug, referral.ref])
    if match is None or match.state not in (*LIVE, Match.State.COMPLETED):
        return _looking(referral, match, choose)
    name = match.supporter.profile.name
    if match.state == Match.State.INVITED:
        return today.Item(
            match.expires_at,
            _("%(name)s is invited to %(ref)s") % {"name": name, "ref": referral},
            _("Reminded after a day. If there is no answer, you choose someone else."),
            _("Open"),
            url,
            tone="calm",
            chip=_("answer due %(when)s") % {"when": ago(match.expires_at)},
            chip_tone="plain",
            quiet=True,
        )
    if match.state == Match.State.ACCEPTED:
        return today.Item(
            (match.accepted_at or match.invited_at) + PRESS_WITHIN,
            _("%(name)s accepted %(ref)s") % {"name": name, "ref": referral},
            _("Confirm to release the contact details and start the 72 hours."),
            _("Confirm the match"),
            reverse("confirm", args=[slug, referral.ref]),
            tone="soon",
            chip=_("accepted %(when)s") % {"when": ago(match.accepted_at)},
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
            chip=_("finished %(when)s") % {"when": ago(match.ended_at)},
            chip_tone="plain",
        )
    return _in_window(slug, referral, match, url)


def _looking(referral: Referral, match: Match | None, choose: str) -> today.Item:
    since = match.ended_at if match and match.ended_at else referral.received_at
    late = tenancy.now() - since > CHOOSE_WITHIN
    title = _("%(ref)s needs another peer") if match else _("%(ref)s · new request")
    reasons = [str(reason.get_reason_display()) for reason in referral.reasons.all()]
    return today.Item(
        since + CHOOSE_WITHIN,
        title % {"ref": referral},
        " · ".join([*reasons, *_stage(referral)]) or _("No reason was given"),
        _("Choose a peer"),
        choose,
        tone="late" if late else "soon",
        chip=_("waiting %(time)s") % {"time": length(tenancy.now() - since)},
        chip_tone="late" if late else "warm",
    )


def _in_window(slug: str, referral: Referral, match: Match, url: str) -> today.Item:
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
    told = (
        _("%(name)s was to make contact within 72 hours.")
        if late
        else _("%(name)s is to make contact within 72 hours.")
    )
    return today.Item(
        window_ends(match),
        _("%(ref)s has not been contacted") % {"ref": referral}
        if late
        else _("%(ref)s · window running") % {"ref": referral},
        told % {"name": name},
        _("Find another peer") if late else _("Open"),
        reverse("reassign", args=[slug, referral.ref]) if late else url,
        tone=window.state,
        window=window,
        post=late,
        quiet=window.state == "",
    )


def _stage(referral: Referral) -> list[str]:
    return [] if referral.stage == "UNSAID" else [str(referral.get_stage_display())]


def ago(moment: datetime | None) -> str:
    """Return how long ago, or in how long, in words."""
    if moment is None:
        return ""
    distance = tenancy.now() - moment
    if distance < timedelta(0):
        return _("in %(time)s") % {"time": length(-distance)}
    return _("%(time)s ago") % {"time": length(distance)}


def length(time: timedelta) -> str:
    """Return a length of time in its largest whole unit."""
    minutes = max(int(time.total_seconds() // 60), 0)
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)s h") % {"n": minutes // 60}
    return _("%(n)s days") % {"n": minutes // (24 * 60)}
