"""Reach-out: someone tells the program of a physician.

Without the physician's own word there is one neutral offer, one reminder, and then nothing: no reason and no stage
is asked for, silence or "no" erases, and a count stays (docs/rules.md#reach-out).
"""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hmac import compare_digest

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from psi import tenancy, vault
from psi.locks import AdvisoryLock
from referrals.requests import receiving, transitions
from referrals.requests.identity import Identity, open_for_rules
from referrals.requests.models import ReachOut, Referral, ReferralConsent
from referrals.requests.notices import address_of
from referrals.requests.receipts import receipt_digest
from referrals.requests.request_facts import RequestAnswers
from sites.engine import agenda, audit, facts, outbox
from sites.engine.audit import Actor
from sites.engine.moves import Refusal, Refused
from sites.reference.models import TextVersion
from sites.reference.queries import current_text, province_settings
from sites.tenants.models import Role, Site
from sites.tenants.queries import members_with_role
from training.supporters.models import Practice, Stage

State, Way = Referral.State, ReachOut.Way
REACH_OUT = AdvisoryLock("REACH_OUT", 7104)
# After so many wrong codes an offer is answered by phone only (docs/rules.md#reach-out).
MAX_WRONG_CODES = 10
MAX_CALLS = 2
# Pages say it in their own words.
OFFER_ENDED: Refusal = ("OFFER_ENDED", _("This offer has been answered, or has ended."))


@dataclass(frozen=True)
class NotifierAnswers:
    """What a notifier says, apart from who it is about; `event` only with the physician's word."""

    notifier: str
    agreed: bool
    event: str | None = None


def notify(answers: NotifierAnswers, identity: Identity, *, site: Site, key: uuid.UUID, text: TextVersion) -> None:
    """Take what a notifier sent, once. They learn nothing of what follows.

    A physician who has an open request, or was made an offer, gets no second one; who agreed meanwhile is no longer
    asked by mail.

    Args:
        identity: for the vault; `notifier` is the notifier's own name, if given.
        key: the form's idempotency key.
        text: the wording in which the notifier says that the physician agreed.
    """
    if not receiving.claim_key(key):
        return
    # Two may notify of the same physician at the same moment.
    tenancy.acquire(REACH_OUT)
    offers, others = _same_physician(identity)
    if others or (offers and not answers.agreed):
        return
    if answers.agreed:
        transitions.erase(offers)
        referral = receiving.create_agreed_reach_out(identity, home=site, event=answers.event, text=text)
        ReachOut(referral=referral, notifier=answers.notifier).save(force_insert=True)
        return
    referral = receiving.create_offer(identity, home=site)
    way = Way.MAIL if identity.email else Way.CALL
    ReachOut(referral=referral, notifier=answers.notifier, way=way, offered_at=tenancy.now()).save(force_insert=True)
    _send_offer(way, 1, referral.pk)
    agenda.schedule(ReachOut.KIND, [referral.pk], tenancy.now() + _days_of("REMIND_DAYS"))
    facts.count(("OFFER", "OFFERED"))


def _same_physician(identity: Identity) -> tuple[list[int], list[int]]:
    """Return the ids of offers, and of open requests, that give the same email or phone."""
    contact = {"email": identity.email, "phone": identity.phone}
    same = vault.find(Referral.KIND, {name: value for name, value in contact.items() if vault.normal(name, value)})
    rows = Referral.objects.filter(pk__in=same, state__in=(State.AWAITING_CONSENT, State.OPEN, State.MATCHED))
    states = list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", "state"))
    offers = [pk for pk, state in states if state == State.AWAITING_CONSENT]
    return offers, [pk for pk, state in states if state != State.AWAITING_CONSENT]


def _send_offer(way: str, number: int, referral_id: int) -> None:
    """Make the offer, or remind of it: by mail to the physician, or by asking the administrators to call."""
    if way == Way.MAIL:
        outbox.enqueue(f"OFFER_{number}", [(referral_id, None)])
    else:
        outbox.enqueue(f"CALL_{number}", [(referral_id, user_id) for user_id in members_with_role(Role.ADMINISTRATOR)])


