"""Sessions as calendar files, and the feed of a person under a secret address. No names, and a neutral summary."""

import base64
import binascii
from collections.abc import Iterable
from datetime import timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.utils import translation
from icalendar import Calendar, Event

from psi import tenancy, vault
from sites.tenants.models import Membership, Site, User
from sites.tenants.queries import province
from training.sessions.models import CalendarFeed, Enrolment, Session

PAST = timedelta(days=400)


def one(session: Session) -> bytes:
    """Return a calendar file with one session, for someone who is enrolled."""
    return _calendar(_events([session]))


def feed(user: User) -> bytes:
    """Return all sessions a person is enrolled in, wherever they are held; each site is entered in turn."""
    events = []
    site_ids = Membership.objects.filter(user=user, ended_at=None).values_list("site_id", flat=True)
    for site_id in sorted({*site_ids, province().pk}):
        with tenancy.site_scope(site_id):
            seats = Enrolment.objects.filter(user=user, state__in=("ENROLLED", "ATTENDED"))
            recent = seats.filter(session__starts_at__gt=tenancy.now() - PAST).select_related("session")
            events += _events(seat.session for seat in recent.order_by("session__starts_at", "pk"))
    return _calendar(events)


def address(user: User) -> str:
    """Return what stands in the secret address of a person's feed."""
    row, _new = CalendarFeed.objects.get_or_create(user=user)
    plain = f"{user.pk}|{row.number}".encode()
    return base64.urlsafe_b64encode(_key().encrypt(plain, None)).decode().rstrip("=")


def renew(user: User) -> None:
    """Give the feed a new address; the old one leads nowhere from now on."""
    row, _new = CalendarFeed.objects.select_for_update().get_or_create(user=user)
    row.number += 1
    row.save(update_fields=["number"])


def whose(token: str) -> User | None:
    """Return whose feed an address is; None when it is none (any more), or the account or every role has ended."""
    try:
        plain = _key().decrypt(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), None).decode()
    except (InvalidTag, binascii.Error, ValueError):
        return None
    user_id, number = plain.split("|")
    row = CalendarFeed.objects.filter(user_id=int(user_id), number=int(number), user__is_active=True)
    feed_row = row.select_related("user").first()
    if feed_row is None or not Membership.objects.filter(user=feed_row.user, ended_at=None).exists():
        return None
    return feed_row.user


def _key() -> AESSIV:
    return AESSIV(vault.digest("calendar"))


def _events(sessions: Iterable[Session]) -> list[Event]:
    """Return sessions of the current site, in English as on all pages behind the sign-in."""
    zone = Site.objects.get(pk=tenancy.current_site_id()).zone_name
    with translation.override("en"):
        return [_event(session, zone) for session in sessions]


def _event(session: Session, zone: str) -> Event:
    event = Event()
    event.add("uid", f"session-{session.site_id}-{session.pk}@psi")
    event.add("summary", f"Training: {session.get_kind_display()}")
    # In UTC: every calendar shows it in its own zone, and clocks that go forward or back move nothing.
    event.add("dtstart", session.starts_at)
    event.add("dtend", session.ends_at)
    event.add("dtstamp", session.changed_at)
    event.add("sequence", session.sequence)
    event.add("status", "CANCELLED" if session.state == Session.State.CANCELLED else "CONFIRMED")
    event.add("location", session.place)
    event.add("description", f"Times of {zone}." + (f" {session.link}" if session.link else ""))
    return event


def _calendar(events: Iterable[Event]) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//PSI//Training//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Training")
    for event in events:
        calendar.add_component(event)
    text: bytes = calendar.to_ical()
    return text
