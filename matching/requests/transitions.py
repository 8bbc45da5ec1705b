"""What the administrator does about a request that is no move of it or of a match."""

from collections.abc import Mapping

from matching.requests.queries import CallerAnswer, requests_with_contact
from referrals.requests.models import Referral
from sites.engine import audit
from sites.engine.audit import Actor


def look_up_caller(contact: Mapping[str, str], *, by: Actor) -> list[CallerAnswer]:
    """Find the requests of someone who calls, and record the search in the audit trail, whether or not there are any.

    Args:
        contact: name of the blind index, `email` or `phone`, to what the caller says they left.
        by: the administrator on the phone.

    Returns:
        Requests of the current site, newest first, with words to say; empty where there are none.
    """
    answers = requests_with_contact(contact)
    referral_ids: list[int | None] = [answer.referral.pk for answer in answers]
    audit.record_all([("CALLER", referral_id) for referral_id in referral_ids or [None]], Referral.KIND, by=by)
    return answers
