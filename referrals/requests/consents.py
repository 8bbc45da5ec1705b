"""What a physician agreed to, in which words, and what stands by a notifier's word alone."""

from psi import tenancy
from referrals.requests.models import Consent, Referral, ReferralConsent
from sites.reference.queries import current_text


def notifier_consent(referral: Referral) -> ReferralConsent | None:
    """Return the agreement that stands by the notifier's word alone; None when the physician has given it."""
    if referral.pathway != Referral.Pathway.REACH_OUT:
        return None
    return referral.consents.filter(purpose=Consent.MATCH, channel=ReferralConsent.Channel.NOTIFIER).first()


def confirm_agreement(referral: Referral) -> None:
    """At first contact the physician said that they want this. `referral` is locked."""
    word = notifier_consent(referral)
    if word is not None:
        word.text, word.channel = current_text(Consent.MATCH, "en"), ReferralConsent.Channel.VOICE
        word.given_at = tenancy.now()
        word.save(update_fields=["text", "channel", "given_at"])
