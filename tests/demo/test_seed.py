"""The demonstration data: the same seed gives the same, all of it by the program's own rules."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from demo.seed import province as seed
from demo.seed.people import CASTS
from demo.views import FIRST_SITE
from matching.candidates.rules import Need, Peer, check_early_with_senior
from matching.matches.models import LIVE, Match, MatchEvent
from psi.tenancy import site_scope
from referrals.requests.identity import open_for_rules
from referrals.requests.models import Referral, ReferralEvent
from sites.engine import audit, today
from sites.engine.models import AuditEntry, Due, Fact, Notice
from sites.tenants.models import Membership, Role, Site
from tracker.conversations.models import Interaction
from tracker.figures import panels, reporting_periods, rollups
from tracker.survey import transitions as survey
from tracker.survey.models import HeldAnswer, SurveyAnswer
from training.supporters.models import Evaluates, PeerSupporter, SupporterLoad

pytestmark = pytest.mark.xdist_group("seed")
ANCHOR = datetime(2026, 11, 18, 17, 20, tzinfo=UTC)
# Enough history for every turn a story may take; the eighteen months have a test of their own below.
MONTHS = 1


@pytest.fixture(scope="module")
def digests(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Any, Any]]:
    """Load twice, and stay in the second; what the data says of itself after each."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            assert seed.load(anchor=ANCHOR, months=MONTHS)
            first = said_by_all()
            transaction.set_rollback(True)
        with transaction.atomic():
            assert seed.load(anchor=ANCHOR, months=MONTHS)
            yield first, said_by_all()
            transaction.set_rollback(True)


@pytest.fixture
def loaded(digests: Any) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def sites() -> list[Site]:
    return list(Site.objects.filter(slug__in=[cast.slug for cast in CASTS]).order_by("slug"))


def said_by_all() -> dict[str, Any]:
    """Return what the rows say, apart from ids and what is random on purpose (keys, digests, references)."""
    return {site.slug: said_by(site) for site in sites()} | {
        "loads": list(
            SupporterLoad.objects.order_by("user__email", "year").values_list("user__email", "year", "live", "total")
        ),
        "due": list(Due.objects.order_by("site__slug", "at", "kind").values_list("site__slug", "kind", "at")),
        "roles": list(Membership.objects.order_by("pk").values_list("site__slug", "user__email", "role", "since")),
    }


def said_by(site: Site) -> list[Any]:
    with site_scope(site.pk, now=ANCHOR):
        return [
            [
                (name, referral.state, referral.outcome, referral.stage, referral.received_at)
                for referral in Referral.objects.order_by("pk")
                # Handed over to the province, nothing of it is left here.
                for name in [open_for_rules(referral).name if referral.sealed else ""]
            ],
            list(ReferralEvent.objects.order_by("pk").values_list("source", "target", "why", "by__email", "at")),
            list(
                Match.objects.order_by("pk").values_list(
                    "state", "why", "supporter__user__email", "invited_at", "window_step"
                )
            ),
            list(MatchEvent.objects.order_by("pk").values_list("source", "target", "why", "by__email", "at")),
            list(Interaction.objects.order_by("pk").values_list("month", "number", "way", "minutes", "ease", "key")),
            list(
                AuditEntry.objects.order_by("number").values_list("action", "object_kind", "role", "actor__email", "at")
            ),
            list(Notice.objects.order_by("pk").values_list("kind", "recipient__email", "created_at", "sent_at")),
            sorted(Counter(Fact.objects.values_list("month", "measure", "category")).items()),
            list(
                PeerSupporter.objects.order_by("pk").values_list("user__email", "stage", "trained_on", "paused_until")
            ),
        ]


def test_the_same_seed_and_day_give_the_same_rows(digests: tuple[Any, Any]) -> None:
    first, second = digests
    assert first == second
    assert len(first["harbour"][0]) > 15


def test_every_state_the_code_can_reach_is_there(loaded: None) -> None:
    referrals: set[tuple[str, str | None]] = set()
    matches: set[str] = set()
    for site in sites():
        with site_scope(site.pk):
            referrals |= set(Referral.objects.values_list("state", "outcome"))
            matches |= set(Match.objects.values_list("state", flat=True))
    reached = {"OPEN", "AWAITING"} | {goal for _, goal in Referral.MOVES.values()}
    assert {state for state, _ in referrals} == reached
    assert {outcome for _, outcome in referrals} == {None, *Referral.Outcome.values}
    assert matches == set(Match.State.values)


def test_today_of_the_first_site_has_a_row_of_every_kind(loaded: None) -> None:
    site = Site.objects.get(slug=FIRST_SITE)
    with site_scope(site.pk, now=ANCHOR):
        rows = today.items(site.slug)
        windows = Counter(row.window.state for row in rows if row.window)
    assert Counter(row.label for row in rows if not row.quiet) == {
        "Choose a peer": 3,
        "Invite Dr. Elin Spruce": 1,
        "Find another peer": 1,
        "Open": 3,
        "Open the request": 1,
        "Confirm the match": 1,
        "Close the request": 1,
    }
    assert Counter(row.label for row in rows if row.quiet) == {"Open": 6}
    assert windows == {"late": 1, "soon": 1, "": 3}


