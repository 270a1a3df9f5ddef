"""Periods by name, and what a period is compared with."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.domain.errors import UsageError
from syncd.reports.named_periods import (
    NAMES,
    PREVIOUS,
    YEAR,
    compared,
    month_later,
    named_period,
    whole_months,
)

SATURDAY = date(2026, 11, 21)
DAYS = st.dates(date(1980, 1, 1), date(2500, 1, 1))


@pytest.mark.parametrize(
    ("name", "first", "end"),
    [
        ("today", (2026, 11, 21), (2026, 11, 22)),
        ("Yesterday", (2026, 11, 20), (2026, 11, 21)),
        ("this-week", (2026, 11, 16), (2026, 11, 23)),
        ("last-week", (2026, 11, 9), (2026, 11, 16)),
        ("this-month", (2026, 11, 1), (2026, 12, 1)),
        ("last-month", (2026, 10, 1), (2026, 11, 1)),
        ("this-quarter", (2026, 10, 1), (2027, 1, 1)),
        ("last-quarter", (2026, 7, 1), (2026, 10, 1)),
        ("this-year", (2026, 1, 1), (2027, 1, 1)),
        ("last-year", (2025, 1, 1), (2026, 1, 1)),
        ("2026", (2026, 1, 1), (2027, 1, 1)),
        ("2026-10", (2026, 10, 1), (2026, 11, 1)),
        ("2026-12", (2026, 12, 1), (2027, 1, 1)),
        ("2026-q3", (2026, 7, 1), (2026, 10, 1)),
        ("2026-Q4", (2026, 10, 1), (2027, 1, 1)),
        ("2026-W47", (2026, 11, 16), (2026, 11, 23)),
        ("2026-W01", (2025, 12, 29), (2026, 1, 5)),
        ("2026-W53", (2026, 12, 28), (2027, 1, 4)),
        ("2026-10-05", (2026, 10, 5), (2026, 10, 6)),
        ("last-7-days", (2026, 11, 15), (2026, 11, 22)),
        ("last-1-days", (2026, 11, 21), (2026, 11, 22)),
        ("last-2-weeks", (2026, 11, 2), (2026, 11, 16)),
        ("last-12-months", (2025, 11, 1), (2026, 11, 1)),
    ],
)
def test_a_period_by_its_name(
    name: str, first: tuple[int, int, int], end: tuple[int, int, int]
) -> None:
    assert named_period(name, SATURDAY) == (date(*first), date(*end))


@pytest.mark.parametrize(
    "text", ["", "2025-W53", "2026-13", "2026-Q5", "2026-02-30", "26-10", "last-0-days", "0001"]
)
def test_what_is_no_period_is_told_with_the_forms(text: str) -> None:
    with pytest.raises(UsageError, match="is no period"):
        named_period(text, SATURDAY)


def test_a_misspelt_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean last-month"):
        named_period("lastmonth", SATURDAY)


@given(DAYS)
def test_names_with_this_hold_today_and_those_with_last_end_where_they_begin(today: date) -> None:
    for name in NAMES:
        first, end = named_period(name, today)
        assert first < end
        if name.startswith("this-"):
            assert first <= today < end
            assert named_period(name.replace("this", "last"), today)[1] == first


@pytest.mark.parametrize(
    ("period", "previous", "year"),
    [
        ("2026-03", "2026-02", "2025-03"),
        ("2026-01", "2025-12", "2025-01"),
        ("2026-Q1", "2025-Q4", "2025-Q1"),
        ("2024", "2023", "2023"),
        ("2024-02", "2024-01", "2023-02"),
        ("2026-W47", "2026-W46", "2025-W47"),
        ("2026-W53", "2026-W52", "2025-W52"),
        ("2026-10-05", "2026-10-04", "2025-10-05"),
        ("2024-02-29", "2024-02-28", "2023-02-28"),
    ],
)
def test_what_a_period_is_compared_with(period: str, previous: str, year: str) -> None:
    asked = named_period(period, SATURDAY)
    assert compared(asked, PREVIOUS) == named_period(previous, SATURDAY)
    assert compared(asked, YEAR) == named_period(year, SATURDAY)


@given(DAYS, st.integers(1, 800))
def test_what_is_compared_lies_before_and_holds_as_much(first: date, days: int) -> None:
    period = (first, first + timedelta(days=days))
    previous, year = compared(period, PREVIOUS), compared(period, YEAR)
    assert previous[1] == first
    assert whole_months(previous) == whole_months(period)
    if not whole_months(period):
        assert previous[1] - previous[0] == period[1] - first
    assert abs((year[1] - year[0] - (period[1] - first)).days) <= 1
    assert 358 <= (first - year[0]).days <= 372


@given(DAYS, st.integers(-30, 30))
def test_months_are_counted(day: date, months: int) -> None:
    later = month_later(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
