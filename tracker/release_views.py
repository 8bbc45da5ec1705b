"""The province's releases: advisors read what is published, coordinators prepare, preview and publish."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from tracker import published


def figures(request: Any) -> HttpResponse:
    """The published figures of the province. What is not published stands nowhere on the page."""
    return render(request, "tracker/province.html", {"tables": published.over_time()})
