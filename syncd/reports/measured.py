"""What was measured of the calls of a period, as far as a viewer sees them.

Who sees the calling or the called row of a record may know how good the talk was at both its ends;
the device, the line and the person at an end are named to those alone who see that end's own row
(docs/rules.md 4.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from syncd.calls.explanation import load_conversation
from syncd.domain.codes import Side
from syncd.reports.permissions import Reach
from syncd.reports.query import Query
from syncd.reports.reading import read
from syncd.store.quality import Measured, quality_of, quality_of_alone

AT_ONCE = 400
"""Records that are looked up together."""


class SeenRow(NamedTuple):
    """A calling or called row in scope of a record of which something may have been measured."""

    id: int
    side: int
    line: int
    party: int
    record: int
    conversation: int
    tied: int
    started_at: int
    key_hash: int


class Stream(NamedTuple):
    """A measurement with the row of its own end, and the row by which it is seen."""

    measured: Measured
    own: SeenRow | None
    """None: not for the viewer to know who was there."""
    seen: SeenRow
    device: str


def streams(query: Query) -> Iterator[Stream]:
    """Yield what was measured at the ends of the records of which a row is in scope."""
    everything = query.scope.reach is Reach.ALL
    alone: list[SeenRow] = []
    together: dict[int, list[SeenRow]] = {}
    for row in read(
        query,
        "c.id, c.side, c.line_id, c.party_id, record.id, c.conversation, record.tied,"
        " record.started_at, record.key_hash",
        f"side IN ({int(Side.CALLING)}, {int(Side.CALLED)})",
        joined="JOIN record ON record.id = c.id / 8",
        then="WHERE record.tied = 1 OR EXISTS (SELECT 1 FROM call_quality q"
        " WHERE q.call_ref = record.call_ref AND q.pbx_id = record.pbx_id)",
    ):
        seen = SeenRow._make(row)
        if seen.tied:
            together.setdefault(seen.conversation, []).append(seen)
        else:
            alone.append(seen)
    for measured, rows in (*_of_alone(alone), *_of_conversations(together)):
        own = next((row for row in rows if row.side == measured.side), None)
        named = everything or own is not None
        yield Stream(measured, own, own or rows[0], measured.quality.device if named else "")


def _of_alone(rows: Sequence[SeenRow]) -> Iterator[tuple[Measured, list[SeenRow]]]:
    """Yield the measurements of records that belong to no others, with the rows in scope."""
    by_record: dict[int, list[SeenRow]] = {}
    for row in rows:
        by_record.setdefault(row.record, []).append(row)
    records = list(by_record)
    for start in range(0, len(records), AT_ONCE):
        for measured in quality_of_alone(records[start : start + AT_ONCE]):
            yield measured, by_record[measured.record]


def _of_conversations(
    conversations: dict[int, list[SeenRow]],
) -> Iterator[tuple[Measured, list[SeenRow]]]:
    """Yield the measurements of records with relatives: a leg may go on through several."""
    for rows in conversations.values():
        records: Iterable[int] = (rec.id for rec in load_conversation(rows[0].record).records)
        for measured in quality_of(records):
            seen = [row for row in rows if row.record == measured.record]
            if seen:
                yield measured, seen
