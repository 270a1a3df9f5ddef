"""Halves of calls whose other half stands in another file, or in another part of one.

A driver that makes one call of two rows names in ``waits`` the reasons of rows whose other half it
has not seen. They are kept as rejects, and read once more together with whatever comes next from
their source.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

from syncd.calls.batch import Batch, BatchResult, ParsedFile
from syncd.calls.excluding import NOT_KEPT
from syncd.calls.pipeline import Pipeline
from syncd.calls.rereading import Again, take_rejects
from syncd.domain.leg import Exclusion, Leg, Reject
from syncd.store.rejects import Chosen, rejects, still_bad
from syncd.store.reprocessing import forget_rejects

Item = Leg | Exclusion | Reject


def join_halves(
    pipeline: Pipeline, files: Sequence[ParsedFile]
) -> tuple[Sequence[ParsedFile], list[Again]]:
    """Return files with their rows as they are together with each other and with the halves that
    wait, and those halves that wait no more."""
    context = pipeline.context
    waits: tuple[str, ...] = getattr(context.driver, "waits", ())
    if not waits or not files:
        return files, []
    waiting = [
        row
        for row in rejects(Chosen(source=context.source))
        if row.reason in waits and row.raw != NOT_KEPT.encode()
    ]
    if not waiting and len(files) == 1:
        return files, []
    text = bytearray(b"".join(row.raw.replace(b"\n", b" ") + b"\n" for row in waiting))
    starts: list[int] = []
    """Lines before those of each file."""
    lines = len(waiting)
    for file in files:
        data = file.data.removeprefix(b"\xef\xbb\xbf")
        data += b"" if data.endswith(b"\n") else b"\n"
        text += data
        starts.append(lines)
        lines += data.count(b"\n")
    found = dict(context.driver.rows(io.BytesIO(bytes(text)), ""))
    joined = []
    for file, start in zip(files, starts, strict=True):
        rows = [(line, found.get(line - file.before + start, item)) for line, item in file.rows]
        joined.append(replace(file, rows=[(line, _at(item, line)) for line, item in rows]))
    again = [
        Again(row.id, row.file_id, row.line, found[number])
        for number, row in enumerate(waiting, start=1)
        if number in found and not isinstance(found[number], Reject)
    ]
    return joined, again


def _at(item: Item, line: int) -> Item:
    return replace(item, line=line) if isinstance(item, Reject) else item


def take_halves(pipeline: Pipeline, again: Sequence[Again]) -> BatchResult:
    """Let halves that wait no more become records; each stays counted with its own file. Must run
    inside the write transaction that stores the other halves."""
    if not again:
        return BatchResult()
    batch = Batch(pipeline)
    taken, bad = take_rejects(batch, again)
    forget_rejects(taken)
    for one in bad:
        still_bad(*one)
    batch.decide()
    return batch.finish()
