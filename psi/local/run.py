"""The local run: everything the program needs, on a machine with nothing but Python.

    python -m psi.local -- COMMAND...   run COMMAND with PostgreSQL and Valkey up
    python -m psi.local run             the whole program with demonstration data (`make run`)
    python -m psi.local clean           delete PSI_HOME and what belongs to it

PSI_HOME (default .local) is the folder that holds it all, PORT (default 8000) where the web server listens.
With DATABASE_URL and REDIS_URL given from outside, no server is started.
"""

import base64
import contextlib
import errno
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from psi.local.embedded import delete, die_with_parent, keep, running, take
from psi.local.home import BASE, Home, Trouble, programs

Child = subprocess.Popen[bytes]


def home() -> Home:
    """Return PSI_HOME; a relative one starts where the command was given."""
    folder = os.environ.get("PSI_HOME")
    return Home((Path(folder) if folder else BASE / ".local").resolve())


@contextlib.contextmanager
def servers(psi_home: Home | None = None) -> Iterator[dict[str, str]]:
    """Have the servers up inside the block; yields a whole environment that leads to them.

    Args:
        psi_home: the PSI_HOME to use; the one of our environment by default.

    Raises:
        Trouble: a server does not start, or only one of the two addresses was given.
    """
    psi_home = psi_home or home()
    env = {"DJANGO_SETTINGS_MODULE": "psi.settings", "PSI_ALLOWED_HOSTS": "localhost,127.0.0.1"}
    env |= os.environ
    env |= {"PSI_LOCAL": "1", "PSI_HOME": str(psi_home.folder)}
    # So that `pytest` and `pg_dump` in a COMMAND are the ones of this environment and this server.
    path = [str(Path(sys.executable).parent), env.get("PATH", os.defpath)]
    env["PATH"] = os.pathsep.join(path)
    external = [name for name in ("DATABASE_URL", "REDIS_URL") if env.get(name)]
    if len(external) == 1:
        raise Trouble(f"Only {external[0]} is set: set both DATABASE_URL and REDIS_URL, or neither.")
    if external:
        yield {"DATABASE_OWNER_URL": env["DATABASE_URL"]} | _secrets(psi_home) | env
        return
    env["PATH"] = os.pathsep.join([path[0], str(programs()[0]), path[1]])
    with running(psi_home) as sockets:
        address = str(sockets).replace("/", "%2F")
        env["DATABASE_URL"] = f"postgresql://psi_app@{address}/psi"
        env["DATABASE_OWNER_URL"] = f"postgresql://psi_owner@{address}/psi"
        env["REDIS_URL"] = f"unix://{sockets}/valkey.sock?db=0"
        yield _secrets(psi_home) | env


def _secrets(psi_home: Home) -> dict[str, str]:
    """Read the keys of this PSI_HOME, made once: with others its vault would not open again."""
    path = psi_home.folder / "secrets"
    if not path.exists():
        vault_key = base64.b64encode(secrets.token_bytes(32)).decode()
        fresh = path.with_name(f"secrets.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(
                f"PSI_SECRET_KEY={secrets.token_urlsafe(48)}\nPSI_INDEX_KEY={secrets.token_urlsafe(48)}\n"
                f"PSI_VAULT_KEYS=local:{vault_key}\n"
            )
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)  # unlike a rename, never over those of a run that was faster
        fresh.unlink()
    secrets_of_file = dict(line.split("=", 1) for line in path.read_text().splitlines())
    # Before there was an index key, the secret key did its work.
    return {"PSI_INDEX_KEY": secrets_of_file["PSI_SECRET_KEY"]} | secrets_of_file


def run_command(command: list[str]) -> int:
    """Run a command with the servers up; return its exit code, 128 + n if signal n ended it."""
    with servers() as env:
        if "PORT" not in os.environ:
            # Links in mails lead to where the program last ran from this folder.
            with contextlib.suppress(FileNotFoundError):
                env["PORT"] = (home().folder / "port").read_text()
        try:
            child = subprocess.Popen(command, env=env, preexec_fn=die_with_parent(signal.SIGTERM))
        except OSError as error:
            raise Trouble(f"Cannot run {command[0]}: {error.strerror}.") from error

        def forward(number: int, frame: Any) -> None:
            # A terminal sends Ctrl-C to the child as well; twice would mean "at once" to many programs.
            if number != signal.SIGINT or not sys.stdin.isatty():
                child.send_signal(number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, forward)
        code = child.wait()
    return code if code >= 0 else 128 - code


