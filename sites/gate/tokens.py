"""Tokens by which an organization's program reads what the province has published, and nothing else.

A token has 256 bits by chance, so its SHA-256 may be stored as it is; it is shown once. It belongs to no person, opens
no session and sets no cookie.
"""

import hashlib

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.timezone import localdate

from psi import tenancy
from sites.gate import slowdown
from sites.gate.models import Consumer
from sites.gate.requests import SiteRequest

# Found by those who look for secrets that slipped into a place they should not be in.
PREFIX = "psi_"


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def refusal(request: SiteRequest) -> HttpResponse | None:
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
        if slowdown.count_in_window(f"consumer-{consumer.pk}") > slowdown.MOST:
            seconds = int(slowdown.WINDOW.total_seconds())
            return _error("Too many requests. Published tables do not change.", 429, {"Retry-After": str(seconds)})
        today = localdate(tenancy.now())
        if consumer.last_used_on != today:
            consumer.last_used_on = today
            consumer.save(update_fields=["last_used_on"])
    return None


def _unauthorized(challenge: str) -> HttpResponse:
    return _error("Send a valid token, as “Authorization: Bearer …”.", 401, {"WWW-Authenticate": challenge})


def _error(error: str, status: int, headers: dict[str, str]) -> HttpResponse:
    return JsonResponse({"error": error}, status=status, headers={"Cache-Control": "no-store"} | headers)
