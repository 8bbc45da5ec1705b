"""SQL and Python say the same of every supporter, for any roster and any request; and what never comes out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.timezone import localdate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.candidates import filters, ranking
from matching.candidates import queries as candidates
from matching.candidates.filters import MatchHistory
from matching.candidates.rules import HARD_REASONS, Candidate, Need, assess
from matching.matches.models import Match
from psi import tenancy, vault
from referrals.requests.models import Wish
from sites.reference.models import Specialty
from sites.tenants.models import Membership, Profile, Role, User
from tests.matching.test_ranking import peers as pure_peers
from tests.matching.test_rules import TODAY
from tests.people import World
from training.supporters import self_description
from training.supporters.models import Department, Evaluates, Gender, PeerSupporter, Practice, Stage, SupporterLoad
from training.supporters.surnames import surnames

NAMES = ["Dr Sam Gray", "Dr Pat O’Brien", "Gray, Alex", "Dr Jo van der Berg", "Dr Anh Le"]
IN_A_ROSTER = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Days from today; the rules turn at 0.
days = st.none() | st.integers(-2, 2)
people = st.fixed_dictionaries(
    {
        "name": st.sampled_from(NAMES),
        "role": st.sampled_from(["member", "member", "member", "ended", "lead"]),
        "state": st.sampled_from([*["ACTIVE"] * 4, "PREPARING", "LEFT"]),
        "stage": st.sampled_from(Stage.values),
        "practice": st.sampled_from(Practice.values),
        "gender": st.sampled_from(Gender.values),
        "french": st.booleans(),
        "specialty": st.sampled_from([None, 0, 1]),
        "trained": st.sampled_from([-1, -1, -1, 0, 1, None]),
        "agreement": st.sampled_from([1, 1, 1, 0, -1, None]),
        "paused": st.sampled_from([None, None, -1, 0]),
        "caps": st.tuples(st.integers(1, 7), st.integers(1, 3)),
        "loads": st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 1)),
        "matches": st.lists(st.none() | st.integers(0, 40), max_size=2),
        "departments": st.sets(st.integers(0, 1)),
        "known": st.sets(st.sampled_from([*(field.name for field in fields(MatchHistory)), "evaluators"]), max_size=1),
    }
)
needs = st.fixed_dictionaries(
    {
        "stage": st.sampled_from(Stage.values),
        "practice": st.sampled_from(Practice.values),
        "wishes": st.lists(st.sampled_from(["WOMAN", "MAN", "SPECIALTY", "STAGE", "FRENCH"]), max_size=3, unique=True),
        "departments": st.sets(st.integers(0, 1)),
        "avoid_surnames": st.sampled_from([frozenset(), frozenset({"gray"}), frozenset({"berg", "le"})]),
        "talk_in": st.sampled_from(["", "ENGLISH", "FRENCH"]),
        "specialty": st.sampled_from([None, 0, 1]),
    }
)


@contextmanager
def roster(world: World, people: list[dict[str, Any]], need: dict[str, Any]) -> Iterator[tuple[Need, MatchHistory]]:
    """Be in a site with this roster, and nothing of it afterwards; yields the request as the rules know it."""
    site = world.south
    with tenancy.site_scope(site.pk), transaction.atomic():
        PeerSupporter.objects.all().delete()
        today = localdate(tenancy.now())
        users = User.objects.bulk_create(User(email=f"p{i}@example.org") for i in range(len(people)))
        departments = Department.objects.bulk_create(Department(name=name) for name in ("Here", "There"))
        specialties = list(Specialty.objects.order_by("pk")[:2])
        names = [Profile(user=user, name=one["name"]) for user, one in zip(users, people, strict=True)]
        rows = [
            _row(one, profile, specialties, today)
            for one, profile in zip(people, Profile.objects.bulk_create(names), strict=True)
        ]
        PeerSupporter.objects.bulk_create(rows)
        for row, one in zip(rows, people, strict=True):
            _around(site, row, one, departments, today)
        ids = {
            name: {row.pk for row, one in zip(rows, people, strict=True) if name in one["known"]}
            for name in (*vars(MatchHistory()), "evaluators")
        }
        own = next((user for user, one in zip(users, people, strict=True) if "own" in one["known"]), None)
        asked = Need(
            **need
            | {
                "wishes": tuple(need["wishes"]),
                "departments": frozenset(departments[i].pk for i in need["departments"]),
                "avoid": frozenset(ids["excluded"]),
                "evaluators": frozenset(ids.pop("evaluators")),
                "specialty": "" if need["specialty"] is None else specialties[need["specialty"]].code,
                "email": vault.blind("email", own.email) if own else None,
            }
        )
        typed = {row.pk for row in rows if surnames(row.profile.name) & asked.avoid_surnames}
        ids |= {"excluded": ids["excluded"] | typed, "own": {own.pk} if own else set()}
        yield asked, MatchHistory(**{name: frozenset(found) for name, found in ids.items()})
        transaction.set_rollback(True)


def _row(one: dict[str, Any], profile: Profile, specialties: list[Specialty], today: date) -> PeerSupporter:
    def day(distance: int | None) -> date | None:
        return None if distance is None else today + timedelta(days=distance)

    return PeerSupporter(
        user=profile.user, profile=profile, state=one["state"], stage=one["stage"], practice=one["practice"],
        gender=one["gender"], speaks_french=one["french"], trained_on=day(one["trained"]),
        agreement_until=day(one["agreement"]), paused_until=day(one["paused"]), cap_year=one["caps"][0],
        cap_live=one["caps"][1], specialty=None if one["specialty"] is None else specialties[one["specialty"]],
    )  # fmt: skip


def _around(site: Any, row: PeerSupporter, one: dict[str, Any], departments: list[Department], today: date) -> None:
    at, (live, more, last_year) = tenancy.now(), one["loads"]
    role = Role.LEAD if one["role"] == "lead" else Role.SUPPORTER
    ended = at if one["role"] == "ended" else None
    Membership.objects.create(site=site, user=row.user, role=role, since=at, ended_at=ended)
    SupporterLoad.objects.bulk_create(
        [
            SupporterLoad(user=row.user, year=today.year, live=live, total=live + more),
            SupporterLoad(user=row.user, year=today.year - 1, live=last_year, total=7),
        ]
    )
    Evaluates.objects.bulk_create(Evaluates(supporter=row, department=departments[i]) for i in one["departments"])
    # The requests are nobody's: references are checked at the commit, which never comes.
    Match.objects.bulk_create(
        Match(
            referral_id=row.pk * 10 + n, supporter=row, invited_at=at, expires_at=at,
            state="INVITED" if ago is None else "COMPLETED",
            confirmed_at=None if ago is None else at - timedelta(days=ago),
        )
        for n, ago in enumerate(one["matches"])
    )  # fmt: skip


def judged(need: Need, known: MatchHistory) -> list[Candidate]:
    return candidates.assess_supporters(
        need, known, PeerSupporter.objects.exclude(state="LEFT").values_list("pk", flat=True)
    )


def parameters(need: Need, known: MatchHistory) -> dict[str, Any]:
    return filters.parameters(need, known, site=tenancy.current_site_id(), today=localdate(tenancy.now()))


def against(speaks: str, given: dict[str, Any]) -> set[int]:
    """Return whom an expression speaks against; one that is NULL for somebody would be an error."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, ({speaks}) FROM {filters.HERE}", given)
        rows = cursor.fetchall()
    assert {type(speaks) for _, speaks in rows} <= {bool}
    return {pk for pk, speaks in rows if speaks}


