"""Charts: one drawing in SVG that stands alone, and the same as PNG by typst (docs/decisions/0020-charts.md).

A hidden value is None here already: nothing about it reaches the drawing, and its bar has one height.
"""

import textwrap
import zlib
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, log10
from typing import NamedTuple

import typst
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.translation import gettext as _

TEMPLATE = settings.BASE_DIR / "templates" / "print" / "chart.typ"
# Units of the drawing: on a phone one is a little less than a pixel, so that words stay readable.
WIDTH, EDGE = 360, 4
TITLE, UNIT, PLOT = 22, 18, 150
ROW, BAR = 44, 16
# Mean width of a letter, generously: digits and short words only are placed by it; and what keeps two labels apart.
LETTER, APART = 7, 8
DOTS_PER_INCH = 288  # of a unit of 1/72 inch: four dots a unit

Mark = tuple[int, str]
Rows = tuple[tuple[str, int | None], ...]


class Kind(StrEnum):
    """Upright bars for what follows in time or size, lying ones for what has long names."""

    COLUMNS = "COLUMNS"
    ROWS = "ROWS"


@dataclass(frozen=True)
class Chart:
    """What is drawn.

    Attributes:
        rows: (label, count) in order; a count of None is hidden.
        unit: what is counted and when, in words; stands under the title.
        mark: after how many rows a dashed line stands, and its words, such as (4, "72 hours").
        least: the smallest number that may be told, and so stand on the axis, beside 0.
    """

    title: str
    rows: Rows
    kind: Kind
    unit: str
    mark: Mark | None = None
    least: int = 1


class Text(NamedTuple):
    """Words at a place; `turned` when they read upwards."""

    words: str
    x: float
    y: float
    anchor: str = "start"
    turned: bool = False


class Bar(NamedTuple):
    """A bar as drawn."""

    x: float
    y: float
    width: float
    height: float
    hidden: bool


Line = tuple[float, float, float, float]


@dataclass(frozen=True)
class Plot:
    """Bars and axis; lines are (x1, y1, x2, y2)."""

    bars: list[Bar]
    values: list[Text]
    labels: list[Text]
    ticks: list[Text]
    grid: list[Line]
    base: Line
    mark: tuple[Line, Text] | None
    bottom: float


@dataclass(frozen=True)
class Drawing:
    """A chart with every place worked out."""

    name: str
    title: str
    description: str
    width: int
    height: float
    headings: list[Text]
    unit: Text
    plot: Plot
    key: Text | None


def ticks(top: int, least: int = 1) -> list[int]:
    """Return the round numbers of an axis that reaches `top`: from 0, at most six, whole, and `least` apart."""
    top = max(top, least)
    power = 10 ** max(int(log10(top)) - 1, 0)
    step = next(size * power for size in (1, 2, 5, 10, 20, 50, 100) if size * power >= max(top / 5, least))
    return list(range(0, top + step, step))


def draw(chart: Chart) -> Drawing:
    """Work out where everything stands."""
    titles = textwrap.wrap(chart.title, 36) or [""]
    headings = [Text(words, EDGE, 20 + n * TITLE) for n, words in enumerate(titles)]
    unit = Text(chart.unit, EDGE, 20 + len(titles) * TITLE - 2)
    top = len(titles) * TITLE + UNIT + (40 if chart.mark else 28)
    axis = ticks(max((count for _label, count in chart.rows if count is not None), default=0), chart.least)
    plot = (_columns if chart.kind == Kind.COLUMNS else _rows)(chart, axis, top)
    hidden = any(count is None for _label, count in chart.rows)
    return Drawing(
        name=f"c{zlib.crc32(chart.title.encode()):x}",
        title=chart.title,
        description=description(chart),
        width=WIDTH,
        height=_rounded(plot.bottom + (28 if hidden else 8)),
        headings=headings,
        unit=unit,
        plot=plot,
        key=_text(_("hidden: the size of the bar says nothing"), EDGE + 22, plot.bottom + 16) if hidden else None,
    )


def description(chart: Chart) -> str:
    """Return the chart in words, for whoever does not see it."""
    values = "; ".join(f"{label}: {_number(count)}" for label, count in chart.rows)
    return f"{chart.unit}. {values}."


def svg(chart: Chart) -> str:
    """Return the chart as SVG that stands alone."""
    return render_to_string("tracker/_chart.svg", {"drawing": draw(chart)})


def png(chart: Chart) -> bytes:
    """Return the chart as PNG, 1,440 dots wide."""
    image = typst.compile(
        TEMPLATE,
        root=TEMPLATE.parent,
        format="png",
        ppi=DOTS_PER_INCH,
        ignore_system_fonts=True,
        sys_inputs={"svg": svg(chart), "width": str(WIDTH)},
    )
    assert isinstance(image, bytes)
    return image


