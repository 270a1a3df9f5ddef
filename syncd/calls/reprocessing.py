"""Taken files are read again from the archive, and decided again with the configuration and the
directory as they are: in chunks, under a run that can go on.

Where the archive has a file no more, its stored records are decided again. A preview is the same
path, undone at the end of each chunk.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from syncd.calls.analysis import Rules
from syncd.calls.batch import Batch, ParsedFile
from syncd.calls.changes import Changes, compare, note_acquired
from syncd.calls.context import IntakeContext
from syncd.calls.directory_view import directory_version, rules_of
from syncd.calls.pipeline import Pipeline
from syncd.calls.rereading import read_again
from syncd.calls.rows import CallTuple
from syncd.cdr import ledger, spool
from syncd.cdr.compressed import plain_name
from syncd.cdr.driver_options import written_at
from syncd.domain.leg import Exclusion, Leg, NotCdrError, Reject
from syncd.store import reprocessing as store
from syncd.store.database import write_transaction
from syncd.store.maintenance_runs import DONE, enter_run, unfinished_runs
from syncd.store.models import (
    AcquiredLine,
    File,
    MaintenanceRun,
    UnknownNumber,
    UnknownTrunk,
)
from syncd.store.reprocessing import Span
from syncd.store.sealed import gone_of

KIND = "reprocess"
RECORDS_AT_ONCE = 500
LARGEST = 32 * 1024 * 1024
"""Bytes of a file beyond which it is not read again as a whole; its stored records are decided."""

Lock = Callable[[str], AbstractContextManager[None]]
"""Holds the intake of a PBX identity while its block runs."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be reprocessed: the files of one source that hold calls of a span (epoch seconds,
    exclusive), as far as they were taken when it was asked for."""

    source: str
    since: int
    until: int
    last_file: int

    @property
    def span(self) -> Span:
        return Span(self.since, self.until)


def start(wanted: Iterable[Wanted], now: int) -> list[int]:
    """Enter a run for each. Returns their ids. Must run inside a write transaction."""
    return [enter_run(KIND, asdict(one), now) for one in wanted]


def unfinished() -> list[int]:
    """Return the ids of the runs that were interrupted, the oldest first."""
    return unfinished_runs(KIND)


def wanted_of(run_id: int) -> Wanted:
    """Return what a run is about."""
    return Wanted(**json.loads(MaintenanceRun.get_by_id(run_id).arguments))


def abandon(run_id: int, now: int) -> None:
    """End a run that cannot go on."""
    with write_transaction():
        MaintenanceRun.update(state=DONE, ended_at=now).where(MaintenanceRun.id == run_id).execute()


class _Undone(Exception):
    """Ends the transaction of a preview."""


class Run:
    """Works off what is wanted of one source, from where its run stands; no transaction lasts long.

    Without ``run_id`` it is a preview: each chunk is undone.
    """

    def __init__(
        self,
        wanted: Wanted,
        context: IntakeContext,
        *,
        now: int,
        lock: Lock,
        run_id: int | None = None,
    ) -> None:
        self.done = Changes()
        self._wanted = wanted
        self._context = context
        self._now = now
        self._lock = lock
        self._row = None if run_id is None else MaintenanceRun.get_by_id(run_id)
        position = json.loads(self._row.position) if self._row and self._row.position else [0, 0]
        self._file, self._record = int(position[0]), int(position[1])
        files = store.files_in(wanted.source, wanted.span, wanted.last_file)
        self._left = [one for one in files if one >= self._file]
        self._files = frozenset(files)
        self._beyond: set[int] = set()
        """Records of files beyond the run that a preview has compared."""
        self._acquired = frozenset(
            row[0] for row in AcquiredLine.select(AcquiredLine.line).tuples()
        )
        self._rules: tuple[str, Rules] | None = None
        self._pipeline: Pipeline | None = None

    @property
    def finished(self) -> bool:
        return not self._left and (self._row is None or self._row.state == DONE)

    def step(self) -> None:
        """Do the next chunk, and remember that it is done. Doing so twice changes nothing the second
        time."""
        if not self._left:
            self._finish()
            return
        file_id = self._left[0]
        with self._lock(self._context.pbx):
            if self._file != file_id:
                self._file, self._record = file_id, 0
            file = None if self._record else self._read(file_id)
            if file is not None:
                self._chunk(lambda batch: self._reread(batch, file), file_id, -1)
                return
            ids = store.record_ids(file_id, self._wanted.span, self._record, RECORDS_AT_ONCE)
            if not self._record:
                self.done.stored += 1
            last = ids[-1] if len(ids) == RECORDS_AT_ONCE else -1
            self._chunk(lambda batch: (frozenset(ids), frozenset()), file_id, last)

    def _chunk(
        self,
        work: Callable[[Batch], tuple[frozenset[int], frozenset[int]]],
        file_id: int,
        last: int,
    ) -> None:
        """Do some work in one transaction; ``last`` is the record with which it ended, -1 when the
        file is done."""
        changes = Changes()
        try:
            with write_transaction():
                self._decide(work, changes)
                if self._row is None:
                    raise _Undone
                position = [file_id + 1, 0] if last < 0 else [file_id, last]
                self._row.position = json.dumps(position)
                self._row.save()
        except _Undone:
            # What it remembers of the dimensions was undone, too.
            self._pipeline = None
        except BaseException:
            self._pipeline = None
            raise
        self.done.add(changes)
        self._record = max(last, 0)
        if last < 0:
            self._left.pop(0)

    def _decide(
        self, work: Callable[[Batch], tuple[frozenset[int], frozenset[int]]], changes: Changes
    ) -> None:
        batch = Batch(self._current())
        again, changed = work(batch)
        before = store.verdicts(again)
        batch.decide_plain()
        batch.reopen(sorted(again))
        batch.finish()
        after = store.verdicts(again)
        if self._row is None:
            self._leave_to_others(batch)
        touched = {row[0] >> 3 for row in _different(batch)}
        touched |= {one for one in again if before[one] != after.get(one)}
        changes.decided = len(again | changed)
        changes.records = len(changed | touched)
        compare(changes, batch.before, batch.calls)
        if self._context.acquisition:
            lines: dict[int, bool] = {}
            for key, hunt, _ in batch.pending:
                if not key.party:
                    lines[key.line] = hunt or lines.get(key.line, False)
            note_acquired(changes, lines, self._acquired, self._now)

    def _leave_to_others(self, batch: Batch) -> None:
        """Take out of a preview's comparison the rows of another file of the run: what was decided
        with that is undone, or comes still, so that they would count twice."""
        touched = {row[0] >> 3 for row in (*batch.before.values(), *batch.calls)}
        others = {
            record
            for record, file_id in store.files_of_records(touched).items()
            if file_id != self._file and (file_id in self._files or record in self._beyond)
        }
        self._beyond |= {
            record
            for record, file_id in store.files_of_records(touched - others).items()
            if file_id != self._file
        }
        batch.before = {key: row for key, row in batch.before.items() if key >> 3 not in others}
        batch.calls = [row for row in batch.calls if row[0] >> 3 not in others]

    def _reread(self, batch: Batch, file: ParsedFile) -> tuple[frozenset[int], frozenset[int]]:
        self.done.files += 1
        return read_again(batch, file)

    def _current(self) -> Pipeline:
        """Return the pipeline, with the directory as it is now."""
        version = directory_version()
        if self._rules is None or self._rules[0] != version:
            self._rules = (version, rules_of(self._context))
            self._pipeline = None
        if self._pipeline is None:
            pbx_id = ledger.pbx_id(self._context.pbx)
            self._pipeline = Pipeline(self._context, self._rules[1], pbx_id, self._now)
            self._pipeline.run = 0 if self._row is None else self._row.id
        return self._pipeline

    def _read(self, file_id: int) -> ParsedFile | None:
        """Return a file of the archive, read by the driver; None when there is none of use."""
        file = File.get_by_id(file_id)
        name = plain_name(str(file.name))
        if not file.archive or self._context.driver.wants(name):
            return None
        if gone_of(file_id):
            # Retention took rows of it, which must not come again: those that are left are decided.
            return None
        data = _archived(Path(file.archive))
        if data is None:
            return None
        quality = self._context.quality
        if quality is not None and quality.fits(name, data):
            return None
        rows: list[tuple[int, Leg | Exclusion | Reject]]
        written = spool.kept_since(Path(file.archive)) or file.taken_at
        try:
            rows = list(written_at(self._context.driver, written).rows(io.BytesIO(data), name))
        except NotCdrError:
            return None
        return ParsedFile(file_id, name, rows, data)

    def _finish(self) -> None:
        if self._row is None:
            return
        with write_transaction():
            _forget_known(self._wanted.span, self._context, self._current())
            self._row.state, self._row.ended_at = DONE, self._now
            self._row.save()


def _different(batch: Batch) -> Iterator[CallTuple]:
    """Yield the call rows that are gone, new or other than before."""
    made = {row[0]: row for row in batch.calls}
    for key in batch.before.keys() | made.keys():
        row = made.get(key)
        was = batch.before.get(key)
        if row != was:
            yield row or was or ()


def _archived(path: Path) -> bytes | None:
    """Return the content of an archived file; None when it is not there, damaged, or too large."""
    try:
        with gzip.open(path, "rb") as stream:
            data = stream.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error):
        return None
    return data if len(data) <= LARGEST else None


def _forget_known(span: Span, context: IntakeContext, pipeline: Pipeline) -> None:
    """Take numbers and trunks from the list of unknown ones that are known now, where all of their
    records were decided again."""
    find, known = pipeline.rules.holders.find, pipeline.rules.endpoints.of
    numbers: Sequence[UnknownNumber] = list(
        UnknownNumber.select().where(
            UnknownNumber.site == context.site,
            UnknownNumber.first_seen >= span.since,
            UnknownNumber.last_seen < span.until,
        )
    )
    for row in numbers:
        if all(
            find(row.number, row.partition, "", "", when).holder is not None
            for when in (row.first_seen, row.last_seen)
        ):
            row.delete_instance()
    trunks: Sequence[UnknownTrunk] = list(
        UnknownTrunk.select().where(
            UnknownTrunk.pbx_id == pipeline.pbx_id,
            UnknownTrunk.first_seen >= span.since,
            UnknownTrunk.last_seen < span.until,
        )
    )
    for trunk in trunks:
        if known(trunk.device, 1, "").known:
            trunk.delete_instance()
