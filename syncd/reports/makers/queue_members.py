"""Members of queues and hunt groups: which calls they were given, and which they answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from syncd.reports.environment import Environment
from syncd.reports.hunted import CALLED, hunt_rows
from syncd.reports.ratios import median, percent, quotient
from syncd.reports.reading import line_ids, query_of, result_of
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.specification import Specification

COLUMNS = (
    Column("hunt_pilot", "Queue", absent="-"),
    Column("line_id", "Line", absent="-"),
    Column("person", "Person", absent="-"),
    Column("party", "Party", Kind.COUNT, "-"),
    Column("given", "Given", Kind.COUNT),
    Column("answered", "Answered", Kind.COUNT),
    Column("answered_percent", "Answered %", Kind.NUMBER),
    Column("average_seconds", "Average ring s", Kind.NUMBER, "-"),
    Column("median_seconds", "Median s", Kind.NUMBER, "-"),
    Column("duration", "Talked", Kind.SECONDS),
)
BRIEF = tuple(column.name for column in COLUMNS if column.name != "party")


@dataclass(slots=True)
class Member:
    """The calls that one member was given by one queue."""

    unanswered: int = 0
    duration: int = 0
    rang: Counter[int] = field(default_factory=Counter)
    """How many rang for so many seconds until they were answered."""

    def figures(self) -> dict[str, Any]:
        answered = self.rang.total()
        return {
            "given": answered + self.unanswered,
            "answered": answered,
            "answered_percent": percent(answered, answered + self.unanswered),
            "average_seconds": quotient(
                sum(ring * calls for ring, calls in self.rang.items()), answered
            ),
            "median_seconds": median(self.rang),
            "duration": self.duration,
        }


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return what each member was given, by queue; a row for each record that named the member."""
    query = query_of(door, specification, environment)
    members: dict[tuple[str, str, int], Member] = {}
    line = line_ids(query)
    everything = Member()
    for row in hunt_rows(query):
        if row.side != CALLED or not row.to_member:
            continue
        one = members.setdefault((row.pilot, line(row.line) or "", row.party), Member())
        for member in (one, everything):
            member.duration += row.duration
            if row.answered_at:
                member.rang[max(0, row.answered_at - row.started_at)] += 1
            else:
                member.unanswered += 1
    rows = [
        {
            "hunt_pilot": pilot or None,
            "line_id": line_id or None,
            "person": query.lookups.label("person", party or None),
            "party": party or None,
            **member.figures(),
        }
        for (pilot, line_id, party), member in members.items()
    ]
    rows.sort(key=lambda row: (row["hunt_pilot"] or "", -row["given"], row["line_id"] or ""))
    return result_of(
        door,
        specification,
        environment,
        COLUMNS,
        rows,
        everything.figures(),
        query=query,
        brief=BRIEF,
        chart=Chart("person", "given"),
        empty="no member of a queue was called in this period",
    )
