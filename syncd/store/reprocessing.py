"""What reprocessing asks of the stored records: keys, counts and legs, never a call row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from syncd.domain.codes import FileState
from syncd.domain.leg import Leg
from syncd.domain.leg import Reject as RejectedRow
from syncd.store.dialect import by_ids
from syncd.store.models import File, Reject, RejectDrop
from syncd.store.models import database as proxy

AT_ONCE = 400
"""Values of one query."""

_TAKEN = (FileState.DONE, FileState.GROWING, FileState.PARTLY)
_COLUMNS = ", ".join(("id", "row", "outcome", "reason", "key_hash", *Leg._fields))


class OwnRecord(NamedTuple):
    """A stored record of a file."""

    id: int
    row: int
    outcome: int
    reason: str
    key_hash: int
    leg: Leg


class Span(NamedTuple):
    """From … to (epoch seconds, exclusive)."""

    since: int
    until: int


def files_in(source: str, span: Span, last: int) -> list[int]:
    """Return the files of a source up to the id ``last`` of which a record begins in a span, and
    those taken in it of which no row became a record."""
    mark = proxy.obj.param
    cursor = proxy.obj.execute_sql(
        f"SELECT id FROM file WHERE source = {mark} AND state IN ({mark}, {mark}, {mark})"
        f" AND id <= {mark} AND (id IN"
        f" (SELECT file_id FROM record WHERE started_at >= {mark} AND started_at < {mark})"
        " OR (stored + excluded + not_billed = 0 AND rejected > 0"
        f" AND taken_at >= {mark} AND taken_at < {mark})) ORDER BY id",
        (source, *map(int, _TAKEN), last, *span, *span),
    )
    return [row[0] for row in cursor.fetchall()]


def last_file() -> int:
    """Return the highest id of a file, 0 without any."""
    newest = File.select(File.id).order_by(File.id.desc()).first()
    return 0 if newest is None else int(newest.id)


def records_of_file(file_id: int) -> list[OwnRecord]:
    """Return the records of a file."""
    cursor = proxy.obj.execute_sql(
        f"SELECT {_COLUMNS} FROM record WHERE file_id = {proxy.obj.param}", (file_id,)
    )
    return [
        OwnRecord(row[0], row[1], row[2], row[3], row[4], Leg._make(row[5:]))
        for row in cursor.fetchall()
    ]


def record_ids(file_id: int, span: Span, after: int, limit: int) -> list[int]:
    """Return the ids above ``after`` of up to ``limit`` records of a file that begin in a span."""
    mark = proxy.obj.param
    cursor = proxy.obj.execute_sql(
        f"SELECT id FROM record WHERE file_id = {mark} AND id > {mark} AND started_at >= {mark}"
        f" AND started_at < {mark} ORDER BY id LIMIT {mark}",
        (file_id, after, *span, limit),
    )
    return [row[0] for row in cursor.fetchall()]


def files_of_records(ids: Iterable[int]) -> dict[int, int]:
    """Return the file of each record."""
    return {row[0]: row[1] for row in by_ids("SELECT id, file_id FROM record", ids)}


def verdicts(ids: Iterable[int]) -> dict[int, tuple[int, str, int, int]]:
    """Return what became of records: (outcome, reason, provisional, conversation) by id."""
    rows = by_ids("SELECT id, outcome, reason, provisional, conversation FROM record", ids)
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def delete_records(ids: Iterable[int]) -> None:
    """Delete records whose calls were taken back."""
    mark = proxy.obj.param
    proxy.obj.cursor().executemany(f"DELETE FROM record WHERE id = {mark}", [(one,) for one in ids])


def move_rows(rows: Iterable[tuple[int, int]]) -> None:
    """Write down in which row of their file records stand now: (id, row)."""
    mark = proxy.obj.param
    proxy.obj.cursor().executemany(
        f"UPDATE record SET row = {mark} WHERE id = {mark}", [(row, one) for one, row in rows]
    )


def replace_rejects(file_id: int, rejects: Iterable[RejectedRow]) -> bool:
    """Let a file have these rejects. One that it had keeps its id, and stays dropped where it was.
    Returns whether anything changed."""
    known: dict[tuple[int, bytes], list[Reject]] = {}
    for row in Reject.select().where(Reject.file == file_id).order_by(Reject.id):
        known.setdefault((row.line, bytes(row.raw)), []).append(row)
    changed = False
    for reject in rejects:
        raw = reject.raw.encode("utf-8", "surrogatepass")
        had = known.get((reject.line, raw))
        if not had:
            Reject.create(
                file=file_id,
                line=reject.line,
                reason=reject.reason,
                raw=raw,
                retryable=reject.retryable,
            )
            changed = True
            continue
        row = had.pop(0)
        if (row.reason, bool(row.retryable)) != (reject.reason, reject.retryable):
            row.reason, row.retryable = reject.reason, reject.retryable
            row.save()
            changed = True
    gone = [row.id for rows in known.values() for row in rows]
    forget_rejects(gone)
    return changed or bool(gone)


def forget_rejects(ids: Iterable[int]) -> None:
    """Delete rejects that are none any more."""
    wanted = list(ids)
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        Reject.delete().where(Reject.id << part).execute()
        RejectDrop.delete().where(RejectDrop.reject_id << part).execute()
