"""Which item of a carrier's bill is which call: one to one, the closest pair first (pure).

Two fit when their numbers are the same and starts and durations are within the tolerances. Of all
pairs that fit the closest is taken, then the closest of the rest: an exact pair is never given up so
that two poor ones can be made.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Item(NamedTuple):
    """A call as the bill has it."""

    number: str
    """As a ``Leg`` has it, without the digits that the carrier hides."""
    hidden: int
    """How many digits at the end are hidden."""
    starts: tuple[int, ...]
    """Epoch seconds UTC; two in the hour that the clock repeats."""
    seconds: int


class Leg(NamedTuple):
    """An outside leg as it is stored."""

    number: str | None
    """E.164 or a short number; None: it is nobody's business, and fits any."""
    start: int
    """Connect time, epoch seconds UTC."""
    seconds: int
    """From connect to release."""
    billed: int
    """Seconds that the tariff made of them."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far two values may be apart, in seconds."""

    start: int
    duration: int


class Pair(NamedTuple):
    """An item and a leg by their places, and how far apart they are: the smaller, the better."""

    distance: int
    """Seconds between the starts and between the durations, together."""
    unsure: bool
    """The numbers could not be compared as a whole."""
    apart: int
    """Seconds between the starts."""
    item: int
    leg: int


def fitting(item: Item, leg: Leg, tolerance: Tolerance) -> tuple[int, bool, int] | None:
    """Return how far apart an item and a leg are, as in ``Pair``; None when they do not fit."""
    if leg.number is not None:
        length = len(leg.number) - item.hidden
        if length != len(item.number) or not leg.number.startswith(item.number):
            return None
    apart = min(abs(start - leg.start) for start in item.starts)
    longer = min(abs(item.seconds - leg.seconds), abs(item.seconds - leg.billed))
    if apart > tolerance.start or longer > tolerance.duration:
        return None
    return apart + longer, leg.number is None or bool(item.hidden), apart


def match(items: Sequence[Item], legs: Sequence[Leg], tolerance: Tolerance) -> list[Pair]:
    """Return which items are which legs, each at most once, in the order in which they were found."""
    free_items, free_legs = set(range(len(items))), set(range(len(legs)))
    found = []
    for pair in sorted(_candidates(items, legs, tolerance)):
        if pair.item in free_items and pair.leg in free_legs:
            free_items.remove(pair.item)
            free_legs.remove(pair.leg)
            found.append(pair)
    return found


def _candidates(items: Sequence[Item], legs: Sequence[Leg], tolerance: Tolerance) -> Iterator[Pair]:
    """Yield every pair that fits; only legs about the time of an item are looked at."""
    order = sorted(range(len(legs)), key=lambda place: legs[place].start)
    starts = [legs[place].start for place in order]
    for place, item in enumerate(items):
        near = {
            order[index]
            for start in item.starts
            for index in range(
                bisect_left(starts, start - tolerance.start),
                bisect_right(starts, start + tolerance.start),
            )
        }
        for leg in near:
            fit = fitting(item, legs[leg], tolerance)
            if fit is not None:
                yield Pair(*fit, place, leg)
