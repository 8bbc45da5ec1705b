"""Cubes of made-up counts for the tests of releases, and an attacker that knows nothing of the gate."""

from datetime import date

import numpy as np

from referrals.requests.request_facts import set_code
from tracker.figures import periods
from tracker.releases.cube import PATHWAYS, REASONS, Cube, Row, build

START = date(2025, 4, 1)


def rows(counts: dict[tuple[int, str, tuple[str, ...]], int], start: date = START) -> list[Row]:
    """Return the counts of one site: (month from the start, pathway, reasons) → requests."""
    found: list[Row] = []
    totals: dict[date, int] = {}
    for (number, pathway, reasons), count in counts.items():
        month = periods.later(start, number)
        found.append((month, "REQ_SET", set_code(pathway, reasons), count))
        totals[month] = totals.get(month, 0) + count
    return found + [(month, "REQUEST", "ALL", count) for month, count in totals.items()]


def chance(sites: int, months: int, each: float, seed: int, start: date = START) -> Cube:
    """Return a cube of `by_chance`."""
    found = by_chance(sites, months, each, seed, start)
    return build(found, periods.months(start, periods.later(start, months - 1)))


def by_chance(sites: int, months: int, each: float, seed: int, start: date = START) -> dict[int, list[Row]]:
    """Return rows of chance: `each` requests a site and year on average, sites and reasons of unequal size."""
    dice = np.random.default_rng(seed)
    often = np.array([0.25, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06, 0.04])
    sizes = dice.gamma(4, 1 / 4, sites)
    found: dict[int, list[Row]] = {}
    for site in range(sites):
        counts: dict[tuple[int, str, tuple[str, ...]], int] = {}
        for month in range(months):
            for _ in range(dice.poisson(each / 12 * sizes[site])):
                many = dice.choice([1, 2, 3], p=[0.6, 0.3, 0.1])
                reasons = tuple(REASONS[i] for i in sorted(dice.choice(8, many, replace=False, p=often)))
                key = (month, PATHWAYS[int(dice.random() < 0.3)], reasons)
                counts[key] = counts.get(key, 0) + 1
        found[site + 1] = rows(counts, start)
    return found


def steady(count: int, months: int, start: date = START, path: str = "REACH_IN", why: str = "BURNOUT") -> list[Row]:
    """Return the rows of a site with as many requests each month, all of one kind."""
    return rows({(month, path, (why,)): count for month in range(months)}, start)