def _days_of(code: str) -> timedelta:
    return timedelta(days=province_settings()[code])


def lock_offer(referral_id: int) -> tuple[Referral, ReachOut]:
    """Return a referral that awaits an answer, locked, with its offer.

    Raises:
        Refused: it was answered, or is gone.
    """
    referral = Referral.objects.select_for_update(of=("self",)).filter(pk=referral_id).first()
    if referral is None or referral.state != State.AWAITING_CONSENT:
        raise Refused(*OFFER_ENDED)
    return referral, ReachOut.objects.select_for_update(of=("self",)).get(referral=referral)


# The code


class Locked(Refused):
    """Wrong codes too often."""


def code_of(referral_id: int) -> str:
    """Return the code that stands in the mail of an offer; it is stored nowhere."""
    return vault.digits("offer", tenancy.current_site_id(), referral_id)


def receipt_of(referral_id: int) -> str:
    """Return the receipt of who said yes on the page of the offer; a second press shows the same."""
    return vault.digits("offer-receipt", tenancy.current_site_id(), referral_id)


def is_right_code(referral_id: int, text: str) -> bool:
    """Compare a typed code, and count a wrong one against the offer.

    Raises:
        Locked: it was wrong too often.
    """
    rows = ReachOut.objects.select_for_update(of=("self",)).filter(referral_id=referral_id)
    offer = rows.filter(referral__state=State.AWAITING_CONSENT).first()
    if offer is not None and offer.wrong >= MAX_WRONG_CODES:
        raise Locked("CODE_LOCKED", OFFER_ENDED[1])
    digits, right = re.sub(r"\D", "", text), code_of(referral_id).replace(" ", "")
    if compare_digest(digits.encode(), right.encode()):
        return True
    if offer is not None:
        offer.wrong += 1
        offer.save(update_fields=["wrong"])
    return False


# The answer


def accept(referral_id: int, answers: RequestAnswers, identity: Identity, *, text: TextVersion) -> str:
    """Note that the physician says yes on the page of the offer, and return the receipt; again, the same receipt.

    Args:
        answers: what they added.
        identity: how they want to be reached; where they gave nothing, as the offer reached them.
        text: the wording agreed to.

    Raises:
        Refused: the offer has ended.
    """
    receipt = receipt_of(referral_id)
    if Referral.objects.filter(pk=referral_id, receipt_digest=receipt_digest(receipt)).exists():
        return receipt
    _agree(referral_id, answers, identity, text=text, channel=ReferralConsent.Channel.FORM, by=audit.PUBLIC)
    return receipt


def accept_by_voice(referral_id: int, *, by: Actor) -> str:
    """Note that the physician said yes on the phone, and return the receipt to be read to them.

    Raises:
        Refused: the offer was answered, or has ended.
    """
    answers = RequestAnswers((), Stage.UNSAID, Practice.UNSAID, Referral.Pathway.REACH_OUT)
    channel = ReferralConsent.Channel.VOICE
    _agree(referral_id, answers, Identity(""), text=current_text("MATCH", "en"), channel=channel, by=by)
    return receipt_of(referral_id)


def _agree(
    referral_id: int, answers: RequestAnswers, identity: Identity, *, text: TextVersion, channel: str, by: Actor
) -> None:
    referral, _offer = lock_offer(referral_id)
    sealed = open_for_rules(referral)
    if not (identity.phone or identity.email):
        identity = replace(identity, phone=sealed.phone, email=sealed.email)
    identity, receipt = replace(identity, name=sealed.name), receipt_of(referral_id)
    transitions.agree(referral, answers, identity, receipt=receipt, text=text, channel=channel, by=by)
    agenda.cancel(ReachOut.KIND, [referral_id])
    facts.count(("OFFER", "YES"))


def decline(referral_id: int, *, by: Actor) -> None:
    """Erase everything at once because the physician says no; one is counted.

    Raises:
        Refused: the offer was answered, or has ended.
    """
    lock_offer(referral_id)
    facts.count(("OFFER", "NO"))
    transitions.erase([referral_id], by=by)


