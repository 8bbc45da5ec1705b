"""Mail of the local run: one file per message, shown by `/mailbox/`."""

import itertools
import os
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

SUFFIX = ".eml"
_count = itertools.count()


class EmailBackend(BaseEmailBackend):
    """Write each message to a file of its own in `EMAIL_FILE_PATH`."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Return how many messages were written; an address list that is empty is nobody's mail."""
        addressed = [message for message in email_messages if message.recipients()]
        for message in addressed:
            _write(Path(settings.EMAIL_FILE_PATH), message.message().as_bytes())
        return len(addressed)


def _write(folder: Path, text: bytes) -> None:
    """Write a message under a name that sorts by time; a reader sees all of it or nothing.

    Two processes never choose the same name: the process and its own count stand in it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{time.time_ns():020d}-{os.getpid()}-{next(_count):06d}"
    unfinished = folder / f".{name}"
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
        file.flush()
        # The outbox marks a mail as sent once we return: by then it must outlive the machine.
        os.fsync(file.fileno())
    unfinished.rename(folder / f"{name}{SUFFIX}")


def newest(folder: Path, limit: int) -> list[Path]:
    """Return the files of the latest `limit` messages, newest first."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = sorted((entry.name for entry in entries if entry.name.endswith(SUFFIX)), reverse=True)
    return [folder / name for name in names[:limit]]
