"""What will break a promise next: each app registers what it knows, the page sorts it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Item:
    """A row of *Today*: what, why, and one button (templates/components/todo_item.html).

    Attributes:
        breaks_at: when the promise breaks; the order among rows of one tone.
        title: what it is, by reference code.
        detail: one sentence.
        label: the words on the one button.
        url: where the button leads.
        tone: "" (on its way), "soon", "late" or "calm".
        chip: short words beside it, with `chip_tone`.
        window: a contact window to draw instead of the chip.
        post: the button makes a move rather than opening a page.
        quiet: nothing to do now; listed so that it can be seen.
        other: words and address of another way, as a plain link.
    """

    breaks_at: datetime
    title: str
    detail: str
    label: str
    url: str
    tone: str = ""
    chip: str = ""
    chip_tone: str = ""
    window: Any = None
    post: bool = False
    quiet: bool = False
    other: tuple[str, str] | None = None


URGENT = {"late": 0, "soon": 1}
Source = Callable[[str], Iterable[Item]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Let `source(site_slug)` add rows; it is called inside the site's scope."""
    if source not in _sources:  # apps may be made ready twice
        _sources.append(source)


def items(slug: str) -> list[Item]:
    """Return the rows of the current site: overdue, soon, the rest; what needs a person before what does not."""
    rows = [item for source in _sources for item in source(slug)]
    return sorted(rows, key=lambda item: (URGENT.get(item.tone, 2), item.quiet, item.breaks_at))
