"""What to say when a request cannot be answered."""

import sys

from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that is too old or came from elsewhere: say so; the browser's Back keeps what was typed."""
    return render(request, "sites/stale_form.html", status=403)


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: what was sent is too much, or nothing that a form sends."""
    return render(request, "400.html", status=400)


def trouble(request: HttpRequest) -> HttpResponse:
    """handler500: when the database is away or busy it is 503 and worth trying again, else a plain 500."""
    error = sys.exc_info()[1]
    busy = isinstance(error, OperationalError | InterfaceError)
    page = get_template("503.html" if busy else "500.html").render()
    response = HttpResponse(page, status=503 if busy else 500)
    if busy:
        response["Retry-After"] = "5"
    return response
