"""The short memory: with Valkey away nobody is locked out."""

from typing import Any

from django_redis.cache import RedisCache


class ForgivingCache(RedisCache[Any]):
    """A cache that is away answers `add` with "added".

    allauth takes "not added" for a lock that another holds, or for a code that was used before, and refuses.
    What must hold without the cache stands in the database (codes used once: sites.accounts.forms).
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        added = super().add(*args, **kwargs)
        return True if added is None else added
