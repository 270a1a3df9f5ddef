"""Measurements of call quality: written by intake, and found again by the records they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import peewee

from syncd.domain.codes import Side
from syncd.domain.quality import Quality
from syncd.store.models import CallQuality, QualityExcluded, Record, database

AT_ONCE = 400
"""Values of one query."""
NEAR = 3600
"""Seconds by which a stream may end before or after its conversation: call ids come again after
some millions of calls, and the clocks of phones differ."""

_COLUMNS = (
    "pbx_id",
    "file_id",
    "row",
    "excluded",
    "key_hash",
    *(name for name in Quality._fields if name != "number"),
)
_NUMBER = Quality._fields.index("number")
Row = tuple[Any, ...]


class Known(NamedTuple):
    """A measurement that is stored."""

    content_hash: int
    file_id: int
    row: int


def latest() -> int:
    """Return when the latest measured stream ended, beyond which no key can be known."""
    return int(CallQuality.select(peewee.fn.MAX(CallQuality.ended_at)).scalar() or 0)


def known(ended_at: int, pbx_id: int, key_hash: int) -> Known | None:
    """Return the stored measurement with this key, or None."""
    mark = database.param
    found = database.execute_sql(
        "SELECT content_hash, file_id, row FROM call_quality"
        f" WHERE ended_at = {mark} AND pbx_id = {mark} AND key_hash = {mark}",
        (ended_at, pbx_id, key_hash),
    ).fetchone()
    return None if found is None else Known(*found)


def row_of(
    quality: Quality, *, pbx_id: int, file_id: int, row: int, key_hash: int, excluded: bool
) -> Row:
    """Return a measurement as it is inserted; without the device where it is of an excluded
    number."""
    if excluded:
        quality = quality._replace(device="", metrics="")
    return (
        pbx_id,
        file_id,
        row,
        int(excluded),
        key_hash,
        *quality[:_NUMBER],
        *quality[_NUMBER + 1 :],
    )


def insert(rows: Sequence[Row]) -> None:
    """Insert rows of ``row_of``."""
    if rows:
        columns = ", ".join(f'"{name}"' for name in _COLUMNS)
        marks = ", ".join([database.param] * len(_COLUMNS))
        database.cursor().executemany(
            f"INSERT INTO call_quality ({columns}) VALUES ({marks})", rows
        )


def excluded_calls(pbx_id: int, call_refs: Iterable[int]) -> dict[int, list[tuple[int, int]]]:
    """Return start and end of those of these calls in which an excluded number took part."""
    if not QualityExcluded.select().exists():
        return {}
    found: dict[int, list[tuple[int, int]]] = {}
    wanted = list(set(call_refs))
    for start in range(0, len(wanted), AT_ONCE):
        rows = QualityExcluded.select(
            QualityExcluded.call_ref, QualityExcluded.started_at, QualityExcluded.ended_at
        ).where(
            QualityExcluded.pbx_id == pbx_id,
            QualityExcluded.call_ref << wanted[start : start + AT_ONCE],
        )
        for call_ref, started_at, ended_at in rows.tuples():
            found.setdefault(call_ref, []).append((started_at, ended_at))
    return found


def exclude(pbx_id: int, calls: Iterable[tuple[int, int, int]]) -> dict[int, int]:
    """Take the devices off the measurements of calls, (call id, start, end), of excluded numbers,
    and do so with those that come later. Returns how many of each file are excluded now that were
    not."""
    files: dict[int, int] = {}
    for call_ref, started_at, ended_at in calls:
        if not call_ref:
            continue
        QualityExcluded.insert(
            pbx_id=pbx_id, call_ref=call_ref, started_at=started_at, ended_at=ended_at
        ).on_conflict_ignore().execute()
        mark = database.param
        changed = database.execute_sql(
            "UPDATE call_quality SET excluded = 1, device = '', metrics = ''"
            f" WHERE call_ref = {mark} AND pbx_id = {mark} AND excluded = 0"
            f" AND ended_at BETWEEN {mark} AND {mark} RETURNING file_id",
            (call_ref, pbx_id, started_at - NEAR, ended_at + NEAR),
        )
        for (file_id,) in changed.fetchall():
            files[file_id] = files.get(file_id, 0) + 1
    return files


def include(pbx_id: int, calls: Iterable[tuple[int, int, int]]) -> None:
    """Let measurements of calls, (call id, start, end), that come from now on have their device:
    what was excluded before stays as it is."""
    for call_ref, started_at, ended_at in calls:
        QualityExcluded.delete().where(
            QualityExcluded.pbx_id == pbx_id,
            QualityExcluded.call_ref == call_ref,
            QualityExcluded.started_at == started_at,
            QualityExcluded.ended_at == ended_at,
        ).execute()


class Measured(NamedTuple):
    """A measurement with the end of the record that it belongs to."""

    record: int
    side: Side
    """CALLING: the device where the record's leg of origin ends, CALLED: the far one."""
    quality: CallQuality


