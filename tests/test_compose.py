"""docker-compose.yml, .env.example and what the program asks for say the same."""

import os
import re
import subprocess
import sys
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
COMPOSE = (BASE / "docker-compose.yml").read_text()
EXAMPLE = (BASE / ".env.example").read_text()


def services() -> dict[str, str]:
    """The text of each service, by name: two spaces of indent are a name, more are its content."""
    text = COMPOSE.split("\nservices:\n")[1].split("\nvolumes:\n")[0]
    parts = re.split(r"^  (\w+):\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def missing_without_environment() -> set[str]:
    """The names that the program, started with nothing, says are missing."""
    ask = "import django; django.setup(); from psi import startup; print(*startup.problems(), sep='\\n')"
    env = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "psi.settings"}
    said = subprocess.run([sys.executable, "-c", ask], cwd=BASE, env=env, capture_output=True, text=True, check=True)
    return set(re.findall(r"\b([A-Z_]+) is missing", said.stdout))


def test_the_example_names_what_compose_reads_and_nothing_else() -> None:
    read = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE))
    assert set(re.findall(r"^([A-Z_]+)=", EXAMPLE, flags=re.MULTILINE)) == read


def test_every_variable_without_which_the_program_refuses_to_start_is_set_and_explained() -> None:
    demanded = missing_without_environment()
    assert demanded >= {"PSI_SECRET_KEY", "PSI_INDEX_KEY", "PSI_VAULT_KEYS", "DATABASE_URL", "REDIS_URL"}
    assert demanded <= set(re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE, flags=re.MULTILINE))
    set_for_all = COMPOSE.split("environment: &environment\n")[1].split("depends_on:")[0]
    assert demanded <= set(re.findall(r"^    ([A-Z_]+): ", set_for_all, flags=re.MULTILINE))


def test_every_setting_read_from_the_environment_reaches_the_server() -> None:
    settings = (BASE / "psi/settings.py").read_text()
    local_only = {"PSI_LOCAL", "PSI_DEMO", "PSI_HOME"}
    known = set(re.findall(r"^    (?:  )?([A-Z_]+): ", COMPOSE, flags=re.MULTILINE)) | {"PORT"}
    assert set(re.findall(r'\benv\("([A-Z_]+)"', settings)) - local_only - known == set()


def test_only_the_migration_knows_the_owner() -> None:
    assert list(services()) == ["postgres", "valkey", "migrate", "web", "worker", "heavy", "beat"]
    assert [name for name, text in services().items() if "DATABASE_OWNER_URL" in text] == ["migrate"]
    assert COMPOSE.count("DATABASE_OWNER_URL") == 1
    assert COMPOSE.count("postgresql://psi_app:") == 1


def test_every_long_running_service_is_restarted_and_watched() -> None:
    shared = COMPOSE.split("x-app: &app\n")[1].split("\nservices:\n")[0]
    assert "restart: unless-stopped" in shared
    for name, text in services().items():
        assert ("restart: unless-stopped" in text or "<<: *app" in text) is True
        if name == "web":
            assert "HEALTHCHECK" in (BASE / "Dockerfile").read_text()
        else:
            assert "healthcheck:" in text
