"""Run a report for a viewer: one snapshot of the database for its rows and its totals."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from syncd.billing.account_codes import NO_CODES, AccountCodes
from syncd.domain.days import Days, day_number
from syncd.domain.errors import UsageError, UserError
from syncd.domain.money import format_micros
from syncd.reports.dimensions import DIMENSIONS, MEASURES, ROW_FILTERS, known_dimensions
from syncd.reports.listing import list_rows, row_headings
from syncd.reports.lookups import Key, Lookups
from syncd.reports.permissions import Reach
from syncd.reports.posting import check_posting, with_adjustments
from syncd.reports.query import SUM_NAMES, Query, Sums
from syncd.reports.scope import Door
from syncd.reports.specification import BY_POSTING, CONVERSATIONS, Specification
from syncd.store.models import database


@dataclass(frozen=True, slots=True)
class Result:
    """A report as one viewer gets it. ``rows`` can be read once, while the report is open."""

    report: str
    viewer: str
    level: int
    specification: Specification
    headings: Mapping[str, str]
    """Heading by field, in the order of the fields."""
    rows: Iterable[dict[str, Any]]
    totals: dict[str, Any]
    """Over all rows, not those within the limit."""
    numeric: frozenset[str] = field(default_factory=frozenset)

    @property
    def lists_rows(self) -> bool:
        return self.specification.lists_rows

    @property
    def head(self) -> dict[str, Any]:
        """What comes before the rows."""
        return {
            "report": self.report,
            "viewer": self.viewer,
            "level": self.level,
            "period": {
                "from": self.specification.first.isoformat(),
                "to": self.specification.end.isoformat(),
            },
            "by": self.specification.by,
            "counts": self.specification.counts,
        }


NUMERIC = frozenset({*MEASURES, "rows", "counted"})


@contextlib.contextmanager
def open_report(
    door: Door,
    specification: Specification,
    zone: ZoneInfo,
    custom_fields: Mapping[str, str],
    account_codes: AccountCodes = NO_CODES,
    *,
    codes: bool = False,
    vat: Mapping[str, int] | None = None,
) -> Iterator[Result]:
    """Run a report; its rows can be read within the block, where the database stands still. Who may
    not see authorization codes gets their names of the list; with ``codes`` a list of calls has
    them, and costs with the ``vat`` of their carriers (millionths of a percent by name).

    Raises UsageError or UserError when conversations cannot be counted so, or what is asked is not
    booked by posting period.
    """
    if specification.counts == CONVERSATIONS:
        _check_conversations(door, specification)
    if specification.by == BY_POSTING:
        check_posting(specification)
    first, end = day_number(specification.first), day_number(specification.end)
    lookups = Lookups(Days(zone), first, end, account_codes)
    lookups.vat = vat or {}
    query = Query(door.scope, specification, lookups)
    sent = 0

    def counted(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        nonlocal sent
        for row in rows:
            sent += 1
            yield row

    with database.atomic("DEFERRED") if not database.in_transaction() else database.atomic():
        if specification.lists_rows:
            headings = row_headings(custom_fields, codes=codes)
            groups = query.sums(())
            totals = _totals(query, groups)
            totals["rows"] = sum(sums[-1] for sums in groups.values())
            rows: Iterable[dict[str, Any]] = list_rows(query, custom_fields, codes=codes)
        else:
            known = known_dimensions(dict(custom_fields))
            headings = {name: known[name] for name in specification.dimensions}
            headings |= {name: MEASURES[name] for name in specification.measures}
            groups = query.sums(specification.dimensions)
            if specification.by == BY_POSTING:
                groups = with_adjustments(query, groups, specification.dimensions)
            totals = _totals(query, groups)
            rows = _grouped(query, groups)
        yield Result(
            specification.report,
            door.viewer.name,
            door.viewer.level,
            specification,
            headings,
            counted(rows),
            totals,
            NUMERIC,
        )
    door.note_rows(sent)


def _check_conversations(door: Door, specification: Specification) -> None:
    """Raise when the number of conversations would depend on what the viewer sees of them."""
    if door.scope.reach is not Reach.ALL:
        raise UserError(
            "conversations are counted for levels 8 and 10", "count participations, the default"
        )
    names = [*specification.dimensions, *(key for key, _ in specification.filters)]
    for name in names:
        if name in ROW_FILTERS or DIMENSIONS[name].of_party:
            raise UsageError(
                f"conversations cannot be counted by {name}: a conversation has several",
                "count participations, the default",
            )


def _amounts(sums: Mapping[str, int], names: Iterable[str]) -> dict[str, Any]:
    return {name: format_micros(sums[name]) if name == "cost" else sums[name] for name in names}


def _named(sums: Sums, conversations: list[int] | None) -> dict[str, int]:
    """Return sums by name; with conversations, they are what calls were."""
    named = dict(zip(SUM_NAMES, sums, strict=True))
    if conversations is not None:
        named |= dict(
            zip(("calls", "answered", "missed", "unanswered"), conversations, strict=True)
        )
    return named


def _totals(query: Query, groups: Mapping[tuple[Key, ...], Sums]) -> dict[str, Any]:
    """Return the totals: the specification's measures and how many rows have no price."""
    total = [sum(column) for column in zip(*groups.values(), strict=True)] or [0] * len(SUM_NAMES)
    counts = None
    if query.specification.counts == CONVERSATIONS:
        counts = query.conversations(()).get((), [0, 0, 0, 0])
    names = dict.fromkeys([*query.specification.measures, "unrated"])
    return _amounts(_named(total, counts), names)


def _grouped(query: Query, groups: Mapping[tuple[Key, ...], Sums]) -> list[dict[str, Any]]:
    """Return the rows of a grouped report: the costliest first, then those with most rows that have
    no price, then by key; in the order of time where time is a dimension."""
    specification, lookups = query.specification, query.lookups
    names = specification.dimensions
    conversations = None
    if specification.counts == CONVERSATIONS:
        conversations = query.conversations(names)
    temporal = any(DIMENSIONS[name].temporal for name in names)
    cost, unrated = SUM_NAMES.index("cost"), SUM_NAMES.index("unrated")
    rows = []
    for keys, sums in groups.items():
        labels = [lookups.label(name, key) for name, key in zip(names, keys, strict=True)]
        order = [
            _order(name, key, label) for name, key, label in zip(names, keys, labels, strict=True)
        ]
        counts = None if conversations is None else conversations.get(keys, [0, 0, 0, 0])
        amounts = _amounts(_named(sums, counts), specification.measures)
        row = {**dict(zip(names, labels, strict=True)), **amounts}
        rows.append(((0, 0) if temporal else (-sums[cost], -sums[unrated]), order, row))
    rows.sort(key=lambda item: item[:2])
    return [row for _, _, row in rows[: specification.limit]]


def _order(name: str, key: Key, label: Any) -> tuple[bool, int, str, str]:
    """Return what a key is sorted by: unassigned last, time and numbers by size, names by name."""
    if key is None:
        return (True, 0, "", "")
    if DIMENSIONS[name].temporal or name == "party":
        return (False, int(key), "", "")
    return (False, 0, str(label).casefold(), f"{label}\0{key}")
