"""A report as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from typing import Any, TextIO

from syncd.reports.result import Result

_DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")
_HARMLESS = re.compile(r"\+[0-9]*\**|-?[0-9]+(\.[0-9]+)?")
"""A number in E.164, masked or not, and an amount: no formula can be made of them."""


def safe_cell(value: Any) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula.

    Names come from a directory that others write. A text that begins like a formula gets an
    apostrophe in front, except for plain numbers and E.164 numbers, which stay as they are.
    """
    if value is None:
        return ""
    text = str(value)
    if text.startswith(_DANGEROUS) and not _HARMLESS.fullmatch(text):
        return f"'{text}"
    return text


def write_csv(result: Result, stream: TextIO) -> None:
    """Write the rows under a line of field names. Absent values are empty, totals are left out."""
    writer = csv.writer(stream, lineterminator="\n")
    names = [column.name for column in result.columns]
    writer.writerow(names)
    for row in result.rows:
        writer.writerow([safe_cell(row[name]) for name in names])
