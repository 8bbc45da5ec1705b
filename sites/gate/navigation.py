"""The menu of signed-in pages, and pages that every other may lead to: the rooms that own them register them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise

from sites.tenants.models import Role, Site


@dataclass(frozen=True)
class Entry:
    """An entry of the menu.

    Attributes:
        order: its place, unique in the program; lower numbers come first.
        label: the words on it.
        url_name: of a page of the site in the address, or of the province.
        roles: who sees it; the page itself checks them again.
        provincial: shown at the province only; its address then takes no site.
    """

    order: int
    label: Promise
    url_name: str
    roles: frozenset[Role]
    provincial: bool = False


class Landmark(StrEnum):
    """A page of a site that other rooms lead to without knowing whose it is."""

    SITE_PAGE = "site page"  # what the public sees of a site
    SAFETY_STEPS = "safety steps"  # what a peer supporter does when somebody's life is in danger


_entries: dict[int, Entry] = {}
_landmarks: dict[Landmark, str] = {}


def register(*entries: Entry) -> None:
    """Add entries to the menu.

    Raises:
        ValueError: the place in the order is another entry's.
    """
    for entry in entries:
        if _entries.setdefault(entry.order, entry) != entry:  # apps may be made ready twice
            raise ValueError(f"{entry.url_name} and {_entries[entry.order].url_name} want the same place in the menu.")


def register_landmark(landmark: Landmark, url_name: str) -> None:
    """Say under which URL name, with the site's slug, a landmark is found."""
    _landmarks[landmark] = url_name


def landmark_url(landmark: Landmark, slug: str) -> str:
    """Return the address of a landmark of a site."""
    return reverse(_landmarks[landmark], args=[slug])


def menu(request: HttpRequest, site: Site, roles: Iterable[str]) -> list[tuple[str, str, bool]]:
    """Return the entries for a person at a site, as (label, address, whether the page at hand belongs to it).

    Args:
        roles: those the person has at the site.
    """
    person_roles = set(roles)
    visible = [
        (str(entry.label), reverse(entry.url_name, args=[] if entry.provincial else [site.slug]))
        for _order, entry in sorted(_entries.items())
        if person_roles & entry.roles and (site.is_province or not entry.provincial)
    ]
    # My training lies below My matches: the longest address that fits is where one is.
    current = max((url for _label, url in visible if request.path.startswith(url)), key=len, default="")
    return [(label, url, url == current) for label, url in visible]