def run() -> int:
    """Run the whole program until Ctrl-C, and say in one line where to look."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    psi_home, port = home(), _port()
    locks = (psi_home.folder / "run.lock").open("a"), (psi_home.folder / "children.lock").open("a")
    with locks[0] as run_lock, locks[1] as inherited:
        if not take(run_lock):
            raise Trouble(f"Peer support is running from {psi_home.folder} already: stop it, or set PSI_HOME and PORT.")
        _await_the_killed(inherited)
        _expect_free(port)
        with servers(psi_home) as env, contextlib.ExitStack() as stack:
            env["PORT"] = str(port)
            (psi_home.folder / "port").write_text(env["PORT"])
            _prepare(psi_home, env)
            children = _start_children(psi_home, env, stack, inherited)
            _await_web(psi_home, children, port)
            address = f"http://localhost:{port}"
            print(f"Peer support is running: {address}/demo/  (mail: {address}/mailbox/)", flush=True)
            while True:
                _expect_alive(psi_home, children)
                time.sleep(0.3)


def _stop(number: int, frame: Any) -> NoReturn:
    for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(again, signal.SIG_IGN)
    sys.exit(0)


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Trouble(f"PORT is {text!r}: it must be a number from 1 to 65535.")
    return int(text)


def _await_the_killed(inherited: IO[str]) -> None:
    """Wait for the children of a run that was killed: each holds this lock until it has gone."""
    deadline = time.monotonic() + 15
    while not take(inherited):
        if time.monotonic() > deadline:
            raise Trouble("The processes of a killed run do not stop: look for granian and celery.")
        time.sleep(0.05)


def _expect_free(port: int) -> None:
    # A browser may take localhost for either; granian would share the port with another granian in silence.
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                raise Trouble(f"Port {port} is taken: choose another, as in PORT=8001 make run.") from error
            # otherwise a machine without IPv6


def _prepare(psi_home: Home, env: dict[str, str]) -> None:
    with psi_home.open_log("prepare") as log:
        done = subprocess.run([sys.executable, "-m", "psi.local.prepare"], cwd=BASE, env=env, stdout=log, stderr=log)
    if done.returncode:
        raise Trouble(
            f"The database could not be prepared; {psi_home.log('prepare')} ends:\n{psi_home.end_of_log('prepare')}"
        )


def _start_children(
    psi_home: Home, env: dict[str, str], stack: contextlib.ExitStack, inherited: IO[str]
) -> dict[str, Child]:
    """Start web server, worker and beat, each holding the inherited lock; `stack` stops them."""
    celery = [sys.executable, "-m", "celery", "-A", "psi"]
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "psi.wsgi:application"]
    # By default granian would open 256 threads a worker, each with a database connection of its own, and
    # wait for ever for a worker that was told to stop before it listened to signals.
    limits = ["--workers", "2", "--blocking-threads", "8", "--workers-kill-timeout", "2"]
    commands = {
        "web": [*granian, "--host", "127.0.0.1", "--port", env["PORT"], *limits],
        "worker": [*celery, "worker", "--pool", "threads", "--concurrency", "4"],
        # The solver needs memory and minutes; its worker does nothing else.
        "heavy": [*celery, "worker", "--queues", "heavy", "--hostname", "heavy@%h", "--pool", "threads", "-c", "1"],
        "beat": [*celery, "beat", "--schedule", str(psi_home.folder / "beat")],
    }
    children: dict[str, Child] = {}
    stack.callback(_stop_children, children)
    for name, command in commands.items():
        with psi_home.open_log(name) as log:
            children[name] = subprocess.Popen(
                command,
                cwd=BASE,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A session of its own: Ctrl-C reaches us, and we stop them in order.
                start_new_session=True,
                pass_fds=[inherited.fileno()],
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
    return children


def _stop_children(children: dict[str, Child]) -> None:
    for child in children.values():
        child.terminate()
    deadline = time.monotonic() + 8
    for child in children.values():
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # it, or what it left of its group
        child.wait()


def _expect_alive(psi_home: Home, children: dict[str, Child]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise Trouble(f"The {name} process stopped; {psi_home.log(name)} ends:\n{psi_home.end_of_log(name)}")


def _await_web(psi_home: Home, children: dict[str, Child], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        _expect_alive(psi_home, children)
        connection = http.client.HTTPConnection("localhost", port, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.05)
    raise Trouble(f"The web server does not answer; {psi_home.log('web')} ends:\n{psi_home.end_of_log('web')}")


def main(words: list[str]) -> int:
    """Do what the command line says; return the exit code."""
    try:
        match words:
            case ["--", _, *_]:
                return run_command(words[1:])
            case ["run"]:
                return run()
            case ["clean"]:
                delete(home())
                return 0
            case ["keep", folder]:
                keep(Home(Path(folder)))
                return 0
        print(__doc__, file=sys.stderr)
        return 2
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
