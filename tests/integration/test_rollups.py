"""Rollups are used, and equal the rows whatever happened to those."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from peewee import fn

from syncd.domain.days import Days, day_number
from syncd.reports.dimensions import DIMENSIONS
from syncd.reports.lookups import Lookups
from syncd.reports.permissions import Reach, Scope
from syncd.reports.query import Query
from syncd.reports.specification import Specification
from syncd.store import rollups
from syncd.store.database import open_database, write_transaction
from syncd.store.maintenance import verify
from syncd.store.models import (
    Call,
    DirtyDay,
    Profile,
    RolledDay,
    RolledMonth,
    RolledOpen,
    RolledPart,
)
from syncd.store.models import database as store
from syncd.store.rollups import (
    clean_days,
    clean_months,
    clean_open_days,
    clean_parts,
    ensure_zone,
    fields_are_summed,
    fields_changed,
    mark_dirty,
    rebuild,
    rebuild_beside,
    rebuild_day,
    rebuild_month,
)
from tests.generated_company import END, ROME, Company

KOLKATA = ZoneInfo("Asia/Kolkata")
WHOLE = (date(2026, 1, 1), date(2026, 5, 1))
MONTHLESS = (date(2026, 2, 2), date(2026, 2, 28))
EVERYTHING = Scope(Reach.ALL)
MOST = Scope(
    Reach.ORGS,
    1,
    "department",
    frozenset({"sales", "research", "re search", "legal", "purchasing"}),
)
"""Of the orgs; some people and all lines without a department are not in it."""


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    database = open_database("sqlite:///x.db", tmp_path)
    company = Company(seed=3, people=12, conversations=120)
    company.mark_all_dirty()
    yield company
    database.close()


def sums(
    dimensions: tuple[str, ...] = (),
    period: tuple[date, date] = WHOLE,
    filters: Any = (),
    scope: Scope = EVERYTHING,
    zone: ZoneInfo = ROME,
) -> dict[Any, Any]:
    specification = Specification("test", *period, dimensions, filters=filters)
    lookups = Lookups(Days(zone), *map(day_number, period))
    return Query(scope, specification, lookups).sums(dimensions)


@contextlib.contextmanager
def rows_alone() -> Iterator[None]:
    """Forget for a while which days and months are summed."""
    kept = [
        (model, list(model.select().tuples()))
        for model in (RolledDay, RolledMonth, RolledPart, RolledOpen)
    ]
    for model, _ in kept:
        model.delete().execute()
    yield
    for model, rows in kept:
        if rows:
            model.insert_many(rows).execute()


def without_rollups(*arguments: Any, **named: Any) -> dict[Any, Any]:
    """The same question to the rows alone."""
    with rows_alone():
        return sums(*arguments, **named)


QUESTIONS: list[tuple[str, ...]] = [(), *((name,) for name in DIMENSIONS)] + [
    ("department", "month"),
    ("destination", "class", "month"),
    ("line_id", "person", "direction"),
    ("carrier", "trunk", "weekday"),
    ("weekday", "hour", "department"),
    ("hour", "direction"),
]


def test_every_question_has_the_answer_of_the_rows(company: Company) -> None:
    rebuild(ROME, END, 1000)
    assert clean_months() == {202601, 202602, 202603}
    mark_dirty([20260215])
    boss = next(p for p in company.people if p.fields["department"])
    scopes = [
        EVERYTHING,
        Scope(Reach.OWN, boss.id),
        Scope(Reach.ORGS, boss.id, "department", frozenset({"sales", "nowhere"})),
        MOST,
    ]
    periods = [WHOLE, (date(2026, 2, 1), date(2026, 3, 1)), (date(2026, 1, 30), date(2026, 4, 2))]
    for scope in scopes:
        for period in periods:
            for filters in ((), (("class", ("mobile", "national")),), (("department", ("",)),)):
                answers = [sums(each, period, filters, scope) for each in QUESTIONS]
                with rows_alone():
                    assert answers == [sums(each, period, filters, scope) for each in QUESTIONS]


SMALLEST = [
    (("department",), "rollup_day_org", MONTHLESS),
    (("carrier",), "rollup_day_total", MONTHLESS),
    (("department", "trunk"), "rollup_day", MONTHLESS),
    (("department",), "rollup_month_org", WHOLE),
    (("trunk",), "rollup_month_total", WHOLE),
    (("department", "carrier"), "rollup_month", WHOLE),
    (("destination",), "rollup_destination_total", WHOLE),
    (("destination", "department"), "rollup_destination", WHOLE),
    (("weekday", "hour"), "rollup_hour_total", WHOLE),
    (("hour", "department"), "rollup_hour_org", WHOLE),
    (("hour", "department", "direction"), "rollup_hour", WHOLE),
    (("person", "month"), "rollup_person", WHOLE),
    (("line_id",), "rollup_party", WHOLE),
    (("custom1",), "rollup_field", WHOLE),
    (("custom2", "month"), "rollup_field", WHOLE),
    (("custom9",), "rollup_field", WHOLE),
    (("custom1", "custom2"), "rollup_party", WHOLE),
    (("custom1", "class"), "rollup_line", WHOLE),
    (("person", "class"), "rollup_line", WHOLE),
]


def test_clean_spans_are_answered_by_the_smallest_rollup(company: Company) -> None:
    rebuild(ROME, END, 1000)
    for dimensions, table, period in SMALLEST:
        honest = sums(dimensions, period)
        with store.atomic() as transaction:
            store.execute_sql(f"UPDATE {table} SET calls = calls + 1000")
            assert sums(dimensions, period) != honest, table
            transaction.rollback()
        assert sums(dimensions, period) == honest
    store.execute_sql("UPDATE rollup_party SET calls = calls + 1000")
    store.execute_sql("UPDATE rollup_line SET calls = calls + 1000")
    differences = verify(ROME)
    assert differences
    assert all("sum" in text for text in differences if not text.startswith("… and"))


def test_what_profiles_say_now_is_what_is_summed_by(company: Company) -> None:
    """Sums by a field stand under the first profile that says the same; who goes takes no text of
    others along."""
    rebuild(ROME, END, 1000)
    asked = ("custom1", "month")
    before = sums(asked)
    assert before == without_rollups(asked)
    # The first that says it is blanked, as when its person is made nameless.
    first = Profile.select().where(Profile.custom1 == "Gemini").order_by(Profile.id).first()
    assert Profile.select().where(Profile.custom1 == "Gemini").count() > 1
    with write_transaction():
        Profile.update(custom1="").where(Profile.id == first.id).execute()
        fields_changed()
    after = sums(asked)
    assert after == without_rollups(asked) != before
    assert "rollup_field" not in tables_read(asked, WHOLE)
    assert verify(ROME) == []
    assert rebuild(ROME, END) == 0
    assert "rollup_field" in tables_read(asked, WHOLE)
    assert sums(asked) == after
    assert sums(asked, scope=MOST) == without_rollups(asked, scope=MOST)
    assert verify(ROME) == []
    # Whoever forgets to say so is found.
    with write_transaction():
        Profile.update(custom1="Gemini").where(Profile.id == first.id).execute()
    assert any("rollup_field of 2026-" in text for text in verify(ROME))


def test_fields_that_change_while_they_are_summed_are_summed_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuild(ROME, END, 1000)
    genuine = rollups.derive

    def interrupted(*given: Any) -> None:
        genuine(*given)
        fields_changed()

    fields_changed()
    with monkeypatch.context() as patched:
        patched.setattr(rollups, "derive", interrupted)
        rebuild(ROME, END)
    assert not fields_are_summed()
    rebuild(ROME, END)
    assert fields_are_summed()


def test_a_dirty_day_is_read_from_its_rows_until_it_is_rebuilt(company: Company) -> None:
    rebuild(ROME, END, 1000)
    assert verify(ROME) == []
    row = Call.select().where(Call.state == 1, Call.counted == 1).order_by(Call.id).first()
    day = Days(ROME).day(row.started_at)
    before = sums()[()]
    with write_transaction():
        Call.update(cost=Call.cost + 5).where(Call.id == row.id).execute()
        mark_dirty([day])
    assert [b - a for a, b in zip(before, sums()[()], strict=True)].count(5) == 1
    assert day not in clean_days()
    assert day // 100 not in clean_months()
    assert rebuild(ROME, END) == 2
    assert day in clean_days()
    assert day // 100 in clean_months()
    assert [b - a for a, b in zip(before, sums()[()], strict=True)].count(5) == 1
    assert verify(ROME) == []
    assert rebuild(ROME, END) == 0


def test_a_day_rebuilt_makes_its_month_stale_at_once(company: Company) -> None:
    rebuild(ROME, END, 1000)
    mark_dirty([20260210, 20260310])
    assert clean_months() == {202601}
    rebuild_day(20260310, Days(ROME))
    assert 20260310 in clean_days()
    assert clean_months() == {202601}
    assert rebuild(ROME, END) == 3
    assert clean_months() == {202601, 202602, 202603}


def test_a_month_that_is_not_over_is_not_summed(company: Company) -> None:
    rebuild(ROME, int(END - 15 * 86_400), 1000)
    assert clean_months() == {202601, 202602}


def test_of_a_month_that_is_not_over_the_settled_days_are_summed(company: Company) -> None:
    """What no sum by day knows would be read from weeks of rows otherwise."""
    days = Days(ROME)
    now = days.start(20260320) + 5 * 3600  # the day before has not settled
    rebuild(ROME, now, 1000)
    assert clean_parts() == {202603: 20260319}
    march = (date(2026, 3, 1), date(2026, 4, 1))
    for dimensions in (("person",), ("hour", "weekday"), ("destination",)):
        for period in (march, (date(2026, 3, 1), date(2026, 3, 18)), WHOLE):
            assert sums(dimensions, period) == without_rollups(dimensions, period)
    assert "rollup_person" in tables_read(("person",), march)
    assert "rollup_person" not in tables_read(("person",), (march[0], date(2026, 3, 18)))
    # The day that has not settled stands beside the month in the same tables.
    assert clean_open_days() == {day for day in clean_days() if day >= 20260319}
    for dimensions in (("person", "month"), ("hour", "weekday"), ("destination",), ("custom1",)):
        for period in (
            (date(2026, 3, 19), date(2026, 3, 20)),
            (date(2026, 2, 1), date(2026, 3, 20)),
        ):
            asked = statements(partial(sums, dimensions, period))
            assert not any("SUM(counted)" in statement for statement, _ in asked)
            for filters in ((), (("month", ("2026-03",)),), (("month", ("2026-02",)),)):
                question = (dimensions, period, filters)
                assert sums(*question) == without_rollups(*question)
                most = sums(*question, scope=MOST)
                assert most == without_rollups(*question, scope=MOST)
    # A later day of the month does not touch what is summed, an earlier one does.
    mark_dirty([20260319])
    assert clean_parts() == {202603: 20260319}
    assert 20260319 not in clean_open_days()
    assert sums(("person",), march) == without_rollups(("person",), march)
    rebuild_day(20260319, days)
    assert 20260319 not in clean_open_days()
    assert sums(("person",), march) == without_rollups(("person",), march)
    assert rebuild_beside(20260319, days)
    assert 20260319 in clean_open_days()
    assert clean_parts() == {202603: 20260319}
    mark_dirty([20260318])
    assert clean_parts() == {}
    assert sums(("person",), march) == without_rollups(("person",), march)
    assert rebuild(ROME, now) == 2
    assert clean_parts() == {202603: 20260319}
    assert rebuild(ROME, now) == 0
    # The next day, and then the month being over.
    assert rebuild(ROME, now + 86_400) == 1
    assert clean_parts() == {202603: 20260320}
    assert min(clean_open_days(), default=20260320) >= 20260320
    assert verify(ROME) == []
    Call.update(duration=Call.duration + 1).where(
        Call.started_at >= days.start(20260320), Call.started_at < days.start(20260321)
    ).execute()
    assert any("rollup_line of 2026-03-20" in text for text in verify(ROME))
    Call.update(duration=Call.duration - 1).where(
        Call.started_at >= days.start(20260320), Call.started_at < days.start(20260321)
    ).execute()
    rebuild(ROME, END, 1000)
    assert not clean_open_days()
    assert clean_parts().keys() == {202604}
    assert 202603 in clean_months()


def test_most_orgs_are_all_without_the_others(company: Company) -> None:
    rebuild(ROME, END, 1000)
    for dimensions, coarse, fine in (
        (("carrier", "month"), "rollup_month_total", "rollup_month"),
        (("hour",), "rollup_hour_total", "rollup_hour_org"),
        (("hour", "direction"), "rollup_hour_total", "rollup_hour"),
        (("person",), "rollup_person", "rollup_party"),
        (("destination",), "rollup_destination_total", "rollup_destination"),
    ):
        assert {coarse, fine} <= tables_read(dimensions, WHOLE, scope=MOST)
        assert coarse not in tables_read((*dimensions, "department"), WHOLE, scope=MOST)
        few = Scope(Reach.ORGS, 1, "department", frozenset({"legal"}))
        assert coarse not in tables_read(dimensions, WHOLE, scope=few)


@pytest.mark.sqlite("the plans of SQLite are what its tables and indexes make certain")
def test_a_narrow_filter_is_answered_by_its_index(company: Company) -> None:
    """Not by that of everything in scope."""
    person = company.people[0].fields["display_name"]
    for scope, filters, wanted in (
        (EVERYTHING, (), "SEARCH call USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (MOST, (), "SEARCH call USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (EVERYTHING, (("department", ("legal",)),), "call_org_id_started_at (org_id=?"),
        (EVERYTHING, (("person", (person,)),), "call_party_id_started_at (party_id=?"),
        (MOST, (("person", (person,)),), "call_party_id_started_at (party_id=?"),
        (Scope(Reach.OWN, 3), (), "call_party_id_started_at (party_id=?"),
    ):
        asked = [
            said
            for said in statements(partial(sums, ("side",), WHOLE, filters, scope))
            if "FROM call " in said[0] and "GROUP BY" in said[0]
        ]
        plans = [
            row[3]
            for statement, given in asked
            for row in store.execute_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        ]
        assert asked
        assert any(wanted in plan for plan in plans), plans
        assert not any(re.fullmatch(r"SCAN call\b.*", plan) for plan in plans), plans


@pytest.mark.sqlite("the plans of SQLite are what its tables and indexes make certain")
def test_rows_that_lie_far_apart_are_looked_up(company: Company) -> None:
    """Calls of long ago that came late are beside others in the file."""
    honest = sums(("side", "month"))
    last = Call.select(fn.MAX(Call.id)).scalar()
    first = Call.select().order_by(Call.started_at).first()
    store.execute_sql("UPDATE call SET id = ? WHERE id = ?", (last * 8 + first.side, first.id))
    asked = [s for s, _ in statements(partial(sums, ("side",))) if "GROUP BY" in s]
    assert all("org_id IN (SELECT id FROM org)" in statement for statement in asked)
    assert sums(("side", "month")) == honest


def test_rows_are_told_apart_by_month_without_grouping_them_by_time(company: Company) -> None:
    asked = [
        statement
        for statement, _ in statements(partial(sums, ("side", "month")))
        if "FROM call " in statement and "GROUP BY" in statement
    ]
    assert len(asked) == 4
    assert not any("started_at /" in statement for statement in asked)
    # A day beside it, or an hour, is of the quarter of an hour.
    by_day = sums(("day", "month"))
    assert {day // 100 for day, _ in by_day} == {month for _, month in by_day}
    assert all(day // 100 == month for day, month in by_day)


def test_a_department_is_found_by_itself_where_all_are_in_scope(company: Company) -> None:
    (asked,) = [
        statement
        for statement, _ in statements(
            partial(sums, ("side",), WHOLE, (("department", ("legal",)),), EVERYTHING)
        )
        if "FROM call " in statement and "GROUP BY" in statement
    ]
    assert "SELECT id FROM org" not in asked


def tables_read(dimensions: tuple[str, ...], period: tuple[date, date], **more: Any) -> set[str]:
    """Return the tables that a question reads call figures from."""
    return {
        match.group(1)
        for statement, _ in statements(lambda: sums(dimensions, period, **more))
        for match in re.finditer(r"FROM (call\b|rollup_\w+)", statement)
    }


def statements(question: Callable[[], object]) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the SQL that a question runs, each with its parameters."""
    said: list[tuple[str, tuple[Any, ...]]] = []
    opened = store.obj
    genuine = opened.execute_sql

    def execute_sql(sql: str, params: Any = None) -> Any:
        said.append((sql, tuple(params or ())))
        return genuine(sql, params)

    opened.execute_sql = execute_sql
    try:
        question()
    finally:
        del opened.execute_sql
    return said


