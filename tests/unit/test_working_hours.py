"""Whether a moment is within working hours, by the clock."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.domain.bands import is_within, parse_spans
from syncd.domain.days import Days
from syncd.reports.dimensions import Raw
from syncd.reports.lookups import Lookups
from syncd.settings.schema_reports import REPORTS
from syncd.settings.values import BadValue

HOURS = next(option for option in REPORTS.options if option.name == "working_hours").kind
WEEK = parse_spans("Mon-Fri 08:00-18:00, Sat 22:00-02:00")


@pytest.mark.parametrize(
    ("weekday", "clock", "inside"),
    [
        (0, "08:00", True),
        (0, "07:59", False),
        (4, "17:59", True),
        (4, "18:00", False),
        (5, "12:00", False),
        (5, "22:00", True),
        (6, "01:59", True),
        (6, "02:00", False),
        (6, "22:30", False),
    ],
)
def test_the_edges_of_spans(weekday: int, clock: str, inside: bool) -> None:
    hour, minute = map(int, clock.split(":"))
    assert is_within(WEEK, weekday, hour * 3600 + minute * 60) is inside


@given(
    st.integers(1_577_836_800, 1_893_456_000),
    st.sampled_from(["Europe/Rome", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
)
def test_a_call_is_told_by_the_clock_of_its_quarter(moment: int, name: str) -> None:
    zone = ZoneInfo(name)
    lookups = Lookups(Days(zone), 20200101, 20300101)
    lookups.working_hours = parse_spans("Mon-Fri 08:30-17:45")
    key = lookups.key_of("working_time", Raw.QUARTER)(moment // 900)
    shown = datetime.fromtimestamp(moment, zone)
    clock = (shown.hour, shown.minute)
    inside = shown.weekday() < 5 and (8, 30) <= clock < (17, 45)
    assert key == ("within" if inside else "outside")


def test_the_option_takes_full_quarters() -> None:
    assert HOURS.parse("Mon-Fri 08:00-17:45", Path()) == parse_spans("Mon-Fri 08:00-17:45")
    for text in ("Mon-Fri 08:05-17:00", "weekdays", "Mon 25:00-26:00"):
        with pytest.raises(BadValue):
            HOURS.parse(text, Path())
