"""What the catalogue knows of a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from syncd.reports.environment import Environment
from syncd.reports.result import Result
from syncd.reports.scope import Door
from syncd.reports.specification import BY_DATE, Filters, Specification

Maker = Callable[[Door, Specification, Environment], Result]

OF_CALLS = frozenset(
    ("first", "end", "group_by", "filters", "measures", "columns", "limit", "count", "by")
)
"""What can be asked of a report that chooses among call rows."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A report: its name, what it says and what it groups by; without dimensions it lists rows."""

    name: str
    summary: str
    dimensions: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    """What it sums unless something else is asked for, empty for the usual ones."""
    filters: Filters = ()
    """Which rows it is about, whatever else is asked for."""
    by: str = BY_DATE
    """What it sums by unless something else is asked for: the date of the call, or the posting
    period."""
    make: Maker | None = None
    """What makes it where it is not made of the call rows that a specification chooses."""
    takes: frozenset[str] = OF_CALLS
    """What can be asked of it (``request.Request``)."""

    def within(self, filters: Filters) -> Filters:
        """Return what is asked for together with what the report is about, which cannot be changed."""
        return tuple(sorted((dict(filters) | dict(self.filters)).items()))