def _columns(chart: Chart, axis: list[int], top: float) -> Plot:
    left = EDGE + LETTER * len(_number(axis[-1])) + 6
    base, step = top + PLOT, (WIDTH - EDGE - left) / max(len(chart.rows), 1)
    width = min(step * 0.72, 56)
    numbers = max((len(_number(count)) for _label, count in chart.rows if count is not None), default=0)
    names = _two_lines([label for label, _count in chart.rows], step)
    every = ceil((max((len(first) for first, _second in names), default=0) * LETTER + APART) / step)
    bars, values, labels, shown_year = [], [], [], ""
    for n, ((first, second), (_label, count)) in enumerate(zip(names, chart.rows, strict=True)):
        middle = left + (n + 0.5) * step
        height = PLOT / 2 if count is None else PLOT * count / axis[-1]
        bars.append(_bar(middle - width / 2, base - height, width, height, count))
        if count is None and width > 14:
            values.append(_text(_("hidden"), middle + 4, base - PLOT / 4, "middle", turned=True))
        elif count and numbers * LETTER <= step:  # a 0 would stand right above the name of its column
            values.append(_text(_number(count), middle, base - height - 5, "middle"))
        if n % every == 0:
            labels.append(_text(first, middle, base + 16, "middle"))
        # A year is said where it changes.
        if second and second != shown_year:
            labels.append(_text(second, middle, base + 31, "middle"))
        shown_year = second
    heights = [base - PLOT * n / axis[-1] for n in axis]
    mark = None
    if chart.mark:
        x = left + chart.mark[0] * step
        side, anchor = (-6, "end") if x > WIDTH / 2 else (6, "start")
        mark = _line(x, top - 20, x, base), _text(chart.mark[1], x + side, top - 12, anchor)
    return Plot(
        bars=bars,
        values=values,
        labels=labels,
        ticks=[_text(_number(n), left - 6, y + 4, "end") for n, y in zip(axis, heights, strict=True)],
        grid=[_line(left, y, WIDTH - EDGE, y) for y in heights[1:]],
        base=_line(left, base, WIDTH - EDGE, base),
        mark=mark,
        bottom=base + (40 if any(second for _first, second in names) else 24),
    )


def _two_lines(labels: list[str], step: float) -> list[tuple[str, str]]:
    """Return each label as two lines: a year below its month, the end of a band below its start where they are long."""
    long = max((len(label.partition(" ")[0]) for label in labels), default=0) * LETTER + APART > step
    if long and any("–" in label for label in labels):
        parts = [label.partition("–") for label in labels]
        return [(start + dash, end) for start, dash, end in parts]
    parts = [label.partition(" ") for label in labels]
    return [(first, second) for first, _space, second in parts]


def _rows(chart: Chart, axis: list[int], top: float) -> Plot:
    # The name stands above its bar, so that it may be long; the number stands behind it.
    top -= 12
    longest = max((len(_number(count)) for _label, count in chart.rows), default=0)
    length = WIDTH - 2 * EDGE - LETTER * longest - 8
    gap = UNIT if chart.mark else 0
    bars, values, labels = [], [], []
    for n, (label, count) in enumerate(chart.rows):
        y = top + n * ROW + (gap if chart.mark and n >= chart.mark[0] else 0)
        long = length / 3 if count is None else length * count / axis[-1]
        bars.append(_bar(EDGE, y + 20, long, BAR, count))
        labels.append(_text(textwrap.shorten(label, 50, placeholder=" …"), EDGE + 6, y + 14))
        values.append(_text(_number(count), EDGE + long + 6, y + 20 + BAR - 4))
    bottom = top + len(chart.rows) * ROW + gap
    positions = [EDGE + length * n / axis[-1] for n in axis]
    mark = None
    if chart.mark:
        y = top + chart.mark[0] * ROW + gap / 2
        mark = _line(EDGE, y, WIDTH - EDGE, y), _text(chart.mark[1], WIDTH - EDGE, y - 5, "end")
    return Plot(
        bars=bars,
        values=values,
        labels=labels,
        ticks=[_text("0", EDGE, bottom + 16)]
        + [_text(_number(n), x, bottom + 16, "middle") for n, x in zip(axis[1:], positions[1:], strict=True)],
        grid=[_line(x, top, x, bottom) for x in positions[1:]],
        base=_line(EDGE, top, EDGE, bottom),
        mark=mark,
        bottom=bottom + 24,
    )


def _rounded(coordinate: float) -> float:
    return round(coordinate, 1)


def _text(words: str, x: float, y: float, anchor: str = "start", *, turned: bool = False) -> Text:
    return Text(words, _rounded(x), _rounded(y), anchor, turned)


def _line(x1: float, y1: float, x2: float, y2: float) -> Line:
    return _rounded(x1), _rounded(y1), _rounded(x2), _rounded(y2)


def _bar(x: float, y: float, width: float, height: float, count: int | None) -> Bar:
    return Bar(_rounded(x), _rounded(y), _rounded(width), _rounded(height), count is None)


def _number(count: int | None) -> str:
    if count is None:
        return _("hidden")
    # Most counts need no grouping, and a page of charts says hundreds of them.
    return str(count) if abs(count) < 1000 else str(number_format(count, use_l10n=True, force_grouping=True))
