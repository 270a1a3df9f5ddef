"""Which files are read where: some by the reading process, some here while it is busy.

The writer takes files in their order. When the one that is due is not ready yet, the writer reads
the last of those that wait, and decides its records too, which takes it as long as it takes the
process: so both are busy whatever the files are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from syncd.calls.reading_process import LostProcessError, Read, ReadingProcess, rows_of

AHEAD_BYTES = 8 * 1024 * 1024
"""Bytes of content that wait for the process or the writer at most."""

File = TypeVar("File")


@dataclass(slots=True)
class _Turn(Generic[File]):
    file: File
    size: int
    answer: Future[bytes] | None
    """None: it was read here, or needs no reading."""


def read_ahead(
    files: Iterable[File],
    process: ReadingProcess,
    content: Callable[[File], tuple[bytes, str] | None],
    take_over: Callable[[File, Read], None],
    read_here: Callable[[File], bool],
) -> Iterator[File]:
    """Yield files in their order, read.

    ``content`` gives the bytes and the name of a file, None for one that the process is not for;
    ``take_over`` takes what it read; ``read_here`` reads a file and says whether there is anything
    to store.
    """
    coming = iter(files)
    turns: deque[_Turn[File]] = deque()
    waiting = 0
    lost = False

    def local(turn: _Turn[File]) -> bool:
        turn.answer = None
        return read_here(turn.file)

    while True:
        while waiting < AHEAD_BYTES and (file := next(coming, None)) is not None:
            found = None if lost else content(file)
            if found is None:
                turns.append(_Turn(file, 0, None))
                if not read_here(file):
                    turns.pop()
                break  # what comes before it goes first
            turns.append(_Turn(file, len(found[0]), process.read(*found)))
            waiting += len(found[0])
        if not turns:
            return
        head = turns[0]
        answer = head.answer
        if answer is not None and not answer.done():
            waiting_turns = (one for one in reversed(turns) if one.answer is not None)
            spare = next((one for one in waiting_turns if one.answer and one.answer.cancel()), None)
            if spare is not None:
                keep = local(spare)
                if not keep:
                    waiting -= spare.size
                    turns.remove(spare)
                continue
        turns.popleft()
        waiting -= head.size
        if answer is not None and head.answer is not None:
            try:
                take_over(head.file, rows_of(answer.result()))
            except (LostProcessError, CancelledError):
                if not lost and not process.alive:
                    lost = True
                    structlog.get_logger().warning("reading_process_lost")
                if not local(head):
                    continue
        yield head.file
