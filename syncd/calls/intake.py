"""The unit of work of intake: take what is ready in one drop folder.

Files are read, parsed and stored in batches of whole files, up to about 10,000 rows; each batch is
one transaction with its ledger. Only after the commit does a file leave the folder for the archive,
so that a crash in between finds it again, known by its content, and merely archives it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice

import peewee
import structlog

from syncd.calls import archiving
from syncd.calls.analysis import Rules
from syncd.calls.batch import BatchResult
from syncd.calls.context import IntakeContext
from syncd.calls.directory_view import directory_version, rules_of
from syncd.calls.growing import GrowingFolder
from syncd.calls.in_pieces import place_in, store_whole
from syncd.calls.intake_outcome import FileOutcome as FileOutcome
from syncd.calls.intake_outcome import IngestOutcome as IngestOutcome
from syncd.calls.pieces import (
    LostError,
    Piece,
    pieces,
    reason_of,
    store_pieces,
)
from syncd.calls.pipeline import Pipeline
from syncd.calls.pricing import Pricer
from syncd.calls.reading_ahead import read_ahead
from syncd.calls.reading_process import ReadingProcess, decided, equipment
from syncd.calls.release import release_calls, work_off
from syncd.calls.waiting import Waiting, batches, take_over, to_hand_over
from syncd.cdr import ledger, spool
from syncd.cdr.compressed import plain_name
from syncd.cdr.driver_options import written_at
from syncd.cdr.parts import BEGINNING
from syncd.cdr.spool import Candidate, Content, Settling
from syncd.domain.codes import FileState
from syncd.domain.leg import NotCdrError
from syncd.domain.uncollected import without_collections
from syncd.licensing.claims import Terms
from syncd.store.database import write_transaction

BATCH_ROWS = 10_000
BATCH_BYTES = 16 * 1024 * 1024
BACKLOG_BYTES = 16 * 1024 * 1024
"""What must be ready for a process of its own to read it: its start takes half a second."""


class Intake:
    """Takes files of one CDR source again and again; remembers files and directory in between."""

    def __init__(self, context: IntakeContext) -> None:
        self.context = context
        self._settling = Settling()
        self._rules: tuple[str, Rules] | None = None
        self._names = ledger.Names(context.source, ())
        self._pipeline: Pipeline | None = None
        self._pinned: Rules | None = None
        """The rules that a reading process was given: those of all that is taken with it."""
        self._damaged: dict[tuple[int, int], tuple[int, int]] = {}

    def take(
        self,
        *,
        now: Callable[[], int],
        settle: bool = True,
        stop: Callable[[], bool] = lambda: False,
        progress: Callable[[FileOutcome], None] = lambda outcome: None,
    ) -> IngestOutcome:
        """Take every file that is ready. ``stop`` is asked between batches; ``progress`` is told of
        each file when it is stored."""
        began = time.perf_counter()
        context = self.context
        outcome = IngestOutcome(context.source)
        moment = now()
        found = spool.candidates(context.folder, context.files, rotated=context.growing)
        ready = found
        if settle:
            ready = self._settling.ready(found, context.settle, moment)
        if context.growing:
            # What is not compressed is read up to the last whole row, and need not be still.
            plain = {one for one in found if one.name == plain_name(one.name)}
            ready = [one for one in found if one in plain or one in ready]
        chosen = set(ready)
        late = [candidate for candidate in found if candidate not in chosen]
        outcome.waiting = len(late)
        if late:
            oldest = moment - min(one.modified for one in late) // 1_000_000_000
            outcome.oldest_waiting = max(oldest, 0)
        self._pipeline = self._pinned = None
        self._names = ledger.Names(context.source, (candidate.name for candidate in ready))
        terms = Terms(context.slots, context.acquisition)
        outcome.released += release_calls(terms, context.zone, moment, stop)
        with write_transaction():
            pbx_id = ledger.pbx_id(context.pbx)
        if context.growing:
            with without_collections():
                self._read_growing(ready, pbx_id, outcome, moment, stop, progress)
            ready = []
        with without_collections(), ThreadPoolExecutor(1, "archive") as archivist:
            moves: list[tuple[Content, Future[None]]] = []
            files = self._files(ready, outcome, moment, progress)
            for batch in batches(files, BATCH_ROWS, BATCH_BYTES):
                stored = self._store_all(batch, pbx_id, outcome, moment, progress, stop)
                self._report_moves(moves, outcome)
                moves = [
                    (
                        content,
                        archivist.submit(
                            archiving.move, content, archiving.target(self.context, content, moment)
                        ),
                    )
                    for content in (waiting.content for waiting in stored)
                ]
                if stop():
                    break
            self._report_moves(moves, outcome)
        outcome.released += work_off(context.zone, moment, stop)
        outcome.seconds = time.perf_counter() - began
        return outcome

    def _read_growing(
        self,
        found: list[Candidate],
        pbx_id: int,
        outcome: IngestOutcome,
        now: int,
        stop: Callable[[], bool],
        progress: Callable[[FileOutcome], None],
    ) -> None:
        """Read what is new in files that grow."""
        folder = GrowingFolder(
            self.context,
            lambda: self._current_pipeline(pbx_id, now),
            self._forget_pipeline,
            outcome,
            now,
            progress,
            stop,
            self._damaged,
        )
        folder.take(found)

    def _current_pipeline(self, pbx_id: int, now: int) -> Pipeline:
        # Looked at before each batch: another process may have synced meanwhile.
        rules = self._pinned or self._current_rules()
        if self._pipeline is None or self._pipeline.rules is not rules:
            self._pipeline = Pipeline(self.context, rules, pbx_id, now)
        return self._pipeline

    def _forget_pipeline(self) -> None:
        self._pipeline = None

    def _current_rules(self) -> Rules:
        version = directory_version()
        if self._rules is None or self._rules[0] != version:
            self._rules = (version, rules_of(self.context))
        return self._rules[1]

    def _files(
        self,
        ready: list[Candidate],
        outcome: IngestOutcome,
        now: int,
        progress: Callable[[FileOutcome], None],
    ) -> Iterator[Waiting]:
        """Yield the files that are to be stored, read; deal with the others at once."""

        def read(waiting: Waiting) -> bool:
            return self._read(waiting, outcome, now, progress)

        found = (self._open(candidate, outcome, now, progress) for candidate in ready)
        opened = (waiting for waiting in found if waiting is not None)
        process = self._reading_process(ready)
        if process is None:
            yield from filter(read, opened)
            return
        rules = self._pinned or self._current_rules()
        pricer = Pricer(self.context.carriers, rules)

        def decide(waiting: Waiting) -> bool:
            if not read(waiting):
                return False
            waiting.alone = decided(waiting.rows, rules, pricer)
            return True

        with process:
            yield from read_ahead(opened, process, to_hand_over, take_over, decide)

    def _reading_process(self, ready: list[Candidate]) -> ReadingProcess | None:
        """Return a process to read with, where there is much to read and a processor for it."""
        size = sum(candidate.size for candidate in ready)
        if size < BACKLOG_BYTES or len(os.sched_getaffinity(0)) < 2:
            return None
        self._pinned = self._current_rules()
        given = equipment(self.context.driver, self._pinned, self.context.carriers)
        try:
            return ReadingProcess(given) if given is not None else None
        except OSError:
            return None

    def _open(
        self,
        candidate: Candidate,
        outcome: IngestOutcome,
        now: int,
        progress: Callable[[FileOutcome], None],
    ) -> Waiting | None:
        """Open a file; None when it needs no batch (known, ignored, unreadable).

        Raises nothing for the file's faults: they become its outcome.
        """
        context = self.context

        def report(state: FileState, reason: str) -> None:
            done = FileOutcome(candidate.name, state, reason)
            outcome.files.append(done)
            progress(done)

        try:
            content = spool.read(candidate)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._lose(candidate, reason_of(error), outcome, now, progress)
            return None
        known = self._names.find(candidate.name, content.sha256)
        if known is not None and known.state == FileState.DONE:
            # Stored by an earlier run that could not move it, or delivered again: nothing is new.
            if self._names.unreadable(candidate.name):
                with write_transaction():
                    ledger.forget_unreadable(context.source, candidate.name)
            self._move(content, now, outcome)
            return None
        if content.trouble:
            reason = self._finish(content, FileState.SET_ASIDE, content.trouble, now)
            report(FileState.SET_ASIDE, reason)
            return None
        try:
            quality = context.quality
            if quality is not None and not quality.fits(content.name, content.beginning(BEGINNING)):
                quality = None
        except OSError as error:
            self._lose(candidate, reason_of(error), outcome, now, progress)
            return None
        driver = written_at(context.driver, candidate.modified // 1_000_000_000)
        reason = "" if quality is not None else driver.wants(content.name)
        if reason:
            report(FileState.IGNORED, self._finish(content, FileState.IGNORED, reason, now))
            return None
        return Waiting(content, driver, quality)

    def _read(
        self,
        waiting: Waiting,
        outcome: IngestOutcome,
        now: int,
        progress: Callable[[FileOutcome], None],
    ) -> bool:
        """Read the rows of a file. Returns False where there is nothing to store: what is no CDR
        file, or cannot be read, has its outcome then."""
        content, driver, quality = waiting.content, waiting.driver, waiting.measurements
        try:
            if not content.in_hand:
                rest = pieces(content, driver, quality, place_in(self._names, content))
                # The first one tells whether it is a CDR file at all.
                waiting.pieces = chain([*islice(rest, 1)], rest)
            elif quality is not None:
                waiting.quality = list(quality.rows(content.stream()))
            else:
                waiting.rows = list(driver.rows(content.stream(), content.name))
        except NotCdrError as error:
            reason = self._finish(content, FileState.SET_ASIDE, str(error), now)
            done = FileOutcome(content.candidate.name, FileState.SET_ASIDE, reason)
            outcome.files.append(done)
            progress(done)
            return False
        except (LostError, OSError) as error:
            self._lose(content.candidate, reason_of(error), outcome, now, progress)
            return False
        return True

    def _store_all(
        self,
        batch: list[Waiting],
        pbx_id: int,
        outcome: IngestOutcome,
        now: int,
        progress: Callable[[FileOutcome], None],
        stop: Callable[[], bool],
    ) -> list[Waiting]:
        """Store a batch; when a defect of ours ends that, its files one by one, so that the one
        that brings it to light does not hold up the others. Returns those that were stored."""
        try:
            if batch[0].pieces is not None:
                return self._store_in_pieces(batch[0], pbx_id, outcome, now, progress, stop)
            self._store(batch, self._current_pipeline(pbx_id, now), outcome, now, progress)
        except (peewee.PeeweeException, sqlite3.Error, OSError):
            raise
        except LostError as error:
            self._pipeline = None
            self._lose(batch[0].content.candidate, reason_of(error), outcome, now, progress)
            return []
        except Exception as error:
            # What it remembers of the dimensions was rolled back.
            self._pipeline = None
            if len(batch) > 1:
                return [
                    waiting
                    for waiting in batch
                    if self._store_all([waiting], pbx_id, outcome, now, progress, stop)
                ]
            self._fail(batch[0].content.candidate, error, outcome, now, progress)
            return []
        return batch

    def _fail(
        self,
        candidate: Candidate,
        error: Exception,
        outcome: IngestOutcome,
        now: int,
        progress: Callable[[FileOutcome], None],
    ) -> None:
        """Note a file that cannot be taken because of a defect; it is tried again at every poll."""
        structlog.get_logger().error(
            "file_failed", source=self.context.source, file=candidate.name, exc_info=error
        )
        reason = f"a defect of syncd: {type(error).__name__}: {error}"
        self._lose(candidate, reason, outcome, now, progress)

    def _lose(
        self,
        candidate: Candidate,
        reason: str,
        outcome: IngestOutcome,
        now: int,
        progress: Callable[[FileOutcome], None],
    ) -> None:
        """Note a file that cannot be taken this time; it is tried again at every poll."""
        with write_transaction():
            self._enter(candidate, "", FileState.FAILED, reason, now, "")
        done = FileOutcome(candidate.name, FileState.FAILED, reason)
        outcome.files.append(done)
        progress(done)

    def _store_in_pieces(
        self,
        waiting: Waiting,
        pbx_id: int,
        outcome: IngestOutcome,
        now: int,
        progress: Callable[[FileOutcome], None],
        stop: Callable[[], bool],
    ) -> list[Waiting]:
        """Store a file that is not in hand. Returns it, nothing when it is not at its end."""
        content = waiting.content
        counters = store_whole(
            self._entry(
                content.candidate,
                content.sha256,
                FileState.DONE,
                "",
                now,
                archiving.target(self.context, content, now),
            ),
            self._names,
            content,
            waiting.pieces or (),
            lambda: self._current_pipeline(pbx_id, now),
            outcome,
            stop,
        )
        if counters is None:
            return []
        name = content.candidate.name
        done = FileOutcome(name, FileState.DONE, "", **counters.as_dict())
        outcome.files.append(done)
        progress(done)
        return [waiting]

    def _store(
        self,
        batch: list[Waiting],
        pipeline: Pipeline,
        outcome: IngestOutcome,
        now: int,
        progress: Callable[[FileOutcome], None],
    ) -> None:
        """Store a batch in one transaction, then archive its files."""
        names: dict[int, str] = {}
        result = BatchResult()
        with write_transaction(beside=True):
            entered = []
            for waiting in batch:
                content = waiting.content
                file_id = self._enter(
                    content.candidate,
                    content.sha256,
                    FileState.DONE,
                    "",
                    now,
                    archiving.target(self.context, content, now),
                )
                names[file_id] = content.candidate.name
                piece = Piece(waiting.rows, waiting.quality, content.data, 0, waiting.alone)
                entered.append((file_id, content.candidate.name, piece))
            result.include(store_pieces(entered, pipeline, now))
        outcome.include(result)
        for file_id, counters in result.counters.items():
            done = FileOutcome(names[file_id], FileState.DONE, "", **counters.as_dict())
            outcome.files.append(done)
            progress(done)

    def _finish(self, content: Content, state: FileState, reason: str, now: int) -> str:
        """Enter a file that is not stored, and move it out of the way. Returns the reason, and if
        it could not be moved why: then it stays and is tried again."""
        target = (
            str(archiving.set_aside(self.context, content))
            if state is FileState.SET_ASIDE
            else archiving.target(self.context, content, now)
        )
        with write_transaction():
            self._enter(content.candidate, content.sha256, state, reason, now, target)
        try:
            archiving.move(content, target)
        except OSError as error:
            return f"{reason}; still in the folder: {error.strerror or error}"
        return reason

    def _enter(
        self,
        candidate: Candidate,
        sha256: str,
        state: FileState,
        reason: str,
        now: int,
        archive: str,
    ) -> int:
        entry = self._entry(candidate, sha256, state, reason, now, archive)
        return ledger.enter(self._names, entry)

    def _entry(
        self,
        candidate: Candidate,
        sha256: str,
        state: FileState,
        reason: str,
        now: int,
        archive: str,
    ) -> ledger.Entry:
        return ledger.Entry(
            self.context.source, candidate.name, sha256, candidate.size, state, reason, now, archive
        )

    def _report_moves(
        self, moves: list[tuple[Content, Future[None]]], outcome: IngestOutcome
    ) -> None:
        """Wait until the files of a batch are in the archive."""
        for content, future in moves:
            try:
                future.result()
            except OSError as error:
                archiving.not_moved(content, error, outcome)

    def _move(self, content: Content, now: int, outcome: IngestOutcome) -> None:
        """Archive a file that is in the ledger; what cannot be moved stays and is tried again."""
        known = self._names.find(content.candidate.name, content.sha256)
        target = (
            known.archive if known is not None else archiving.target(self.context, content, now)
        )
        try:
            archiving.move(content, target)
        except OSError as error:
            archiving.not_moved(content, error, outcome)
