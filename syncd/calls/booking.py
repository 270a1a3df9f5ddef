"""What a batch changed in closed months is booked in the oldest open one (docs/rules.md 7.8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from syncd.calls.rows import CallTuple
from syncd.domain.posting import Cause, Closing
from syncd.store import adjustments
from syncd.store.call_rows import CALL_COLUMNS

PERIOD = CALL_COLUMNS.index("posting_period")
STARTED_AT = CALL_COLUMNS.index("started_at")
"""Places in a call row."""
_posted = adjustments.of_columns(CALL_COLUMNS)


def in_its_period(row: CallTuple, before: CallTuple | None, closing: Closing) -> CallTuple:
    """Return a row of the month of its start with its posting period: the one that it had before it
    was decided again, else its month, or the oldest open one where that is closed."""
    period = row[PERIOD]
    if before is not None:
        period = before[PERIOD]
    elif closing.closed(row[STARTED_AT]):
        period = closing.open_period
    return row if period == row[PERIOD] else (*row[:PERIOD], period, *row[PERIOD + 1 :])


def book_batch(
    closing: Closing,
    before: Mapping[int, CallTuple],
    calls: Iterable[CallTuple],
    at: int,
    run: int,
) -> None:
    """Write the adjustments, given the rows that were taken back and those that were written;
    ``at`` is the time (epoch seconds), ``run`` the row of ``maintenance_run``, 0 for none."""
    if not closing.through:
        return
    was = {key: _posted(row) for key, row in before.items()}
    now = {row[0]: _posted(row) for row in calls if closing.closed(row[STARTED_AT])}
    decided = {key: row for key, row in now.items() if key in was}
    late = {key: row for key, row in now.items() if key not in was}
    adjustments.book(closing, was, decided, Cause.DECIDED, at=at, run=run)
    adjustments.book(closing, {}, late, Cause.LATE, at=at, run=run)
