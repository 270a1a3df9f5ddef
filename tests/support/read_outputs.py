"""Reads what reports were written as, with readers that are not syncd's."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pypdf
from openpyxl.utils.escape import unescape


def read_json(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content)
    return found


def read_xlsx(content: bytes) -> dict[str, list[list[Any]]]:
    """Return the rows of each worksheet; numbers that are no durations as Decimal."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {
        sheet.title: [[_value(cell) for cell in row] for row in sheet.iter_rows()] for sheet in book
    }


def _value(cell: Any) -> Any:
    value = cell.value
    if isinstance(value, str):
        return unescape(value)
    if "[h]" in cell.number_format and value is not None:
        return _seconds(value)
    if isinstance(value, datetime):
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0)
    return Decimal(repr(value)) if isinstance(value, (int, float)) else value


def _seconds(value: Any) -> int:
    if isinstance(value, timedelta):
        return round(value.total_seconds())
    if isinstance(value, time):
        return value.hour * 3600 + value.minute * 60 + value.second
    if isinstance(value, datetime):
        return round((value - datetime(1899, 12, 30)).total_seconds())  # noqa: DTZ001
    return round(value * 86_400)


@dataclass
class Page(HTMLParser):
    """The parts of a page of HTML."""

    headings: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    total: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._part = ""
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag in ("thead", "tbody", "tfoot"):
            self._part = tag
        elif tag == "tr" and self._part == "tbody":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            text = "".join(self._cell)
            self._cell = None
            if self._part == "tbody":
                self.rows[-1].append(text)
            else:
                (self.headings if self._part == "thead" else self.total).append(text)

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._cell is not None:
            self._cell.append(data)


def read_html(content: bytes) -> Page:
    page = Page()
    page.feed(content.decode("utf-8"))
    page.close()
    return page


def read_pdf(content: bytes) -> list[str]:
    """Return the text of each page."""
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def squeezed(text: str) -> str:
    """Return a text without blanks, which a PDF only has by distance."""
    return re.sub(r"\s+", "", text)
