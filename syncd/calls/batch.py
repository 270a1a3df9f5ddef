"""One transaction of intake: from the rows of files to records, calls, rejects and the ledger.

All of it is written together, so that a crash leaves all of a file or nothing. Every row of a file
ends as stored, duplicate, excluded, not billed or rejected, and the ledger's counters say how many
of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from syncd.calls.accounts import ChargeRow, charged_drafts, charged_rows
from syncd.calls.alone import Alone, placed
from syncd.calls.analysis import INTERNAL_RULE, RECORDER_RULE, Analysis, Unknown
from syncd.calls.basis import Basis
from syncd.calls.booking import book_batch, in_its_period
from syncd.calls.conversation import Rec, Ties, in_order, keys_of
from syncd.calls.excluding import EXCLUDED_NUMBER, NOT_KEPT, numbers_of, without_numbers
from syncd.calls.private import PrivateRow, private_row, private_rows
from syncd.calls.rows import CallTuple, call_rows, was_shown
from syncd.calls.sides import analyse
from syncd.calls.unknown import UnknownOnes
from syncd.cdr import ledger
from syncd.cdr.ledger import Counters
from syncd.domain.codes import RecordOutcome
from syncd.domain.days import QUARTER
from syncd.domain.leg import Exclusion, Leg, Reject
from syncd.licensing import settlement
from syncd.licensing.claims import document
from syncd.licensing.slots import Licence, SlotKey
from syncd.store import adjustments, quality
from syncd.store import call_rows as store
from syncd.store.charges import insert_charges, insert_private
from syncd.store.dialect import record_ids
from syncd.store.rollups import mark_dirty
from syncd.store.sealed import note_gone, seal
from syncd.store.trunk_counters import mark_quarters

FUTURE = 3600
"""Seconds by which a call may begin after now: clocks differ."""
FUTURE_REASON = "the call begins in the future: check the clocks"

STORED = RecordOutcome.STORED
NONE_AGAIN: Mapping[int, tuple[Rec, int]] = {}
_PLAIN = range(8)
"""Indexed by a member of an enumeration it gives a plain integer."""


@dataclass(slots=True)
class ParsedFile:
    """A file after reading: (line number, leg, exclusion or reject) of each row."""

    file_id: int
    name: str
    rows: list[tuple[int, Leg | Exclusion | Reject]]
    data: bytes = b""
    """The file's content, for the raw text of rows that are rejected after they were read."""
    before: int = 0
    """Lines of the file before those of ``data``."""
    alone: Mapping[int, Alone] = field(default_factory=dict)
    """What becomes of records that stand alone, by line, where it was found out before."""

    def raw(self, line: int) -> str:
        """Return the text of a line (from 1)."""
        line -= self.before
        lines = self.data.split(b"\n", line)
        return lines[line - 1].decode("utf-8", "replace").rstrip("\r") if line <= len(lines) else ""


@dataclass(slots=True)
class BatchResult:
    """What a batch did."""

    counters: dict[int, Counters] = field(default_factory=dict)
    """By file id, of the files of the batch."""
    records: int = 0
    calls: int = 0
    withheld: int = 0
    unrated: int = 0

    def include(self, other: BatchResult) -> None:
        """Add what another stretch of the same batch did."""
        for file_id, counters in other.counters.items():
            self.counters.setdefault(file_id, Counters()).include(counters)
        self.records += other.records
        self.calls += other.calls
        self.withheld += other.withheld
        self.unrated += other.unrated


