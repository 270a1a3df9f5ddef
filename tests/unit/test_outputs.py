"""Every output has the rows and totals that JSON has, whatever the names are like."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syncd.domain.errors import UsageError
from syncd.reports.render.outputs import (
    OUTPUTS,
    file_name,
    output_for_file,
    output_named,
    rendered,
)
from syncd.reports.render.texts import (
    DAY_STYLES,
    NUMBER_STYLES,
    Style,
    day_text,
    duration_text,
    number_text,
    style_of,
)
from syncd.reports.result import Column, Kind
from syncd.reports.specification import Specification
from tests.support.read_outputs import read_html, read_json, read_pdf, read_xlsx, squeezed
from tests.support.results import COLUMNS, OPTIONS, ROME, result_of, row

NASTY = [
    *("=1+1", '=HYPERLINK("http://x")', "+1", "-1", "@x", "<r>x</r>", "<b>&amp;</b>", "]]>"),
    *("a_x0041_b", "\x00\x07\x1b[31m", "a\nb\r\tc", "\u202eevil\u202c", "\ud800", "\ufffe"),
    *(
        "Łukasz",
        "Дмитрий",
        "山田",
        "مرحبا",
        "שלום",
        "👨\u200d👩\u200d👧",
        "é\u0301",
        " lead",
        "x " * 20,
    ),
    *("0310", "1e5", "2026-01-01", "http://x.org", "{nb}", "x" * 40_000, "😀" * 20_000, "'", '"'),
]
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(max_size=20), st.none())
MONEY = st.decimals(-(10**12), 10**12, allow_nan=False, places=4).map(lambda n: f"{n:f}")
# By the clock of the world: a clock on the wall has hours that never were.
MOMENTS = st.integers(315_532_800, 3_786_912_000).map(
    lambda second: datetime.fromtimestamp(second, ROME).isoformat()
)
VALUES = {
    Kind.TEXT: TEXTS,
    Kind.DAY: st.dates(date(1980, 1, 1), date(2090, 1, 1)).map(lambda day: day.isoformat()),
    Kind.MOMENT: MOMENTS,
    Kind.COUNT: st.integers(-(10**17), 10**17),
    Kind.SECONDS: st.integers(0, 10**8),
    Kind.MONEY: MONEY,
    Kind.NUMBER: MONEY,
}
ROWS = st.lists(
    st.fixed_dictionaries(
        {column.name: st.one_of(VALUES[column.kind], st.none()) for column in COLUMNS}
    ),
    max_size=6,
)
TOTALS = st.fixed_dictionaries({"calls": st.integers(0, 99), "cost": MONEY, "unrated": st.just(7)})
CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def seen(column: Column, value: Any) -> str:
    """Return a value as a page shows it, said once more and otherwise."""
    if value is None:
        return column.absent
    if column.kind is Kind.SECONDS:
        return f"{value // 3600}:{value // 60 % 60:02d}:{value % 60:02d}"
    if column.kind is Kind.MOMENT:
        return f"{value[:10]} {value[11:19]}"
    return CONTROL.sub(" ", str(value))


def in_sheet(column: Column, value: Any) -> Any:
    """Return a value as a worksheet has it."""
    if value is None:
        return column.absent or None
    if column.kind is Kind.SECONDS:
        return value
    if column.kind is Kind.DAY:
        return datetime.fromisoformat(value)
    if column.kind is Kind.MOMENT:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    text = CONTROL.sub(" ", str(value))
    if column.kind.numeric:
        exact = len(re.sub(r"\D", "", text).lstrip("0")) <= 15
        return Decimal(text) if exact else text
    return text


def written(name: str, rows: list[dict[str, Any]], **more: Any) -> bytes:
    return rendered(result_of(rows, **more), OUTPUTS[name], OPTIONS)


@settings(max_examples=60)
@example([dict.fromkeys([column.name for column in COLUMNS]) | {"person": "\r"}], {})
@given(ROWS, TOTALS)
def test_json_and_csv_have_the_values(rows: list[dict[str, Any]], totals: dict[str, Any]) -> None:
    found = read_json(written("json", rows, totals=totals).replace(b"\r", b""))
    plain = [
        {
            key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
            for key, value in one.items()
        }
        for one in rows
    ]
    assert found["totals"] == totals
    assert found["rows"] == plain
    text = written("csv", rows, totals=totals).decode("utf-8")
    head, *lines = csv.reader(io.StringIO(text, newline=""))
    assert head == [column.name for column in COLUMNS]
    for line, values in zip(lines, plain, strict=True):
        for cell, column in zip(line, COLUMNS, strict=True):
            value = values[column.name]
            assert cell.removeprefix("'") == ("" if value is None else str(value)).removeprefix("'")
            assert not re.match(r"[=@\t\r\n]|[+-][^0-9*]", cell)


@settings(max_examples=60)
@given(ROWS, TOTALS)
def test_a_workbook_has_the_values(rows: list[dict[str, Any]], totals: dict[str, Any]) -> None:
    content = written("xlsx", rows, totals=totals)
    sheets = read_xlsx(content)
    head, *lines, total = sheets["by-person"]
    assert head == [*(column.heading for column in COLUMNS[:5]), "Cost EUR", "Erlangs"]
    assert len(lines) == len(rows)
    for line, values in zip(lines, rows, strict=True):
        for cell, column in zip(line, COLUMNS, strict=True):
            wanted = in_sheet(column, values[column.name])
            if isinstance(wanted, str) and len(wanted.encode("utf-16-le")) // 2 > 32_767:
                assert cell.endswith("…")
                assert len(cell.encode("utf-16-le")) // 2 <= 32_767
                wanted, cell = wanted[:9_000], cell[:9_000]
            assert cell == wanted, column
    assert total[:1] == ["Total"]
    assert total[3:6] == [totals["calls"], None, in_sheet(COLUMNS[5], totals["cost"])]
    about = {line[0]: line[1] for line in sheets["About"][1:]}
    assert about["Total, unrated"] == "7"
    assert about["Total, cost eur"] == totals["cost"]


@settings(max_examples=60)
@given(ROWS, TOTALS)
def test_a_page_has_the_values(rows: list[dict[str, Any]], totals: dict[str, Any]) -> None:
    page = read_html(written("html", rows, totals=totals))
    assert page.rows == [[seen(column, one[column.name]) for column in COLUMNS] for one in rows]
    assert page.total == ["Total", "", "", str(totals["calls"]), "", totals["cost"], ""]
    assert page.tags.isdisjoint({"script", "a", "link", "iframe", "form", "b", "r"})


LETTERS = st.text("abcXYZ ŁößДмитрй=<>&+-@_{}", max_size=9).map(lambda text: " ".join(text.split()))


@settings(max_examples=8)
@given(st.lists(LETTERS, min_size=1, max_size=4), TOTALS)
def test_a_pdf_has_the_values(names: list[str], totals: dict[str, Any]) -> None:
    rows = [row(name or None) for name in names]
    text = squeezed(read_pdf(written("pdf", rows, totals=totals))[0])
    cells = [[seen(column, one[column.name]) for column in COLUMNS] for one in rows]
    cells.append(["Total", str(totals["calls"]), totals["cost"]])
    assert squeezed("".join(map("".join, cells))) in text


def test_what_is_shown_of_a_list_is_what_a_table_shows() -> None:
    brief = ("person", "cost")
    rows, more = [row(), row(None)], {"brief": brief, "dimensions": ()}
    assert read_html(written("html", rows, **more)).rows == [
        ["Anna", "1.2345"],
        ["unassigned", "1.2345"],
    ]
    assert len(read_xlsx(written("xlsx", rows, **more))["by-person"][0]) == len(COLUMNS)
    text = written("table", rows, **more).decode()
    assert re.search(r"Person +Cost EUR\n-+ +-+\nAnna +1.2345\nunassigned +1.2345\n", text)


def test_a_text_says_whose_it_is_and_what_to_know() -> None:
    rows = [row(duration=100 * 3600 + 59)]
    text = written(
        "table", rows, totals={"rows": 1, "cost": "1.2345"}, notes=["one thing"]
    ).decode()
    for part in ("For:       anna (level 6)", "Period:    2026-01-01 to 2026-01-31", "100:00:59"):
        assert part in text
    assert "Total of 1" in text
    assert text.endswith("\none thing\n")


def test_nothing_is_said() -> None:
    assert "nothing in this period" in written("table", []).decode()
    assert "nothing in this period" in read_html(written("html", [])).text
    assert squeezed("nothing in this period") in squeezed(read_pdf(written("pdf", []))[0])
    assert len(read_xlsx(written("xlsx", []))["by-person"]) == 1


def test_a_total_that_stands_first_is_not_hidden() -> None:
    columns = (Column("cost", "Cost", Kind.MONEY), Column("person", "Person"))
    rows, totals = [{"cost": "2.00", "person": "Anna"}], {"cost": "9.00"}
    for name in ("table", "html"):
        assert b"9.00" in written(name, rows, columns=columns, totals=totals)
    sheet = read_xlsx(written("xlsx", rows, columns=columns, totals=totals))["by-person"]
    assert sheet[-1] == [Decimal(9), None]


def test_a_csv_for_european_spreadsheets() -> None:
    options = replace(OPTIONS, bom=True, delimiter=";", decimal=",")
    result = result_of([row("a,b;c", cost="-1.50")])
    lines = rendered(result, OUTPUTS["csv"], options).decode("utf-8").splitlines()
    assert lines[0].startswith("\ufeffperson;day;")
    assert lines[1] == '"a,b;c";2026-01-31;2026-01-31T23:59:58+01:00;3;3723;-1,50;12,40'


@pytest.mark.parametrize("numbers", NUMBER_STYLES)
@pytest.mark.parametrize("days", DAY_STYLES)
def test_styles_of_countries(numbers: str, days: str) -> None:
    style = style_of(numbers, days)
    shown_number = number_text("-1234.56", style)
    assert re.sub(r"[^0-9]", "", shown_number) == "123456"
    assert shown_number.replace("\N{NO-BREAK SPACE}", " ").replace("’", "'") == f"-{numbers}"
    assert sorted(re.findall(r"\d+", day_text("2026-01-31", style))) == ["01", "2026", "31"]
    page = read_html(rendered(result_of([row()]), OUTPUTS["html"], replace(OPTIONS, style=style)))
    assert page.rows[0][1] == day_text("2026-01-31", style)


def test_what_is_no_number_stays() -> None:
    style = Style(",", ".", "%d.%m.%Y")
    assert number_text("1234567.5", style) == "1.234.567,5"
    for text in ("-", "1e5", "12,5", "n/a"):
        assert number_text(text, style) == text
    for text in ("total", "2026-01", "1-2-3"):
        assert day_text(text, style) == text
    assert duration_text(-3723) == "-1:02:03"


def test_the_name_of_a_file_tells_report_and_days_alone() -> None:
    specification = Specification(
        "../By Person", date(2026, 1, 1), date(2026, 2, 1), filters=(("other_number", ("+39061",)),)
    )
    assert file_name(specification, OUTPUTS["xlsx"]) == "by-person_2026-01-01_2026-02-01.xlsx"


def test_outputs_by_name_and_ending() -> None:
    assert output_for_file("x/REPORT.XLSX") is OUTPUTS["xlsx"]
    assert output_for_file("report.htm") is OUTPUTS["html"]
    assert output_for_file("report") is None
    with pytest.raises(UsageError, match="no format 'doc'"):
        output_named("doc")
    assert {name for name, output in OUTPUTS.items() if not output.text} == {"xlsx", "pdf"}


class Sink(io.BytesIO):
    """Notes how many rows were given out at each write."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0
        self.at: set[int] = set()

    def write(self, content: Any) -> int:
        self.at.add(self.given)
        return len(content)

    def rows(self, count: int) -> Iterator[dict[str, Any]]:
        for self.given in range(count):
            yield row(f"person {self.given}")


def test_a_month_is_not_broken_in_html() -> None:
    columns = (Column("person", "Person"), Column("month", "Month"))
    page = rendered(
        result_of([row(month="2026-01")], columns=columns), OUTPUTS["html"], OPTIONS
    ).decode()
    assert '<td class="t">2026-01</td>' in page
    assert '<th scope="row">Anna</th>' in page


@pytest.mark.parametrize("name", ["json", "csv", "html"])
def test_a_list_is_not_held(name: str) -> None:
    sink = Sink()
    OUTPUTS[name].write(result_of(sink.rows(5_000)), sink, OPTIONS)
    assert len(sink.at) > 10, "rows go out while others are still to come"
