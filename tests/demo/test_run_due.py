"""`manage.py run_due --at`: time is played forward, and twice changes nothing."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from demo.management.commands.run_due import read_moment
from matching.matches.models import Match, MatchEvent
from psi.tenancy import site_scope
from sites.engine.models import Fact, Notice
from tests import line
from tests.people import World

NOW = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)


def run(at: str | None = None) -> str:
    said = StringIO()
    call_command("run_due", *(["--at", at] if at else []), stdout=said)
    return said.getvalue()


def test_a_window_is_missed_exactly_once_however_often_it_is_played(world: World) -> None:
    match = line.confirmed(world)
    run()
    mail.outbox.clear()
    first = run("+73h")
    sent = len(mail.outbox)
    second = run("+73h")
    with site_scope(match.site_id):
        missed = MatchEvent.objects.filter(match=match, why=Match.Why.MISSED)
        assert missed.count() == 1
        # Dated with the moment that was played.
        assert timedelta(hours=73) <= missed.get().at - match.confirmed_at < timedelta(hours=73, minutes=5)
        assert Fact.objects.filter(measure="WINDOW", category="MISSED").count() == 1
        assert Notice.objects.filter(kind="WINDOW_72").count() == 1
        assert Notice.objects.filter(sent_at=None, dropped_at=None).count() == 0
    # Two nudges to the supporter, at 48 and at 72 hours a word to the administrator.
    assert sent == 4
    assert len(mail.outbox) == sent
    assert "WINDOW 1" in first
    assert second.rstrip().endswith(": 0 handled.")


def test_now_is_what_it_plays_when_no_moment_is_given(world: World) -> None:
    match = line.confirmed(world)
    assert "handled" in run()
    with site_scope(match.site_id):
        assert MatchEvent.objects.filter(match=match, why=Match.Why.NUDGE).count() == 0


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("+30m", NOW + timedelta(minutes=30)),
        ("+73h", NOW + timedelta(hours=73)),
        ("+2d", NOW + timedelta(days=2)),
        ("2026-11-02T10:00-08:00", NOW + timedelta(hours=1)),
        ("2026-11-03T00:00Z", NOW + timedelta(hours=7)),
    ],
)
def test_moments_are_read_as_meant(text: str, moment: datetime) -> None:
    assert read_moment(text, NOW) == moment


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tomorrow", "is not a time"),
        ("+3w", "is not a time"),
        ("-3h", "is not a time"),
        ("2026-11-03T09:00", "has no zone"),
        ("2026-11-01T09:00-08:00", "has passed already"),
        ("+999999999d", "years ahead"),
    ],
)
def test_what_is_no_moment_is_refused_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        read_moment(text, NOW)


def test_it_refuses_outside_the_local_run(world: World, settings: Any) -> None:
    settings.PSI_LOCAL = False
    for command in ("run_due", "load_demo"):
        with pytest.raises(CommandError, match="local run only"):
            call_command(command)
