"""Schedules of the settings as triggers of APScheduler.

Its own cron trigger has another meaning (weekdays begin with Monday, day fields are ANDed), so the
settings' schedules compute the times and APScheduler only waits for them. Everything is UTC here:
the zone matters for a cron line alone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from syncd.settings.schedule import Schedule


def next_fire(
    schedule: Schedule | EitherSchedule, zone: ZoneInfo, previous: int | None, now: int
) -> int:
    """Return the next time (epoch seconds), given the previous one and the time now.

    The rhythm of the previous time is kept; times that went by (the machine slept) are skipped,
    since one run does the work of all of them.
    """
    if previous is not None:
        following = schedule.next_after(previous, zone)
        if following > now:
            return following
    return schedule.next_after(now, zone)


@dataclass(frozen=True, slots=True)
class EitherSchedule:
    """Whenever one of two schedules says so."""

    one: Schedule
    other: Schedule

    def next_after(self, epoch: int, zone: ZoneInfo) -> int:
        """Return the next time (epoch seconds) after ``epoch``."""
        return min(self.one.next_after(epoch, zone), self.other.next_after(epoch, zone))

    def __str__(self) -> str:
        return f"{self.one}; {self.other}"


class ScheduleTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires when a schedule of the settings says so."""

    def __init__(self, schedule: Schedule | EitherSchedule, zone: ZoneInfo) -> None:
        self.schedule = schedule
        self.zone = zone

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        previous = None if previous_fire_time is None else int(previous_fire_time.timestamp())
        epoch = next_fire(self.schedule, self.zone, previous, int(now.timestamp()))
        return datetime.fromtimestamp(epoch, UTC)

    def __str__(self) -> str:
        return str(self.schedule)


def build_scheduler(threads: int) -> BackgroundScheduler:
    """Return a scheduler in UTC with ``threads`` workers, its jobs in memory.

    A late job runs however late it is, missed runs become one, no job runs twice at a time.
    """
    # It would warn of every job that is due while it runs; the listeners of its events know better.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    return BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(threads)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
