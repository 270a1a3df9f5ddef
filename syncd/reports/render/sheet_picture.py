"""The picture of a workbook: a chart of its own kind beside the values that it shows."""

from __future__ import annotations

from typing import Any

from xlsxwriter import Workbook

from syncd.reports.render.picture import Bars, HeatMap, Picture, Point
from syncd.reports.render.sheet_cells import number_cell

A4 = 9
WIDTH, HEIGHT = 900, 480
"""Pixels."""
COLOUR = "#2F6FAB"


def add_picture(book: Workbook, name: str, picture: Picture) -> None:
    """Add a worksheet with a picture. Its values are those that the rows of the report add up to;
    the small ones stand together."""
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    if isinstance(picture, HeatMap):
        _add_map(sheet, picture)
    else:
        _add_bars(book, sheet, name, picture)


def _add_bars(book: Workbook, sheet: Any, name: str, picture: Bars) -> None:
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 16)
    sheet.write_string(0, 1, picture.heading)
    for row, point in enumerate(picture.points, 1):
        # As in all rows that XlsxWriter writes, a text must not look like its rich text.
        label = point.label
        sheet.write_string(row, 0, f" {label}" if label.startswith("<r>") else label)
        _write_value(sheet, row, 1, point)
    last = len(picture.points)
    chart = book.add_chart({"type": "line" if picture.over_time else "bar"})
    chart.add_series(
        {
            "name": [name, 0, 1],
            "categories": [name, 1, 0, last, 0],
            "values": [name, 1, 1, last, 1],
            "line" if picture.over_time else "fill": {"color": COLOUR},
        }
    )
    chart.set_title({"name": picture.heading, "overlay": False})
    chart.set_legend({"none": True})
    if not picture.over_time:
        chart.set_y_axis({"reverse": True})
    chart.set_size({"width": WIDTH, "height": HEIGHT})
    sheet.insert_chart(0, 3, chart)


def _add_map(sheet: Any, picture: HeatMap) -> None:
    sheet.set_column(0, 0, 16)
    sheet.write_string(0, 0, picture.heading)
    for place, label in enumerate(picture.columns, 1):
        sheet.write_string(1, place, label)
    for row, (label, cells) in enumerate(zip(picture.rows, picture.cells, strict=True), 2):
        sheet.write_string(row, 0, label)
        for place, point in enumerate(cells, 1):
            if point is not None:
                _write_value(sheet, row, place, point)
    sheet.conditional_format(
        2,
        1,
        1 + len(picture.rows),
        len(picture.columns),
        {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": COLOUR},
    )


def _write_value(sheet: Any, row: int, column: int, point: Point) -> None:
    if number_cell(f"{point.value:f}") is None:
        sheet.write_string(row, column, point.text)
    else:
        sheet.write_number(row, column, point.value)
