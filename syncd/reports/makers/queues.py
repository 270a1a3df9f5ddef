"""Queues and hunt groups: how many calls were answered, how soon, and how many given up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from syncd.reports.environment import Environment
from syncd.reports.hunted import QueueCall, queue_calls
from syncd.reports.lookups import select
from syncd.reports.ratios import median, percent, quotient
from syncd.reports.reading import query_of, result_of
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.specification import Specification


@dataclass(slots=True)
class Queue:
    """The calls of one queue: how many waited for so many seconds."""

    answered: Counter[int] = field(default_factory=Counter)
    abandoned: Counter[int] = field(default_factory=Counter)
    elsewhere: int = 0

    @property
    def offered(self) -> int:
        return self.answered.total() + self.abandoned.total() + self.elsewhere

    def add(self, call: QueueCall) -> None:
        wait = call.wait
        if wait is None:
            self.elsewhere += 1
        elif call.answered_at:
            self.answered[wait] += 1
        else:
            self.abandoned[wait] += 1


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return what became of the calls to each queue, the busiest first."""
    within, soon = environment.reports.answer_within, environment.reports.abandoned_after
    query = query_of(door, specification, environment)
    queues: dict[str, Queue] = {}
    everything = Queue()
    for (pilot, _), call in queue_calls(query).items():
        queues.setdefault(pilot, Queue()).add(call)
        everything.add(call)
    names = dict(select("SELECT number, MIN(name) FROM hunt_group GROUP BY number"))
    rows = [
        {"hunt_pilot": pilot or None, "name": names.get(pilot) if pilot else None}
        | _figures(queue, within, soon)
        for pilot, queue in sorted(queues.items(), key=lambda one: (-one[1].offered, one[0]))
    ]
    totals = _figures(everything, within, soon)
    return result_of(
        door,
        specification,
        environment,
        _columns(within, soon),
        rows,
        totals,
        query=query,
        notes=_notes(totals["elsewhere"]),
        facts={"answer_within": within, "abandoned_after": soon},
        chart=Chart("hunt_pilot", "offered"),
        empty="no call to a queue in this period",
    )


def _columns(within: int, soon: int) -> tuple[Column, ...]:
    return (
        Column("hunt_pilot", "Queue", absent="-"),
        Column("name", "Name", absent="-"),
        Column("offered", "Offered", Kind.COUNT),
        Column("answered", "Answered", Kind.COUNT),
        Column("answered_percent", "Answered %", Kind.NUMBER),
        Column("abandoned", "Abandoned", Kind.COUNT),
        Column("abandoned_soon", f"Within {soon} s", Kind.COUNT),
        Column("elsewhere", "Elsewhere", Kind.COUNT),
        Column("within", f"Answered in {within} s", Kind.COUNT),
        Column("service_level", "Service level %", Kind.NUMBER, "-"),
        Column("average_seconds", "Average wait s", Kind.NUMBER, "-"),
        Column("median_seconds", "Median s", Kind.NUMBER, "-"),
        Column("longest_seconds", "Longest", Kind.SECONDS, "-"),
    )


def _figures(queue: Queue, within: int, soon: int) -> dict[str, Any]:
    """Return the figures of a queue. The service level is the share of calls that were answered in
    time, of those that were answered or given up after they had waited."""
    answered, abandoned = queue.answered.total(), queue.abandoned.total()
    early = sum(calls for wait, calls in queue.abandoned.items() if wait < soon)
    in_time = sum(calls for wait, calls in queue.answered.items() if wait <= within)
    waited = queue.answered + queue.abandoned
    return {
        "offered": queue.offered,
        "answered": answered,
        "answered_percent": percent(answered, answered + abandoned),
        "abandoned": abandoned,
        "abandoned_soon": early,
        "elsewhere": queue.elsewhere,
        "within": in_time,
        "service_level": percent(in_time, answered + abandoned - early),
        "average_seconds": quotient(
            sum(wait * calls for wait, calls in queue.answered.items()), answered
        ),
        "median_seconds": median(queue.answered),
        "longest_seconds": max(waited, default=None),
    }


def _notes(elsewhere: int) -> list[str]:
    if not elsewhere:
        return []
    return [
        f"elsewhere: what you may see does not tell whether {elsewhere} of the calls were answered"
    ]
