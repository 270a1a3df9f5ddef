"""Budgets: look at what was spent, remember it, and write to those who are to know."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncd.application.composition import NEVER, Application, Stop
from syncd.domain.errors import UsageError
from syncd.reports.budget_mail import KIND, Alert, Recipient, alerts, message, recipients
from syncd.reports.budgets import Company, State, company, covers, pots_of, states
from syncd.reports.permissions import scope_of
from syncd.store.database import read_transaction, write_transaction
from syncd.store.models import BudgetAlert, BudgetPeriod
from syncd.store.models import database as proxy
from syncd.store.outbox import post

if TYPE_CHECKING:
    from syncd.reports.mail import Message
    from syncd.settings.finance import BudgetSettings

LOCK = "budgets"
COLUMNS = (
    "budget",
    "pot",
    "first_day",
    "end_day",
    "amount",
    "carried",
    "spent",
    "unrated",
    "checked_at",
)


@dataclass(slots=True)
class Told:
    """An alert with the messages about it."""

    alert: Alert
    messages: list[Message]


@dataclass(slots=True)
class BudgetOutcome:
    """What a look at the budgets found."""

    states: list[State] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    """(budget, member) of the settings that nobody is."""

    @property
    def messages(self) -> int:
        return sum(len(one.messages) for one in self.told)


def chosen(application: Application, name: str | None) -> list[BudgetSettings]:
    """Return the named budget, or all. Raises UsageError when it does not exist."""
    budgets = application.settings.finance.budgets
    if name is None:
        return list(budgets.values())
    if name not in budgets:
        known = ", ".join(budgets) or "none is configured"
        raise UsageError(f"there is no [budget:{name}]", f"known: {known}")
    return [budgets[name]]


def check_budgets(
    application: Application, *, dry_run: bool = False, stop: Stop = NEVER
) -> BudgetOutcome:
    """Look at every budget; write to whom a threshold concerns that was passed since.

    With ``dry_run`` nothing is remembered, and the messages are only returned. Raises TryAgainError
    when another process looks at them.
    """
    outcome = BudgetOutcome()
    if not application.settings.finance.budgets:
        return outcome
    with application.locked(LOCK, stop), application.connected():
        there, found = _look(application, outcome)
        with _undone(dry_run):
            _compose(application, outcome, there, found)
        if not dry_run:
            with write_transaction():
                _remember(outcome.states, application.clock())
                for one in outcome.told:
                    _remember_told(one, application.clock())
    return outcome


@contextlib.contextmanager
def _undone(dry_run: bool) -> Iterator[None]:
    """Have nothing remembered of what the block writes, where it is only a trial."""
    if not dry_run:
        yield
        return
    with proxy.atomic() as transaction:
        yield
        transaction.rollback()


def _look(
    application: Application, outcome: BudgetOutcome
) -> tuple[Company, list[tuple[Alert, list[Recipient]]]]:
    """Find what was spent and who is to be told, all of it as of one moment: sums that were made anew
    in between would be those of other calls."""
    settings = application.settings
    found: list[tuple[Alert, list[Recipient]]] = []
    with read_transaction():
        there = company(settings.timezone, application.clock())
        for budget in settings.finance.budgets.values():
            outcome.missing += [(budget.name, member) for member in pots_of(budget, there)[1]]
            of_budget = states(budget, there)
            outcome.states += of_budget
            # Without a server nobody can be told: when there is one, they will be.
            for alert in alerts(of_budget) if settings.finance.mail.server else ():
                told = recipients(alert, there, settings.reports.level6_basis)
                for one in told:
                    covers(scope_of(one.viewer), alert.state, there)  # remembers their sums
                found.append((alert, told))
    return there, found


def _compose(
    application: Application,
    outcome: BudgetOutcome,
    there: Company,
    found: list[tuple[Alert, list[Recipient]]],
) -> None:
    settings = application.settings
    sender = settings.finance.mail.sender
    for alert, told in found:
        messages = [
            message(alert, one, there, sender=sender, currency=settings.currency) for one in told
        ]
        outcome.told.append(Told(alert, messages))


def _remember(found: list[State], now: int) -> None:
    """Store what changed of the states."""
    known = {
        row[:3]: row[3:]
        for row in BudgetPeriod.select(*(getattr(BudgetPeriod, name) for name in COLUMNS[:-1]))
        .where(BudgetPeriod.first_day >= min((one.account.span.first for one in found), default=0))
        .tuples()
    }
    rows = []
    for state in found:
        one = state.account
        key = (state.budget.name, state.pot.key, one.span.first)
        values = (one.span.end, one.amount, one.carried, one.spent, one.unrated)
        if known.get(key) != values:
            rows.append((*key, *values, now))
    if rows:
        mark = proxy.obj.param
        keys = ", ".join(COLUMNS[:3])
        proxy.obj.cursor().executemany(
            f"INSERT INTO budget_period ({', '.join(COLUMNS)})"
            f" VALUES ({', '.join([mark] * len(COLUMNS))}) ON CONFLICT ({keys}) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[3:]),
            rows,
        )


def _remember_told(told: Told, now: int) -> None:
    """Store that thresholds are told, and the messages, in one transaction."""
    state = told.alert.state
    for percent in told.alert.thresholds:
        BudgetAlert.insert(
            budget=state.budget.name,
            pot=state.pot.key,
            first_day=state.account.span.first,
            threshold=percent,
            at=now,
            spent=state.account.spent,
        ).execute()
    for one in told.messages:
        post(KIND, one.reference, one.recipient, one.subject, one.content, now)
