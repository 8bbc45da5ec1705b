"""A mail server on a free port of this machine: it keeps what it accepts, and can be told to misbehave."""

import contextlib
import email
import socket
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any


@dataclass(frozen=True)
class Mail:
    """A message as it was accepted."""

    sender: str
    to: str
    text: str

    @property
    def message(self) -> Message:
        return email.message_from_string(self.text)

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])


class Sink:
    """The server. `say(recipient)` chooses how a recipient is treated:

    `ok`, `450`, `550` (to RCPT), `421` (to RCPT, then hangs up), `554 data` (to DATA),
    `drop` (takes the message, hangs up without a word), `hang` (takes the message, says nothing).
    """

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.tried: list[str] = []
        self.say: Callable[[str], str] = lambda to: "ok"
        self.delay = 0.0  # seconds between the message and its OK
        self.silent = False  # takes connections and never greets
        self.port = _free_port()
        self._server: Any = None
        self._lock = threading.Lock()

    def up(self) -> None:
        sink = self

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False
            request_queue_size = 50

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that was killed is no news."""

        class Handler(socketserver.StreamRequestHandler):
            timeout = 30

            def handle(self) -> None:
                sink._talk(self)

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def to(self) -> list[str]:
        """Return the recipients of all mails, sorted."""
        return sorted(mail.to for mail in self.mails)

    def times(self) -> Counter[str]:
        """Return Message-ID → how often it was accepted."""
        return Counter(mail.message_id for mail in self.mails)

    def _talk(self, client: Any) -> None:
        if self.silent:
            client.rfile.readline()
            return
        _answer(client, "220 sink")
        sender = to = ""
        with contextlib.suppress(OSError):
            while line := client.rfile.readline().decode():
                word = line.strip().upper()
                if word.startswith("MAIL"):
                    sender = line.split(":", 1)[1].strip()
                elif word.startswith("RCPT"):
                    to = line.split(":", 1)[1].strip().strip("<>")
                answer = self._read(client, sender, to) if word == "DATA" else self._reply(word, to)
                if answer:
                    _answer(client, answer)
                if not answer or answer.startswith(("221", "421")):
                    return

    def _reply(self, word: str, to: str) -> str:
        if word.startswith("RCPT"):
            self.tried.append(to)
            known = {"421": "421 going away", "450": "450 later", "550": "550 no such person"}
            return known.get(self.say(to), "250 OK")
        if word.startswith(("EHLO", "HELO")):
            return "250 sink"
        return "221 bye" if word == "QUIT" else "250 OK"

    def _read(self, client: Any, sender: str, to: str) -> str:
        """Take a mail in; return the answer, "" to hang up without one."""
        _answer(client, "354 go on")
        text = "".join(iter(lambda: client.rfile.readline().decode(), ".\r\n"))
        said = self.say(to)
        if said == "hang":
            client.rfile.readline()
        if said in ("drop", "hang"):
            return ""
        if said == "554 data":
            return "554 not this"
        time.sleep(self.delay)
        with self._lock:
            self.mails.append(Mail(sender, to, text))
        return "250 kept"


def _answer(client: Any, line: str) -> None:
    client.wfile.write(line.encode() + b"\r\n")
    client.wfile.flush()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running() -> Iterator[Sink]:
    """Have a sink up inside the block."""
    sink = Sink()
    sink.up()
    try:
        yield sink
    finally:
        sink.down()
