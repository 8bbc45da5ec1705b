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

from psi import tenancy, vault
from psi.locks import AdvisoryLock
from referrals.requests import transitions
from referrals.requests.identity import Identity, known_to_rules
from referrals.requests.models import ReachOut, Referral, ReferralConsent
from referrals.requests.notices import address_of
from referrals.requests.receipts import receipt_digest
from referrals.requests.request_facts import Ask
from sites.engine import agenda, audit, facts, outbox
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.reference.models import TextVersion
from sites.reference.queries import current_text, numbers
from sites.tenants.models import Role, Site
from sites.tenants.queries import holders
from training.supporters.models import Practice, Stage

State, Way = Referral.State, ReachOut.Way
REACH_OUT = AdvisoryLock("REACH_OUT", 7104)
# After so many wrong codes an offer is answered by phone only (docs/rules.md#reach-out).
MOST_WRONG = 10
MOST_CALLS = 2
# Said by pages in their own words.
GONE = "This offer has been answered, or has ended."


@dataclass(frozen=True)
class Told:
    """What a notifier says, apart from who it is about; `event` only with the physician's word."""

    notifier: str
    agreed: bool
    event: str | None = None


def notify(told: Told, identity: Identity, *, site: Site, key: uuid.UUID, text: TextVersion) -> None:
    """Take what a notifier sent, once. They learn nothing of what follows.

    A physician who has an open request, or was made an offer, gets no second one; who agreed meanwhile is no longer
    asked by mail.

    Args:
        identity: for the vault; `notifier` is the notifier's own name, if given.
        key: the form's idempotency key.
        text: the wording in which the notifier says that the physician agreed.
    """
    if not transitions.claim(key):
        return
    # Two who tell of the same physician at the same moment.
    tenancy.acquire(REACH_OUT)
    offers, others = _known(identity)
    if others or (offers and not told.agreed):
        return
    if told.agreed:
        transitions.erase(offers)
        referral = transitions.notified(identity, home=site, event=told.event, text=text)
        ReachOut(referral=referral, notifier=told.notifier).save(force_insert=True)
        return
    referral = transitions.offered(identity, home=site)
    way = Way.MAIL if identity.email else Way.CALL
    ReachOut(referral=referral, notifier=told.notifier, way=way, offered_at=tenancy.now()).save(force_insert=True)
    _make(way, 1, referral.pk)
    agenda.schedule(ReachOut.KIND, [referral.pk], tenancy.now() + _days("REMIND_DAYS"))
    facts.count(("OFFER", "OFFERED"))


def _known(identity: Identity) -> tuple[list[int], list[int]]:
    """Return the ids of offers, and of open requests, that give the same email or phone."""
    given = {"email": identity.email, "phone": identity.phone}
    same = vault.find(Referral.KIND, {name: value for name, value in given.items() if vault.normal(name, value)})
    rows = Referral.objects.filter(pk__in=same, state__in=(State.AWAITING_CONSENT, State.OPEN, State.MATCHED))
    found = list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", "state"))
    offers = [pk for pk, state in found if state == State.AWAITING_CONSENT]
    return offers, [pk for pk, state in found if state != State.AWAITING_CONSENT]


def _make(way: str, number: int, referral_id: int) -> None:
    """Make the offer, or remind of it: by mail to the physician, or by asking the administrators to call."""
    if way == Way.MAIL:
        outbox.enqueue(f"OFFER_{number}", [(referral_id, None)])
    else:
        outbox.enqueue(f"CALL_{number}", [(referral_id, user_id) for user_id in holders(Role.ADMINISTRATOR)])


def _days(code: str) -> timedelta:
    return timedelta(days=numbers()[code])


def waiting(referral_id: int) -> tuple[Referral, ReachOut]:
    """Return a referral that awaits an answer, locked, with its offer.

    Raises:
        Refused: it was answered, or is gone.
    """
    referral = Referral.objects.select_for_update(of=("self",)).filter(pk=referral_id).first()
    if referral is None or referral.state != State.AWAITING_CONSENT:
        raise Refused(GONE)
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


def code_fits(referral_id: int, typed: str) -> bool:
    """Compare a typed code, and count a wrong one against the offer.

    Raises:
        Locked: it was wrong too often.
    """
    rows = ReachOut.objects.select_for_update(of=("self",)).filter(referral_id=referral_id)
    offer = rows.filter(referral__state=State.AWAITING_CONSENT).first()
    if offer is not None and offer.wrong >= MOST_WRONG:
        raise Locked(GONE)
    digits, right = re.sub(r"\D", "", typed), code_of(referral_id).replace(" ", "")
    if compare_digest(digits.encode(), right.encode()):
        return True
    if offer is not None:
        offer.wrong += 1
        offer.save(update_fields=["wrong"])
    return False


# The answer


def yes(referral_id: int, ask: Ask, identity: Identity, *, text: TextVersion) -> str:
    """The physician says yes on the page of the offer; return the receipt. Twice is once.

    Args:
        ask: what they added.
        identity: how they want to be reached; where they gave nothing, as the offer reached them.
        text: the wording agreed to.

    Raises:
        Refused: the offer has ended.
    """
    receipt = receipt_of(referral_id)
    if Referral.objects.filter(pk=referral_id, receipt_digest=receipt_digest(receipt)).exists():
        return receipt
    _agree(referral_id, ask, identity, text=text, channel=ReferralConsent.Channel.FORM, by=audit.PUBLIC)
    return receipt


