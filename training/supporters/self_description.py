"""What supporters say of themselves: sealed, so that nothing lists, exports or counts it.

They alone read and change it, on a page of their own; the matching rules open it where a wish asks for it.
"""

from collections.abc import Iterable

from psi import vault
from training.supporters.models import PeerSupporter

KIND = "SUPPORTER"  # in the vault
EVALUATED = "EVALUATED"  # in the vault: whom they evaluate


def set_description(supporter: PeerSupporter, codes: Iterable[str]) -> None:
    """Seal the codes of `Trait` and `Language` of a supporter in place of those before; without codes, erase them."""
    chosen = sorted(codes)
    if chosen:
        supporter.described = vault.seal(KIND, supporter.pk, {"said": chosen})
    else:
        vault.shred(KIND, [supporter.pk])
        supporter.described = None
    supporter.save(update_fields=["described"])


def described(supporters: Iterable[PeerSupporter]) -> dict[int, frozenset[str]]:
    """Return supporter id → their codes of `Trait` and `Language`, with one query; none for who gave none."""
    blobs = {row.pk: row.described for row in supporters if row.described is not None}
    return {pk: frozenset(record["said"]) for pk, record in vault.open_many(KIND, blobs).items()}


def set_evaluated(supporter: PeerSupporter, text: str) -> None:
    """Seal the names and addresses of people a supporter evaluates; an empty text erases them.

    The matching rules alone open it.
    """
    if text:
        supporter.evaluated = vault.seal(EVALUATED, supporter.pk, {"people": text})
    else:
        vault.shred(EVALUATED, [supporter.pk])
        supporter.evaluated = None
    supporter.save(update_fields=["evaluated"])


def evaluated(supporters: Iterable[PeerSupporter]) -> dict[int, str]:
    """Return supporter id → the names and addresses of people they evaluate, as typed, with one query."""
    blobs = {row.pk: row.evaluated for row in supporters if row.evaluated is not None}
    return {pk: record["people"] for pk, record in vault.open_many(EVALUATED, blobs).items()} if blobs else {}


def erase(supporter: PeerSupporter) -> None:
    """Erase all that a supporter said of themself and of others."""
    if supporter.described is not None:
        set_description(supporter, ())
    if supporter.evaluated is not None:
        set_evaluated(supporter, "")
