"""The whole house for browser tests: a web server, a worker and beat, on a database and a mailbox of their own."""

import contextlib
import email
import email.policy
import fcntl
import functools
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect, sync_playwright

from psi.local.embedded import die_with_parent
from tests import chromium, databases

BASE = Path(__file__).resolve().parent.parent
PATIENCE = 30.0  # seconds; nothing here waits longer
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1200, "height": 900}
ASYNC = "DJANGO_ALLOW_ASYNC_UNSAFE"
# What a window of Chromium brings along and nobody here sees: pages behind the address line, made anew with each
# window, and half of what opening one costs. Then what Playwright switches off, for the last such list counts.
SWITCHED_OFF = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "LensOverlay"),
    *("HttpsFirstBalancedModeAutoEnable", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled"),
    "PreconnectToSearch",
)
LOCAL = {"DJANGO_SETTINGS_MODULE": "psi.settings", "PSI_LOCAL": "1"}


def until(answer: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Ask again until the answer is true, and return it; fail after `patience` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := answer():
            return found
        time.sleep(0.05)
    raise AssertionError(f"Not within {patience:.0f} s: {what}")


@dataclass
class House:
    """A running house.

    Attributes:
        url: where its web server answers.
        folder: its PSI_HOME.
        env: the environment its processes run with.
        mailboxes: address → how many of its mails were read already.
    """

    url: str
    folder: Path
    env: dict[str, str]
    mailboxes: dict[str, int] = field(default_factory=dict)

    def manage(self, *words: str, code: str = "") -> str:
        """Run a management command, or Python with Django set up, in a process of its own; return what it printed."""
        command = ["-c", f"import django; django.setup()\n{code}"] if code else ["manage.py", *words]
        done = subprocess.run(
            [sys.executable, *command], cwd=BASE, env=self.env, capture_output=True, text=True, timeout=4 * PATIENCE
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip()

    def mails(self) -> list[Any]:
        """Return all mail that went out, oldest first."""
        files = sorted((self.folder / "mail").glob("*.eml"))
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]

    def mails_to(self, address: str) -> list[Any]:
        """Return all mail to an address, oldest first."""
        return [mail for mail in self.mails() if mail["To"] == address]

    def next_mail(self, address: str) -> Any:
        """Wait for the next mail to an address that was not read yet."""
        read = self.mailboxes.get(address, 0)
        mails = until(lambda: self.mails_to(address)[read:], f"a mail to {address}")
        self.mailboxes[address] = read + 1
        return mails[0]

    def forget_mails_to(self, address: str) -> None:
        """Take all mail to an address as read: what tells people of a new passkey, for one."""
        self.mailboxes[address] = len(self.mails_to(address))

    def link(self, address: str) -> str:
        """Wait for the next mail; return the path its link leads to."""
        return urlsplit(re.search(r"http\S+", self.next_mail(address).get_content()).group()).path

    def sql(self, question: str, *values: Any, site: str | None = None) -> list[tuple[Any, ...]]:
        """Ask the database, in the scope of a site."""
        scope = "SELECT set_config('psi.site_id', id::text, true) FROM sites_site WHERE slug = %s"
        connection = psycopg2.connect(self.env["DATABASE_OWNER_URL"])
        with contextlib.closing(connection), connection.cursor() as cursor:
            if site:
                cursor.execute(scope, [site])
            cursor.execute(question, values)
            return cursor.fetchall()

    def change(self, statement: str, *values: Any) -> None:
        """Change a row outside the wall."""
        connection = psycopg2.connect(self.env["DATABASE_OWNER_URL"])
        with contextlib.closing(connection), connection, connection.cursor() as cursor:
            cursor.execute(statement, values)

    def rows(self, site: str) -> dict[str, int]:
        """Return table → rows of one site, in every table that has sites, the vault included.

        What the worker takes off its list meanwhile is left out.
        """
        tables = self.sql(
            "SELECT table_schema || '.' || table_name FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name) WHERE column_name = 'site_id' AND table_type = 'BASE TABLE'"
            " AND table_name <> 'sites_due'"
        )
        here = "site_id = (SELECT id FROM sites_site WHERE slug = %s)"
        count = f"SELECT count(*) FROM {{}} WHERE {here}"
        return {table: self.sql(count.format(table), site, site=site)[0][0] for (table,) in tables}


@contextlib.contextmanager
def running(*, demo: bool = False, worker: bool = True, name: str = "house") -> Iterator[House]:
    """Have a house up inside the block.

    Args:
        demo: with the demonstration data.
        worker: with a worker and beat; without them no mail goes out.
        name: of its database, so that two may stand side by side.
    """
    name = f"psi_{name}_{os.environ.get('PYTEST_XDIST_WORKER', os.getpid())}"
    number = 8 + sum(map(ord, name)) % 8  # a numbered database of Valkey, away from those of other tests
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="psi-house-")))
        env = os.environ | LOCAL | {"PSI_HOME": str(folder), "PYTHONUNBUFFERED": "1"}
        port = _free_port()
        env |= {"PORT": str(port), "PSI_ORIGIN": f"http://localhost:{port}"}
        env |= stack.enter_context(_database(name, demo))
        env["REDIS_URL"] = _numbered(env["REDIS_URL"], number)
        with contextlib.closing(redis.from_url(env["REDIS_URL"])) as valkey:
            valkey.flushdb()
        house = House(env["PSI_ORIGIN"], folder, env)
        (folder / "static").symlink_to(collected())
        granian = ["granian", "--interface", "wsgi", "psi.wsgi:application", "--host", "127.0.0.1", "--port", str(port)]
        commands = {"web": [*granian, "--workers", "1", "--blocking-threads", "4", "--workers-kill-timeout", "2"]}
        if worker:
            # One for light and heavy work: a test has little of either.
            pool = ["--pool", "threads", "--concurrency", "2", "--queues", "celery,heavy"]
            commands["worker"] = ["celery", "-A", "psi", "worker", *pool]
            commands["beat"] = ["celery", "-A", "psi", "beat", "--schedule", str(folder / "beat")]
        children = {}
        for what, command in commands.items():
            children[what] = stack.enter_context(_process(command, env, folder / f"{what}.log"))
        # All are told first, then awaited one by one.
        stack.callback(lambda: [child.terminate() for child in children.values()])
        until(functools.partial(_answers, house.url, children["web"], folder / "web.log"), "the web server answers")
        yield house


