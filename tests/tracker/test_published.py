"""Published tables as they are shown: which lines they have, and what of them is drawn."""

from datetime import date

from django.utils import translation

from psi.tenancy import site_scope
from tests.people import World
from tracker.figures import periods
from tracker.figures.charts import Kind
from tracker.releases import tables as release_tables
from tracker.releases.models import ReleaseCell
from tracker.releases.tables import Table

APRIL = date(2024, 4, 1)


def told(world: World, *lengths: int, by_month: int = -1) -> Table:
    """Return the first table over periods of so many months, one after the other; one of them by month as well."""
    with site_scope(world.province.pk):
        first = APRIL
        for number, length in enumerate(lengths):
            last = periods.later(first, length - 1)
            for month in periods.months(first, last) if number == by_month else ():
                ReleaseCell.objects.create(first=month, last=month, number=20)
            ReleaseCell.objects.create(first=first, last=last, number=60)
            first = periods.later(last, 1)
        (table,) = release_tables.over_time()
    return table


def test_a_period_whose_months_are_all_hidden_is_one_line(world: World) -> None:
    table = told(world, 12, 3, 3)
    assert [(row.period, row.display) for row in table.rows] == [
        ("April 2024 to March 2025", "60"),
        ("April to June 2025", "60"),
        ("July to September 2025", "60"),
    ]


def test_where_some_months_are_told_the_others_are_hidden_and_not_missing(world: World) -> None:
    table = told(world, 3, 3, by_month=0)
    assert [row.display for row in table.rows] == ["20", "20", "20", "60", "hidden", "hidden", "hidden", "60"]
    drawn = release_tables.chart(table)
    assert drawn is not None
    assert (drawn.title, drawn.kind) == ("Requests by period", Kind.COLUMNS)
    assert [count for _label, count in drawn.rows] == [20, 20, 20, None, None, None]
    assert table.picture_note.startswith("Only periods of the same length are drawn")


def test_only_periods_as_long_as_the_latest_are_drawn_side_by_side(world: World) -> None:
    table = told(world, 12, 3, 6, 3)
    drawn = release_tables.chart(table)
    assert drawn is not None and drawn.title == "Requests by period"
    assert drawn.rows == (("April to June 2025", 60), ("January to March 2026", 60))
    assert table.picture_note.endswith("the table has all of them.")


def test_a_picture_that_shows_every_period_needs_no_word_beside_it(world: World) -> None:
    assert told(world, 3, 3).picture_note == ""
    assert Table("P1", "", "").picture_note == Table("P2", "", "").picture_note == ""


def test_every_word_of_a_published_table_is_french_too() -> None:
    words = [*release_tables.TITLES.values(), *release_tables.NOTES.values(), *release_tables.PATHWAY_LABELS.values()]
    words += [*release_tables.PROCESS_LABELS.values(), *release_tables.REGIONS.values()]
    english = [str(each) for each in words]
    with translation.override("fr"):
        assert [one for one, other in zip(english, words, strict=True) if one == str(other)] == []
