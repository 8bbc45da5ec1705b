"""What a view is handed: the request, with what the access middleware has found out about it."""

from django.http import HttpRequest

from sites.engine.audit import Actor
from sites.tenants.models import Site, User


class CheckedRequest(HttpRequest):
    """Any request that passed the access middleware.

    Attributes:
        site: the site in the address, if there is one.
        roles: what the person holds at that site, on pages for roles.
        actor: whose act it is in the audit trail; the public without an account.
        public_page: whether its language is chosen by the reader.
    """

    site: Site | None  # type: ignore[assignment]  # the stubs mean the site of django.contrib.sites
    roles: frozenset[str]
    actor: Actor
    public_page: bool


class AccountRequest(CheckedRequest):
    """The request of a signed-in person.

    Attributes:
        user: the account.
        roles_by_site: site id → roles the person holds now.
    """

    user: User
    roles_by_site: dict[int, set[str]]


class SiteRequest(AccountRequest):
    """A request to a page of a site; the account is there on pages for roles, not on public ones."""

    site: Site  # type: ignore[assignment]  # as above
