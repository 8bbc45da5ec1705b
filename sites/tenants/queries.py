"""Nouns about sites and their people."""

from collections.abc import Iterable

from django.utils.timezone import localdate

from psi import tenancy
from sites.tenants.models import PROVINCE_SLUG, Cover, Membership, Profile, Role, Site


def province() -> Site:
    """Return the provincial team's site."""
    return Site.objects.get(slug=PROVINCE_SLUG)


def members_with_role(*roles: Role) -> list[int]:
    """Return the user ids who hold one of `roles` at the current site, for mail.

    An administrator who is away is left out while somebody else is there.
    """
    user_ids = list(
        Membership.objects.filter(
            site_id=tenancy.current_site_id(), role__in=roles, ended_at=None, user__is_active=True
        )
        .values_list("user_id", flat=True)
        .distinct()
        .order_by("user_id")
    )
    if Role.ADMINISTRATOR not in roles or len(user_ids) < 2:
        return user_ids
    today = localdate(tenancy.now())
    away = set(
        Cover.objects.filter(starts_on__lte=today, ends_on__gte=today, over=False).values_list("away_id", flat=True)
    )
    return [user_id for user_id in user_ids if user_id not in away] or user_ids


def names(user_ids: Iterable[int]) -> dict[int, str]:
    """Return user id → the name they go by at the current site."""
    return dict(Profile.objects.filter(user_id__in=user_ids).values_list("user_id", "name"))
