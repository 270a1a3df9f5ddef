"""Budgets: periods, what is carried over, and which thresholds were passed. Pure rules.

A *pot* is one amount for one period: of a person, a department or a cost center, or of several of
them together. Days are yyyymmdd in the company's zone, money is micros.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from syncd.domain.days import day_date, day_number, month_days, month_of

Stored = Mapping[int, "Account"]
"""What is remembered of a pot, by the first day of the period."""


@dataclass(frozen=True, slots=True)
class Span:
    """A day, week or month: from ``first`` to before ``end``."""

    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Account:
    """A pot in a period: what it was given, what came with it, what was spent."""

    span: Span
    amount: int
    carried: int
    spent: int
    unrated: int = 0
    """Call rows without a price, which are not in ``spent``."""

    @property
    def available(self) -> int:
        return self.amount + self.carried

    @property
    def left(self) -> int:
        """What is left; less than nothing when it is overdrawn."""
        return self.available - self.spent

    @property
    def percent(self) -> int:
        """How much of it was spent, in whole percent, rounded down: 100 means all of it."""
        return self.spent * 100 // self.available if self.available > 0 else 0

    def passed(self, thresholds: Iterable[int]) -> list[int]:
        """Return the thresholds (percent) that were reached, ascending."""
        return sorted(
            percent for percent in thresholds if self.spent * 100 >= percent * self.available > 0
        )

    def carry(self) -> int:
        """Return what the next period gets of it: a debt is not handed on."""
        return max(0, self.left)


def span_of(period: str, day: int) -> Span:
    """Return the ``day``, ``week`` (from Monday) or ``month`` that a day lies in."""
    if period == "month":
        return Span(*month_days(month_of(day)))
    date = day_date(day)
    if period == "day":
        return Span(day, day_number(date + timedelta(days=1)))
    if period == "week":
        monday = date - timedelta(days=date.weekday())
        return Span(day_number(monday), day_number(monday + timedelta(days=7)))
    raise ValueError(f"{period!r} is no period of a budget")


def span_before(period: str, span: Span) -> Span:
    """Return the period before."""
    return span_of(period, day_number(day_date(span.first) - timedelta(days=1)))


def spans_due(period: str, today: int, known: Collection[int]) -> list[Span]:
    """Return the periods to look at, the oldest first, given the first days of those that are
    remembered.

    The period of today and the one before it: late calls and new prices change that, too. What was
    not looked at since the last time (the daemon was off) comes with them. A budget that was never
    looked at begins with the period of today, as a whole.
    """
    current = span_of(period, today)
    spans = [current]
    earlier = [first for first in known if first < current.first]
    if not earlier:
        return spans
    since = min(span_before(period, current).first, max(earlier))
    while spans[0].first > since:
        spans.insert(0, span_before(period, spans[0]))
    return spans


def account(
    span: Span,
    before: Span,
    amount: int,
    spent: int,
    unrated: int,
    *,
    known: Stored,
    computed: Stored,
    carry_over: bool,
    current: bool,
) -> Account | None:
    """Return the state of a pot in a period; None when it had not begun by then.

    ``known`` is what is remembered, ``computed`` what was found in this run, ``amount`` what is
    given now. A period that is over keeps the amount that it had. What is carried over follows what
    was spent as long as the period before is looked at, and stays from then on.
    """
    row = known.get(span.first)
    earlier = computed.get(before.first) or known.get(before.first)
    if row is None and earlier is None and not current:
        return None
    if row is not None and not current:
        amount = row.amount
    carried = 0
    if carry_over:
        if before.first in computed or row is None:
            carried = earlier.carry() if earlier is not None else 0
        else:
            carried = row.carried
    return Account(span, amount, carried, spent, unrated)
