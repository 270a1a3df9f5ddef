"""Who may see what, decided by brute force over plain tuples.

These are the sentences of docs/rules.md 8 once more. Nothing of syncd's reports is used: where both
make the same mistake, it has to be made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from tests.security.companies import BUSINESS, PLACES, ROME, Person, Row, plain

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MEASURES = (
    "calls", "answered", "missed", "unanswered", "ring_seconds", "duration", "billed_seconds",
    "cost", "unrated",
)  # fmt: skip


class Rules(NamedTuple):
    """What an installation says, beside the people."""

    basis: str
    """What level 6 goes by where the person says nothing else."""
    one: Mapping[tuple[str, str], str]
    """Names that were made one."""
    private_numbers: bool = False
    """Level 10 is shown the numbers of private calls."""


def admitted(person: Person | None) -> bool:
    """Whether any door opens at all; None is the local administrator."""
    if person is None:
        return True
    if person.departed or not person.enabled or person.kind != "person":
        return False
    return person.level in (2, 6, 8, 10)


def one_name(rules: Rules, kind: str, text: str) -> str:
    return rules.one.get((kind, plain(text)), plain(text))


def sees(rules: Rules, person: Person | None, row: Row) -> bool:
    """Whether a row is for somebody who was admitted."""
    if person is None or person.level in (8, 10):
        return True
    if row.party and row.party == person.id:
        return True
    if person.level != 6:
        return False
    basis = person.basis if person.basis in PLACES else rules.basis
    mine = {one_name(rules, basis, getattr(person, basis))}
    if basis == "department":
        mine |= {one_name(rules, basis, text) for text in person.additional.split(";")}
    place = one_name(rules, basis, getattr(row, basis))
    return place != "" and place in mine


def number(rules: Rules, person: Person | None, row: Row) -> str:
    """The other party's number as somebody gets it."""
    if not row.outside:
        return row.number
    trusted = rules.private_numbers and (person is None or person.level == 10)
    if row.private != BUSINESS and not trusted:
        own = person is not None and row.private == person.id and row.private != 0
        if not own:
            return "private" if row.number else ""
    left = person.masked if person is not None else 0
    text = ""
    for character in reversed(row.number):
        if left > 0 and character in "0123456789":
            character, left = "*", left - 1
        text = character + text
    return text


def public_id(row: Row, *, side: bool = True) -> str:
    start, hashed = (row.started_at, row.hash) if side else row.first
    month = datetime.fromtimestamp(start, UTC).strftime("%Y%m")
    text = f"{month}-{hashed % 2**64:016x}"[:19]
    return f"{text}-{row.side}" if side else text


def money(micros: int) -> str:
    sign, micros = ("-" if micros < 0 else ""), abs(micros)
    whole, _, decimals = f"{micros // 10**6}.{micros % 10**6:06d}".partition(".")
    return f"{sign}{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def listed(rules: Rules, person: Person | None, row: Row) -> dict[str, Any]:
    """A row of the call list, as JSON has it."""
    return {
        "id": public_id(row),
        "started_at": datetime.fromtimestamp(row.started_at, ROME).isoformat(),
        "line_id": row.line_id or None,
        "person": row.person or row.username or None,
        "username": row.username or None,
        "department": row.department or None,
        "cost_center": row.cost_center or None,
        "office_location": row.office_location or None,
        "custom1": row.custom1 or None,
        "custom2": row.custom2 or None,
        "direction": row.direction,
        "side": row.side,
        "counted": row.counted,
        "conversation": public_id(row, side=False),
        "other_number": number(rules, person, row) or None,
        "hunt_pilot": row.hunt_pilot or None,
        "class": row.number_class,
        "destination": row.destination or None,
        "disposition": row.disposition,
        "ring_seconds": row.ring_seconds,
        "duration": row.duration,
        "cost": None if row.cost is None else money(row.cost),
        "state": row.state,
    }


def local(row: Row) -> datetime:
    return datetime.fromtimestamp(row.started_at, ROME)


def within(rows: Iterable[Row], first: date, end: date) -> list[Row]:
    """The rows whose local day is in a period, the newest first."""
    found = [row for row in rows if first <= local(row).date() < end]
    return sorted(found, key=lambda row: (-row.started_at, -row.id))


def keys(rules: Rules) -> dict[str, Callable[[Row], Any]]:
    """What each dimension is of a row; None: unassigned. Names by what they are compared by."""

    def name(kind: str) -> Callable[[Row], Any]:
        return lambda row: one_name(rules, kind, getattr(row, kind)) or None

    return {
        "line_id": lambda row: row.line_id or None,
        "party": lambda row: row.party or None,
        "username": lambda row: row.username or None,
        **{kind: name(kind) for kind in PLACES},
        "custom1": lambda row: plain(row.custom1) or None,
        "custom2": lambda row: plain(row.custom2) or None,
        "site": lambda row: row.site or None,
        "partition": lambda row: row.partition or None,
        "direction": lambda row: row.direction,
        "side": lambda row: row.side,
        "class": lambda row: row.number_class,
        "destination": lambda row: row.destination or None,
        "carrier": lambda row: row.carrier or None,
        "trunk": lambda row: row.trunk or None,
        "hour": lambda row: local(row).hour,
        "weekday": lambda row: WEEKDAYS[local(row).weekday()],
        "day": lambda row: local(row).date().isoformat(),
        "month": lambda row: local(row).date().isoformat()[:7],
        "state": lambda row: row.state,
        "disposition": lambda row: row.disposition,
        "purpose": lambda row: "business" if row.private == BUSINESS else "private",
    }


NAMES = frozenset((*PLACES, "custom1", "custom2"))
"""Dimensions that are shown in some spelling."""


def sums(rows: Sequence[Row]) -> dict[str, Any]:
    """Every measure over some rows, as JSON has it."""
    return {
        "calls": sum(row.counted for row in rows),
        "answered": sum(row.outcome == "answered" for row in rows),
        "missed": sum(row.outcome == "missed" for row in rows),
        "unanswered": sum(row.outcome == "unanswered" for row in rows),
        "ring_seconds": sum(row.ring_seconds for row in rows),
        "duration": sum(row.duration for row in rows),
        "billed_seconds": sum(row.billed_seconds for row in rows),
        "cost": money(sum(row.cost or 0 for row in rows)),
        "unrated": sum(row.state == "unrated" for row in rows),
    }


def grouped(
    rules: Rules, rows: Iterable[Row], dimensions: Sequence[str]
) -> dict[tuple[Any, ...], list[Row]]:
    """The rows of each group."""
    functions = [keys(rules)[name] for name in dimensions]
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(function(row) for function in functions), []).append(row)
    return found
