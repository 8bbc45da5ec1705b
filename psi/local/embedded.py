"""PostgreSQL and Valkey from wheels, for a machine where nothing is installed.

Who starts and stops them is settled by three locks in PSI_HOME. The kernel drops a lock with its process,
however that dies, so a lock never lies the way a pid file does:

    start.lock    held while somebody comes or goes
    users.lock    held shared by everybody who needs the servers
    keeper.lock   held by the keeper, the process that owns the servers; says "ready" when they are

The first who needs the servers starts the keeper, the others find it, the last one out sends it home.
When all are killed the keeper sees users.lock free and stops by itself; when the keeper is killed, the
kernel ends its servers. The sockets are the only way in, and their folder is private.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from psi.local.home import BASE, Home, Trouble, programs

PATIENCE = 60.0  # seconds for a server to come up: recovery after a crash takes its time
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None

# PostgreSQL's messages quote the statement and the row; what people typed must not reach a log.
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
VALKEY_SETTINGS = {"port": "0", "unixsocketperm": "700", "daemonize": "no", "appendonly": "yes", "save": ""}


def die_with_parent(ending: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that has the kernel send `ending` when our process dies; None off Linux."""
    libc, parent = _libc, os.getpid()
    if libc is None:
        return None

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, ending)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


class Servers:
    """The two servers of one PSI_HOME, as children of this process."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.bin, self.valkey_server = programs()
        self.postgres: subprocess.Popen[bytes] | None = None
        self.valkey: subprocess.Popen[bytes] | None = None
        self.quiet: dict[str, Any] = {
            "cwd": home.servers,
            "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            "stdin": subprocess.DEVNULL,
        }

    def start_missing(self) -> None:
        """Start whichever is not running, and bring roles and database up to deploy/roles.sql.

        Raises:
            Trouble: a server does not start.
        """
        if self.postgres is None or self.postgres.poll() is not None:
            self._start_postgres()
        if self.valkey is None or self.valkey.poll() is not None:
            self._start_valkey()

    def stop(self) -> None:
        """Stop both, gently for ten seconds."""
        endings = ((self.valkey, signal.SIGTERM), (self.postgres, signal.SIGINT))
        running = [(server, ending) for server, ending in endings if server]
        for server, ending in running:
            server.send_signal(ending)
        for server, _ in running:
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGQUIT if server is self.postgres else signal.SIGKILL)
                server.wait()
        shutil.rmtree(self.home.sockets)

    def _start_postgres(self) -> None:
        home, data = self.home, self.home.servers / "postgres"
        if not data.exists():
            self._make_cluster(data)
        for pid_file in (data / "postmaster.pid", home.sockets / ".s.PGSQL.5432.lock"):
            self._retire(pid_file, signal.SIGINT)
        chosen = POSTGRES_SETTINGS | {"unix_socket_directories": str(home.sockets)}
        if os.environ.get("PSI_THROWAWAY") == "1":
            # Nobody keeps these rows: a machine that goes down may lose them, a server that is killed does not.
            chosen |= dict.fromkeys(("synchronous_commit", "fsync", "full_page_writes"), "off")
        settings = [word for key, value in chosen.items() for word in ("-c", f"{key}={value}")]
        at_home: list[Any] = ["-h", home.sockets, "-U", "postgres", "-d", "postgres"]
        asking = [self.bin / "pg_isready", "-q", *at_home]
        self.postgres = self._start(
            "postgres",
            [self.bin / "postgres", "-D", data, *settings],
            signal.SIGINT,
            lambda: subprocess.run(asking, **self.quiet).returncode == 0,
        )
        with home.open_log("roles") as log:
            script: list[Any] = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", BASE / "deploy/roles.sql"]
            done = subprocess.run([self.bin / "psql", *at_home, *script], stdout=log, stderr=log, **self.quiet)
        if done.returncode:
            raise Trouble(f"deploy/roles.sql failed:\n{home.end_of_log('roles')}")

    def _make_cluster(self, data: Path) -> None:
        fresh = data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        # Case and order of letters as on every other machine: docker-compose.yml says the same.
        locale = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "-E", "UTF8"]
        options = [*locale, "-U", "postgres", "-A", "trust", "--no-sync"]
        with self.home.open_log("initdb") as log:
            made = subprocess.run(
                [self.bin / "initdb", *options, "-D", fresh],
                stdout=log,
                stderr=log,
                **self.quiet | self.home.account,
            )
        if made.returncode:
            raise Trouble(f"initdb failed:\n{self.home.end_of_log('initdb')}")
        fresh.rename(data)  # so that a half-made cluster is never taken for one

    def _start_valkey(self) -> None:
        home, data = self.home, self.home.servers / "valkey"
        owner = home.servers.stat()
        if not data.exists():
            data.mkdir(0o700)
            os.chown(data, owner.st_uid, owner.st_gid)
        path, pid_file = home.sockets / "valkey.sock", home.sockets / "valkey.pid"
        self._retire(pid_file, signal.SIGTERM)
        chosen = VALKEY_SETTINGS | {"unixsocket": str(path), "pidfile": str(pid_file), "dir": str(data)}
        settings = [word for key, value in chosen.items() for word in (f"--{key}", value)]
        self.valkey = self._start("valkey", [self.valkey_server, *settings], signal.SIGTERM, lambda: _pongs(path))

    def _start(
        self, name: str, command: list[Any], ending: signal.Signals, answers: Callable[[], bool]
    ) -> "subprocess.Popen[bytes]":
        deadline = time.monotonic() + PATIENCE
        with self.home.open_log(name) as log:
            while True:
                server: subprocess.Popen[bytes] = subprocess.Popen(
                    command,
                    stdout=log,
                    stderr=log,
                    preexec_fn=die_with_parent(ending),
                    **self.quiet | self.home.account,
                )
                while server.poll() is None and time.monotonic() < deadline:
                    if answers():
                        return server
                    time.sleep(0.02)
                # The sessions of a killed PostgreSQL hold its memory for a moment longer.
                if "shared memory block" not in self.home.end_of_log(name) or time.monotonic() > deadline:
                    break
                time.sleep(0.2)
        server.kill()
        raise Trouble(f"{name} did not start; {self.home.log(name)} ends:\n{self.home.end_of_log(name)}")

    def _retire(self, pid_file: Path, ending: signal.Signals) -> None:
        """Stop the server a killed keeper left behind; forget a number that is somebody else's by now."""
        try:
            pid = int(pid_file.read_text().split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            pid = 0
        for attempt in range(200):
            if pid == 0 or str(self.home.sockets) not in _command_of(pid):
                pid_file.unlink(missing_ok=True)
                return
            if attempt % 50 == 0:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if attempt else ending)
            time.sleep(0.1)
        raise Trouble(f"A former server of {self.home.folder}, process {pid}, does not stop.")


