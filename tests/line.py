"""Short ways along the line: a request, an invitation, a match in each state; and time that passes."""

import itertools
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, connections

from matching.invitations import transitions
from matching.matches.models import Match
from psi.tenancy import site_scope
from referrals.requests.identity import Identity
from referrals.requests.models import Consent, Referral
from referrals.requests.receipts import receipt_digest
from referrals.requests.receiving import submit
from referrals.requests.request_facts import RequestAnswers
from sites.engine import outbox
from sites.engine.audit import Actor
from sites.gate import slowdown
from sites.reference.queries import current_text
from sites.tenants.models import Site, User
from sites.tenants.queries import province
from tests.people import World

# Each request is another person's, unless a test says otherwise.
_phones = itertools.count(1000)


def acting(user: User, role: str) -> Actor:
    return Actor(user.pk, role)


def administrator(world: World, at: str = "north") -> Actor:
    return acting(world[f"{at} administrator"], "administrator")


def helper(world: World, at: str = "north") -> Actor:
    return acting(world[f"{at} supporter"], "supporter")


def opened(path: str, key: uuid.UUID | None = None) -> dict[str, str]:
    """Return the hidden fields of a public form that was opened at this address a while ago."""
    key = key or uuid.uuid4()
    ready = datetime(2026, 1, 1, tzinfo=UTC)
    return {"key": str(key), slowdown.TICKET: slowdown.sign_ticket(path, key, slowdown.OPENED, ready)}


def request(site: Site, *, outside: bool = False, now: datetime | None = None, **said: Any) -> Referral:
    """Send a request to a site and return the referral it made. `said` are fields of `RequestAnswers` and `Identity`."""
    key = said.pop("key", None) or uuid.uuid4()
    answers = RequestAnswers(
        reasons=said.pop("reasons", ("BURNOUT",)),
        stage=said.pop("stage", "UNSAID"),
        practice=said.pop("practice", "UNSAID"),
        source=said.pop("source", ""),
    )
    identity = Identity(**{"name": "Robin Example", "phone": f"604 555 {next(_phones)}", **said})
    at = province() if outside else site
    with site_scope(site.pk, now=now):
        texts = {Consent.MATCH.value: current_text(Consent.MATCH, "en")}
        receipt = submit(answers, identity, site=site, at=at, key=key, texts=texts)
    with site_scope(at.pk):
        return Referral.objects.get(receipt_digest=receipt_digest(receipt))


def invited(world: World, at: str = "north", *, now: datetime | None = None, **said: Any) -> Match:
    """Return a match to which the site's supporter is invited."""
    site = getattr(world, at)
    referral = request(site, now=now, **said)
    with site_scope(site.pk, now=now):
        return transitions.invite(referral.pk, world.supporters[at].pk, by=administrator(world, at))


def accepted(world: World, at: str = "north", *, now: datetime | None = None, **said: Any) -> Match:
    match = invited(world, at, now=now, **said)
    with site_scope(match.site_id, now=now):
        return transitions.accept(match.pk, by=helper(world, at))


def confirmed(world: World, at: str = "north", *, now: datetime | None = None, **said: Any) -> Match:
    match = accepted(world, at, now=now, **said)
    with site_scope(match.site_id, now=now):
        return transitions.confirm(match.pk, by=administrator(world, at))


def contacted(world: World, at: str = "north", *, now: datetime | None = None, **said: Any) -> Match:
    match = confirmed(world, at, now=now, **said)
    with site_scope(match.site_id, now=now):
        return transitions.record_contact(match.pk, by=helper(world, at))


def fresh(match: Match) -> Match:
    """Read a match again."""
    with site_scope(match.site_id):
        return Match.objects.select_related("referral", "supporter").get(pk=match.pk)


def rewind(by: timedelta = timedelta(hours=1), where: str = "NOT parked") -> None:
    """Let what waits be due: as if `by` had passed since it was put off, leases and a server's absence included."""
    outbox._away_until -= by.total_seconds()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE sites_due SET at = at - %s WHERE {where}", [by])


def together(*jobs: Callable[[], Any], patience: float = 60) -> list[Any]:
    """Run the jobs at the same moment in threads; return what each returned or raised, in order."""
    answers: list[Any] = [None] * len(jobs)
    barrier = threading.Barrier(len(jobs))

    def run(number: int) -> None:
        try:
            barrier.wait(patience)
            answers[number] = jobs[number]()
        except Exception as error:
            answers[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[n], daemon=True) for n in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience)
    assert not any(thread.is_alive() for thread in threads), "A thread hangs."
    return answers


def kinds(answers: Sequence[Any]) -> dict[str, int]:
    """Count answers by the name of their type, for messages that say what went wrong."""
    found: dict[str, int] = {}
    for answer in answers:
        found[type(answer).__name__] = found.get(type(answer).__name__, 0) + 1
    return found
