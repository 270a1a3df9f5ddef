"""Rejected rows, read by the driver of their source once more."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from syncd.calls.analysis import Rules
from syncd.calls.batch import Batch
from syncd.calls.context import IntakeContext
from syncd.calls.excluding import NOT_KEPT
from syncd.calls.pipeline import Pipeline
from syncd.calls.rereading import Again, StillBad, take_rejects
from syncd.cdr import ledger, quality_rows, spool
from syncd.cdr.driver_options import written_at
from syncd.cdr.lines import RAW
from syncd.cdr.quality_rows import Terms
from syncd.domain.leg import Exclusion, Leg, NotCdrError, Reject
from syncd.domain.quality import Quality, QualityReader
from syncd.store.rejects import Chosen, RejectedRow, headers_of, rejects, still_bad
from syncd.store.reprocessing import forget_rejects

CUT = "the row is longer than what is kept of it"
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
    measured: list[quality_rows.Again] = []
    bad: list[StillBad] = []
    for row in rows:
        why = _unreadable(row)
        if why:
            reason = row.reason if row.reason.startswith(why) else f"{why}{AGAIN}: {row.reason}"
            bad.append(StillBad(row.id, reason, row.retryable))
            continue
        header = headers.get(row.file_id, b"")
        if context.quality is not None and context.quality.fits(row.file, header):
            measured.append(_read_quality(context.quality, header, row))
        else:
            item = read_row(context, header, row)
            read.append(Again(row.id, row.file_id, row.line, item))
    taken, more = take_rejects(batch, read)
    basis = batch.basis
    terms = Terms(basis.pbx_id, basis.key_hash, context.excluded_numbers, now)
    for key, reject in quality_rows.take_again(measured, terms).items():
        if reject is None:
            taken.append(key)
        else:
            more.append(StillBad(key, reject.reason, reject.retryable))
    for one in (*bad, *more):
        still_bad(*one)
    forget_rejects(taken)
    batch.decide()
    result = batch.finish()
    return Retried(len(taken), len(rows) - len(taken), result.records, result.calls)


def _unreadable(row: RejectedRow) -> str:
    """Return why the text of a reject cannot be read again, empty when it can."""
    if row.raw.decode("utf-8", "replace") == NOT_KEPT:
        return NOT_KEPT
    if len(row.raw.decode("utf-8", "replace")) >= RAW:
        return CUT
    return ""


def _read_quality(reader: QualityReader, header: bytes, row: RejectedRow) -> quality_rows.Again:
    """Return a rejected row of a call quality file, read once more."""
    raw = row.raw.decode("utf-8", "replace")
    text = header.rstrip(b"\r\n") + b"\n" + row.raw if header else row.raw
    item: Quality | Reject
    try:
        found = list(reader.rows(io.BytesIO(text + b"\n")))
        item = found[0][1] if len(found) == 1 else Reject(row.line, f"{len(found)} rows in it", raw)
    except NotCdrError as error:
        item = Reject(row.line, str(error), raw)
    return quality_rows.Again(row.id, row.file_id, row.line, item, raw)


def read_row(context: IntakeContext, header: bytes, row: RejectedRow) -> Leg | Exclusion | Reject:
    """Return what the driver makes of a rejected row, behind the lines that explain it."""
    raw = row.raw.decode("utf-8", "replace")
    if header and not header.endswith(b"\n"):
        header += b"\n"
    written = (spool.kept_since(Path(row.archive)) if row.archive else 0) or row.taken_at
    driver = written_at(context.driver, written)
    try:
        found = list(driver.rows(io.BytesIO(header + row.raw + b"\n"), row.file))
    except NotCdrError as error:
        return Reject(row.line, str(error), raw)
    items = [item for _, item in found]
    if len(items) != 1:
        what = "no row" if not items else f"{len(items)} rows"
        return Reject(row.line, f"the driver reads {what} in it", raw)
    item = items[0]
    return Reject(row.line, item.reason, raw, item.retryable) if isinstance(item, Reject) else item