def _command_of(pid: int) -> str:
    if _libc is None:
        return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def _pongs(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def take(lock: IO[str]) -> bool:
    """Take a lock for ourselves if nobody holds it; say whether we did."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def keep(home: Home) -> None:
    """Be the keeper: start the servers, start again one that dies, stop when nobody needs them any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    told_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: told_to_stop.append(number))
    with (home.folder / "keeper.lock").open("a") as lock, (home.folder / "users.lock").open("a") as users:
        fcntl.flock(lock, fcntl.LOCK_EX)
        servers = Servers(home)
        try:
            servers.start_missing()
            print(os.getpid(), "ready", file=lock, flush=True)
            # A lock taken here is kept, so that a newcomer waits until all has stopped.
            while not told_to_stop and not take(users):
                servers.start_missing()
                time.sleep(0.05)
        finally:
            lock.truncate(0)
            servers.stop()


@contextlib.contextmanager
def running(home: Home) -> Iterator[Path]:
    """Have the servers up inside the block; yields the folder of their sockets.

    Raises:
        Trouble: a server does not start.
    """
    with (home.folder / "start.lock").open("a") as start, (home.folder / "users.lock").open("a") as users:
        fcntl.flock(start, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            _find_keeper(home)
            fcntl.flock(start, fcntl.LOCK_UN)
            yield home.sockets
        finally:
            fcntl.flock(start, fcntl.LOCK_EX)
            last = take(users)  # not the last: others are here, or the keeper noticed first
            users.close()
            if last:
                _dismiss_keeper(home)


def delete(home: Home) -> None:
    """Delete PSI_HOME and what belongs to it.

    Raises:
        Trouble: somebody is using it.
    """
    with (home.folder / "start.lock").open("a") as start, (home.folder / "users.lock").open("a") as users:
        fcntl.flock(start, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)  # waits for a keeper that is stopping
        if not take(users):
            raise Trouble(f"{home.folder} is in use: stop what runs there first.")
        fcntl.flock(users, fcntl.LOCK_UN)
        _dismiss_keeper(home)  # of a killed run
        if (home.folder / "servers").exists():
            shutil.rmtree(home.servers)  # may lie elsewhere
        shutil.rmtree(home.folder)


def _find_keeper(home: Home) -> None:
    path = home.folder / "keeper.lock"
    deadline = time.monotonic() + 2 * PATIENCE
    started: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        with path.open("a") as lock:
            if not take(lock):
                if path.read_text().endswith("ready\n"):
                    return
            elif started is None:
                lock.truncate(0)  # what a killed keeper wrote
                with home.open_log("keeper") as log:
                    started = subprocess.Popen(
                        [sys.executable, "-m", "psi.local", "keep", home.folder],
                        cwd=BASE,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
            elif started.poll() is not None:
                break
        time.sleep(0.02)
    raise Trouble(home.end_of_log("keeper") or "The embedded servers did not start.")


def _dismiss_keeper(home: Home) -> None:
    path = home.folder / "keeper.lock"
    deadline = time.monotonic() + PATIENCE
    asked = False
    while time.monotonic() < deadline:
        with path.open("a") as lock:
            if take(lock):
                return
            words = path.read_text().split()
            if words and not asked:
                asked = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(words[0]), signal.SIGTERM)
        time.sleep(0.02)
