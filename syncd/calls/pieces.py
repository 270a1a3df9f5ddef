"""A file that is too large to be in hand, piece by piece: each a stretch of whole rows, parsed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, NamedTuple, TypeVar

from syncd.calls.alone import Alone
from syncd.calls.batch import BatchResult, ParsedFile
from syncd.calls.halves import join_halves, take_halves
from syncd.calls.pipeline import Pipeline
from syncd.cdr.parts import BEGINNING, Part, carried, carries, head_of, parts, traits
from syncd.cdr.quality_rows import QualityFile, store_quality
from syncd.cdr.quality_rows import Terms as QualityTerms
from syncd.cdr.spool import Content
from syncd.domain.leg import CdrDriver, Exclusion, Leg, Reject
from syncd.domain.quality import Quality, QualityReader

Row = tuple[int, Leg | Exclusion | Reject]
QualityRow = tuple[int, Quality | Reject]
Item = TypeVar("Item", Leg | Exclusion | Reject, Quality | Reject)


class LostError(Exception):
    """A file cannot be read to its end; the message says why. It can be tried again."""


class Place(NamedTuple):
    """How far a file was read."""

    position: int = 0
    """Bytes from the beginning."""
    lines: int = 0


START = Place()


@dataclass(slots=True)
class Piece:
    """Rows of a file, with the line numbers of the file."""

    rows: list[Row]
    quality: list[QualityRow] | None
    """The rows of a call quality file, which has no others."""
    data: bytes
    """Their text, behind the head of the file."""
    before: int
    """Lines of the file before those of ``data``."""
    alone: dict[int, Alone] = field(default_factory=dict)
    """What becomes of records that stand alone, by line, where it was found out before."""
    end: Place = START
    """Up to where the file is read with it."""


def parsed(driver: CdrDriver, name: str, head: bytes, start: Place, part: Part) -> Piece:
    """Return a part of a file that begins at ``start``, read by a driver. Raises NotCdrError."""
    text, before = _behind(head, start, part)
    if start.position and not part.data.strip():
        return Piece([], None, text, before)
    return Piece(_moved(driver.rows(io.BytesIO(text), name), before), None, text, before)


def pieces(
    content: Content,
    driver: CdrDriver,
    measurements: QualityReader | None,
    place: Place = START,
) -> Iterator[Piece]:
    """Yield what is behind a place of a content piece by piece; with ``measurements`` it is one of
    call quality.

    Raises NotCdrError, before the first one, and LostError, also when the file was written to.
    """
    try:
        beginning = content.beginning(BEGINNING)
        if measurements is not None:
            head, quote = beginning[: measurements.head(beginning)], '"'
        else:
            head, quote = head_of(driver, beginning), traits(driver).quote
        if measurements is None:
            head = head_at(content.stream, driver, head, place.position)
        with content.stream(place.position) as stream:
            for part in parts(stream, place.position, quote=quote, final=True):
                if measurements is None:
                    piece = parsed(driver, content.name, head, place, part)
                    head = carried(driver, head, part.data)
                else:
                    text, before = _behind(head, place, part)
                    rows = measurements.rows(io.BytesIO(text))
                    piece = Piece([], _moved(rows, before), text, before)
                place = piece.end = Place(part.end, place.lines + part.lines)
                content.check()
                yield piece
        content.check()
    except OSError as error:
        raise LostError(reason_of(error)) from error


def head_at(opened: Callable[[], BinaryIO], driver: CdrDriver, head: bytes, position: int) -> bytes:
    """Return the lines that explain the rows behind a position, given those at the beginning of the
    file and what opens it. Raises OSError."""
    if carries(driver) and position:
        with opened() as stream:
            for part in parts(stream, quote=traits(driver).quote, final=False):
                if part.end <= position:
                    head = carried(driver, head, part.data)
                else:
                    kept = position - (part.end - len(part.data))
                    return carried(driver, head, part.data[: max(kept, 0)])
    return head


def reason_of(error: OSError | LostError) -> str:
    """Return why a file cannot be read, as the ledger has it."""
    if isinstance(error, LostError):
        return str(error)
    return f"cannot be read: {error.strerror or error}"


def store_pieces(
    found: Iterable[tuple[int, str, Piece]], pipeline: Pipeline, now: int
) -> BatchResult:
    """Store pieces of (file id, name), whose ledger rows exist, within a write transaction."""
    parsed_files, measured = [], []
    for file_id, name, piece in found:
        file = ParsedFile(file_id, name, piece.rows, piece.data, piece.before, piece.alone)
        if piece.quality is None:
            parsed_files.append(file)
        else:
            measured.append(QualityFile(file_id, piece.quality, file.raw))
    files, again = join_halves(pipeline, parsed_files)
    result = pipeline.take(files)
    joined = take_halves(pipeline, again)
    joined.counters = {
        one: joined.counters[one] for one in joined.counters if one in result.counters
    }
    result.include(joined)
    terms = QualityTerms(pipeline.pbx_id, pipeline.key_hash, pipeline.context.excluded_numbers, now)
    result.counters |= store_quality(measured, terms)
    return result


def _behind(head: bytes, start: Place, part: Part) -> tuple[bytes, int]:
    """Return the text of a part behind the head of its file, as far as that was read before, and
    the lines of the file that stand before this text."""
    known = head[: start.position]
    return known + part.data, start.lines - known.count(b"\n")


def _moved(rows: Iterable[tuple[int, Item]], by: int) -> list[tuple[int, Item]]:
    """Return rows with their line numbers moved."""
    if not by:
        return list(rows)
    found: list[tuple[int, Item]] = []
    for line, item in rows:
        moved = replace(item, line=item.line + by) if isinstance(item, Reject) else item
        found.append((line + by, moved))
    return found
