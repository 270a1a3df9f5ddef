"""Who ran which report on whom, and when."""

from __future__ import annotations

from syncd.domain.clock import iso
from syncd.domain.days import Days, day_number
from syncd.reports.access_log import accesses
from syncd.reports.environment import Environment
from syncd.reports.reading import result_of
from syncd.reports.result import Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.specification import Specification

COLUMNS = (
    Column("at", "When", Kind.MOMENT),
    Column("viewer", "Who"),
    Column("level", "Level", Kind.COUNT),
    Column("report", "Report"),
    Column("specification", "What was asked", absent="-"),
    Column("rows", "Rows", Kind.COUNT),
)


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return every use of a door in the period, the latest first; this one is among them."""
    days = Days(environment.zone)
    start = days.start(day_number(specification.first))
    stop = days.start(day_number(specification.end))
    rows = [
        {
            "at": iso(one.at, environment.zone),
            "viewer": one.viewer,
            "level": one.level,
            "report": one.report,
            "specification": one.specification or None,
            "rows": one.rows,
        }
        for one in accesses(start, stop, door)
    ]
    return result_of(door, specification, environment, COLUMNS, rows, {"uses": len(rows)})