def test_a_month_that_is_touched_while_it_is_summed_is_left(company: Company) -> None:
    rebuild(ROME, END, 1000)
    mark_dirty([20260210])
    assert rebuild_month(202602, Days(ROME)) is False
    assert rebuild_beside(20260210, Days(ROME)) is False


def test_writers_that_forget_the_mark_are_found(company: Company) -> None:
    rebuild(ROME, END, 1000)
    Call.update(duration=Call.duration + 1).where(Call.id == company.rows[0].id).execute()
    differences = verify(ROME)
    assert any("the sums of 2026-" in text for text in differences)
    assert any("rollup_line of 2026-" in text for text in differences)


def test_another_zone_makes_every_day_dirty(company: Company) -> None:
    rebuild(ROME, END, 1000)
    assert ensure_zone(ROME) is False
    # Before anybody has moved the days, sums of Roman days must not answer for Indian ones.
    by_day = without_rollups(("day",), zone=KOLKATA)
    assert sums(("day",), zone=KOLKATA) == by_day
    assert sums(("day",)) != by_day
    assert ensure_zone(KOLKATA) is True
    assert clean_days() == set()
    rebuild(KOLKATA, END, 1000)
    assert DirtyDay.select().count() == 0
    assert sums(("day",), zone=KOLKATA) == by_day
    assert verify(KOLKATA) == []


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_changes_and_rebuilds_gives_the_sums_of_the_rows(
    company: Company, seed: int
) -> None:
    chance = random.Random(seed)
    days = Days(ROME)
    # Calls come while a month goes on: its last days stand beside it, the clock may be late, too.
    now = days.start(20260310)
    for _ in range(40):
        deed = chance.randrange(6)
        if deed > 3:
            now += chance.choice([3600, 6 * 3600, 86_400, 9 * 86_400])
            continue
        if deed == 0:
            rebuild(ROME, now, chance.choice([1, 5, 100]))
            assert not any("sum" in text for text in verify(ROME))
            continue
        row = chance.choice(list(Call.select()))
        with write_transaction():
            if deed == 1:
                Call.delete().where(Call.id == row.id).execute()
            elif deed == 2:
                Call.update(party_id=0, profile_id=0, org_id=0).where(Call.id == row.id).execute()
            else:
                Call.update(duration=chance.randrange(900)).where(Call.id == row.id).execute()
            mark_dirty([days.day(row.started_at)])
        dimensions = chance.choice(QUESTIONS)
        assert sums(dimensions) == without_rollups(dimensions)
    rebuild(ROME, END, 1000)
    assert not any("sum" in text for text in verify(ROME))


def test_without_rows_there_is_nothing_to_do(tmp_path: Path) -> None:
    database = open_database("sqlite:///empty.db", tmp_path)
    assert rebuild(ROME, END) == 0
    assert sums(("department",)) == {}
    assert verify(ROME) == []
    database.close()