def collected() -> Path:
    """Collect the style sheets, and return where they are; processes take turns, for they share the folder."""
    settings.PSI_HOME.mkdir(parents=True, exist_ok=True)
    with (settings.PSI_HOME / "collect.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        call_command("collectstatic", interactive=False, verbosity=0)
    return Path(settings.STATIC_ROOT)


@contextlib.contextmanager
def _process(command: list[str], env: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=BASE,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=die_with_parent(15),
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(8)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            child.wait()


def _answers(url: str, web: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert web.poll() is None, log.read_text()[-2000:]
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _numbered(url: str, number: int) -> str:
    """Return the address of another numbered database of the same Valkey."""
    if url.startswith("unix:"):
        return re.sub(r"\?.*", "", url) + f"?db={number}"
    return urlsplit(url)._replace(path=f"/{number}").geturl()


@contextlib.contextmanager
def _database(name: str, demo: bool) -> Iterator[dict[str, str]]:
    """Have a database of this name inside the block; yields the two addresses that lead to it."""
    with databases.owner() as cursor:
        databases.create(cursor, name, demo=demo)
        yield databases.addresses(name)
        # The web server's connections end with it, a moment later.
        until(lambda: _dropped(cursor, name), "the house's database is dropped")


def _dropped(cursor: Any, name: str) -> bool:
    try:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
    except psycopg2.errors.ObjectInUse:
        return False
    return True


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """Have Chromium up inside the block."""
    path = chromium.find()
    assert path, "The browser tests need Chromium: python -m tests.chromium"
    # Playwright's own event loop makes Django believe that it runs in one.
    os.environ[ASYNC] = "true"
    try:
        with sync_playwright() as playwright:
            switches = ["--no-sandbox", f"--disable-features={','.join(SWITCHED_OFF)}"]
            browser = playwright.chromium.launch(executable_path=path, args=switches)
            yield browser
            browser.close()
    finally:
        del os.environ[ASYNC]


class Person:
    """Someone with a browser of their own, and a device that has a fingerprint reader."""

    def __init__(self, house: House, browser: Browser, address: str = "", **options: Any) -> None:
        self.house, self.address = house, address
        # Nothing fades while it is looked at: axe would read a colour that is on its way.
        still = {"viewport": PHONE, "reduced_motion": "reduce"}
        context = browser.new_context(base_url=house.url, **still | options)
        context.set_default_timeout(PATIENCE * 1000)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        self.page.on("request", self._see)
        devtools = context.new_cdp_session(self.page)
        devtools.send("WebAuthn.enable")
        reader = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
        reader |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": reader})

    def _see(self, request: Any) -> None:
        if not request.url.startswith((self.house.url, "data:")):
            self.foreign.append(request.url)

    def close(self) -> None:
        """Leave; nothing in the console, nothing fetched from another host."""
        self.page.context.close()
        # The browser notes answers to bad input, to what is not here and to who must wait; those are asked for.
        assert [line for line in self.complaints if not re.search("status of (400|422|404|403|429)", line)] == []
        assert self.foreign == []

    def open(self, path: str) -> None:
        self.page.goto(path)

    def read(self, path: str) -> str:
        """Open a page and return the text of its main part."""
        self.open(path)
        return self.page.get_by_role("main").inner_text()

    def press(self, words: str) -> None:
        """Press the first button, or follow the first link, that starts with these words."""
        button = self.page.get_by_role("main").get_by_role("button", name=re.compile(f"^{re.escape(words)}"))
        link = self.page.get_by_role("main").get_by_role("link", name=re.compile(f"^{re.escape(words)}"))
        button.or_(link).first.click()

    def fill(self, **fields: str) -> None:
        """Fill fields by their labels, spaces written as underscores."""
        for label, value in fields.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(value)

    def sees(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.get_by_role("main").get_by_text(text).first).to_be_visible()

    def join(self) -> None:
        """Follow the invitation in the mailbox: address, code from the mail, passkey, recovery codes."""
        page = self.page
        self.open(self.house.link(self.address))
        self.fill(Email=self.address)
        self.press("Continue")
        expect(page.get_by_role("heading", name="Type the code")).to_be_visible()
        self.fill(**{"Six-digit_code": self.code()})
        self.press("Continue")
        self.press("Add a passkey")
        expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()

    def code(self) -> str:
        """Wait for the next mail, and return the code in it."""
        return re.search(r"\b\d{6}\b", self.house.next_mail(self.address).get_content()).group()

    def sign_out(self) -> None:
        banner = self.page.get_by_role("banner")
        menu, out = banner.get_by_role("button", name="Menu"), banner.get_by_role("button", name="Sign out")
        if menu.is_visible():
            menu.click()
        out.click()
        expect(self.page.get_by_text("You have signed out.")).to_be_visible()

    def touch(self, path: str) -> None:
        """Open a page that needs a sign-in, sign in with the passkey, and arrive."""
        self.open(path)
        expect(self.page.get_by_role("heading", name="Sign in")).to_be_visible()
        self.press("Sign in with a passkey")
        self.page.wait_for_url(lambda url: "/accounts/" not in url)

    def play(self, role: str) -> None:
        """Sign in as one of the demonstration's people."""
        self.open("/demo/")
        self.press(role)
        self.page.wait_for_url(lambda url: "/demo/" not in url)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """One Chromium for the tests of a module; Playwright allows one at a time in a process."""
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A house with reference data and nobody in it yet."""
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def demo_house() -> Iterator[House]:
    """A house with the demonstration data; nothing is sent from it."""
    with running(demo=True, worker=False, name="demo") as found:
        yield found


@pytest.fixture(scope="module")
def person(chrome: Browser) -> Iterator[Callable[..., Person]]:
    """Return who makes people with a browser; when the module ends they all leave, without complaints."""
    with contextlib.ExitStack() as leaving:

        def come(house: House, address: str = "", **options: Any) -> Person:
            someone = Person(house, chrome, address, **options)
            leaving.callback(someone.close)
            return someone

        yield come
