"""Who calls whom within the company: department by department.

A record is told of by its rows in scope. Where one end has none (it is not billed, or not for the
viewer to see), that end is unknown, so nothing of it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syncd.domain.codes import Direction, Disposition, Side
from syncd.reports.environment import Environment
from syncd.reports.reading import org_labels, query_of, read, result_of
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.specification import Specification

CALLING, CALLED = int(Side.CALLING), int(Side.CALLED)
ANSWERED = int(Disposition.ANSWERED)
COLUMNS = (
    Column("from_department", "From", absent="-"),
    Column("to_department", "To", absent="-"),
    Column("calls", "Calls", Kind.COUNT),
    Column("answered", "Answered", Kind.COUNT),
    Column("duration", "Duration", Kind.SECONDS),
)


@dataclass(slots=True)
class Talk:
    """One internal record, by its rows in scope."""

    ends: list[str | None]
    answered: bool = False
    duration: int = 0


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the internal records of the period by the departments at both ends."""
    query = query_of(door, specification, environment)
    department = org_labels(query, "department")
    talks: dict[int, Talk] = {}
    for call, side, org, disposition, duration in read(
        query,
        "c.id, c.side, c.org_id, c.disposition, c.duration",
        f"direction = {int(Direction.INTERNAL)} AND side IN ({CALLING}, {CALLED})",
    ):
        talk = talks.setdefault(call // 8, Talk([None, None]))
        talk.ends[side == CALLED] = department(org)
        talk.answered = talk.answered or disposition == ANSWERED
        talk.duration = max(talk.duration, duration)
    pairs: dict[tuple[str | None, ...], list[int]] = {}
    total = [0, 0, 0]
    for talk in talks.values():
        for sums in (pairs.setdefault(tuple(talk.ends), [0, 0, 0]), total):
            sums[0] += 1
            sums[1] += talk.answered
            sums[2] += talk.duration
    rows: list[dict[str, Any]] = [
        {"from_department": ends[0], "to_department": ends[1], **_figures(sums)}
        for ends, sums in pairs.items()
    ]
    rows.sort(
        key=lambda row: (-row["calls"], row["from_department"] or "", row["to_department"] or "")
    )
    return result_of(
        door,
        specification,
        environment,
        COLUMNS,
        rows,
        _figures(total),
        query=query,
        chart=Chart("from_department", "calls", across="to_department"),
        empty="no internal call in this period",
    )


def _figures(sums: list[int]) -> dict[str, Any]:
    return dict(zip(("calls", "answered", "duration"), sums, strict=True))
