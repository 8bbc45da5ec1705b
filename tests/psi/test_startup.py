"""It refuses to start wrong, under a server too, and says what is missing."""

import base64
import signal
import string
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from psi import startup
from psi.local.home import BASE
from tests.processes import Valkey, environment, wait_for

pytestmark = pytest.mark.xdist_group("startup")

KEY = string.ascii_letters + string.digits
WEB = [
    sys.executable,
    "-W",
    "ignore:No directory at",
    "-c",
    "import psi.wsgi; print(type(psi.wsgi.application).__name__)",
]
CELERY = [sys.executable, "-m", "celery", "-A", "psi"]
WORKER = [*CELERY, "worker", "--pool", "threads", "--concurrency", "1", "--without-gossip", "--without-mingle"]
BEAT = [*CELERY, "beat", "--pidfile=", "--schedule", f"{tempfile.gettempdir()}/beat-that-never-starts"]
REFUSAL = "Refusing to start."


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with tempfile.TemporaryDirectory() as folder:
        valkey = Valkey(Path(folder))
        valkey.up()
        yield valkey
        valkey.kill()


@pytest.fixture
def production(django_db_setup: None, valkey: Valkey) -> dict[str, str]:
    """An environment with all that production needs."""
    env = {name: value for name, value in environment(valkey).items() if not name.startswith("PSI_")}
    return env | {
        "DJANGO_SETTINGS_MODULE": "psi.settings",
        "PSI_SECRET_KEY": KEY,
        "PSI_INDEX_KEY": KEY,
        "PSI_ALLOWED_HOSTS": "peers.example.ca",
        "PSI_VAULT_KEYS": f"one:{base64.b64encode(b'v' * 32).decode()}",
        "PSI_EMAIL_URL": "smtp://127.0.0.1:1",
    }


