"""Shares, averages and medians of whole numbers, exact: rounded once, half a tenth up (pure).

They are never added up: a total has its own, of the sums.
"""

from __future__ import annotations

from collections.abc import Mapping


def quotient(dividend: int, divisor: int, decimals: int = 1) -> str | None:
    """Return a quotient of numbers that are not negative as a decimal number, half a unit of the
    last place rounded up; None when there is nothing to divide by."""
    if not divisor:
        return None
    unit: int = 10**decimals
    units = (2 * dividend * unit + divisor) // (2 * divisor)
    return f"{units // unit}.{units % unit:0{decimals}d}" if decimals else str(units)


def percent(part: int, whole: int) -> str | None:
    """Return a part as percent of the whole, with one decimal; None of nothing."""
    return quotient(100 * part, whole)


def median(counts: Mapping[int, int]) -> str | None:
    """Return the median of values given how often each is there, with one decimal: of an even
    number the middle between the two in the middle. None when there is none."""
    total = sum(counts.values())
    if not total:
        return None
    return quotient(_at(counts, (total - 1) // 2) + _at(counts, total // 2), 2)


def _at(counts: Mapping[int, int], place: int) -> int:
    """Return the value at a place, counted from 0, of all in their order."""
    for value in sorted(counts):
        place -= counts[value]
        if place < 0:
            return value
    raise IndexError("there are not as many values")
