"""How much time a search looks at with one question, whatever a question costs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from syncd.reports.search_windows import DAY, LATE, Windows

YEARS = 3 * 365


def walk(cost: Callable[[int, int], float]) -> list[tuple[int, float]]:
    """Return the windows of a search through three years, in days, and what each cost in seconds;
    ``cost`` is of some days before a day."""
    found = []
    windows, size, left = Windows(), DAY, YEARS
    while left > 0:
        days = min(size // DAY, left)
        took = cost(left, days)
        found.append((days, took))
        size = windows.following(size, took)
        left -= days
    return found


@pytest.mark.parametrize("month", [0.06, 0.15, 0.3, 0.6, 0.9])
def test_a_server_that_reads_whole_months_is_asked_for_months(month: float) -> None:
    windows = walk(lambda stop, days: month * (stop // 30 - (stop - days) // 30 + 1))
    assert sum(took for _, took in windows) < 3 * month * YEARS / 30
    assert len(windows) < YEARS / 10


@pytest.mark.parametrize("day", [0.001, 0.01, 0.05, 0.2, 0.4])
def test_where_each_day_costs_something_is_seen_soon(day: float) -> None:
    assert all(took <= 2 * LATE for _, took in walk(lambda _, days: day * days))


def test_a_window_is_never_shorter_than_a_day() -> None:
    assert {days for days, _ in walk(lambda _, days: 5.0 * days)} == {1}
