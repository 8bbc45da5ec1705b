"""The published tables for other programs, read only: JSON under a token (sites.consumers), as openapi.json says."""

import hashlib
from collections.abc import Callable
from datetime import date
from functools import cache, wraps
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import quote_etag
from django.views.decorators.csrf import csrf_exempt

from sites.gate.permissions import by_token, public
from sites.gate.requests import SiteRequest
from tracker.figures import periods
from tracker.releases import exports
from tracker.releases import tables as release_tables
from tracker.releases.models import Release

View = Callable[..., HttpResponse]


def read_only(view: View) -> View:
    """Answer GET and HEAD alone, like `require_safe`; a program is told so in JSON."""

    @wraps(view)
    def answer(request: HttpRequest, **url_kwargs: Any) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return view(request, **url_kwargs)
        return _error("Only GET and HEAD are answered here.", 405, {"Allow": "GET, HEAD"})

    return answer


@by_token
@read_only
def releases(request: SiteRequest) -> HttpResponse:
    """Which quarters are published, the latest first."""
    return _answer(request, {"releases": [_summary(release) for release in release_tables.published_releases()]})


@by_token
@read_only
def release(request: SiteRequest, quarter: date) -> HttpResponse:
    """The tables of one quarter."""
    if published := release_tables.published_release(quarter):
        return _answer(
            request, _summary(published) | {"tables": [_table(table) for table in release_tables.tables(published)]}
        )
    return _error("Nothing is published of this quarter.", 404)


# Without a cookie there is nothing to forge, and a page about stale forms would be no JSON.
@public
@csrf_exempt
@read_only
def description(request: HttpRequest) -> HttpResponse:
    """What may be asked and what comes back, as OpenAPI."""
    return HttpResponse(_description(), content_type="application/json")


@public
@csrf_exempt
def not_found(request: HttpRequest, rest: str) -> HttpResponse:
    """All other addresses here, malformed quarters too."""
    return _error(f"Nothing is at this address. {reverse('api_description')} says what there is.", 404)


@cache
def _description() -> bytes:
    return (Path(__file__).parent / "openapi.json").read_bytes()


def _summary(release: Release) -> dict[str, Any]:
    assert release.published_at is not None
    return {
        "quarter": periods.code(release.quarter),
        "published_at": release.published_at.isoformat(timespec="seconds"),
        "url": reverse("api_release", args=[release.quarter]),
    }


def _table(table: release_tables.Table) -> dict[str, Any]:
    rows = [dict(zip(exports.HEADERS, line, strict=True)) for line in exports.lines(table)]
    for line, row in zip(rows, table.rows, strict=True):
        # The table stands around it, and null says that a number is hidden.
        del line["table"], line["hidden"]
        line["members"] = list(row.members)
    return {"code": table.code, "title": table.title, "note": table.note, "rows": rows}


def _error(message: str, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    return JsonResponse({"error": message}, status=status, headers={"Cache-Control": "no-store"} | (headers or {}))


def _answer(request: HttpRequest, payload: dict[str, Any]) -> HttpResponse:
    """Return JSON that may be kept by whoever asked, and is asked for again by its tag."""
    response = JsonResponse(payload)
    etag = quote_etag(hashlib.sha256(response.content).hexdigest())
    response["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ["Authorization"])
    answer = get_conditional_response(request, etag=etag, response=response)
    assert isinstance(answer, HttpResponse)
    return answer
