"""The guard: what passes, what is refused, and with which numbers."""

from __future__ import annotations

from itertools import product

import pytest

from syncd.directory.guard import Limits, Measure, measures, objections, passes, raised, weigh
from syncd.directory.plan import Current, Holding, OpenProfile, PartyRow, Plan, Terms
from syncd.directory.reconcile import plan
from syncd.domain.codes import Role
from syncd.domain.party import PARTY_FIELDS, FieldValue, Line, PartyState, default_value

NOW = 1_000_000


@pytest.mark.parametrize(
    ("count", "concerned", "passing"),
    [
        (0, 0, True),
        (10, 100, True),  # ten percent
        (11, 100, False),
        (5, 10, True),  # a handful, and half of them
        (5, 9, False),
        (6, 20, False),
        (1, 2, True),
        (2, 3, False),
    ],
)
def test_percent_or_a_handful(count: int, concerned: int, passing: bool) -> None:
    for departures in (True, False):
        assert passes(Measure("", count, concerned, departures), 10, 0) is passing


def test_a_single_change_passes_a_single_departure_of_one_does_not() -> None:
    assert passes(Measure("", 1, 1), 10, 0)
    assert not passes(Measure("", 1, 1, departures=True), 10, 0)


def test_accepting_lets_that_many_through_and_no_more() -> None:
    for count, accepted in product(range(20, 25), range(20, 25)):
        assert passes(Measure("", count, 40), 10, accepted) is (count <= accepted)


def test_percentages_can_be_changed() -> None:
    assert passes(Measure("", 50, 100), 50, 0)
    assert not passes(Measure("", 6, 100), 0, 0)


def company(size: int, **fields: FieldValue) -> Current:
    """Return so many people with an extension each."""
    defaults = {name: default_value(name) for name in PARTY_FIELDS}
    parties, holdings = [], []
    for number in range(1, size + 1):
        own = {"first_extension": str(2000 + number), "bill_first_extension": True} | fields
        row = PartyRow(number, str(number), defaults | own, profile=OpenProfile(number, (), 0))
        parties.append(row)
        line = Line("", str(row.fields["partition"]), str(row.fields["first_extension"]))
        holdings.append(Holding(number, number, Role.FIRST, line, True, False, 0))
    return Current(parties, {}, holdings, [])


def after(current: Current, changed: int, **fields: FieldValue) -> Plan:
    """Return the plan when the first so many people have these fields."""
    wanted = [
        PartyState(row.external_id, row.fields | (fields if row.id <= changed else {}))
        for row in current.parties
    ]
    return plan(current, wanted, Terms(NOW))


def refused(current: Current, decided: Plan, limits: Limits | None = None) -> list[str]:
    return [problem.what for problem in objections(current, decided, limits or Limits(), "corp")]


def test_departures() -> None:
    current = company(40)
    wanted = [PartyState(row.external_id, row.fields) for row in current.parties]
    for leaving, expected in ((4, []), (5, []), (6, ["6 of 40 people would leave"])):
        decided = plan(current, wanted[leaving:], Terms(NOW, grace=100))
        assert [what.split(", more")[0] for what in refused(current, decided)] == expected
    assert not refused(current, decided, Limits(accept_departures=6))
    assert refused(current, decided, Limits(accept_departures=5, accept_changes=99))
    [problem] = objections(current, decided, Limits(), "corp")
    assert problem.hint.endswith("syncd sync corp --accept-departures 6")


def test_those_who_left_before_are_not_concerned() -> None:
    current = company(12)
    gone = [PartyRow(99, "99", current.parties[0].fields, departed_at=1, closed_at=2)] * 100
    current.parties.extend(gone)
    assert measures(current, Plan())[0].concerned == 12


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"first_extension": ""}, ["6 of 40 numbers", "6 of 40 values of first_extension"]),
        ({"first_extension": "9999"}, ["6 of 40 numbers"]),
        ({"bill_first_extension": False}, ["6 of 40 billing flags"]),
        ({"department": ""}, ["6 of 40 values of department"]),
        ({"masked_digits": 0}, ["6 of 40 values of masked_digits"]),
        ({"additional_departments": ()}, ["6 of 40 values of additional_departments"]),
        ({"department": "IT"}, []),
        ({"partition": "Q"}, []),  # the number stays
        ({"enabled": False}, []),
        ({"permission_level": 2}, []),
    ],
)
def test_what_those_who_stay_lose(fields: dict[str, FieldValue], expected: list[str]) -> None:
    current = company(40, department="Sales", masked_digits=3, additional_departments=("IT",))
    decided = after(current, 6, **fields)
    found = refused(current, decided)
    assert [what.split(" would")[0] for what in found] == expected
    assert not refused(current, decided, Limits(accept_changes=6))
    assert not refused(current, after(current, 4, **fields))


def test_a_number_that_moves_to_another_role_is_not_lost() -> None:
    current = company(40)
    wanted = [
        PartyState(
            row.external_id,
            row.fields
            | {
                "first_extension": str(3000 + row.id),
                "extension_alias": (str(row.fields["first_extension"]),),
            },
        )
        for row in current.parties
    ]
    assert not refused(current, plan(current, wanted, Terms(NOW)))


def test_raised_to_a_high_level() -> None:
    current = company(40)
    for level, count in ((8, 4), (10, 4), (6, 0)):
        decided = after(current, 4, permission_level=level)
        assert raised(current, decided) == count
    decided = after(current, 4, permission_level=8)
    assert refused(current, decided) == ["4 people would be raised to level 8 or 10, more than 3"]
    assert not refused(current, decided, Limits(accept_changes=4))
    assert not refused(current, after(current, 3, permission_level=10))
    high = company(40, permission_level=10)
    assert raised(high, after(high, 4, permission_level=8)) == 0


def test_newcomers_with_a_high_level_count_too() -> None:
    current = company(40)
    wanted = [PartyState(row.external_id, row.fields) for row in current.parties]
    wanted += [PartyState(f"new{n}", {"permission_level": 10}) for n in range(4)]
    assert raised(current, plan(current, wanted, Terms(NOW))) == 4


def test_every_check_says_its_numbers() -> None:
    current = company(40, department="Sales", bill_fax=True)
    decided = after(
        current,
        10,
        first_extension="",
        bill_first_extension=False,
        department="",
        permission_level=8,
    )
    told = [verdict.as_dict() for verdict in weigh(current, decided, Limits(accept_changes=9))]
    assert [(one["check"], one["field"], one["count"], one["of"]) for one in told] == [
        ("departures", None, 0, 40),
        ("numbers", None, 10, 40),
        ("flags", None, 10, 80),
        ("fields", "department", 10, 40),
        ("fields", "first_extension", 10, 40),
        ("levels", None, 10, 40),
    ]
    assert [one["passes"] for one in told] == [True, False, False, False, False, False]
    accepted = weigh(current, decided, Limits(accept_changes=10))
    assert all(verdict.passes for verdict in accepted)
    assert [one["limit"] for one in told[:2]] == ["10% or 5", "10% or 5"]
