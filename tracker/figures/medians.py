"""Whole hours, and how often each was counted."""

from collections.abc import Mapping


def median(hours: Mapping[int, int]) -> int:
    """Return the lower median of hours → how many, in whole hours.

    Raises:
        ValueError: nothing was counted.
    """
    middle, cumulated = (sum(hours.values()) + 1) // 2, 0
    for hour in sorted(hours):
        cumulated += hours[hour]
        if cumulated >= middle > 0:
            return hour
    raise ValueError("There is no median of nothing.")
