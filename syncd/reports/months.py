"""What a month has beside its calls, in words: of allowances, who had how much and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from syncd.calls.month_run import ALLOWANCE
from syncd.domain.money import format_micros
from syncd.store.adjustments import closing
from syncd.store.models import Name, Party
from syncd.store.month_runs import Line, covered
from syncd.store.periods import shown_month


def shown_lines(lines: Sequence[Line], month: int, state: str) -> list[dict[str, Any]]:
    """Return lines of a month ready for JSON, by the names of those whose they are; ``state`` is
    ``estimate`` or ``final``."""
    people = {
        str(key): display_name or username
        for key, display_name, username in Party.select(
            Party.id, Party.display_name, Party.username
        ).tuples()
    }
    spellings = {
        (kind, key): text
        for kind, key, text in Name.select(Name.kind, Name.key, Name.text).tuples()
    }
    named = [(line, _whose(line, people, spellings)) for line in lines]
    named.sort(key=lambda one: (one[0].kind, one[0].name, (one[1] or "").casefold()))
    return [
        {
            "month": shown_month(month),
            "state": state,
            "kind": line.kind,
            "name": line.name,
            "whose": whose,
            "unit": line.unit,
            "given": amount(line.unit, line.given) if line.kind == ALLOWANCE else None,
            "carried": amount(line.unit, line.carried) if line.kind == ALLOWANCE else None,
            "used": amount(line.unit, line.used),
            "left": amount(line.unit, line.given + line.carried - line.used)
            if line.kind == ALLOWANCE
            else None,
            "cost": format_micros(line.cost),
        }
        for line, whose in named
    ]


def _whose(
    line: Line, people: Mapping[str, str], spellings: Mapping[tuple[str, str], str]
) -> str | None:
    """Return whose pot a line is, None for the company's."""
    kind, _, key = line.whose.partition(":")
    if kind == "person":
        # Who became nobody has no name any more.
        return people.get(key) or f"#{key}"
    return spellings.get((kind, key), key) or None


def amount(unit: str, value: int) -> str:
    """Return how much of an allowance it is, in words: minutes and seconds, an amount, a number."""
    if unit == "minutes":
        return f"{value // 60}:{value % 60:02d}"
    return format_micros(value) if unit == "amount" else str(value)


def allowances_of(record: int, side: int) -> list[dict[str, Any]]:
    """Return what allowances cover of a side of a record, as the last month run has it, ready for
    JSON."""
    through = closing().through
    return [
        {
            "allowance": one.allowance,
            "unit": unit,
            "used": amount(unit, one.used),
            "micros": one.cost,
            "month": shown_month(month),
            "state": "final" if month <= through else "estimate",
        }
        for month, unit, one in covered(record, side)
    ]