def yes_by_voice(referral_id: int, *, by: Actor) -> str:
    """The physician said yes on the phone; return the receipt to be read to them.

    Raises:
        Refused: the offer was answered, or has ended.
    """
    ask = Ask((), Stage.UNSAID, Practice.UNSAID, Referral.Pathway.REACH_OUT)
    channel = ReferralConsent.Channel.VOICE
    _agree(referral_id, ask, Identity(""), text=current_text("MATCH", "en"), channel=channel, by=by)
    return receipt_of(referral_id)


def _agree(referral_id: int, ask: Ask, identity: Identity, *, text: TextVersion, channel: str, by: Actor) -> None:
    referral, _offer = waiting(referral_id)
    kept = known_to_rules(referral)
    reach = identity if identity.phone or identity.email else replace(identity, phone=kept.phone, email=kept.email)
    receipt = receipt_of(referral_id)
    transitions.agree(referral, ask, replace(reach, name=kept.name), receipt=receipt, text=text, channel=channel, by=by)
    agenda.cancel(ReachOut.KIND, [referral_id])
    facts.count(("OFFER", "YES"))


def no(referral_id: int, *, by: Actor) -> None:
    """The physician says no: everything is erased at once, and one is counted.

    Raises:
        Refused: the offer was answered, or has ended.
    """
    waiting(referral_id)
    facts.count(("OFFER", "NO"))
    transitions.erase([referral_id], by=by)


def not_reached(referral_id: int, *, by: Actor) -> None:
    """The administrator called and reached nobody: once more after a week, then no more.

    Raises:
        Refused: no call is due, or the offer has ended.
    """
    referral, offer = waiting(referral_id)
    due = call_due(offer)
    if due is None or due > tenancy.now():
        raise Refused("That is noted already.")
    offer.tries += 1
    offer.save(update_fields=["tries"])
    transitions.not_reached(referral, by=by)


def call_due(offer: ReachOut) -> datetime | None:
    """Return when somebody is to call; None for an offer by mail, and after the second call."""
    if offer.way != Way.CALL or offer.tries >= MOST_CALLS or offer.offered_at is None:
        return None
    return offer.offered_at + _days("REMIND_DAYS") * offer.tries


def ends(offer: ReachOut) -> datetime | None:
    """Return when silence erases it."""
    return offer.offered_at + _days("OFFER_DAYS") if offer.offered_at else None


# Time and mail


def register() -> None:
    """Tell the agenda, the outbox and the locators."""
    agenda.register(ReachOut.KIND, look_after)
    for number in (1, 2):
        offer = outbox.MailKind(
            f"offer_{number}", ReachOut.KIND, _by_mail, until=_until, words=_words, address=address_of
        )
        outbox.register(f"OFFER_{number}", offer)
        outbox.register(f"CALL_{number}", outbox.MailKind("call", Referral.KIND, _by_call))
    outbox.place(ReachOut.KIND, _page, public=True)


def look_after(ids: list[int]) -> None:
    """Remind once, and erase what stayed without an answer."""
    rows = Referral.objects.select_for_update(of=("self",)).filter(pk__in=ids, state=State.AWAITING_CONSENT)
    referrals = list(rows.order_by("pk").values_list("pk", flat=True))
    silent: list[int] = []
    for offer in ReachOut.objects.filter(referral_id__in=referrals).order_by("referral_id"):
        over = ends(offer)
        assert over is not None
        if over <= tenancy.now():
            silent.append(offer.referral_id)
            continue
        if offer.way == Way.CALL:
            # Whether the first call was made or not: somebody is to call now.
            _make(Way.CALL, 2, offer.referral_id)
        elif not offer.tries:
            offer.tries = 1
            offer.save(update_fields=["tries"])
            _make(Way.MAIL, 2, offer.referral_id)
        agenda.schedule(ReachOut.KIND, [offer.referral_id], over)
    if silent:
        facts.count(*[("OFFER", "SILENT")] * len(silent))
        transitions.erase(silent)


def _waiting(ids: Iterable[int], way: str) -> set[int]:
    rows = ReachOut.objects.filter(referral_id__in=ids, referral__state=State.AWAITING_CONSENT, way=way)
    return set(rows.filter(wrong__lt=MOST_WRONG).values_list("referral_id", flat=True))


def _by_mail(ids: list[int]) -> set[int]:
    return _waiting(ids, Way.MAIL)


def _by_call(ids: list[int]) -> set[int]:
    return _waiting(ids, Way.CALL)


def _until(referral_id: int) -> datetime | None:
    offer = ReachOut.objects.filter(referral_id=referral_id).first()
    return ends(offer) if offer else None


def _words(referral_id: int) -> dict[str, str]:
    return {"code": code_of(referral_id)}


def _page(referral_id: int) -> str:
    """Return the page of the offer. Its address says no site and no number, and it opens whatever became of it."""
    return reverse("offer", args=[outbox.token(tenancy.current_site_id(), ReachOut.KIND, referral_id)])
