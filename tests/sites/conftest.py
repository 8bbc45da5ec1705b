"""Mail that really goes over SMTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from sites.engine import outbox
from tests import smtp_sink
from tests.smtp_sink import Sink


@pytest.fixture
def sink(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """A mail server, and settings that lead to it."""
    monkeypatch.setattr(outbox, "_breaks", 0)
    monkeypatch.setattr(outbox, "_away_until", 0.0)
    with smtp_sink.running() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", sink.port, 1
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = ""
        yield sink
