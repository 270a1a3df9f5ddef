"""What retention removes, in chunks: each is a transaction of its own, and may be the last.

Calls go by whole conversations and leave their sums (``store.sealed``); all else is deleted by its
age. Functions count before they remove, never give a row out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from zoneinfo import ZoneInfo

from syncd.domain.codes import RecordOutcome
from syncd.store.dialect import id_list, in_list, rows_of
from syncd.store.frozen import FROZEN
from syncd.store.models import database as proxy
from syncd.store.rollups import mark_dirty
from syncd.store.sealed import Seal, add_to_sums, note_gone

DAY = 86_400
AT_ONCE = 1000
"""Records, or rows of another table, of one transaction."""
WINDOW = 7 * DAY
"""Seconds of records that are looked at at a time for conversations that go on."""
COUNTER = {
    RecordOutcome.STORED: "stored",
    RecordOutcome.EXCLUDED: "excluded",
    RecordOutcome.NOT_BILLED: "not_billed",
}


class Place(NamedTuple):
    """After which record to go on: its start, telephone system and key."""

    started_at: int = -1
    pbx_id: int = 0
    key_hash: int = 0


class Removed(NamedTuple):
    """What a chunk removed, and after which record to go on; None: that was the last."""

    records: int
    calls: int
    withheld: int
    place: Place | None


# --- calls ----------------------------------------------------------------------------------------


def going_on(start: int) -> tuple[set[int], int]:
    """Return the conversations that began before a moment (epoch seconds) and go on after it, and up
    to when that was looked for."""
    found: set[int] = set()
    moment = start
    while True:
        rows = rows_of(
            "SELECT DISTINCT record.conversation FROM record"
            " JOIN record AS first ON first.id = record.conversation"
            " WHERE record.started_at >= ? AND record.started_at < ?"
            " AND record.conversation <> record.id AND first.started_at < ?",
            moment,
            moment + WINDOW,
            start,
        )
        more = {row[0] for row in rows} - found
        moment += WINDOW
        if not more:
            return found, moment
        found |= more


def freeze(conversations: Iterable[int], since: int, until: int) -> None:
    """Let the records of conversations that begin since … until (epoch seconds) never be decided
    again: what went before them may not be there. Must run inside a write transaction."""
    proxy.obj.execute_sql(
        "UPDATE record SET provisional = ?, content_hash = 0 WHERE started_at >= ?"
        f" AND started_at < ? AND {in_list('conversation')}",
        (FROZEN, since, until, id_list(conversations)),
    )


def remove_calls(
    seal: Seal, staying: set[int], after: Place, zone: ZoneInfo, limit: int = AT_ONCE
) -> Removed:
    """Remove up to ``limit`` records that begin before the seal, with all that is made of them, and
    add the calls to the sums that stay; conversations that are ``staying`` do. Must run inside a
    write transaction."""
    rows = rows_of(
        "SELECT id, conversation, file_id, outcome, started_at, pbx_id, key_hash FROM record"
        " WHERE started_at < ? AND (started_at, pbx_id, key_hash) > (?, ?, ?)"
        " ORDER BY started_at, pbx_id, key_hash LIMIT ?",
        seal.start,
        *after,
        limit,
    )
    going = [row for row in rows if row[1] not in staying]
    place = Place(*rows[-1][4:]) if len(rows) == limit else None
    if not going:
        return Removed(0, 0, 0, place)
    records = [row[0] for row in going]
    sides = [record * 8 + side for record in records for side in range(8)]
    mark_dirty(add_to_sums(sides, zone))
    gone: dict[int, dict[str, int]] = {}
    for row in going:
        counts = gone.setdefault(row[2], {})
        counter = COUNTER[RecordOutcome(row[3])]
        counts[counter] = counts.get(counter, 0) + 1
    files = {row[0]: row[2] for row in going}
    calls = _delete_returning("call", "id", sides)
    for call in calls:
        counts = gone[files[call >> 3]]
        counts["calls"] = counts.get("calls", 0) + 1
    withheld = _delete_returning("call_withheld", "id", sides)
    _delete("account_charge", "call_id", sides)
    _delete("private_record", "record_id", records)
    _delete("record", "id", records)
    # What is booked stays, and belongs to nobody in particular any more.
    proxy.obj.execute_sql(
        "UPDATE adjustment SET line_id = 0, party_id = 0, profile_id = 0"
        f" WHERE {in_list('call_id')} AND (party_id <> 0 OR line_id <> 0 OR profile_id <> 0)",
        (id_list(sides),),
    )
    note_gone(gone)
    return Removed(len(records), len(calls), len(withheld), place)


def _delete(table: str, column: str, ids: Iterable[int]) -> None:
    proxy.obj.execute_sql(f"DELETE FROM {table} WHERE {in_list(column)}", (id_list(ids),))


def _delete_returning(table: str, column: str, ids: Iterable[int]) -> list[int]:
    return [
        row[0]
        for row in rows_of(
            f"DELETE FROM {table} WHERE {in_list(column)} RETURNING {column}", id_list(ids)
        )
    ]


def remove_beside_calls(seal: Seal, month: int) -> bool:
    """Remove a chunk of what else names calls before the seal, and whose it was of what is booked for
    months before one (yyyymm). Returns whether there may be more. Must run inside a write
    transaction."""
    more = False
    for table, runs in (("rerate_change", "rerate_run"), ("allowance_use", "month_run")):
        for (run,) in rows_of(f"SELECT run_id FROM {runs}"):
            key = "call_id" if table == "rerate_change" else "started_at"
            found = rows_of(
                f"SELECT {key} FROM {table} WHERE run_id = ? AND started_at < ?"
                f" ORDER BY {key} LIMIT {AT_ONCE * 5}",
                run,
                seal.start,
            )
            if found:
                proxy.obj.execute_sql(
                    f"DELETE FROM {table} WHERE run_id = ? AND started_at < ? AND {key} <= ?",
                    (run, seal.start, found[-1][0]),
                )
                more = more or len(found) == AT_ONCE * 5
    proxy.obj.execute_sql(
        "UPDATE adjustment SET line_id = 0, party_id = 0, profile_id = 0 WHERE month = 0"
        " AND posting_period < ? AND (party_id <> 0 OR line_id <> 0 OR profile_id <> 0)",
        (month,),
    )
    return more


def calls_before(seal: Seal) -> tuple[int, int, int, int | None]:
    """Return how many records, call rows and withheld rows begin before the seal, and when the first
    of the records does (epoch seconds)."""
    records, first = rows_of(
        "SELECT COUNT(*), MIN(started_at) FROM record WHERE started_at < ?", seal.start
    )[0]
    calls = rows_of(
        "SELECT COUNT(*) FROM call WHERE org_id IN (SELECT id FROM org) AND started_at < ?",
        seal.start,
    )[0][0]
    withheld = rows_of("SELECT COUNT(*) FROM call_withheld WHERE started_at < ?", seal.start)[0][0]
    return records, calls, withheld, first


def last_record() -> int | None:
    """Return when the latest record begins (epoch seconds), None without any."""
    found: int | None = rows_of("SELECT MAX(started_at) FROM record")[0][0]
    return found


def records_between(since: int, until: int) -> int:
    """Return how many records begin since … until (epoch seconds)."""
    return int(
        rows_of(
            "SELECT COUNT(*) FROM record WHERE started_at >= ? AND started_at < ?", since, until
        )[0][0]
    )


# --- the rest, by age -----------------------------------------------------------------------------


class Aged(NamedTuple):
    """Rows of a table that are older than a moment. ``where`` has one place for the moment; ``size``
    is the SQL of a row's length in bytes."""

    table: str
    where: str
    size: str = "0"


