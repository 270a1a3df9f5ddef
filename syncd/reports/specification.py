"""A report as data: what to group by, what to sum, which rows, which days."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from syncd.domain.call_id import parse_call_id
from syncd.domain.errors import UsageError
from syncd.reports.dimensions import (
    DEFAULT_MEASURES,
    DERIVED,
    DIMENSIONS,
    MEASURES,
    OUTSIDE,
    WEEKDAYS,
    WITH_VAT,
    WITHIN,
    key_of,
    known_dimensions,
)
from syncd.reports.masking import ELSEWHERE

PARTICIPATIONS = "participations"
CONVERSATIONS = "conversations"

BY_DATE = "date"
BY_POSTING = "posting"

AS_OF_CALL = "call"
AS_OF_TODAY = "today"

BOOKED_MEASURES = ("cost",)
"""What sums by posting period are of, where nothing else is asked."""
BOOKABLE = (*BOOKED_MEASURES, WITH_VAT)
"""What has a posting period."""

Filters = tuple[tuple[str, tuple[str, ...]], ...]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_FIRST_YEAR, _LAST_YEAR = 1971, 2999


class Comparison(NamedTuple):
    """A condition on rows. With several values, one of them holds for ``=`` and ``~``, and none of
    them for ``!=``."""

    key: str
    operator: str
    """``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=`` or ``~``, which is: begins with."""
    values: tuple[str | int, ...]
    """Texts; of an amount or a time whole numbers (``comparisons``)."""
    text: str
    """As it was written, for the access log."""


@dataclass(frozen=True, slots=True)
class Specification:
    """What one run of a report asks for. A report without dimensions lists rows."""

    report: str
    first: date
    end: date
    """Exclusive."""
    dimensions: tuple[str, ...] = ()
    measures: tuple[str, ...] = DEFAULT_MEASURES
    filters: Filters = ()
    """(key, values) in the order of keys; rows match any value of each key. An empty value stands
    for unassigned."""
    counts: str = PARTICIPATIONS
    limit: int | None = None
    by: str = BY_DATE
    """What the period is of: the date of the call, or the posting period."""
    columns: tuple[str, ...] = ()
    """The fields that are shown, in their order; empty: those that the report has by itself."""
    comparisons: tuple[Comparison, ...] = ()
    """Conditions beside the filters; rows fit all of them."""
    sort: tuple[str, ...] = ()
    """Fields by which the rows are sorted, the highest first where ``-`` stands before; empty: the
    order of their kind."""
    page: str = ""
    """The key of a page of a list (``pages``), empty for the first."""
    top: int | None = None
    """How many groups stand for themselves; the others are one row."""
    subtotals: bool = False
    """A sum follows the groups of one value of the first dimension."""
    compare: tuple[str, ...] = ()
    """Other periods whose figures stand beside (``named_periods.COMPARED``)."""
    as_of: str = AS_OF_CALL
    """Whether people belong to departments as they did at the call, or as they do now."""

    @property
    def lists_rows(self) -> bool:
        return not self.dimensions

    def text(self) -> str:
        """Return the specification in one line, for the access log."""
        parts = [f"{self.first}..{self.end}"]
        if self.dimensions:
            parts.append("group-by=" + ",".join(self.dimensions))
        parts += [f"filter={key}={','.join(values)}" for key, values in self.filters]
        if self.counts != PARTICIPATIONS:
            parts.append(f"count={self.counts}")
        if self.limit is not None:
            parts.append(f"limit={self.limit}")
        if self.by != BY_DATE:
            parts.append(f"by={self.by}")
        if self.columns:
            parts.append("columns=" + ",".join(self.columns))
        parts += [f"filter={comparison.text}" for comparison in self.comparisons]
        if self.sort:
            parts.append("sort=" + ",".join(self.sort))
        if self.page:
            parts.append(f"page={ELSEWHERE}")
        if self.top is not None:
            parts.append(f"top={self.top}")
        if self.subtotals:
            parts.append("subtotals")
        if self.compare:
            parts.append("compare=" + ",".join(self.compare))
        if self.as_of != AS_OF_CALL:
            parts.append(f"as-of={self.as_of}")
        return " ".join(parts)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint with the nearest known word, or with all of them when none is near."""
    words = list(known)
    begun = [one for one in words if len(word) > 2 and one.startswith(word)]
    close = begun or difflib.get_close_matches(word, words, 1)
    return f"did you mean {close[0]}?" if close else f"one of {', '.join(words)}"


