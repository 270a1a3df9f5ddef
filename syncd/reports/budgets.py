"""The state of budgets: what each pot was given, what was spent of it, and who may see that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncd.billing.budgets import Account, Span, account, span_before, span_of, spans_due
from syncd.domain.days import Days, day_date, day_number
from syncd.domain.money import format_micros
from syncd.domain.party import name_key
from syncd.reports.lookups import Lookups
from syncd.reports.permissions import Reach, Scope
from syncd.reports.query import SUM_NAMES, Query
from syncd.reports.scope import Door
from syncd.reports.specification import Specification
from syncd.settings.finance import BudgetSettings
from syncd.store.models import BudgetPeriod, Name, Party
from syncd.store.names import aliases

TOGETHER = ""
"""Key of the one pot of a cumulative budget."""
DIMENSIONS = {"person": "party", "department": "department", "cost_center": "cost_center"}
EVERYTHING = Scope(Reach.ALL)
COST, UNRATED, ROWS = (SUM_NAMES.index(name) for name in ("cost", "unrated", "rows"))


class Sum(NamedTuple):
    """What calls cost: micros, rows without a price, rows."""

    cost: int
    unrated: int
    rows: int


NO_SUM = Sum(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Pot:
    """Whose one amount is. ``members`` are ids of parties or keys of names, None for all of them."""

    key: str
    label: str
    amount: int
    members: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class State:
    """A pot in a period."""

    budget: BudgetSettings
    pot: Pot
    account: Account
    current: bool
    since: int
    """First day of the first period of the budget: its rest may have been carried over."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is there."""

    id: int
    username: str
    source: str
    label: str
    mail: str
    enabled: bool
    keys: Mapping[str, str]
    """Key of department, cost center and office location, of today."""


@dataclass(slots=True)
class Company:
    """People and names as they are now, and sums of calls, each asked for once."""

    zone: ZoneInfo
    now: int
    people: list[Person]
    aliases: Mapping[tuple[str, str], str]
    labels: dict[tuple[str, str], str]
    _sums: dict[tuple[Scope, str, Span], dict[str, Sum]] = field(default_factory=dict)

    @property
    def today(self) -> int:
        return day_number(datetime.fromtimestamp(self.now, self.zone).date())

    def key(self, kind: str, name: str) -> str:
        """Return the key by which a department or cost center is compared."""
        plain = name_key(name)
        return self.aliases.get((kind, plain), plain)

    def sums(self, scope: Scope, of: str, span: Span) -> dict[str, Sum]:
        """Return what the calls in a scope cost in a period, by id of the party or key."""
        asked = (scope, of, span)
        if asked not in self._sums:
            lookups = Lookups(Days(self.zone), span.first, span.end)
            specification = Specification("budgets", day_date(span.first), day_date(span.end))
            found = Query(scope, specification, lookups).sums((DIMENSIONS[of],))
            self._sums[asked] = {
                "" if keys[0] is None else str(keys[0]): Sum(sums[COST], sums[UNRATED], sums[ROWS])
                for keys, sums in found.items()
            }
        return self._sums[asked]

    def spent(self, scope: Scope, of: str, span: Span, members: Collection[str] | None) -> Sum:
        """Return what some members' calls in a scope cost in a period."""
        sums = self.sums(scope, of, span)
        chosen: Iterable[Sum] = (
            sums.values() if members is None else [sums.get(one, NO_SUM) for one in members]
        )
        total = NO_SUM
        for one in chosen:
            total = Sum(total.cost + one.cost, total.unrated + one.unrated, total.rows + one.rows)
        return total


def company(zone: ZoneInfo, now: int) -> Company:
    """Return the company as it is now."""
    merged = aliases()
    people = []
    rows = Party.select().where(Party.kind == "person", Party.departed_at.is_null())
    for party in rows.order_by(Party.id):
        keys = {}
        for kind in ("department", "cost_center", "office_location"):
            plain = name_key(getattr(party, kind))
            keys[kind] = merged.get((kind, plain), plain)
        people.append(
            Person(
                party.id,
                party.username,
                party.source,
                party.display_name or party.username,
                party.mail.strip(),
                bool(party.enabled),
                keys,
            )
        )
    labels = {(row.kind, row.key): row.text for row in Name.select()}
    return Company(zone, now, people, merged, labels)


