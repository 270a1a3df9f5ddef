"""From rows of call quality files to stored measurements, with the same manners as call records:
every row ends as stored, duplicate, excluded or rejected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from syncd.cdr import ledger
from syncd.cdr.ledger import Counters
from syncd.domain.leg import Reject
from syncd.domain.quality import Quality
from syncd.store import quality as store

FUTURE = 3600
"""Seconds by which a stream may end after now: clocks differ."""
NOT_KEPT = "(the row is not kept: it may name an excluded number)"


class QualityFile(NamedTuple):
    """A call quality file after reading; ``raw`` gives the text of a line."""

    file_id: int
    rows: Sequence[tuple[int, Quality | Reject]]
    raw: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Terms:
    """What storing depends on: the PBX, how its keys are hashed, the numbers that are never stored,
    and now (epoch seconds)."""

    pbx_id: int
    key_hash: Callable[[str], int]
    excluded_numbers: frozenset[str]
    now: int


def store_quality(files: Iterable[QualityFile], terms: Terms) -> dict[int, Counters]:
    """Store files whose ledger rows exist, within a write transaction. Returns and adds to the
    ledger what became of the rows of each."""
    taken = list(files)
    if not taken:
        return {}
    counters: dict[int, Counters] = {}
    seen: dict[tuple[int, int], store.Known] = {}
    rows: list[store.Row] = []
    rejects: list[tuple[int, Reject]] = []
    excluded_calls = store.excluded_calls(
        terms.pbx_id,
        (item.call_ref for file in taken for _, item in file.rows if isinstance(item, Quality)),
    )
    newest = store.latest()
    for file in taken:
        count = counters[file.file_id] = Counters()
        for line, item in file.rows:
            count.read += 1
            if not isinstance(item, Quality):
                rejects.append((file.file_id, _kept(item, terms)))
                count.rejected += 1
                continue
            if item.ended_at > terms.now + FUTURE:
                reason = "the stream ends in the future: check the clocks"
                reject = Reject(line, reason, file.raw(line), retryable=True)
                rejects.append((file.file_id, _kept(reject, terms)))
                count.rejected += 1
                continue
            hashed = terms.key_hash(item.key)
            identity = (item.ended_at, hashed)
            known = seen.get(identity)
            if known is None and item.ended_at <= newest:
                known = store.known(item.ended_at, terms.pbx_id, hashed)
            if known is not None:
                if known.content_hash == item.content_hash:
                    count.duplicate += 1
                    continue
                reason = (
                    "conflict: another content than the record with the same key in row"
                    f" {known.row} of {ledger.file_name(known.file_id)}"
                )
                reject = Reject(line, reason, file.raw(line))
                rejects.append((file.file_id, _kept(reject, terms)))
                count.rejected += 1
                continue
            seen[identity] = store.Known(item.content_hash, file.file_id, line)
            excluded = item.number in terms.excluded_numbers or any(
                started_at - store.NEAR <= item.ended_at <= ended_at + store.NEAR
                for started_at, ended_at in excluded_calls.get(item.call_ref, ())
            )
            if excluded:
                count.excluded += 1
            else:
                count.stored += 1
            rows.append(
                store.row_of(
                    item,
                    pbx_id=terms.pbx_id,
                    file_id=file.file_id,
                    row=line,
                    key_hash=hashed,
                    excluded=excluded,
                )
            )
    store.insert(rows)
    ledger.add_rejects(rejects)
    ledger.add(counters)
    return counters


def _kept(reject: Reject, terms: Terms) -> Reject:
    """Return a reject without its text where that names an excluded number."""
    if any(number in reject.raw for number in terms.excluded_numbers):
        return replace(reject, raw=NOT_KEPT)
    return reject
