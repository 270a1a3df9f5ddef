"""The month run: worked out for who looks, written by who asks for it and when a month is closed."""

from __future__ import annotations

from collections import deque

from syncd.application.composition import MAINTENANCE, NEVER, Application
from syncd.calls.month_run import (
    Figures,
    Plan,
    clean,
    figures,
    is_needed,
    is_stale,
    prepare,
    settle,
)
from syncd.domain.days import Days, month_of
from syncd.domain.errors import UserError
from syncd.domain.posting import next_month
from syncd.settings.model import Settings
from syncd.store.adjustments import closing
from syncd.store.database import write_transaction
from syncd.store.models import MonthRun
from syncd.store.month_runs import Line, booked_in, lines_of
from syncd.store.periods import shown_month
from syncd.store.rollups import rows_extent


def plan_of(settings: Settings) -> Plan:
    """Return what the settings say of months."""
    return Plan(
        settings.finance.allowances,
        settings.finance.flat_charges,
        {
            carrier.name: carrier.rounding
            for carrier in settings.carriers.values()
            # Of an invoice in another currency only what it comes to in ours is known.
            if carrier.rounding.per == "invoice" and carrier.currency in ("", settings.currency)
        },
        next(iter(settings.sites)) if len(settings.sites) == 1 else "",
    )


def _open_months(application: Application, month: int) -> list[int]:
    """Return the open months up to one. Raises UserError when it is closed or has not begun."""
    through = closing().through
    if month <= through:
        raise UserError(f"{shown_month(month)} is closed", "what it came to never changes")
    days = Days(application.settings.timezone)
    if month > month_of(days.day(application.clock())):
        raise UserError(f"{shown_month(month)} has not begun")
    extent = rows_extent()
    first = month if extent is None else month_of(days.day(extent[0]))
    found = [next_month(through) if through else min(first, month)]
    while found[-1] < month:
        found.append(next_month(found[-1]))
    return found


def open_months_over(application: Application) -> list[int]:
    """Return the open months that are over, the oldest first: those that could be closed."""
    days = Days(application.settings.timezone)
    return _open_months(application, month_of(days.day(application.clock())))[:-1]


def _last(application: Application, months: list[int]) -> Figures:
    """Return the figures of the last of open months, which follow each other."""
    plan = plan_of(application.settings)
    wanted = months if plan.carries_over else months[-1:]
    return deque(figures(plan, wanted, application.settings.timezone), maxlen=1)[0]


def preview_month(application: Application, month: int) -> Figures:
    """Return what an open month comes to now; nothing is written. Raises UserError."""
    with application.connected():
        return _last(application, _open_months(application, month))


def run_month(application: Application, month: int, who: str) -> Figures:
    """Let allowances be booked in an open month, for who asked, instead of what was booked before.
    Raises UserError, TryAgainError when maintenance is busy."""
    with application.connected(), application.locked(MAINTENANCE, NEVER):
        clean(plan_of(application.settings))
        found = _last(application, _open_months(application, month))
        run = prepare(found, application.clock())
        with write_transaction():
            settle(found, run, at=application.clock(), who=who)
        return found


class Closing:
    """The figures of months that are being closed, written in two steps: what is a lot beforehand,
    the rest in the transaction that closes them."""

    def __init__(self, application: Application, months: list[int], who: str) -> None:
        plan = plan_of(application.settings)
        wanted = [month for month in months if is_needed(plan, month)]
        self._at, self._who = application.clock(), who
        if wanted:
            clean(plan)
        self._found = [
            (found, prepare(found, self._at))
            for found in (figures(plan, months, application.settings.timezone) if wanted else ())
            if found.month in wanted
        ]

    def settle(self) -> None:
        """Must run inside the write transaction in which the months are closed."""
        for found, run in self._found:
            settle(found, run, at=self._at, who=self._who)


def to_be_booked(application: Application, month: int) -> dict[int, int]:
    """Return what a month run would change of what is booked in the open months up to one, in micros
    by month. Raises UserError."""
    with application.connected():
        months = _open_months(application, month)
        plan = plan_of(application.settings)
        return {
            found.month: sum(found.booked.values()) - sum(booked_in(found.month).values())
            for found in figures(plan, months, application.settings.timezone)
        }


class Shown:
    """What is known of a month: its lines, since when, and whether that is final."""

    __slots__ = ("at", "lines", "stale", "state", "who")

    def __init__(self, application: Application, month: int) -> None:
        """Raises UserError for a month that has not begun."""
        with application.connected():
            row = MonthRun.get_or_none(MonthRun.month == month)
            self.at = None if row is None else int(row.at)
            self.who = None if row is None else str(row.who)
            self.stale = False
            self.lines: list[Line] = lines_of(month)
            self.state = "final"
            if month > closing().through:
                found = _last(application, _open_months(application, month))
                self.stale = row is not None and is_stale(found)
                self.lines = sorted(found.lines)
                self.state = "estimate"
