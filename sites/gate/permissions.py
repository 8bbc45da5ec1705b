"""May this person open this? One mark on every view, read by the gate; the same answers for templates."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sites.tenants.models import Membership, Role

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """A view's mark: public, signed in, by token, or for these roles of the site in the URL."""

    kind: str
    roles: frozenset[str] = frozenset()


PUBLIC = Access("public")
SIGNED_IN = Access("signed-in")
TOKEN = Access("token")


def public(view: View) -> View:
    """Anyone may open it."""
    view.access = PUBLIC  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Anyone with an account and a second factor may open it; it belongs to no site."""
    view.access = SIGNED_IN  # type: ignore[attr-defined]
    return view


def by_token(view: View) -> View:
    """Programs with a token of the site in the URL may open it (sites.gate.tokens); no person, and no cookie."""
    view.access = TOKEN  # type: ignore[attr-defined]
    # Nothing travels by itself with such a request, so nobody can be made to send one.
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def for_roles(*roles: Role) -> Callable[[View], View]:
    """Those who hold one of these roles at the site in the URL may open it."""

    def mark(view: View) -> View:
        view.access = Access("site", frozenset(roles))  # type: ignore[attr-defined]
        return view

    return mark


def roles_of(user_id: int) -> dict[int, set[str]]:
    """Return site id → roles the person holds now."""
    roles: dict[int, set[str]] = {}
    for site_id, role in Membership.objects.filter(user_id=user_id, ended_at=None).values_list("site_id", "role"):
        roles.setdefault(site_id, set()).add(role)
    return roles
