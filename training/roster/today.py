"""What the roster asks of an administrator: agreements that end, and supporters who leave."""

from datetime import timedelta

from django.db.models import Count, Exists, Min, OuterRef, Q
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from psi import tenancy
from sites.engine.today import Item
from training.commitment.agreement import REMIND_DAYS, morning
from training.credits.models import Claim, ClaimEvent
from training.sessions.models import Enrolment, Session
from training.sessions.transitions import AFTERWARDS
from training.supporters.models import PeerSupporter

WEEKS = timedelta(days=60)  # how long an agreement that has ended is still asked after (docs/rules.md#agreement)


def rows(slug: str) -> list[Item]:
    """Return a row for each supporter of the site who leaves soon, or whose agreement ends or has just ended."""
    today = localdate(tenancy.now())
    soon = Q(agreement_until__lte=today + timedelta(days=REMIND_DAYS), agreement_until__gte=today - WEEKS)
    supporters = PeerSupporter.objects.filter(soon | Q(leaving_on__isnull=False), state="ACTIVE", home=None)
    lines = [_row(slug, each) for each in supporters.select_related("profile").order_by("agreement_until", "pk")]
    # Nobody has to note who was in a debrief group, and nobody can where none was enrolled.
    seats = Enrolment.objects.filter(session=OuterRef("pk"), state=Enrolment.State.ENROLLED)
    over = Session.objects.filter(Exists(seats), state="PLANNED", starts_at__lt=tenancy.now() - AFTERWARDS)
    to_note = over.exclude(kind=Session.Kind.DEBRIEF).order_by("starts_at", "pk")
    return [*lines, *(_attendance(slug, session) for session in to_note), *_claims(slug)]


def _claims(slug: str) -> list[Item]:
    waiting = ClaimEvent.objects.filter(claim__state=Claim.State.SUBMITTED)
    first = waiting.aggregate(n=Count("claim", distinct=True), at=Min("at"))
    if not first["n"]:
        return []
    title = ngettext("%(n)s claim waits for approval", "%(n)s claims wait for approval", first["n"])
    return [
        Item(
            first["at"],
            title % {"n": first["n"]},
            _("Whoever approves is never who is paid."),
            _("Look at them"),
            reverse("pay", args=[slug]),
            tone="calm",
        )
    ]


def _attendance(slug: str, session: Session) -> Item:
    return Item(
        session.starts_at,
        _("%(kind)s: who was there?") % {"kind": session.get_kind_display()},
        _("Note attendance, so that it counts for training and credits."),
        _("Note attendance"),
        reverse("session", args=[slug, session.pk]),
        tone="soon",
        chip=date_format(localtime(session.starts_at), "j F"),
        chip_tone="warm",
    )


def _row(slug: str, supporter: PeerSupporter) -> Item:
    today, name = localdate(tenancy.now()), supporter.profile.name
    url, until = reverse("supporter", args=[slug, supporter.user_id]), supporter.agreement_until
    if supporter.leaving_on is not None:
        return Item(
            morning(supporter.leaving_on),
            _("%(name)s leaves on %(day)s") % {"name": name, "day": date_format(supporter.leaving_on, "l j F")},
            _("They are asked for nobody new. That day their open matches are handed on, and their access ends."),
            _("Open"),
            url,
            tone="calm",
            quiet=True,
        )
    assert until is not None
    if until < today:
        return Item(
            morning(until),
            _("%(name)s has no agreement that holds") % {"name": name},
            _("They are not offered. They were asked by mail to sign; a word from you helps."),
            _("Open"),
            url,
            tone="soon",
            chip=_("ended %(day)s") % {"day": date_format(until, "j F")},
            chip_tone="warm",
        )
    return Item(
        morning(until),
        _("The agreement of %(name)s ends soon") % {"name": name},
        _("They were asked by mail to sign it for another year."),
        _("Open"),
        url,
        tone="calm",
        chip=_("holds until %(day)s") % {"day": date_format(until, "j F")},
        chip_tone="plain",
        quiet=True,
    )
