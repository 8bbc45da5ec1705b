"""`/demo/` and `/mailbox/`: be anyone with one press, read what was sent; the local run only."""

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as live
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from demo import views
from demo.mail import EmailBackend, newest
from demo.views import PARTS
from sites.tenants.models import Role
from tests import people
from tests.markup import flat
from tests.people import World

LANDINGS = {
    "Program administrator": "/harbour/today/",
    "Physician lead": "/harbour/figures/",
    "Peer supporter": "/harbour/my/",
    "Provincial coordinator": "/province/today/",
    "Advisor": "/province/figures/",
}


@pytest.fixture
def harbour(world: World) -> World:
    """The first demonstration site, with one person in each role."""
    site = people.site("harbour")
    people.member(site, Role.ADMINISTRATOR, "Robin Harbour")
    people.member(site, Role.LEAD, "Dr Linden Harbour")
    people.supporter(site, "Dr Ada Harbour")
    return world


@pytest.fixture
def box(tmp_path: Path, settings: Any) -> Path:
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.EMAIL_BACKEND = "demo.mail.EmailBackend"
    return tmp_path / "mail"


def press(client: Client, label: str) -> str:
    """Press the button of this text; return the address one lands on."""
    code = next(part.code for part in PARTS if part.label == label)
    answer = client.post("/demo/", {"part": code}, follow=True)
    assert answer.status_code == 200
    return answer.request["PATH_INFO"]


def test_each_button_lands_at_its_page(harbour: World, client: Client) -> None:
    page = flat(client.get("/demo/").content.decode())
    assert [label for label in LANDINGS if f">{label}</button>" in page] == list(LANDINGS)
    assert {label: press(client, label) for label in LANDINGS} == LANDINGS


def test_another_role_is_another_session(harbour: World, client: Client) -> None:
    press(client, "Program administrator")
    first = client.session.session_key
    session = client.session
    session["left behind"] = "by the administrator"
    session.save()
    press(client, "Peer supporter")
    assert client.session.session_key != first
    assert "left behind" not in client.session
    assert client.get("/harbour/today/").status_code == 403


def test_a_demonstration_session_is_no_second_factor_outside_the_local_run(
    harbour: World, client: Client, settings: Any
) -> None:
    press(client, "Program administrator")
    assert client.get("/harbour/today/").status_code == 200
    settings.PSI_LOCAL = False
    assert client.get("/harbour/today/").status_code == 302


def test_without_data_the_page_says_how_to_load_it(world: World, client: Client) -> None:
    assert "manage.py load_demo" in client.get("/demo/").content.decode()
    answer = client.post("/demo/", {"part": "lead"}, follow=True)
    assert "load the data with" in answer.content.decode()


def test_an_unknown_role_signs_nobody_in(harbour: World, client: Client) -> None:
    client.post("/demo/", {"part": "superuser"})
    assert "_auth_user_id" not in client.session


def test_the_mailbox_shows_newest_first_with_links_and_no_markup_of_the_mail(
    box: Path, db: None, client: Client
) -> None:
    link = f"{live.PSI_ORIGIN}{reverse('go', args=['abc:def'])}"
    EmailMessage("First", f"Please look:\n{link}\n", None, ["ada@example.org"]).send()
    EmailMessage("Zwölf – <b>second</b>", "<script>alert(1)</script>", None, ["ben@example.org"]).send()
    page = client.get("/mailbox/").content.decode()
    assert page.index("second") < page.index("First")
    assert f'href="{link}"' in page
    assert "Zwölf – &lt;b&gt;second&lt;/b&gt;" in page
    assert "<script" not in page
    assert "ada@example.org" in page


def test_the_mailbox_is_kind_when_empty_and_keeps_to_the_latest(
    box: Path, db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "No mail yet" in client.get("/mailbox/").content.decode()
    monkeypatch.setattr(views, "MAILS", 2)
    here = ZoneInfo("America/Vancouver")
    began = datetime.now(here)
    for number in range(4):
        EmailMessage(f"Mail {number}", "…", None, ["ada@example.org"]).send()
    sent = datetime.now(here)
    page = client.get("/mailbox/").content.decode()
    assert any(f"{moment:%-d %B %Y, %H}:" in page for moment in (began, sent))
    assert [number for number in range(4) if f"Mail {number}" in page] == [2, 3]


def _send_many(folder: Path, count: int) -> None:
    live.EMAIL_FILE_PATH = folder
    backend = EmailBackend()
    for number in range(count):
        backend.send_messages([EmailMessage(f"{os.getpid()} {number}", "…", None, ["ada@example.org"])])


def test_several_processes_write_every_mail_once_and_whole(box: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        list(pool.map(_send_many, [box] * 4, [25] * 4))
    files = newest(box, 1000)
    assert len(files) == 100
    assert sorted(path.name for path in box.iterdir()) == sorted(path.name for path in files)
    assert len({views._read(path).subject for path in files}) == 100


PRODUCTION = {
    "PSI_SECRET_KEY": "x" * 60,
    "PSI_INDEX_KEY": "y" * 60,
    "PSI_ALLOWED_HOSTS": "psi.example.org",
    "PSI_VAULT_KEYS": "one:" + "A" * 43 + "=",
    "DATABASE_URL": "postgresql://psi_app@db/psi",
    "REDIS_URL": "redis://cache/0",
    "PSI_EMAIL_URL": "smtps://mail.example.org",
    "DJANGO_SETTINGS_MODULE": "psi.settings",
}


def in_production(code: str, **also: str) -> str:
    """Run Python as production would be set; return what it prints."""
    env = {"PATH": os.environ["PATH"], **PRODUCTION, **also}
    done = subprocess.run([sys.executable, "-c", code], cwd=live.BASE_DIR, env=env, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_production_has_no_such_pages_and_no_such_commands() -> None:
    said = in_production(
        "import django; django.setup()\n"
        "from django.apps import apps; from django.core.management import get_commands\n"
        "from django.urls import NoReverseMatch, resolve, reverse\n"
        "from psi import startup\n"
        "print(startup.problems(), apps.is_installed('demo'), {'load_demo', 'run_due'} & set(get_commands()))\n"
        "print([resolve(path).url_name for path in ('/demo/', '/mailbox/')])\n"
        "try: reverse('mailbox')\n"
        "except NoReverseMatch: print('none')\n"
    )
    # Both are then looked up as slugs of sites, which nobody can take in the local run.
    assert said.splitlines() == ["[] False set()", "['public', 'public']", "none"]


def test_production_refuses_to_start_when_a_demonstration_is_asked_for() -> None:
    said = in_production("import psi.wsgi", PSI_DEMO="1")
    assert "PSI_DEMO is for the local run only: it lets anyone sign in." in said
