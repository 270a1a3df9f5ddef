"""Who holds the slots of the licence, and who waits for one."""

from __future__ import annotations

from typing import Any

from syncd.domain.clock import BEGINNING, iso
from syncd.licensing.claims import Terms
from syncd.licensing.view import view
from syncd.reports.environment import Environment
from syncd.reports.reading import result_of
from syncd.reports.result import Column, Kind, Result
from syncd.reports.scope import MANAGEMENT, Door
from syncd.reports.specification import Specification

HOLDS, WAITS = "holds", "waits"
COLUMNS = (
    Column("state", "State"),
    Column("line_id", "Line"),
    Column("kind", "Kind"),
    Column("person", "Person", absent="-"),
    Column("role", "Role"),
    Column("since", "Since", Kind.MOMENT, "-"),
    Column("withheld", "Withheld calls", Kind.COUNT, "-"),
    Column("first_withheld", "First", Kind.MOMENT, "-"),
    Column("last_withheld", "Last", Kind.MOMENT, "-"),
)


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the lines that hold a slot, then those that wait, in their order. What is withheld of
    whom is for who manages syncd."""
    seen = view(Terms(environment.slots, environment.acquisition), environment.now)
    manages = door.viewer.level >= MANAGEMENT

    def when(epoch: int | None) -> str | None:
        return None if epoch is None or epoch <= BEGINNING else iso(epoch, environment.zone)

    rows: list[dict[str, Any]] = [
        {
            "state": HOLDS,
            "line_id": one.line_id,
            "kind": one.kind,
            "person": one.person or None,
            "role": one.role,
            "since": when(one.since),
            "withheld": None,
            "first_withheld": None,
            "last_withheld": None,
        }
        for one in seen.holders
    ]
    rows += [
        {
            "state": WAITS,
            "line_id": one.line_id,
            "kind": one.kind,
            "person": one.person or None,
            "role": one.role,
            "since": None,
            "withheld": one.calls if manages else None,
            "first_withheld": when(one.first) if manages else None,
            "last_withheld": when(one.last) if manages else None,
        }
        for one in seen.waiting_lines
    ]
    slots = "unlimited slots" if seen.slots is None else f"{seen.slots} slots"
    return result_of(
        door,
        specification,
        environment,
        COLUMNS,
        rows,
        {"rows": len(rows), "used": seen.used, "waiting": seen.waiting},
        notes=[f"{slots}, {seen.used} used, {seen.waiting} waiting"],
        facts={"slots": seen.slots, "used": seen.used, "waiting": seen.waiting},
        empty="no line takes a slot",
    )
