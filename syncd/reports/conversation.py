"""One conversation as a viewer may see it: its rows, through the call list like everything, and the
timeline made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from syncd.calls.analysis import NO_LINE
from syncd.calls.conversation import BARGE
from syncd.calls.explanation import Stored, load_conversation, withheld_sides
from syncd.domain.call_id import format_call_id, format_conversation_id, parse_call_id
from syncd.domain.codes import Purpose, Side
from syncd.domain.days import Days, day_date, next_day
from syncd.domain.errors import UserError
from syncd.licensing.history import FULL
from syncd.reports.conditions import records_of
from syncd.reports.listing import list_rows
from syncd.reports.lookups import Lookups
from syncd.reports.permissions import Reach
from syncd.reports.query import Query
from syncd.reports.scope import Door, private_records
from syncd.reports.specification import Specification
from syncd.reports.timeline import Part, Sight, timeline
from syncd.store.database import read_transaction
from syncd.store.models import Record

RECORDS_LEVEL = 10
"""Records that became no call are for those who manage syncd (docs/rules.md 8.1)."""


class NoSuchCall(UserError):
    """It does not exist, or is not for this viewer: one sentence for both, which tells nothing."""

    def __init__(self, public_id: str, viewer: str, hint: str = "") -> None:
        super().__init__(f"No call {public_id} is available to {viewer}.", hint)


class ConversationRows:
    """The rows of a conversation in the scope of a door: ``found`` has them by public id."""

    def __init__(
        self, door: Door, zone: ZoneInfo, custom_fields: Mapping[str, str], stored: Stored
    ) -> None:
        self._starts = {rec.id: rec.leg.started_at for rec in stored.records}
        self._hashes = stored.key_hashes
        starts = sorted(self._starts.values())
        days = Days(zone)
        first, end = days.day(starts[0]), next_day(days.day(starts[-1]))
        self.lookups = Lookups(days, first, end)
        self.conversation = self.record_id(stored.id)
        specification = Specification(
            "calls",
            day_date(first),
            day_date(end),
            filters=(("conversation", (self.conversation,)),),
        )
        query = Query(door.scope, specification, self.lookups)
        self._private = private_records(door.scope, self._starts)
        self._digits = door.scope.masked_digits
        self.found: dict[str, dict[str, Any]] = {
            row["id"]: row for row in list_rows(query, custom_fields)
        }

    def masked_digits(self, record: int) -> int:
        """Return how many digits of the outside numbers of a record are masked."""
        return self._private.get(record, self._digits)

    def purpose(self, record: int) -> str:
        """Return whether a record is part of a private call."""
        return (Purpose.PRIVATE if record in self._private else Purpose.BUSINESS).word

    def record_id(self, record: int) -> str:
        """Return the public id of a record of the conversation."""
        return format_conversation_id(self._starts[record], self._hashes[record])

    def call_id(self, record: int, side: Side) -> str:
        return format_call_id(self._starts[record], self._hashes[record], side)

    def public_id(self, call: int) -> str:
        """Return the public id of a row by its own."""
        return self.call_id(call // 8, Side(call % 8))

    def row(self, record: int, side: Side) -> dict[str, Any] | None:
        return self.found.get(self.call_id(record, side))

    def rows_of(self, record: int) -> dict[Side, dict[str, Any]]:
        """Return the rows of a record by side."""
        return {side: row for side in Side if (row := self.row(record, side)) is not None}


def show(
    door: Door, zone: ZoneInfo, custom_fields: Mapping[str, str], public_id: str
) -> dict[str, Any]:
    """Return the conversation of a call as its timeline, ready for JSON.

    The id is that of a call, or, without a side, that of a record or of a conversation, of which the
    viewer sees a row. Raises UsageError for what is no id, NoSuchCall.
    """
    public_id = public_id.strip().lower()
    side = parse_call_id(public_id).side
    # Nothing is written while the database stands still: whoever writes meanwhile would forbid it.
    with read_transaction():
        found = _found(door, zone, custom_fields, public_id, side)
    if found is None:
        raise NoSuchCall(public_id, door.viewer.name)
    answer, seen = found
    door.note_rows(seen)
    return answer


def _found(
    door: Door, zone: ZoneInfo, custom_fields: Mapping[str, str], public_id: str, side: Side | None
) -> tuple[dict[str, Any], int] | None:
    """Return the conversation of an id and how many rows of it are seen, None when none is."""
    records = door.viewer.level >= RECORDS_LEVEL
    for record_id in sorted(records_of(public_id)):
        stored = load_conversation(record_id)
        rows = ConversationRows(door, zone, custom_fields, stored)
        if not (_is_of(public_id, rows) or (records and side is None)):
            continue
        sight = Sight(door.scope.reach is Reach.ALL, records)
        parts = _parts(stored, rows)
        seen = len(rows.found)
        for joined in _barges(stored):
            others = ConversationRows(door, zone, custom_fields, joined)
            parts += [one for one in _parts(joined, others) if one.rows]
            seen += len(others.found)
        parts.sort(key=lambda part: part.leg.started_at)
        answer = {
            "conversation": rows.conversation,
            "asked": public_id,
            "legs": timeline(parts, sight, zone),
        }
        return answer, seen
    return None


def _parts(stored: Stored, rows: ConversationRows) -> list[Part]:
    """Return the records of a conversation with the rows of them that are in scope."""
    return [
        Part(
            rows.record_id(rec.id),
            rec.leg,
            seen,
            "" if seen else _reason(rec.id),
            rows.masked_digits(rec.id),
            rows.purpose(rec.id),
        )
        for rec in stored.records
        for seen in [rows.rows_of(rec.id)]
    ]


def _barges(stored: Stored) -> list[Stored]:
    """Return the calls of those who barged into a conversation: each names the leg that it joins,
    and is a conversation of its own."""
    legs = {leg_id for rec in stored.records for leg_id in (rec.leg.orig_leg, rec.leg.dest_leg)}
    known = {rec.id for rec in stored.records}
    any_record = Record.get_by_id(stored.id)
    found = Record.select(Record.id).where(
        Record.started_at.between(
            min(rec.leg.started_at for rec in stored.records),
            max(rec.leg.ended_at for rec in stored.records),
        ),
        Record.pbx_id == any_record.pbx_id,
        Record.joined_by == BARGE,
        Record.conference << list(legs - {0}),
    )
    return [load_conversation(record) for (record,) in found.tuples() if record not in known]


def _is_of(public_id: str, rows: ConversationRows) -> bool:
    """Tell whether an id is one that the viewer knows from a row in scope."""
    if not rows.found:
        return False
    known = {rows.conversation, *rows.found}
    known |= {one.rpartition(f"-{row['side']}")[0] for one, row in rows.found.items()}
    return public_id in known


def _reason(record_id: int) -> str:
    """Return why a record became no call that is shown."""
    reason = str(Record.get_by_id(record_id).reason)
    return reason or (FULL if withheld_sides(record_id) else NO_LINE)
