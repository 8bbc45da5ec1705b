"""The agreement: signed in the app for a year at a time. Without one that holds, nobody is matched.

Who signed, when and which wording (SHA-256) is a row that nobody can change. An agreement on paper, and a date
an administrator mends, are rows too, without a wording.
"""

import hashlib
from datetime import date, datetime, time, timedelta

from django.db.models import Max, QuerySet
from django.urls import reverse
from django.utils.timezone import localdate, make_aware
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import agenda, audit, outbox
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.reference.models import TextVersion
from sites.reference.queries import current_text
from sites.tenants.models import Site
from training.commitment.models import Agreement
from training.recruitment import transitions as recruitment
from training.supporters import readiness
from training.supporters.models import PeerSupporter
from training.supporters.public_page import ROLE_ENDED

KIND = "AGREEMENT"
REMIND_DAYS = 30  # before it ends (docs/rules.md#agreement)


def text() -> TextVersion:
    """Return the wording in force."""
    return current_text(KIND, "en")


def publish(words: str, *, by: Actor) -> bool:
    """Put a new wording in force, in the province's scope; return False when it is in force already.

    A wording that was in force before comes back with a new date.
    """
    words = "\n".join(line.rstrip() for line in words.strip().splitlines())
    sha256 = hashlib.sha256(words.encode()).hexdigest()
    if text().sha256 == sha256:
        return False
    TextVersion.objects.update_or_create(
        sha256=sha256, defaults={"kind": KIND, "language": "en", "text": words, "valid_from": tenancy.now()}
    )
    audit.record("REWORDED", KIND, None, by=by)
    return True


def a_year_after(day: date) -> date:
    """Return the same day a year later; after 29 February comes the 28th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def runs_until(supporter: PeerSupporter, today: date) -> date:
    """Return until when a signature of today holds: who renews early loses no days."""
    until = supporter.agreement_until
    if until is not None and today <= until <= today + timedelta(days=REMIND_DAYS):
        return a_year_after(until)
    return a_year_after(today)


def may_sign(supporter: PeerSupporter, today: date) -> bool:
    """Is there anything to sign: no agreement that holds, or one that ends within the month?"""
    until = supporter.agreement_until
    return until is None or until <= today + timedelta(days=REMIND_DAYS)


def sign(supporter_id: int, sha256: str, *, by: Actor) -> date:
    """Sign the wording in force, and return until when the agreement holds; signing again changes nothing.

    Args:
        sha256: of the wording as it was on the page.

    Raises:
        Refused: the wording has changed meanwhile, or the role has ended.
    """
    # Who is on the way before their line, as every move of recruitment.
    recruitment.lock_on_the_way(PeerSupporter.objects.values_list("user_id", flat=True).get(pk=supporter_id))
    supporter = PeerSupporter.objects.select_for_update(no_key=True).get(pk=supporter_id)
    if supporter.state == PeerSupporter.State.LEFT or supporter.home_id is not None:
        raise Refused(*ROLE_ENDED)
    wording, today = text(), localdate(tenancy.now())
    if wording.sha256 != sha256:
        raise Refused("REWORDED", _("The agreement was reworded a moment ago. Please read it again before you sign."))
    if not may_sign(supporter, today):
        assert supporter.agreement_until is not None
        return supporter.agreement_until
    until = runs_until(supporter, today)
    _add(supporter, wording, until, by)
    readiness.record(supporter, agreement_until=until, by=by, action="SIGNED")
    return until


def follow_readiness(supporter: PeerSupporter, columns: frozenset[str], by: Actor) -> None:
    """Add an agreement on paper, and its reminder, where a date was recorded that no signature explains."""
    if "agreement_until" not in columns:
        return
    last = latest(supporter)
    if (last.until if last else None) != supporter.agreement_until:
        _add(supporter, None, supporter.agreement_until, by)


def latest(supporter: PeerSupporter) -> Agreement | None:
    """Return the signature that counts, with its wording."""
    return Agreement.objects.filter(supporter=supporter).select_related("text").order_by("-id").first()


def register() -> None:
    """Register what follows from a date, who reminds of one that ends, and how."""
    readiness.register(follow_readiness)
    agenda.register(KIND, handle)
    outbox.register("RENEW", outbox.MailKind("renew", KIND, _ends_soon, until=_until))
    outbox.register("UNSIGNED", outbox.MailKind("unsigned", KIND, _counts))
    outbox.register_link(KIND, _path)


def handle(ids: list[int]) -> None:
    """Remind of these agreements thirty days before they end, and say when they have ended."""
    today = localdate(tenancy.now())
    for agreement in _counting(ids).select_related("supporter"):
        to = [(agreement.pk, agreement.supporter.user_id)]
        if agreement.until is None or agreement.supporter.state == PeerSupporter.State.LEFT:
            continue
        if agreement.until < today:
            outbox.enqueue("UNSIGNED", to)
            continue
        if agreement.until - timedelta(days=REMIND_DAYS) <= today:
            outbox.enqueue("RENEW", to)
        _schedule(agreement, today)


def _add(supporter: PeerSupporter, wording: TextVersion | None, until: date | None, by: Actor) -> None:
    agreement = Agreement(supporter=supporter, text=wording, by_id=by.user_id, signed_at=tenancy.now(), until=until)
    agreement.save(force_insert=True)
    _schedule(agreement, localdate(agreement.signed_at))


def _schedule(agreement: Agreement, today: date) -> None:
    if agreement.until is None or agreement.until < today:
        return
    soon = agreement.until - timedelta(days=REMIND_DAYS)
    agenda.schedule(KIND, [agreement.pk], morning(soon if soon > today else agreement.until + timedelta(days=1)))


def morning(day: date) -> datetime:
    """Return the moment at which people are told of a day: seven o'clock."""
    return make_aware(datetime.combine(day, time(7)))


def _counting(ids: list[int]) -> QuerySet[Agreement]:
    """Return those of these agreements that are the latest of their supporter."""
    last = Agreement.objects.order_by().values("supporter").annotate(last=Max("pk")).values("last")
    return Agreement.objects.filter(pk__in=ids).filter(pk__in=last)


def _counts(ids: list[int]) -> set[int]:
    return set(_counting(ids).exclude(supporter__state="LEFT").values_list("pk", flat=True))


def _ends_soon(ids: list[int]) -> set[int]:
    rows = _counting(ids).filter(until__gte=localdate(tenancy.now()))
    return set(rows.exclude(supporter__state="LEFT").values_list("pk", flat=True))


def _until(agreement_id: int) -> datetime | None:
    until = Agreement.objects.values_list("until", flat=True).get(pk=agreement_id)
    return morning(until) if until else None


def _path(agreement_id: int) -> str:
    return reverse("agreement", args=[Site.objects.values_list("slug", flat=True).get(pk=tenancy.current_site_id())])
