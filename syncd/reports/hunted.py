"""Calls to hunt groups and queues, as far as a viewer sees their rows.

A record belongs to a queue when its pattern is the pilot's and nobody redirected it after the
pilot, or when it waits there (docs/rules.md 5.5, 6.2). The rows of a conversation with one pilot
are one queue call. What a row tells is that line's own; who sees all rows is also told the times of
the record of a pilot's row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from syncd.calls.disposition import NOT_REDIRECTING
from syncd.calls.drafting import HUNT
from syncd.domain.codes import Side
from syncd.reports.permissions import Reach
from syncd.reports.query import Query
from syncd.reports.reading import read

CALLED, PILOT = int(Side.CALLED), int(Side.PILOT)


class HuntRow(NamedTuple):
    """A row of a record that was hunted, in scope."""

    conversation: int
    pilot: str
    side: int
    line: int
    party: int
    to_member: bool
    """The record names a member of the group."""
    started_at: int
    answered_at: int
    """Epoch seconds; 0: not answered, or not for the viewer to know."""
    ended_at: int
    """0: not for the viewer to know."""
    duration: int

    @property
    def told(self) -> bool:
        """Whether the row says what became of its record."""
        return self.ended_at > 0


def hunt_rows(query: Query) -> Iterator[HuntRow]:
    """Yield the rows in scope of records that belong to a queue: called sides and pilots."""
    everything = query.scope.reach is Reach.ALL
    for (
        conversation,
        side,
        line,
        party,
        duration,
        usage,
        pilot,
        final,
        redirecting,
        reason,
        started,
        connected,
        ended,
    ) in read(
        query,
        "c.conversation, c.side, c.line_id, c.party_id, c.duration, record.pattern_usage,"
        " record.hunt_pilot, record.final_number, record.redirecting_number,"
        " record.last_redirect_reason, record.started_at, record.connected_at, record.ended_at",
        f"side IN ({CALLED}, {PILOT})",
        joined="JOIN record ON record.id = c.id / 8",
        then=f"WHERE record.pattern_usage = {HUNT} OR c.side = {PILOT}",
    ):
        after = redirecting == pilot and reason not in NOT_REDIRECTING
        if usage == HUNT and pilot and after and side != PILOT:
            continue
        told = everything or side == CALLED
        yield HuntRow(
            conversation,
            pilot or final,
            side,
            line,
            party,
            bool(pilot) and final != pilot,
            started,
            connected if told else 0,
            max(ended, started + 1) if told else 0,
            duration,
        )


@dataclass(slots=True)
class QueueCall:
    """What is known of one call to one pilot."""

    started_at: int
    answered_at: int = 0
    ended_at: int = 0
    known: bool = False
    """A row tells of the whole queue: whoever answered would be seen."""

    def add(self, row: HuntRow, everything: bool) -> None:
        self.started_at = min(self.started_at, row.started_at)
        if row.answered_at and (not self.answered_at or row.answered_at < self.answered_at):
            self.answered_at = row.answered_at
        self.ended_at = max(self.ended_at, row.ended_at)
        self.known = self.known or everything or (row.told and not row.to_member)

    @property
    def wait(self) -> int | None:
        """Seconds until it was answered or given up, None when that is not known."""
        if self.answered_at:
            return self.answered_at - self.started_at
        return max(0, self.ended_at - self.started_at) if self.known else None


def queue_calls(query: Query) -> dict[tuple[str, int], QueueCall]:
    """Return the queue calls of a query by (pilot, conversation)."""
    everything = query.scope.reach is Reach.ALL
    found: dict[tuple[str, int], QueueCall] = {}
    for row in hunt_rows(query):
        key = (row.pilot, row.conversation)
        if key not in found:
            found[key] = QueueCall(row.started_at)
        found[key].add(row, everything)
    return found
