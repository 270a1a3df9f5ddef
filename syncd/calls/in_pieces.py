"""Storing a whole file that is too large to be in hand: each piece is a transaction with the place
that was reached.

So nobody else waits longer than for one piece, and whoever comes after a crash goes on at the place.
The file counts as taken, and leaves its folder, when all of it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from syncd.calls.intake_outcome import IngestOutcome
from syncd.calls.pieces import LostError, Piece, Place, store_pieces
from syncd.calls.pipeline import Pipeline
from syncd.cdr import ledger
from syncd.cdr.ledger import Counters, Entry, Names
from syncd.cdr.spool import Content
from syncd.cdr.tails import Tail, Tails, forget, place_of
from syncd.domain.codes import FileState
from syncd.store.database import write_transaction


def place_in(names: Names, content: Content) -> Place:
    """Return up to where a content is stored: its beginning, unless somebody was interrupted."""
    known = names.find(content.candidate.name, content.sha256)
    if known is None or known.state is not FileState.PARTLY:
        return Place()
    return Place(*place_of(known.id))


def store_whole(
    entry: Entry,
    names: Names,
    content: Content,
    found: Iterable[Piece],
    pipeline: Callable[[], Pipeline],
    outcome: IngestOutcome,
    stop: Callable[[], bool],
) -> Counters | None:
    """Store the pieces of a file, each in a transaction; ``entry`` is what the ledger says of it in
    the end. Returns the counters, None when ``stop`` said so before the end. Raises LostError."""
    tails = Tails(entry.source)
    tail = Tail(content.candidate.device, content.candidate.inode)
    counters = Counters()
    try:
        for piece in found:
            # Made in between, and not while others wait for the lock.
            following = pipeline()
            with write_transaction(beside=True):
                if not tail.file_id:
                    tail = replace(tail, file_id=_begin(entry, names))
                name = content.candidate.name
                result = store_pieces([(tail.file_id, name, piece)], following, entry.now)
                tails.save(replace(tail, position=piece.end.position, lines=piece.end.lines))
            outcome.include(result)
            for part in result.counters.values():
                counters.include(part)
            if stop():
                return None
    except LostError as error:
        if tail.file_id:
            # Another content by this name comes as another file.
            left = entry._replace(state=FileState.PARTLY, reason=str(error), archive="")
            with write_transaction(beside=True):
                ledger.complete(tail.file_id, left)
        raise
    with write_transaction(beside=True):
        file_id = tail.file_id or _begin(entry, names)
        ledger.complete(file_id, entry)
        forget(file_id)
    return counters


def _begin(entry: Entry, names: Names) -> int:
    return ledger.enter(names, entry._replace(state=FileState.PARTLY, archive=""))
