"""Nothing typed is lost: a form that met the end of a session comes back after sign-in, filled and not sent.

What was posted travels in the person's own browser, encrypted, for ten minutes. It opens for the same
account at the same address only.
"""

from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from psi.sealed import CookieCarrier

CARRIER = CookieCarrier(
    "kept-form",
    seconds=600,  # docs/rules.md#session-limits
    name="kept-form" if settings.PSI_LOCAL else "__Host-kept-form",
    samesite="Lax",
)
NEVER_KEPT = ("csrfmiddlewaretoken",)

Response = TypeVar("Response", bound=HttpResponse)


def keep(request: HttpRequest) -> Callable[[Response], Response]:
    """Seal what was posted, before the person is signed out; return what sets the cookie on a response.

    Nothing is kept of a GET, of files, of a person not known, or of more than fits a cookie.
    """
    value = _seal(request, request.user.pk) if request.method == "POST" and request.user.is_authenticated else ""

    def set_cookie(response: Response) -> Response:
        return CARRIER.put(response, value) if value else response

    return set_cookie


def restore(request: HttpRequest, path: str | None = None) -> QueryDict | None:
    """Return what this person had typed into the form sent to `path`, or None when there is nothing.

    Args:
        request: a GET of the page that shows the form.
        path: where the form is sent to; this page's own address by default.
    """
    if request.method != "GET" or not request.user.is_authenticated or CARRIER.name not in request.COOKIES:
        return None
    posted = CARRIER.read(request, request.user.pk, path or request.path)
    return None if posted is None else QueryDict(posted)


def data_for(request: HttpRequest, field: str = "") -> QueryDict | None:
    """Return what a form on this page is bound to: what is posted, else what was kept, else None.

    For views that say `SomeForm(saved_form.data_for(request))` in place of `SomeForm(request.POST or None)`.

    Args:
        request: the page's own request.
        field: a name this form always sends, on a page that has other forms or buttons as well.
    """
    if request.method == "POST":
        return request.POST
    restored = restore(request)
    if restored is not None and field and field not in restored:
        return None
    if restored is not None:
        messages.info(request, _("Here is what you had typed. It was not sent yet."))
    return restored


def clear(request: HttpRequest, response: Response) -> Response:
    """Forget what was kept once a form is sent; for every response to a page of a site."""
    return CARRIER.clear(request, response) if request.method == "POST" else response


def _seal(request: HttpRequest, user_id: int) -> str:
    posted = request.POST.copy()
    for name in NEVER_KEPT:
        posted.pop(name, None)
    sealed = CARRIER.seal(posted.urlencode(), user_id, request.path)
    return sealed if posted and len(sealed) <= CARRIER.longest else ""


def back(request: HttpRequest) -> str:
    """Return the page a form was sent from, if it is ours, else its own address."""
    referer = request.META.get("HTTP_REFERER", "")
    is_own_page = url_has_allowed_host_and_scheme(
        referer, allowed_hosts={request.get_host()}, require_https=not settings.PSI_LOCAL
    )
    return referer if is_own_page else request.path
