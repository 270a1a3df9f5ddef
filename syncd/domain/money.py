"""Money is a whole number of micros: millionths of the currency's unit. Never a float."""

from __future__ import annotations

import re
from decimal import Decimal

MICROS = 1_000_000
_AMOUNT = re.compile(r"-?\d{1,12}(\.\d{1,6})?")


def parse_micros(text: str) -> int:
    """Return the micros that a decimal text such as ``0.30`` stands for.

    Raises ValueError for anything but digits with a decimal point and at most six decimals.
    """
    text = text.strip()
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{text!r} is not an amount with at most six decimals, such as 0.30")
    return int(Decimal(text) * MICROS)


def format_micros(micros: int) -> str:
    """Return micros as a decimal text with at least two and at most six decimals."""
    sign = "-" if micros < 0 else ""
    units, rest = divmod(abs(micros), MICROS)
    decimals = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{units}.{decimals}"
