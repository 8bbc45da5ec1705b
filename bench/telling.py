"""A made-up province that tells its quarters one after the other, each past the gate, as coordinators would."""

import time
from collections import Counter
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from matching.matches.contact_window import CONTACT_HOURS
from tests.tracker import cubes
from tracker.figures import periods
from tracker.releases import check as release_check
from tracker.releases import suppression
from tracker.releases.cube import ITEMS, PATHWAYS, REASONS, Cube, Row, build
from tracker.releases.options import PART_OF_TABLE, ReleaseOptions

SITES, MONTHS, START = 25, 36, date(2023, 4, 1)
NAMES = ("FRASER", "INTERIOR", "ISLAND", "NORTHERN", "COASTAL")
REGIONS = {site: NAMES[site % len(NAMES)] for site in range(1, SITES + 1)}
# How often each reason is among those given: one, two or three of them.
OFTEN, MANY = (0.25, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06, 0.04), (0.6, 0.3, 0.1)
REACH_OUT, CONTACTED, ANSWERED, YES = 0.3, 0.9, 0.4, 0.85


class Province:
    """Sites and reasons of unequal size, few contacts late; and what is told of them.

    Attributes:
        published: every cell published so far; `groups` what stands together in them.
        refused: the quarter of each attempt that the gate refused, as a code.
        last: what the latest examination took and found.
    """

    def __init__(self, each: float, seed: int) -> None:
        """Make up all months, of `each` requests a site and year on average."""
        self.published: list[suppression.Cell] = []
        self.groups: list[suppression.GroupMember] = []
        self.refused: list[str] = []
        self.last: dict[str, Any] = {}
        dice = np.random.default_rng(seed)
        sizes = each / 12 * dice.gamma(4, 1 / 4, SITES)
        self._rows = {site: _site(float(size), dice) for site, size in zip(REGIONS, sizes, strict=True)}

    def tell(self) -> dict[str, Any]:
        """Release every quarter in its turn, and return what it took and what was told."""
        began, releases = time.perf_counter(), []
        for quarter in periods.quarters(START, periods.later(START, MONTHS - 1)):
            tables = self._release(quarter)
            self.published += tables.cells
            self.groups += tables.members
            cells, members = ([asdict(one) for one in some] for some in (tables.cells, tables.members))
            releases.append({"quarter": quarter, "cells": cells, "members": members})
        taken = time.perf_counter() - began
        return self.last | {"peak": peak(), "all": taken, "refused": self.refused, "releases": releases}

    def _release(self, quarter: date) -> suppression.ProtectedTables:
        """Return what passes: everything, else without the tables that refusals name, else nothing: all waits."""
        cube = build(self._rows, periods.months(START, periods.last_month(quarter)))
        options, starts, k = ReleaseOptions(), release_check.first_unpublished(self.published, cube), settings.PSI_K
        while True:
            tables = suppression.protected_tables(cube, quarter, starts, options, k, regions=REGIONS)
            result = self._examine(cube, tables, k)
            if result.passed:
                return tables
            self.refused.append(periods.code(quarter))
            table = release_check.suggest_coarsening(cube, self.published, tables, self.groups, result)
            if table is None:
                return suppression.ProtectedTables()
            options = replace(options, **{PART_OF_TABLE[table].name: False})

    def _examine(self, cube: Cube, tables: suppression.ProtectedTables, k: int) -> Any:
        began, busy = time.perf_counter(), time.process_time()
        result, contradicts = release_check.audit_disclosure(
            cube, [*self.published, *tables.cells], [*self.groups, *tables.members], k
        )
        assert not contradicts
        self.last = {
            "seconds": time.perf_counter() - began,
            "busy": time.process_time() - busy,
            "numbers": result.numbers,
            "examined": result.examined,
            "narrowest": result.narrowest,
            "passed": result.passed,
        }
        return result


def _site(each: float, dice: np.random.Generator) -> list[Row]:
    """Return what a site counted, with `each` requests a month on average."""
    asked: Counter[tuple[int, str, tuple[str, ...]]] = Counter()
    noted: Counter[tuple[date, str, str]] = Counter()
    for number in range(MONTHS):
        month = periods.later(START, number)
        for _ in range(dice.poisson(each)):
            reasons = dice.choice(len(REASONS), dice.choice((1, 2, 3), p=MANY), replace=False, p=OFTEN)
            asked[number, PATHWAYS[int(dice.random() < REACH_OUT)], tuple(REASONS[i] for i in sorted(reasons))] += 1
            if dice.random() > CONTACTED:
                continue
            hours = int(dice.gamma(2, 15))
            noted[month, "TO_MATCH", str(int(dice.gamma(2, 18)))] += 1
            noted[month, "TO_CONTACT", str(hours)] += 1
            if hours < CONTACT_HOURS:
                noted[month, "CONTACT", "IN_TIME"] += 1
            else:
                noted[month, "CONTACT", "LATE"] += 1
                noted[month, "WINDOW", "MISSED"] += 1
            noted[month, "TALK", "ALL"] += int(dice.poisson(2))
            if dice.random() < ANSWERED:
                noted[periods.quarter_of(month), "SURVEY", "ALL"] += 1
                for item in ITEMS:
                    noted[periods.quarter_of(month), item, "YES" if dice.random() < YES else "NO"] += 1
    return [*cubes.rows(asked, START), *((*key, count) for key, count in noted.items())]


def peak() -> float:
    """Return the most memory this process ever held, in MB. `ru_maxrss` would begin with that of whoever started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
