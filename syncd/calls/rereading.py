"""A file's rows, read once more, take the place of what is stored of it.

A record that is as it was stays and is decided again, since the configuration may have changed; one
that reads differently is replaced under the same id, one that is in no row any more is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from syncd.calls.analysis import INTERNAL_RULE, RECORDER_RULE
from syncd.calls.batch import FUTURE, FUTURE_REASON, Batch, ParsedFile
from syncd.calls.conversation import Rec
from syncd.calls.excluding import EXCLUDED_NUMBER, NOT_KEPT, numbers_of, without_numbers
from syncd.calls.explanation import load_conversation
from syncd.cdr import ledger
from syncd.cdr.ledger import Counters
from syncd.domain.codes import RecordOutcome
from syncd.domain.leg import Exclusion, Leg, Reject
from syncd.store import quality
from syncd.store import reprocessing as store
from syncd.store.call_rows import known_record
from syncd.store.models import File
from syncd.store.reprocessing import OwnRecord


class Reread(NamedTuple):
    """What reading a file again did before anything was decided."""

    again: frozenset[int]
    """Stored records that are to be decided again."""
    changed: frozenset[int]
    """Records that are new, different or gone."""


@dataclass(slots=True)
class _Sorted:
    """A file's rows by what they are."""

    counters: Counters
    rejects: list[Reject]
    fresh: list[tuple[Rec, str]]
    """New or different records, with the rule that leaves them out."""
    same: dict[int, int]
    """Record id → row, of records that are as they were."""
    different: list[OwnRecord]
    gone: list[OwnRecord]


def read_again(batch: Batch, file: ParsedFile) -> Reread:
    """Replace what is stored of a file; its records are decided with the batch, the rest of what is
    returned is left to ``Batch.reopen``. Must run inside a write transaction."""
    own = store.records_of_file(file.file_id)
    rows = _sort(batch, file, own)
    leaving = [*rows.different, *rows.gone]
    relatives: set[int] = set()
    for record in leaving:
        if record.leg.tied:
            relatives.update(rec.id for rec in load_conversation(record.id).records)
    for record in leaving:
        rec = Rec(record.id, file.file_id, record.row, record.leg)
        batch.forget([(rec, record.outcome)])
    store.delete_records(record.id for record in leaving)
    # Those that are excluded still are noted again when the batch is finished.
    quality.include(
        batch.basis.pbx_id,
        (
            (record.leg.call_ref, record.leg.started_at, record.leg.ended_at)
            for record in leaving
            if record.reason == EXCLUDED_NUMBER
        ),
    )
    moved = {record.id: record.row for record in own}
    store.move_rows((one, row) for one, row in rows.same.items() if moved[one] != row)
    for rec, rule in rows.fresh:
        if rule:
            batch.excluded.append((rec, rule))
        else:
            (batch.tied if rec.leg.tied else batch.plain).append(rec)
    kept = File.get_by_id(file.file_id)
    counters = batch.counters(file.file_id)
    for name in ("read", "duplicate", "rejected"):
        change = getattr(rows.counters, name) - getattr(kept, name)
        setattr(counters, name, getattr(counters, name) + change)
    store.replace_rejects(file.file_id, rows.rejects)
    again = (relatives | rows.same.keys()) - {record.id for record in leaving}
    fresh = {rec.id for rec, _ in rows.fresh}
    return Reread(frozenset(again), frozenset(fresh | {record.id for record in rows.gone}))


def _sort(batch: Batch, file: ParsedFile, own: Sequence[OwnRecord]) -> _Sorted:
    """Compare a file's rows with its stored records."""
    basis = batch.basis
    excluded_numbers = batch.context.excluded_numbers
    mine = {(record.leg.started_at, record.key_hash): record for record in own}
    rows = _Sorted(Counters(), [], [], {}, [], [])
    seen: dict[tuple[int, int], tuple[int, int, int]] = {}

    def reject(item: Reject) -> None:
        rows.counters.rejected += 1
        if any(number in item.raw for number in excluded_numbers):
            item = replace(item, raw=NOT_KEPT)
        rows.rejects.append(item)

    for line, item in file.rows:
        rows.counters.read += 1
        if isinstance(item, Reject):
            reject(item)
            continue
        leg, rule = (item.leg, item.rule) if isinstance(item, Exclusion) else (item, "")
        if leg.started_at > basis.now + FUTURE:
            reject(Reject(line, FUTURE_REASON, file.raw(line), retryable=True))
            continue
        hashed = basis.key_hash(leg.key)
        identity = (leg.started_at, hashed)
        record = mine.pop(identity, None)
        known = seen.get(identity)
        if known is None and record is None:
            stored = known_record(leg.started_at, basis.pbx_id, hashed)
            known = stored[1:] if stored else None
        if known is not None:
            if known[0] in (leg.content_hash, 0):
                rows.counters.duplicate += 1
            else:
                reject(Reject(line, ledger.conflict(known[1], known[2]), file.raw(line)))
            continue
        seen[identity] = (leg.content_hash, file.file_id, line)
        if excluded_numbers and not excluded_numbers.isdisjoint(numbers_of(leg)):
            leg, rule = without_numbers(leg), EXCLUDED_NUMBER
        frozen = record is not None and not record.leg.content_hash
        if record is not None and (frozen or (record.leg == leg and _rule(record) == rule)):
            rows.same[record.id] = line
            continue
        if record is None and leg.started_at < batch.sealed:
            batch.leave_out_late(file.file_id)
            continue
        if record is not None:
            rows.different.append(record)
        number = batch.new_id() if record is None else record.id
        rows.fresh.append((Rec(number, file.file_id, line, leg, hashed), rule))
    rows.gone.extend(record for record in mine.values() if record.leg.content_hash)
    return rows


def _rule(record: OwnRecord) -> str:
    """Return the rule by which a record was left out as it was read."""
    if record.outcome != RecordOutcome.EXCLUDED or record.reason in (INTERNAL_RULE, RECORDER_RULE):
        return ""
    return record.reason


class StillBad(NamedTuple):
    """A reject that was tried again in vain: its id, and why."""

    id: int
    reason: str
    retryable: bool


class Again(NamedTuple):
    """A rejected row, read by the driver once more."""

    id: int
    file_id: int
    line: int
    item: Leg | Exclusion | Reject


def take_rejects(batch: Batch, rows: Iterable[Again]) -> tuple[list[int], list[StillBad]]:
    """Let rejects become records where they can. Returns the ids of those that did, and the others.

    The rows were counted when their files were read; now they are counted as something else.
    """
    taken: list[int] = []
    bad: list[StillBad] = []
    for row in rows:
        before = len(batch.rejects)
        batch.read(ParsedFile(row.file_id, "", [(row.line, row.item)]))
        counters = batch.counters(row.file_id)
        counters.read -= 1
        counters.rejected -= 1
        if len(batch.rejects) > before:
            reject = batch.rejects.pop()[1]
            bad.append(StillBad(row.id, reject.reason, reject.retryable))
        else:
            taken.append(row.id)
    return taken, bad
