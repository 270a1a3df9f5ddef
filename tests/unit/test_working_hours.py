"""Whether a moment is within working hours, by the clock of its site."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.application.working_times import working_time_problems, working_times
from syncd.billing.holidays import HolidayCalendar
from syncd.domain.bands import parse_spans
from syncd.domain.days import Days
from syncd.domain.errors import ConfigurationError
from syncd.reports.dimensions import Raw
from syncd.reports.lookups import Lookups
from syncd.reports.working_times import Place, WorkingTimes
from syncd.settings.load import load
from syncd.settings.schema_reports import REPORTS
from syncd.settings.values import BadValue

HOURS = next(option for option in REPORTS.options if option.name == "working_hours").kind
UTC = ZoneInfo("UTC")
ROME = ZoneInfo("Europe/Rome")
WEEK = parse_spans("Mon-Fri 08:00-18:00, Sat 22:00-02:00")


def moment(text: str, zone: ZoneInfo = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("2026-06-01 08:00", True),
        ("2026-06-01 07:59", False),
        ("2026-06-05 17:59", True),
        ("2026-06-05 18:00", False),
        ("2026-06-06 12:00", False),
        ("2026-06-06 22:00", True),
        ("2026-06-07 01:59", True),
        ("2026-06-07 02:00", False),
        ("2026-06-07 22:30", False),
    ],
)
def test_the_edges_of_spans(text: str, inside: bool) -> None:
    assert WorkingTimes(Place(WEEK, UTC)).within("", moment(text)) is inside


def test_on_a_holiday_nobody_works_unless_hours_say_so() -> None:
    calendar = HolidayCalendar((), [date(2026, 6, 2)], [(12, 24)])
    plain = WorkingTimes(Place(WEEK, ROME, calendar))
    assert not plain.within("", moment("2026-06-02 10:00", ROME))
    assert not plain.within("", moment("2027-12-24 10:00", ROME))
    assert plain.within("", moment("2026-06-03 10:00", ROME))
    assert plain.with_hours(parse_spans("daily 09:00-11:00")).within(
        "", moment("2026-06-02 10:00", ROME)
    )
    holiday = plain.with_hours(parse_spans("Mon-Fri 08:00-18:00, holiday 09:00-12:00"))
    assert holiday.within("", moment("2026-06-02 09:30", ROME))
    assert not holiday.within("", moment("2026-06-02 13:00", ROME))


@given(
    st.integers(1_577_836_800, 1_893_456_000),
    st.sampled_from(["Europe/Rome", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
)
def test_a_call_is_told_by_the_clock_of_its_quarter(at: int, name: str) -> None:
    zone = ZoneInfo(name)
    lookups = Lookups(Days(zone), 20200101, 20300101)
    lookups.working_times = WorkingTimes(Place(parse_spans("Mon-Fri 08:30-17:45"), zone))
    key = lookups.key_of("working_time", Raw.QUARTER)(at // 900)
    shown = datetime.fromtimestamp(at, zone)
    clock = (shown.hour, shown.minute)
    inside = shown.weekday() < 5 and (8, 30) <= clock < (17, 45)
    assert key == ("within" if inside else "outside")


def test_the_option_takes_full_quarters() -> None:
    assert HOURS.parse("Mon-Fri 08:00-17:45", Path()) == parse_spans("Mon-Fri 08:00-17:45")
    for text in ("Mon-Fri 08:05-17:00", "weekdays", "Mon 25:00-26:00"):
        with pytest.raises(BadValue):
            HOURS.parse(text, Path())


INI = """
[syncd]
state_directory = state
timezone = Europe/Rome
currency = EUR
[reports]
holidays = IT
holiday_list = free.csv
[site:hq]
country = IT
[site:munich]
country = DE
timezone = Europe/Berlin
holidays = DE-BY
[site:london]
country = GB
timezone = Europe/London
working_hours = Mon-Sat 09:00-17:00
"""


def test_what_a_site_does_not_say_is_that_of_the_company(tmp_path: Path) -> None:
    (tmp_path / "free.csv").write_text("12-24,Christmas Eve\n2026-08-14\n")
    path = tmp_path / "syncd.ini"
    path.write_text(INI)
    settings = load(path)
    assert list(working_time_problems(settings)) == []
    times = working_times(settings)
    assert set(times.sites) == {"munich", "london"}

    def free(day: str) -> list[str]:
        at = moment(f"{day} 12:00", ROME)
        return [site for site in ("hq", "munich", "london") if not times.within(site, at)]

    assert free("2026-06-01") == []
    assert free("2026-06-02") == ["hq", "london"]  # the republic's day
    assert free("2026-06-04") == ["munich"]  # Corpus Christi
    assert free("2026-12-24") == free("2026-08-14") == ["hq", "munich", "london"]
    assert free("2026-06-06") == ["hq", "munich"]  # a Saturday
    late = moment("2026-06-01 17:30", ROME)
    assert times.within("london", late) and times.within("hq", late)
    assert not times.within("london", moment("2026-06-01 09:30", ROME))
    (tmp_path / "free.csv").write_text("2026-06-03\n")
    assert free("2026-12-24") != []
    times = working_times(settings)
    assert free("2026-12-24") == []


def test_mistakes_are_all_found(tmp_path: Path) -> None:
    (tmp_path / "free.csv").write_text("12-24\n31-12\n")
    path = tmp_path / "syncd.ini"
    path.write_text(INI.replace("= IT\nholiday", "= IT XX\nholiday").replace("DE-BY", "DE-XX"))
    found = [(p.option, p.line) for p in working_time_problems(load(path))]
    assert found == [
        ("[reports] holidays", 7),
        ("", 2),
        ("[site:munich] holidays", 14),
    ]
    path.write_text(INI.replace("free.csv", "none.csv"))
    with pytest.raises(ConfigurationError, match=r"\[reports\] holiday_list"):
        load(path)
