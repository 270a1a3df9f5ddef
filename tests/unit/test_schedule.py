"""The scheduler runs at the times that the settings' schedules name, in the settings' zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.daemon.schedule import ScheduleTrigger, build_scheduler, next_fire
from syncd.settings.schedule import Every, parse_schedule

ROME = ZoneInfo("Europe/Rome")
DAY = 86400


def epoch(*parts: int, zone: ZoneInfo = ROME) -> int:
    year, month, day, hour, minute = parts
    return int(datetime(year, month, day, hour, minute, tzinfo=zone).timestamp())


def fires(text: str, start: int, count: int) -> list[datetime]:
    """Return the first times that APScheduler would run, each in Rome's time."""
    trigger = ScheduleTrigger(parse_schedule(text), ROME)
    moments: list[datetime] = []
    previous = None
    now = datetime.fromtimestamp(start, UTC)
    for _ in range(count):
        previous = trigger.get_next_fire_time(previous, now)
        now = previous
        moments.append(previous.astimezone(ROME))
    return moments


def test_every_keeps_its_rhythm() -> None:
    assert next_fire(Every(30), ROME, 1000, 1004) == 1030


def test_every_without_a_past_waits_one_period() -> None:
    assert next_fire(Every(30), ROME, None, 1004) == 1034


def test_missed_times_are_skipped() -> None:
    assert next_fire(Every(30), ROME, 1000, 99_000) == 99_030


def test_cron_weekday_0_and_7_are_sunday() -> None:
    start = epoch(2026, 3, 2, 0, 0)  # a Monday
    for text in ("30 6 * * 0", "30 6 * * 7", "30 6 * * sun"):
        assert [f"{moment:%a %d %H:%M}" for moment in fires(text, start, 2)] == [
            "Sun 08 06:30",
            "Sun 15 06:30",
        ]


def test_cron_monday_is_1() -> None:
    [moment] = fires("0 7 * * 1", epoch(2026, 3, 3, 0, 0), 1)
    assert f"{moment:%a %d %H:%M}" == "Mon 09 07:00"


def test_cron_day_of_month_or_weekday() -> None:
    moments = fires("0 0 13 * 5", epoch(2026, 4, 1, 0, 0), 4)
    assert [f"{moment:%a %d}" for moment in moments] == ["Fri 03", "Fri 10", "Mon 13", "Fri 17"]


def test_cron_is_in_the_settings_zone_through_a_change_of_clock() -> None:
    # Rome goes to summer time on 29 March 2026.
    moments = fires("0 8 * * *", epoch(2026, 3, 28, 0, 0), 3)
    assert [moment.hour for moment in moments] == [8, 8, 8]
    assert [moment.astimezone(UTC).hour for moment in moments] == [7, 6, 6]


def test_trigger_answers_in_utc() -> None:
    trigger = ScheduleTrigger(Every(60), ROME)
    moment = trigger.get_next_fire_time(None, datetime(2026, 1, 1, tzinfo=UTC))
    assert moment == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert moment.tzinfo is UTC
    assert str(trigger) == "every 1 minute"


@given(
    st.sampled_from(["every 30 seconds", "*/7 * * * *", "15 3 1 * 1", "0 2 * * *"]),
    st.one_of(st.none(), st.integers(1_700_000_000, 1_900_000_000)),
    st.integers(1_700_000_000, 1_900_000_000),
)
def test_next_time_lies_ahead_and_nothing_is_left_out(
    text: str, previous: int | None, now: int
) -> None:
    schedule = parse_schedule(text)
    moment = next_fire(schedule, ROME, previous, now)
    assert moment > now
    if previous is not None and previous <= now < schedule.next_after(previous, ROME):
        assert moment == schedule.next_after(previous, ROME)
    elif previous is None:
        assert moment == schedule.next_after(now, ROME)


def test_jobs_run_late_once_and_alone() -> None:
    scheduler = build_scheduler(2)
    scheduler.start(paused=True)
    try:
        job = scheduler.add_job(print, ScheduleTrigger(Every(30), ROME), id="x")
        assert job.misfire_grace_time is None
        assert job.coalesce is True
        assert job.max_instances == 1
        assert scheduler.timezone is UTC
    finally:
        scheduler.shutdown()


@pytest.mark.parametrize("text", ["every 1 hour", "0 0 1 1 *"])
def test_trigger_prints_its_schedule(text: str) -> None:
    assert str(ScheduleTrigger(parse_schedule(text), ROME)) == text
