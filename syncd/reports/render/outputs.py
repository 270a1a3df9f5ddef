"""The outputs by name: what each is, and how a report is written as it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

from syncd.domain.errors import UsageError
from syncd.reports.render.options import OutputOptions
from syncd.reports.result import Result
from syncd.reports.specification import Specification

Write = Callable[[Result, BinaryIO, OutputOptions], None]

_UNUSUAL = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Output:
    """A form in which a report leaves syncd."""

    name: str
    summary: str
    media_type: str
    endings: tuple[str, ...]
    """Of file names, the usual one first."""
    write: Write
    """Write a report to a stream of bytes, row by row. Raises UserError for what is missing."""
    text: bool = True
    """Whether a terminal can show it; it is UTF-8 then."""


def _table(result: Result, stream: BinaryIO, options: OutputOptions) -> None:
    from syncd.reports.render.screen import write_text

    with _Utf8(stream) as text:
        write_text(result, text, options)


def _json(result: Result, stream: BinaryIO, options: OutputOptions) -> None:
    from syncd.reports.render.json import write_json

    with _Utf8(stream) as text:
        write_json(result, text)


def _csv(result: Result, stream: BinaryIO, options: OutputOptions) -> None:
    from syncd.reports.render.csv import write_csv

    with _Utf8(stream) as text:
        write_csv(result, text, options)


def _xlsx(result: Result, stream: BinaryIO, options: OutputOptions) -> None:
    from syncd.reports.render.xlsx import write_xlsx

    write_xlsx(result, stream, options)


def _pdf(result: Result, stream: BinaryIO, options: OutputOptions) -> None:
    from syncd.reports.render.pdf import write_pdf

    write_pdf(result, stream, options)


def _html(result: Result, stream: BinaryIO, options: OutputOptions) -> None:
    from syncd.reports.render.html import write_html

    with _Utf8(stream) as text:
        write_html(result, text, options)


class _Utf8(io.TextIOWrapper):
    """Text as UTF-8 into a stream of bytes that stays open."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream, encoding="utf-8", errors="replace", newline="")

    def close(self) -> None:
        if not self.closed:
            self.detach()


OUTPUTS = {
    output.name: output
    for output in (
        Output("table", "aligned text", "text/plain", (".txt",), _table),
        Output("json", "for programs", "application/json", (".json",), _json),
        Output("csv", "for spreadsheets and programs", "text/csv", (".csv",), _csv),
        Output(
            "xlsx",
            "a workbook with real numbers, days and times, and a chart",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            (".xlsx",),
            _xlsx,
            text=False,
        ),
        Output("pdf", "pages to print", "application/pdf", (".pdf",), _pdf, text=False),
        Output("html", "a page for a browser", "text/html", (".html", ".htm"), _html),
    )
}
"""Every output, by name."""


def output_for_file(name: str) -> Output | None:
    """Return the output that the ending of a file's name says, None when it says none."""
    ending = PurePath(name).suffix.lower()
    return next((output for output in OUTPUTS.values() if ending in output.endings), None)


def output_named(name: str) -> Output:
    """Return an output by its name. Raises UsageError."""
    if name not in OUTPUTS:
        raise UsageError(f"there is no format {name!r}", f"one of {', '.join(OUTPUTS)}")
    return OUTPUTS[name]


def file_name(specification: Specification, output: Output) -> str:
    """Return a name for the file of a report: which one, and of which days. What it was filtered by
    is no part of it: a name is seen by more people than the file."""
    report = _UNUSUAL.sub("-", specification.report.lower()).strip("-.") or "report"
    return f"{report}_{specification.first}_{specification.end}{output.endings[0]}"


def rendered(result: Result, output: Output, options: OutputOptions) -> bytes:
    """Return a report as the content of a file."""
    stream = io.BytesIO()
    output.write(result, stream, options)
    return stream.getvalue()
