"""Outside numbers lose their last digits, in calls and in records, conversation by conversation.

Such a conversation is frozen: with the number cut its price would be another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from syncd.store.database import get_meta, set_meta
from syncd.store.dialect import id_list, in_list, rows_of
from syncd.store.frozen import FROZEN
from syncd.store.models import database as proxy
from syncd.store.retention import AT_ONCE, Place

TRUNCATED = "truncated"
"""The key under which the database remembers up to where numbers were cut."""

CUT = "…"
"""Stands for the digits that are gone."""

NUMBER_COLUMNS = (
    "calling_number",
    "original_number",
    "final_number",
    "redirecting_number",
    "controller",
    "final_pattern",
)
_NUMBER = re.compile(r"\+?[0-9*#]+")

Inside = Callable[[str], bool]
"""Whether a number, as written in a record, is one of the company's own."""


class Reached(NamedTuple):
    """Numbers of what begins before ``until`` are cut; the next run begins at ``since`` (epoch
    seconds, the start of a conversation that went on) and looks at records above ``record`` too,
    which came late."""

    until: int = 0
    since: int = 0
    record: int = 0


def reached() -> Reached:
    """Return up to where numbers were cut."""
    text = get_meta(TRUNCATED)
    return Reached(*json.loads(text)) if text else Reached()


def set_reached(now: Reached) -> None:
    """Remember it. Must run inside a write transaction."""
    set_meta(TRUNCATED, json.dumps([*now]))


def cut(number: str, keep: int) -> str:
    """Return a number without what follows its first digits."""
    if not _NUMBER.fullmatch(number):
        return number
    size = keep + number.startswith("+")
    return number if len(number) <= size else number[:size] + CUT


def known_numbers() -> frozenset[str]:
    """Return the numbers of lines."""
    return frozenset(row[0] for row in rows_of("SELECT number FROM line"))


def first_start(conversations: Iterable[int], otherwise: int) -> int:
    """Return when the first of some conversations began (epoch seconds)."""
    found = rows_of(
        f"SELECT MIN(started_at) FROM record WHERE {in_list('id')}", id_list(conversations)
    )[0][0]
    return otherwise if found is None else int(found)


def last_record() -> int:
    """Return the highest id of a record, 0 without any."""
    return int(rows_of("SELECT COALESCE(MAX(id), 0) FROM record")[0][0])


class Chunk(NamedTuple):
    """What a chunk did: records looked at, records and call rows whose numbers were cut, and after
    which record to go on; None: that was the last."""

    records: int
    cut: int
    calls: int
    place: Place | None


def truncate(
    since: int,
    until: int,
    staying: set[int],
    after: Place,
    keep: int,
    inside: Inside,
    limit: int = AT_ONCE,
) -> Chunk:
    """Cut the numbers of up to ``limit`` records that begin since … until (epoch seconds), but of
    conversations that are ``staying``. Must run inside a write transaction."""
    return _cut(
        rows_of(
            f"SELECT {_SELECTED} FROM record WHERE started_at >= ? AND started_at < ?"
            " AND (started_at, pbx_id, key_hash) > (?, ?, ?)"
            " ORDER BY started_at, pbx_id, key_hash LIMIT ?",
            since,
            until,
            *after,
            limit,
        ),
        staying,
        keep,
        inside,
        limit,
    )


def truncate_late(
    above: int, until: int, staying: set[int], keep: int, inside: Inside, limit: int = AT_ONCE
) -> tuple[Chunk, int]:
    """Cut the numbers of records that came since the last run and begin before its end. Returns what
    was done, and the highest id that was looked at."""
    rows = rows_of(f"SELECT {_SELECTED} FROM record WHERE id > ? ORDER BY id LIMIT ?", above, limit)
    chunk = _cut([row for row in rows if row[2] < until], staying, keep, inside, limit)
    more = len(rows) == limit
    return chunk._replace(place=Place() if more else None), rows[-1][0] if rows else above


_SELECTED = f"id, conversation, started_at, pbx_id, key_hash, {', '.join(NUMBER_COLUMNS)}"


def _cut(
    rows: Iterable[tuple[int, ...]], staying: set[int], keep: int, inside: Inside, limit: int
) -> Chunk:
    looked_at = list(rows)
    place = Place(*looked_at[-1][2:5]) if len(looked_at) == limit else None
    changed = []
    records = []
    for row in looked_at:
        if row[1] in staying:
            continue
        records.append(row[0])
        numbers = [str(number) for number in row[5:]]
        shorter = [
            number if not number or inside(number) else cut(number, keep) for number in numbers
        ]
        if shorter != numbers:
            changed.append((*shorter, row[0]))
    mark = proxy.obj.param
    columns = ", ".join(f"{name} = {mark}" for name in NUMBER_COLUMNS)
    if changed:
        proxy.obj.cursor().executemany(f"UPDATE record SET {columns} WHERE id = {mark}", changed)
    calls = sum(_cut_rows(table, records, keep) for table in ("call", "call_withheld"))
    # Known by its key alone from now on: the hash of its content would tell what was cut.
    proxy.obj.execute_sql(
        f"UPDATE record SET provisional = ?, content_hash = 0 WHERE {in_list('id')}",
        (FROZEN, id_list(records)),
    )
    return Chunk(len(looked_at), len(changed), calls, place)


def _cut_rows(table: str, records: Iterable[int], keep: int) -> int:
    sides = [record * 8 + side for record in records for side in range(8)]
    changed = [
        (shorter, row_id)
        for row_id, number in rows_of(
            f"SELECT id, other_number FROM {table} WHERE {in_list('id')} AND other_outside = 1",
            id_list(sides),
        )
        if (shorter := cut(number, keep)) != number
    ]
    if changed:
        mark = proxy.obj.param
        proxy.obj.cursor().executemany(
            f"UPDATE {table} SET other_number = {mark} WHERE id = {mark}", changed
        )
    return len(changed)
