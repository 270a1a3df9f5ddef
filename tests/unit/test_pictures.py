"""Pictures of reports: what they leave together, that they stay within their frame, and bars of
characters."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.reports.render.bars import bar, bars, map_lines
from syncd.reports.render.drawing import Box, Path, Words, drawn
from syncd.reports.render.outputs import OUTPUTS, rendered
from syncd.reports.render.picture import MOST_BARS, Bars, Collector, HeatMap, Picture
from syncd.reports.render.screen import laid_out
from syncd.reports.render.svg import svg
from syncd.reports.result import Chart, Column, Kind, Result
from tests.support.read_outputs import read_html, read_pdf, read_xlsx, squeezed
from tests.support.results import OPTIONS, result_of, row

BY_PERSON = Chart("person", "cost")
WEEK = (Column("weekday", "Weekday"), Column("hour", "Hour"), Column("calls", "Calls", Kind.COUNT))
OVER_TIME = (Column("day", "Day", Kind.DAY), Column("duration", "Duration", Kind.SECONDS))


def picture_of(result: Result) -> Picture | None:
    collector = Collector(result)
    for one in result.rows:
        collector.add(one)
    return collector.picture()


def people(costs: list[str]) -> list[dict[str, Any]]:
    return [row(f"p{place}", cost=cost) for place, cost in enumerate(costs)]


def bars_of(result: Result) -> Bars:
    picture = picture_of(result)
    assert isinstance(picture, Bars)
    return picture


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=60))
def test_bars_add_up_to_the_rows(micros: list[int]) -> None:
    costs = [f"{Decimal(one) / 10**6:f}" for one in micros]
    points = bars_of(result_of(people(costs), chart=BY_PERSON)).points
    assert sum(point.value for point in points) == sum(map(Decimal, costs))
    assert len(points) == min(len(costs), MOST_BARS)
    if len(costs) > MOST_BARS:
        assert points[-1].label == f"{len(costs) - MOST_BARS + 1} others"


def test_the_largest_come_first_whatever_the_order_of_the_rows() -> None:
    points = bars_of(result_of(people(["1.00", "3.00", "2.10"]), chart=BY_PERSON)).points
    assert [(point.label, point.text) for point in points] == [
        ("p1", "3.00"),
        ("p2", "2.10"),
        ("p0", "1.00"),
    ]


def test_the_others_of_a_report_come_last() -> None:
    rows = [row("p0", cost="1.00"), row("p1", cost="2.00"), row("38 others", cost="9.00")]
    points = bars_of(result_of(rows, chart=BY_PERSON)).points
    assert [point.label for point in points] == ["p1", "p0", "38 others"]


def test_what_cannot_be_added_up_is_not() -> None:
    rows = [row(f"p{place}", erlangs=f"{place}.00") for place in range(30)]
    points = bars_of(result_of(rows, chart=Chart("person", "erlangs"))).points
    assert len(points) == MOST_BARS
    assert {point.label for point in points} == {f"p{place}" for place in range(10, 30)}
    rows = [row(f"p{place}", duration=place) for place in range(30)]
    averages = bars_of(result_of(rows, chart=Chart("person", "duration", additive=False)))
    assert max(point.value for point in averages.points) == 29


def test_two_of_one_name_stay_two() -> None:
    columns = (
        Column("person", "Person"),
        Column("username", "User"),
        Column("calls", "Calls", Kind.COUNT),
    )
    rows = [{"person": "Anna", "username": user, "calls": 2} for user in ("a1", "a2")]
    points = bars_of(result_of(rows, columns=columns, chart=Chart("person", "calls"))).points
    assert [point.label for point in points] == ["Anna, a1", "Anna, a2"]


def test_a_line_over_days_falls_where_nothing_was() -> None:
    rows = [{"day": day, "duration": 60} for day in ("2026-03-02", "2026-02-27", "2026-03-02")]
    found = bars_of(
        result_of(rows, columns=OVER_TIME, chart=Chart("day", "duration", over_time=True))
    )
    assert [(point.label, point.text) for point in found.points] == [
        ("2026-02-27", "0:01:00"),
        ("2026-02-28", "0:00:00"),
        ("2026-03-01", "0:00:00"),
        ("2026-03-02", "0:02:00"),
    ]
    rows = [{"day": month, "duration": 60} for month in ("2026-01", "2025-11")]
    found = bars_of(
        result_of(rows, columns=OVER_TIME, chart=Chart("day", "duration", over_time=True))
    )
    assert [point.label for point in found.points] == ["2025-11", "2025-12", "2026-01"]


def week(calls: dict[tuple[str, str], int]) -> Result:
    rows = [{"weekday": day, "hour": hour, "calls": n} for (day, hour), n in calls.items()]
    return result_of(rows, columns=WEEK, chart=Chart("weekday", "calls", across="hour"))


def test_a_map_has_all_hours_and_weekdays_in_their_order() -> None:
    picture = picture_of(week({("sunday", "10"): 8, ("monday", "9"): 2}))
    assert isinstance(picture, HeatMap)
    assert picture.rows[0] == "monday" and len(picture.rows) == 7
    assert picture.columns == tuple(map(str, range(24)))
    assert [point.value for line in picture.cells for point in line if point] == [2, 8]
    lines = map_lines(picture)
    assert lines[1].startswith("monday") and "▒" in lines[1]
    assert lines[7].rstrip().endswith("██")
    assert lines[-1] == "Calls by weekday and hour: ░▒▓█ up to 8"
    assert all(line.isascii() for line in map_lines(picture, plain=True))


@pytest.mark.parametrize("rows", [[], [row(cost=None)], [row(cost="0.00")], [row(cost="n/a")]])
def test_there_is_no_picture_of_nothing(rows: list[dict[str, Any]]) -> None:
    assert picture_of(result_of(rows, chart=BY_PERSON)) is None
    assert picture_of(result_of(rows, chart=Chart("nobody", "cost"))) is None


AMOUNTS = st.lists(st.integers(-(10**9), 10**9).map(str), min_size=1, max_size=30)


@given(AMOUNTS, st.sampled_from(["bars", "line", "map"]))
def test_drawings_stay_within_their_frame(amounts: list[str], kind: str) -> None:
    if kind == "bars":
        result = result_of(people(amounts), chart=BY_PERSON)
    elif kind == "line":
        rows = [row(day=f"2026-01-{n % 28 + 1:02d}", cost=cost) for n, cost in enumerate(amounts)]
        result = result_of(rows, chart=Chart("day", "cost", over_time=True))
    else:
        result = week({("monday", str(n % 24)): int(one) for n, one in enumerate(amounts)})
    picture = picture_of(result)
    if picture is None:
        return
    drawing = drawn(picture)
    for shape in drawing.shapes:
        points: list[tuple[int, int]]
        if isinstance(shape, Path):
            points = list(shape.points)
        elif isinstance(shape, Box):
            assert shape.width > 0 and shape.height > 0
            points = [(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)]
        else:
            assert isinstance(shape, Words)
            points = [(shape.x, shape.y)]
        for x, y in points:
            assert -5 <= x <= drawing.width + 5
            assert -5 <= y <= drawing.height + 5
    ElementTree.fromstring(svg(drawing))


def test_a_name_is_no_markup_in_a_picture() -> None:
    rows = [row('<script>"&'), row("b")]
    content = rendered(result_of(rows, chart=BY_PERSON), OUTPUTS["html"], OPTIONS)
    page = read_html(content)
    assert "script" not in page.tags
    assert '<script>"&: 1.2345' in page.text


def test_a_workbook_has_a_chart_of_the_values() -> None:
    rows = people([f"{n}.50" for n in range(30)])
    sheet = read_xlsx(rendered(result_of(rows, chart=BY_PERSON), OUTPUTS["xlsx"], OPTIONS))["Chart"]
    assert sheet[0] == [None, "Cost EUR by person"]
    assert sheet[1] == ["p29", Decimal("29.5")]
    assert sum(line[1] for line in sheet[1:]) == sum(n + Decimal("0.5") for n in range(30))
    map_sheet = read_xlsx(rendered(week({("monday", "9"): 2}), OUTPUTS["xlsx"], OPTIONS))["Chart"]
    assert map_sheet[2][0] == "monday" and map_sheet[2][10] == 2


def test_a_pdf_has_the_picture_too() -> None:
    content = rendered(
        result_of(people(["2.00", "1.00"]), chart=BY_PERSON), OUTPUTS["pdf"], OPTIONS
    )
    assert squeezed("Cost EUR by person p0 2.00 p1 1.00") in squeezed(read_pdf(content)[0])


def test_bars_beside_the_figures() -> None:
    rows = people(["2.00", "1.00", "0.00001"])
    options = replace(OPTIONS, chart=True)
    text = rendered(result_of(rows, chart=BY_PERSON), OUTPUTS["table"], options).decode()
    lines = {line.split()[0]: line for line in text.splitlines() if line.startswith("p")}
    assert lines["p0"].endswith("  " + "█" * 24)
    assert lines["p1"].endswith(" " + "█" * 12)
    assert lines["p2"].endswith(" ▏"), "what is more than nothing is seen"
    plain = rendered(
        result_of(rows, chart=BY_PERSON), OUTPUTS["table"], replace(options, plain=True)
    )
    assert plain.isascii()


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.booleans())
def test_a_longer_bar_is_more(value: int, highest: int, plain: bool) -> None:
    value = min(value, highest)
    one = bar(Decimal(value), Decimal(highest), plain=plain)
    assert len(one) <= 24
    assert bool(one) == (value > 0)
    assert bars([Decimal(highest), None, Decimal(-1)], plain=plain)[1:] == ["", ""]


@pytest.mark.parametrize("room", [60, 80, 100, 200])
def test_bars_fit_into_the_room(room: int) -> None:
    options = replace(OPTIONS, chart=True, room=room)
    table = laid_out(result_of(people(["2.00", "1.00"]), chart=BY_PERSON), options)
    assert [row[0] for row in table.rows] == ["p0", "p1"]
    assert "2.00" in table.rows[0]
    long = len(table.rows[0][-1])
    assert len(table.rows[1][-1]) == -(-long // 2)
    widths = [max(map(len, cells)) + 2 for cells in zip(*table.rows, strict=True)]
    assert sum(widths) <= room
    assert ("3" in table.rows[0]) == (room >= 100), "figures that the bars do not show give way"
