"""How the sites are doing, for the province: a light and its reasons in words, never a number.

A crossing (docs/data-protection.md#crossings): a worker looks into each site and takes out three answers of yes or no.
What is late and unanswered has crossed already (`matching.alerts`), and the agreements of two sites are the province's
own.
"""

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from matching.matches.models import Alert
from psi import tenancy
from sites.crisis_lines import checks as crisis_checks
from sites.reference.queries import local_crisis_lines
from sites.tenants.models import Link, Site
from sites.tenants.queries import province
from tracker.operations.models import Standing
from training.commitment.agreement import REMIND_DAYS
from training.supporters.models import PeerSupporter

log = logging.getLogger("psi.operations")

# What was seen longer ago says nothing about today (docs/rules.md#operations).
FRESH = timedelta(days=1)
SOON, LATE = "soon", "late"
ALERTS: dict[str, Promise] = {
    Alert.Kind.MISSED: _("Nobody made contact in time, and nobody has acted for a day."),
    Alert.Kind.UNHEARD: _("A physician says that nobody has been in touch, and nobody has acted for a day."),
}
NUMBERS: dict[str, tuple[Promise, str]] = {
    Standing.Numbers.SOON: (_("A crisis number of its own has not been called for three months."), SOON),
    Standing.Numbers.LATE: (_("A crisis number of its own has not been called for half a year."), LATE),
}


@dataclass(frozen=True)
class SiteHealth:
    """A site as the province sees it.

    Attributes:
        reasons: why it needs a hand, in words, with the tone of each ("soon" or "late"); empty when it is on track.
        looked_at: when a worker last looked into it, if ever.
        is_current: whether that was lately. Without it, no reasons mean nothing.
    """

    site: Site
    reasons: list[tuple[str, str]]
    looked_at: datetime | None
    is_current: bool

    @property
    def tone(self) -> str:
        """The gravest tone of its reasons."""
        tones = {tone for _words, tone in self.reasons}
        return LATE if LATE in tones else SOON if tones else ""


def of_all_sites() -> list[SiteHealth]:
    """Return every local site, those that need a hand first; in the province's scope."""
    alerts = set(Alert.objects.order_by().values_list("origin_id", "kind").distinct())
    standings = {standing.of_id: standing for standing in Standing.objects.all()}
    ending = _ending_links(localdate(tenancy.now()))
    rows = []
    for site in Site.objects.exclude(kind=Site.Kind.PROVINCE).order_by("name"):
        standing = standings.get(site.pk)
        is_current = standing is not None and standing.looked_at >= tenancy.now() - FRESH
        reasons = [(str(words), LATE) for kind, words in ALERTS.items() if (site.pk, kind) in alerts]
        reasons += _reasons(site, standing) if standing and is_current else []
        reasons += ending.get(site.pk, [])
        rows.append(SiteHealth(site, reasons, standing.looked_at if standing else None, is_current))
    return sorted(rows, key=lambda health: ({LATE: 0, SOON: 1}.get(health.tone, 2), health.is_current))


def _reasons(site: Site, standing: Standing) -> list[tuple[str, str]]:
    reasons = []
    # A site that is still preparing has nobody yet, and that is as it should be.
    if standing.unmanned and site.takes_requests:
        reasons.append((gettext("No peer supporter is active: trained, with an agreement that holds."), LATE))
    if standing.unsigned:
        reasons.append((gettext("A peer supporter’s agreement ends within the month, or has ended."), SOON))
    if standing.numbers in NUMBERS:
        words, tone = NUMBERS[standing.numbers]
        reasons.append((str(words), tone))
    return reasons


def _ending_links(today: date) -> dict[int, list[tuple[str, str]]]:
    """Return site id → a reason for each agreement with another site that ends within the month."""
    rows = Link.objects.filter(ends_on__range=(today, today + timedelta(days=REMIND_DAYS)))
    reasons: dict[int, list[tuple[str, str]]] = {}
    for link in rows.select_related("one", "other").order_by("pk"):
        for site, other in ((link.one, link.other), (link.other, link.one)):
            words = gettext("Its agreement with %(site)s ends within the month.") % {"site": other.name}
            reasons.setdefault(site.pk, []).append((words, SOON))
    return reasons


def inspect_sites(*, now: datetime | None = None) -> None:
    """Look into every local site, one after the other, and note what was seen; twice changes nothing.

    A site that cannot be looked into is logged at ERROR, and keeps what was seen before; the others are looked into.

    Args:
        now: the moment to play; the database's clock when left out.
    """
    province_site = province()
    for site in Site.objects.exclude(kind=Site.Kind.PROVINCE).order_by("pk"):
        try:
            with tenancy.site_scope(site.pk, now=now), timezone.override(ZoneInfo(site.time_zone)):
                answers = _inspect()
            with tenancy.site_scope(province_site.pk, now=now):
                Standing.objects.update_or_create(of=site, defaults=answers | {"looked_at": tenancy.now()})
        except Exception as error:
            # Its kind alone: what an error says may quote a row.
            log.error("site %s could not be looked into: %s", site.pk, type(error).__name__)


def _inspect() -> dict[str, object]:
    """Return what may leave the current site: three answers, none of them a number."""
    today = localdate(tenancy.now())
    supporters = list(PeerSupporter.objects.filter(state=PeerSupporter.State.ACTIVE))
    # Agreements are signed at home, and whoever gave notice will sign no more.
    signing = [supporter for supporter in supporters if supporter.home_id is None and supporter.leaving_on is None]
    tones = {number.tone for number in crisis_checks.with_age(local_crisis_lines())}
    return {
        "unmanned": not any(supporter.ready_on(today) for supporter in supporters),
        "unsigned": any(
            (supporter.agreement_until or today) <= today + timedelta(days=REMIND_DAYS) for supporter in signing
        ),
        "numbers": "LATE" if "late" in tones else "SOON" if "soon" in tones else "CALLED",
    }