def pots_of(budget: BudgetSettings, there: Company) -> tuple[list[Pot], list[str]]:
    """Return the pots of a budget as of now, and the members of the settings who are not there."""
    labels, missing = _members(budget, there)
    if budget.mode == "cumulative":
        chosen = bool(budget.members or budget.departments or budget.cost_centers)
        members = frozenset(labels) if chosen else None
        return [Pot(TOGETHER, budget.name, budget.amount or 0, members)], missing
    amounts = {
        key: one.amount for one in budget.amounts for key in _named(budget.of, one.member, there)
    }
    return [
        Pot(key, label, amounts.get(key, budget.amount or 0), frozenset({key}))
        for key, label in labels.items()
    ], missing


def _members(budget: BudgetSettings, there: Company) -> tuple[dict[str, str], list[str]]:
    """Return the label of each member by key, and the names that nobody has."""
    people = {str(person.id): person.label for person in there.people}
    names = budget.members or tuple(one.member for one in budget.amounts)
    if names:
        found: dict[str, str] = {}
        missing = []
        for name in names:
            keys = _named(budget.of, name, there)
            if not keys:
                missing.append(name)
            for key in keys:
                found[key] = people[key] if budget.of == "person" else " ".join(name.split())
        return found, missing
    if budget.of != "person":
        # Somebody is of it, or it has calls: an account code may charge a cost center of nobody.
        used = {person.keys[budget.of] for person in there.people}
        used |= there.sums(EVERYTHING, budget.of, span_of(budget.period, there.today)).keys()
        labels = {key: there.labels.get((budget.of, key), key) for key in used if key}
        return dict(sorted(labels.items(), key=lambda item: item[1].casefold())), []
    chosen = [
        (kind, {there.key(kind, name) for name in names})
        for kind, names in (
            ("department", budget.departments),
            ("cost_center", budget.cost_centers),
        )
        if names
    ]
    return {
        str(person.id): person.label
        for person in there.people
        if not chosen or any(person.keys[kind] in keys for kind, keys in chosen)
    }, []


def _named(of: str, name: str, there: Company) -> list[str]:
    """Return the keys that a member's name stands for: one, or none for a person who is not there."""
    if of != "person":
        return [there.key(of, name)]
    source, colon, user = name.partition(":")
    return [
        str(person.id)
        for person in there.people
        if name_key(person.username) == name_key(name)
        or (
            colon
            and person.source == source.strip()
            and name_key(person.username) == name_key(user)
        )
    ]


def states(budget: BudgetSettings, there: Company) -> list[State]:
    """Return the state of every pot of a budget, in the periods that are to be looked at, the
    oldest first. Nothing is written."""
    pots, _ = pots_of(budget, there)
    known = [
        row.first_day
        for row in BudgetPeriod.select(BudgetPeriod.first_day)
        .where(BudgetPeriod.budget == budget.name)
        .distinct()
    ]
    spans = spans_due(budget.period, there.today, known)
    # What was carried into the first of them stands with it, or follows from the one before.
    remembered = remembered_periods(budget.name, span_before(budget.period, spans[0]).first)
    oldest = min(known, default=spans[0].first)
    computed: dict[str, dict[int, Account]] = {}
    found = []
    for span in spans:
        for pot in pots:
            spent = there.spent(EVERYTHING, budget.of, span, pot.members)
            done = computed.setdefault(pot.key, {})
            state = account(
                span,
                span_before(budget.period, span),
                pot.amount,
                spent.cost,
                spent.unrated,
                known=remembered.get(pot.key, {}),
                computed=done,
                carry_over=budget.carry_over,
                current=span is spans[-1],
            )
            if state is not None:
                done[span.first] = state
                found.append(State(budget, pot, state, span is spans[-1], min(oldest, span.first)))
    return found


