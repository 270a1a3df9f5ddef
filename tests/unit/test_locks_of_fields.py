"""Locked fields, and the proposal to rename."""

from __future__ import annotations

import pytest

from syncd.directory.people.locks import without_locked
from syncd.directory.people.proposals import proposals
from syncd.directory.plan import Current, PartyRow, Terms
from syncd.directory.reconcile import plan
from syncd.domain.party import PARTY_FIELDS, PartyState, default_value


def row(number: int, **fields: str) -> PartyRow:
    stored = {name: default_value(name) for name in PARTY_FIELDS}
    return PartyRow(number, f"id-{number}", stored | {"display_name": f"P{number}"} | fields)


def state(number: int, **fields: str) -> PartyState:
    return PartyState(f"id-{number}", dict(fields), f"cn={number}")


LOCKS = {"id-1": {"department": "on loan"}}


def test_a_locked_field_is_left_out_and_told() -> None:
    rows = [row(1, department="Legal"), row(2, department="Legal")]
    wanted = [state(1, department="Sales", mail="a@b"), state(2, department="Sales")]
    left, warnings = without_locked(wanted, rows, LOCKS)
    assert [one.fields for one in left] == [{"mail": "a@b"}, {"department": "Sales"}]
    assert wanted[0].fields["department"] == "Sales"  # another attempt reads it again
    (warning,) = warnings
    assert warning.warning
    assert str(warning) == (
        "cn=1: department of P1 is locked (on loan): 'Legal' stays, the directory says 'Sales'"
    )


def test_a_lock_with_which_the_directory_agrees_is_not_told() -> None:
    left, warnings = without_locked(
        [state(1, department="Legal")], [row(1, department="Legal")], LOCKS
    )
    assert left[0].fields == {}
    assert warnings == []


def test_a_lock_of_somebody_who_is_not_stored() -> None:
    wanted = [state(1, department="Sales")]
    assert without_locked(wanted, [], LOCKS) == (wanted, [])


def proposed(before: dict[int, str], after: dict[int, str], **aliases: str) -> list[str]:
    current = Current([row(number, department=name) for number, name in before.items()])
    wanted = [state(number, department=name) for number, name in after.items()]
    known = {("department", key): into for key, into in aliases.items()}
    found = proposals(current, plan(current, wanted, Terms(100)), known)
    return [problem.what for problem in found]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({1: "B", 2: "B", 3: "A"}, ["2 of 3 people of the department 'A' are in 'B' now"]),
        ({1: "B", 2: "B", 3: "B"}, ["3 of 3 people of the department 'A' are in 'B' now"]),
        ({1: "B", 2: "C", 3: "A"}, []),
        ({1: "B", 2: "A", 3: "A"}, []),
        ({1: "", 2: "", 3: ""}, []),
        ({1: "a", 2: "a", 3: "a"}, []),
    ],
)
def test_more_than_half_who_change_to_one_name(after: dict[int, str], expected: list[str]) -> None:
    assert proposed({1: "A", 2: "A", 3: "A"}, after) == expected


def test_exactly_half_is_not_most_and_one_person_is_no_department() -> None:
    assert proposed({1: "A", 2: "A"}, {1: "B", 2: "A"}) == []
    assert proposed({1: "A"}, {1: "B"}) == []
    assert proposed(dict.fromkeys(range(1, 5), "A"), {1: "B", 2: "B", 3: "A", 4: "A"}) == []


def test_names_that_are_one_already_are_not_proposed() -> None:
    assert proposed({1: "A", 2: "A"}, {1: "B", 2: "B"}, a="b") == []
    assert proposed({1: "A", 2: "A"}, {1: "B", 2: "B"}, b="a") == []


def test_the_hint_is_a_command() -> None:
    current = Current([row(n, cost_center="C 1") for n in (1, 2)])
    wanted = [state(n, cost_center="C 2") for n in (1, 2)]
    (problem,) = proposals(current, plan(current, wanted, Terms(100)), {})
    assert problem.hint == (
        "if it was renamed: syncd department rename --kind cost-center 'C 1' 'C 2'"
    )
