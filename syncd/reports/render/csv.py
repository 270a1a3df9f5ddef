"""A report as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import re
from typing import Any, TextIO

from syncd.domain.csv_lines import csv_writer
from syncd.reports.render.options import OutputOptions
from syncd.reports.result import Kind, Result

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"

_DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")
_HARMLESS = re.compile(r"\+[0-9]*\**|-?[0-9]+(\.[0-9]+)?")
"""A number in E.164, masked or not, and an amount: no formula can be made of them."""
_DECIMALS = (Kind.MONEY, Kind.NUMBER)


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


def write_csv(result: Result, stream: TextIO, options: OutputOptions | None = None) -> None:
    """Write the rows under a line of field names. Absent values are empty, totals are left out."""
    options = options or OutputOptions()
    writer = csv_writer(stream, options.delimiter)
    if options.bom:
        stream.write(BOM)
    names = [column.name for column in result.columns]
    point = options.decimal
    decimals = [column.kind in _DECIMALS and point != "." for column in result.columns]
    writer.writerow([safe_cell(name) for name in names])
    for row in result.rows:
        cells = [safe_cell(row[name]) for name in names]
        if any(decimals):
            cells = [
                cell.replace(".", point) if decimal else cell
                for cell, decimal in zip(cells, decimals, strict=True)
            ]
        writer.writerow(cells)
