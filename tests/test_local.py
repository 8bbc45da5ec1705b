"""The local run: servers come up, are found again, are shared, and leave nothing behind when killed."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

BASE = Path(__file__).resolve().parent.parent
LOCAL = [sys.executable, "-m", "psi.local"]
OURS = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "PSI_SECRET_KEY",
    "PSI_INDEX_KEY",
    "PSI_VAULT_KEYS",
    "PSI_LOCAL",
)

pytestmark = pytest.mark.xdist_group("local")


@pytest.fixture
def env() -> Iterator[dict[str, str]]:
    """An environment with a fresh PSI_HOME, for tests that kill."""
    with fresh_home() as env:
        yield env


@pytest.fixture(scope="module")
def kept() -> Iterator[dict[str, str]]:
    """One PSI_HOME for the tests that stop what they start."""
    with fresh_home() as env:
        yield env


@contextlib.contextmanager
def fresh_home() -> Iterator[dict[str, str]]:
    """Make a PSI_HOME whose name has spaces and is too long for a socket; delete it with all it has."""
    with tempfile.TemporaryDirectory(prefix="psi test ") as folder:
        home = Path(folder) / ("long " * 20) / "home"
        env = {name: value for name, value in os.environ.items() if name not in OURS}
        env |= {"PSI_HOME": str(home), "PORT": str(free_port())}
        yield env
        done = local(env, "clean")
        assert (done.returncode, done.stderr) == (0, "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def local(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LOCAL, *words], cwd=BASE, env=env, capture_output=True, text=True, timeout=60)


def shell(env: dict[str, str], script: str) -> str:
    """Run a script with the servers up; return what it said."""
    done = local(env, "--", "sh", "-c", script)
    return (done.stdout + done.stderr).strip()


def sql(address: str, *statements: str) -> str:
    return f'psql -XAtq "${address}" ' + " ".join(f'-c "{statement}"' for statement in statements)


@contextlib.contextmanager
def started(env: dict[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start `psi.local` and wait for its first line; ended by SIGKILL if it is still there."""
    child = subprocess.Popen([*LOCAL, *words], cwd=BASE, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout
        child.first_line = child.stdout.readline().strip()  # type: ignore[attr-defined]
        yield child
    finally:
        child.kill()
        child.communicate()


def server_pids(env: dict[str, str]) -> list[int]:
    servers = Path(env["PSI_HOME"]) / "servers"
    postgres = int((servers / "postgres/postmaster.pid").read_text().split()[0])
    sockets = Path((servers / "postgres/postmaster.pid").read_text().splitlines()[4])
    return [postgres, int((sockets / "valkey.pid").read_text())]


def gone(pids: list[int], seconds: float = 8) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(lives(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def lives(pid: int) -> bool:
    try:
        # Where nobody reaps orphans, a dead process keeps its number.
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_command_finds_servers_keys_and_its_own_exit_code(kept: dict[str, str]) -> None:
    said = shell(kept, 'echo "$PSI_LOCAL|$PSI_HOME|$PSI_ALLOWED_HOSTS|$REDIS_URL"; ' + sql("DATABASE_URL", "SELECT 1"))
    first, one = said.splitlines()
    assert first.startswith(f"1|{kept['PSI_HOME']}|localhost,127.0.0.1|unix:///tmp/psi-")
    assert one == "1"
    assert local(kept, "--", "sh", "-c", "exit 7").returncode == 7
    assert local(kept, "--", "sh", "-c", "kill -9 $$").returncode == 128 + signal.SIGKILL


def test_the_application_role_is_weak_and_the_owner_is_no_superuser(kept: dict[str, str]) -> None:
    rights = "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles"
    said = shell(kept, sql("DATABASE_URL", rights + " WHERE rolname LIKE 'psi%' ORDER BY 1"))
    assert said.splitlines() == ["psi_app|f|f|f|f", "psi_backup|f|t|f|f", "psi_owner|f|f|t|f"]
    refused = [
        ("CREATE TABLE t ()", "permission denied for schema public"),
        ("CREATE TEMPORARY TABLE t ()", 'permission denied to create temporary tables in database "psi"'),
        ("CREATE SCHEMA s", "permission denied for database psi"),
        ("CREATE DATABASE d", "permission denied to create database"),
    ]
    said = shell(kept, "; ".join(sql("DATABASE_URL", statement) for statement, _ in refused))
    assert re.findall(r"ERROR:  (.*)", said) == [reason for _, reason in refused]
    assert shell(kept, sql("DATABASE_OWNER_URL", "CREATE SCHEMA s", "CREATE TABLE s.t ()", "SELECT 1")) == "1"


def test_the_second_start_finds_data_and_keys_again(kept: dict[str, str]) -> None:
    keys = shell(
        kept,
        'echo "$PSI_SECRET_KEY $PSI_INDEX_KEY $PSI_VAULT_KEYS"; '
        + sql("DATABASE_OWNER_URL", "CREATE TABLE kept AS SELECT 42"),
    )
    again = shell(
        kept,
        'echo "$PSI_SECRET_KEY $PSI_INDEX_KEY $PSI_VAULT_KEYS"; ' + sql("DATABASE_OWNER_URL", "SELECT * FROM kept"),
    )
    assert again.splitlines() == [keys, "42"]
    assert (Path(kept["PSI_HOME"]) / "secrets").stat().st_mode & 0o777 == 0o600


def test_two_runs_share_the_servers_and_the_last_one_stops_them(kept: dict[str, str]) -> None:
    with started(kept, "--", "sh", "-c", "echo up; exec sleep 60") as first:
        pids = server_pids(kept)
        with started(kept, "--", "sh", "-c", "echo up; exec sleep 60") as second:
            assert server_pids(kept) == pids
            first.terminate()
            assert first.wait(20) == 128 + signal.SIGTERM
            assert all(map(lives, pids))
            second.terminate()
            assert second.wait(20) == 128 + signal.SIGTERM
    assert gone(pids, seconds=1)


def test_a_killed_run_takes_its_servers_along_and_blocks_nothing(env: dict[str, str]) -> None:
    with started(env, "--", "sh", "-c", "echo up; exec sleep 60") as run:
        pids = server_pids(env)
        run.kill()
        run.wait()
        assert shell(env, sql("DATABASE_URL", "SELECT 1")) == "1"
    assert gone(pids)


def test_pid_files_that_lie_block_nothing(env: dict[str, str]) -> None:
    """As after a power cut: server and keeper are gone, and their numbers belong to somebody else by now."""
    with started(env, "--", "sh", "-c", "echo up; exec sleep 60") as run:
        pids = server_pids(env)
        keeper = int((Path(env["PSI_HOME"]) / "keeper.lock").read_text().split()[0])
        for pid in (keeper, run.pid, *pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert gone(pids)
    pid_file = Path(env["PSI_HOME"]) / "servers/postgres/postmaster.pid"
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text(pid_file.read_text().replace(str(pids[0]), str(bystander.pid), 1))
        assert shell(env, sql("DATABASE_URL", "SELECT 1")) == "1"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_the_servers_do_not_run_as_root_and_listen_on_no_port(kept: dict[str, str]) -> None:
    with started(kept, "--", "sh", "-c", "echo up; exec sleep 60"):
        for pid in server_pids(kept):
            status = Path(f"/proc/{pid}/status").read_text()
            uids = set(re.search(r"^Uid:\t(.*)$", status, re.MULTILINE)[1].split())  # type: ignore[index]
            assert uids == {str((Path(kept["PSI_HOME"]) / "servers").stat().st_uid)}
            assert "0" not in uids
            # Sockets of this process that are in the kernel's list of listening TCP sockets.
            links = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
            tables = Path(f"/proc/{pid}/net/tcp").read_text() + Path(f"/proc/{pid}/net/tcp6").read_text()
            rows = [row.split() for row in tables.splitlines()]
            assert not links & {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}


def test_clean_leaves_nothing_and_spares_what_is_in_use(env: dict[str, str]) -> None:
    with started(env, "--", "sh", "-c", "echo $REDIS_URL; exec sleep 60") as run:
        pids = server_pids(env)
        sockets = Path(run.first_line.removeprefix("unix://")).parent  # type: ignore[attr-defined]
        data = (Path(env["PSI_HOME"]) / "servers").resolve()
        refused = local(env, "clean")
        assert (refused.returncode, refused.stderr) == (
            1,
            f"{env['PSI_HOME']} is in use: stop what runs there first.\n",
        )
        assert sockets.exists()
    # Right after the kill: the keeper has not noticed yet.
    assert local(env, "clean").returncode == 0
    assert not any(map(lives, pids))
    assert not any(path.exists() for path in (sockets, data, Path(env["PSI_HOME"])))


def test_a_taken_port_is_said_in_one_sentence(env: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(env["PORT"])))
        other.listen()
        done = local(env, "run")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Port {env['PORT']} is taken: choose another, as in PORT=8001 make run.\n"


def test_one_address_without_the_other_is_refused(env: dict[str, str]) -> None:
    done = local(env | {"DATABASE_URL": "postgresql://elsewhere/psi"}, "--", "true")
    assert (done.returncode, done.stderr) == (
        1,
        "Only DATABASE_URL is set: set both DATABASE_URL and REDIS_URL, or neither.\n",
    )


def test_servers_from_outside_are_used_as_they_are(env: dict[str, str]) -> None:
    given = {"DATABASE_URL": "postgresql://elsewhere/psi", "REDIS_URL": "redis://elsewhere/0"}
    done = local(env | given, "--", "sh", "-c", 'echo "$DATABASE_URL $DATABASE_OWNER_URL $REDIS_URL"')
    assert done.stdout.split() == [given["DATABASE_URL"], given["DATABASE_URL"], given["REDIS_URL"]]
    assert not (Path(env["PSI_HOME"]) / "servers").exists()


def test_run_says_one_line_and_starts_again_after_a_kill(env: dict[str, str]) -> None:
    address = f"http://localhost:{env['PORT']}"
    line = f"Peer support is running: {address}/demo/  (mail: {address}/mailbox/)"
    with started(env, "run") as killed:
        assert killed.first_line == line  # type: ignore[attr-defined]
    with started(env, "run") as again:
        assert again.first_line == line  # type: ignore[attr-defined]
        with urllib.request.urlopen(f"{address}/demo/", timeout=10) as page:
            assert page.status == 200
        pids = server_pids(env)
        # A command beside it, as the README has it, knows where the program is.
        ask = [sys.executable, "-m", "psi.local", "--", "printenv", "PORT"]
        beside = {name: value for name, value in env.items() if name != "PORT"}
        told = subprocess.run(ask, env=beside, capture_output=True, text=True, check=True)
        assert told.stdout.strip() == env["PORT"]
        again.send_signal(signal.SIGINT)
        assert again.wait(30) == 0
        assert again.stdout
        assert again.stdout.read() == ""
    assert gone(pids, seconds=1)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(env["PORT"]))) != 0
