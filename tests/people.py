"""A few named people: the three roles of two sites, the province's two, and a stranger."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client

from psi import tenancy
from sites.tenants.models import Membership, Profile, Role, Site, User
from training.supporters.models import PeerSupporter


@dataclass
class World:
    """Two local sites and the province. `people` by "site role", such as "north administrator"."""

    province: Site
    north: Site
    south: Site
    people: dict[str, User] = field(default_factory=dict)
    supporters: dict[str, PeerSupporter] = field(default_factory=dict)

    def __getitem__(self, name: str) -> User:
        return self.people[name]


def site(slug: str, **fields: Any) -> Site:
    values = {
        "name": f"{slug.title()} Division",
        "kind": Site.Kind.DIVISION,
        "privacy_officer": "Privacy officer, 250 555 0100",
        "is_open": True,
        "reach_out": True,
        "created_at": tenancy.now(),
    }
    return Site.objects.create(slug=slug, **values | fields)


def account(email: str) -> User:
    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def member(at: Site, role: str, name: str, user: User | None = None) -> User:
    """Give a person a role and a name at a site."""
    person = user or account(f"{name.lower().replace(' ', '.').replace('dr.', 'dr')}@{at.slug}.example.org")
    Membership.objects.create(site=at, user=person, role=role, since=tenancy.now())
    with tenancy.site_scope(at.pk):
        Profile.objects.get_or_create(user=person, defaults={"name": name})
    return person


def supporter(at: Site, name: str, user: User | None = None, **fields: Any) -> PeerSupporter:
    """Return a supporter who is ready: active, trained, with a current agreement."""
    person = member(at, Role.SUPPORTER, name, user)
    values = {
        "state": PeerSupporter.State.ACTIVE,
        "trained_on": date(2025, 9, 25),
        "agreement_until": date(2099, 1, 1),
    }
    with tenancy.site_scope(at.pk):
        profile = Profile.objects.get(user=person)
        return PeerSupporter.objects.create(user=person, profile=profile, **values | fields)


def sign_in(client: Client, user: User) -> None:
    """Sign a person in with a passkey."""
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    session = client.session
    session["account_authentication_methods_user"] = str(user.pk)
    session["account_authentication_methods"] = [
        {"method": "mfa", "at": 4102444800.0, "type": "webauthn", "passwordless": True}
    ]
    session.save()


def build() -> World:
    """Create the cast in the database at hand."""
    province = Site.objects.get(slug="province")
    world = World(province, site("north"), site("south"))
    for at in (world.north, world.south):
        where = at.slug
        world.people[f"{where} administrator"] = member(at, Role.ADMINISTRATOR, f"Ada {where.title()}")
        world.people[f"{where} lead"] = member(at, Role.LEAD, f"Dr Lea {where.title()}")
        one = supporter(at, f"Dr Sam {where.title()}")
        world.supporters[where] = one
        world.people[f"{where} supporter"] = one.user
    world.people["coordinator"] = member(province, Role.ADMINISTRATOR, "Cora Province")
    world.people["advisor"] = member(province, Role.ADVISOR, "Alan Province")
    world.people["stranger"] = account("stranger@example.org")
    return world
