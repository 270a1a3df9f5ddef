"""Micros as whole cents whose sum is right: what is rounded away from one line another line gets.

The method of the largest remainder: each amount is rounded down, and the units that are missing from
the rounded sum go to the amounts that lost most, the first of equals. No amount moves by a whole
unit.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd.domain.money import MICROS


def unit_of(decimals: int) -> int:
    """Return how many micros the smallest amount with so many decimals is."""
    return int(MICROS // 10**decimals)


def rounded(micros: int, unit: int) -> int:
    """Return an amount in whole units, half a unit away from nothing."""
    whole = (2 * abs(micros) + unit) // (2 * unit)
    return -whole if micros < 0 else whole


def apportion(amounts: Sequence[int], unit: int, total: int | None = None) -> list[int]:
    """Return amounts (micros) in whole units that add up to ``total`` units, or to their rounded sum.

    ``total`` must be the sum rounded up or down. Raises ValueError when it is not.
    """
    exact = sum(amounts)
    if total is None:
        total = rounded(exact, unit)
    if not -unit < total * unit - exact < unit:
        raise ValueError(f"{total} units of {unit} are not the rounded sum of {exact}")
    units = [micros // unit for micros in amounts]
    lost = sorted(range(len(amounts)), key=lambda place: (-(amounts[place] % unit), place))
    for place in lost[: total - sum(units)]:
        units[place] += 1
    return units


def format_units(units: int, decimals: int, point: str) -> str:
    """Return an amount in whole units as a text with this sign before its decimals; without a sign
    it is the number of units."""
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).zfill(decimals + 1)
    if not (decimals and point):
        return str(units)
    return f"{sign}{digits[:-decimals]}{point}{digits[-decimals:]}"
