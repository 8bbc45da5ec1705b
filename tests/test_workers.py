"""Workers, beats and a broker that die: nothing is lost, nothing is said twice without a kill."""

import random
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from matching.invitations import transitions
from matching.matches.models import MatchEvent
from psi import tenancy
from psi.tenancy import site_scope
from sites.engine.models import Due, Notice
from tests import line, smtp_sink
from tests.people import World
from tests.processes import Valkey, Worker, environment, script, wait_for, workers
from tests.smtp_sink import Sink
from training.supporters.models import PeerSupporter

pytestmark = pytest.mark.xdist_group("workers")
TICK = settings.PSI_TICK_SECONDS


@dataclass
class House:
    """Two workers and two beats at one database, one broker and one mail server."""

    valkey: Valkey
    sink: Sink
    workers: list[Worker]


@pytest.fixture(scope="module")
def house(django_db_setup: None) -> Iterator[House]:
    with tempfile.TemporaryDirectory() as folder, smtp_sink.running() as sink:
        valkey = Valkey(Path(folder))
        valkey.up()
        try:
            with workers(Path(folder), valkey, sink, worker=2, beat=2) as started:
                yield House(valkey, sink, started)
        finally:
            valkey.kill()


@pytest.fixture(autouse=True)
def fresh_sink(request: pytest.FixtureRequest) -> None:
    if "house" in request.fixturenames:
        sink = request.getfixturevalue("house").sink
        sink.mails.clear()
        sink.delay = 0.0


def unsent() -> int:
    return Due.objects.filter(kind="NOTICE").count()


def all_sent(world: World) -> bool:
    with site_scope(world.north.pk):
        return not Notice.objects.filter(sent_at=None).exists() and unsent() == 0


def message_ids(world: World) -> set[str]:
    with site_scope(world.north.pk):
        return {f"<{message_id}@localhost>" for message_id in Notice.objects.values_list("message_id", flat=True)}


def ready_for_many(world: World) -> None:
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(cap_live=50, cap_year=50)


def test_workers_killed_between_claim_send_and_mark_lose_no_mail(committed_world: World, tmp_path: Path) -> None:
    world, kills = committed_world, 3
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(80):
        line.request(world.north)
    valkey = Valkey(tmp_path)
    valkey.up()
    try:
        with smtp_sink.running() as sink:
            sink.delay = 0.008
            for _ in range(kills):
                with workers(tmp_path, valkey, sink, worker=1):
                    before = len(sink.mails)
                    valkey.tick()
                    wait_for(lambda n=before: len(sink.mails) > n, "a mail")
                    time.sleep(dice.uniform(0, 0.25))
                line.rewind()  # as if the dead worker's lease had run out
            with workers(tmp_path, valkey, sink, worker=1):
                valkey.tick()
                wait_for(lambda: all_sent(world), "all mail is out")
            times = sink.times()
    finally:
        valkey.kill()
    assert set(times) == message_ids(world)
    assert len(times) == 80
    assert sum(times.values()) - 80 <= kills


def test_a_worker_told_to_stop_finishes_what_it_has_begun(committed_world: World, tmp_path: Path) -> None:
    world, valkey = committed_world, Valkey(tmp_path)
    for _ in range(25):
        line.request(world.north)
    valkey.up()
    try:
        with smtp_sink.running() as sink:
            sink.delay = 0.03
            with workers(tmp_path, valkey, sink, worker=1) as (worker,):
                wait_for(lambda: sink.mails, "a mail")
                worker.process.send_signal(signal.SIGTERM)
                assert 0 < len(sink.mails) < 25
                assert worker.process.wait(10) == 0
            times = sink.times()
    finally:
        valkey.kill()
    assert all_sent(world)
    assert dict(times) == dict.fromkeys(message_ids(world), 1)
    assert len(times) == 25


