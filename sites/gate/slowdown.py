"""Public forms that are flooded: everyone gets through, some after twenty seconds.

A form carries a trap and a ticket (components/flood.html). Its view asks `is_honeypot_filled` first, and `wait`
once the fields are right. Reasons: docs/decisions/0009-slowing-not-walls.md.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TypeVar
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render

from psi import tenancy, vault
from psi.sealed import CookieCarrier

HONEYPOT, TICKET = "comment", "ready"
# Nobody fills a form faster by hand (docs/rules.md#flooded-forms).
QUICKEST = timedelta(seconds=1)
WAIT = timedelta(seconds=20)
# A hall full of people before one poster, behind one hospital address, does not notice it.
MOST, WINDOW = 200, timedelta(minutes=10)
CARRIER = CookieCarrier("waiting", seconds=600, name="waiting", longest=3800)
OPENED, QUICK, CROWD = "opened", "quick", "crowd"

Response = TypeVar("Response", bound=HttpResponse)


@dataclass(frozen=True)
class Wait:
    """What somebody is asked to wait: how long, whether for a crowd, and with which ticket they come back."""

    seconds: int
    crowd: bool
    ticket: str


def ticket_for(request: HttpRequest, key: UUID) -> str:
    """Return the ticket of a form that is opened now."""
    return sign_ticket(request.path, key, OPENED, tenancy.now() + QUICKEST)


def sign_ticket(path: str, key: UUID, why: str, ready: datetime) -> str:
    """Sign from when on one form may be sent. It holds for this address and idempotency key alone, so it works once.

    Args:
        path: where the form is sent to.
        key: the form's idempotency key.
        why: `OPENED`, or what was waited for: `QUICK`, `CROWD`.
        ready: an aware time.
    """
    return Signer(salt=f"flood|{path}|{key}").sign(f"{why}-{ready.timestamp():.3f}")


def is_honeypot_filled(request: HttpRequest) -> bool:
    """Whether something filled the field that people do not see."""
    return bool(request.POST.get(HONEYPOT))


def lacks_csrf(request: HttpRequest) -> bool:
    """Whether a form lacks the proof that it was opened in this browser, on our page."""

    def accepted(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    return CsrfViewMiddleware(accepted).process_view(request, accepted, (), {}) is not None


def wait(request: HttpRequest, key: UUID) -> Wait | None:
    """Return how long to wait before this form is taken; None when it may be taken now.

    Args:
        request: a POST whose fields are right. Each form is counted once, and waits once.
        key: the form's idempotency key.
    """
    now, posted_ticket = tenancy.now(), request.POST.get(TICKET, "")
    why, ready = _read(request.path, key, posted_ticket)
    early = ready is None or ready > now
    if why in (QUICK, CROWD) and ready is not None:
        return Wait(ceil((ready - now).total_seconds()), why == CROWD, posted_ticket) if early else None
    crowd = _count_sender(request, now) > MOST
    if not early and not crowd:
        return None
    posted_ticket = sign_ticket(request.path, key, CROWD if crowd else QUICK, now + WAIT)
    return Wait(int(WAIT.total_seconds()), crowd, posted_ticket)


def waiting_page(request: HttpRequest, wait: Wait, fields: Iterable[str], button: str) -> HttpResponse:
    """Return the page on which somebody waits. It carries what was typed, and becomes the filled form by itself.

    Args:
        fields: names of the form's own fields.
        button: the words with which the form is sent.
    """
    posted = {name: request.POST.getlist(name) for name in fields if name in request.POST}
    context = {"typed": posted, "wait": wait, "ticket": wait.ticket, "button": button}
    answer = render(request, "sites/wait.html", context, status=429)
    answer["Retry-After"] = wait.seconds
    sealed = CARRIER.seal(posted | {TICKET: [wait.ticket]}, request.path)
    if len(sealed) <= CARRIER.longest:
        answer["Refresh"] = wait.seconds
        CARRIER.put(answer, sealed, path=request.path)
    return answer


def restore(request: HttpRequest) -> QueryDict | None:
    """Return what was typed into this form by somebody who waits, ticket included; None when nobody does."""
    carried = CARRIER.read(request, request.path)
    if carried is None:
        return None
    restored = QueryDict(mutable=True)
    for name, values in carried.items():
        restored.setlist(name, values)
    return restored


def forget(request: HttpRequest, response: Response) -> Response:
    """Forget what was kept, once the form is sent."""
    return CARRIER.clear(request, response, path=request.path)


def _read(path: str, key: UUID, signed: str) -> tuple[str, datetime | None]:
    try:
        why, _, ready = Signer(salt=f"flood|{path}|{key}").unsign(signed).partition("-")
    except BadSignature:
        return "", None
    return why, datetime.fromtimestamp(float(ready), UTC)


def _count_sender(request: HttpRequest, now: datetime) -> int:
    """Count this form, and return how many came from its network to this site lately; 0 when nobody can tell.

    The address itself is never kept: the cache knows a digest that means nothing the day after.
    """
    try:
        address = ipaddress.ip_address(get_adapter(request).get_client_ip(request))
    except (PermissionDenied, ImproperlyConfigured):
        return 0
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    # A household or ward has one IPv4 address, or the lower half of the IPv6 addresses.
    network = address.packed[:8].hex()
    sender = vault.digest("network", f"{now.astimezone(UTC):%Y-%m-%d}", tenancy.current_site_id(), network).hex()
    return count_in_window(sender)


def count_in_window(sender: str) -> int:
    """Count one more form or call of `sender`, and return how many came in this window; 0 when the cache is away."""
    name = f"flood:{tenancy.now().timestamp() // WINDOW.total_seconds():.0f}:{sender}"
    cache.add(name, 0, timeout=WINDOW.total_seconds())
    try:
        return cache.incr(name) or 0
    except ValueError:  # gone in between
        return 0
