"""Tables as other people send them, CSV or XLSX: rows of texts that know where they stand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import NamedTuple

from syncd.domain.errors import ConfigurationError, Problem

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
AUTO = "auto"
ENCODINGS = ("utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15")
EXCEL = (".xlsx", ".xlsm")
EXCEL_DIGITS = ".15g"
"""Significant digits that a spreadsheet itself shows of a number: what it keeps behind them is the
dust of binary fractions."""
LARGEST_TEXT = 256 << 20
"""Bytes of a table of text: a bill of a million calls has less than half of it."""
HEAD_ROWS = 100
"""A header stands in one of the first rows."""


class NumberText(str):
    """A number of a spreadsheet as a plain decimal text, whatever sign the sheet shows it with."""

    __slots__ = ()


class Row(NamedTuple):
    """A row with the line of the file, or the row of the sheet, at which it begins."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table; ``label`` names the file, and the sheet of a workbook."""

    label: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is to be read; empty or ``auto`` is found out."""

    sheet: str = ""
    delimiter: str = AUTO
    encoding: str = AUTO


def read_sheets(path: Path, form: Form, headings: Sequence[str] = ()) -> list[Sheet]:
    """Return the tables of a file: the one of a CSV file, those of a workbook or the one that
    ``form`` names. ``headings`` are names that the header has, which tell the delimiter.

    Raises ConfigurationError for a file that cannot be read so.
    """
    if path.suffix.lower() in EXCEL:
        return _workbook(path, form.sheet)
    if path.suffix.lower() == ".xls":
        raise _refused(path, "is a workbook of the old kind", "save it as .xlsx, or as CSV")
    text = _text(path, form.encoding)
    delimiter = DELIMITERS.get(form.delimiter) or guess_delimiter(text, headings)
    return [Sheet(str(path), tuple(_csv_rows(path, text, delimiter)))]


def heading_key(text: str) -> str:
    """Return what names of columns are compared by: case and blanks do not count."""
    return " ".join(text.casefold().split())


def guess_delimiter(text: str, headings: Sequence[str] = ()) -> str:
    """Return what stands between the cells: with what most of the headings are found in one row, and
    among equals what cuts most rows into the same number of cells."""
    wanted = {heading_key(name) for name in headings}

    def fitness(delimiter: str) -> tuple[int, int]:
        rows = _sample(text, delimiter)
        found = max((len(wanted & {heading_key(cell) for cell in row}) for row in rows), default=0)
        widths: dict[int, int] = {}
        for row in rows:
            widths[len(row)] = widths.get(len(row), 0) + len(row) - 1
        return found, max(widths.values(), default=0)

    return max(DELIMITERS.values(), key=fitness)


def _sample(text: str, delimiter: str) -> list[list[str]]:
    """Return the first rows, however they are quoted."""
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if len(rows) == HEAD_ROWS:
                break
            rows.append(row)
    except csv.Error:
        pass  # the reading itself says where
    return rows


def _refused(path: Path, what: str, hint: str = "", line: int = 0) -> ConfigurationError:
    problem = Problem(str(path), line, "", what, hint)
    return ConfigurationError(f"{path.name} cannot be read", problems=[problem])


def _text(path: Path, encoding: str) -> str:
    try:
        with path.open("rb") as stream:
            # A device or a pipe may have no end.
            data = stream.read(LARGEST_TEXT + 1)
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from None
    if len(data) > LARGEST_TEXT:
        raise _refused(
            path, f"is larger than {LARGEST_TEXT >> 20} MB", "split it, each part with its header"
        )
    if encoding == AUTO:
        encoding = _encoding(data)
    try:
        text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        hint = f"encoding = one of {', '.join(ENCODINGS)}"
        raise _refused(path, f"is not {encoding}", hint, line) from None
    if "\0" in text:
        raise _refused(path, "is not text", "a CSV file, or a workbook named .xlsx")
    return text


def _encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1252"  # what a spreadsheet program writes where it is not UTF-8
    return "utf-8"


def _csv_rows(path: Path, text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _refused(
                path, f"this is not CSV: {error}", "are all quotes closed?", line
            ) from None
        yield Row(line, tuple(cell.strip() for cell in cells))
        line = reader.line_num + 1


def _workbook(path: Path, wanted: str) -> list[Sheet]:
    # Only who reads a workbook pays for the import.
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with path.open("rb") as stream:
            book = load_workbook(stream, read_only=True, data_only=True)
            names = [sheet.title for sheet in book.worksheets]
            if wanted and wanted not in names:
                raise _refused(path, f"has no sheet {wanted!r}", f"it has {', '.join(names)}")
            sheets = []
            for sheet in book.worksheets:
                if wanted in ("", sheet.title):
                    # Some programs write a wrong extent, beyond which nothing would be read.
                    sheet.reset_dimensions()
                    label = f"{path} [{sheet.title}]"
                    sheets.append(Sheet(label, tuple(_sheet_rows(sheet.values))))
            return sheets
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror or error}") from None
    except (BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError) as error:
        raise _refused(
            path, f"is not a workbook: {error}", "save it as .xlsx again, or as CSV"
        ) from None


def _sheet_rows(rows: Iterable[Iterable[object]]) -> Iterator[Row]:
    for line, cells in enumerate(rows, 1):
        texts = tuple(_cell(cell) for cell in cells)
        if any(texts):
            yield Row(line, texts)


def _cell(value: object) -> str:
    """Return a cell of a workbook as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return NumberText(value)
    if isinstance(value, Real):
        return NumberText(format(Decimal(format(value, EXCEL_DIGITS)), "f"))
    return str(value).strip()
