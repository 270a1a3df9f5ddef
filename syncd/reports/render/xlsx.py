"""A report as a workbook: its rows, what it says about itself, and a picture."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from syncd.reports.render.options import OutputOptions, head_lines, moment, title_of
from syncd.reports.render.picture import Collector
from syncd.reports.render.sheet_cells import LONGEST, Cells, Encode, RowSheet, style_number
from syncd.reports.render.sheet_picture import A4, add_picture
from syncd.reports.render.texts import Style, clean, heading_of
from syncd.reports.result import Column, Kind, Result

SHEET_ROWS = 1_048_576
"""Rows of a worksheet."""
MEASURED_ROWS = 500
"""Rows from which the widths of columns are taken."""
WIDEST = 60
NAME_LENGTH = 31
SPOOLED = 4_000_000
"""Bytes of a workbook that need no file."""

_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
_SETTINGS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_WIDTHS = {Kind.MOMENT: 19, Kind.DAY: 11, Kind.SECONDS: 11}


@dataclass(slots=True)
class _Formats:
    """The formats of the cells by kind; whoever opens the file sees the separators of their own
    country."""

    book: Workbook
    style: Style
    _made: dict[tuple[str, bool], Format] = field(default_factory=dict)

    def of(self, kind: Kind, *, bold: bool = False) -> Format:
        day = self.style.day.replace("%Y", "yyyy").replace("%m", "mm").replace("%d", "dd")
        whole = "#,##0" if self.style.thousands else "0"
        pattern = {
            Kind.SECONDS: "[h]:mm:ss",
            Kind.MOMENT: f"{day} hh:mm:ss",
            Kind.DAY: day,
            Kind.MONEY: f"{whole}.00####",
            Kind.NUMBER: f"{whole}.00##",
            Kind.COUNT: whole,
        }.get(kind, "General")
        if (pattern, bold) not in self._made:
            looks: dict[str, Any] = {"num_format": pattern, "valign": "top"}
            if bold:
                looks |= {"bold": True, "top": 1}
            self._made[pattern, bold] = self.book.add_format(looks)
        return self._made[pattern, bold]

    def heading(self, *, right: bool = False) -> Format:
        looks = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
        return self.book.add_format(looks | ({"align": "right"} if right else {}))


def write_xlsx(result: Result, stream: BinaryIO, options: OutputOptions) -> None:
    """Write a workbook. Its rows are never held as a whole; money is exact, with more digits than a
    spreadsheet's number keeps it is a text."""
    # A workbook is put together at its end; what cannot be written then is told by the stream.
    with SpooledTemporaryFile(SPOOLED) as file:
        book = Workbook(file, dict(_SETTINGS))
        try:
            _write_sheets(book, result, options)
        finally:
            _close(book)
        file.seek(0)
        shutil.copyfileobj(file, stream)


def _close(book: Workbook) -> None:
    """Put the workbook together. Raises OSError when there is no room for it."""
    try:
        book.close()
    except FileCreateError as error:
        raise error.args[0] from error


def _write_sheets(book: Workbook, result: Result, options: OutputOptions) -> None:
    book.set_properties(
        {
            "title": title_of(result, options),
            "author": clean(result.viewer),
            "created": moment(options.generated_at, options).replace(tzinfo=None),
        }
    )
    formats = _Formats(book, options.style)
    cells = Cells(options.zone)
    collector = Collector(result, options.style)
    _Rows(book, result, formats, cells).write(collector)
    picture = collector.picture()
    if picture is not None:
        add_picture(book, _sheet_name(book, "Chart"), picture)
    notes = [clean(note) for note in result.notes]
    if cells.cut:
        notes.append(f"Cut, because a cell holds {LONGEST} characters: {cells.cut}")
    _write_about(book, result, options, formats, notes)


