"""Local days of epoch seconds, with summer time and odd offsets."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.domain.days import (
    Days,
    days_between,
    month_days,
    next_day,
)

ZONES = [
    "Europe/Rome",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
]
MOMENTS = st.integers(1_293_840_000, 1_893_456_000)  # 2011 to 2030


@given(st.sampled_from(ZONES), MOMENTS)
def test_a_day_is_what_the_wall_calendar_says(zone: str, epoch: int) -> None:
    days = Days(ZoneInfo(zone))
    local = datetime.fromtimestamp(epoch, ZoneInfo(zone))
    assert days.day(epoch) == int(local.strftime("%Y%m%d"))
    moment = days.moment(epoch // 900)
    assert (moment.hour, moment.weekday) == (local.hour, local.isoweekday())


@given(st.sampled_from(ZONES), MOMENTS)
def test_a_moment_lies_within_the_bounds_of_its_day(zone: str, epoch: int) -> None:
    days = Days(ZoneInfo(zone))
    day = days.day(epoch)
    start, end = days.bounds(day)
    assert start <= epoch < end
    assert days.day(start) == day
    assert days.day(end - 1) == day
    assert days.day(end) != day


@pytest.mark.parametrize(
    ("day", "hours"), [(20260328, 24), (20260329, 23), (20261025, 25), (20261231, 24)]
)
def test_days_of_summer_time_are_shorter_and_longer(day: int, hours: int) -> None:
    start, end = Days(ZoneInfo("Europe/Rome")).bounds(day)
    assert end - start == hours * 3600


def test_a_midnight_that_does_not_exist_is_when_the_clock_was_changed() -> None:
    days = Days(ZoneInfo("America/Sao_Paulo"))
    start, end = days.bounds(20181104)
    assert end - start == 23 * 3600
    assert days.day(start - 1) == 20181103


def test_months_and_days_go_on_over_the_year() -> None:
    assert month_days(202612) == (20261201, 20270101)
    assert next_day(20280228) == 20280229
    assert list(days_between(20261231, 20270102)) == [20261231, 20270101]
