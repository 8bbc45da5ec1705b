"""Access levels: every view has one, which the access middleware reads; without one it is no page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sites.tenants.models import Membership, Role

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """The access level of a view.

    Attributes:
        kind: "public", "signed-in", "token" or "site".
        roles: of kind "site": those who hold one of these at the site in the address may open it.
    """

    kind: str
    roles: frozenset[str] = frozenset()


PUBLIC = Access("public")
SIGNED_IN = Access("signed-in")
TOKEN = Access("token")


def public(view: View) -> View:
    """Let anyone open the view."""
    view.access = PUBLIC  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Let anyone with an account and a second factor open the view; it belongs to no site."""
    view.access = SIGNED_IN  # type: ignore[attr-defined]
    return view


def by_token(view: View) -> View:
    """Let programs with a token of the site in the address open the view (sites.gate.tokens): no person, no cookie."""
    view.access = TOKEN  # type: ignore[attr-defined]
    # Nothing travels by itself with such a request, so nobody can be made to send one.
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def for_roles(*roles: Role) -> Callable[[View], View]:
    """Let those who hold one of these roles at the site in the address open the view."""

    def set_access(view: View) -> View:
        view.access = Access("site", frozenset(roles))  # type: ignore[attr-defined]
        return view

    return set_access


def roles_of(user_id: int) -> dict[int, set[str]]:
    """Return site id → roles the person holds now."""
    roles: dict[int, set[str]] = {}
    for site_id, role in Membership.objects.filter(user_id=user_id, ended_at=None).values_list("site_id", "role"):
        roles.setdefault(site_id, set()).add(role)
    return roles
