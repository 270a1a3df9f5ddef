"""The posting period: in which month what a call costs is booked (pure; docs/rules.md 7.8).

A month is closed or open; months are closed in their order, so one bound says all of them. What
happens to a call of a closed month afterwards is booked in the oldest open one: minus what it was,
plus what it is. So the sum of a month is that of its calls as they are, plus what is booked in it,
minus what was booked elsewhere for it, and of a closed month that never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from syncd.domain.codes import Word


class Cause(Word):
    """Why something was booked in another month than that of the call."""

    LATE = 0
    """It came, or came again, when its month was closed."""
    RELEASED = 1
    """It was withheld when its month was closed."""
    MOVED = 2
    """It became somebody else's."""
    DECIDED = 3
    """It was decided again: a late record, reprocessing."""
    RERATED = 4
    UNDONE = 5
    """A re-rating was undone."""
    ALLOWANCE = 6
    """An allowance covers it (by the month run, in the month itself)."""
    FLAT = 7
    """A flat charge for a line (likewise)."""
    ROUNDED = 8
    """A line of a carrier's invoice is rounded (likewise)."""


MONTH_CAUSES = (Cause.ALLOWANCE, Cause.FLAT, Cause.ROUNDED)
"""What the month run books, in the month itself, and replaces until that is closed."""


class Posted(NamedTuple):
    """What a call is booked by, the keys of its row, and what it costs (micros, unrated 0)."""

    line: int
    party: int
    profile: int
    org: int
    direction: int
    number_class: int
    destination: int
    trunk: int
    carrier: int
    cost: int


class Entry(NamedTuple):
    """An adjustment: a call row's id, the closed month (yyyymm) of the call, the open one in which it
    is booked, and the signed amount with its keys."""

    call: int
    month: int
    period: int
    posted: Posted


class Closing(NamedTuple):
    """Up to which month (yyyymm) everything is closed, the moment at which that ends (epoch seconds)
    and the oldest open month. All 0: nothing is closed."""

    through: int = 0
    until: int = 0
    open_period: int = 0

    def closed(self, started_at: int) -> bool:
        """Say whether the month of a start (epoch seconds) is closed."""
        return started_at < self.until


NOTHING_CLOSED = Closing()


def next_month(month: int) -> int:
    """Return the month (yyyymm) after."""
    return month + 89 if month % 100 == 12 else month + 1


def pair(was: Posted | None, now: Posted | None) -> list[Posted]:
    """Return what is booked when a call of a closed month changes: minus what it was, plus what it
    is; None stands for no call. Amounts of 0 are left out, and so is what changes nothing."""
    if was == now:
        return []
    made = [] if was is None else [was._replace(cost=-was.cost)]
    if now is not None:
        made.append(now)
    return [one for one in made if one.cost]


def entries(
    closing: Closing,
    was: Mapping[int, tuple[int, Posted]],
    now: Mapping[int, tuple[int, Posted]],
    month: Callable[[int], int],
) -> Iterable[Entry]:
    """Yield the adjustments for call rows that changed: (start, what they were) and (start, what
    they are) by id. ``month`` gives the month of a start."""
    for key in sorted(was.keys() | now.keys()):
        before, after = was.get(key), now.get(key)
        started_at = (before or after or (0,))[0]
        if closing.closed(started_at):
            for posted in pair(
                None if before is None else before[1], None if after is None else after[1]
            ):
                yield Entry(key, month(started_at), closing.open_period, posted)