def note_unanswered_call(referral_id: int, *, by: Actor) -> None:
    """Note that the administrator called and reached nobody. A second call is due after a week, then none.

    Raises:
        Refused: no call is due, or the offer has ended.
    """
    referral, offer = lock_offer(referral_id)
    due = call_due(offer)
    if due is None or due > tenancy.now():
        raise Refused("NOTED_ALREADY", _("That is noted already."))
    offer.tries += 1
    offer.save(update_fields=["tries"])
    transitions.note_unanswered_call(referral, by=by)


def call_due(offer: ReachOut) -> datetime | None:
    """Return when somebody is to call; None for an offer by mail, and after the second call."""
    if offer.way != Way.CALL or offer.tries >= MAX_CALLS or offer.offered_at is None:
        return None
    return offer.offered_at + _days_of("REMIND_DAYS") * offer.tries


def offer_ends_at(offer: ReachOut) -> datetime | None:
    """Return when silence erases it."""
    return offer.offered_at + _days_of("OFFER_DAYS") if offer.offered_at else None


# Time and mail


def register() -> None:
    """Tell the agenda, the outbox and the locators."""
    agenda.register(ReachOut.KIND, handle)
    for number in (1, 2):
        offer = outbox.MailKind(
            f"offer_{number}",
            ReachOut.KIND,
            _unanswered_by_mail,
            until=_mail_until,
            words=_mail_words,
            address=address_of,
        )
        outbox.register(f"OFFER_{number}", offer)
        outbox.register(f"CALL_{number}", outbox.MailKind("call", Referral.KIND, _unanswered_by_call))
    outbox.register_link(ReachOut.KIND, _offer_path, public=True)


def handle(ids: list[int]) -> None:
    """Remind once, and erase what stayed without an answer."""
    rows = Referral.objects.select_for_update(of=("self",)).filter(pk__in=ids, state=State.AWAITING_CONSENT)
    referrals = list(rows.order_by("pk").values_list("pk", flat=True))
    silent: list[int] = []
    for offer in ReachOut.objects.filter(referral_id__in=referrals).order_by("referral_id"):
        ends_at = offer_ends_at(offer)
        assert ends_at is not None
        if ends_at <= tenancy.now():
            silent.append(offer.referral_id)
            continue
        if offer.way == Way.CALL:
            # Whether the first call was made or not: somebody is to call now.
            _send_offer(Way.CALL, 2, offer.referral_id)
        elif not offer.tries:
            offer.tries = 1
            offer.save(update_fields=["tries"])
            _send_offer(Way.MAIL, 2, offer.referral_id)
        agenda.schedule(ReachOut.KIND, [offer.referral_id], ends_at)
    if silent:
        facts.count(*[("OFFER", "SILENT")] * len(silent))
        transitions.erase(silent)


def _unanswered(ids: Iterable[int], way: str) -> set[int]:
    rows = ReachOut.objects.filter(referral_id__in=ids, referral__state=State.AWAITING_CONSENT, way=way)
    return set(rows.filter(wrong__lt=MAX_WRONG_CODES).values_list("referral_id", flat=True))


def _unanswered_by_mail(ids: list[int]) -> set[int]:
    return _unanswered(ids, Way.MAIL)


def _unanswered_by_call(ids: list[int]) -> set[int]:
    return _unanswered(ids, Way.CALL)


def _mail_until(referral_id: int) -> datetime | None:
    offer = ReachOut.objects.filter(referral_id=referral_id).first()
    return offer_ends_at(offer) if offer else None


def _mail_words(referral_id: int) -> dict[str, str]:
    return {"code": code_of(referral_id)}


def _offer_path(referral_id: int) -> str:
    """Return the page of the offer. Its address says no site and no number, and it opens whatever became of it."""
    return reverse("offer", args=[outbox.token(tenancy.current_site_id(), ReachOut.KIND, referral_id)])