def test_every_rule_and_every_criterion_has_its_sql() -> None:
    assert list(filters.HARD) == [reason.code for reason in HARD_REASONS]
    assert set(filters.CRITERIA) == set(ranking.ORDER)
    assert len(ranking.ORDER) == len(set(ranking.ORDER))


@given(st.lists(people, max_size=7), needs)
@IN_A_ROSTER
def test_each_rule_in_sql_is_its_check(world: World, people: list[dict[str, Any]], need: dict[str, Any]) -> None:
    with roster(world, people, need) as (asked, known):
        found, given_ = judged(asked, known), parameters(asked, known)
        for code, speaks in (filters.HARD | filters.SOFT).items():
            told = {c.peer.supporter_id for c in found if code in {reason.code for reason in c.hard + c.soft}}
            assert (code, against(speaks, given_)) == (code, told)


@given(st.lists(people, max_size=9), needs)
@IN_A_ROSTER
def test_the_order_in_sql_is_that_of_rank_and_the_rest_is_counted(
    world: World, people: list[dict[str, Any]], need: dict[str, Any]
) -> None:
    with roster(world, people, need) as (asked, known):
        found, now = judged(asked, known), tenancy.now()
        ranked = [offer.candidate.peer.supporter_id for offer in ranking.rank(asked, found, now)]
        assert [row.pk for row in filters.first(parameters(asked, known))] == ranked
        # A wish that the vault alone can tell is ordered in Python, among those who come first.
        vague = replace(asked, wishes=(*asked.wishes, "PARENT"))
        assert ranking.rank(vague, candidates.first(vague, known), now) == ranking.rank(
            vague, judged(vague, known), now
        )
        offered, groups = candidates.left_out(asked, known)
        assert offered == len(ranked)
        names = {name for group in groups for name in group.names}
        assert names == {c.peer.name for c in found if c.hard}
        assert [(g.text, g.count) for g in groups] == [
            (text, n)
            for text in filters.TEXTS.values()
            if (n := sum(c.hard[:1] != [] and c.hard[0].text == text for c in found))
        ]


