"""The rows of one conversation that a viewer may see: through the call list, like everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from syncd.calls.explanation import Stored
from syncd.domain.call_id import format_call_id, format_conversation_id
from syncd.domain.codes import Side
from syncd.domain.days import Days, day_date, next_day
from syncd.domain.errors import UserError
from syncd.reports.listing import list_rows
from syncd.reports.lookups import Lookups
from syncd.reports.query import Query
from syncd.reports.scope import Door
from syncd.reports.specification import Specification

RECORDS_LEVEL = 10
"""Records that became no call are for those who manage syncd (docs/rules.md 8.1)."""


class NoSuchCall(UserError):
    """It does not exist, or is not for this viewer: one sentence for both, which tells nothing."""

    def __init__(self, public_id: str, viewer: str) -> None:
        super().__init__(f"No call {public_id} is available to {viewer}.")


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
        self.found: dict[str, dict[str, Any]] = {
            row["id"]: row for row in list_rows(query, custom_fields)
        }

    def record_id(self, record: int) -> str:
        """Return the public id of a record of the conversation."""
        return format_conversation_id(self._starts[record], self._hashes[record])

    def call_id(self, record: int, side: Side) -> str:
        return format_call_id(self._starts[record], self._hashes[record], side)

    def row(self, record: int, side: Side) -> dict[str, Any] | None:
        return self.found.get(self.call_id(record, side))

    def rows_of(self, record: int) -> dict[Side, dict[str, Any]]:
        """Return the rows of a record by side."""
        return {side: row for side in Side if (row := self.row(record, side)) is not None}