class _Rows:
    """The worksheets with the rows: one, or as many as they fill."""

    def __init__(self, book: Workbook, result: Result, formats: _Formats, cells: Cells) -> None:
        self._book, self._result, self._formats, self._cells = book, result, formats, cells
        self._columns = result.columns
        self._letters = [_letters(place) for place in range(len(self._columns))]
        self._encoders: list[tuple[str, Encode]] = [
            (column.name, cells.encoder(column, style_number(formats.of(column.kind))))
            for column in self._columns
        ]
        self._widths = [
            max(len(word) for word in (*heading_of(column, result.currency).split(), "four"))
            for column in self._columns
        ]

    def write(self, collector: Collector) -> None:
        """Write every row and, below the last, the totals."""
        rows = iter(self._result.rows)
        waiting = next(rows, None)
        while True:
            sheet, row = self._sheet(), 0
            # One row of each sheet is the headings', one may be the total's.
            while waiting is not None and row < SHEET_ROWS - 2:
                row += 1
                self._add(sheet, row, waiting, collector)
                waiting = next(rows, None)
            self._finish(sheet, row, with_total=waiting is None)
            if waiting is None:
                return

    def _sheet(self) -> RowSheet:
        sheet = self._book.add_worksheet(_sheet_name(self._book, self._result.report), RowSheet)
        for place, column in enumerate(self._columns):
            heading = clean(heading_of(column, self._result.currency))
            look = self._formats.heading(right=column.kind.numeric)
            sheet.write_string(0, place, heading, look)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&F&RPage &P of &N")
        assert isinstance(sheet, RowSheet)
        return sheet

    def _add(self, sheet: RowSheet, row: int, values: dict[str, Any], collector: Collector) -> None:
        collector.add(values)
        sheet.add_row(row, self._letters, [encode(values[name]) for name, encode in self._encoders])
        if row <= MEASURED_ROWS:
            for place, column in enumerate(self._columns):
                value = values[column.name]
                size = _WIDTHS.get(column.kind) or len(str(value or column.absent))
                if size > self._widths[place]:
                    self._widths[place] = size

    def _finish(self, sheet: RowSheet, rows: int, *, with_total: bool) -> None:
        last = len(self._columns) - 1
        sheet.reach(rows, last)
        for place, width in enumerate(self._widths):
            sheet.set_column(place, place, min(width, WIDEST) + 2)
        if rows:
            sheet.autofilter(0, 0, rows, last)
            # A line such as 0310 is a text and stays one.
            sheet.ignore_errors({"number_stored_as_text": f"A1:{self._letters[last]}{rows + 2}"})
        if with_total and self._result.totals:
            self._add_total(sheet, rows + 1)

    def _add_total(self, sheet: RowSheet, row: int) -> None:
        """Write the totals as the report has them: a formula would add up what is filtered away, or
        not what the limit left out."""
        totals, bold = self._result.totals, self._formats.of(Kind.TEXT, bold=True)
        found = []
        for place, column in enumerate(self._columns):
            value = totals.get(column.name)
            if value is None and place == 0:
                value, column = total_label(totals), Column("", "")
            style = style_number(self._formats.of(column.kind, bold=True))
            look = f' s="{style_number(bold)}"'
            if value is None:
                found.append(f"{look}/>")
            else:
                cell = self._cells.encoder(column, style)(value)
                found.append(cell if cell.startswith(" s=") else look + cell)
        sheet.add_row(row, self._letters, found)
        sheet.reach(row, len(self._columns) - 1)


def total_label(totals: Mapping[str, Any]) -> str:
    """Return what stands before totals."""
    return f"Total of {totals['rows']}" if "rows" in totals else "Total"


def _write_about(
    book: Workbook,
    result: Result,
    options: OutputOptions,
    formats: _Formats,
    notes: list[str],
) -> None:
    """Write for whom the report is, what was asked, every total and what has to be known."""
    sheet = book.add_worksheet(_sheet_name(book, "About"))
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    bold = book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 80)
    row = 0
    sheet.write_string(
        row, 0, title_of(result, options), book.add_format({"bold": True, "font_size": 14})
    )
    for label, text in head_lines(result, options):
        row += 1
        _write_pair(sheet, row, label, text, bold, wrapped)
    by_name = {column.name: column for column in result.columns}
    for name, value in result.totals.items():
        row += 1
        column = by_name.get(name, Column(name, name.replace("_", " ")))
        text = "" if value is None else str(value)
        label = f"Total, {heading_of(column, result.currency).lower()}"
        _write_pair(sheet, row, label, text, bold, wrapped)
    for place, note in enumerate(notes):
        row += 1
        _write_pair(sheet, row, "" if place else "Notes", note, bold, wrapped)


def _write_pair(
    sheet: Worksheet, row: int, label: str, text: str, bold: Format, wrapped: Format
) -> None:
    sheet.write_string(row, 0, clean(label), bold)
    sheet.write_string(row, 1, _plain(text), wrapped)


def _plain(text: str) -> str:
    """Return a text that XlsxWriter does not take for its rich text."""
    text = clean(text)
    return f" {text}" if text.startswith("<r>") else text


def _sheet_name(book: Workbook, wanted: str) -> str:
    """Return a name for another worksheet that no other has."""
    taken = {sheet.get_name().casefold() for sheet in book.worksheets()}
    base = _NOT_IN_NAMES.sub(" ", clean(wanted)).strip()[:NAME_LENGTH] or "Report"
    name, number = base, 1
    while name.casefold() in taken or name.casefold() == "history":
        number += 1
        name = f"{base[: NAME_LENGTH - 1 - len(str(number))]} {number}"
    return name


def _letters(place: int) -> str:
    """Return the letters of a column, from 0."""
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(ord("A") + rest) + text
    return text
