"""Real processes for the tests that kill: a Valkey of one's own, Celery workers and beats, scripts."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from redis import Redis

from psi.celery import app
from psi.local.embedded import die_with_parent
from psi.local.home import BASE, programs
from tests.smtp_sink import Sink


class Valkey:
    """A broker that may be killed, stopped and emptied."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "valkey.sock"
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.path}?db=0"

    def up(self) -> None:
        command = [programs()[1], "--port", "0", "--unixsocket", self.path, "--dir", self.folder, "--save", ""]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent(signal.SIGKILL)
        )
        wait_for(self.answers, "Valkey")

    def answers(self) -> bool:
        with contextlib.suppress(Exception), Redis(unix_socket_path=str(self.path), socket_timeout=1) as client:
            return bool(client.ping())
        return False

    def flush(self) -> None:
        with Redis(unix_socket_path=str(self.path)) as client:
            client.flushall()

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def listeners(self) -> int:
        """Return how many workers wait for a task."""
        with Redis(unix_socket_path=str(self.path)) as client:
            return sum(one["cmd"] == "brpop" for one in client.client_list())

    def messages(self) -> int:
        """Return how many messages were ever put into a queue."""
        with Redis(unix_socket_path=str(self.path)) as client:
            return int(client.info("commandstats").get("cmdstat_lpush", {}).get("calls", 0))

    def tick(self) -> None:
        """Wake a worker, as a commit does."""
        with app.connection_for_write(f"redis+socket://{self.path}?virtual_host=0") as connection:
            app.send_task("sites.tasks.tick", connection=connection, retry=False)


def environment(valkey: Valkey | None = None, sink: Sink | None = None) -> dict[str, str]:
    """Return an environment that leads to this process's test database, and to these servers."""
    database = settings.DATABASES["default"]
    host = database["HOST"].replace("/", "%2F")
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    port = f":{database['PORT']}" if database["PORT"] else ""
    env = dict(os.environ)
    env["DATABASE_URL"] = f"postgresql://{database['USER']}{password}@{host}{port}/{database['NAME']}"
    env.pop("DATABASE_OWNER_URL", None)
    if valkey is not None:
        env["REDIS_URL"] = valkey.url
    if sink is not None:
        env["PSI_EMAIL_URL"] = f"smtp://127.0.0.1:{sink.port}"
    return env


class Worker:
    """A Celery worker or beat, its words kept in a file."""

    def __init__(self, role: str, name: str, folder: Path, env: dict[str, str]) -> None:
        self.log = folder / f"{name}.log"
        own = (
            ["--pool", "threads", "--concurrency", "4", "-n", f"{name}@here", "--without-gossip", "--without-mingle"]
            if role == "worker"
            else ["--schedule", str(folder / f"{name}.schedule"), "--pidfile="]
        )
        self._file = self.log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "psi", role, "--loglevel", "INFO", *own],
            cwd=BASE,
            env=env,
            stdout=self._file,
            stderr=self._file,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._file.close()


@contextlib.contextmanager
def workers(folder: Path, valkey: Valkey, sink: Sink, *, worker: int = 0, beat: int = 0) -> Iterator[list[Worker]]:
    """Run so many workers and beats inside the block."""
    env, asked = environment(valkey, sink), [*["worker"] * worker, *["beat"] * beat]
    started = [Worker(role, f"{role}-{time.monotonic_ns()}", folder, env) for role in asked]

    def all_listen() -> bool:
        for one in started:
            assert one.process.poll() is None, one.text()
        return valkey.listeners() == worker

    try:
        wait_for(all_listen, "workers listen", seconds=30)
        yield started
    finally:
        for one in started:
            one.kill()


def wait_for(holds: Callable[[], Any], what: str, seconds: float = 20) -> float:
    """Wait until `holds()`; return how many seconds it took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if holds():
            return time.monotonic() - began
        time.sleep(0.03)
    raise AssertionError(f"Waited {seconds} s in vain: {what}")


def script(text: str, env: dict[str, str], seconds: float = 30) -> subprocess.CompletedProcess[str]:
    """Run Python with Django set up, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{text}"],
        cwd=BASE,
        env=env,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def begin(text: str, env: dict[str, str], *words: object) -> subprocess.Popen[str]:
    """Start Python with Django set up, in a process of its own that waits until something is said to it."""
    return subprocess.Popen(
        [sys.executable, "-c", f"import django; django.setup()\n{text}", *map(str, words)],
        cwd=BASE,
        env=env,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
