"""May this person open this? One mark on every view, read by the gate; the same answers for templates."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

from sites.models import Membership, Role

View = TypeVar("View", bound=Callable[..., Any])
DEMO_SESSION = "demonstration"


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
    """Programs with a token of the site in the URL may open it (sites.consumers); no person, and no cookie."""
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


def second_factor(request: HttpRequest) -> bool:
    """Is a second factor satisfied in this session?

    A passkey used to sign in, or a code from an authenticator app or the recovery list. A demonstration
    session counts in the local run only.
    """
    if settings.PSI_LOCAL and request.session.get(DEMO_SESSION):
        return True
    return any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))
