"""What a reader has to know about sums beside the figures."""

from __future__ import annotations

from syncd.domain.days import day_number
from syncd.reports.environment import Environment
from syncd.reports.result import Result
from syncd.store.rollups import dirty_days


def unpriced(unrated: int) -> list[str]:
    """Return the note about rows without a price."""
    if not unrated:
        return []
    if unrated == 1:
        return ["1 row has no price yet: it adds nothing to the cost"]
    return [f"{unrated} rows have no price yet: they add nothing to the cost"]


def rolled_notes(result: Result, environment: Environment) -> None:
    """Say how many days of the period before today are not rolled up yet: their sums are read from
    the rows, which takes longer, as while older calls are taken in."""
    specification = result.specification
    end = min(specification.end, environment.day)
    days = dirty_days(day_number(specification.first), day_number(end))
    if days:
        result.facts["days_not_rolled_up"] = days
        are = "day of this period is" if days == 1 else "days of this period are"
        result.notes.append(f"{days} {are} not rolled up yet: read from the calls one by one")
