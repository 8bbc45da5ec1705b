"""Mail that must follow a move: a row written with the move, sent after the commit, asked again first.

A mail is a locator and nothing else: no name, no reason, no site, no word of what this service is for.
"""

import base64
import binascii
import contextlib
import logging
import random
import smtplib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage, get_connection
from django.db import connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from psi import tenancy, vault
from sites.engine import agenda
from sites.engine.bilingual import bilingual
from sites.engine.models import Notice
from sites.tenants.models import Site

log = logging.getLogger("psi.outbox")
DUE = "NOTICE"
# After a server that is away has cost one timeout, or two connections in a row have broken, it is left alone for a
# while: otherwise each site of a sweep would wait for it again.
PAUSE = 60.0  # seconds
_breaks = 0
_away_until = 0.0


class ServerAway(OSError):
    """The mail server did not answer a moment ago."""


@dataclass(frozen=True)
class MailKind:
    """How notices of one kind are written.

    Attributes:
        template: file under `mail/`; its first line is the subject. It is written in each language.
        target: code of what the link leads to (`register_link`).
        still_true: which of these object ids still need the mail, asked inside the site's scope.
        until: object id → the time to name in the mail, for kinds whose mail names one.
        words: object id → what else the template names, worked out when the mail is written and stored nowhere,
            such as a code (`vault.digits`).
        address: object id → address, for people without an account, read when the mail is written and stored
            nowhere; empty when nobody is to be reached there any more, and the mail is dropped.
    """

    template: str
    target: str
    still_true: Callable[[list[int]], set[int]]
    until: Callable[[int], datetime | None] = lambda object_id: None
    words: Callable[[int], dict[str, Any]] = lambda object_id: {}
    address: Callable[[int], str] | None = None


_kinds: dict[str, MailKind] = {}
_links: dict[str, Callable[[int], str | None]] = {}
_public: set[str] = set()


def register(kind: str, mail: MailKind) -> None:
    """Register how notices of `kind` are written and to whom they are sent."""
    _kinds[kind] = mail


def register_link(target: str, path: Callable[[int], str | None], *, public: bool = False) -> None:
    """Register where a locator of `target` leads: object id → path, called inside the site's scope.

    Args:
        path: None when the object is gone.
        public: the page asks for no sign-in; it must show nothing to someone who has the address alone.
    """
    _links[target] = path
    if public:
        _public.add(target)


def enqueue(kind: str, to: Iterable[tuple[int, int | None]]) -> None:
    """Write notices of one kind; asking twice for the same object and person writes one.

    Args:
        kind: a registered kind.
        to: pairs of object id and recipient's user id (None: the kind knows the address).
    """
    if kind not in _kinds:
        raise LookupError(f"No mail is registered for {kind}.")
    pairs = sorted(set(to), key=lambda pair: (pair[0], pair[1] or 0))
    if not pairs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sites_notice (site_id, kind, object_id, recipient_id, message_id, created_at)"
            " SELECT %s, %s, object_id, recipient, gen_random_uuid(), %s"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS pair (object_id, recipient)"
            " ON CONFLICT DO NOTHING RETURNING id",
            [
                tenancy.current_site_id(),
                kind,
                tenancy.now(),
                [object_id for object_id, _ in pairs],
                [recipient for _, recipient in pairs],
            ],
        )
        new = [row[0] for row in cursor.fetchall()]
    agenda.schedule(DUE, new, tenancy.now())


def forget(target: str, object_ids: Iterable[int]) -> None:
    """Delete the notices whose link leads to `target`, of these objects: ids of rows that are gone."""
    kinds = [kind for kind, mail in _kinds.items() if mail.target == target]
    Notice.objects.filter(kind__in=kinds, object_id__in=object_ids).delete()


def forget_kinds(kinds: Iterable[str], object_ids: Iterable[int]) -> None:
    """Delete notices of these kinds, so that another may be enqueued about the same objects."""
    Notice.objects.filter(kind__in=list(kinds), object_id__in=list(object_ids)).delete()


def locator(site_id: int, target: str, object_id: int) -> str:
    """Return the absolute address for a mail: encrypted ids, without a slug. Possessing it shows nothing.

    AES-SIV (RFC 5297) needs no nonce, so that the address stays within a line of a mail.
    """
    return settings.PSI_ORIGIN + reverse("go", args=[token(site_id, target, object_id)])


def token(site_id: int, target: str, object_id: int) -> str:
    """Return what stands in the address of a locator."""
    plain = f"{site_id}|{target}|{object_id}".encode()
    return base64.urlsafe_b64encode(_locators().encrypt(plain, None)).decode().rstrip("=")


def read_locator(token: str) -> tuple[int, str, int]:
    """Return (site id, target, object id); raise `signing.BadSignature` when it is not ours."""
    try:
        plain = _locators().decrypt(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), None)
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise signing.BadSignature("Not one of our links.") from error
    site_id, target, object_id = plain.decode().split("|")
    return int(site_id), target, int(object_id)


def _locators() -> AESSIV:
    return AESSIV(vault.digest("locator"))


def path_of(target: str, object_id: int) -> str | None:
    """Return the path a locator leads to, inside the site's scope; None when it is gone."""
    return _links[target](object_id) if target in _links else None


def is_public(target: str) -> bool:
    """Return whether a locator of `target` leads to a page without a sign-in."""
    return target in _public


def deliver(item: agenda.Claim) -> None:
    """Send the claimed notices; SMTP stays outside any transaction, and each is marked after its own OK."""
    if time.monotonic() < _away_until:
        _put_off(item, item.object_ids, ServerAway(), counted=False)
        return
    ready, settled, broken = _compose(item)
    with tenancy.site_scope(item.site_id, now=item.now):
        agenda.finish(item, settled)
        for notice_id, error in broken:
            agenda.postpone(item, [notice_id], error)
    if ready:
        _send(item, ready)


