"""A supporter of one site in the roster of another: at the province, or at a site linked by an agreement.

Crossings (docs/data-protection.md#crossings). The home site keeps the person's readiness and limits, the other roster
a copy of them. The home row is locked before a copy, and a copy never before its home row, so no two can wait for each
other.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.db.models import Q
from django.utils.timezone import localdate, make_aware
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import agenda, audit
from sites.engine.audit import Actor
from sites.engine.moves import Refused, move
from sites.people import transitions as people
from sites.tenants.models import Link, Membership, Profile, Role, Site
from sites.tenants.queries import province
from training.supporters import self_description
from training.supporters.models import PeerSupporter

LINK = "LINK"
DAY, YEAR = timedelta(days=1), timedelta(days=365)
COPIED = (
    "practice",
    "stage",
    "specialty_id",
    "gender",
    "speaks_french",
    "trained_on",
    "agreement_until",
    "cap_year",
    "cap_live",
    "paused_until",
)


def link(*, one: Site, other: Site, reference: str, signed_on: date, ends_on: date | None, by: Actor) -> None:
    """Record the agreement of two sites, or its renewal; called in the province's scope."""
    one, other = sorted((one, other), key=lambda site: site.pk)
    terms = {"reference": reference, "signed_on": signed_on, "ends_on": ends_on}
    row, _new = Link.objects.update_or_create(one=one, other=other, defaults=terms)
    audit.record("LINKED", "LINK", row.pk, by=by)
    agenda.cancel(LINK, [row.pk])
    if ends_on is not None:
        agenda.schedule(LINK, [row.pk], make_aware(datetime.combine(ends_on + DAY, time())))


def unlink(row: Link, *, by: Actor) -> None:
    """End an agreement now: nothing more is handed over or lent, and who was lent comes back."""
    row.ends_on = localdate(tenancy.now()) - DAY
    row.save(update_fields=["ends_on"])
    audit.record("UNLINKED", "LINK", row.pk, by=by)
    agenda.schedule(LINK, [row.pk], tenancy.now())


def handle_links(ids: list[int]) -> None:
    """Bring home who was lent under an agreement that has ended; one who supports someone there, when that is over."""
    for row in Link.objects.filter(pk__in=ids, ends_on__lt=localdate(tenancy.now())).order_by("pk"):
        for at, home in ((row.one_id, row.other_id), (row.other_id, row.one_id)):
            if not _bring_home(at, home):
                agenda.schedule(LINK, [row.pk], tenancy.now() + DAY)


def _bring_home(at: int, home: int) -> bool:
    """End the help of those who stand in the roster of site `at` by the word of `home`; False if one is busy there."""
    with tenancy.site_scope(at):
        copies = PeerSupporter.objects.filter(home_id=home).exclude(state=PeerSupporter.State.LEFT)
        memberships = Membership.objects.filter(
            site_id=at, user__in=copies.values("user"), role=Role.SUPPORTER, ended_at=None
        )
        busy = 0
        for membership in memberships.order_by("pk"):
            try:
                people.end_role(membership, by=audit.SYSTEM)
            except Refused:
                # No new match meanwhile.
                copies.filter(user_id=membership.user_id).update(paused_until=localdate(tenancy.now()) + YEAR)
                busy += 1
            else:
                _end_copy(membership.user_id, by=audit.SYSTEM)
        return busy == 0


def linked(site: Site) -> list[Site]:
    """Return the sites that `site` may hand requests and lend supporters to today, beside the province."""
    today = localdate(tenancy.now())
    rows = Link.objects.filter(Q(one=site) | Q(other=site), signed_on__lte=today)
    pairs = rows.exclude(ends_on__lt=today).values_list("one_id", "other_id")
    ids = {site_id for pair in pairs for site_id in pair} - {site.pk}
    return list(Site.objects.filter(pk__in=ids).order_by("name"))


def elsewhere(site: Site) -> list[Site]:
    """Return the rosters in which a supporter of `site` may help as well."""
    return [] if site.is_province else [province(), *linked(site)]


def lent_to(supporter: PeerSupporter) -> set[int]:
    """Return the ids of the other sites in whose roster the person stands by the word of this one."""
    return {site_id for site_id, _copy in _copies(supporter)}


