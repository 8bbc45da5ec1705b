"""A move that is to be refused, and with which code."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sites.engine.moves import Refused


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[Refused]]:
    """Expect a refusal with this code, such as `MOVED_ON`; the sentence is what people are shown."""
    with pytest.raises(Refused) as raised:
        yield raised
    assert raised.value.code == code
