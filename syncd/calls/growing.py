"""The unit of work of a folder whose files grow: read what is new, up to the last whole row.

Each part of a file is one transaction with the place up to which it was read, so that a crash
neither loses nor doubles a row. Files are never written to, moved or removed here. What was rotated
is read first; a file that is not what was read of it is read from its beginning, and the rows that
are known are duplicates.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import peewee
import structlog

from syncd.calls.batch import BatchResult
from syncd.calls.context import IntakeContext
from syncd.calls.intake_outcome import FileOutcome, IngestOutcome
from syncd.calls.pieces import Place, head_at, parsed, reason_of, store_pieces
from syncd.calls.pipeline import Pipeline
from syncd.cdr import ledger
from syncd.cdr.compressed import is_compressed, plain_name
from syncd.cdr.driver_options import written_at
from syncd.cdr.ledger import Counters
from syncd.cdr.parts import BEGINNING, Part, carried, head_of, parts, traits
from syncd.cdr.spool import Candidate, Handle, is_rotated, rotated_name
from syncd.cdr.tails import COMPARED, Tail, Tails
from syncd.domain.codes import FileState
from syncd.domain.leg import NotCdrError
from syncd.store.database import write_transaction

STILL = 3600
"""Seconds after which a rotated file is taken for finished, and its last line for whole."""

_BLOCK = 1024 * 1024


@dataclass(slots=True)
class GrowingFolder:
    """One poll of a folder."""

    context: IntakeContext
    pipeline: Callable[[], Pipeline]
    """Gives the pipeline; after a transaction that failed it must be another one."""
    forget_pipeline: Callable[[], None]
    outcome: IngestOutcome
    now: int
    progress: Callable[[FileOutcome], None]
    stop: Callable[[], bool]
    damaged: dict[tuple[int, int], tuple[int, int]]
    """Inode → (size, modification time) of compressed files that cannot be read, which would be
    read in vain until they change."""
    _tails: Tails = field(init=False)
    _names: ledger.Names = field(init=False)

    def take(self, found: Iterable[Candidate]) -> None:
        """Read what is new in files."""
        context = self.context
        files = sorted(
            found, key=lambda one: (not is_rotated(one.name, context.files), one.modified, one.name)
        )
        self._tails = Tails(context.source)
        self._names = ledger.Names(context.source, (one.name for one in files))
        names = {one.name for one in files}
        for candidate in files:
            if self.stop():
                return
            still = self.now - candidate.modified // 1_000_000_000 >= STILL
            finished = still and rotated_name(candidate.name) in names
            try:
                if self._read_on(candidate, finished) and self._names.unreadable(candidate.name):
                    with write_transaction():
                        ledger.forget_unreadable(context.source, candidate.name)
            except FileNotFoundError:
                continue
            except NotCdrError as error:
                self._fail(candidate, str(error))
            except (peewee.PeeweeException, sqlite3.Error):
                raise
            except OSError as error:
                self._fail(candidate, reason_of(error))
            except Exception as error:
                structlog.get_logger().error(
                    "file_failed", source=context.source, file=candidate.name, exc_info=error
                )
                reason = f"a defect of syncd: {type(error).__name__}: {error}"
                self._fail(candidate, reason)

    def _read_on(self, candidate: Candidate, finished: bool) -> bool:
        """Read what is new in a file. Returns whether it could be read. Raises OSError,
        NotCdrError."""
        context, key = self.context, (candidate.device, candidate.inode)
        seen = (candidate.size, candidate.modified)
        tail = self._tails.at(*key)
        same = tail is not None and (tail.size, tail.modified) == seen
        if same and tail is not None and (not finished or tail.position == tail.size):
            return True
        if self.damaged.get(key) == seen:
            return False
        handle = Handle(candidate.path)
        try:
            if (handle.status.st_dev, handle.status.st_ino) != key:
                # Rotated since the folder was listed: the next poll finds both files.
                raise FileNotFoundError(candidate.path)
            compressed = is_compressed(handle.read(4))
            if compressed and same:
                return True
            if compressed:
                self._look_through(handle, key, seen)
            with handle.plain() as stream:
                head = head_of(context.driver, stream.read(BEGINNING))
            tail = self._known(handle, tail, key, head)
            with handle.plain(tail.position) as stream:
                found = parts(
                    stream,
                    tail.position,
                    quote=traits(context.driver).quote,
                    final=compressed or finished,
                )
                self._store(candidate, handle, tail, head, found)
            return True
        finally:
            handle.close()

    def _look_through(self, handle: Handle, key: tuple[int, int], seen: tuple[int, int]) -> None:
        """Read a compressed file to its end: it is taken whole or not at all. Raises OSError."""
        try:
            with handle.plain() as stream:
                while stream.read(_BLOCK):
                    pass
        except OSError:
            self.damaged[key] = seen
            raise

    def _known(self, handle: Handle, tail: Tail | None, key: tuple[int, int], head: bytes) -> Tail:
        """Return how far the content of a file was read, under this inode or another.

        A copy may have been read further than the file itself, when that was not emptied yet. Files
        that share no more than a head are no copies.
        """
        if tail is not None and not tail.begins(handle.plain):
            tail = None
        like = self._tails.like(handle.plain, len(head) if tail is None else tail.position)
        if like is None:
            return Tail(*key) if tail is None else tail
        return replace(like, device=key[0], inode=key[1], size=-1, modified=-1)

    def _store(
        self,
        candidate: Candidate,
        handle: Handle,
        tail: Tail,
        head: bytes,
        found: Iterable[Part],
    ) -> None:
        """Store the parts of a file, each in a transaction with the place that was reached."""
        counters, stored = Counters(), False
        driver = self.context.driver
        head = head_at(handle.plain, driver, head, tail.position)
        for part in found:
            further = tail.moved(handle.plain, part.end, tail.lines + part.lines)
            if not _holds(handle, tail, part):
                break  # cut while it was read: the next poll sees what it has become
            tail, result = self._store_part(candidate, handle, tail, further, head, part)
            head = carried(driver, head, part.data)
            for part_counters in result.counters.values():
                counters.include(part_counters)
            stored = True
            if self.stop():
                break
        else:
            status = handle.status
            if tail.file_id and (tail.size, tail.modified) != (status.st_size, status.st_mtime_ns):
                tail = replace(tail, size=status.st_size, modified=status.st_mtime_ns)
                with write_transaction():
                    self._tails.save(tail)
                    ledger.resize(tail.file_id, status.st_size)
                self._tails.saved(tail)
        if stored:
            done = FileOutcome(candidate.name, FileState.GROWING, "", **counters.as_dict())
            self.outcome.files.append(done)
            self.progress(done)

    def _store_part(
        self,
        candidate: Candidate,
        handle: Handle,
        tail: Tail,
        further: Tail,
        head: bytes,
        part: Part,
    ) -> tuple[Tail, BatchResult]:
        """Store a part, with ``further`` behind it; returns that and what was done."""
        context = self.context
        name = plain_name(candidate.name)
        driver = written_at(context.driver, candidate.modified // 1_000_000_000)
        piece = parsed(driver, name, head, Place(tail.position, tail.lines), part)
        tail = further
        pipeline = self.pipeline()
        try:
            with write_transaction(beside=True):
                if not tail.file_id:
                    tail = replace(tail, file_id=self._enter(candidate, handle, tail))
                result = store_pieces([(tail.file_id, name, piece)], pipeline, self.now)
                ledger.grow(tail.file_id, handle.status.st_size, self.now)
                self._tails.save(tail)
        except BaseException:
            self.forget_pipeline()
            raise
        self._tails.saved(tail)
        self.outcome.include(result)
        return tail, result

    def _enter(self, candidate: Candidate, handle: Handle, tail: Tail) -> int:
        """Enter a file into the ledger; returns its id. Its content is never known whole, so what
        it begins with, and how many of its name there were, stand for it."""
        context = self.context
        number = ledger.entries(context.source, candidate.name)
        text = f"{candidate.name}\0{number}\0{tail.head}"
        entry = ledger.Entry(
            context.source,
            candidate.name,
            hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(),
            handle.status.st_size,
            FileState.GROWING,
            "",
            self.now,
            "",
        )
        return ledger.enter(self._names, entry)

    def _fail(self, candidate: Candidate, reason: str) -> None:
        """Note a file that cannot be read this time; it is tried again at every poll."""
        entry = ledger.Entry(
            self.context.source,
            candidate.name,
            "",
            candidate.size,
            FileState.FAILED,
            reason,
            self.now,
            "",
        )
        with write_transaction():
            ledger.enter(ledger.Names(self.context.source, [candidate.name]), entry)
        done = FileOutcome(candidate.name, FileState.FAILED, reason)
        self.outcome.files.append(done)
        self.progress(done)


def _holds(handle: Handle, tail: Tail, part: Part) -> bool:
    """Tell whether a file still holds what was read of it, a part behind ``tail``: it may be emptied
    at any moment, and filled again."""
    if is_compressed(handle.read(4)):
        return True
    if handle.shorter_than(part.end) or not tail.begins(handle.plain):
        return False
    if len(part.data) != part.end - tail.position:
        return True  # a line was too long to be kept
    last = part.data[-COMPARED:]
    with handle.plain(part.end - len(last)) as stream:
        return stream.read(len(last)) == last