def register_deliveries() -> None:
    """Tell the agenda who sends mail."""
    agenda.register_delivery(DUE, deliver)


Ready = list[tuple[int, EmailMessage]]


def _compose(item: agenda.Claim) -> tuple[Ready, list[int], list[tuple[int, Exception]]]:
    """Return the messages that are still true, the ids that need nothing more, and those that cannot be written."""
    try:
        return *_composed(item, item.object_ids), []
    except Exception as error:
        log.warning("mail could not be written, trying one by one: %s", type(error).__name__)
    ready: Ready = []
    settled: list[int] = []
    broken: list[tuple[int, Exception]] = []
    for notice_id in item.object_ids:
        try:
            composed, finished = _composed(item, [notice_id])
        except Exception as error:
            broken.append((notice_id, error))
        else:
            ready += composed
            settled += finished
    return ready, settled, broken


def _composed(item: agenda.Claim, ids: list[int]) -> tuple[Ready, list[int]]:
    ready: Ready = []
    settled: list[int] = []
    with tenancy.site_scope(item.site_id, now=item.now):
        zone = ZoneInfo(Site.objects.values_list("time_zone", flat=True).get(pk=item.site_id))
        notices = list(Notice.objects.filter(pk__in=ids).select_related("recipient"))
        still_true: dict[str, set[int]] = {
            kind: _kinds[kind].still_true([n.object_id for n in notices if n.kind == kind])
            for kind in {n.kind for n in notices}
        }
        existing = set()
        for notice in notices:
            existing.add(notice.pk)
            mail = _kinds[notice.kind]
            if notice.sent_at or notice.dropped_at:
                settled.append(notice.pk)
                continue
            still = notice.object_id in still_true[notice.kind]
            address = _address(notice, mail) if still else ""
            if not address:
                notice.dropped_at = tenancy.now()
                notice.save(update_fields=["dropped_at"])
                settled.append(notice.pk)
            else:
                ready.append((notice.pk, _write(item.site_id, notice, mail, zone, address)))
        settled += [i for i in ids if i not in existing]
    return ready, settled


def _address(notice: Notice, mail: MailKind) -> str:
    """Return where the mail goes now; empty when nobody is to be reached any more."""
    if notice.recipient:
        return notice.recipient.email if notice.recipient.is_active else ""
    if mail.address is None:
        raise LookupError("This kind of mail has neither a recipient nor an address.")
    return mail.address(notice.object_id)


def _write(site_id: int, notice: Notice, mail: MailKind, zone: ZoneInfo, address: str) -> EmailMessage:
    object_id = notice.object_id
    context = {
        "link": locator(site_id, mail.target, object_id),
        "until": mail.until(object_id),
        **mail.words(object_id),
    }
    with timezone.override(zone):
        subject, body = bilingual(lambda: _rendered(mail.template, context))
    host = urlsplit(settings.PSI_ORIGIN).hostname
    return EmailMessage(
        subject,
        body,
        settings.DEFAULT_FROM_EMAIL,
        [address],
        headers={"Message-ID": f"<{notice.message_id}@{host}>", "Auto-Submitted": "auto-generated"},
    )


def _rendered(template: str, context: dict[str, Any]) -> tuple[str, str]:
    subject, _, body = render_to_string(f"mail/{template}.txt", context).partition("\n")
    return subject, body


def _send(item: agenda.Claim, ready: Ready) -> None:
    """Send over one connection, and over another when a message breaks it.

    A server that is away, hangs, or says "later" (4xx) makes mail wait, never parks it. The order changes
    from one attempt to the next, so that messages which break the connection hold no others back.
    """
    global _breaks, _away_until
    random.shuffle(ready)
    waiting = {notice_id for notice_id, _ in ready}
    leased, leased_at = agenda.renew_lease(item, waiting), time.monotonic()
    server = get_connection()
    for notice_id, message in ready:
        if time.monotonic() - leased_at > agenda.LEASE.total_seconds() / 4:
            leased, leased_at = agenda.renew_lease(item, waiting), time.monotonic()
        waiting.discard(notice_id)
        if notice_id not in leased:
            continue
        counted, opened = False, False
        try:
            server.open()
            opened = True
            server.send_messages([message])
        except OSError as error:  # what smtplib raises is one too
            code = _code(error)
            counted, lost = code >= 500, code < 400 or code == 421
            failure: Exception = error
        except Exception as error:
            counted, lost, failure = True, False, error
        else:
            _breaks = 0
            with tenancy.site_scope(item.site_id, now=item.now):
                Notice.objects.filter(pk=notice_id).update(sent_at=tenancy.now())
                agenda.finish(item, [notice_id])
            continue
        _put_off(item, [notice_id], failure, counted=counted)
        if lost or not opened:
            _close(server)
            _breaks += 1
            if not opened or _breaks > 1:
                _away_until = time.monotonic() + PAUSE
                _put_off(item, sorted(waiting), failure, counted=False)
                break
    _close(server)


def _put_off(item: agenda.Claim, ids: list[int], error: Exception, *, counted: bool) -> None:
    if ids:
        with tenancy.site_scope(item.site_id, now=item.now):
            agenda.postpone(item, ids, error, counted=counted)


def _code(error: OSError) -> int:
    """Return what the server answered; 0 when it did not, 550 for an address it has no words for."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min(code for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return 550
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0


def _close(server: Any) -> None:
    # A broken connection may complain once more.
    with contextlib.suppress(OSError):
        server.close()