def parse_dimensions(text: str, custom_fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return the dimensions of a ``--group-by`` list. Raises UsageError for an unknown one."""
    known = known_dimensions(dict(custom_fields))
    names: list[str] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        name = key_of(word, known, custom_fields)
        if name is None:
            raise UsageError(f"nothing can be grouped by {word!r}", nearest(word, known))
        if name not in names:
            names.append(name)
    if not names:
        raise UsageError("--group-by names no dimension", f"one of {', '.join(known)}")
    return tuple(names)


def parse_measures(text: str) -> tuple[str, ...]:
    """Return the measures of a ``--measures`` list. Raises UsageError for an unknown one."""
    known = (*MEASURES, *DERIVED)
    words = (part.strip() for part in text.split(","))
    names = [word.replace("-", "_") for word in words if word]
    for name in names:
        if name not in known:
            raise UsageError(f"there is no measure {name!r}", nearest(name, known))
    if not names:
        raise UsageError("--measures names none", f"some of {', '.join(known)}")
    return tuple(dict.fromkeys(names))


def split_values(text: str) -> list[str]:
    r"""Return the values of a comma list; ``\,`` is a comma within a value."""
    values = re.split(r"(?<!\\),", text)
    return [value.replace("\\,", ",").strip() for value in values]


def checked_value(key: str, value: str) -> str:
    """Return a filter's value in the form in which it is compared. Raises UsageError."""
    dimension = DIMENSIONS.get(key)
    if dimension is not None and dimension.words is not None:
        return _word(key, value, dimension.words.words())
    check = _CHECKS.get(key)
    return value if check is None else check(value)


def _word(key: str, value: str, words: Sequence[str]) -> str:
    word = value.lower().replace("_", "-")
    if word not in words:
        raise UsageError(f"{value!r} is no {key}", nearest(word, words))
    return word


def _weekday(value: str) -> str:
    if value.isascii() and value.isdigit() and 1 <= int(value) <= 7:
        return WEEKDAYS[int(value) - 1]
    return _word("weekday", value, WEEKDAYS)


def _hour(value: str) -> str:
    if not (value.isascii() and value.isdigit() and int(value) <= 23):
        raise UsageError(f"{value!r} is no hour", "a number from 0 to 23")
    return str(int(value))


def _month(value: str) -> str:
    if not _MONTH.fullmatch(value):
        raise UsageError(f"{value!r} is no month", "write it like 2026-01")
    return value


def _party(value: str) -> str:
    if value and not (value.isascii() and value.isdigit()):
        raise UsageError(f"{value!r} is no party", "the number that by-person shows")
    return str(int(value)) if value else ""


def _conversation(value: str) -> str:
    if parse_call_id(value).side is not None:
        raise UsageError(
            f"{value!r} is the id of a call, not of a conversation", "leave the side out"
        )
    return value.strip().lower()


_CHECKS: dict[str, Callable[[str], str]] = {
    "weekday": _weekday,
    "working_time": lambda value: _word("working_time", value, (WITHIN, OUTSIDE)),
    "hour": _hour,
    "month": _month,
    "day": lambda value: parse_day(value, "day").isoformat(),
    "party": _party,
    "conversation": _conversation,
}


def parse_day(text: str, option: str) -> date:
    """Return a day written like 2026-01-31. Raises UsageError."""
    try:
        if not _DAY.fullmatch(text.strip()):
            raise ValueError
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{option}: {text!r} is no day", "write it like 2026-01-31") from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise UsageError(
            f"{option}: {text!r} is out of range", f"years {_FIRST_YEAR} to {_LAST_YEAR}"
        )
    return day


def _month_after(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def period(first: str | None, end: str | None, today: date) -> tuple[date, date]:
    """Return the days from ``first`` to before ``end``; without either, this month.

    With ``first`` alone the period runs to the end of this month, or of its own when that is later;
    with ``end`` alone it begins with the month of its last day.
    Raises UsageError when it holds no day.
    """
    begin = None if first is None else parse_day(first, "--from")
    stop = None if end is None else parse_day(end, "--to")
    if begin is None:
        begin = (today if stop is None else stop - timedelta(days=1)).replace(day=1)
    if stop is None:
        stop = _month_after(max(begin, today))
    if begin >= stop:
        raise UsageError(
            f"the period from {begin} to {stop} holds no day",
            "--to is exclusive: one day is --from 2026-01-31 --to 2026-02-01",
        )
    return begin, stop
