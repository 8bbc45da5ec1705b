"""Tokens by which an organization's program reads what the province has published, and nothing else.

A token has 256 bits by chance, so its SHA-256 may be stored as it is; it is shown once. It belongs to no person, opens
no session and sets no cookie.
"""

import hashlib
import secrets
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from psi import tenancy
from sites import audit, flood
from sites.audit import Actor
from sites.models import Consumer
from sites.moves import Refused

# Found by those who look for secrets that slipped into a place they should not be in.
PREFIX = "psi_"


def issue(name: str, *, by: Actor) -> str:
    """Return a new token for an organization, in the province's scope. It can never be read again.

    Raises:
        Refused: the organization has one already.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    consumer = Consumer(name=name, digest=digest(token), created_at=tenancy.now())
    try:
        with transaction.atomic():
            consumer.save(force_insert=True)
    except IntegrityError as taken:
        raise Refused(_("This organization has a token. If it is lost, end it and issue a new one.")) from taken
    audit.record("ISSUED", Consumer.KIND, consumer.pk, by=by)
    return token


def end(consumer_id: int, *, by: Actor) -> None:
    """Let a token open nothing from now on; twice is once.

    Raises:
        Consumer.DoesNotExist: there is none.
    """
    consumer = Consumer.objects.select_for_update().get(pk=consumer_id)
    if consumer.ended_at is None:
        consumer.ended_at = tenancy.now()
        consumer.save(update_fields=["ended_at"])
        audit.record("ENDED", Consumer.KIND, consumer.pk, by=by)


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def bar(request: Any) -> HttpResponse | None:
    """Return what stands in the way of a program that shows no token that holds, or asks too often; else None.

    The day of its use is noted.
    """
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return _unauthorized('Bearer realm="releases"')
    with tenancy.site_scope(request.site.pk), timezone.override(request.site.time_zone):
        consumer = Consumer.objects.filter(digest=digest(token.strip()), ended_at=None).first()
        if consumer is None:
            # RFC 6750, section 3.1: unknown and ended are told alike.
            return _unauthorized('Bearer realm="releases", error="invalid_token"')
        if flood.counted(f"consumer-{consumer.pk}") > flood.MOST:
            seconds = int(flood.WINDOW.total_seconds())
            return _said("Too many requests. Published tables do not change.", 429, {"Retry-After": str(seconds)})
        today = localdate(tenancy.now())
        if consumer.last_used_on != today:
            consumer.last_used_on = today
            consumer.save(update_fields=["last_used_on"])
    return None


def _unauthorized(challenge: str) -> HttpResponse:
    return _said("Send a valid token, as “Authorization: Bearer …”.", 401, {"WWW-Authenticate": challenge})


def _said(error: str, status: int, headers: dict[str, str]) -> HttpResponse:
    return JsonResponse({"error": error}, status=status, headers={"Cache-Control": "no-store"} | headers)
