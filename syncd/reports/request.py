"""What somebody asks of a report, in texts, whatever they ask it by; and what that means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.domain.errors import UsageError
from syncd.reports.catalogue.entry import CatalogueEntry
from syncd.reports.catalogue.standard import find_report
from syncd.reports.dimensions import DEFAULT_MEASURES
from syncd.reports.environment import Environment
from syncd.reports.specification import (
    BOOKED_MEASURES,
    BY_POSTING,
    PARTICIPATIONS,
    Specification,
    parse_dimensions,
    parse_filters,
    parse_measures,
    period,
)

OPTIONS = {
    "first": "--from",
    "end": "--to",
    "group_by": "--group-by",
    "filters": "--filter",
    "measures": "--measures",
    "columns": "--columns",
    "limit": "--limit",
    "count": "--count",
    "by": "--by",
}
"""What each part of a request is called on the command line."""


@dataclass(frozen=True, slots=True)
class Request:
    """A report by name and what is asked of it; None and empty: what the report has by itself."""

    report: str
    first: str | None = None
    end: str | None = None
    group_by: str | None = None
    filters: tuple[str, ...] = ()
    measures: str | None = None
    columns: str | None = None
    limit: int | None = None
    count: str | None = None
    by: str | None = None


def specify(request: Request, environment: Environment) -> Specification:
    """Return what a request means as of the environment's moment. Raises UsageError."""
    fields = environment.custom_fields
    entry = find_report(request.report, fields)
    if request.limit is not None and request.limit < 0:
        raise UsageError("--limit is less than nothing", "a number of rows")
    _check_taken(request, entry)
    today = datetime.fromtimestamp(environment.now, environment.zone).date()
    if "first" in entry.takes:
        first, end = period(request.first, request.end, today)
    else:
        first, end = today, today + timedelta(days=1)
    dimensions = entry.dimensions
    if request.group_by is not None:
        dimensions = parse_dimensions(request.group_by, fields)
    by = request.by or entry.by
    measures = entry.measures or (BOOKED_MEASURES if by == BY_POSTING else DEFAULT_MEASURES)
    if request.measures is not None:
        measures = parse_measures(request.measures)
    return Specification(
        request.report,
        first,
        end,
        dimensions,
        measures,
        entry.within(parse_filters(request.filters, fields)),
        request.count or PARTICIPATIONS,
        request.limit,
        by,
        _names(request.columns),
    )


def _check_taken(request: Request, entry: CatalogueEntry) -> None:
    """Raise UsageError for an option that the report does not have."""
    for name, option in OPTIONS.items():
        if name not in entry.takes and getattr(request, name) not in (None, ()):
            raise UsageError(f"{entry.name} has no {option}", f"the report says {entry.summary}")


def _names(wanted: str | None) -> tuple[str, ...]:
    if wanted is None:
        return ()
    names = tuple(dict.fromkeys(part.strip() for part in wanted.split(",") if part.strip()))
    if not names:
        raise UsageError("--columns names none", "fields of the report, like started_at,duration")
    return names
