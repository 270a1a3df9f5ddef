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


class Again(NamedTuple):
    """A rejected row that was read once more; ``raw`` is its text."""

    id: int
    file_id: int
    line: int
    item: Quality | Reject
    raw: str

    def text(self, line: int) -> str:
        """Return its text, whichever line is asked for."""
        del line
        return self.raw


def store_quality(files: Iterable[QualityFile], terms: Terms) -> dict[int, Counters]:
    """Store files whose ledger rows exist, within a write transaction. Returns and adds to the
    ledger what became of the rows of each."""
    taken = list(files)
    if not taken:
        return {}
    counters: dict[int, Counters] = {}
    rejects: list[tuple[int, Reject]] = []
    headers: dict[int, bytes] = {}
    sorter = _Sorter(terms, (item for file in taken for _, item in file.rows))
    for file in taken:
        count = counters[file.file_id] = Counters()
        for line, item in file.rows:
            count.read += 1
            reject = sorter.take(count, file.file_id, line, item, file.raw)
            if reject is not None:
                count.rejected += 1
                rejects.append((file.file_id, _kept(reject, terms)))
        if count.rejected:
            headers[file.file_id] = _header(file)
    store.insert(sorter.rows)
    ledger.add_rejects(rejects, headers)
    ledger.add(counters)
    return counters


def take_again(rows: Sequence[Again], terms: Terms) -> dict[int, Reject | None]:
    """Let rejects become measurements where they can, within a write transaction. Returns by id
    None, or why a row is still rejected. They were counted when their files were read; now they are
    counted as something else."""
    if not rows:
        return {}
    counters: dict[int, Counters] = {}
    found: dict[int, Reject | None] = {}
    sorter = _Sorter(terms, (row.item for row in rows))
    for row in rows:
        count = counters.setdefault(row.file_id, Counters())
        found[row.id] = sorter.take(count, row.file_id, row.line, row.item, row.text)
        if found[row.id] is None:
            count.rejected -= 1
    store.insert(sorter.rows)
    ledger.add(counters)
    return found


class _Sorter:
    """Sorts rows into new measurements, duplicates and conflicts."""

    def __init__(self, terms: Terms, items: Iterable[Quality | Reject]) -> None:
        """``items`` are all rows that will be taken."""
        self.terms = terms
        self.rows: list[store.Row] = []
        """To insert."""
        self._seen: dict[tuple[int, int], store.Known] = {}
        self._newest = store.latest()
        self._excluded = store.excluded_calls(
            terms.pbx_id, (item.call_ref for item in items if isinstance(item, Quality))
        )

    def take(
        self,
        count: Counters,
        file_id: int,
        line: int,
        item: Quality | Reject,
        raw: Callable[[int], str],
    ) -> Reject | None:
        """Take a row and count what became of it, or return why it is rejected."""
        if not isinstance(item, Quality):
            return item
        terms = self.terms
        if item.ended_at > terms.now + FUTURE:
            reason = "the stream ends in the future: check the clocks"
            return Reject(line, reason, raw(line), retryable=True)
        hashed = terms.key_hash(item.key)
        identity = (item.ended_at, hashed)
        known = self._seen.get(identity)
        if known is None and item.ended_at <= self._newest:
            known = store.known(item.ended_at, terms.pbx_id, hashed)
        if known is not None:
            if known.content_hash == item.content_hash:
                count.duplicate += 1
                return None
            reason = (
                "conflict: another content than the record with the same key in row"
                f" {known.row} of {ledger.file_name(known.file_id)}"
            )
            return Reject(line, reason, raw(line))
        self._seen[identity] = store.Known(item.content_hash, file_id, line)
        excluded = item.number in terms.excluded_numbers or any(
            started_at - store.NEAR <= item.ended_at <= ended_at + store.NEAR
            for started_at, ended_at in self._excluded.get(item.call_ref, ())
        )
        if excluded:
            count.excluded += 1
        else:
            count.stored += 1
        self.rows.append(
            store.row_of(
                item,
                pbx_id=terms.pbx_id,
                file_id=file_id,
                row=line,
                key_hash=hashed,
                excluded=excluded,
            )
        )
        return None


def _header(file: QualityFile) -> bytes:
    """Return the first line of a file where it names the columns."""
    first = file.raw(1)
    return first.encode("utf-8", "replace") if "callidentifier" in first.lower() else b""


def _kept(reject: Reject, terms: Terms) -> Reject:
    """Return a reject without its text where that names an excluded number."""
    if any(number in reject.raw for number in terms.excluded_numbers):
        return replace(reject, raw=NOT_KEPT)
    return reject