def run(command: list[str], env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(command, cwd=BASE, env=env, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


def superuser() -> str:
    database = settings.DATABASES["default"]
    return f"postgresql://postgres@{database['HOST'].replace('/', '%2F')}/{database['NAME']}"


WRONG: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "keys too short, any host": (
        {"PSI_SECRET_KEY": "short", "PSI_VAULT_KEYS": "one:c2hvcnQ=", "PSI_ALLOWED_HOSTS": "*"},
        ("PSI_SECRET_KEY is too short", "PSI_VAULT_KEYS: each key is", "PSI_ALLOWED_HOSTS must name hosts"),
    ),
    "demonstration": ({"PSI_DEMO": "1"}, ("PSI_DEMO is for the local run only",)),
    "small K": ({"PSI_K": "5"}, ("PSI_K is 5",)),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_web_server_refuses_and_names_what_is_wrong(production: dict[str, str], what: str) -> None:
    changes, sentences = WRONG[what]
    code, said = run(WEB, production | changes)
    assert code != 0
    assert REFUSAL in said, said
    assert [sentence for sentence in sentences if sentence not in said] == []
    every = [sentence for _, others in WRONG.values() for sentence in others]
    assert [sentence for sentence in every if sentence in said] == list(sentences)


# The same, one by one and quickly: setting, value, and the one sentence it gives.
ONE_BY_ONE = [
    ("SECRET_KEY_GIVEN", False, "PSI_SECRET_KEY is missing"),
    ("SECRET_KEY", "k" * 49, "PSI_SECRET_KEY is too short"),
    ("PSI_INDEX_KEY", "", "PSI_INDEX_KEY is missing"),
    ("PSI_INDEX_KEY", "k" * 49, "PSI_INDEX_KEY is too short"),
    ("ALLOWED_HOSTS", [], "PSI_ALLOWED_HOSTS is missing"),
    ("ALLOWED_HOSTS", ["peers.example.ca", "*"], "PSI_ALLOWED_HOSTS must name hosts"),
    ("PSI_VAULT_KEYS", "", "PSI_VAULT_KEYS is missing"),
    ("PSI_VAULT_KEYS", "one:c2hvcnQ=", "PSI_VAULT_KEYS: each key"),
    ("PSI_REDIS_URL", "", "REDIS_URL is missing"),
    ("PSI_EMAIL_GIVEN", False, "PSI_EMAIL_URL is missing"),
    ("PSI_K", 9, "PSI_K is 9"),
    ("PSI_DEMO_ASKED", True, "PSI_DEMO is for the local run"),
    ("DEBUG", True, "DEBUG must be off"),
]


@pytest.fixture
def as_in_production(settings: Any) -> Any:
    settings.PSI_LOCAL, settings.PSI_EMAIL_GIVEN, settings.PSI_DEMO_ASKED = False, True, False
    settings.SECRET_KEY, settings.PSI_INDEX_KEY, settings.ALLOWED_HOSTS = KEY, KEY, ["peers.example.ca"]
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "demo"]
    return settings


@pytest.mark.parametrize(("name", "value", "sentence"), ONE_BY_ONE)
def test_each_thing_wrong_has_a_sentence_of_its_own(
    as_in_production: Any, name: str, value: object, sentence: str
) -> None:
    assert startup.problems() == []
    setattr(as_in_production, name, value)
    (said,) = startup.problems()
    assert said.startswith(sentence)


def test_a_larger_k_is_welcome(as_in_production: Any) -> None:
    as_in_production.PSI_K = 20
    assert startup.problems() == []


def test_everything_that_is_missing_is_named_at_once(production: dict[str, str]) -> None:
    bare = {name: production[name] for name in ("PATH", "DJANGO_SETTINGS_MODULE")}
    code, said = run(WEB, bare)
    assert code != 0
    missing = ["SECRET_KEY", "INDEX_KEY", "ALLOWED_HOSTS", "VAULT_KEYS", "EMAIL_URL"]
    missing = [*(f"PSI_{name}" for name in missing), "DATABASE_URL", "REDIS_URL"]
    assert [name for name in missing if f"{name} is missing" not in said] == []


@pytest.mark.parametrize("command", [WEB, WORKER, BEAT], ids=["web", "worker", "beat"])
def test_a_superuser_is_refused(production: dict[str, str], command: list[str]) -> None:
    code, said = run(command, production | {"DATABASE_URL": superuser()})
    assert code != 0
    assert "The role in DATABASE_URL is a superuser or has BYPASSRLS" in said


def test_the_backup_role_is_refused(production: dict[str, str]) -> None:
    code, said = run(WEB, production | {"DATABASE_URL": production["DATABASE_URL"].replace("psi_app", "psi_backup")})
    assert code != 0
    assert "superuser or has BYPASSRLS" in said


@pytest.mark.parametrize("command", [WORKER, BEAT], ids=["worker", "beat"])
def test_workers_and_beat_refuse_too(production: dict[str, str], command: list[str]) -> None:
    code, said = run(command, {k: v for k, v in production.items() if k != "PSI_VAULT_KEYS"})
    assert code != 0
    assert "PSI_VAULT_KEYS is missing" in said


def test_the_checks_say_the_same(production: dict[str, str]) -> None:
    code, said = run([sys.executable, "manage.py", "check"], production | {"PSI_K": "5"})
    assert (code, "psi.E001" in said, "PSI_K is 5" in said) == (1, True, True)
    code, said = run([sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], production)
    assert (code, said.strip()) == (0, "System check identified no issues (0 silenced)."), said


def test_with_everything_right_the_web_server_starts(production: dict[str, str]) -> None:
    code, said = run(WEB, production)
    assert (code, said.strip()) == (0, "WSGIHandler")


def test_a_database_on_its_way_up_is_no_reason_to_refuse(production: dict[str, str]) -> None:
    code, said = run(WEB, production | {"DATABASE_URL": "postgresql://psi_app@%2Fnonexistent/psi"})
    assert (code, said.strip()) == (0, "WSGIHandler")


def test_with_everything_right_a_worker_starts_and_stops_when_told(production: dict[str, str], valkey: Valkey) -> None:
    worker = subprocess.Popen(
        [*WORKER, "-n", "right@here"], cwd=BASE, env=production, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        wait_for(lambda: valkey.listeners() == 1 or worker.poll() is not None, "the worker listens")
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        said, _ = worker.communicate(timeout=20)
    finally:
        worker.kill()
    assert worker.returncode == 0, said
    assert REFUSAL.encode() not in said


def test_the_demonstration_is_not_even_installed_in_production(production: dict[str, str]) -> None:
    ask = "import django; django.setup(); from django.conf import settings as s; from django.urls import resolve;"
    ask += "print('demo' in s.INSTALLED_APPS, s.DEBUG, s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_NAME)"
    code, said = run([sys.executable, "-c", ask], production)
    assert (code, said.strip()) == (0, "False False True __Host-session")
