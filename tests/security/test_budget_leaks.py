"""Budgets of every viewer against a brute-force oracle: no pot and no figure too many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from syncd.domain.errors import UserError
from syncd.domain.money import format_micros
from syncd.reports.budgets import budget_rows, company
from syncd.reports.scope import Policy, open_door
from syncd.settings.finance import BudgetSettings
from syncd.store.database import open_database
from syncd.store.models import Party
from syncd.store.rollups import rebuild
from tests.generated_company import END, ROME, Company, Person, Row, key

POLICY = Policy("cost_center")
"""Not the default basis, so that nobody gets the default by accident."""
NOW = END - 40 * 86_400


def budget(of: str, **options: Any) -> BudgetSettings:
    given: dict[str, Any] = {
        "name": of,
        "of": of,
        "mode": "same",
        "period": "month",
        "amount": 10_000_000,
        "members": (),
        "departments": (),
        "cost_centers": (),
        "amounts": (),
        "carry_over": False,
        "thresholds": (),
        "notify": (),
    }
    return BudgetSettings(**{**given, **options})


BUDGETS = [budget("person"), budget("department"), budget("cost_center")]


@pytest.fixture(scope="module", params=[True, False])
def generated(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Company]:
    database = open_database("sqlite:///leaks.db", tmp_path_factory.mktemp("budgets"))
    made = Company(seed=11)
    if request.param:
        made.mark_all_dirty()
        rebuild(ROME, END, 1000)
    yield made
    database.close()


def visible(person: Person | None, row: Row) -> bool:
    """Level and place are the viewer's of today, the row's as of the call."""
    if person is None:
        return True
    fields = person.fields
    level = fields["permission_level"]
    if level in (8, 10):
        return True
    if level in (2, 6) and row.party == person.id:
        return True
    if level != 6:
        return False
    basis = fields["level6_basis"] or POLICY.level6_basis
    mine = {key(fields[basis])}
    if basis == "department":
        mine |= {key(name) for name in fields["additional_departments"].split(";")}
    theirs = key(row.texts.get(basis, ""))
    return theirs != "" and theirs in mine


def in_period(row: Row, first: date, end: date) -> bool:
    return first <= datetime.fromtimestamp(row.started_at, ROME).date() < end


def sees_member(viewer: Person, of: str, member: str, people: dict[str, Person]) -> bool:
    """Say whether a member is the viewer's business, by the fields of today alone."""
    fields = viewer.fields
    level = fields["permission_level"]
    if level in (8, 10):
        return True
    if of == "person" and member == str(viewer.id) and level in (2, 6):
        return True
    if level != 6:
        return False
    basis = fields["level6_basis"] or POLICY.level6_basis
    mine = {key(fields[basis])}
    if basis == "department":
        mine |= {key(name) for name in fields["additional_departments"].split(";")}
    if of == "person":
        theirs = key(people[member].fields[basis])
    elif of == basis:
        theirs = member
    else:
        return False
    return theirs != "" and theirs in mine


def member_of(row: Row, of: str) -> str:
    return str(row.party or "") if of == "person" else key(row.texts.get(of, ""))


def test_every_viewer_gets_their_pots_and_what_they_may_see_of_them(generated: Company) -> None:
    there = company(ROME, NOW)
    first = min(state["from"] for state in all_rows(BUDGETS))
    begin = date.fromisoformat(first)
    end = date(begin.year, begin.month + 1, 1)
    rows = [row for row in generated.rows if in_period(row, begin, end)]
    assert rows
    people = {str(person.id): person for person in generated.people}
    present = {str(person.id): person for person in there.people}
    seen_kinds: dict[str, int] = defaultdict(int)
    for viewer in generated.people:
        name = viewer.fields["username"]
        if Party.get_by_id(viewer.id).departed_at is not None:
            continue
        try:
            door = open_door(name, "budgets", "", POLICY, NOW)
        except UserError:
            assert viewer.fields["permission_level"] == 0 or not viewer.fields["enabled"]
            continue
        for one in BUDGETS:
            got = {}
            for state in budget_rows(door, [one], there):
                assert state["member"] not in got or one.of == "person"
                got.setdefault(state["member"], []).append(state)
            wanted: dict[str, list[str | None]] = defaultdict(list)
            members = present if one.of == "person" else members_of(rows, there.people, one.of)
            for member in members:
                if not sees_member(viewer, one.of, member, people):
                    continue
                about = [row for row in rows if member_of(row, one.of) == member]
                whole = all(visible(viewer, row) for row in about)
                spent = sum(row.cost or 0 for row in about)
                label = label_of(member, one.of, there)
                wanted[label].append(format_micros(spent) if whole else None)
                seen_kinds["whole" if whole else "hidden"] += 1
            assert {label: sorted(map(str, spent)) for label, spent in wanted.items()} == {
                label: sorted(str(state["spent"]) for state in states)
                for label, states in got.items()
            }, (name, one.of)
    assert min(seen_kinds["whole"], seen_kinds["hidden"]) > 0


def all_rows(budgets: list[BudgetSettings]) -> list[dict[str, Any]]:
    return budget_rows(open_door(None, "budgets", "", Policy(), NOW), budgets, company(ROME, NOW))


def members_of(rows: list[Row], people: Any, of: str) -> set[str]:
    found = {key(row.texts.get(of, "")) for row in rows} | {one.keys[of] for one in people}
    return found - {""}


def label_of(member: str, of: str, there: Any) -> str:
    if of == "person":
        return next(one.label for one in there.people if str(one.id) == member)
    return str(there.labels.get((of, member), member))
