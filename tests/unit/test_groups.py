"""Rows of sums, whatever the groups: nothing is lost in the others or between sub-totals, and what is
derived is rounded once."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.reports.dimensions import MEASURES
from syncd.reports.groups import KIND, SUBTOTAL, Table, added
from syncd.reports.measures import figures, number, rounded, shown
from syncd.reports.specification import Specification

NAMES = ("department", "site")
AMOUNTS = st.fixed_dictionaries(dict.fromkeys(MEASURES, st.integers(-5, 10**6)))
KEYS = st.tuples(*(st.none() | st.sampled_from("abcd") for _ in NAMES))
GROUPS = st.dictionaries(KEYS, st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=12)
SORTS = st.sampled_from(
    [(), ("-cost",), ("calls",), ("site", "-department"), ("-cost_share",), ("calls_previous",)]
)
MEASURED = ("calls", "cost", "cost_share", "average_cost")


def table(groups: Any, **asked: Any) -> list[dict[str, Any]]:
    specification = Specification(
        "test",
        date(2026, 1, 1),
        date(2026, 2, 1),
        NAMES,
        MEASURED,
        compare=("previous",),
        **asked,
    )
    columns = figures(MEASURED, ("previous",))
    return Table(specification, columns, added(groups.values()), lambda _, key: key).rows(groups)


@given(GROUPS, SORTS, st.integers(1, 14))
def test_the_others_are_what_is_missing(groups: Any, sort: tuple[str, ...], top: int) -> None:
    rows = table(groups, sort=sort, top=top)
    assert len(rows) == min(len(groups), top + 1)
    for place, name in ((0, "calls"), (1, "calls_previous")):
        assert sum(row[name] for row in rows) == sum(
            of_group[place]["calls"] for of_group in groups.values()
        )
    whole = table(groups, sort=sort or ("-cost",))
    assert rows[:top] == whole[:top]


@given(GROUPS, SORTS)
def test_subtotals_are_the_groups_before_them(groups: Any, sort: tuple[str, ...]) -> None:
    rows = table(groups, sort=sort, subtotals=True)
    plain = [row for row in rows if KIND not in row]
    assert sorted(map(str, plain)) == sorted(map(str, table(groups)))
    since, seen = [], []
    for row in rows:
        if row.get(KIND) == SUBTOTAL:
            assert row["calls"] == sum(one["calls"] for one in since)
            assert {one["department"] for one in since} == {row["department"]}
            seen.append(row["department"])
            since = []
        else:
            since.append(row)
    assert since == []
    assert len(seen) == len(set(seen))


@given(GROUPS, st.sampled_from(["calls", "cost", "average_cost", "cost_share", "site"]))
def test_any_order_is_one_of_the_same_rows(groups: Any, name: str) -> None:
    rising, falling = table(groups, sort=(name,)), table(groups, sort=(f"-{name}",))
    plain = sorted(map(str, table(groups)))
    assert sorted(map(str, rising)) == sorted(map(str, falling)) == plain
    there = [row[name] is not None for row in rising]
    assert there == sorted(there, reverse=True)
    assert [row[name] is not None for row in falling] == there


@given(st.fractions(-(10**6), 10**6))
def test_what_is_shown_is_the_nearest(value: Fraction) -> None:
    whole = rounded(value)
    assert abs(whole - value) <= Fraction(1, 2)
    assert rounded(-value) == -whole
    if abs(whole - value) == Fraction(1, 2):
        assert abs(whole) > abs(value)


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_a_change_is_a_difference_and_a_percentage(now: int, before: int) -> None:
    sums = [dict.fromkeys(MEASURES, now), dict.fromkeys(MEASURES, before)]
    by_name = {one.name: one for one in figures(("calls",), ("year",))}
    values = {name: shown(one, number(one, sums, sums)) for name, one in by_name.items()}
    assert values["calls_year_change"] == now - before
    percent = values["calls_year_percent"]
    if not before:
        assert percent is None
    else:
        exact = Fraction(100 * (now - before), abs(before))
        assert abs(Fraction(percent) - exact) <= Fraction(1, 20)
        assert "." in percent
        assert percent != "-0.0"
