"""Bars and maps made of characters, for who would rather look than read."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from syncd.reports.render.picture import HeatMap

LONGEST = 24
"""Characters of the longest bar."""
EIGHTHS = " ▏▎▍▌▋▊▉"
FULL = "█"
SHADES = " ░▒▓█"
PLAIN_SHADES = " .:*#"


def bar(value: Decimal, highest: Decimal, *, long: int = LONGEST, plain: bool = False) -> str:
    """Return a bar as long as a value is of the highest (both not negative): eighths of a character,
    or whole ones of ASCII. What is more than nothing is seen."""
    if value <= 0 or highest <= 0:
        return ""
    if plain:
        return "#" * max(1, int(value * long / highest + Decimal("0.5")))
    eighths = max(1, int(value * long * 8 / highest + Decimal("0.5")))
    whole, rest = divmod(eighths, 8)
    return FULL * whole + (EIGHTHS[rest] if rest else "")


def bars(
    values: Sequence[Decimal | None], *, long: int = LONGEST, plain: bool = False
) -> list[str]:
    """Return a bar for each value; those below zero and absent ones have none."""
    highest = max((value for value in values if value is not None), default=Decimal(0))
    return [bar(value or Decimal(0), highest, long=long, plain=plain) for value in values]


def shade(value: Decimal, highest: Decimal, *, plain: bool = False) -> str:
    """Return how dark a value is; what is more than nothing is seen."""
    shades = PLAIN_SHADES if plain else SHADES
    if value <= 0 or highest <= 0:
        return shades[0]
    return shades[min(len(shades) - 1, 1 + int(value * (len(shades) - 1) / highest))]


def map_lines(picture: HeatMap, *, plain: bool = False) -> list[str]:
    """Return a map as lines: a row of shades for each label, and what they stand for."""
    values = [point.value for row in picture.cells for point in row if point is not None]
    highest = max(values, default=Decimal(0))
    label = max(map(len, picture.rows), default=0)
    size = max((len(column) for column in picture.columns), default=1) + 1
    lines = [" " * label + "".join(f"{column:>{size}}" for column in picture.columns)]
    for name, row in zip(picture.rows, picture.cells, strict=True):
        marks = (
            shade(Decimal(0) if point is None else point.value, highest, plain=plain)
            for point in row
        )
        lines.append(f"{name:<{label}}" + "".join(" " + mark * (size - 1) for mark in marks))
    texts = {point.value: point.text for row in picture.cells for point in row if point is not None}
    shades = (PLAIN_SHADES if plain else SHADES)[1:]
    lines.append(f"{picture.heading}: {shades} up to {texts.get(highest, '0')}")
    return [line.rstrip() for line in lines]
