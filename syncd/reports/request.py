"""What somebody asks of a report, in texts, whatever they ask it by; and what that means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from syncd.domain.errors import UsageError
from syncd.reports.catalogue.entry import CatalogueEntry
from syncd.reports.catalogue.standard import find_report
from syncd.reports.comparisons import parse_conditions
from syncd.reports.dimensions import ALIASES, DEFAULT_MEASURES, DIMENSIONS, key_of
from syncd.reports.environment import Environment
from syncd.reports.named_periods import COMPARED, named_period
from syncd.reports.specification import (
    AS_OF_CALL,
    AS_OF_TODAY,
    BOOKED_MEASURES,
    BY_DATE,
    BY_POSTING,
    CONVERSATIONS,
    PARTICIPATIONS,
    Specification,
    parse_dimensions,
    parse_measures,
    period,
)

OPTIONS = {
    "first": "--from",
    "end": "--to",
    "period": "--period",
    "group_by": "--group-by",
    "filters": "--filter",
    "measures": "--measures",
    "columns": "--columns",
    "sort": "--sort",
    "limit": "--limit",
    "page": "--page",
    "top": "--top",
    "subtotals": "--subtotals",
    "compare": "--compare",
    "count": "--count",
    "by": "--by",
    "as_of": "--as-of",
}
"""What each part of a request is called on the command line."""

OF_LISTS = ("page",)
"""What only a list of rows has."""
OF_SUMS = ("measures", "top", "subtotals", "compare")
"""What only sums have."""

MOST = 10**12
"""Rows; no list has as many."""


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
    period: str | None = None
    sort: str | None = None
    page: str | None = None
    top: int | None = None
    subtotals: bool = False
    compare: str | None = None
    as_of: str | None = None


def specify(request: Request, environment: Environment) -> Specification:
    """Return what a request means as of the environment's moment. Raises UsageError."""
    fields = environment.custom_fields
    entry = find_report(request.report, fields)
    _check_taken(request, entry)
    today = environment.day
    first, end = _period(request, entry, today)
    dimensions = entry.dimensions
    if request.group_by is not None:
        dimensions = parse_dimensions(request.group_by, fields)
    _check_kind(request, entry, dimensions)
    by = _word("--by", request.by, (BY_DATE, BY_POSTING)) or entry.by
    measures = entry.measures or (BOOKED_MEASURES if by == BY_POSTING else DEFAULT_MEASURES)
    if request.measures is not None:
        measures = parse_measures(request.measures)
    filters, comparisons = parse_conditions(
        (*request.filters, *_conditions(entry, environment)), fields
    )
    sort = parse_names("--sort", request.sort, fields)
    if not sort and request.group_by is None:
        sort = entry.sort
    return Specification(
        request.report,
        first,
        end,
        dimensions,
        measures,
        entry.within(filters),
        _word("--count", request.count, (PARTICIPATIONS, CONVERSATIONS)) or PARTICIPATIONS,
        entry.limit if request.limit is None and request.top is None else request.limit,
        by,
        parse_names("--columns", request.columns, fields),
        comparisons,
        sort,
        (request.page or "").strip(),
        request.top,
        request.subtotals,
        _compared(request.compare),
        _word("--as-of", request.as_of, (AS_OF_CALL, AS_OF_TODAY)) or AS_OF_CALL,
    )


def _conditions(entry: CatalogueEntry, environment: Environment) -> Iterator[str]:
    """Yield what else a report is about, with the options that it names."""
    for condition in entry.conditions:
        yield condition.format(short_call=environment.reports.short_call)


def _check_taken(request: Request, entry: CatalogueEntry) -> None:
    """Raise UsageError for an option that the report does not have."""
    for name, option in OPTIONS.items():
        if name not in entry.takes and getattr(request, name) not in (None, (), False):
            raise UsageError(f"{entry.name} has no {option}", f"the report says {entry.summary}")
    if request.limit is not None and request.limit < 0:
        raise UsageError("--limit is less than nothing", "a number of rows")
    if request.limit is not None and request.limit > MOST:
        raise UsageError("--limit is more than any list has", "leave it out for all rows")
    if request.top is not None and request.top < 1:
        raise UsageError("--top is less than one", "a number of groups")


def _check_kind(request: Request, entry: CatalogueEntry, dimensions: tuple[str, ...]) -> None:
    """Raise UsageError for an option of lists where there are sums, and the other way round."""
    if entry.make:
        return
    for name in OF_SUMS if not dimensions else OF_LISTS:
        if getattr(request, name) not in (None, False):
            what = "sums" if not dimensions else "lists"
            raise UsageError(
                f"{OPTIONS[name]} is for {what}",
                "--group-by makes them" if not dimensions else f"{entry.name} has sums",
            )
    if request.subtotals and len(dimensions) != 2:
        raise UsageError("--subtotals are of two dimensions", "--group-by A,B")
    if request.top is not None and (request.subtotals or request.limit is not None):
        raise UsageError(
            "--top goes with neither --subtotals nor --limit", "it makes one row of the others"
        )
    if request.count == CONVERSATIONS and (request.top is not None or request.subtotals):
        raise UsageError(
            "conversations do not add up", "leave --top and --subtotals out, or --count"
        )


def _period(request: Request, entry: CatalogueEntry, today: date) -> tuple[date, date]:
    if "first" not in entry.takes:
        return today, today + timedelta(days=1)
    if request.period is not None:
        if request.first is not None or request.end is not None:
            raise UsageError("--period says both ends", "leave --from and --to out")
        return named_period(request.period, today)
    if request.first is None and request.end is None:
        return named_period(entry.period, today)
    return period(request.first, request.end, today)


def _word(option: str, word: str | None, known: tuple[str, ...]) -> str:
    """Return a word of a closed list, empty when there is none. Raises UsageError."""
    if word is not None and word not in known:
        raise UsageError(f"{option}: {word!r} is neither {' nor '.join(known)}")
    return word or ""


def _compared(text: str | None) -> tuple[str, ...]:
    words = parse_names("--compare", text, {})
    for word in words:
        if word not in COMPARED:
            raise UsageError(
                f"a period is not compared with {word!r}",
                "; ".join(f"{name}: {meaning}" for name, meaning in COMPARED.items()),
            )
    return words


def parse_names(option: str, text: str | None, custom_fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of a comma list once each, custom fields also by their label; a ``-`` before
    one stays. Raises UsageError when it names none."""
    if text is None:
        return ()
    names: dict[str, str] = {}
    for part in (part.strip() for part in text.split(",")):
        sign, word = ("-", part[1:].strip()) if part.startswith("-") else ("", part)
        if word:
            known = (*DIMENSIONS, *ALIASES.values())
            name = key_of(word, known, custom_fields) or word.replace("-", "_")
            names.setdefault(name, sign + name)
    if not names:
        raise UsageError(f"{option} names none", "fields of the report, like started_at,duration")
    return tuple(names.values())
