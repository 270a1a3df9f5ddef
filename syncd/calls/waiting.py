"""Files of a drop folder that are to be stored, and the batches in which that happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from syncd.calls.alone import Alone
from syncd.calls.pieces import Piece, QualityRow, Row
from syncd.calls.reading_process import Read
from syncd.cdr.spool import Content
from syncd.domain.leg import CdrDriver
from syncd.domain.quality import QualityReader


@dataclass(slots=True)
class Waiting:
    """A file in hand that is to be stored with its batch."""

    content: Content
    driver: CdrDriver
    measurements: QualityReader | None = None
    """Reads a call quality file; None for any other."""
    rows: list[Row] = field(default_factory=list)
    alone: dict[int, Alone] = field(default_factory=dict)
    """What becomes of records that stand alone, by line, where the reading process said it."""
    quality: list[QualityRow] | None = None
    """The rows of a call quality file, which has no others."""
    pieces: Iterator[Piece] | None = None
    """Of a file that is too large to be in hand, the rows, read while they are stored."""


def batches(files: Iterable[Waiting], most_rows: int, most_bytes: int) -> Iterator[list[Waiting]]:
    """Yield batches of files: whole files up to about so many rows and bytes, and alone each that is
    too large to be in hand."""
    batch: list[Waiting] = []
    rows = size = 0
    for waiting in files:
        if waiting.pieces is not None:
            if batch:
                yield batch
                batch, rows, size = [], 0, 0
            yield [waiting]
            continue
        batch.append(waiting)
        rows += len(waiting.rows) + len(waiting.quality or ())
        size += len(waiting.content.data)
        if rows >= most_rows or size >= most_bytes:
            yield batch
            batch, rows, size = [], 0, 0
    if batch:
        yield batch


def to_hand_over(waiting: Waiting) -> tuple[bytes, str] | None:
    """Return what the reading process needs of a file, None for one that is not for it."""
    content = waiting.content
    if waiting.measurements is not None or not content.in_hand:
        return None
    return content.data, content.name


def take_over(waiting: Waiting, read: Read) -> None:
    """Give a file what the reading process read of it."""
    waiting.rows, waiting.alone = read
