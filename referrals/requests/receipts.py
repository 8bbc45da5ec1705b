"""The receipt: four groups of four digits that let someone without an account ask what became of it.

It is computed from the server's key, the site of the URL and the form's key, so that a double press
shows the same one; only a digest of it is stored.
"""

import re
import uuid
from datetime import timedelta

from psi import tenancy, vault
from referrals.requests.models import FormKey

DIGITS = 16  # docs/rules.md#receipts
# No page stays open that long to be sent a second time.
KEY_LIFETIME = timedelta(days=30)


def receipt_of(site_id: int, key: uuid.UUID) -> str:
    """Return the receipt of one form, as `1234 5678 9012 3456`."""
    return vault.digits("receipt", site_id, str(key))


def receipt_digest(receipt: str) -> bytes | None:
    """Return what is stored of a receipt as typed (spaces and dashes do not matter).

    Returns:
        32 bytes, or None when it does not have sixteen digits.
    """
    digits = re.sub(r"[\s.\-–]", "", receipt)
    if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", digits):
        return None
    return vault.digest("receipt-stored", digits)


def delete_old_keys() -> int:
    """Delete the keys of the current site's forms that were sent more than thirty days ago; return how many."""
    return FormKey.objects.filter(used_at__lt=tenancy.now() - KEY_LIFETIME).delete()[0]
