"""Workbooks: no formula and no link, several sheets, names of sheets, what does not fit."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from syncd.reports.render import xlsx
from syncd.reports.render.outputs import OUTPUTS, rendered
from syncd.reports.result import Chart, Column, Kind
from tests.support.read_outputs import read_xlsx
from tests.support.results import COLUMNS, OPTIONS, result_of, row


def workbook(rows: list[dict[str, Any]], **more: Any) -> bytes:
    return rendered(result_of(rows, **more), OUTPUTS["xlsx"], OPTIONS)


def test_no_formula_no_link_no_markup() -> None:
    names = ["=1+1", "http://x.org", "mailto:a@b", "<r><t>x</t></r>", "+1+1", "@SUM(A1)", "{=1}"]
    rows = [row(name) for name in names]
    chart, heading = Chart("person", "cost"), (Column("person", "=1+1"), *COLUMNS[1:])
    notes = ["<r><t>note</t></r>", "=1+1"]
    content = workbook(rows, columns=heading, chart=chart, notes=notes, totals={"cost": "1.00"})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode("utf-8")
            if name.startswith("xl/worksheets/sheet"):
                assert "<f>" not in text, name
                assert "hyperlink" not in text
                assert "<r><t>" not in text
    sheets = read_xlsx(content)
    assert [line[0] for line in sheets["by-person"]] == ["=1+1", *names, "Total"]
    assert sheets["About"][-1][1] == "=1+1"


def test_it_can_be_used_at_once() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook([row(), row("B")], totals={"calls": 6})))
    sheet = book["by-person"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:G3", "the totals are not filtered"
    assert sheet.column_dimensions["C"].width > 19
    formats = [cell.number_format for cell in sheet[2]]
    assert formats[1:] == [
        "yyyy-mm-dd",
        "yyyy-mm-dd hh:mm:ss",
        "0",
        "[h]:mm:ss",
        "0.00####",
        "0.00##",
    ]
    assert sheet["A4"].font.bold
    assert book.properties.title == "by-person"


def test_rows_go_on_in_the_next_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "SHEET_ROWS", 5)
    for count, sheets in ((2, 1), (3, 1), (4, 2), (6, 2), (7, 3)):
        found = read_xlsx(workbook([row(f"p{n}") for n in range(count)], totals={"calls": 9}))
        parts = [lines for title, lines in found.items() if title.startswith("by-person")]
        assert len(parts) == sheets, count
        names = [line[0] for lines in parts for line in lines[1:]]
        assert names == [*(f"p{n}" for n in range(count)), "Total"]
        assert all(lines[0][0] == "Person" and len(lines) <= 5 for lines in parts)


def test_numbers_keep_every_digit_or_are_texts() -> None:
    costs = ["0.000001", "123456789012.345", "999999999999.999999", "-0.50", "1234567890123456"]
    lines = read_xlsx(workbook([row(cost=cost) for cost in costs]))["by-person"][1:]
    assert [line[5] for line in lines] == [
        Decimal("0.000001"),
        Decimal("123456789012.345"),
        "999999999999.999999",
        Decimal("-0.50"),
        "1234567890123456",
    ]


def test_whole_numbers_that_groups_are_of_are_numbers() -> None:
    columns = (Column("person", "Hour"), *COLUMNS[1:])
    lines = read_xlsx(workbook([row(hour) for hour in (2, 10, None, "2 others")], columns=columns))
    assert [line[0] for line in lines["by-person"][1:]] == [2, 10, None, "2 others"]


def test_a_time_stands_on_the_clocks_of_the_installation() -> None:
    rows = [row(started_at=at) for at in ("2026-03-29T01:59:59+01:00", "2026-07-01T10:00:00+00:00")]
    lines = read_xlsx(workbook(rows))["by-person"][1:]
    assert [str(line[2]) for line in lines] == ["2026-03-29 01:59:59", "2026-07-01 12:00:00"]


@pytest.mark.parametrize(
    "value", ["n/a", "2026-13-01", "", "12:00", "NaN", "Infinity", "1e400", "１２", True]
)
def test_what_is_not_of_its_kind_is_a_text(value: Any) -> None:
    columns = tuple(Column(kind.value, kind.value, kind) for kind in Kind)
    [_, line] = read_xlsx(
        workbook([dict.fromkeys([k.value for k in Kind], value)], columns=columns)
    )["by-person"]
    for cell, kind in zip(line, Kind, strict=True):
        if value is True and kind is Kind.SECONDS:
            continue
        assert cell == str(value), kind


def test_names_of_sheets() -> None:
    result = result_of([row()], chart=Chart("person", "cost"))
    for name, wanted in (
        ("a/b\\c?d*e:f[g]", "a b c d e f g"),
        ("x" * 40, "x" * 31),
        ("About", "About"),
        ("'", "Report"),
        ("History", "History 2"),
    ):
        content = rendered(
            replace(result, report=name, rows=iter([row()])), OUTPUTS["xlsx"], OPTIONS
        )
        titles = list(read_xlsx(content))
        assert titles[0] == wanted
        assert len(set(titles)) == len(titles) == 3


def test_a_text_that_was_cut_is_told() -> None:
    content = workbook([row("😀" * 20_000)])
    assert read_xlsx(content)["About"][-1] == [
        "Notes",
        "Cut, because a cell holds 32767 characters: 1",
    ]


class Full(io.BytesIO):
    def write(self, content: Any) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_told_as_such() -> None:
    with pytest.raises(OSError, match="No space left"):
        OUTPUTS["xlsx"].write(result_of([row()]), Full(), OPTIONS)
