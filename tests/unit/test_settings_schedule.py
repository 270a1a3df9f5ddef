from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syncd.settings.schedule import Cron, Every, parse_schedule

ROME = ZoneInfo("Europe/Rome")
UTC = ZoneInfo("UTC")
MINUTE = 60


def epoch(text: str, zone: ZoneInfo = ROME, fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp())


def following(line: str, start: str, count: int, zone: ZoneInfo = ROME) -> list[str]:
    moment, found = epoch(start, zone), []
    for _ in range(count):
        moment = parse_schedule(line).next_after(moment, zone)
        found.append(f"{datetime.fromtimestamp(moment, zone):%a %Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("every 30 seconds", 30), ("every 1 minute", 60), ("Every 2 hours", 7200)],
)
def test_every(text: str, seconds: int) -> None:
    assert parse_schedule(text) == Every(seconds)
    assert parse_schedule(text).next_after(1000, ROME) == 1000 + seconds


@given(st.integers(1, 10**6))
def test_every_is_written_as_it_is_read(seconds: int) -> None:
    assert parse_schedule(str(Every(seconds))) == Every(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "every minute",
        "every 0 seconds",
        "every 5 days",
        "every ٣ minutes",
        "hourly",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5/10 * * * *",
        "30-10 * * * *",
        "1, * * * *",
        "a * * * *",
        "0 0 30 feb *",
        "0 0 31 4,6 */2",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_schedule(text)


def test_cron_fields() -> None:
    cron = parse_schedule("*/20,5 1-3 1-10/4,31 jan,Mar-apr sun,fri-7")
    assert isinstance(cron, Cron)
    assert cron.minute == {0, 5, 20, 40}
    assert cron.hour == {1, 2, 3}
    assert cron.day == {1, 5, 9, 31}
    assert cron.month == {1, 3, 4}
    assert cron.weekday == {0, 5, 6}


@pytest.mark.parametrize("sunday", ["0", "7", "sun", "SUN"])
def test_sunday_is_0_and_7(sunday: str) -> None:
    assert following(f"0 6 * * {sunday}", "2026-03-04T00:00", 2) == [
        "Sun 2026-03-08 06:00",
        "Sun 2026-03-15 06:00",
    ]


def test_both_day_fields_set_means_either() -> None:
    assert following("0 6 13 * mon", "2026-03-04T00:00", 3) == [
        "Mon 2026-03-09 06:00",
        "Fri 2026-03-13 06:00",
        "Mon 2026-03-16 06:00",
    ]


def test_a_day_field_that_begins_with_a_star_means_both() -> None:
    # Odd days that are Mondays.
    assert following("0 6 */2 * mon", "2026-03-04T00:00", 3) == [
        "Mon 2026-03-09 06:00",
        "Mon 2026-03-23 06:00",
        "Mon 2026-04-13 06:00",
    ]


def test_29_february_on_a_weekday_far_away() -> None:
    assert following("0 0 29 2 *", "2096-03-01T00:00", 1) == ["Fri 2104-02-29 00:00"]
    assert following("0 0 29 2 */6", "2072-03-01T00:00", 2) == [
        "Sat 2076-02-29 00:00",
        "Sun 2088-02-29 00:00",
    ]


def test_a_skipped_time_runs_later_and_a_repeated_one_once() -> None:
    assert following("30 2 * * *", "2026-03-28T12:00", 2) == [
        "Sun 2026-03-29 03:30",
        "Mon 2026-03-30 02:30",
    ]
    first = parse_schedule("30 2 * * *").next_after(epoch("2026-10-25T00:00"), ROME)
    assert first == epoch("2026-10-25T02:30", fold=0)
    second = parse_schedule("30 2 * * *").next_after(first, ROME)
    assert second == epoch("2026-10-26T02:30")


def test_an_hourly_line_goes_on_through_the_repeated_hour() -> None:
    moment, steps = epoch("2026-10-25T01:30"), []
    for _ in range(4):
        later = parse_schedule("30 * * * *").next_after(moment, ROME)
        steps.append(later - moment)
        moment = later
    assert steps == [3600] * 4
    assert moment == epoch("2026-10-25T04:30")


def test_an_hourly_line_goes_on_through_the_skipped_hour() -> None:
    assert following("15 * * * *", "2026-03-29T00:30", 3) == [
        "Sun 2026-03-29 01:15",
        "Sun 2026-03-29 03:15",
        "Sun 2026-03-29 04:15",
    ]


FIELD = st.sampled_from


@settings(max_examples=60)
@given(
    minute=FIELD(["*", "0", "59", "*/25", "3,7"]),
    hour=FIELD(["*", "0", "23", "8-17/4"]),
    day=FIELD(["*", "1", "15,31", "*/9"]),
    weekday=FIELD(["*", "0", "7", "mon-wed", "*/3"]),
    start=st.integers(1_700_000_000, 1_900_000_000),
)
@example(minute="0", hour="0", day="1", weekday="*", start=1_774_994_399)
def test_agrees_with_trying_every_minute(
    minute: str, hour: str, day: str, weekday: str, start: int
) -> None:
    cron = parse_schedule(f"{minute} {hour} {day} * {weekday}")
    assert isinstance(cron, Cron)
    found = cron.next_after(start, UTC)
    moment = datetime.fromtimestamp(start - start % MINUTE, UTC) + timedelta(minutes=1)
    while not (
        moment.minute in cron.minute and moment.hour in cron.hour and cron.fits_day(moment.date())
    ):
        step = 1 if cron.fits_day(moment.date()) else 1440 - moment.hour * 60 - moment.minute
        moment += timedelta(minutes=step)
    assert found == int(moment.timestamp())
