"""What supporters say of themselves: sealed, so that nothing lists, exports or counts it.

They alone read and change it, on a page of their own; the matching rules open it where a wish asks for it.
"""

from collections.abc import Iterable

from psi import vault
from training.models import PeerSupporter

KIND = "SUPPORTER"  # in the vault


def describe(supporter: PeerSupporter, codes: Iterable[str]) -> None:
    """Keep codes of `Trait` and `Language` of a supporter; none at all leaves nothing behind."""
    said = sorted(codes)
    if said:
        supporter.described = vault.seal(KIND, supporter.pk, {"said": said})
    else:
        vault.shred(KIND, [supporter.pk])
        supporter.described = None
    supporter.save(update_fields=["described"])


def described(supporters: Iterable[PeerSupporter]) -> dict[int, frozenset[str]]:
    """Return supporter id → the codes they keep, with one query."""
    blobs = {row.pk: row.described for row in supporters if row.described is not None}
    return {pk: frozenset(record["said"]) for pk, record in vault.open_many(KIND, blobs).items()}
