"""Measurements of call quality: written by intake, and found again by the records they belong to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import peewee

from syncd.domain.codes import Side
from syncd.domain.quality import Quality
from syncd.store.dialect import id_list, in_list, rows_of
from syncd.store.models import CallQuality, QualityExcluded, database

AT_ONCE = 400
"""Values of one query."""
LEGS = ("orig_leg", "dest_leg")
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


class Ends(NamedTuple):
    """What of a record says which measurements are its own."""

    id: int
    conversation: int
    pbx_id: int
    key_hash: int
    started_at: int
    ended_at: int
    call_ref: int
    orig_leg: int
    dest_leg: int
    conference: int
    tied: int


def quality_of(record_ids: Iterable[int]) -> list[Measured]:
    """Return the measurements of the conversations to which some records belong: by record, side and
    time.

    A leg can go on through several records: a measurement belongs to the one with its call id that
    ended nearest to it. Those of excluded numbers belong to none.
    """
    conversations: dict[int, list[Ends]] = {}
    by_ref: dict[tuple[int, int], set[int]] = {}
    for record in _with_relatives(record_ids):
        conversations.setdefault(record.conversation, []).append(record)
        if record.call_ref:
            by_ref.setdefault((record.pbx_id, record.call_ref), set()).add(record.conversation)
    found = []
    refs = sorted({ref for _, ref in by_ref})
    for start in range(0, len(refs), AT_ONCE):
        for quality in CallQuality.select().where(
            CallQuality.call_ref << refs[start : start + AT_ONCE], CallQuality.excluded == 0
        ):
            for conversation in by_ref.get((quality.pbx_id, quality.call_ref), ()):
                end = _end_of(quality, conversations[conversation])
                if end is not None:
                    found.append(Measured(end[0].id, end[1], quality))
    found.sort(key=lambda one: (one.record, one.side, one.quality.ended_at, one.quality.key))
    return found


def _with_relatives(record_ids: Iterable[int]) -> Collection[Ends]:
    """Return records with all that belong to the same conversations."""
    found = {record.id: record for record in _ends(in_list("id"), record_ids)}
    conversations = {record.conversation for record in found.values()}
    newest = [record for record in found.values() if record.tied]
    asked: set[tuple[str, int]] = set()
    while newest:
        keys = {
            (column, value)
            for record in newest
            for column, value in (
                ("call_ref", record.call_ref),
                *((leg, one) for leg in LEGS for one in (record.orig_leg, record.dest_leg)),
                ("conference", record.conference),
            )
            if value
        } - asked
        asked |= keys
        newest = [
            record
            for column in ("call_ref", *LEGS, "conference")
            for record in _ends(
                f"tied = 1 AND {column} <> 0 AND {in_list(column)}",
                [value for name, value in keys if name == column],
            )
            if record.conversation in conversations and record.id not in found
        ]
        found |= {record.id: record for record in newest}
    return found.values()


def _ends(condition: str, values: Iterable[int]) -> list[Ends]:
    """Return the records that fit a condition on a list of values."""
    chosen = set(values)
    if not chosen:
        return []
    statement = f"SELECT {', '.join(Ends._fields)} FROM record WHERE {condition}"
    return [Ends._make(row) for row in rows_of(statement, id_list(chosen))]


def _end_of(quality: CallQuality, records: Sequence[Ends]) -> tuple[Ends, Side] | None:
    """Return the end of one of a conversation's records that a measurement belongs to."""
    if not (
        min(record.started_at for record in records) - NEAR
        <= quality.ended_at
        <= max(record.ended_at for record in records) + NEAR
    ):
        return None
    candidates = [
        (record, side)
        for record in records
        for leg, side in ((record.orig_leg, Side.CALLING), (record.dest_leg, Side.CALLED))
        if leg and leg == quality.leg
    ]
    return _nearest(candidates, quality) if candidates else None


def _nearest(candidates: Sequence[tuple[Ends, Side]], quality: CallQuality) -> tuple[Ends, Side]:
    """Return the end of a record that a measurement belongs to, of those with its leg."""

    def distance(candidate: tuple[Ends, Side]) -> tuple[bool, int, int, int, Side]:
        record, side = candidate
        return (
            record.call_ref != quality.call_ref,
            abs(record.ended_at - quality.ended_at),
            record.started_at,
            record.key_hash,
            side,
        )

    return min(candidates, key=distance)