def quality_of(record_ids: Iterable[int]) -> list[Measured]:
    """Return the measurements of a conversation, given the ids of all its records: by record, side
    and time.

    A leg can go on through several records: a measurement belongs to the one with its call id that
    ended nearest to it. Those of excluded numbers belong to none.
    """
    records = list(
        Record.select(
            Record.id,
            Record.pbx_id,
            Record.key_hash,
            Record.started_at,
            Record.ended_at,
            Record.call_ref,
            Record.orig_leg,
            Record.dest_leg,
        )
        .where(Record.id << list(record_ids))
        .order_by(Record.started_at, Record.key_hash)
    )
    refs = {record.call_ref for record in records} - {0}
    if not refs:
        return []
    ends: dict[int, list[tuple[Any, Side]]] = {}
    for record in records:
        for leg, side in ((record.orig_leg, Side.CALLING), (record.dest_leg, Side.CALLED)):
            if leg:
                ends.setdefault(leg, []).append((record, side))
    first = min(record.started_at for record in records) - NEAR
    last = max(record.ended_at for record in records) + NEAR
    rows = CallQuality.select().where(
        CallQuality.call_ref << list(refs),
        CallQuality.pbx_id == records[0].pbx_id,
        CallQuality.ended_at.between(first, last),
        CallQuality.excluded == 0,
    )
    found = []
    for quality in rows:
        candidates = ends.get(quality.leg)
        if candidates:
            record, side = _nearest(candidates, quality)
            found.append(Measured(record.id, side, quality))
    found.sort(key=lambda one: (one.record, one.side, one.quality.ended_at, one.quality.key))
    return found


def quality_of_alone(record_ids: Iterable[int]) -> list[Measured]:
    """Return the measurements of records each of which is a conversation of its own, as
    ``quality_of`` does for each of them."""
    records: dict[tuple[int, int], list[Any]] = {}
    for record in Record.select(
        Record.id,
        Record.pbx_id,
        Record.started_at,
        Record.ended_at,
        Record.call_ref,
        Record.orig_leg,
        Record.dest_leg,
    ).where(Record.id << list(record_ids), Record.call_ref != 0):
        records.setdefault((record.pbx_id, record.call_ref), []).append(record)
    rows = CallQuality.select().where(
        CallQuality.call_ref << sorted({ref for _, ref in records}), CallQuality.excluded == 0
    )
    found = []
    for quality in rows:
        for record in records.get((quality.pbx_id, quality.call_ref), ()):
            if not record.started_at - NEAR <= quality.ended_at <= record.ended_at + NEAR:
                continue
            if quality.leg and quality.leg in (record.orig_leg, record.dest_leg):
                side = Side.CALLING if quality.leg == record.orig_leg else Side.CALLED
                found.append(Measured(record.id, side, quality))
    found.sort(key=lambda one: (one.record, one.side, one.quality.ended_at, one.quality.key))
    return found


def _nearest(candidates: Sequence[tuple[Any, Side]], quality: CallQuality) -> tuple[Any, Side]:
    """Return the end of a record that a measurement belongs to, of those with its leg."""

    def distance(candidate: tuple[Any, Side]) -> tuple[bool, int, int, int, Side]:
        record, side = candidate
        return (
            record.call_ref != quality.call_ref,
            abs(record.ended_at - quality.ended_at),
            record.started_at,
            record.key_hash,
            side,
        )

    return min(candidates, key=distance)
