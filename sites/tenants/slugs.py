"""Which slugs a site may have: none that would shadow an address of the program itself."""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.translation import gettext as _


def reserved() -> frozenset[str]:
    """Return the first path segments of the root URLconf, and the one static files stand under."""
    static = settings.STATIC_URL.strip("/").split("/")[0]
    return frozenset({static, *_first_segments(get_resolver().url_patterns)})


def _first_segments(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        route = str(pattern.pattern).lstrip("^").removesuffix("$")
        segment = route.split("/")[0]
        if not segment and isinstance(pattern, URLResolver):
            yield from _first_segments(pattern.url_patterns)
        elif segment and not set(segment) & set("<(["):
            yield segment.replace("\\", "")


def validate(slug: str) -> None:
    """Raise `ValidationError` when a site may not have this slug: its form, or because it is taken by the program."""
    validate_slug(slug)
    if slug != slug.lower():
        raise ValidationError(_("Please use small letters in the address."), code="case")
    if slug in reserved():
        raise ValidationError(
            _("“%(slug)s” is an address of the program itself. Please choose another."),
            code="reserved",
            params={"slug": slug},
        )
