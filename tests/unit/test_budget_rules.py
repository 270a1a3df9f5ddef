"""Periods, carrying over and thresholds of budgets."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.billing.budgets import Account, Span, account, span_before, span_of, spans_due
from syncd.domain.days import day_date, day_number

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31)).map(day_number)
PERIODS = st.sampled_from(("day", "week", "month"))
MONEY = st.integers(0, 10**12)
MAY = Span(20260501, 20260601)


@given(PERIODS, DAYS)
def test_periods_follow_each_other_without_a_gap(period: str, day: int) -> None:
    span = span_of(period, day)
    assert span.first <= day < span.end
    assert span_before(period, span).end == span.first
    last = day_number(day_date(span.end) - timedelta(days=1))
    assert span_of(period, last) == span == span_of(period, span.first)


def test_a_week_begins_on_monday() -> None:
    assert span_of("week", 20260528) == Span(20260525, 20260601)
    with pytest.raises(ValueError, match="no period"):
        span_of("year", 20260528)


@given(st.integers(1, 10**10), MONEY, MONEY, st.lists(st.integers(1, 300), max_size=4))
def test_thresholds_are_exact(amount: int, carried: int, spent: int, thresholds: list[int]) -> None:
    one = Account(MAY, amount, carried, spent)
    part = Fraction(spent, amount + carried) * 100
    assert one.passed(thresholds) == sorted(percent for percent in thresholds if part >= percent)
    assert one.percent <= part < one.percent + 1
    assert one.carry() == max(0, amount + carried - spent)


@given(PERIODS, DAYS, st.lists(st.integers(1, 60), max_size=5))
def test_the_periods_to_look_at(period: str, today: int, ages: list[int]) -> None:
    known = [
        span_of(period, day_number(day_date(today) - timedelta(days=age))).first for age in ages
    ]
    spans = spans_due(period, today, known)
    current = span_of(period, today)
    assert spans[-1] == current
    assert all(a.end == b.first for a, b in pairwise(spans))
    earlier = [first for first in known if first < current.first]
    if earlier:
        assert len(spans) >= 2  # a late call of yesterday's period is seen
        assert spans[0].first == min(max(earlier), spans[-2].first)
    else:
        assert spans == [current]


def found(day: int, spent: int, known: dict[int, Account], **more: object) -> Account | None:
    span = span_of("day", day)
    options = {"computed": {}, "carry_over": True, "current": True, **more}
    return account(span, span_before("day", span), 10, spent, 0, known=known, **options)  # type: ignore[arg-type]


def test_what_was_carried_over_stays_when_the_period_before_is_looked_at_no_more() -> None:
    yesterday, before = span_of("day", 20260527), span_of("day", 20260526)
    known = {before.first: Account(before, 10, 0, 4)}
    first = found(20260527, 3, known)
    assert first == Account(yesterday, 10, 6, 3)
    known[yesterday.first] = first
    # The day before costs less now; it is not looked at, and nothing changes.
    known[before.first] = Account(before, 10, 0, 0)
    assert found(20260527, 3, known, current=False) == first
    # Looked at in this run, it counts.
    again = found(20260527, 3, known, computed={before.first: known[before.first]})
    assert again is not None
    assert again.carried == 10


def test_a_pot_that_had_not_begun_has_no_state() -> None:
    assert found(20260527, 3, {}, current=False) is None
    assert found(20260527, 3, {}, carry_over=False) == Account(span_of("day", 20260527), 10, 0, 3)
