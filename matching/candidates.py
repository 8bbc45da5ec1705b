"""The candidates for one request: what the rules need, in a fixed number of queries."""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Exists, Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.timezone import localdate

from matching.models import LIVE, Match
from matching.rules import Candidate, Need, Peer, judge
from psi import tenancy, vault
from referrals.models import Referral
from referrals.reach import spoken
from referrals.transitions import known_to_rules
from sites.models import Membership, Role
from training import names
from training.describe import described
from training.models import Evaluates, Language, PeerSupporter, SupporterLoad, Trait

# Asked for this request before, without a decline: the administrator may try again, and says why.
TRIED = (Match.State.REASSIGNED, Match.State.EXPIRED)


@dataclass(frozen=True)
class Readiness:
    """A line of the roster: the supporter, live and yearly load, and what stands in the way."""

    supporter: PeerSupporter
    live: int
    total: int
    obstacles: list[str]


def need_of(referral: Referral) -> Need:
    """Return what the rules know of a request. The vault is opened for them alone."""
    identity = known_to_rules(referral)
    return Need(
        stage=referral.stage,
        practice=referral.practice,
        wishes=identity.wishes,
        departments=frozenset(identity.departments),
        avoid=frozenset(identity.avoid),
        avoid_surnames=names.typed(identity.avoid_names),
        talk_in=spoken(identity),
        specialty=identity.specialty,
        email=vault.blinds(Referral.KIND, referral.pk).get("email"),
    )


def all_for(referral: Referral, need: Need) -> list[Candidate]:
    """Return every supporter of the current site with the reasons against them."""
    return _judged(referral, need, PeerSupporter.objects.exclude(state=PeerSupporter.State.LEFT))


def one(referral: Referral, supporter_id: int) -> Candidate:
    """Return one supporter, judged anew; for the move that is about to invite them."""
    found = _judged(referral, need_of(referral), PeerSupporter.objects.filter(pk=supporter_id))
    if not found:
        raise PeerSupporter.DoesNotExist
    return found[0]


def readiness() -> list[Readiness]:
    """Return the roster of the current site by name, with loads and what keeps each from matching."""
    today = localdate(tenancy.now())
    rows = _with_load(PeerSupporter.objects.exclude(state=PeerSupporter.State.LEFT))
    lines = []
    for row in rows.order_by("profile__name", "pk"):
        judged = judge(Need(), _peer(row), today)
        lines.append(Readiness(row, row.live, row.total, [r.text for r in judged.hard + judged.soft]))
    return lines


def _with_load(supporters: QuerySet[PeerSupporter]) -> QuerySet[Any]:
    """Add `live` and `total`: what the person carries now and took this year, in every roster."""
    load = SupporterLoad.objects.filter(user=OuterRef("user")).order_by().values("user")
    this_year = load.filter(year=localdate(tenancy.now()).year)
    return supporters.select_related("profile", "user", "specialty").annotate(
        member=Exists(
            Membership.objects.filter(site=OuterRef("site"), user=OuterRef("user"), role=Role.SUPPORTER, ended_at=None)
        ),
        live=Coalesce(Subquery(load.annotate(n=Sum("live")).values("n")), 0),
        total=Coalesce(Subquery(this_year.annotate(n=Sum("total")).values("n")), 0),
    )


def _judged(referral: Referral, need: Need, supporters: QuerySet[PeerSupporter]) -> list[Candidate]:
    departments: dict[int, set[int]] = defaultdict(set)
    for supporter_id, department_id in Evaluates.objects.values_list("supporter_id", "department_id"):
        departments[supporter_id].add(department_id)
    asked: dict[int, set[str]] = defaultdict(set)
    known: set[int] = set()
    for supporter_id, state, why in Match.objects.filter(referral=referral).values_list("supporter_id", "state", "why"):
        asked[supporter_id].add(state)
        if why in (Match.Why.KNOWN, Match.Why.WISH):
            known.add(supporter_id)
    confirmed = Match.objects.filter(confirmed_at__isnull=False)
    others = vault.same_person(Referral.KIND, referral.pk)
    before = set(confirmed.filter(referral_id__in=others).values_list("supporter_id", flat=True))
    last = dict(confirmed.values("supporter_id").annotate(at=Max("confirmed_at")).values_list("supporter_id", "at"))
    today = localdate(tenancy.now())
    rows = list(_with_load(supporters))
    # Opened for a wish alone; French stands on the roster.
    asks = not {*need.wishes, need.talk_in}.isdisjoint({*Trait.values, *Language.values} - {Language.FRENCH})
    said = described(rows) if asks else {}
    return [
        judge(
            need,
            replace(
                _peer(row),
                departments=frozenset(departments[row.pk]),
                email=vault.blind("email", row.user.email),
                refused=Match.State.DECLINED in asked[row.pk] or row.pk in known,
                asked=not asked[row.pk].isdisjoint(LIVE),
                tried=not asked[row.pk].isdisjoint(TRIED),
                taken_back=Match.State.REVOKED in asked[row.pk],
                matched_before=row.pk in before,
                last_match=last.get(row.pk),
                described=said.get(row.pk, frozenset()),
            ),
            today,
        )
        for row in rows
    ]


def _peer(row: Any) -> Peer:
    return Peer(
        supporter_id=row.pk,
        user_id=row.user_id,
        name=row.profile.name,
        # Whose role has ended cannot sign in for it any more, whatever the roster says.
        state=row.state if row.member else PeerSupporter.State.LEFT,
        stage=row.stage,
        practice=row.practice,
        gender=row.gender,
        french=row.speaks_french,
        specialty=row.specialty.name if row.specialty else "",
        specialty_code=row.specialty.code if row.specialty else "",
        trained_on=row.trained_on,
        agreement_until=row.agreement_until,
        paused_until=row.paused_until,
        cap_year=row.cap_year,
        cap_live=row.cap_live,
        live=row.live,
        total=row.total,
    )
