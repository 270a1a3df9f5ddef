"""Reports: their contract, their order, what a limit and a count change, and safe output."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest

from syncd.domain.errors import UsageError, UserError
from syncd.domain.money import parse_micros
from syncd.reports.catalogue.standard import find_report
from syncd.reports.comparisons import parse_conditions
from syncd.reports.conditions import records_of
from syncd.reports.environment import Environment
from syncd.reports.lookups import select
from syncd.reports.render.csv import safe_cell, write_csv
from syncd.reports.render.json import write_json
from syncd.reports.render.table import Column, cell_text, plain_table
from syncd.reports.result import Result
from syncd.reports.run import open_report
from syncd.reports.scope import Policy, open_door
from syncd.reports.specification import Specification, parse_dimensions
from syncd.store.database import open_database
from syncd.store.models import AccessLog, Name, Party, Record
from tests.generated_company import END, ROME, Company

CUSTOM = {"custom1": "Project"}
PERIOD = (date(2026, 1, 1), date(2026, 5, 1))
ROW = [
    *("id", "started_at", "line_id", "person", "username", "department", "cost_center"),
    *("office_location", "custom1", "direction", "side", "counted", "conversation"),
    *("other_number", "hunt_pilot", "class", "destination", "disposition", "ring_seconds"),
    *("duration", "cost", "state"),
]
SUMS = ["calls", "answered", "missed", "unanswered", "duration", "cost"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: Any) -> Iterator[Company]:
    database = open_database("sqlite:///x.db", tmp_path_factory.mktemp("reports"))
    yield Company(seed=5, people=16, conversations=150)
    database.close()


def opened(
    report: str, group_by: str = "", filters: tuple[str, ...] = (), who: Any = None, **more: Any
) -> AbstractContextManager[Result]:
    dimensions = find_report(report, CUSTOM).dimensions
    if group_by:
        dimensions = parse_dimensions(group_by, CUSTOM)
    specification = Specification(
        report, *PERIOD, dimensions, filters=parse_conditions(filters, CUSTOM)[0], **more
    )
    door = open_door(who, report, specification.text(), Policy(), END)
    return open_report(door, specification, Environment(ROME, CUSTOM))


def produce(*arguments: Any, **more: Any) -> Any:
    stream = io.StringIO()
    with opened(*arguments, **more) as result:
        write_json(result, stream)
    return json.loads(stream.getvalue())


def test_the_frame_of_a_report(company: Company) -> None:
    result = produce("by-department")
    assert list(result) == ["report", "viewer", "level", "period", "by", "counts", "rows", "totals"]
    assert (result["report"], result["viewer"], result["level"]) == (
        "by-department",
        "administrator",
        10,
    )
    assert result["period"] == {"from": "2026-01-01", "to": "2026-05-01"}
    assert result["counts"] == "participations"


@pytest.mark.parametrize(
    ("report", "keys"),
    [
        ("by-person", ["person", "username", "party"]),
        ("by-department", ["department"]),
        ("by-cost-center", ["cost_center"]),
        ("by-office-location", ["office_location"]),
        ("by-destination", ["destination", "class"]),
        ("by-line", ["line_id", "person"]),
        ("by-custom1", ["custom1"]),
    ],
)
def test_the_fields_of_the_sums(company: Company, report: str, keys: list[str]) -> None:
    result = produce(report)
    assert {tuple(row) for row in result["rows"]} == {(*keys, *SUMS)}
    for name in SUMS[:-1]:
        assert sum(row[name] for row in result["rows"]) == result["totals"][name]
    costs = [parse_micros(row["cost"]) for row in result["rows"]]
    assert costs == sorted(costs, reverse=True)
    assert sum(costs) == parse_micros(result["totals"]["cost"])
    for row in result["rows"]:
        assert row["calls"] == row["answered"] + row["missed"] + row["unanswered"]


def test_the_fields_of_a_call(company: Company) -> None:
    rows = produce("calls")["rows"]
    assert {tuple(row) for row in rows} == {tuple(ROW)}
    for row in rows:
        assert row["started_at"].endswith(("+01:00", "+02:00"))
        assert row["id"].endswith(f"-{row['side']}")
        assert (row["cost"] is None) == (row["state"] == "unrated")
        if row["state"] == "free":
            assert row["cost"] == "0.00"
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    moments = [row["started_at"] for row in rows]
    assert len(moments) == len(company.rows)


def test_a_public_id_leads_back_to_its_record(company: Company) -> None:
    rows = produce("calls", limit=20)["rows"]
    records = {row["id"]: records_of(row["id"]) for row in rows}
    wanted = sorted(company.rows, key=lambda row: (-row.started_at, -row.id))[:20]
    assert list(records.values()) == [[row.id // 8] for row in wanted]
    of_conversation = records_of(rows[0]["conversation"])
    assert Record.get_by_id(of_conversation[0]).started_at == wanted[0].conversation[0]


@pytest.mark.sqlite("asks for the plan in SQLite's own way")
def test_the_look_up_of_an_id_uses_the_unique_index(company: Company) -> None:
    plan = select(
        "EXPLAIN QUERY PLAN SELECT id FROM record WHERE started_at >= ? AND started_at < ?"
        " AND key_hash BETWEEN ? AND ?",
        0,
        1,
        0,
        1,
    )
    assert "COVERING INDEX record_key" in plan[0][3]


def test_a_conversation_can_be_filtered(company: Company) -> None:
    whole = next(
        row.conversation
        for row in company.rows
        if sum(other.conversation == row.conversation for other in company.rows) > 2
    )
    wanted = [row for row in company.rows if row.conversation == whole]
    public = next(
        row["conversation"]
        for row in produce("calls")["rows"]
        if records_of(row["id"])[0] == wanted[0].id // 8
    )
    found = produce("calls", filters=(f"conversation={public}",))["rows"]
    assert len(found) == len(wanted)
    assert {row["conversation"] for row in found} == {public}


def test_totals_are_over_all_rows_not_those_within_the_limit(company: Company) -> None:
    everything, page = produce("calls"), produce("calls", limit=7)
    assert page["rows"] == everything["rows"][:7]
    assert page["totals"] == everything["totals"]
    assert page["totals"]["rows"] == len(company.rows)
    assert produce("by-line", limit=2)["totals"] == produce("by-line")["totals"]
    assert len(produce("by-line", limit=2)["rows"]) == 2
    assert produce("calls", limit=0)["rows"] == []


def test_two_people_of_one_name_stay_two(company: Company) -> None:
    rows = produce("by-person")["rows"]
    names = [row["person"] for row in rows]
    assert len(set(names)) < len(names)
    assert len({row["party"] for row in rows}) == len(rows)
    assert len(produce("calls", "person")["rows"]) == len(produce("by-person")["rows"])


def test_spellings_of_a_name_are_one_row_in_the_latest(company: Company) -> None:
    names = [row["department"] for row in produce("by-department")["rows"]]
    latest = Name.get(Name.kind == "department", Name.key == "sales").text
    assert [name for name in names if name and name.strip().lower() in ("sales", "ｓａｌｅｓ")] == [
        latest
    ]
    assert names.count(None) == 1


def test_any_dimensions_can_replace_the_reports_own(company: Company) -> None:
    result = produce("by-person", "custom1,month,direction")
    assert tuple(result["rows"][0]) == ("custom1", "month", "direction", *SUMS)
    assert {row["month"] for row in result["rows"]} == {"2026-01", "2026-02", "2026-03", "2026-04"}
    assert {row["direction"] for row in result["rows"]} <= {
        "internal",
        "outgoing",
        "incoming",
        "transit",
        "on-net",
    }
    days = [row["day"] for row in produce("calls", "day")["rows"]]
    assert days == sorted(days)


def test_measures_can_be_chosen(company: Company) -> None:
    rows = produce("by-line", measures=("unrated", "billed_seconds"))["rows"]
    assert {tuple(row) for row in rows} == {("line_id", "person", "unrated", "billed_seconds")}
    assert sum(row["unrated"] for row in rows) == sum(r.state == "unrated" for r in company.rows)


def test_conversations_are_distinct(company: Company) -> None:
    result = produce("summary", counts="conversations")
    totals = result["totals"]
    counted = [row for row in company.rows if row.counted]
    assert result["counts"] == "conversations"
    assert totals["calls"] == len({row.conversation for row in counted}) == 150
    assert totals["calls"] == totals["answered"] + totals["missed"] + totals["unanswered"]
    answered = {row.conversation for row in counted if row.outcome == "answered"}
    assert totals["answered"] == len(answered)
    for row in result["rows"]:
        here = {
            one.conversation
            for one in counted
            if (one.direction, one.number_class) == (row["direction"], row["class"])
        }
        assert row["calls"] == len(here)
        assert row["calls"] == row["answered"] + row["missed"] + row["unanswered"]
    assert totals["duration"] == produce("summary")["totals"]["duration"]


@pytest.mark.parametrize(
    ("report", "filters"),
    [
        ("by-person", ()),
        ("by-line", ()),
        ("by-custom1", ()),
        ("by-cost-center", ()),
        ("summary", ("department=Sales",)),
        ("summary", ("other_number=112",)),
    ],
)
def test_conversations_are_not_counted_by_party(
    company: Company, report: str, filters: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError, match="conversations cannot be counted by"):
        produce(report, filters=filters, counts="conversations")


def test_conversations_are_for_those_who_see_all(company: Company) -> None:
    for person in company.people[:8]:
        level = person.fields["permission_level"]
        if level in (2, 6):
            with pytest.raises(UserError, match="levels 8 and 10"):
                produce("summary", who=person.fields["username"], counts="conversations")
        elif level:
            assert produce("summary", who=person.fields["username"], counts="conversations")


def test_rows_are_read_from_one_snapshot(company: Company) -> None:
    with opened("by-person", limit=3) as result:
        assert result.totals["calls"] == len([row for row in company.rows if row.counted])
        assert len(list(result.rows)) == 3
    assert AccessLog.select().order_by(AccessLog.id.desc()).get().rows == 3


def test_a_period_without_calls_is_an_empty_report(company: Company) -> None:
    specification = Specification("calls", date(2030, 1, 1), date(2999, 1, 1))
    door = open_door(None, "calls", "", Policy(), END)
    with open_report(door, specification, Environment(ROME, CUSTOM)) as result:
        assert list(result.rows) == []
    assert result.totals == {**dict.fromkeys(SUMS, 0), "cost": "0.00", "unrated": 0, "rows": 0}


# --- output --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-cmd", "'-cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("+39061234567", "+39061234567"),
        ("+39061234***", "+39061234***"),
        ("+39*1", "'+39*1"),
        ("-1.50", "-1.50"),
        ("1.50", "1.50"),
        ("a=b", "a=b"),
        (None, ""),
        (12, "12"),
    ],
)
def test_no_cell_is_a_formula(value: Any, cell: str) -> None:
    assert safe_cell(value) == cell


def test_a_name_that_is_a_formula_is_not_one_in_csv(company: Company) -> None:
    stream = io.StringIO()
    with opened("by-person") as result:
        write_csv(result, stream)
    assert "\n=" not in stream.getvalue()
    assert "\n'=Person" in stream.getvalue()


def test_a_table_is_aligned_whatever_is_in_it() -> None:
    columns = [Column("Name", absent="unassigned"), Column("Calls", right=True)]
    text = plain_table(columns, [["日本", 5], [None, 1234], ["a\nb\x1b[31m", 0]], ["Total", 1239])
    assert text.splitlines() == [
        "Name        Calls",
        "----------  -----",
        "日本            5",
        "unassigned   1234",
        "a b [31m        0",
        "----------  -----",
        "Total        1239",
    ]
    assert cell_text(True) == "yes"


def test_a_party_that_has_no_name_is_shown_by_its_username(company: Company) -> None:
    person = company.people[0]
    with Party._meta.database.atomic() as transaction:
        Party.update(display_name="").where(Party.id == person.id).execute()
        rows = {row["party"]: row["person"] for row in produce("by-person")["rows"]}
        transaction.rollback()
    assert rows[person.id] == person.fields["username"]
