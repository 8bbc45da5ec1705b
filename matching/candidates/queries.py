"""The candidates for one request: what the rules need, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.timezone import localdate

from matching.candidates import filters
from matching.candidates.filters import MatchHistory
from matching.candidates.rules import Candidate, Need, Peer, assess
from matching.matches.models import LIVE, Match
from psi import tenancy, vault
from referrals.requests.contact_wishes import language_to_talk_in
from referrals.requests.evaluators import evaluators
from referrals.requests.identity import open_for_rules
from referrals.requests.models import Referral
from sites.tenants.models import User
from training.supporters import surnames
from training.supporters.models import Evaluates, Language, PeerSupporter, Trait
from training.supporters.self_description import described

# Asked for this request before, without a decline: the administrator may try again, and says why.
TRIED = (Match.State.REASSIGNED, Match.State.EXPIRED)
# What supporters say of themselves is sealed one by one: for a wish about it, so many who come first are opened
# (docs/rules.md#candidate-order).
VAULT_LIMIT = 200
_ON_ROSTER = {Language.FRENCH, Language.ENGLISH}
# So few left out are named at once (docs/rules.md#candidate-order).
MAX_NAMED = 12


@dataclass(frozen=True)
class Group:
    """Those left out for one reason: how many, and their names where all who are left out are few."""

    code: str
    text: str
    count: int
    names: list[str]


@dataclass(frozen=True)
class Readiness:
    """A line of the roster: the supporter, live and yearly load, and what stands in the way."""

    supporter: PeerSupporter
    live: int
    total: int
    obstacles: list[str]


def need_of(referral: Referral) -> Need:
    """Return what the rules know of a request. The vault is opened for them alone."""
    identity = open_for_rules(referral)
    return Need(
        stage=referral.stage,
        practice=referral.practice,
        wishes=identity.wishes,
        departments=frozenset(identity.departments),
        evaluators=evaluators(identity.name, identity.email),
        avoid=frozenset(identity.avoid),
        avoid_surnames=surnames.name_words(identity.avoid_names),
        talk_in=language_to_talk_in(identity),
        specialty=identity.specialty,
        email=vault.blinds(Referral.KIND, referral.pk).get("email"),
        address=identity.email,
    )


def first(need: Need, history: MatchHistory) -> list[Candidate]:
    """Return those who come first of the current site's roster; a wish that only the vault can tell opens more.

    `ranking.rank` puts them into order, and the page shows `filters.SHOWN` of them.
    """
    rows = filters.first(_parameters(need, history), VAULT_LIMIT if needs_vault(need) else filters.SHOWN)
    return _assess_rows(need, history, rows)


def candidate_for(referral: Referral, supporter_id: int) -> Candidate:
    """Return one supporter, judged anew; for the move that is about to invite them."""
    need = need_of(referral)
    candidates = assess_supporters(need, history_of(referral, need), [supporter_id])
    if not candidates:
        raise PeerSupporter.DoesNotExist
    return candidates[0]


def assess_supporters(need: Need, history: MatchHistory, supporter_ids: Iterable[int]) -> list[Candidate]:
    """Return these supporters with every reason against them, in a fixed number of queries."""
    return _assess_rows(need, history, filters.by_ids(_parameters(need, history), supporter_ids))


def left_out(need: Need, history: MatchHistory) -> tuple[int, list[Group]]:
    """Return how many can be offered, and the others grouped by what stands in their way first; few with names."""
    values = _parameters(need, history)
    counts = filters.counts(values)
    offered = counts.pop("", 0)
    named: dict[str, list[str]] = defaultdict(list)
    if 0 < sum(counts.values()) <= MAX_NAMED:
        for code, name in filters.left_out(values, list(counts), limit=MAX_NAMED):
            named[code].append(name)
    return offered, [
        Group(code, text, counts[code], named[code]) for code, text in filters.TEXTS.items() if code in counts
    ]


def names_left_out(need: Need, history: MatchHistory, code: str, page: int) -> list[str]:
    """Return the names left out for one reason, from page 1 on; one more than a page, if there is another."""
    values, skip = _parameters(need, history), (page - 1) * filters.SHOWN
    return [name for _, name in filters.left_out(values, [code], limit=filters.SHOWN + 1, skip=skip)]


def readiness() -> list[Readiness]:
    """Return the roster of the current site by name, with loads and what keeps each from matching."""
    supporters = list(
        PeerSupporter.objects.exclude(state=PeerSupporter.State.LEFT)
        .select_related("profile", "user", "specialty")
        .order_by("profile__name", "pk")
    )
    peers = {c.peer.supporter_id: c for c in assess_supporters(Need(), MatchHistory(), [row.pk for row in supporters])}
    return [
        Readiness(row, candidate.peer.live, candidate.peer.total, [r.text for r in candidate.hard + candidate.soft])
        for row in supporters
        for candidate in [peers[row.pk]]
    ]


def history_of(referral: Referral, need: Need) -> MatchHistory:
    """Return what earlier invitations, earlier requests and names say of supporters for this request."""
    by_state: dict[str, set[int]] = defaultdict(set)
    for supporter_id, state, why in Match.objects.filter(referral=referral).values_list("supporter_id", "state", "why"):
        apart = why in (Match.Why.KNOWN, Match.Why.WISH)
        by_state[Match.State.DECLINED if apart else state].add(supporter_id)
        by_state[state].add(supporter_id)
    others = vault.same_person(Referral.KIND, referral.pk)
    before = Match.objects.filter(referral_id__in=others, confirmed_at__isnull=False) if others else None
    accounts = User.objects.filter(email=vault.normal("email", need.address)) if need.email and need.address else []
    return MatchHistory(
        refused=frozenset(by_state[Match.State.DECLINED]),
        current=frozenset().union(*(by_state[state] for state in LIVE)),
        tried=frozenset().union(*(by_state[state] for state in TRIED)),
        taken_back=frozenset(by_state[Match.State.REVOKED]),
        before=frozenset(before.values_list("supporter_id", flat=True)) if before is not None else frozenset(),
        excluded=need.avoid | _excluded_by_surname(need),
        own=frozenset(user.pk for user in accounts if vault.blind("email", user.email) == need.email),
    )


def needs_vault(need: Need) -> bool:
    """Does a wish ask for what supporters say of themselves alone? French stands on the roster."""
    return not {*need.wishes, need.talk_in}.isdisjoint({*Trait.values, *Language.values} - _ON_ROSTER)


def _excluded_by_surname(need: Need) -> frozenset[int]:
    """Return the ids of those whose surname was typed; names are read only then."""
    if not need.avoid_surnames:
        return frozenset()
    rows = PeerSupporter.objects.values_list("pk", "profile__name")
    return frozenset(pk for pk, name in rows if surnames.surnames(name) & need.avoid_surnames)


def _parameters(need: Need, history: MatchHistory) -> dict[str, Any]:
    return filters.parameters(need, history, site=tenancy.current_site_id(), today=localdate(tenancy.now()))


def _assess_rows(need: Need, history: MatchHistory, rows: list[Any]) -> list[Candidate]:
    today = localdate(tenancy.now())
    departments: dict[int, set[int]] = defaultdict(set)
    if need.departments:
        evaluates = Evaluates.objects.filter(
            supporter_id__in=[row.pk for row in rows], department_id__in=need.departments
        )
        for supporter_id, department_id in evaluates.values_list("supporter_id", "department_id"):
            departments[supporter_id].add(department_id)
    descriptions = described(rows) if needs_vault(need) else {}
    return [
        assess(
            need,
            Peer(
                supporter_id=row.pk,
                user_id=row.user_id,
                name=row.name,
                # Whose role has ended cannot sign in for it any more, whatever the roster says.
                state=row.state if row.member else PeerSupporter.State.LEFT,
                stage=row.stage,
                practice=row.practice,
                gender=row.gender,
                french=row.speaks_french,
                specialty=row.field or "",
                specialty_code=row.specialty or "",
                trained_on=row.trained_on,
                agreement_until=row.agreement_until,
                paused_until=row.paused_until,
                cap_year=row.cap_year,
                cap_live=row.cap_live,
                live=int(row.live),
                total=int(row.total),
                invited=row.invited,
                last_match=row.last_match,
                departments=frozenset(departments[row.pk]),
                email=vault.blind("email", row.email) if need.email else None,
                refused=row.pk in history.refused,
                has_request=row.pk in history.current,
                tried=row.pk in history.tried,
                taken_back=row.pk in history.taken_back,
                matched_before=row.pk in history.before,
                described=descriptions.get(row.pk, frozenset()),
            ),
            today,
        )
        for row in rows
    ]
