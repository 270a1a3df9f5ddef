"""What was measured of the calls of a period, as far as a viewer sees them.

Who sees the calling or the called row of a record may know how good the talk was at both its ends;
the device, the line and the person at an end are named to those alone who see that end's own row
(docs/rules.md 4.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from syncd.domain.codes import Side
from syncd.reports.permissions import Reach
from syncd.reports.query import Query
from syncd.reports.reading import read
from syncd.store.quality import Measured, quality_of

AT_ONCE = 400
"""Records that are looked up together."""


class SeenRow(NamedTuple):
    """A calling or called row in scope of a record of which something may have been measured."""

    id: int
    side: int
    line: int
    party: int
    record: int
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
    rows: dict[int, list[SeenRow]] = {}
    for row in read(
        query,
        "c.id, c.side, c.line_id, c.party_id, record.id, record.started_at, record.key_hash",
        f"side IN ({int(Side.CALLING)}, {int(Side.CALLED)})",
        joined="JOIN record ON record.id = c.id / 8",
        # What is tied may have been measured under another record's call id.
        then="WHERE record.tied = 1 OR EXISTS (SELECT 1 FROM call_quality q"
        " WHERE q.call_ref = record.call_ref AND q.pbx_id = record.pbx_id)",
    ):
        seen = SeenRow._make(row)
        rows.setdefault(seen.record, []).append(seen)
    told: set[tuple[int, Side, int]] = set()
    records = list(rows)
    for start in range(0, len(records), AT_ONCE):
        for measured in quality_of(records[start : start + AT_ONCE]):
            place = (measured.record, measured.side, measured.quality.id)
            # The records of one conversation may be asked for one after the other.
            if measured.record in rows and place not in told:
                told.add(place)
                yield _stream(measured, rows[measured.record], everything)


def _stream(measured: Measured, rows: list[SeenRow], everything: bool) -> Stream:
    own = next((row for row in rows if row.side == measured.side), None)
    named = everything or own is not None
    return Stream(measured, own, own or rows[0], measured.quality.device if named else "")