def lend(supporter_id: int, *, to: Site, by: Actor) -> None:
    """Enrol a supporter in the roster of another site; for one who stands in it already, nothing changes.

    Raises:
        Refused: they are not active here, or the sites are not linked (any more).
    """
    supporter = PeerSupporter.objects.select_for_update(no_key=True).select_related("profile").get(pk=supporter_id)
    site = Site.objects.get(pk=tenancy.current_site_id())
    if supporter.state != PeerSupporter.State.ACTIVE or supporter.home_id is not None or supporter.leaving_on:
        raise Refused("NOT_ACTIVE", _("Only an active peer supporter can help outside."))
    if to not in elsewhere(site):
        raise Refused("NOT_LINKED", _("There is no agreement between these two sites any more."))
    if to.pk in lent_to(supporter):
        return
    name = supporter.profile.name
    audit.record("LENT", PeerSupporter.KIND, supporter.pk, by=by)
    with tenancy.site_scope(to.pk):
        own = PeerSupporter.objects.filter(user_id=supporter.user_id).exclude(state=PeerSupporter.State.LEFT)
        if own.exists():
            raise Refused("IN_ROSTER", _("You are in that roster already, in your own right."))
        people.borrow(to, supporter.user_id, name, by=by)
        copy = _begin_copy(supporter.user_id, site, by=by)
        audit.record("BORROWED", PeerSupporter.KIND, copy.pk, by=by)
    mirror(supporter)


def take_back(supporter_id: int, *, at: Site, by: Actor) -> None:
    """End the help in another roster; for one who is not lent there, nothing changes.

    Raises:
        Refused: they are supporting someone there.
    """
    supporter = PeerSupporter.objects.select_for_update(no_key=True).get(pk=supporter_id)
    if at.pk not in lent_to(supporter):
        return
    with tenancy.site_scope(at.pk):
        membership = Membership.objects.get(site=at, user_id=supporter.user_id, role=Role.SUPPORTER, ended_at=None)
        try:
            people.end_role(membership, by=by)
        except Refused as refused:
            sentence = _("You are asked to support a colleague there, or do so now. Answer or finish that first.")
            raise Refused("BUSY_THERE", sentence) from refused
        _end_copy(supporter.user_id, by=by)
    audit.record("TAKEN_BACK", PeerSupporter.KIND, supporter.pk, by=by)


def mirror(supporter: PeerSupporter) -> None:
    """Copy readiness, limits and what the person says of themself to wherever they are lent to."""
    copies = list(_copies(supporter))
    if not copies:
        return
    codes = self_description.described([supporter]).get(supporter.pk, frozenset())
    evaluated = self_description.evaluated([supporter]).get(supporter.pk, "")
    columns = {column: getattr(supporter, column) for column in COPIED}
    for site_id, copy_id in copies:
        with tenancy.site_scope(site_id):
            PeerSupporter.objects.filter(pk=copy_id).update(**columns)
            copy = PeerSupporter.objects.get(pk=copy_id)
            self_description.set_description(copy, codes)
            if evaluated or copy.evaluated is not None:
                self_description.set_evaluated(copy, evaluated)


def _begin_copy(user_id: int, home: Site, *, by: Actor) -> PeerSupporter:
    """Return the row of a lent supporter in the current site's roster: a new one, or the one of before."""
    profile = Profile.objects.get(user_id=user_id)
    copy = PeerSupporter.objects.select_for_update(no_key=True).filter(user_id=user_id).first()
    if copy is None:
        return PeerSupporter.objects.create(
            user_id=user_id, profile=profile, state=PeerSupporter.State.ACTIVE, home=home
        )
    copy.profile, copy.home, copy.leaving_on = profile, home, None
    move(copy, "activate", by=by, also=("profile", "home", "leaving_on"))
    return copy


def _end_copy(user_id: int, *, by: Actor) -> None:
    """Let the row of a lent supporter leave the roster of the current site."""
    copy = PeerSupporter.objects.select_for_update(no_key=True).get(user_id=user_id)
    if copy.state != PeerSupporter.State.LEFT:
        move(copy, "leave", by=by)


def _copies(supporter: PeerSupporter) -> Iterator[tuple[int, int]]:
    home = tenancy.current_site_id()
    memberships = Membership.objects.filter(user_id=supporter.user_id, role=Role.SUPPORTER, ended_at=None)
    for site_id in memberships.exclude(site_id=home).order_by("site_id").values_list("site_id", flat=True):
        with tenancy.site_scope(site_id):
            rows = PeerSupporter.objects.filter(user_id=supporter.user_id, home_id=home)
            copy_id = rows.exclude(state=PeerSupporter.State.LEFT).values_list("pk", flat=True).first()
        if copy_id is not None:
            yield site_id, copy_id
