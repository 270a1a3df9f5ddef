"""Tables with columns at fixed positions, and what the tables' little language can say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.cdr.driver_options import OptionsError
from syncd.cdr.drivers.fixed_width import COLUMNS, DATE_LINES
from syncd.cdr.expressions import Columns, Condition
from syncd.cdr.parts import carried
from syncd.cdr.times import seconds_of
from syncd.settings.values import BadValue
from tests.support.drivers import driver, legs, reasons

OPTIONS = {
    "columns": "start:1:19, seconds:21:5, way:27:1, from:29:10, to:40:15",
    "column__start": "start",
    "column__duration": "seconds",
    "column__calling": "from",
    "column__called": "to",
    "value__outgoing": "way == O",
}
LINE = f"2026-05-28 22:26:40    60 O {'301':10} {'0612345678':15}"


def test_a_line() -> None:
    (leg,) = legs(driver("fixed-width", **OPTIONS), LINE + "\n")
    assert (leg.started_at, leg.duration, leg.final_number) == (1_780_000_000, 60, "0612345678")
    assert (leg.calling_number, leg.outgoing_protocol) == ("301", 1)


def test_the_whole_line_is_the_key_but_not_its_padding() -> None:
    of = driver("fixed-width", **OPTIONS)
    first, padded, other = legs(of, f"{LINE}\n\0\0{LINE}  \0\0\r\n{LINE} extra\n")
    assert first == padded
    assert first.key != other.key


def test_a_line_must_hold_the_numbers() -> None:
    of = driver("fixed-width", **OPTIONS)
    assert reasons(of, LINE[:45] + "\n") == [(1, "45 characters where 54 are expected")]
    shorter = driver("fixed-width", **OPTIONS, least_length="40")
    assert legs(shorter, LINE[:45] + "\n")[0].final_number == "061234"


def test_a_column_that_is_not_there_is_told() -> None:
    with pytest.raises(OptionsError, match="billing is used and not there"):
        driver("fixed-width", **OPTIONS, column__matter_code="billing")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a:1", "is not a column"),
        ("a:0:3", "is not a column"),
        ("a:1:0", "is not a column"),
        ("a:1:2, A:3:1", "stands twice"),
        ("date line:1:2", "stands twice"),
        (":1:2", "is not a column"),
    ],
)
def test_columns_that_are_none(text: str, what: str) -> None:
    with pytest.raises(BadValue, match=what):
        COLUMNS.kind.parse(text, Path())


@pytest.mark.parametrize(("text", "what"), [("(", "not a regular"), (r"\d+", "has no group")])
def test_date_lines_that_are_none(text: str, what: str) -> None:
    with pytest.raises(BadValue, match=what):
        DATE_LINES.kind.parse(text, Path())


def test_a_later_part_of_a_file_gets_the_last_date_before_it() -> None:
    of = driver("fixed-width", **OPTIONS, date_line=r"^(\d\d/\d\d)$")
    data = b"05/27\n05/28\n" + LINE.encode() + b"\n"
    assert of.head(data) == 0
    assert carried(of, b"", data) == b"05/28\n"
    assert carried(of, b"05/29\n", LINE.encode() + b"\n") == b"05/29\n"


# --- expressions ----------------------------------------------------------------------------------

PLACES = {"a": 0, "b": 1, "c": 2}


@pytest.mark.parametrize(
    ("text", "cells", "holds"),
    [
        ("a == x or b == y and c == z", ["x", "", ""], True),
        ("a == x or b == y and c == z", ["", "y", "z"], True),
        ("a == x or b == y and c == z", ["", "y", ""], False),
        ("a, b == x", ["", "x", ""], True),
        ("a, b == x", ["y", "x", ""], False),
        ("a, b", ["", "", "x"], False),
        ("a or c", ["", "", "x"], True),
    ],
)
def test_conditions(text: str, cells: list[str], holds: bool) -> None:
    assert Condition.parse(text).bind(PLACES)(cells) is holds


def test_the_first_column_that_fits_counts() -> None:
    get = Columns.parse(r"a, b =~ ^(\d+)$").bind(PLACES)
    assert get(["T054", "301", ""]) == "301"
    assert get(["302", "301", ""]) == "302"
    assert get(["T054", "x", ""]) == ""


@given(st.integers(0, 999), st.integers(0, 59), st.integers(0, 9))
def test_hours_minutes_and_tenths(hours: int, minutes: int, tenths: int) -> None:
    text = f"{hours}{minutes:02}{tenths}"
    assert seconds_of(text, "hmmt") == hours * 3600 + minutes * 60 + tenths * 6


@pytest.mark.parametrize("text", ["", "1:0", "٣", "-1", "1234567"])
def test_what_is_not_hours_minutes_and_tenths(text: str) -> None:
    with pytest.raises(ValueError, match="hours"):
        seconds_of(text, "hmmt")
