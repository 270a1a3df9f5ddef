"""Who is told that a budget's threshold was passed, and in which words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from syncd.domain.days import day_date
from syncd.domain.viewer import LOCAL_ADMINISTRATOR, Viewer
from syncd.reports.budgets import Company, State, sees, shown
from syncd.reports.mail import Message, compose
from syncd.reports.permissions import ORGS, scope_of
from syncd.reports.recipients import addressee_now
from syncd.reports.scope import door_for, viewer_of
from syncd.settings.values_finance import is_address
from syncd.store.models import BudgetAlert, Party

KIND = "budget"


@dataclass(frozen=True, slots=True)
class Alert:
    """Thresholds (percent, ascending) of a pot that are passed and were not told yet."""

    state: State
    thresholds: tuple[int, ...]

    @property
    def reference(self) -> str:
        """What a message about it speaks of."""
        return "/".join(
            (
                self.state.budget.name,
                self.state.pot.key,
                str(self.state.account.span.first),
                ",".join(map(str, self.thresholds)),
            )
        )


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address, and what who reads there may see."""

    address: str
    viewer: Viewer


def _reference(alert: Alert, recipient: Recipient) -> str:
    """Return what a message is known by; one to a person says as what they got it, so that it is
    taken back when that is no longer true before it is sent."""
    party = recipient.viewer.party_id
    if not party:
        return alert.reference
    key = f"party:{party}"
    rights = addressee_now(key, recipient.viewer.level6_basis).rights
    return f"{alert.reference}/{key} {rights}"


def alerts(states: Sequence[State]) -> list[Alert]:
    """Return what is to be told of these states."""
    since = min((state.account.span.first for state in states), default=0)
    told = {
        (row.budget, row.pot, row.first_day, row.threshold)
        for row in BudgetAlert.select().where(BudgetAlert.first_day >= since)
    }
    found = []
    for state in states:
        place = (state.budget.name, state.pot.key, state.account.span.first)
        new = tuple(
            percent
            for percent in state.account.passed(state.budget.thresholds)
            if (*place, percent) not in told
        )
        if new:
            found.append(Alert(state, new))
    return found


def recipients(alert: Alert, there: Company, default_basis: str) -> list[Recipient]:
    """Return who is told, each address once. Who left, is disabled or has no address gets nothing."""
    found: dict[str, Recipient] = {}
    for word in alert.state.budget.notify:
        if word == "person":
            chosen = list(_members(alert.state, there, default_basis))
        elif word == "manager":
            chosen = list(_managers(alert.state, there, default_basis))
        else:
            chosen = [Recipient(word, LOCAL_ADMINISTRATOR)]
        for one in chosen:
            found.setdefault(one.address.casefold(), one)
    return list(found.values())


def _members(state: State, there: Company, default_basis: str) -> Iterator[Recipient]:
    members = state.pot.members
    ids = [person.id for person in there.people if members is None or str(person.id) in members]
    yield from _mailed(ids, there, default_basis)


def _managers(state: State, there: Company, default_basis: str) -> Iterator[Recipient]:
    """Yield those whose level 6 shows the pot, apart from whose it is."""
    managers = Party.select(Party.id).where(
        Party.permission_level == ORGS, Party.departed_at.is_null()
    )
    members = state.pot.members or frozenset()
    own = members if state.budget.of == "person" else frozenset()
    for one in _mailed([row.id for row in managers], there, default_basis):
        scope = scope_of(one.viewer)
        if str(one.viewer.party_id) not in own and sees(scope, state.budget.of, state.pot, there):
            yield one


def _mailed(ids: Sequence[int], there: Company, default_basis: str) -> Iterator[Recipient]:
    wanted = set(ids)
    for person in there.people:
        if person.id in wanted and person.enabled and is_address(person.mail):
            yield Recipient(person.mail, viewer_of(Party.get_by_id(person.id), default_basis))


def message(
    alert: Alert, recipient: Recipient, there: Company, *, sender: str, currency: str
) -> Message:
    """Return the message to one recipient, with the figures that they may see, and log that they
    get them."""
    state, highest = alert.state, alert.thresholds[-1]
    budget, first, end = state.budget, state.account.span.first, state.account.span.end
    door = door_for(recipient.viewer, "budgets", f"mail {alert.reference}", there.now)
    figures = shown(state, door.scope, there)
    title = budget.name if state.pot.label == budget.name else f"{budget.name}: {state.pot.label}"
    period = {
        "day": f"{day_date(first):%Y-%m-%d}",
        "week": f"the week from {day_date(first):%Y-%m-%d} to before {day_date(end):%Y-%m-%d}",
        "month": f"{day_date(first):%Y-%m}",
    }[budget.period]
    lines = [f"The budget {title} for {period} has reached {highest} %."]
    if figures["spent"] is not None:
        door.note_rows(1)
        lines += ["", f"Amount:       {figures['amount']} {currency}"]
        if budget.carry_over:
            lines.append(f"Carried over: {figures['carried']} {currency}")
        lines += [
            f"Spent:        {figures['spent']} {currency} ({figures['percent']} %)",
            f"Left:         {figures['left']} {currency}",
        ]
        if figures["unrated"]:
            lines += ["", f"{figures['unrated']} calls have no price yet and are not in it."]
    lines += ["", f"Each threshold is told once in a {budget.period}."]
    return compose(
        KIND,
        _reference(alert, recipient),
        sender=sender,
        recipient=recipient.address,
        subject=f"Budget {title}: {highest} % of {period}",
        text="\n".join(lines) + "\n",
        now=there.now,
    )