@given(st.lists(people, min_size=2, max_size=9), needs)
@IN_A_ROSTER
def test_whoever_may_not_be_asked_never_comes_out(
    world: World, people: list[dict[str, Any]], need: dict[str, Any]
) -> None:
    """Said once more in plain words, apart from `check_*` and SQL."""
    with roster(world, people, need) as (asked, known):
        today = localdate(tenancy.now())
        members = set(Membership.objects.filter(role="supporter", ended_at=None).values_list("user_id", flat=True))
        for candidate in ranking.rank(asked, candidates.first(asked, known), tenancy.now()):
            row = PeerSupporter.objects.select_related("profile", "user").get(pk=candidate.candidate.peer.supporter_id)
            assert row.ready_on(today) and row.user_id in members
            assert row.pk not in asked.avoid and surnames(row.profile.name).isdisjoint(asked.avoid_surnames)
            assert not Evaluates.objects.filter(supporter=row, department__in=asked.departments).exists()
            assert row.user_id not in known.own
            assert row.stage not in ("TRAINEE", "EARLY") or asked.stage not in ("MID", "LATE", "RETIRED")
            assert row.pk not in known.refused | known.current
            set_aside = bool(candidate.candidate.soft)
            carried = SupporterLoad.objects.filter(user=row.user)
            full = sum(load.live for load in carried) >= row.cap_live
            full |= sum(load.total for load in carried if load.year == today.year) >= row.cap_year
            paused = row.paused_until is not None and row.paused_until >= today
            below = row.stage == "MID" and asked.stage in ("LATE", "RETIRED")
            again = row.pk in known.before | known.tried | known.taken_back
            assert set_aside == (full or paused or below or again)


@given(st.lists(pure_peers, max_size=12, unique_by=lambda p: p.supporter_id), st.sampled_from(Stage.values))
def test_no_hard_reason_is_ever_among_the_offers(found: list[Any], stage: str) -> None:
    need = Need(stage=stage, avoid=frozenset(p.supporter_id for p in found[::3]))
    now = datetime(2027, 3, 10, tzinfo=UTC)
    offered = {o.candidate.peer.supporter_id for o in ranking.rank(need, [assess(need, p, TODAY) for p in found], now)}
    for peer in found:
        may = not peer.refused and peer.supporter_id not in need.avoid
        assert (peer.supporter_id in offered) == may or stage not in ("UNSAID", "TRAINEE", "EARLY")


# A large roster


def test_wishes_only_the_vault_can_tell_order_those_who_come_first(world: World, monkeypatch: Any) -> None:
    """Of many, so many are opened; who meets the wish comes first among them, and nobody else is opened."""
    monkeypatch.setattr(candidates, "VAULT_LIMIT", 3)
    monkeypatch.setattr(filters, "SHOWN", 2)
    person = dict.fromkeys(("specialty", "paused"), None) | {
        "name": "Dr Sam Gray", "role": "member", "state": "ACTIVE", "stage": "MID", "practice": "FAMILY", "gender": "WOMAN",
        "french": False, "trained": -1, "agreement": 1, "caps": (7, 2), "loads": (0, 0, 0), "matches": [],
        "departments": set(), "known": set(),
    }  # fmt: skip
    with roster(world, [person] * 5, {"wishes": ["PARENT"], "specialty": None, "departments": set()}) as (need, known):
        ids = list(PeerSupporter.objects.order_by("pk").values_list("pk", flat=True))
        for row in PeerSupporter.objects.filter(pk__in=ids[2:4]):
            self_description.set_description(row, [Wish.PARENT])
        assert [c.peer.supporter_id for c in candidates.first(need, known)] == ids[:3]
        offers = ranking.rank(need, candidates.first(need, known), tenancy.now())
        assert [offer.candidate.peer.supporter_id for offer in offers] == [ids[2], ids[0], ids[1]]
        assert [row.pk for row in filters.first(parameters(need, known), filters.SHOWN)] == ids[:2]
