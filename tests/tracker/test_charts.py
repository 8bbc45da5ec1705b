"""Charts: what is shown can be read, and of what is hidden nothing can be."""

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as some

from tracker.figures import charts
from tracker.figures.charts import Chart, Kind

MONTHS = (("Apr 2026", 12), ("May 2026", None), ("Jun 2026", 1200), ("Jul 2026", 0))
BOTH = (Kind.COLUMNS, Kind.ROWS)


def chart(kind: Kind, rows: charts.Rows = MONTHS, **more: object) -> Chart:
    return Chart("Requests by month", rows, kind, "Requests, 2026", **more)  # type: ignore[arg-type]


def words(picture: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]


@given(some.integers(0, 10**7))
def test_ticks_are_round_and_few_and_reach_the_top(top: int) -> None:
    axis = charts.ticks(top)
    assert axis[0] == 0 and axis[-1] >= top and len(axis) <= 7
    assert re.fullmatch("[125]0*", str(axis[1])) and len({b - a for a, b in zip(axis, axis[1:], strict=False)}) == 1
    assert axis[-2] < max(top, 1)
    # Where nothing under ten may be told, no such number stands on the axis.
    assert charts.ticks(top, 10)[1] >= 10 and charts.ticks(top, 10)[-1] >= top


def test_a_hidden_bar_is_the_same_whatever_it_hides_beside() -> None:
    for kind in BOTH:
        alone = charts.draw(chart(kind, (("A", None), ("B", 610)))).plot.bars[0]
        beside = charts.draw(chart(kind, (("A", None), ("B", 790)))).plot.bars[0]
        assert alone == beside and alone.hidden
        drawn = charts.svg(chart(kind))
        assert "hidden" in words(drawn) and "hidden: the size of the bar says nothing" in words(drawn)
        assert "None" not in drawn
        assert "hidden" not in charts.svg(chart(kind, MONTHS[2:]))


def test_twelve_months_keep_apart_and_a_year_stands_where_it_begins() -> None:
    names = [f"{month} 2026" for month in ("Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")]
    rows = tuple((name, 3) for name in [*names, "Jan 2027", "Feb 2027", "Mar 2027"])
    plot = charts.draw(chart(Kind.COLUMNS, rows)).plot
    places = {text.words: text.x for text in plot.labels}
    assert list(places) == ["Apr", "2026", "Jun", "Aug", "Oct", "Dec", "2027", "Feb"]
    middles = [bar.x + bar.width / 2 for bar in plot.bars]
    assert abs(places["2027"] - middles[9]) < 0.2 and abs(places["Feb"] - middles[10]) < 0.2
    assert [text.words for text in charts.draw(chart(Kind.COLUMNS, rows[:3])).plot.labels] == [
        *("Apr", "2026", "May", "Jun"),
    ]


def test_every_band_is_named_on_two_lines_where_one_is_too_short() -> None:
    rows = tuple((f"{n}–{n + 23}", n) for n in range(0, 168, 24))
    labels = charts.draw(chart(Kind.COLUMNS, (*rows, ("168+", 1)))).plot.labels
    assert [text.words for text in labels if text.y == labels[0].y] == [
        *("0–", "24–", "48–", "72–", "96–", "120–", "144–", "168+"),
    ]
    assert [text.words for text in labels if text.y > labels[0].y] == [
        *("23", "47", "71", "95", "119", "143", "167"),
    ]
    assert [text.words for text in charts.draw(chart(Kind.COLUMNS, rows[:2])).plot.labels] == ["0–23", "24–47"]


def test_no_number_stands_above_a_column_of_nothing() -> None:
    assert [text.words for text in charts.draw(chart(Kind.COLUMNS)).plot.values] == ["12", "hidden", "1\xa0200"]


def test_it_stands_alone_and_is_told_in_words() -> None:
    for kind in BOTH:
        drawn = charts.svg(chart(kind, mark=(2, "72 hours")))
        root = ElementTree.fromstring(drawn)
        assert not re.search(r"style=|href|<script|<style", drawn)
        described = {node.get("id"): node.text for node in root if node.get("id")}
        assert [described[name] for name in root.get("aria-labelledby", "").split()] == [
            "Requests by month",
            "Requests, 2026. Apr 2026: 12; May 2026: hidden; Jun 2026: 1\xa0200; Jul 2026: 0.",
        ]
        assert {"Requests by month", "Requests, 2026", "12", "1\xa0200", "72 hours"} <= set(words(drawn))


def test_words_of_others_stay_words() -> None:
    drawn = charts.svg(chart(Kind.ROWS, (('<b onload="x">&', 3),)))
    assert '<b onload="x">&' in words(drawn)


def test_the_picture_is_a_png_of_its_size() -> None:
    made = charts.png(chart(Kind.COLUMNS))
    assert made[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(made[16:20]) == (charts.WIDTH + 20) * 4
