"""How busy the trunks were: seizures, failures, occupancy and the busy hour of each.

Made of counters that know no number and no person, billed calls or not; for who opens the door.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from syncd.domain.clock import iso
from syncd.domain.days import QUARTER, Days, day_number
from syncd.reports.environment import Environment
from syncd.reports.reading import result_of
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.specification import Specification
from syncd.store.trunk_counters import Busy, busy_quarters, due_between

COLUMNS = (
    Column("trunk", "Trunk"),
    Column("seizures", "Seizures", Kind.COUNT),
    Column("failures", "Failures", Kind.COUNT),
    Column("occupied_seconds", "Occupied seconds", Kind.SECONDS),
    Column("busy_hour", "Busy hour", Kind.MOMENT),
    Column("busy_hour_seizures", "Seizures in it", Kind.COUNT),
    Column("busy_hour_erlangs", "Erlangs", Kind.NUMBER),
)
QUARTERS_OF_HOUR = 4
HOUR = QUARTERS_OF_HOUR * QUARTER


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return how busy the trunks were in a period, the busiest first, and all of them together."""
    zone = environment.zone
    days = Days(zone)
    start = days.start(day_number(specification.first))
    stop = days.start(day_number(specification.end))
    trunks: dict[str, dict[int, Busy]] = {}
    together: dict[int, Busy] = {}
    for trunk, quarter, busy in busy_quarters(start, stop):
        trunks.setdefault(trunk, {})[quarter] = busy
        had = together.get(quarter, Busy(0, 0, 0))
        together[quarter] = Busy(*(one + more for one, more in zip(had, busy, strict=True)))
    rows = [{"trunk": trunk, **_load(busy, zone)} for trunk, busy in trunks.items()]
    rows.sort(key=lambda row: (-row["occupied_seconds"], row["trunk"]))
    due = due_between(start, stop)
    late = f"{due} quarters of an hour are not counted yet: the job of [daemon] rollups does"
    return result_of(
        door,
        specification,
        environment,
        COLUMNS,
        rows,
        _load(together, zone),
        notes=[late] if due else [],
        facts={"due_quarters": due},
        chart=Chart("trunk", "busy_hour_erlangs"),
    )


def _load(quarters: Mapping[int, Busy], zone: ZoneInfo) -> dict[str, Any]:
    hour = busy_hour({quarter: busy.seconds for quarter, busy in quarters.items()})
    within: Iterable[int] = () if hour is None else range(hour, hour + QUARTERS_OF_HOUR)
    seconds = sum(quarters[quarter].seconds for quarter in within if quarter in quarters)
    return {
        "seizures": sum(busy.seizures for busy in quarters.values()),
        "failures": sum(busy.failures for busy in quarters.values()),
        "occupied_seconds": sum(busy.seconds for busy in quarters.values()),
        "busy_hour": None if hour is None else iso(hour * QUARTER, zone),
        "busy_hour_seizures": sum(
            quarters[quarter].seizures for quarter in within if quarter in quarters
        ),
        "busy_hour_erlangs": erlangs(seconds),
    }


def busy_hour(seconds: Mapping[int, int]) -> int | None:
    """Return the quarter of an hour (epoch seconds // 900) with which the busiest hour begins, the
    earliest of equals; None when nothing was occupied. An hour begins with any quarter."""
    best: tuple[int, int] | None = None
    # Whatever hour is the busiest, one that begins with an occupied quarter holds as much.
    for begin in sorted(seconds):
        occupied = sum(seconds.get(begin + place, 0) for place in range(QUARTERS_OF_HOUR))
        if occupied and (best is None or occupied > best[0]):
            best = (occupied, begin)
    return None if best is None else best[1]


def erlangs(seconds: int) -> str:
    """Return the mean number of circuits that were occupied in an hour, given the seconds for which
    they were, with two decimals."""
    hundredths = (seconds * 100 + HOUR // 2) // HOUR
    return f"{hundredths // 100}.{hundredths % 100:02d}"
