"""What can be asked of any report, against brute force over the rows: conditions, order, pages, top,
sub-totals, comparisons, departments of today."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pytest

from syncd.domain.errors import UsageError, UserError
from syncd.domain.money import format_micros, parse_micros
from syncd.reports.environment import Environment
from syncd.reports.request import Request, specify
from syncd.reports.run import open_report
from syncd.reports.scope import Policy, open_door
from syncd.store.database import open_database
from syncd.store.models import Adjustment, Call, Party, Record
from syncd.store.rollups import mark_dirty, rebuild
from tests.generated_company import END, ROME, Company, Row, key

CUSTOM = {"custom1": "Cost unit", "custom2": "Team"}
THERE = Environment(ROME, CUSTOM, END, named={"trunk": ["spare"]})
ALL = {"first": "2026-01-01", "end": "2026-05-01"}
SUMMED = ("calls", "answered", "missed", "unanswered", "duration", "cost")


@pytest.fixture(scope="module", params=["rolled", "rows alone"])
def company(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Company]:
    database = open_database("sqlite:///engine.db", tmp_path_factory.mktemp("engine"))
    company = Company(seed=23, people=16, conversations=220)
    company.mark_all_dirty()
    if request.param == "rolled":
        rebuild(ROME, END, 1000)
    yield company
    database.close()


class Answer:
    """A report, read to its end."""

    def __init__(self, report: str, *filters: str, who: str | None = None, **asked: Any) -> None:
        ends = {} if {"first", "period"} & asked.keys() else ALL
        request = Request(report, filters=filters, **ends, **asked)
        specification = specify(request, THERE)
        door = open_door(who, report, specification.text(), Policy("cost_center"), END)
        with open_report(door, specification, THERE) as result:
            self.rows = list(result.rows)
        self.totals = result.totals
        self.notes = result.notes
        self.facts = result.facts
        self.columns = [column.name for column in result.columns]


def viewers(company: Company) -> list[str | None]:
    """One of each level and kind of mask."""
    chosen: dict[tuple[int, int], str] = {}
    for person in company.people:
        fields = person.fields
        if fields["permission_level"]:
            chosen.setdefault(
                (fields["permission_level"], fields["masked_digits"]), fields["username"]
            )
    return [None, *chosen.values()]


def shown(company: Company, who: str | None, row: Row) -> str:
    """The other number as a viewer gets it, by brute force."""
    digits = 0
    for person in company.people:
        if person.fields["username"] == who:
            digits = person.fields["masked_digits"]
    text = ""
    for character in reversed(row.number):
        if row.outside and digits and character.isdigit():
            digits, character = digits - 1, "*"
        text = character + text
    return text


def public(row: Row) -> tuple[str, str]:
    moment = datetime.fromtimestamp(row.started_at, ROME).isoformat()
    return moment, f"{row.record_hash % 2**64:016x}"[:12] + f"-{row.side}"


def place(row: dict[str, Any]) -> tuple[str, str]:
    return row["started_at"], row["id"].partition("-")[2]


def in_scope(company: Company, who: str | None) -> list[Row]:
    """The rows of a viewer: what they may see is the subject of other tests."""
    seen = {place(row) for row in Answer("calls", who=who).rows}
    return [row for row in company.rows if public(row) in seen]


def summed(rows: list[Row]) -> dict[str, Any]:
    return {
        "calls": sum(row.counted for row in rows),
        **{
            name: sum(row.outcome == name for row in rows)
            for name in ("answered", "missed", "unanswered")
        },
        "duration": sum(row.duration for row in rows),
        "cost": format_micros(sum(row.cost or 0 for row in rows)),
    }


def minute(row: Row) -> int:
    local = datetime.fromtimestamp(row.started_at, ROME)
    return local.hour * 60 + local.minute


def local(row: Row) -> datetime:
    return datetime.fromtimestamp(row.started_at, ROME)


def department(row: Row) -> str:
    return key(row.texts.get("department", ""))


# --- conditions ----------------------------------------------------------------------------------

CONDITIONS: list[tuple[str, Callable[[Row], bool]]] = [
    ("duration>300", lambda r: r.duration > 300),
    ("duration<=5:00", lambda r: r.duration <= 300),
    ("ring_seconds=0,7", lambda r: r.ring in (0, 7)),
    ("cost>=1.50", lambda r: r.cost is not None and r.cost >= 1_500_000),
    ("cost<0.000001", lambda r: r.cost is not None and r.cost < 1),
    ("cost!=0", lambda r: r.cost not in (None, 0)),
    ("department!=Sales,Legal", lambda r: department(r) not in ("sales", "legal")),
    ("department!=", lambda r: department(r) != ""),
    ("department~re", lambda r: department(r).startswith("re")),
    ("Cost unit!=apollo", lambda r: key(r.texts.get("custom1", "")) != "apollo"),
    ("class!=mobile,local", lambda r: r.number_class not in ("mobile", "local")),
    ("line~P1.", lambda r: r.line_id.startswith("P1.")),
    ("destination~it,fr", lambda r: key(r.destination).startswith(("it", "fr"))),
    ("hour>=18", lambda r: local(r).hour >= 18),
    ("weekday<6", lambda r: local(r).isoweekday() < 6),
    ("day>2026-03-01", lambda r: local(r).date() > date(2026, 3, 1)),
    ("month<=2026-02", lambda r: local(r).date() < date(2026, 3, 1)),
    ("time>=08:30", lambda r: minute(r) >= 510),
    ("time=18:10-08:05", lambda r: not 485 <= minute(r) < 1090),
    ("time!=12:00-13:00,20:00-21:00", lambda r: local(r).hour not in (12, 20)),
    ("hunt_pilot!=2900", lambda r: True),
]


@pytest.mark.parametrize(("text", "fits"), CONDITIONS[:-1], ids=[c[0] for c in CONDITIONS[:-1]])
def test_a_condition_holds_for_lists_and_sums(
    company: Company, text: str, fits: Callable[[Row], bool]
) -> None:
    everybody = [None, *viewers(company)[1:]][:3]
    for who in everybody:
        wanted = [row for row in in_scope(company, who) if fits(row)]
        found = Answer("calls", text, who=who)
        assert {place(row) for row in found.rows} == {public(row) for row in wanted}
        assert found.totals.items() >= summed(wanted).items()
        grouped = Answer("by-department", text, who=who)
        assert grouped.totals.items() >= summed(wanted).items()
        of_group = [row for row in wanted if not department(row)]
        nobody = [row for row in grouped.rows if row["department"] is None]
        assert nobody == ([{"department": None, **summed(of_group)}] if of_group else [])


BOOKED_KEYS = ("department", "Cost unit", "class", "line", "destination", "month")


@pytest.mark.parametrize("text", [text for text, _ in CONDITIONS])
def test_what_is_booked_answers_a_condition_or_tells_that_it_cannot(
    company: Company, text: str
) -> None:
    if text.startswith(BOOKED_KEYS):
        by_date = Answer("by-department", text, measures="cost")
        assert Answer("charges", text).totals["cost"] == by_date.totals["cost"]
    else:
        with pytest.raises(UsageError, match="nothing is booked by"):
            Answer("charges", text)


@pytest.mark.parametrize("report", ["calls", "by-class", "frequent-numbers"])
def test_a_name_that_there_is_not_is_told_to_who_sees_all(company: Company, report: str) -> None:
    for asked, said in (
        ("department=Reserch", "there is no department 'Reserch'; did you mean Research?"),
        ("cost_center=nowhere at all", "there is no cost center 'nowhere at all'"),
        ("custom1=Gemni", "there is no Cost unit 'Gemni'; did you mean Gemini?"),
        ("person=Nobody Of That Name", "there is no person 'Nobody Of That Name'"),
        ("destination=Marz", "no call has the destination 'Marz'"),
        ("country=Egipt", "there is no country 'Egipt'; did you mean Egypt?"),
        ("trunk=spair", "there is no trunk 'spair'; did you mean spare?"),
        ("line=P1.12345678", "there is no line 'P1.12345678'"),
    ):
        found = Answer(report, asked)
        assert not found.rows
        assert found.notes[-1] == said
        # What others may not see they are not told of, be it there or not.
        for who in viewers(company)[1:]:
            level = next(p.fields for p in company.people if p.fields["username"] == who)
            if level["permission_level"] < 8:
                assert said not in Answer(report, asked, who=who).notes
    assert not any("there is no" in one for one in Answer(report, "department=Research").notes)
    assert not any("there is no" in one for one in Answer(report, "department=").notes)
    # What no call has yet is there for all that.
    for asked in ("country=Egypt", "country=EG", "trunk=Spare"):
        found = Answer(report, asked)
        assert not found.rows
        assert not any("there is no" in one for one in found.notes)


@pytest.mark.parametrize("report", ["calls", "by-class"])
def test_one_of_several_names_and_one_that_is_left_out_are_told_beside_rows(
    company: Company, report: str
) -> None:
    said = "there is no department 'Reserch'; did you mean Research?"
    for asked in ("department=Sales,Reserch", "department!=Reserch", "department!=Sales,Reserch"):
        found = Answer(report, asked)
        assert found.rows
        assert found.notes.count(said) == 1
        for who in viewers(company)[1:]:
            level = next(p.fields for p in company.people if p.fields["username"] == who)
            if level["permission_level"] < 8:
                assert said not in Answer(report, asked, who=who).notes
    for asked in ("department=Sales,Research", "department!=Sales", "department!=", "line!=x"):
        notes = [one for one in Answer(report, asked).notes if "department" in one]
        assert not notes


def test_who_filters_by_the_word_of_the_table_is_told_how_to_ask(company: Company) -> None:
    note = "department=unassigned is a name; what has none is found by department= without a value"
    assert note in Answer("by-department", "department=Unassigned").notes
    assert note in Answer("calls", "department=Sales,unassigned").notes
    other = (
        "department!=unassigned is a name; what has one is found by department!= without a value"
    )
    assert other in Answer("by-department", "department!=Unassigned").notes
    assert not any("is a name" in one for one in Answer("calls", "department=").notes)


def test_conditions_hold_together(company: Company) -> None:
    some = [CONDITIONS[index] for index in (0, 6, 10, 14)]
    wanted = [row for row in company.rows if all(fits(row) for _, fits in some)]
    assert len(wanted) > 20
    found = Answer("calls", *(text for text, _ in some))
    assert {place(row) for row in found.rows} == {public(row) for row in wanted}


def test_numbers_are_compared_as_they_are_shown(company: Company) -> None:
    beginnings = ("+3906", "+39061234567", "+39061234***", "1", "11", "***", "*", "2", "0039")
    told = set()
    for who in viewers(company):
        mine = in_scope(company, who)
        for beginning in beginnings:
            wanted = [row for row in mine if shown(company, who, row).startswith(beginning)]
            found = Answer("calls", f"number~{beginning}", who=who)
            assert {place(row) for row in found.rows} == {public(row) for row in wanted}
            assert found.totals.items() >= summed(wanted).items()
            others = Answer("by-department", f"number!={beginning}", who=who)
            wanted = [row for row in mine if shown(company, who, row) != beginning]
            assert others.totals.items() >= summed(wanted).items()
            told.add((beginning, len(found.rows) > 0))
    assert {("+39061234567", True), ("+39061234***", True)} <= told


# --- order ---------------------------------------------------------------------------------------

SORTED: dict[str, Callable[[Row], Any]] = {
    "started_at": lambda r: r.started_at,
    "duration": lambda r: r.duration,
    "cost": lambda r: r.cost,
    "ring_seconds": lambda r: r.ring,
    "line_id": lambda r: r.line_id or None,
    "department": lambda r: r.texts.get("department") or None,
    "custom1": lambda r: r.texts.get("custom1") or None,
    "destination": lambda r: r.destination or None,
    "direction": lambda r: r.direction,
    "class": lambda r: r.number_class,
    "state": lambda r: r.state,
}


def ordered(rows: list[Row], *fields: tuple[Callable[[Row], Any], bool]) -> list[Row]:
    """Sort by brute force: stable, what is absent last, texts whatever their case."""
    rows = sorted(rows, key=lambda row: (-row.started_at, -row.id))
    for value, falling in reversed(fields):

        def size(row: Row, value: Callable[[Row], Any] = value) -> Any:
            found = value(row)
            return (found.casefold(), found) if isinstance(found, str) else found

        there = sorted((r for r in rows if value(r) is not None), key=size, reverse=falling)
        rows = there + [row for row in rows if value(row) is None]
    return rows


@pytest.mark.parametrize("field", SORTED)
def test_a_list_is_sorted_by_any_field(company: Company, field: str) -> None:
    # Without reverse=True's stability among equals: those stay in the order of time.
    for sign in ("", "-"):
        found = Answer("calls", sort=f"{sign}{field}").rows
        wanted = ordered(company.rows, (SORTED[field], sign == "-"))
        assert [place(row) for row in found] == [public(row) for row in wanted]
        short = Answer("calls", sort=f"{sign}{field}", limit=9).rows
        assert short == found[:9]


def test_a_list_is_sorted_by_several_fields(company: Company) -> None:
    found = Answer("calls", sort="direction,-duration,line_id").rows
    fields = ((SORTED["direction"], False), (SORTED["duration"], True), (SORTED["line_id"], False))
    assert [place(row) for row in found] == [public(row) for row in ordered(company.rows, *fields)]


def test_a_masked_reader_sorts_by_the_masked_text(company: Company) -> None:
    for who in viewers(company):
        mine = in_scope(company, who)

        def number(row: Row, who: str | None = who) -> str | None:
            return shown(company, who, row) or None

        for sign in ("", "-"):
            found = Answer("calls", sort=f"{sign}number", who=who).rows
            wanted = ordered(mine, (number, sign == "-"))
            assert [row["other_number"] for row in found] == [number(row) for row in wanted]
            assert [place(row) for row in found] == [public(row) for row in wanted]


@pytest.mark.parametrize("sort", ["id", "nothing", "-conversation"])
def test_what_a_list_is_not_sorted_by_is_told(company: Company, sort: str) -> None:
    with pytest.raises(UsageError, match="a list is not sorted by") as told:
        Answer("calls", sort=sort)
    assert "did you mean" not in str(told.value)


def test_sums_are_sorted_by_any_column(company: Company) -> None:
    plain = Answer("by-line", measures="calls,cost,average_duration").rows
    by_calls = Answer("by-line", measures="calls,cost,average_duration", sort="calls").rows
    assert by_calls == sorted(plain, key=lambda row: row["calls"])
    averages = [
        row["average_duration"]
        for row in Answer(
            "by-line", measures="calls,average_duration", sort="-average_duration"
        ).rows
    ]
    there = [value for value in averages if value is not None]
    assert there == sorted(there, reverse=True)
    assert averages[len(there) :] == [None] * (len(averages) - len(there))
    names = [row["line_id"] for row in Answer("by-line", sort="-line_id").rows]
    assert names == sorted(names, reverse=True)
    with pytest.raises(UsageError, match="not sorted by 'cots'"):
        Answer("by-line", sort="cots")


# --- pages ---------------------------------------------------------------------------------------


def pages(size: int, *filters: str, **asked: Any) -> Iterator[Answer]:
    page = Answer("calls", *filters, limit=size, **asked)
    yield page
    while "next_page" in page.facts:
        page = Answer("calls", *filters, limit=size, page=page.facts["next_page"], **asked)
        yield page


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"sort": "-cost"},
        {"sort": "cost"},
        {"sort": "started_at"},
        {"sort": "number,-duration"},
        {"sort": "department"},
        {"as_of": "today", "sort": "-department"},
    ],
    ids=str,
)
def test_pages_are_the_whole_list(company: Company, asked: dict[str, Any]) -> None:
    for who in viewers(company)[:6]:
        for filters in ((), ("duration>120", "direction!=internal")):
            whole = Answer("calls", *filters, who=who, **asked)
            read = list(pages(23, *filters, who=who, **asked))
            assert [row for page in read for row in page.rows] == whole.rows
            assert all(len(page.rows) == 23 for page in read[:-1])
            assert read[0].totals == whole.totals
            assert [page.totals for page in read[1:]] == [{}] * (len(read) - 1)
            assert "next_page" not in read[-1].facts


def test_pages_have_no_gap_and_nothing_twice_while_calls_arrive(company: Company) -> None:
    before = Answer("calls", sort="-duration").rows
    newest = max(row.started_at for row in company.rows)
    record = Record.select().order_by(Record.id.desc()).dicts().get()
    call = Call.select().order_by(Call.id.desc()).dicts().get()
    added = []
    try:
        for asked in ({}, {"sort": "-duration"}):
            found = []
            for page in pages(40, **asked):
                found += page.rows
                number = record["id"] + len(added) + 1
                start = newest + 10 + len(added)
                added.append(number)
                fields = {"id": number, "key": f"new{number}", "key_hash": number}
                Record.insert(**{**record, **fields, "started_at": start}).execute()
                fields = {"id": number * 8, "duration": 999, "started_at": start}
                Call.insert(**{**call, **fields}).execute()
                mark_dirty([20260402])
            old = [place(row) for row in found if place(row) in set(map(place, before))]
            assert len(old) == len(set(old)) == len(before)
            if asked:
                assert old == [place(row) for row in before]
    finally:
        Call.delete().where(Call.id.in_([number * 8 for number in added])).execute()
        Record.delete().where(Record.id.in_(added)).execute()
        rebuild(ROME, END, 5)


def test_a_key_is_of_one_list_and_tells_no_row_id(company: Company) -> None:
    key_ = Answer("calls", limit=5).facts["next_page"]
    for asked in ({"filters": ("duration>5",)}, {"sort": "-cost"}, {"period": "2026-02"}):
        filters = asked.pop("filters", ())
        with pytest.raises(UsageError, match="the key is of another list"):
            Answer("calls", *filters, limit=5, page=key_, **asked)
    question, start, call = json.loads(base64.urlsafe_b64decode(key_ + "=" * (-len(key_) % 4)))
    made_up = [
        base64.urlsafe_b64encode(json.dumps([question, *held]).encode()).decode().rstrip("=")
        for held in ([10**30, call], [1.5, call], [[], call], [start, 5], [start, call, "x"], [])
    ]
    for wrong in ("x", "e30", "!!!!", key_[:-4], "W10", *made_up):
        with pytest.raises(UsageError, match="--page"):
            Answer("calls", limit=5, page=wrong)
    sorted_key = Answer("calls", limit=5, sort="-person").facts["next_page"]
    text = base64.urlsafe_b64decode(sorted_key + "=" * (-len(sorted_key) % 4))
    held = json.loads(text)
    forged = base64.urlsafe_b64encode(json.dumps([*held[:3], 7]).encode()).decode().rstrip("=")
    with pytest.raises(UsageError, match="the key is of another list"):
        Answer("calls", limit=5, sort="-person", page=forged)
    last = Answer("calls", limit=5).rows[-1]
    assert start == int(datetime.fromisoformat(last["started_at"]).timestamp())
    assert call == last["id"]


def test_a_page_goes_on_though_its_row_is_gone(company: Company) -> None:
    whole = Answer("calls").rows
    key_ = Answer("calls", limit=5).facts["next_page"]
    found = next(row for row in company.rows if public(row) == place(whole[4]))
    with Record._meta.database.atomic() as transaction:
        Record.update(key_hash=1).where(Record.id == found.id // 8).execute()
        rest = Answer("calls", page=key_).rows
        transaction.rollback()
    later = [row for row in whole[5:] if not row["started_at"].startswith(whole[4]["started_at"])]
    assert rest == later


# --- top, sub-totals, shares ---------------------------------------------------------------------


def test_the_highest_and_the_others_are_all(company: Company) -> None:
    whole = Answer("by-line", sort="-cost")
    for count in (1, 3, 1000):
        top = Answer("by-line", top=count)
        assert top.totals == whole.totals
        groups = [row for row in top.rows if "row" not in row]
        assert len(groups) == min(count, len(whole.rows))
        assert [row["cost"] for row in groups] == [row["cost"] for row in whole.rows[:count]]
        for name in SUMMED[:-1]:
            assert sum(row[name] for row in top.rows) == whole.totals[name]
        assert sum(parse_micros(row["cost"]) for row in top.rows) == parse_micros(
            whole.totals["cost"]
        )
        rest = len(whole.rows) - count
        last = top.rows[-1]
        assert last.get("row") == ("others" if rest > 0 else None)
        if rest > 0:
            assert (last["line_id"], last["person"]) == (f"{rest} others", "")
    by_day = Answer("calls", group_by="day", top=2, measures="calls").rows
    counts = sorted((row["calls"] for row in Answer("calls", group_by="day").rows), reverse=True)
    assert [row["calls"] for row in by_day[:2]] == counts[:2]


def test_subtotals_follow_the_groups_of_one_value(company: Company) -> None:
    asked = {"group_by": "department,month", "subtotals": True}
    found = Answer("by-department", **asked)
    plain = Answer("by-department", group_by="department,month")
    groups = [row for row in found.rows if "row" not in row]
    assert sorted(map(str, groups)) == sorted(map(str, plain.rows))
    by_department = {row["department"]: row for row in Answer("by-department").rows}
    parts = []
    for row in found.rows:
        if row.get("row") == "subtotal":
            assert {part["department"] for part in parts} == {row["department"]}
            assert row["month"] == "subtotal"
            wanted = by_department.pop(row["department"])
            assert {name: row[name] for name in SUMMED} == {name: wanted[name] for name in SUMMED}
            assert sum(part["calls"] for part in parts) == row["calls"]
            parts = []
        else:
            parts.append(row)
    assert (parts, by_department) == ([], {})


def test_averages_and_shares_are_exact(company: Company) -> None:
    measures = "calls,answered,duration,cost,ring_seconds,average_duration,average_ring"
    measures += ",average_cost,answer_rate,calls_share,cost_share,duration_share"
    found = Answer("by-destination", measures=measures)
    totals = found.totals

    def tenths(part: Any, whole: Any) -> str | None:
        if not whole:
            return None
        value = int(Fraction(part * 1000, whole) + Fraction(1, 2))
        return f"{value // 10}.{value % 10}"

    for row in [*found.rows, totals]:
        cost = parse_micros(row["cost"])
        half = Fraction(1, 2)
        answered, calls = row["answered"], row["calls"]
        assert row["average_duration"] == (
            int(Fraction(row["duration"], answered) + half) if answered else None
        )
        assert row["average_ring"] == (
            int(Fraction(row["ring_seconds"], calls) + half) if calls else None
        )
        assert row["average_cost"] == (
            format_micros(int(Fraction(cost, calls) + half)) if calls else None
        )
        assert row["answer_rate"] == tenths(answered, calls)
        assert row["calls_share"] == tenths(calls, totals["calls"])
        assert row["duration_share"] == tenths(row["duration"], totals["duration"])
        assert row["cost_share"] == tenths(cost, parse_micros(totals["cost"]))
    assert totals["cost_share"] == "100.0"


# --- comparisons ---------------------------------------------------------------------------------


def test_each_figure_stands_beside_that_of_the_other_period(company: Company) -> None:
    for who, report in itertools.product(viewers(company)[:4], ("by-line", "by-department")):
        found = Answer(report, period="2026-02", compare="previous,year", who=who)
        now = Answer(report, period="2026-02", who=who)
        before = Answer(report, period="2026-01", who=who)
        names = [name for name in found.columns if name in ("line_id", "person", "department")]

        def by_key(answer: Answer, names: list[str] = names) -> dict[Any, list[dict[str, Any]]]:
            groups: dict[Any, list[dict[str, Any]]] = {}
            for row in answer.rows:
                groups.setdefault(tuple(row[name] for name in names), []).append(row)
            return groups

        assert by_key(found).keys() == by_key(now).keys() | by_key(before).keys()
        for name in SUMMED[:-1]:
            for keys, rows in by_key(found).items():
                this = sum(row[name] for row in by_key(now).get(keys, []))
                that = sum(row[name] for row in by_key(before).get(keys, []))
                assert sum(row[name] for row in rows) == this
                assert sum(row[f"{name}_previous"] for row in rows) == that
                assert sum(row[f"{name}_previous_change"] for row in rows) == this - that
                assert sum(row[f"{name}_year"] for row in rows) == 0
        total, earlier = found.totals, before.totals
        assert {name: total[name] for name in SUMMED} == {n: now.totals[n] for n in SUMMED}
        assert total["cost_previous"] == earlier["cost"]
        change = parse_micros(total["cost"]) - parse_micros(earlier["cost"])
        assert total["cost_previous_change"] == format_micros(change)
        assert total["cost_year_percent"] is None
        if earlier["calls"]:
            percent = Fraction(100 * (total["calls"] - earlier["calls"]), earlier["calls"])
            assert abs(Fraction(total["calls_previous_percent"]) - percent) <= Fraction(1, 20)
        assert found.facts["compared"]["previous"] == {"from": "2026-01-01", "to": "2026-02-01"}
        assert any("2026-01-01 to before 2026-02-01" in note for note in found.notes)


@pytest.mark.parametrize("asked", [{"subtotals": True}, {"top": 3}])
def test_of_compared_periods_sub_totals_and_others_add_up(
    company: Company, asked: dict[str, Any]
) -> None:
    measures = ",".join(SUMMED)
    for span in ({"period": "2026-02"}, {"first": "2026-01-28", "end": "2026-01-31"}):
        names = "department,person"
        both = {**span, "measures": measures, "group_by": names, "compare": "previous,year"}
        found = Answer("by-person", **both, **asked)
        kinds = [row.get("row") for row in found.rows]
        assert kinds.count("subtotal" if "subtotals" in asked else "others") >= 1
        summed = [row for row in found.rows if row.get("row") != "subtotal"]
        for name in (*SUMMED, *(f"{name}_previous" for name in SUMMED)):
            texts = [row[name] for row in summed]
            if "cost" in name:
                total, rows = parse_micros(found.totals[name]), sum(map(parse_micros, texts))
            else:
                total, rows = found.totals[name], sum(texts)
            assert total == rows
            ends = [row[name] for row in found.rows if row.get("row") == "subtotal"]
            if ends:
                assert total == sum(map(parse_micros, ends) if "cost" in name else ends)


def test_months_and_days_are_compared_by_their_place(company: Company) -> None:
    found = Answer("by-month", period="2026-Q1", compare="previous", measures="calls").rows
    assert [row["month"] for row in found] == ["2026-01", "2026-02", "2026-03"]
    days = Answer(
        "by-day", first="2026-03-10", end="2026-03-17", compare="previous", measures="calls"
    ).rows
    before = Answer("by-day", first="2026-03-03", end="2026-03-10", measures="calls").rows
    assert {row["day"]: row["calls_previous"] for row in days if row["calls_previous"]} == {
        f"2026-03-{int(row['day'][-2:]) + 7}": row["calls"] for row in before if row["calls"]
    }
    for asked, message in (
        ({"period": "2026-02", "group_by": "day"}, "days are compared over periods"),
        ({"first": "2026-02-05", "end": "2026-02-07", "group_by": "month"}, "months are compared"),
    ):
        with pytest.raises(UsageError, match=message):
            Answer("by-day", compare="previous", **asked)
    with pytest.raises(UsageError, match="holds for one period alone"):
        Answer("by-line", "month=2026-02", period="2026-02", compare="previous")


# --- as of today ---------------------------------------------------------------------------------


def test_people_are_grouped_where_they_are_today_and_nobody_sees_more(company: Company) -> None:
    people = {person.id: person.fields for person in company.people}
    for who in viewers(company):
        mine = in_scope(company, who)
        for name in ("department", "cost_center", "office_location", "custom1"):
            wanted: dict[str | None, list[Row]] = {}
            for row in mine:
                wanted.setdefault(key(people[row.party][name]) if row.party else "", []).append(row)
            found = Answer("calls", group_by=name, as_of="today", who=who)
            groups = {key(row[name] or ""): row for row in found.rows}
            assert groups.keys() == wanted.keys()
            for group, rows in wanted.items():
                assert groups[group].items() >= summed(rows).items()
            assert found.totals.items() >= summed(mine).items()
        listed = Answer("calls", "department=sales", as_of="today", who=who)
        assert {place(row) for row in listed.rows} == {
            public(row)
            for row in mine
            if row.party and key(people[row.party]["department"]) == "sales"
        }
        assert {key(row["department"]) for row in listed.rows} <= {"sales"}


def test_who_moves_takes_their_calls_along_as_of_today(company: Company) -> None:
    person = next(one for one in company.people if key(one.fields["department"]) == "research")
    with Party._meta.database.atomic() as transaction:
        Party.update(department="Nowhere else").where(Party.id == person.id).execute()
        today = Answer("calls", "department=nowhere else", as_of="today")
        then = Answer("calls", "department=nowhere else")
        grouped = Answer("by-department", "department=nowhere else", as_of="today")
        transaction.rollback()
    own = [row for row in company.rows if row.party == person.id]
    assert {place(row) for row in today.rows} == {public(row) for row in own}
    assert {row["department"] for row in today.rows} == {"Nowhere else"}
    assert then.rows == []
    assert [key(row["department"]) for row in grouped.rows] == ["nowhere else"]


def test_what_is_booked_for_who_moved_goes_with_them_as_of_today(company: Company) -> None:
    person = next(one for one in company.people if key(one.fields["department"]) == "research")
    columns = ("line_id", "party_id", "profile_id", "org_id", "direction", "class_")
    columns += ("destination_id", "trunk_id", "carrier_id")
    with Party._meta.database.atomic() as transaction:
        Party.update(department="Nowhere else").where(Party.id == person.id).execute()
        call = Call.select().where(Call.party_id == person.id).order_by(Call.id).first()
        known = {name: getattr(call, name) for name in columns}
        rest = {"run_id": 1, "at": 0, "month": 202512, "cause": 0}
        Adjustment.create(call_id=call.id, posting_period=202602, cost=7_000_000, **known, **rest)
        by_date = Answer("by-department", as_of="today", measures="cost")
        booked = Answer("charges", group_by="department", as_of="today")
        of_project = Answer("charges", group_by="custom1", as_of="today")
        transaction.rollback()
    cost, found = (
        {key(row["department"] or ""): parse_micros(row["cost"]) for row in answer.rows}
        for answer in (by_date, booked)
    )
    cost["nowhere else"] += 7_000_000
    assert {name: found.get(name, 0) for name in cost} == cost
    assert of_project.totals["cost"] == booked.totals["cost"]


# --- the rest ------------------------------------------------------------------------------------


def test_days_that_are_not_rolled_up_are_told(company: Company) -> None:
    rolled = "days_not_rolled_up" not in Answer("by-department").facts
    if rolled:
        mark_dirty([20260301, 20260302, 20260401])
        try:
            found = Answer("by-department")
            assert found.facts["days_not_rolled_up"] == 3
            assert (
                "3 days of this period are not rolled up yet: read from the calls one by one"
                in (found.notes)
            )
            february = Answer("by-department", period="2026-02")
            assert "days_not_rolled_up" not in february.facts
        finally:
            rebuild(ROME, END, 5)
    else:
        assert Answer("calls").facts["days_not_rolled_up"] > 50


def test_fields_of_ones_own_are_everywhere_under_their_label(company: Company) -> None:
    by_name = Answer("calls", group_by="custom1,class")
    by_label = Answer("calls", group_by="cost unit,class")
    assert by_label.rows == by_name.rows
    assert by_label.columns[:2] == ["custom1", "class"]
    listed = Answer("calls", "Cost Unit=Apollo", columns="Cost unit,line", sort="Cost unit")
    assert listed.columns == ["custom1", "line_id"]
    assert {key(row["custom1"]) for row in listed.rows} == {"apollo"}


@pytest.mark.parametrize(
    ("report", "asked", "message"),
    [
        ("calls", {"top": 3}, "--top is for sums"),
        ("calls", {"compare": "previous"}, "--compare is for sums"),
        ("by-line", {"page": "x"}, "--page is for lists"),
        ("by-line", {"top": 0}, "--top is less than one"),
        ("by-department", {"subtotals": True}, "of two dimensions"),
        ("by-line", {"subtotals": True, "top": 3}, "--top goes with neither"),
        ("by-line", {"compare": "tomorrow"}, "not compared with 'tomorrow'"),
        ("by-line", {"period": "2026", "end": "2026-01-01"}, "--period says both ends"),
        ("by-line", {"period": "2026-02-31"}, "is no period"),
        ("by-class", {"count": "conversations", "top": 2}, "do not add up"),
        ("calls", {"limit": 10**20}, "--limit is more than any list has"),
        ("calls", {"limit": -1}, "--limit is less than nothing"),
        ("by-line", {"sort": "cots"}, "by-line is not sorted by 'cots'"),
        ("answer-times", {"sort": "bogus"}, "answer-times is not sorted by 'bogus'"),
        ("by-line", {"as_of": "yesterday"}, "--as-of: 'yesterday'"),
    ],
)
def test_what_does_not_go_together_is_told(
    company: Company, report: str, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        Answer(report, **asked)