QUALITY = Aged("call_quality", "ended_at < ?", "200")
STILL_SO = "(event LIKE 'quiet:%' OR event LIKE 'sync:%' OR event LIKE 'licence:%')"
"""Events that go on for as long as nothing changes, and are told once however long that is."""
OF_THE_SAME = "RTRIM({0}.event, '0123456789-') = RTRIM(alarm_told.event, '0123456789-')"
ALARMS = Aged(
    "alarm_told",
    "at < ? AND reference NOT IN (SELECT reference FROM outbox WHERE state = 'waiting')"
    f" AND (NOT {STILL_SO} OR EXISTS (SELECT 1 FROM alarm_told AS later"
    " WHERE later.alarm = alarm_told.alarm AND later.recipient_key = alarm_told.recipient_key"
    f" AND later.at > alarm_told.at AND {OF_THE_SAME.format('later')}))",
    "200",
)
REJECTS = Aged("reject", "file_id IN (SELECT id FROM file WHERE taken_at < ?)", "LENGTH(raw) + 80")
AGED: dict[str, tuple[Aged, ...]] = {
    "rejects": (REJECTS,),
    "quality": (QUALITY,),
    "unknown_numbers": (
        Aged("unknown_number", "last_seen < ?", "60"),
        Aged("unknown_trunk", "last_seen < ?", "60"),
    ),
    "access_log": (Aged("access_log", "at < ?", "100 + LENGTH(specification)"),),
    "history": (
        Aged("sync_change", "run_id IN (SELECT id FROM sync_run WHERE started_at < ?)", "120"),
        Aged(
            "sync_run",
            "started_at < ? AND id NOT IN (SELECT MAX(id) FROM sync_run GROUP BY source)",
            "120",
        ),
        Aged("audit_entry", "at < ?", "120"),
    ),
    "mail": (
        Aged("outbox", "state <> 'waiting' AND created_at < ?", "200 + LENGTH(message)"),
        Aged(
            "schedule_run",
            "at < ? AND reference NOT IN (SELECT reference FROM outbox WHERE state = 'waiting')",
            "300",
        ),
        ALARMS,
    ),
}
"""By class of data, in the order in which they go."""


