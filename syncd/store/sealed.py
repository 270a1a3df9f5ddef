"""Sealed days: those before the horizon of retention, of whose calls the sums alone are kept.

What is true of a day is always the sums of calls that are gone (``add_to_sums``) together with those
of the rows that are there. So rows may go in chunks, and whatever concerns the rows that remain goes
on as before. Sums of gone calls have no person, line or number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncd.domain.days import QUARTER, Days, month_of
from syncd.store.database import get_meta, set_meta
from syncd.store.dialect import id_list, in_list, rows_of
from syncd.store.models import database as proxy
from syncd.store.rollup_tables import MEASURES
from syncd.store.sealed_bases import BASES, Base

SEALED = "sealed"
"""The key under which the database remembers up to where its days are sealed."""


class Seal(NamedTuple):
    """Days before ``day`` (yyyymmdd) are sealed; it begins at ``start`` (epoch seconds)."""

    day: int
    start: int


UNSEALED = Seal(0, 0)


def seal() -> Seal:
    """Return up to where days are sealed, ``UNSEALED`` when none is."""
    words = get_meta(SEALED).split()
    return Seal(int(words[0]), int(words[1])) if words else UNSEALED


def set_seal(now: Seal) -> None:
    """Seal the days before one. Must run inside a write transaction; a seal is never taken back."""
    if now.day > seal().day:
        set_meta(SEALED, f"{now.day} {now.start}")


# --- the sums -------------------------------------------------------------------------------------


_COLUMNS = (
    "org_id",
    "direction",
    "class",
    "carrier_id",
    "trunk_id",
    "destination_id",
)


def sealed_days(first: int, end: int) -> list[int]:
    """Return the days from ``first`` to before ``end`` of which calls are gone, in order."""
    # Each of them has sums, or is marked: so the sums of years need not be gone through.
    return [
        row[0]
        for row in rows_of(
            "SELECT day FROM (SELECT day FROM rolled_day UNION SELECT day FROM dirty_day) AS known"
            " WHERE day >= ? AND day < ?"
            " AND EXISTS (SELECT 1 FROM sealed_day WHERE sealed_day.day = known.day) ORDER BY day",
            first,
            end,
        )
    ]


def first_sealed_day() -> int | None:
    """Return the first day of which calls are gone, None without any."""
    found: int | None = rows_of("SELECT MIN(day) FROM sealed_day")[0][0]
    return found


def add_to_sums(call_ids: Iterable[int], zone: ZoneInfo) -> set[int]:
    """Add call rows that are about to go to the sums that stay. Returns their local days."""
    columns = ", ".join(_COLUMNS)
    rows = rows_of(
        f"SELECT started_at / {QUARTER}, {columns}, {', '.join(MEASURES.values())} FROM call"
        f" WHERE {in_list('id')} GROUP BY started_at / {QUARTER}, {columns}",
        id_list(call_ids),
    )
    days = Days(zone)
    sums: dict[Base, dict[tuple[int, ...], list[int]]] = {base: {} for base in set(BASES.values())}
    touched = set()
    for quarter, *found in rows:
        moment = days.moment(quarter)
        touched.add(moment.day)
        known = dict(zip(_COLUMNS, found, strict=False))
        known |= {
            "day": moment.day,
            "month": month_of(moment.day),
            "weekday": moment.weekday,
            "hour": moment.hour,
        }
        measures = [int(value) for value in found[len(_COLUMNS) :]]
        for base, of_base in sums.items():
            key = tuple(known[name] for name in (base.span, *base.keys))
            had = of_base.get(key)
            of_base[key] = (
                measures if had is None else [a + b for a, b in zip(had, measures, strict=True)]
            )
    for base, of_base in sums.items():
        _add(base, of_base)
    return touched


def _add(base: Base, sums: Mapping[tuple[int, ...], Sequence[int]]) -> None:
    keys = (base.span, *base.keys)
    _add_rows(base.table, keys, tuple(MEASURES), [(*key, *row) for key, row in sums.items()])


def _add_rows(
    table: str, keys: Sequence[str], measures: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Add measures to those that a table has by its keys."""
    if not rows:
        return
    mark = proxy.obj.param
    names = [f'"{name}"' for name in (*keys, *measures)]
    added = ", ".join(f'"{name}" = {table}."{name}" + excluded."{name}"' for name in measures)
    proxy.obj.cursor().executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"
        f" ON CONFLICT ({', '.join(names[: len(keys)])}) DO UPDATE SET {added}",
        rows,
    )


# --- the ledger -----------------------------------------------------------------------------------

_COUNTERS = ("stored", "excluded", "not_billed", "rejected", "calls", "late")

Gone = Mapping[int, Mapping[str, int]]
"""How many rows of a file went, by file and counter of the ledger."""


def note_gone(gone: Gone) -> None:
    """Remember that so many rows of files are stored no more, for their counters stay."""
    rows = [
        (file_id, *(counts.get(name, 0) for name in _COUNTERS)) for file_id, counts in gone.items()
    ]
    _add_rows("file_retained", ("file_id",), _COUNTERS, rows)


def gone_of(file_id: int) -> dict[str, int]:
    """Return how many rows of a file are stored no more by counter of the ledger; nothing when all
    of them are."""
    rows = rows_of(f"SELECT {', '.join(_COUNTERS)} FROM file_retained WHERE file_id = ?", file_id)
    return dict(zip(_COUNTERS, rows[0], strict=True)) if rows else {}


def gone_by_file() -> dict[int, dict[str, int]]:
    """Return the same of every file of which rows are gone."""
    return {
        row[0]: dict(zip(_COUNTERS, row[1:], strict=True))
        for row in rows_of(f"SELECT file_id, {', '.join(_COUNTERS)} FROM file_retained")
    }
