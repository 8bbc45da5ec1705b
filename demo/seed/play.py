"""Time, for demonstration data: stories wait, and each step happens at its own moment, in order.

A story is a generator that runs in its site's scope, dated with the moment it had reached, and yields
how long it waits. One that waits beyond the end of the play stays as it is: that is how things stand.
"""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

from psi.tenancy import site_scope

Story = Iterator[timedelta]


class Play:
    """Runs stories together, step by step, so that whoever was busy then is busy in the data."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        self._waiting: list[tuple[datetime, int, int, Story]] = []
        self._order = count()

    def start(self, at: datetime, site_id: int, story: Story) -> None:
        """Let a story of this site go on at `at`, unless that is after the end."""
        if at <= self.until:
            heapq.heappush(self._waiting, (at, next(self._order), site_id, story))

    def run(self) -> int:
        """Play to the end; return how many steps were made."""
        steps = 0
        while self._waiting:
            at, _, site_id, story = heapq.heappop(self._waiting)
            with site_scope(site_id, now=at):
                wait = next(story, None)
            steps += 1
            if wait is not None:
                self.start(at + wait, site_id, story)
        return steps


def hours(number: float) -> timedelta:
    """Return a wait of so many hours."""
    return timedelta(hours=number)
