"""Nothing typed is lost: a form that met the end of a session comes back after sign-in, filled and not sent.

What was posted travels in the person's own browser, encrypted, for ten minutes. It opens for the same
account at the same address only.
"""

import base64
import binascii
import json
import os
import time
import zlib
from collections.abc import Callable
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from psi import vault

COOKIE = "kept-form" if settings.PSI_LOCAL else "__Host-kept-form"
SECONDS = 600  # docs/rules.md#session-limits
# Browsers drop a cookie beyond 4 KB, and base64 adds a third.
LARGEST = 2900  # bytes, compressed
NONCE = 12
NEVER_KEPT = ("csrfmiddlewaretoken",)

Response = TypeVar("Response", bound=HttpResponse)


def keep(request: HttpRequest) -> Callable[[Response], Response]:
    """Seal what was posted, before the person is signed out; return what sets the cookie on a response.

    Nothing is kept of a GET, of files, of a person not known, or of more than fits a cookie.
    """
    value = _seal(request) if request.method == "POST" and request.user.is_authenticated else ""

    def hold(response: Response) -> Response:
        if value:
            response.set_cookie(
                COOKIE, value, max_age=SECONDS, httponly=True, secure=not settings.PSI_LOCAL, samesite="Lax"
            )
        return response

    return hold


def given_back(request: HttpRequest, path: str | None = None) -> QueryDict | None:
    """Return what this person had typed into the form sent to `path`, or None when there is nothing.

    Args:
        request: a GET of the page that shows the form.
        path: where the form is sent to; this page's own address by default.
    """
    if request.method != "GET" or not request.user.is_authenticated or COOKIE not in request.COOKIES:
        return None
    try:
        blob = base64.urlsafe_b64decode(request.COOKIES[COOKIE])
        plain = AESGCM(_key()).decrypt(blob[:NONCE], blob[NONCE:], _bound(request, path or request.path))
    except (binascii.Error, ValueError, InvalidTag):
        return None
    kept = json.loads(zlib.decompress(plain))
    if time.time() - kept["at"] > SECONDS:
        return None
    return QueryDict(kept["posted"])


def typed(request: HttpRequest, field: str = "") -> QueryDict | None:
    """Return what a form on this page is bound to: what is posted, else what was kept, else None.

    For views that say `SomeForm(kept_form.typed(request))` in place of `SomeForm(request.POST or None)`.

    Args:
        request: the page's own request.
        field: a name this form always sends, on a page that has other forms or buttons as well.
    """
    if request.method == "POST":
        return request.POST
    kept = given_back(request)
    if kept is not None and field and field not in kept:
        return None
    if kept is not None:
        messages.info(request, _("Here is what you had typed. It was not sent yet."))
    return kept


def tidied(request: HttpRequest, response: Response) -> Response:
    """Forget what was kept once a form is sent; for every response after the gate."""
    if request.method == "POST" and COOKIE in request.COOKIES and COOKIE not in response.cookies:
        response.delete_cookie(COOKIE, samesite="Lax")
        response.cookies[COOKIE]["secure"] = not settings.PSI_LOCAL
    return response


def _seal(request: HttpRequest) -> str:
    posted = request.POST.copy()
    for name in NEVER_KEPT:
        posted.pop(name, None)
    kept = {"at": time.time(), "posted": posted.urlencode()}
    plain = zlib.compress(json.dumps(kept).encode(), level=9)
    if not posted or len(plain) > LARGEST:
        return ""
    nonce = os.urandom(NONCE)
    return base64.urlsafe_b64encode(
        nonce + AESGCM(_key()).encrypt(nonce, plain, _bound(request, request.path))
    ).decode()


def _key() -> bytes:
    return vault.digest("kept-form")


def _bound(request: HttpRequest, path: str) -> bytes:
    return f"{request.user.pk}|{path}".encode()


def back(request: HttpRequest) -> str:
    """Return the page a form was sent from, if it is ours, else its own address."""
    referer = request.META.get("HTTP_REFERER", "")
    ours = url_has_allowed_host_and_scheme(
        referer, allowed_hosts={request.get_host()}, require_https=not settings.PSI_LOCAL
    )
    return referer if ours else request.path
