"""What keeps reports fast where there are many rows: which tables and indexes they read, and how
lists look for rows that no index finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from syncd.domain.days import Days, day_number
from syncd.reports import lists, search_windows
from syncd.reports.environment import Environment
from syncd.reports.lookups import FEW, Lookups, Rows
from syncd.reports.request import Request, specify
from syncd.reports.run import open_report
from syncd.reports.scope import Policy, open_door
from syncd.store.database import open_database
from syncd.store.models import Party
from syncd.store.rollups import rebuild
from tests.generated_company import END, ROME, Company
from tests.integration.test_rollups import statements

THERE = Environment(ROME, {}, END, "EUR")
PERIOD = {"first": "2026-01-01", "end": "2026-05-01"}


@pytest.fixture(scope="module")
def company(tmp_path_factory: Any) -> Iterator[Company]:
    database = open_database("sqlite:///scale.db", tmp_path_factory.mktemp("scale"))
    company = Company(seed=5, people=FEW + 20, conversations=200)
    company.mark_all_dirty()
    rebuild(ROME, END, 1000)
    yield company
    database.close()


def ask(
    request: dict[str, Any], environment: Environment = THERE, who: str | None = None
) -> tuple[list[dict[str, Any]], dict[str, Any], list[str], dict[str, Any]]:
    """Return rows, totals, notes and facts of a list."""
    specification = specify(Request("calls", **PERIOD, **request), environment)
    door = open_door(who, "calls", specification.text(), Policy(), END)
    with open_report(door, specification, environment) as result:
        rows = list(result.rows)
        return rows, result.totals, result.notes, result.facts


SHORT = pytest.mark.sqlite("a question for each day of years takes a server minutes")


@pytest.mark.parametrize("soon", [pytest.param(0.0, marks=SHORT), 3600.0])
def test_a_search_says_how_far_it_looked_and_finds_what_a_list_of_all_has(
    company: Company, soon: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long its windows are."""
    monkeypatch.setattr(search_windows, "SOON", soon)
    monkeypatch.setattr(search_windows, "LATE", soon)
    told: list[date] = []
    rows, _, _, facts = ask(
        {"filters": ("duration>590",), "limit": 100_000}, replace(THERE, looked=told.append)
    )
    wanted = [row for row in ask({})[0] if row["duration"] > 590]
    assert rows == wanted
    assert rows
    assert told == sorted(told, reverse=True)
    first = min(row.started_at for row in company.rows)
    assert facts["searched_back_to"] == told[-1].isoformat()
    assert day_number(told[-1]) == Days(ROME).day(first)
    assert len(told) > (50 if soon == 0.0 else 3)


def test_an_indexed_filter_is_no_search(company: Company) -> None:
    name = company.people[0].fields["display_name"]
    for filters in ((), (f"person={name}",), ("department=sales",)):
        rows, _, _, facts = ask({"filters": filters, "limit": 100_000})
        assert rows
        assert "searched_back_to" not in facts


def test_a_page_of_a_search_has_no_totals_unless_sums_have_them(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would look at every row before the first is shown."""
    assert ask({"filters": ("duration>590",), "limit": 3})[1] != {}
    monkeypatch.setattr(lists, "FEW_ROWS", len(company.rows) - 1)
    assert ask({"filters": ("duration>590",), "limit": 3})[1] == {}
    assert "without --limit" in ask({"filters": ("duration>590",), "limit": 3})[2][0]
    whole = ask({"filters": ("duration>590",)})
    assert whole[1]["rows"] == len(whole[0])
    summed = ask({"filters": ("class=mobile",), "limit": 3})
    assert summed[1]["rows"] == len(ask({"filters": ("class=mobile",)})[0])
    person = company.people[0].fields["display_name"]
    narrow = ask({"filters": ("duration>300", f"person={person}"), "limit": 3})
    assert narrow[1]["rows"] >= len(narrow[0])


def test_few_names_are_read_one_by_one(company: Company) -> None:
    lookups = Lookups(Days(ROME), 20260101, 20260501)

    def labels() -> None:
        for person in company.people[:5]:
            assert lookups.label("person", person.id) == person.fields["display_name"]
        assert lookups.label("person", 999_999) is None

    said = [statement for statement, _ in statements(labels)]
    assert len(said) == 6
    assert all(" WHERE id = " in statement for statement in said)
    for person in company.people:
        assert lookups.label("username", person.id) == person.fields["username"]
    assert lookups.label("person", 999_998) is None


def test_rows_are_the_same_one_by_one_and_whole(company: Company) -> None:
    names = Rows("SELECT id, username FROM party", tuple, ("nobody",))
    wanted = dict(Party.select(Party.id, Party.username).tuples())
    assert {key: names[key][0] for key in wanted} == wanted
    assert names[999_999] == ("nobody",)
    assert {key: value[0] for key, value in names.whole().items()} == wanted
