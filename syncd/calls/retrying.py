"""Rejected rows, read by the driver of their source once more."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from syncd.calls.analysis import Rules
from syncd.calls.context import IntakeContext
from syncd.calls.excluding import NOT_KEPT
from syncd.calls.pipeline import Batch, Pipeline
from syncd.calls.rereading import Again, StillBad, take_rejects
from syncd.cdr import ledger
from syncd.cdr.lines import RAW
from syncd.domain.leg import Exclusion, Leg, NotCdrError, Reject
from syncd.store.rejects import Chosen, RejectedRow, headers_of, rejects, still_bad
from syncd.store.reprocessing import forget_rejects

CUT = "the row is longer than what is kept of it"
QUALITY = "a row of a call quality file"
AGAIN = "; put its file into the drop folder again, or reprocess it from the archive"


@dataclass(slots=True)
class Retried:
    """What became of rejects that were tried again."""

    taken: int = 0
    still: int = 0
    records: int = 0
    calls: int = 0

    def add(self, other: Retried) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def retry(context: IntakeContext, rules: Rules, ids: Sequence[int], now: int) -> Retried:
    """Try rejects of one source again, given its rules and the time (epoch seconds). What can be
    read becomes a record and its calls, the rest stays with the new reason.

    Must run inside a write transaction.
    """
    rows = rejects(Chosen(ids=tuple(ids), dropped=True))
    headers = headers_of({row.file_id for row in rows})
    batch = Batch(Pipeline(context, rules, ledger.pbx_id(context.pbx), now))
    read: list[Again] = []
    bad: list[StillBad] = []
    for row in rows:
        why = _unreadable(context, row)
        if why:
            reason = row.reason if row.reason.startswith(why) else f"{why}{AGAIN}: {row.reason}"
            bad.append(StillBad(row.id, reason, row.retryable))
        else:
            item = read_row(context, headers.get(row.file_id, b""), row)
            read.append(Again(row.id, row.file_id, row.line, item))
    taken, more = take_rejects(batch, read)
    for one in (*bad, *more):
        still_bad(*one)
    forget_rejects(taken)
    batch.decide()
    result = batch.finish()
    return Retried(len(taken), len(rows) - len(taken), result.records, result.calls)


def _unreadable(context: IntakeContext, row: RejectedRow) -> str:
    """Return why the text of a reject cannot be read again, empty when it can."""
    if row.raw.decode("utf-8", "replace") == NOT_KEPT:
        return NOT_KEPT
    if len(row.raw.decode("utf-8", "replace")) >= RAW:
        return CUT
    quality = context.quality
    if quality is not None and quality.fits(row.file, b""):
        return QUALITY
    return ""


def read_row(context: IntakeContext, header: bytes, row: RejectedRow) -> Leg | Exclusion | Reject:
    """Return what the driver makes of a rejected row, behind the lines that explain it."""
    raw = row.raw.decode("utf-8", "replace")
    if header and not header.endswith(b"\n"):
        header += b"\n"
    try:
        found = list(context.driver.rows(io.BytesIO(header + row.raw + b"\n"), row.file))
    except NotCdrError as error:
        return Reject(row.line, str(error), raw)
    items = [item for _, item in found]
    if len(items) != 1:
        what = "no row" if not items else f"{len(items)} rows"
        return Reject(row.line, f"the driver reads {what} in it", raw)
    item = items[0]
    return Reject(row.line, item.reason, raw, item.retryable) if isinstance(item, Reject) else item