class Batch:
    """One transaction's work."""

    def __init__(self, basis: Basis) -> None:
        self.basis = basis
        self.context = basis.context
        self.result = BatchResult()
        self.plain: list[Rec] = []
        self.alone: dict[int, Alone] = {}
        """What becomes of plain records, by id, where it was found out before."""
        self.tied: list[Rec] = []
        self.excluded: list[tuple[Rec, str]] = []
        self.rejects: list[tuple[int, Reject]] = []
        self.headers: dict[int, bytes] = {}
        """What explains the rows of files with rejects."""
        self.changed: dict[int, Counters] = {}
        """Changes to the ledger of files, of this batch and of earlier ones."""
        self.before: dict[int, CallTuple] = {}
        """Call rows that were taken back, by id: they may come again."""
        self.calls: list[CallTuple] = []
        self.charged: list[ChargeRow] = []
        self.private: list[PrivateRow] = []
        self.dirty: set[int] = set()
        self.quarters: set[int] = set()
        """Quarters of an hour in which stored records that are decided again begin."""
        self.record_rows: list[tuple[Any, ...]] = []
        self.pending: list[tuple[SlotKey, bool, CallTuple]] = []
        self.file_of: dict[int, int] = {}
        """Record id → file id, of the records whose call rows are written."""
        self.unknown = UnknownOnes(basis.context.site, partitions=basis.rules.partitions)
        self.closing = adjustments.closing()
        self._ids = record_ids()
        self._latest = store.last_start()
        self._seen: dict[tuple[int, int], tuple[int, int, int]] = {}
        self.sealed = seal().start
        """Before it (epoch seconds) days are sealed: nothing comes to them any more."""
        self.late: dict[int, int] = {}
        """How many rows of a file were left out since their days are sealed."""

    # --- from rows to records -----------------------------------------------------------------

    def read(self, file: ParsedFile) -> None:
        """Sort a file's rows into new records, duplicates, conflicts and rejects."""
        file_id = file.file_id
        counters = self.result.counters[file_id] = self.counters(file_id)
        latest_start = self.basis.now + FUTURE
        excluded_numbers = self.context.excluded_numbers
        key_hash = self.basis.key_hash
        seen = self._seen
        for line, item in file.rows:
            counters.read += 1
            rule = ""
            if isinstance(item, Leg):
                leg = item
            elif isinstance(item, Exclusion):
                leg, rule = item.leg, item.rule
            else:
                self.reject(counters, file_id, item)
                continue
            if leg.started_at > latest_start:
                late = Reject(line, FUTURE_REASON, file.raw(line), retryable=True)
                self.reject(counters, file_id, late)
                continue
            hashed = key_hash(leg.key)
            identity = (leg.started_at, hashed)
            known = seen.get(identity)
            if known is None and leg.started_at <= self._latest:
                stored = store.known_record(leg.started_at, self.basis.pbx_id, hashed)
                known = stored[1:] if stored else None
            if known is not None:
                # Of frozen records nothing is left to compare.
                if known[0] in (leg.content_hash, 0):
                    counters.duplicate += 1
                else:
                    reason = ledger.conflict(known[1], known[2])
                    self.reject(counters, file_id, Reject(line, reason, file.raw(line)))
                continue
            if leg.started_at < self.sealed:
                self.leave_out_late(file_id)
                continue
            seen[identity] = (leg.content_hash, file_id, line)
            if excluded_numbers and not excluded_numbers.isdisjoint(numbers_of(leg)):
                leg, rule = without_numbers(leg), EXCLUDED_NUMBER
            rec = Rec(next(self._ids), file_id, line, leg, hashed)
            if rule:
                self.excluded.append((rec, rule))
            elif leg.tied:
                self.tied.append(rec)
            else:
                self.plain.append(rec)
                if file.alone and line in file.alone:
                    self.alone[rec.id] = file.alone[line]

    def new_id(self) -> int:
        """Return the id of a new record."""
        return next(self._ids)

    def leave_out_late(self, file_id: int) -> None:
        """Count a row whose day is sealed: nobody knows any more whether it was counted there."""
        self.counters(file_id).excluded += 1
        self.late[file_id] = self.late.get(file_id, 0) + 1

    def reject(self, counters: Counters, file_id: int, reject: Reject) -> None:
        counters.rejected += 1
        if any(number in reject.raw for number in self.context.excluded_numbers):
            reject = replace(reject, raw=NOT_KEPT)
        self.rejects.append((file_id, reject))

    # --- from records to sides ----------------------------------------------------------------

    def decide(self) -> None:
        """Make conversations of the new records and of those that they belong to."""
        self.decide_plain()
        if self.tied:
            self.conclude_conversations(NONE_AGAIN)

    def decide_plain(self) -> None:
        """Write down the new records that are left out, and decide those that stand alone."""
        pbx_id = self.basis.pbx_id
        for rec, rule in self.excluded:
            self.changed[rec.file_id].excluded += 1
            self.record_rows.append(
                (
                    rec.id,
                    pbx_id,
                    rec.file_id,
                    rec.row,
                    int(RecordOutcome.EXCLUDED),
                    rule,
                    rec.id,
                    0,
                    rec.key_hash,
                    *rec.leg,
                )
            )
        rules = self.basis.rules
        for rec in self.plain:
            alone = self.alone.get(rec.id) if self.alone else None
            if alone is not None:
                self.place(rec, alone)
            else:
                self.conclude([rec], analyse([rec], rules))

    def place(self, rec: Rec, alone: Alone) -> None:
        """Write down a record that stands alone and was decided before."""
        basis, started_at = self.basis, rec.leg.started_at
        outcome, reason, provisional, unknown, unknown_trunks, rows, private = alone
        counters = self.counters(rec.file_id)
        if outcome == STORED:
            counters.stored += 1
        else:
            counters.add_outcome(RecordOutcome(outcome), 1)
        self.record_rows.append(
            (
                rec.id,
                basis.pbx_id,
                rec.file_id,
                rec.row,
                outcome,
                reason,
                rec.id,
                provisional,
                rec.key_hash,
                *rec.leg,
            )
        )
        for one in unknown:
            self.unknown.number(Unknown(*one), started_at)
        for trunk in unknown_trunks:
            self.unknown.trunk(trunk, started_at)
        self.private += private_row(rec.id, private)
        if rows:
            self.file_of[rec.id] = rec.file_id
            self.pending += placed(alone, rec.id, basis.period(started_at), basis.dimensions)

    def reopen(self, record_ids: Iterable[int]) -> None:
        """Make conversations of stored records once more, and of those that they belong to. What
        was left out as it was read stays so; what the configuration left out may not."""
        rules = self.basis.rules
        again: dict[int, tuple[Rec, int]] = {}
        for record_id, file_id, row, outcome, reason, leg in store.records(record_ids):
            if leg.started_at < self.sealed:
                continue
            found = (Rec(record_id, file_id, row, leg), outcome)
            if leg.tied:
                again[record_id] = found
            elif outcome != RecordOutcome.EXCLUDED or reason in (INTERNAL_RULE, RECORDER_RULE):
                self.forget([found])
                self.conclude([found[0]], analyse([found[0]], rules), {record_id})
        self.conclude_conversations(again)

    def conclude_conversations(self, again: Mapping[int, tuple[Rec, int]]) -> None:
        """Decide the conversations of the batch's tied records and of the stored ones of ``again``;
        what was stored of them is taken back first."""
        rules = self.basis.rules
        for group, stored in self.conversations(again):
            if stored:
                self.forget(stored)
            records = in_order(group)
            self.conclude(records, analyse(records, rules), {rec.id for rec, _ in stored})

    def conversations(
        self, again: Mapping[int, tuple[Rec, int]]
    ) -> Iterable[tuple[list[Rec], list[tuple[Rec, int]]]]:
        """Yield each conversation of the batch's tied records, and of the stored ones that are to
        be decided again: all its records, and those of them that are stored already, with their
        outcome."""
        hold = self.context.hold
        members = {rec.id: rec for rec in self.tied} | {i: rec for i, (rec, _) in again.items()}
        stored = dict(again)
        asked: dict[tuple[str, int], tuple[int, int]] = {}
        """The earliest and the latest start for which relatives by a key were looked up."""
        newest = list(members.values())
        while newest:
            starts = [rec.leg.started_at for rec in newest]
            keys = set()
            for rec in newest:
                start = rec.leg.started_at
                for key in keys_of(rec.leg):
                    first, last = asked.get(key, (start + 1, start - 1))
                    if not first <= start <= last:
                        keys.add(key)
                        asked[key] = (min(first, start), max(last, start))
            newest = []
            for row in store.relatives(
                self.basis.pbx_id, keys, max(min(starts) - hold, self.sealed), max(starts) + hold
            ):
                if row[0] not in members:
                    rec = Rec(row[0], row[1], row[2], row[4])
                    members[rec.id] = rec
                    stored[rec.id] = (rec, row[3])
                    newest.append(rec)
        ties = Ties(hold)
        for rec in sorted(members.values(), key=lambda rec: (rec.leg.started_at, rec.leg.key)):
            ties.add(rec)
        for ids in ties.groups().values():
            known = [stored[i] for i in ids if i in stored]
            if len(known) < len(ids) or not again.keys().isdisjoint(ids):
                yield [members[i] for i in ids], known

    def forget(self, stored: list[tuple[Rec, int]]) -> None:
        """Take the calls of stored records back before they are decided again."""
        files = {rec.id: rec.file_id for rec, _ in stored}
        for row in store.delete_calls(files):
            self.counters(files[row[0] >> 3]).calls -= 1
            self.before[row[0]] = row
        for rec, outcome in stored:
            self.counters(rec.file_id).add_outcome(RecordOutcome(outcome), -1)
            self.quarters.add(rec.leg.started_at // QUARTER)

    def counters(self, file_id: int) -> Counters:
        return self.changed.setdefault(file_id, Counters())

    def conclude(
        self,
        records: list[Rec],
        analysis: Analysis,
        stored: frozenset[int] | set[int] = frozenset(),
    ) -> None:
        """Write down what a conversation's records became; call rows wait for the licence."""
        first = records[0]
        if len(records) > 1:
            first = min(records, key=lambda rec: (rec.leg.started_at, rec.leg.key))
        conversation = first.id
        basis = self.basis
        pbx_id = basis.pbx_id
        append, changed = self.record_rows.append, self.changed
        for rec, (outcome, reason, provisional) in zip(records, analysis.verdicts, strict=True):
            counters = changed.get(rec.file_id)
            if counters is None:
                counters = changed[rec.file_id] = Counters()
            if outcome is STORED:
                counters.stored += 1
            else:
                counters.add_outcome(outcome, 1)
            if rec.id in stored:
                store.update_verdict(rec.id, int(outcome), reason, provisional, conversation)
            else:
                append(
                    (
                        rec.id,
                        pbx_id,
                        rec.file_id,
                        rec.row,
                        _PLAIN[outcome],
                        reason,
                        conversation,
                        provisional,
                        rec.key_hash,
                        *rec.leg,
                    )
                )
        if analysis.unknown or analysis.unknown_trunks:
            self.unknown.of(records, analysis, stored)
        if analysis.private:
            self.private += private_rows(records, analysis)
        if analysis.drafts:
            for rec in records:
                self.file_of[rec.id] = rec.file_id
            charges = basis.pricer.charges(analysis, records)
            rows = call_rows(
                records,
                analysis,
                charges,
                basis.rules.holders,
                basis.dimensions,
                conversation,
                basis.period,
            )
            codes = self.context.account_codes
            if codes and (charged := charged_drafts(records, analysis, codes)):
                rows = charged_rows(rows, charged, basis.dimensions, self.charged)
            self.pending += rows

    # --- from sides to rows -------------------------------------------------------------------

    def finish(self) -> BatchResult:
        """Settle the licence and write everything."""
        licence = self.licence()
        calls, before = self.calls, self.before
        withheld: list[CallTuple] = []
        quarters: set[int] = set()
        file_of, changed = self.file_of, self.changed
        for key, hunt, row in self.pending:
            if before or self.closing.through:
                row = in_its_period(row, before.get(row[0]), self.closing)
            if (
                licence.withheld(key, row[1])
                and not (hunt and not key.party)
                and not was_shown(before.get(row[0]), row)
            ):
                withheld.append(row)
                continue
            calls.append(row)
            changed[file_of[row[0] >> 3]].calls += 1
            if not before or before.get(row[0]) != row:
                quarters.add(row[1] // QUARTER)
        if before:
            same = {row[0] for row in calls if before.get(row[0]) == row}
            quarters.update(row[1] // QUARTER for key, row in before.items() if key not in same)
        day = self.basis.days.day
        self.dirty.update({day(quarter * QUARTER) for quarter in quarters})
        store.insert_records(self.record_rows)
        store.insert_calls(calls)
        if withheld:
            store.insert_withheld(withheld)
        insert_charges(self.charged)
        insert_private(self.private)
        book_batch(self.closing, before, calls, self.basis.now, self.basis.run)
        ledger.add_rejects(self.rejects, self.headers)
        self.exclude_quality()
        self.unknown.write(self.basis.pbx_id)
        ledger.add(self.changed)
        note_gone({one: {"excluded": rows, "late": rows} for one, rows in self.late.items()})
        mark_dirty(self.dirty)
        mark_quarters(self.quarters.union([row[9] // QUARTER for row in self.record_rows]))
        result = self.result
        result.records = len(self.record_rows)
        result.calls = len(calls)
        result.withheld = len(withheld)
        result.unrated = sum(1 for row in calls if row[20] is None)
        return result

    def exclude_quality(self) -> None:
        """Leave the measurements of calls of excluded numbers without a device, as the records are
        without numbers."""
        calls = [
            (rec.leg.call_ref, rec.leg.started_at, rec.leg.ended_at)
            for rec, rule in self.excluded
            if rule == EXCLUDED_NUMBER
        ]
        for file_id, count in quality.exclude(self.basis.pbx_id, calls).items():
            self.counters(file_id).add_outcome(STORED, -count)
            self.counters(file_id).add_outcome(RecordOutcome.EXCLUDED, count)

    def licence(self) -> Licence:
        """Document what was acquired, and say who holds a slot now."""
        acquired: dict[int, int | None] = {}
        for key, hunt, row in self.pending:
            if not key.party:
                shown = acquired.get(key.line)
                if hunt and (shown is None or shown < row[1]):
                    shown = row[1]
                acquired[key.line] = shown
        basis = self.basis
        known = basis.licence is not None and settlement.is_current(basis.licence)
        settlement.hold(alone=bool(acquired) or not known)
        changed = bool(acquired) and document(acquired, basis.now)
        if changed or basis.licence is None or not settlement.is_current(basis.licence):
            settlement.hold(alone=True)
            if basis.terms.slots is None and not changed and settlement.is_settled(basis.terms):
                basis.licence = Licence(unlimited=True)
            else:
                basis.licence = settlement.settle(basis.terms, basis.now)
        return basis.licence