FORMS = """
import time
from django.test import Client
from tests.line import opened
for n in range(4):
    began = time.monotonic()
    client = Client(SERVER_NAME="localhost")
    assert client.get("/north/request/").status_code == 200
    answer = client.post("/north/request/", {"peer_from": "HERE", "name": "R", "phone": "604 555 0100",
        "agree_match": "on"} | opened("/north/request/"))
    assert answer.status_code == 302, answer.status_code
    print(time.monotonic() - began)
"""


@pytest.mark.parametrize("trouble", ["stopped", "hung"])
def test_forms_go_on_without_a_broker(committed_world: World, tmp_path: Path, trouble: str) -> None:
    valkey = Valkey(tmp_path)
    valkey.up()
    try:
        if trouble == "hung":
            valkey.signal(signal.SIGSTOP)
        else:
            valkey.kill()
        done = script(FORMS, environment(valkey))
    finally:
        valkey.kill()
    assert done.returncode == 0, done.stderr
    took = [float(word) for word in done.stdout.split()]
    assert len(took) == 4
    assert max(took) < 4, took
    assert sorted(took)[-2] < 1, took
    with site_scope(committed_world.north.pk):
        assert Notice.objects.count() == 4
    assert unsent() == 4


def test_the_workers_test_database_is_this_one(db: Any) -> None:
    done = script("from django.db import connection as c\nprint(c.settings_dict['NAME'])", environment())
    assert done.stdout.strip() == settings.DATABASES["default"]["NAME"]


# From here on two workers and two beats are at work


def test_two_workers_and_two_beats_send_one_mail_and_make_one_move(committed_world: World, house: House) -> None:
    world, then = committed_world, tenancy.now() - timedelta(hours=73)
    ready_for_many(world)
    matches = [line.accepted(world) for _ in range(3)]
    for match in matches:
        with site_scope(world.north.pk, now=then):
            transitions.confirm(match.pk, by=line.administrator(world))
    for _ in range(6):
        house.valkey.tick()
    wait_for(lambda: not Due.objects.filter(kind="WINDOW").exists() and unsent() == 0, "all is done", 3 * TICK)
    # Both beats have their say again.
    before = house.valkey.messages()
    wait_for(lambda: house.valkey.messages() >= before + 2, "two ticks of the beats", 2 * TICK)
    time.sleep(0.3)
    with site_scope(world.north.pk):
        for match in matches:
            whys = MatchEvent.objects.filter(match=match, source="CONFIRMED").order_by("pk")
            assert list(whys.values_list("why", flat=True)) == ["NUDGE", "NUDGE", "MISSED"]
        sent = {f"<{n.message_id}@localhost>" for n in Notice.objects.exclude(sent_at=None)}
        assert Notice.objects.filter(kind="WINDOW_72").exclude(sent_at=None).count() == 3
    assert dict(house.sink.times()) == dict.fromkeys(sent, 1)
    assert [w.log.name for w in house.workers if "Traceback" in w.text() or "ERROR" in w.text()] == []


def test_a_broker_emptied_midway_loses_nothing(committed_world: World, house: House) -> None:
    world = committed_world
    house.sink.delay = 0.01
    for _ in range(20):
        line.request(world.north)
        house.valkey.tick()
    for _ in range(5):
        house.valkey.flush()
        line.request(world.north)
    wait_for(lambda: all_sent(world), "all mail is out", 3 * TICK)
    assert dict(house.sink.times()) == dict.fromkeys(message_ids(world), 1)
    assert len(house.sink.mails) == 25


def test_a_dead_broker_delays_mail_by_a_tick_and_a_second(committed_world: World, house: House) -> None:
    world = committed_world
    house.valkey.kill()
    for _ in range(2):
        line.request(world.north)
        took = wait_for(lambda: all_sent(world), "mail", 4 * TICK)
        assert took <= TICK + 1.2
    house.valkey.up()
    wait_for(lambda: house.valkey.listeners() == 2, "the workers listen again")
    assert len(house.sink.mails) == 2
    assert set(house.sink.times().values()) == {1}