def test_nothing_of_the_past_is_due_and_no_mail_of_it_waits(loaded: None) -> None:
    assert list(Due.objects.filter(at__lte=ANCHOR).values_list("site__slug", "kind")) == []
    assert {"WINDOW", "INVITATION"} <= set(Due.objects.values_list("kind", flat=True))
    for site in sites():
        with site_scope(site.pk):
            assert Notice.objects.filter(sent_at=None, dropped_at=None).count() == 0
            assert Notice.objects.exists()


def test_the_audit_chain_holds_in_order_of_time_and_the_figures_are_a_recount(loaded: None) -> None:
    for site in sites():
        with site_scope(site.pk):
            assert audit.broken_links() == []
            times = list(AuditEntry.objects.order_by("number").values_list("at", flat=True))
            assert times == sorted(times)
            assert times[-1] <= ANCHOR
            assert rollups.differences() == []


def test_physicians_have_answered_and_fewer_than_five_wait(loaded: None) -> None:
    answered = 0
    for site in sites():
        with site_scope(site.pk):
            assert HeldAnswer.objects.count() < survey.BATCH_SIZE
            assert Fact.objects.filter(measure=survey.KIND).count() == SurveyAnswer.objects.count()
            here = HeldAnswer.objects.count() + SurveyAnswer.objects.count()
            assert here == Referral.objects.filter(surveyed=True).count()
            answered += here
    assert answered > 0


def test_no_match_breaks_a_hard_rule(loaded: None) -> None:
    broken = []
    for site in sites():
        with site_scope(site.pk):
            evaluates = set(Evaluates.objects.values_list("supporter_id", "department_id"))
            for match in Match.objects.select_related("referral", "supporter"):
                peer, day = match.supporter, match.invited_at.date()
                departments = open_for_rules(match.referral).departments
                if (
                    not peer.ready_on(day)
                    or _too_early(match.referral, peer, day)
                    or any((peer.pk, department) in evaluates for department in departments)
                ):
                    broken.append(match)
    assert broken == []


def _too_early(referral: Referral, peer: PeerSupporter, day: date) -> bool:
    said = dict.fromkeys(("supporter_id", "user_id", "cap_year", "cap_live"), 1) | dict.fromkeys(
        ("name", "state", "gender"), ""
    )
    nothing = dict.fromkeys(("trained_on", "agreement_until", "paused_until"))
    known = Peer(**said, **nothing, stage=peer.stage, practice="UNSAID", french=False, specialty="")  # type: ignore[arg-type]
    return check_early_with_senior(Need(stage=referral.stage), known, day) is not None


def test_the_load_of_each_person_is_what_their_matches_say(loaded: None) -> None:
    live: Counter[int] = Counter()
    for site in sites():
        with site_scope(site.pk):
            carried = Match.objects.filter(state__in=LIVE, accepted_at__isnull=False)
            live.update(carried.values_list("supporter__user_id", flat=True))
    kept: Counter[int] = Counter()
    for user_id, count in SupporterLoad.objects.values_list("user_id", "live"):
        kept[user_id] += count
    assert +kept == live


def test_supporters_show_every_reason_not_to_be_offered(loaded: None) -> None:
    site = Site.objects.get(slug=FIRST_SITE)
    with site_scope(site.pk):
        rows = PeerSupporter.objects
        assert rows.filter(trained_on=None).count() == 3  # two of them are on their way
        assert rows.filter(agreement_until__lt=ANCHOR.date()).count() == 1
        assert rows.filter(paused_until__gt=ANCHOR.date()).count() == 1
        cora = rows.get(profile__name="Dr. Cora Alder")
    load = SupporterLoad.objects.filter(user_id=cora.user_id)
    assert sum(row.live for row in load) == cora.cap_live


def test_who_was_trained_is_in_the_figures(loaded: None) -> None:
    year = reporting_periods.fiscal_year(ANCHOR.date())
    counts = {}
    for site in sites():
        with site_scope(site.pk, now=ANCHOR):
            counts[site.slug] = panels.totals(year, year)[1]["TRAINED", "ALL"]
    assert counts == {"coastal-section": 0, "harbour": 1, "north-islands": 0, "province": 0}


def test_two_of_the_provinces_roster_are_in_a_local_one_too(loaded: None) -> None:
    rosters = Membership.objects.filter(role=Role.SUPPORTER).order_by("user__email")
    twice = [email for email, n in Counter(rosters.values_list("user__email", flat=True)).items() if n == 2]
    assert twice == ["elin.spruce@example.org", "nora.juniper@example.org"]
    assert rosters.filter(site__slug="province").count() == 4


def test_it_is_loaded_once_and_found_with_one_query(loaded: None) -> None:
    before = Site.objects.count()
    assert seed.load(anchor=ANCHOR) is False
    with CaptureQueriesContext(connection) as queries:
        call_command("load_demo")
    assert len(queries) == 1
    assert Site.objects.count() == before