def remembered_periods(budget: str, since: int = 0) -> dict[str, dict[int, Account]]:
    """Return what is remembered of a budget since a day: by pot, by first day."""
    found: dict[str, dict[int, Account]] = {}
    rows = BudgetPeriod.select().where(
        BudgetPeriod.budget == budget, BudgetPeriod.first_day >= since
    )
    for row in rows.order_by(BudgetPeriod.first_day):
        span = Span(row.first_day, row.end_day)
        found.setdefault(row.pot, {})[row.first_day] = Account(
            span, row.amount, row.carried, row.spent, row.unrated
        )
    return found


def sees(scope: Scope, of: str, pot: Pot, there: Company) -> bool:
    """Say whether a pot is for who has this scope: all of its members are."""
    if scope.reach is Reach.ALL:
        return True
    if pot.members is None or not pot.members or scope.reach is Reach.NONE:
        return False
    keys = {there.aliases.get((scope.basis, key), key) for key in scope.keys}
    if of != "person":
        return scope.reach is Reach.ORGS and scope.basis == of and pot.members <= keys
    visible = {str(scope.party_id)}
    if scope.reach is Reach.ORGS:
        visible |= {str(one.id) for one in there.people if one.keys[scope.basis] in keys}
    return pot.members <= visible


def covers(scope: Scope, state: State, there: Company) -> bool:
    """Say whether every call that its figures are made of is in a scope: what was carried over
    tells of earlier periods."""
    if scope.reach is Reach.ALL:
        return True
    end = state.account.span.end
    span = Span(state.since, end) if state.budget.carry_over else state.account.span
    asked = (state.budget.of, span, state.pot.members)
    return there.spent(scope, *asked) == there.spent(EVERYTHING, *asked)


def shown(state: State, scope: Scope, there: Company) -> dict[str, Any]:
    """Return a state as who has this scope gets it: without what was spent where some of the calls
    are not in it."""
    one = state.account
    seen = covers(scope, state, there)
    return {
        "budget": state.budget.name,
        "of": state.budget.of,
        "member": state.pot.label,
        "period": state.budget.period,
        "from": day_date(one.span.first).isoformat(),
        "to": day_date(one.span.end).isoformat(),
        "amount": format_micros(one.amount),
        # What was left before tells what was spent before.
        "carried": format_micros(one.carried) if seen else None,
        "spent": format_micros(one.spent) if seen else None,
        "left": format_micros(one.left) if seen else None,
        "percent": one.percent if seen else None,
        "unrated": one.unrated if seen else None,
    }


def budget_rows(
    door: Door, budgets: Iterable[BudgetSettings], there: Company, *, past: bool = False
) -> list[dict[str, Any]]:
    """Return the state of budgets as who opened the door may see it, that of the current period or,
    with ``past``, of each period that is remembered."""
    rows = []
    for budget in budgets:
        for state in _history(budget, there) if past else states(budget, there):
            if (past or state.current) and sees(door.scope, budget.of, state.pot, there):
                rows.append(shown(state, door.scope, there))
    return rows


def _history(budget: BudgetSettings, there: Company) -> list[State]:
    """Return every period that is remembered, with what is known of the last ones now."""
    pots = {pot.key: pot for pot in pots_of(budget, there)[0]}
    people = {
        str(party): display_name or username
        for party, display_name, username in Party.select(
            Party.id, Party.display_name, Party.username
        ).tuples()
    }
    recent = {(one.pot.key, one.account.span.first): one for one in states(budget, there)}
    found = []
    for key, accounts in remembered_periods(budget.name).items():
        kind = (budget.of, key)
        label = people.get(key, key) if budget.of == "person" else there.labels.get(kind, key)
        members = frozenset({key}) if key != TOGETHER else None
        pot = pots.get(key) or Pot(key, label or budget.name, 0, members)
        for first, one in accounts.items():
            if (key, first) in recent:
                found.append(recent.pop((key, first)))
            else:
                found.append(State(budget, pot, one, current=False, since=min(accounts)))
    found += recent.values()
    return sorted(found, key=lambda one: (one.account.span.first, one.pot.label.casefold()))
