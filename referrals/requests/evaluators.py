"""Supporters who typed a physician's name or address among the people they evaluate."""

import re

from training.supporters import surnames
from training.supporters.models import PeerSupporter
from training.supporters.self_description import evaluated


def evaluators(name: str, email: str) -> frozenset[int]:
    """Return ids of the current site's supporters on whose list this physician stands, by surname or address.

    Any surname in common counts, as it does for whom a physician would rather not meet.
    """
    lists = evaluated(PeerSupporter.objects.filter(evaluated__isnull=False).only("evaluated"))
    return frozenset(pk for pk, text in lists.items() if is_listed(text, name, email))


def is_listed(text: str, name: str, email: str) -> bool:
    """Say whether a physician stands in a list as somebody typed it."""
    addresses = re.findall(r"[^\s,;<>()]+@[^\s,;<>()]+", text)
    if email and email.strip().casefold() in {address.casefold() for address in addresses}:
        return True
    for address in addresses:
        text = text.replace(address, "\n")
    return not surnames.surnames(name).isdisjoint(surnames.name_words(text))
