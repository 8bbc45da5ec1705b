"""The steps that stories are made of: each is a real move, made by whoever would make it."""

from contextlib import nullcontext
from dataclasses import replace
from random import Random
from uuid import UUID

from django.db import transaction

from demo.seed.people import DemoSite, Physician
from demo.seed.play import Story, hours
from matching.candidates import queries as candidates
from matching.candidates import ranking
from matching.invitations import due, transitions
from matching.matches.contact_window import CONTACT_HOURS
from matching.matches.models import Match
from matching.physician import transitions as physician_moves
from psi import tenancy
from referrals.requests import receipts
from referrals.requests.models import Consent, Referral
from referrals.requests.receiving import submit
from referrals.requests.transitions import ERASE
from sites.engine import agenda
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.reference.models import TextVersion
from sites.reference.queries import current_text
from sites.tenants.models import Role, Site
from sites.tenants.queries import province
from tracker.conversations import debriefs, erasure
from tracker.conversations import transitions as tracker
from tracker.conversations.choices import MEASURES, Minutes, Resource, Way
from tracker.survey import transitions as survey

Texts = dict[str, TextVersion]


class Moves:
    """One request and what happens to it. Called in the scope of the request's site.

    Args:
        place: the site whose request it is.
        texts: purpose → wording to agree to.
        random: the request's own, so that no other story changes what happens in this one.
        kept: supporters left for the scenes of today, once they have this many matches in a year.
    """

    def __init__(self, demo_site: DemoSite, texts: Texts, random: Random, kept: dict[int, int]) -> None:
        self.demo_site, self.texts, self.random, self.kept = demo_site, texts, random, kept
        self.referral = self.match = self.supporter = self.talks = 0
        self.peer = Actor(None, Role.SUPPORTER)

    def ask(self, physician: Physician, home: Site | None = None, departments: tuple[int, ...] = ()) -> None:
        """The physician sends the form; with `home`, from there as "Outside my region"."""
        site, random = self.demo_site.site, self.random
        identity = replace(physician.identity, departments=departments)
        agreed = {
            Consent.MATCH: True,
            Consent.PROVINCE: home is not None or (not site.is_province and random.random() < 0.4),
            Consent.SURVEY: random.random() < 0.6,
        }
        texts = {purpose.value: self.texts[purpose] for purpose, yes in agreed.items() if yes}
        with tenancy.site_scope(home.pk) if home else nullcontext():
            receipt = submit(physician.answers, identity, site=home or site, at=site, key=self._key(), texts=texts)
        digest = receipts.receipt_digest(receipt)
        self.referral = Referral.objects.values_list("pk", flat=True).get(receipt_digest=digest)

    def await_choice(self, waited: float) -> Story:
        """Wait until somebody is asked, with the reminder to the administrators when it is due."""
        passed = 24.0 if waited >= 24 else 0.0
        if passed:
            yield hours(passed)
            due.handle_waiting([self.referral])
        yield hours(waited - passed)

    def best(self) -> tuple[int, str | None] | None:
        """Return who is offered first, with the reason it takes to set a soft rule aside; None: nobody."""
        referral = Referral.objects.get(pk=self.referral)
        need = candidates.need_of(referral)
        offers = ranking.rank(need, candidates.first(need, candidates.history_of(referral, need)), tenancy.now())
        for offer in offers:
            peer, soft = offer.candidate.peer, {reason.code for reason in offer.candidate.soft}
            if peer.total >= self.kept.get(peer.supporter_id, peer.cap_year):
                continue
            if not soft:
                return peer.supporter_id, None
            if soft == {"STAGE"}:
                return peer.supporter_id, Match.Override.NOBODY
        return None

    def invite(self, name: str = "") -> bool:
        """The administrator invites who is offered first, or the one of this name; False: nobody is free."""
        if name:
            chosen: tuple[int, str | None] | None = (self.demo_site.supporters[name][0], Match.Override.AGREED)
        else:
            chosen = self.best()
        if chosen is None:
            return False
        users = dict(self.demo_site.supporters.values())
        supporter_id, override = chosen
        match = transitions.invite(self.referral, supporter_id, by=self.demo_site.administrator, override=override)
        self.match, self.peer = match.pk, Actor(users[supporter_id], Role.SUPPORTER)
        return True

    def await_answer(self, waited: float) -> Story:
        """Wait for an answer, with the reminder and the end of the invitation when they are due."""
        passed = 0.0
        for step in (24.0, 48.0):
            if waited < step:
                break
            yield hours(step - passed)
            passed = step
            due.handle_invitations([self.match])
        yield hours(waited - passed)

    def accept(self) -> bool:
        """The supporter says yes; False when meanwhile somebody else took their last place."""
        try:
            with transaction.atomic():
                transitions.accept(self.match, by=self.peer)
        except Refused:
            transitions.decline(self.match, by=self.peer)
            return False
        return True

    def decline(self, why: str = Match.Why.NONE) -> None:
        transitions.decline(self.match, by=self.peer, why=why)

    def revoke(self) -> None:
        transitions.revoke(self.match, by=self.demo_site.administrator)

    def confirm(self) -> None:
        transitions.confirm(self.match, by=self.demo_site.administrator)

    def await_contact(self, waited: float) -> Story:
        """Wait in the contact window, with its reminders and its end when they are due."""
        passed = 0.0
        for step in (24.0, 48.0, 72.0):
            if waited < step:
                break
            yield hours(step - passed)
            passed = step
            due.handle_windows([self.match])
            if step == CONTACT_HOURS:
                agenda.cancel(transitions.WINDOW, [self.match])  # as the agenda does with what is settled
        yield hours(waited - passed)

    def contact(self) -> None:
        transitions.record_contact(self.match, by=self.peer)

    def reassign(self) -> None:
        transitions.reassign(self.match, by=self.demo_site.administrator)

    def talk(self) -> None:
        """The supporter records a conversation, in closed lists."""
        random = self.random
        self.talks += 1
        conversation = tracker.Conversation(
            number=min(self.talks, 4),
            way=random.choices(list(Way), [6, 3, 3, 1])[0],
            minutes=random.choices(list(Minutes), [1, 3, 5, 2])[0],
            ease=random.choices([2, 3, 4, 5], [1, 3, 5, 3])[0],
            strain=random.choices([1, 2, 3, 4, 5], [4, 5, 3, 2, 1])[0],
            resources=tuple(resource for resource in Resource if random.random() < 0.12),
            wants_debrief=random.random() < 0.1,
            safety_steps=random.random() < 0.03,
        )
        recorded = tracker.record(self.match, conversation, key=self._key(), by=self.peer)
        if conversation.wants_debrief:
            # As a worker does at once.
            debriefs.forward_to_province([recorded.match.supporter_id])

    def finish(self) -> None:
        transitions.finish(self.match, by=self.peer)

    def close(self, outcome: str) -> None:
        transitions.close(self.referral, outcome, by=self.demo_site.administrator)

    def answer(self) -> None:
        """The physician answers the survey with their receipt, if they asked for it; a worker looks at once."""
        random = self.random
        said = {
            question: random.choices(["YES", "NO", "UNSAID"], [yes, 1.5, 0.7])[0]
            for question, yes in zip(MEASURES, (11, 16, 9, 12, 10), strict=True)
        }
        try:
            with transaction.atomic():
                survey.answer(self.referral, said)
        except Refused:
            return
        survey.rewrite([0])

    def mark_spam(self) -> None:
        transitions.mark_spam(self.referral, by=self.demo_site.administrator)

    def erase(self) -> None:
        """What the agenda does a year after the request was closed."""
        erasure.erase([self.referral])
        agenda.cancel(ERASE, [self.referral])

    def _key(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def withdraw(self) -> None:
        """The physician takes the request back, on the status page."""
        physician_moves.withdraw(self.referral)

    def outside(self) -> None:
        """The physician would rather have someone from outside."""
        physician_moves.hand_over(self.referral, to=province(), text=current_text("HAND_OVER", "en"))
