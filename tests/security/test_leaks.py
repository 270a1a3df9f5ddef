"""Every viewer × every output against a brute-force oracle: no row more, no row fewer, no digit."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from syncd.domain.errors import UserError
from syncd.reports.catalogue.standard import find_report
from syncd.reports.comparisons import parse_conditions
from syncd.reports.environment import Environment
from syncd.reports.render.csv import write_csv
from syncd.reports.render.json import write_json
from syncd.reports.run import open_report
from syncd.reports.scope import Policy, open_door
from syncd.reports.specification import Specification
from syncd.store.database import open_database
from syncd.store.models import AccessLog, Party
from syncd.store.rollups import rebuild
from tests.generated_company import END, ROME, Company, Person, Row, key

CUSTOM = {"custom1": "Project", "custom2": "Team"}
POLICY = Policy("cost_center")
"""Not the default basis, so that nobody gets the default by accident."""
PERIODS = [
    (date(2026, 1, 1), date(2026, 5, 1)),
    (date(2026, 2, 1), date(2026, 3, 1)),
    (date(2026, 2, 14), date(2026, 3, 30)),
]


@pytest.fixture(scope="module", params=["rolled", "partly rolled", "rows alone"])
def company(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Company]:
    database = open_database("sqlite:///leaks.db", tmp_path_factory.mktemp("leaks"))
    database.pragma("synchronous", 0)  # nobody pulls the plug of a test
    company = Company(seed=7)
    if request.param != "rows alone":
        company.mark_all_dirty()
        rebuild(ROME, END, 1000 if request.param == "rolled" else 30)
    yield company
    database.close()


# --- the oracle: the rules once more, over plain values -----------------------------------------


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


def reasons(person: Person | None, row: Row) -> set[str]:
    """Return by which rules a viewer of level 6 sees a row: the test must meet each of them."""
    if person is None or person.fields["permission_level"] != 6:
        return set()
    level_two = Person(person.id, {**person.fields, "permission_level": 2})
    alone = Person(0, {**person.fields, "additional_departments": ""})
    found = set()
    if visible(level_two, row) and not visible(Person(0, person.fields), row):
        found.add("own, of a former place")
    if visible(Person(0, person.fields), row) and not visible(alone, row):
        found.add("additional department")
    if visible(alone, row):
        found.add(person.fields["level6_basis"] or "default basis")
    return found


def masked(person: Person | None, row: Row) -> str | None:
    digits = person.fields["masked_digits"] if person else 0
    text = ""
    for character in reversed(row.number):
        if row.outside and digits and character in "0123456789":
            digits -= 1
            character = "*"
        text = character + text
    return text or None


def in_period(row: Row, first: date, end: date) -> bool:
    return first <= datetime.fromtimestamp(row.started_at, ROME).date() < end


def totals(rows: list[Row]) -> dict[str, Any]:
    cost = sum(row.cost or 0 for row in rows)
    text = f"{cost // 10**6}.{cost % 10**6:06d}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return {
        "calls": sum(row.counted for row in rows),
        "answered": sum(row.outcome == "answered" for row in rows),
        "missed": sum(row.outcome == "missed" for row in rows),
        "unanswered": sum(row.outcome == "unanswered" for row in rows),
        "duration": sum(row.duration for row in rows),
        "cost": f"{whole}.{decimals.ljust(2, '0')}",
    }


GROUPS = {
    "by-person": lambda row: row.party or None,
    "by-department": lambda row: key(row.texts.get("department", "")) or None,
    "by-cost-center": lambda row: key(row.texts.get("cost_center", "")) or None,
    "by-office-location": lambda row: key(row.texts.get("office_location", "")) or None,
    "by-destination": lambda row: (row.destination or None, row.number_class),
    "by-line": lambda row: (row.line_id, row.party),
    "by-custom1": lambda row: key(row.texts.get("custom1", "")) or None,
    "summary": lambda row: (row.direction, row.number_class),
}


def group_key(report: str, row: dict[str, Any], names: dict[int, str]) -> Any:
    """Find the oracle's group again in a report's row."""
    if report == "by-person":
        assert row["party"] is None or row["person"] == names[row["party"]]
        return row["party"]
    if report == "by-destination":
        return (row["destination"], row["class"])
    if report == "summary":
        return (row["direction"], row["class"])
    name = {"by-custom1": "custom1"}.get(report, report[3:].replace("-", "_"))
    return None if row[name] is None else key(row[name])


# --- the program ---------------------------------------------------------------------------------


def produce(
    who: str | None, report: str, first: date, end: date, form: str = "json", **more: Any
) -> Any:
    filters = parse_conditions(more.pop("filters", ()), CUSTOM)[0]
    dimensions = more.pop("dimensions", None) or find_report(report, CUSTOM).dimensions
    specification = Specification(report, first, end, dimensions, filters=filters, **more)
    door = open_door(who, report, specification.text(), POLICY, END)
    stream = io.StringIO()
    with open_report(door, specification, Environment(ROME, CUSTOM)) as result:
        (write_json if form == "json" else write_csv)(result, stream)
    return json.loads(stream.getvalue()) if form == "json" else stream.getvalue()


def viewers(company: Company) -> list[Person | None]:
    allowed = [person for person in company.people if person.fields["permission_level"] >= 2]
    assert {person.fields["permission_level"] for person in allowed} == {2, 6, 8, 10}
    return [None, *allowed]


def called(person: Person | None) -> str | None:
    return None if person is None else person.fields["username"]


def test_call_lists_show_what_the_rules_allow(company: Company) -> None:
    compared = seen = 0
    met = set()
    for person in viewers(company):
        met |= {reason for row in company.rows for reason in reasons(person, row)}
        for first, end in PERIODS:
            expected = [
                row for row in company.rows if visible(person, row) and in_period(row, first, end)
            ]
            expected.sort(key=lambda row: (-row.started_at, -row.id))
            result = produce(called(person), "calls", first, end)
            assert [row["id"] for row in result["rows"]] == [public_id(row) for row in expected]
            for row, wanted in zip(result["rows"], expected, strict=True):
                assert row["other_number"] == masked(person, wanted)
                assert row["line_id"] == wanted.line_id
                assert row["department"] == (wanted.texts.get("department") or None)
                assert row["person"] == (wanted.texts.get("display_name") or None)
                assert row["custom1"] == (wanted.texts.get("custom1") or None)
                assert (row["direction"], row["side"]) == (wanted.direction, wanted.side)
                assert (row["class"], row["state"]) == (wanted.number_class, wanted.state)
                assert (
                    row["started_at"] == datetime.fromtimestamp(wanted.started_at, ROME).isoformat()
                )
                compared += 9
            assert result["totals"] == {
                **totals(expected),
                "unrated": sum(row.state == "unrated" for row in expected),
                "rows": len(expected),
            }
            seen += len(expected)
    assert compared > 20_000
    assert seen > 2000
    assert met == {
        "own, of a former place",
        "additional department",
        "department",
        "cost_center",
        "office_location",
        "default basis",
    }


def public_id(row: Row) -> str:
    """The id by its definition."""
    month = datetime.fromtimestamp(row.started_at, UTC).strftime("%Y%m")
    return f"{month}-{row.record_hash % 2**64:016x}"[:19] + f"-{row.side}"


def test_sums_by_every_key_are_those_of_the_visible_rows(company: Company) -> None:
    names = {person.id: person.fields["display_name"] for person in company.people}
    for person in viewers(company):
        for first, end in PERIODS:
            rows = [
                row for row in company.rows if visible(person, row) and in_period(row, first, end)
            ]
            for report, group in GROUPS.items():
                result = produce(called(person), report, first, end)
                expected: dict[Any, list[Row]] = {}
                for row in rows:
                    expected.setdefault(group(row), []).append(row)
                if report == "by-line":
                    assert sorted(json.dumps(row) for row in result["rows"]) == sorted(
                        json.dumps({"line_id": line, "person": names.get(party)} | totals(of_line))
                        for (line, party), of_line in expected.items()
                    )
                else:
                    found = {group_key(report, row, names): row for row in result["rows"]}
                    assert len(found) == len(result["rows"])
                    assert found.keys() == expected.keys()
                    for name, of_group in expected.items():
                        assert found[name].items() >= totals(of_group).items()
                assert result["totals"].items() >= totals(rows).items()


def test_csv_has_the_rows_of_the_json_and_no_more(company: Company) -> None:
    first, end = PERIODS[0]
    for person in viewers(company):
        for report in ("calls", "by-person"):
            rows = produce(called(person), report, first, end)["rows"]
            text = produce(called(person), report, first, end, "csv")
            read = list(csv.DictReader(io.StringIO(text)))
            assert len(read) == len(rows)
            for cells, row in zip(read, rows, strict=True):
                assert list(cells) == list(row)
                for name, value in row.items():
                    assert cells[name].removeprefix("'") == ("" if value is None else str(value))


def test_filters_never_show_more_nor_tell_masked_digits(company: Company) -> None:
    first, end = PERIODS[0]
    found = 0
    for person in viewers(company)[:8]:  # the first have every level
        mine = [row for row in company.rows if visible(person, row)]
        for number in ("+39061234567", "+39061234***", "112", "***", "*21#", ""):
            rows = produce(called(person), "calls", first, end, filters=[f"other_number={number}"])[
                "rows"
            ]
            expected = [row for row in mine if (masked(person, row) or "") == number]
            assert len(rows) == len(expected)
            found += len(rows)
        for text, fits in (
            ("department=SALES,", lambda r: key(r.texts.get("department", "")) in ("sales", "")),
            ("custom1=APOLLO", lambda r: key(r.texts.get("custom1", "")) == "apollo"),
            ("person=mario  rossi", lambda r: r.party in named("Mario Rossi", company)),
            ("hour=23,0", lambda r: datetime.fromtimestamp(r.started_at, ROME).hour in (23, 0)),
            ("weekday=7", lambda r: datetime.fromtimestamp(r.started_at, ROME).isoweekday() == 7),
            ("day=2026-03-29", lambda r: local_day(r) == date(2026, 3, 29)),
            ("line=P1.2001,2002", lambda r: r.line_id in ("P1.2001", "2002")),
            ("side=pilot,called", lambda r: r.side in ("pilot", "called")),
            ("destination=france", lambda r: r.destination == "France"),
        ):
            expected = [row for row in mine if fits(row)]
            result = produce(called(person), "calls", first, end, filters=[text])
            assert len(result["rows"]) == len(expected)
            assert result["totals"].items() >= totals(expected).items()
            grouped = produce(called(person), "by-department", first, end, filters=[text])
            assert grouped["totals"].items() >= totals(expected).items()
            found += len(expected)
    assert found > 1000


def named(name: str, company: Company) -> set[int]:
    return {person.id for person in company.people if person.fields["display_name"] == name}


def local_day(row: Row) -> date:
    return datetime.fromtimestamp(row.started_at, ROME).date()


def test_a_change_of_level_acts_at_once(company: Company) -> None:
    person = next(p for p in company.people if p.fields["permission_level"] == 8)
    first, end = PERIODS[0]
    everything = len(produce(called(person), "calls", first, end)["rows"])
    original = dict(person.fields)
    try:
        for level in (2, 6, 10):
            person.fields["permission_level"] = level
            Party.update(permission_level=level).where(Party.id == person.id).execute()
            expected = sum(visible(person, row) for row in company.rows)
            assert len(produce(called(person), "calls", first, end)["rows"]) == expected
        Party.update(permission_level=0).where(Party.id == person.id).execute()
        with pytest.raises(UserError, match="No billing data is available to User"):
            produce(called(person), "calls", first, end)
    finally:
        person.fields |= original
        Party.update(permission_level=8).where(Party.id == person.id).execute()
    assert everything == len(company.rows)


def test_every_use_is_logged(company: Company) -> None:
    first, end = PERIODS[0]
    before = AccessLog.select().count()
    rows = produce(None, "calls", first, end, limit=5)["rows"]
    entry = AccessLog.select().order_by(AccessLog.id.desc()).get()
    assert AccessLog.select().count() == before + 1
    assert (entry.viewer, entry.level, entry.report) == ("administrator", 10, "calls")
    assert (entry.rows, entry.at) == (len(rows), END) == (5, END)
    assert entry.specification == "2026-01-01..2026-05-01 limit=5"


@pytest.mark.parametrize("change", ["level", "unknown", "disabled", "departed", "place", "odd"])
def test_without_access_there_is_one_sentence(change: str, tmp_path: Path) -> None:
    database = open_database("sqlite:///x.db", tmp_path)
    fields = {
        "level": {"permission_level": 0},
        "unknown": {"username_key": "somebody else"},
        "disabled": {"enabled": False},
        "departed": {"departed_at": 5},
        "place": {"kind": "place"},
        "odd": {"permission_level": 7},
    }[change]
    Party.create(
        **{
            "source": "corp",
            "external_id": "1",
            "arrived_at": 0,
            "username": "eva",
            "username_key": "eva",
            "permission_level": 10,
            **fields,
        }
    )
    for report in ("calls", "by-person", "files"):
        with pytest.raises(UserError) as caught:
            open_door("Eva", report, "", POLICY, END)
        assert str(caught.value) == "No billing data is available to Eva."
        assert caught.value.exit_code == 1
    assert AccessLog.select().count() == 0
    database.close()
