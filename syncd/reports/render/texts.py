"""Values as people read them: one line, without control characters, in the style of the country."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from syncd.reports.result import Column, Kind

MINUTE = 60
HOUR = 3600
OTHERS = "others"

_UNWANTED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
"""Control characters, what turns the direction of the text after it, halves of characters."""
_DECIMAL = re.compile(r"(-?)(\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True)
class Style:
    """How numbers and days are written for people; as it is, that of ISO 8601."""

    decimal: str = "."
    thousands: str = ""
    day: str = "%Y-%m-%d"
    """``%Y``, ``%m`` and ``%d`` in the order and with the marks that are usual."""


ISO = Style()

NUMBER_STYLES = {
    "1234.56": (".", ""),
    "1,234.56": (".", ","),
    "1.234,56": (",", "."),
    "1 234,56": (",", "\N{NO-BREAK SPACE}"),
    "1'234.56": (".", "\N{RIGHT SINGLE QUOTATION MARK}"),
}
"""Decimal and thousands separator by what stands in the settings."""
DAY_STYLES = {
    "yyyy-mm-dd": "%Y-%m-%d",
    "dd.mm.yyyy": "%d.%m.%Y",
    "dd/mm/yyyy": "%d/%m/%Y",
    "mm/dd/yyyy": "%m/%d/%Y",
}
"""Pattern of a day by what stands in the settings."""


def style_of(numbers: str, days: str) -> Style:
    """Return the style that two options of the settings stand for."""
    return Style(*NUMBER_STYLES[numbers], DAY_STYLES[days])


def clean(value: Any) -> str:
    """Return a value as one line of text: names come from a directory that others write.

    Control characters become spaces, also those that would turn the text around them.
    """
    text = value if isinstance(value, str) else str(value)
    return text if text.isprintable() else _UNWANTED.sub(" ", text)


def duration_text(seconds: int) -> str:
    """Return whole seconds like 1:02:03, hours as many as there are."""
    sign, left = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{left // HOUR}:{left % HOUR // MINUTE:02d}:{left % MINUTE:02d}"


def number_text(text: str, style: Style) -> str:
    """Return a decimal number with the separators of a style; what is none, as it is."""
    found = _DECIMAL.fullmatch(text)
    if found is None:
        return text
    sign, whole, rest = found.groups()
    if style.thousands:
        whole = f"{int(whole):,}".replace(",", style.thousands)
    return f"{sign}{whole}{style.decimal}{rest}" if rest else f"{sign}{whole}"


def day_text(text: str, style: Style) -> str:
    """Return a day like 2026-01-31 in a style; what is none, as it is."""
    parts = text.split("-")
    if style.day == ISO.day or [len(part) for part in parts] != [4, 2, 2]:
        return text
    pattern = style.day.replace("%Y", parts[0]).replace("%m", parts[1])
    return pattern.replace("%d", parts[2])


def moment_text(text: str, style: Style) -> str:
    """Return a time in ISO 8601 as a day and the time of it; its offset stands in files for
    programs."""
    return f"{day_text(text[:10], style)} {text[11:19]}"


def shown(column: Column, value: Any, style: Style = ISO) -> str:
    """Return a value of a column as people read it."""
    if value is None:
        return column.absent
    if isinstance(value, bool):
        return "yes" if value else "no"
    if column.kind is Kind.SECONDS and isinstance(value, int):
        return duration_text(value)
    text = clean(value)
    if column.kind is Kind.MOMENT:
        return moment_text(text, style)
    if column.kind is Kind.DAY:
        return day_text(text, style)
    return number_text(text, style) if column.kind.numeric else text


def heading_of(column: Column, currency: str) -> str:
    """Return the heading of a column, an amount's with the currency."""
    if column.kind is Kind.MONEY and currency:
        return f"{column.heading} {currency}"
    return column.heading