def count(aged: Aged, before: int) -> tuple[int, int]:
    """Return how many rows are older than a moment (epoch seconds), and about how many bytes."""
    rows, bytes_ = rows_of(
        f"SELECT COUNT(*), COALESCE(SUM({aged.size}), 0) FROM {aged.table} WHERE {aged.where}",
        before,
    )[0]
    return int(rows), int(bytes_)


def remove(aged: Aged, before: int, limit: int = AT_ONCE) -> int:
    """Remove up to ``limit`` rows that are older than a moment (epoch seconds). Returns how many. Must
    run inside a write transaction."""
    if aged.table in _WITHOUT_ID:
        first, *keys = _WITHOUT_ID[aged.table]
        columns = ", ".join((first, *keys))
        chosen = f"({columns}) IN (SELECT {columns} FROM {aged.table} WHERE {aged.where} LIMIT ?)"
        rows = rows_of(f"DELETE FROM {aged.table} WHERE {chosen} RETURNING {first}", before, limit)
        return len(rows)
    ids = [
        row[0]
        for row in rows_of(
            f"SELECT id FROM {aged.table} WHERE {aged.where} ORDER BY id LIMIT ?", before, limit
        )
    ]
    if ids and aged in (QUALITY, REJECTS):
        _note(aged, ids)
    if ids and aged is REJECTS:
        _delete("reject_drop", "reject_id", ids)
    if ids:
        _delete(aged.table, "id", ids)
    if aged is REJECTS and len(ids) < limit:
        proxy.obj.execute_sql(
            "DELETE FROM file_header WHERE file_id NOT IN (SELECT file_id FROM reject)"
        )
    return len(ids)


_WITHOUT_ID = {
    "unknown_number": ("site", "partition", "number"),
    "unknown_trunk": ("pbx_id", "device"),
    "alarm_told": ("alarm", "event", "recipient_key"),
}


def _note(aged: Aged, ids: Iterable[int]) -> None:
    """Remember how many rows of each file go: the ledger counts them for ever."""
    what = "excluded" if aged is QUALITY else "2"
    gone: dict[int, dict[str, int]] = {}
    for file_id, kind, rows in rows_of(
        f"SELECT file_id, {what}, COUNT(*) FROM {aged.table} WHERE {in_list('id')}"
        f" GROUP BY file_id, {what}",
        id_list(ids),
    ):
        gone.setdefault(file_id, {})[("stored", "excluded", "rejected")[kind]] = rows
    note_gone(gone)
