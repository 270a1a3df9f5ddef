"""Cells of a worksheet as XML: real numbers, days and times; texts that stay texts.

XlsxWriter's own cells cost twice the time that a list of calls may take, go through a float, and take
a text that looks like its rich text for that; so rows are written here, all else by XlsxWriter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from syncd.reports.render.texts import clean
from syncd.reports.result import Column, Kind

LONGEST = 32_767
"""UTF-16 units in a cell."""
EXACT_DIGITS = 15
"""Digits that a number of a spreadsheet has; with more it would be another number."""
DAY = 86_400
DAY_ZERO = 693_594
"""Ordinal of the day whose serial number is 0."""

_NUMBER = re.compile(r"-?(\d+)(?:\.(\d+))?")
_ESCAPED = re.compile(r"(_x[0-9a-fA-F]{4}_)")
CUT = "…"

Encode = Callable[[Any], str]
"""Makes of a value what follows the address of its cell: style, kind, content."""


@dataclass(slots=True)
class Cells:
    """Makes cells, and counts those whose text did not fit."""

    zone: ZoneInfo | None
    cut: int = 0

    def text(self, value: Any) -> str:
        """Return the rest of a cell with a text."""
        text = clean(value)
        if len(text) > LONGEST // 2 and (units := _units(text)) > LONGEST:
            text = _shortened(text, units)
            self.cut += 1
        if "_x" in text:
            text = _ESCAPED.sub(r"_x005F\1", text)
        if "&" in text or "<" in text or ">" in text:
            text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        space = ' xml:space="preserve"' if text != text.strip() else ""
        return f' t="inlineStr"><is><t{space}>{text}</t></is></c>'

    def encoder(self, column: Column, style: int) -> Encode:
        """Return what makes cells of a column's values, in the style with this number."""
        absent = "" if not column.absent else self.text(column.absent)
        plain, styled, kind = self.text, f' s="{style}"', column.kind

        def text(value: Any) -> str:
            if type(value) is int:  # an hour, the id of a party: they are sorted as numbers
                return f"><v>{value}</v></c>"
            return absent if value is None else plain(value)

        def number(value: Any) -> str:
            if value is None:
                return absent
            exact = number_cell(value)
            return plain(value) if exact is None else f"{styled}><v>{exact}</v></c>"

        def seconds(value: Any) -> str:
            if value is None:
                return absent
            if not isinstance(value, int):
                return plain(value)
            return f"{styled}><v>{value / DAY:.16G}</v></c>"

        def moment(value: Any) -> str:
            serial = None if value is None else moment_cell(value, self.zone)
            return text(value) if serial is None else f"{styled}><v>{serial}</v></c>"

        def day(value: Any) -> str:
            serial = None if value is None else day_cell(value)
            return text(value) if serial is None else f"{styled}><v>{serial}</v></c>"

        return {
            Kind.TEXT: text,
            Kind.SECONDS: seconds,
            Kind.MOMENT: moment,
            Kind.DAY: day,
        }.get(kind, number)


def number_cell(value: Any) -> str | None:
    """Return a whole number or a decimal text as the number of a cell, None when it is none or has
    more digits than such a number keeps. Nothing goes through a float."""
    if isinstance(value, bool):
        return None
    text = str(value)
    found = _NUMBER.fullmatch(text)
    if found is None or not text.isascii():
        return None
    digits = (found[1] + (found[2] or "")).lstrip("0")
    return text if len(digits) <= EXACT_DIGITS else None


def moment_cell(value: str, zone: ZoneInfo | None) -> str | None:
    """Return a time in ISO 8601 as the number of days on the clocks of a zone."""
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if zone is not None and when.tzinfo is not None:
        when = when.astimezone(zone)
    seconds = when.hour * 3600 + when.minute * 60 + when.second
    return f"{when.toordinal() - DAY_ZERO + seconds / DAY:.16G}"


@lru_cache(4096)
def day_cell(value: str) -> int | None:
    """Return a day like 2026-01-31 as its number."""
    try:
        return date.fromisoformat(value).toordinal() - DAY_ZERO
    except (TypeError, ValueError):
        return None


class RowSheet(Worksheet):  # type: ignore[misc]
    """A worksheet to which whole rows can be added; only with XlsxWriter's constant memory."""

    def add_row(self, row: int, letters: Iterable[str], cells: Iterable[str]) -> None:
        """Write a row (from 0) below all others: for each column the rest of its cell, empty for
        none."""
        if row > self.previous_row:
            self._write_single_row(row)
        number = str(row + 1)
        self.fh.write(
            f'<row r="{number}">'
            + "".join(
                [
                    f'<c r="{letter}{number}"{cell}'
                    for letter, cell in zip(letters, cells, strict=True)
                    if cell
                ]
            )
            + "</row>"
        )

    def reach(self, row: int, column: int) -> None:
        """Say up to where cells were added."""
        self._check_dimensions(row, column)


def style_number(style: Format) -> int:
    """Return the number by which cells name a format."""
    return int(style._get_xf_index())


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _shortened(text: str, units: int) -> str:
    """Return the beginning of a text that fits."""
    kept = text[:LONGEST]
    while (units := _units(kept)) > LONGEST - 1:
        kept = kept[: -max(1, (units - LONGEST + 1) // 2)]
    return kept + CUT
