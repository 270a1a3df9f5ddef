"""Rejected rows: which there are, with the text of the row and what explains it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from peewee import JOIN

from syncd.store.models import File, FileHeader, Reject, RejectDrop

AT_ONCE = 400
"""Values of one query."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rejects: all that fit everything that is set. ``reason`` is a part of it."""

    ids: tuple[int, ...] = ()
    file: str = ""
    source: str = ""
    reason: str = ""
    dropped: bool = False
    """Also those that were dropped."""


class RejectedRow(NamedTuple):
    """A reject as it is listed; ``dropped_at`` is epoch seconds, None for one that was not."""

    id: int
    file_id: int
    file: str
    source: str
    line: int
    reason: str
    raw: bytes
    retryable: bool
    taken_at: int
    """When its file was taken, a growing one the last time; epoch seconds."""
    archive: str
    dropped_at: int | None
    dropped_by: str | None
    dropped_reason: str | None


def rejects(chosen: Chosen) -> list[RejectedRow]:
    """Return rejects in the order in which they were found."""
    query = (
        Reject.select(
            Reject.id,
            Reject.file,
            File.name,
            File.source,
            Reject.line,
            Reject.reason,
            Reject.raw,
            Reject.retryable,
            File.taken_at,
            File.archive,
            RejectDrop.at,
            RejectDrop.viewer,
            RejectDrop.reason,
        )
        .join(File)
        .switch(Reject)
        .join(RejectDrop, JOIN.LEFT_OUTER, on=(RejectDrop.reject_id == Reject.id))
        .order_by(Reject.id)
    )
    conditions: list[Any] = []
    if chosen.ids:
        conditions.append(Reject.id << list(chosen.ids))
    if chosen.file:
        conditions.append(File.name == chosen.file)
    if chosen.source:
        conditions.append(File.source == chosen.source)
    if chosen.reason:
        conditions.append(Reject.reason.contains(chosen.reason))
    if not chosen.dropped:
        conditions.append(RejectDrop.reject_id.is_null())
    if conditions:
        query = query.where(*conditions)
    return [
        RejectedRow(one, file_id, file, source, line, reason, bytes(raw), bool(retryable), *rest)
        for one, file_id, file, source, line, reason, raw, retryable, *rest in query.tuples()
    ]


def sources_of(ids: Sequence[int]) -> dict[str, list[int]]:
    """Return the rejects of each source, in their order."""
    found: dict[str, list[int]] = {}
    for start in range(0, len(ids), AT_ONCE):
        rows = (
            Reject.select(Reject.id, File.source)
            .join(File)
            .where(Reject.id << list(ids[start : start + AT_ONCE]))
            .order_by(Reject.id)
        )
        for one, source in rows.tuples():
            found.setdefault(source, []).append(one)
    return found


def headers_of(files: Iterable[int]) -> dict[int, bytes]:
    """Return what stands before the first row of files, where it was kept."""
    rows = FileHeader.select(FileHeader.file_id, FileHeader.header)
    return {
        one: bytes(header) for one, header in rows.where(FileHeader.file_id << [*files]).tuples()
    }


def still_bad(reject: int, reason: str, retryable: bool) -> None:
    """Write down why a reject that was tried again is still one."""
    Reject.update(reason=reason, retryable=retryable).where(Reject.id == reject).execute()


def drop(ids: Sequence[int], viewer: str, reason: str, now: int) -> int:
    """Let rejects be listed no more; they stay counted. Returns how many were not dropped yet. Must
    run inside a write transaction."""
    dropped = 0
    for one in ids:
        if RejectDrop.get_or_none(RejectDrop.reject_id == one) is None:
            RejectDrop.insert(reject_id=one, at=now, viewer=viewer, reason=reason).execute()
            dropped += 1
    return dropped
