"""Every viewer × every output of generated companies against the oracle, not one difference.

``SYNCD_LEAKS`` is how many comparisons there are at least; ``make test-leaks`` wants a million.
"""

from __future__ import annotations

import contextlib
import csv
import email
import email.policy
import html
import io
import json
import os
import random
import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest

from syncd.domain.days import Days
from syncd.domain.errors import UserError
from syncd.reports.access_explained import Asked, Sight, explain_access
from syncd.reports.catalogue.standard import catalogue
from syncd.reports.conversation import show
from syncd.reports.environment import Environment
from syncd.reports.lookups import Lookups
from syncd.reports.recipients import Addressee
from syncd.reports.render.options import OutputOptions
from syncd.reports.render.outputs import OUTPUTS, rendered
from syncd.reports.request import Request, specify
from syncd.reports.run import open_report
from syncd.reports.scheduled import ScheduledReport, Sending, render_for
from syncd.reports.scope import Policy, open_door, scope_parts
from syncd.settings.schedule import Every
from syncd.store import models
from syncd.store.database import open_database
from syncd.store.rollups import rebuild
from tests.security import oracle
from tests.security.companies import END, ROME, SIDES, Generated, Person, Row, plain
from tests.security.conftest import Compared
from tests.security.oracle import Rules
from tests.support.stores import be_quick

WANTED = int(os.environ.get("SYNCD_LEAKS", "50000"))
THOROUGH = WANTED > 50_000
"""Else each company is asked some of all that there is to ask, other things in each."""
OF_A_COMPANY = 40_000 if THOROUGH else 17_000
"""Comparisons that a company is good for at least."""
SEEDS = range(max(3, -(-WANTED // OF_A_COMPANY)))
pytestmark = pytest.mark.timeout(900)  # on a machine that does much else

CUSTOM = {"custom1": "Project", "custom2": "Team"}
ENVIRONMENT = Environment(ROME, CUSTOM, END, "EUR")
PERIODS = [
    ("2026-01-01", "2026-05-01"),
    ("2026-02-01", "2026-03-01"),
    ("2026-02-14", "2026-03-30"),
    ("2026-03-29", "2026-03-30"),
]
MEASURES = ",".join(oracle.MEASURES)
BASES = ("cost_center", "department", "office_location")
"""Not one default alone, so that nobody gets the default by accident."""

PAIRS = (
    ("department", "month"), ("party", "direction"), ("custom1", "custom2"), ("site", "hour"),
    ("destination", "class"), ("line_id", "party"), ("weekday", "hour"), ("state", "purpose"),
    ("cost_center", "office_location"), ("side", "disposition"), ("carrier", "trunk"),
)  # fmt: skip


class Bench:
    """A company, one of its viewers, and the rows that the oracle lets them see."""

    def __init__(self, company: Generated, rules: Rules, person: Person | None) -> None:
        self.company = company
        self.rules = rules
        self.person = person
        self.policy = Policy(rules.basis, {}, rules.private_numbers)
        self.who = None if person is None else f"{person.source}:{person.username}"
        self.seen = [row for row in company.rows if oracle.sees(rules, person, row)]

    def ask(self, report: str, output: str = "json", **asked: Any) -> Any:
        """Return a report as an output gives it, JSON read."""
        specification = specify(Request(report, **asked), ENVIRONMENT)
        door = open_door(self.who, report, specification.text(), self.policy, END)
        with open_report(door, specification, ENVIRONMENT) as result:
            content = rendered(result, OUTPUTS[output], OutputOptions(zone=ROME))
        return json.loads(content) if output == "json" else content

    def rows(self, period: tuple[str, str]) -> list[Row]:
        first, end = map(date.fromisoformat, period)
        return oracle.within(self.seen, first, end)

    def listed(self, rows: list[Row]) -> list[dict[str, Any]]:
        return [oracle.listed(self.rules, self.person, row) for row in rows]


@pytest.fixture(params=SEEDS, ids=lambda seed: f"company{seed}")
def benches(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Bench]]:
    """Each viewer of a company."""
    yield from made(request.param, tmp_path)


def made(seed: int, folder: Path) -> Iterator[list[Bench]]:
    database = open_database("sqlite:///leaks.db", folder)
    be_quick(database)
    company = Generated(seed)
    company.mark_all_dirty()
    # Rolled up, in part, not at all; by a clock of mid-month, of which the last days stand beside it.
    now = END if seed % 2 == 0 else END - 11 * 86_400 + 5 * 3600
    rebuild(ROME, now, (1000, 30, 0)[seed % 3])
    rules = Rules(BASES[seed % 3], company.one, private_numbers=seed % 2 == 1)
    yield [Bench(company, rules, person) for person in [None, *company.people]]
    database.close()


def test_every_viewer_gets_what_is_theirs(benches: list[Bench], compared: Compared) -> None:
    everything(benches, compared)
    assert compared.count >= OF_A_COMPANY


def everything(benches: list[Bench], compared: Compared) -> None:
    levels, met = set(), 0
    for place, bench in enumerate(benches):
        chance = random.Random(f"{bench.company.seed} {place}")
        if not oracle.admitted(bench.person):
            refused(bench, compared)
            continue
        levels.add(bench.person.level if bench.person else None)
        met += len(bench.seen)
        lists(bench, compared)
        all_sums(bench, chance, compared)
        filters(bench, chance, compared)
        comparisons(bench, chance, compared)
        numbers(bench, compared)
        orders(bench, chance, compared)
        pages(bench, chance, compared)
        topped(bench, chance, compared)
        subtotals(bench, chance, compared)
        beside(bench, chance, compared)
        as_of_today(bench, chance, compared)
        outputs(bench, chance, compared)
    assert levels == {None, 2, 6, 8, 10}
    assert met > 500


def refused(bench: Bench, compared: Compared) -> None:
    """One sentence, whatever is asked for."""
    for report in ("calls", "by-person", "trunk-load", "files", "nothing like it"):
        with pytest.raises(UserError) as caught:
            open_door(bench.who, report, "", bench.policy, END)
        compared.equal(str(caught.value), f"No billing data is available to {bench.who}.")


def lists(bench: Bench, compared: Compared) -> None:
    for period in PERIODS:
        rows = bench.rows(period)
        answer = bench.ask("calls", first=period[0], end=period[1])
        compared.rows(answer["rows"], bench.listed(rows), bench.who, period)
        wanted = {name: oracle.sums(rows)[name] for name in TOTALS} | {"rows": len(rows)}
        compared.sums({0: answer["totals"]}, {0: wanted}, bench.who, period)


TOTALS = ("calls", "answered", "missed", "unanswered", "duration", "cost", "unrated")


def all_sums(bench: Bench, chance: random.Random, compared: Compared) -> None:
    """Each dimension and some pairs of them, with every measure."""
    dimensions = [(name,) for name in oracle.keys(bench.rules)]
    if not THOROUGH:
        dimensions = chance.sample(dimensions, 8)
    for chosen in [*dimensions, *chance.sample(PAIRS, 3 if THOROUGH else 1)]:
        period = chance.choice(PERIODS[:3])
        compare_sums(bench, chosen, period, bench.rows(period), compared)


def compare_sums(
    bench: Bench,
    names: tuple[str, ...],
    period: tuple[str, str],
    rows: list[Row],
    compared: Compared,
    **asked: Any,
) -> None:
    answer = bench.ask(
        "summary",
        first=period[0],
        end=period[1],
        group_by=",".join(names),
        measures=MEASURES,
        **asked,
    )
    found = {tuple(key_of(name, row[name]) for name in names): row for row in answer["rows"]}
    assert len(found) == len(answer["rows"])
    groups = oracle.grouped(bench.rules, rows, names)
    wanted = {group: oracle.sums(of_group) for group, of_group in groups.items()}
    compared.sums(found, wanted, bench.who, names, period, asked)
    compared.sums({0: answer["totals"]}, {0: oracle.sums(rows)}, bench.who, names, period, asked)


def key_of(name: str, label: Any) -> Any:
    """What a label is compared by. Of names that were made one, it is that which remains."""
    return plain(label) if name in oracle.NAMES and label is not None else label


def filters(bench: Bench, chance: random.Random, compared: Compared) -> None:
    """Rows and sums under conditions: nobody gets more by asking."""
    rules, person = bench.rules, bench.person
    keys = oracle.keys(rules)

    def shown(row: Row) -> str:
        return oracle.number(rules, person, row)

    conditions: list[tuple[str, Any]] = [
        ("department=SALES,", lambda row: keys["department"](row) in ("sales", None)),
        ("cost_center=cc 2,CC1", lambda row: keys["cost_center"](row) in ("cc 2", "cc1")),
        ("custom1=APOLLO", lambda row: plain(row.custom1) == "apollo"),
        ("hour=23,0", lambda row: oracle.local(row).hour in (23, 0)),
        ("weekday=7", lambda row: oracle.local(row).isoweekday() == 7),
        ("day=2026-03-29", lambda row: oracle.local(row).date() == date(2026, 3, 29)),
        ("line=P1.2001,2002", lambda row: row.line_id in ("P1.2001", "2002")),
        ("side=pilot,called", lambda row: row.side in ("pilot", "called")),
        ("destination=france", lambda row: row.destination == "France"),
        ("party=", lambda row: row.party == 0),
        ("state=unrated", lambda row: row.state == "unrated"),
        ("purpose=private", lambda row: row.private != -1),
    ]
    numbers = {"+39061234567", "+39061234***", "private", "", "***", "112", "0039333555"}
    numbers |= {shown(row) for row in bench.seen} | {"+390612345**", "+3906123456*"}
    for text in chance.sample(sorted(numbers), 6):
        conditions.append((f"other_number={text}", lambda row, text=text: shown(row) == text))
    for text, fits in chance.sample(conditions, 8 if THOROUGH else 4):
        period = chance.choice(PERIODS)
        rows = [row for row in bench.rows(period) if fits(row)]
        answer = bench.ask("calls", first=period[0], end=period[1], filters=(text,))
        compared.rows(answer["rows"], bench.listed(rows), bench.who, text)
        compare_sums(bench, ("department",), period, rows, compared, filters=(text,))


def numbers(bench: Bench, compared: Compared) -> None:
    """Numbers that look alike behind the mask are one, and so are all that are private."""
    period = PERIODS[0]
    answer = bench.ask("frequent-numbers", first=period[0], end=period[1])
    groups: dict[str | None, list[Row]] = {}
    for row in bench.rows(period):
        if row.outside:
            shown = oracle.number(bench.rules, bench.person, row)
            groups.setdefault(shown or None, []).append(row)
    wanted = {}
    for shown, rows in groups.items():
        sums = oracle.sums(rows)
        wanted[shown] = {name: sums[name] for name in ("calls", "duration", "cost", "unrated")}
        for direction in ("incoming", "outgoing"):
            of_one = [row for row in rows if row.direction == direction]
            wanted[shown][direction] = oracle.sums(of_one)["calls"]
    found = {row["other_number"]: row for row in answer["rows"]}
    compared.equal(len(found), len(answer["rows"]), bench.who)
    compared.sums(found, wanted, bench.who, "frequent-numbers")


def comparisons(bench: Bench, chance: random.Random, compared: Compared) -> None:
    """Beginnings, more and less, and what is not."""
    rules, person = bench.rules, bench.person

    def shown(row: Row) -> str:
        return oracle.number(rules, person, row)

    conditions: list[tuple[str, Any]] = [
        ("duration>60", lambda row: row.duration > 60),
        ("cost>=1.5", lambda row: row.cost is not None and row.cost >= 1_500_000),
        ("department!=Sales", lambda row: plain_place(rules, row) != "sales"),
        ("hour<8", lambda row: oracle.local(row).hour < 8),
        ("time=22:00-06:00", lambda row: not 6 <= oracle.local(row).hour < 22),
        ("line~P1.2", lambda row: row.line_id.casefold().startswith("p1.2")),
        ("day>=2026-03-28", lambda row: oracle.local(row).date() >= date(2026, 3, 28)),
    ]
    for text in ("+3906123456", "+39061234", "+3906", "+", "p", "*", "003", "+39061234***", "2"):
        conditions.append(
            (f"other_number~{text}", lambda row, text=text: shown(row).startswith(text))
        )
    for text in ("+39061234567", "112", "private", "+39061234***"):
        conditions.append((f"other_number!={text}", lambda row, text=text: shown(row) != text))
    for text, fits in chance.sample(conditions, 6 if THOROUGH else 3):
        period = chance.choice(PERIODS)
        rows = [row for row in bench.rows(period) if fits(row)]
        answer = bench.ask("calls", first=period[0], end=period[1], filters=(text,))
        compared.rows(answer["rows"], bench.listed(rows), bench.who, text)
        compare_sums(bench, ("direction",), period, rows, compared, filters=(text,))


def plain_place(rules: Rules, row: Row) -> str:
    return oracle.one_name(rules, "department", row.department)


SORTED = (
    "other_number", "person", "line_id", "duration", "cost", "department", "direction",
    "custom1", "destination", "ring_seconds", "hunt_pilot",
)  # fmt: skip


def orders(bench: Bench, chance: random.Random, compared: Compared) -> None:
    """The order is that of what is shown, and of time where that is the same: behind a mask nothing
    decides."""
    for name in ["other_number", *chance.sample(SORTED, 2 if THOROUGH else 1)]:
        for sign in ("", "-"):
            period = chance.choice(PERIODS)
            wanted = sorted_rows(bench.listed(bench.rows(period)), name, sign)
            answer = bench.ask("calls", first=period[0], end=period[1], sort=f"{sign}{name}")
            compared.rows(answer["rows"], wanted, bench.who, "sort", sign, name)


def sorted_rows(rows: list[dict[str, Any]], name: str, sign: str) -> list[dict[str, Any]]:
    """Rows in the order of a field as it is shown; what has none comes last."""

    def value(row: dict[str, Any]) -> Any:
        shown = row[name]
        if name == "cost":
            return Decimal(shown)
        return (shown.casefold(), shown) if isinstance(shown, str) else shown

    there = [row for row in rows if row[name] is not None]
    there.sort(key=value, reverse=False)
    if sign:
        groups: dict[Any, list[dict[str, Any]]] = {}
        for row in there:
            groups.setdefault(row[name], []).append(row)
        there = [row for shown in reversed(groups) for row in groups[shown]]
    return there + [row for row in rows if row[name] is None]


def pages(bench: Bench, chance: random.Random, compared: Compared) -> None:
    """The pages one after another are the list, in any order, and a key says nothing that was not
    shown."""
    period = chance.choice(PERIODS[:3])
    asked: dict[str, Any] = {"first": period[0], "end": period[1]}
    asked["limit"] = chance.choice([7, 25, 60])
    sort = chance.choice([None, "other_number", "-duration"])
    rows = bench.listed(bench.rows(period))
    wanted = rows if sort is None else sorted_rows(rows, sort.strip("-"), sort.count("-") * "-")
    found: list[dict[str, Any]] = []
    key: str | None = ""
    while key is not None:
        specification = specify(Request("calls", **asked, sort=sort, page=key or None), ENVIRONMENT)
        opened = open_door(bench.who, "calls", specification.text(), bench.policy, END)
        with open_report(opened, specification, ENVIRONMENT) as result:
            page = list(result.rows)
            key = result.facts.get("next_page")
        assert len(page) <= asked["limit"]
        found += page
        if key is not None:
            said = b64decode(key + "==", altchars=b"-_").decode()
            for row in bench.seen:
                number = row.number
                if len(number) > 3 and oracle.number(bench.rules, bench.person, row) != number:
                    shown = {oracle.number(bench.rules, bench.person, one) for one in bench.seen}
                    assert number in shown or number not in said
    compared.rows(found, wanted, bench.who, "pages", asked, sort)


def topped(bench: Bench, chance: random.Random, compared: Compared) -> None:
    """The first groups and the others add up to what is theirs, and to no more."""
    period = chance.choice(PERIODS[:3])
    rows = bench.rows(period)
    name = chance.choice(["party", "department", "destination", "line_id", "custom1"])
    top = chance.choice([1, 2, 5])
    answer = bench.ask(
        "summary", first=period[0], end=period[1], group_by=name, measures=MEASURES, top=top
    )
    groups = oracle.grouped(bench.rules, rows, (name,))
    rest = dict(groups)
    for row in answer["rows"]:
        others = row.get("row") == "others"
        of_group = [one for group in rest.values() for one in group] if others else None
        if of_group is None:
            of_group = rest.pop((key_of(name, row[name]),))
        else:
            compared.equal(row[name].split()[0], str(len(rest)), bench.who, name)
        wanted = oracle.sums(of_group)
        compared.sums({0: {one: row[one] for one in wanted}}, {0: wanted}, bench.who, name, top)
    compared.equal(len(answer["rows"]), min(len(groups), top + 1), bench.who, name, top)
    compared.sums({0: answer["totals"]}, {0: oracle.sums(rows)}, bench.who, name, top)


def subtotals(bench: Bench, chance: random.Random, compared: Compared) -> None:
    period = chance.choice(PERIODS[:3])
    rows = bench.rows(period)
    chosen = chance.choice([("department", "month"), ("site", "direction"), ("carrier", "class")])
    answer = bench.ask(
        "summary", first=period[0], end=period[1], group_by=",".join(chosen), measures=MEASURES,
        subtotals=True,
    )  # fmt: skip
    outer = {
        (key_of(chosen[0], row[chosen[0]]),): row
        for row in answer["rows"]
        if row.get("row") == "subtotal"
    }
    groups = oracle.grouped(bench.rules, rows, chosen[:1])
    wanted = {key: oracle.sums(of_group) for key, of_group in groups.items()}
    compared.sums(outer, wanted, bench.who, "subtotals", chosen)


def beside(bench: Bench, chance: random.Random, compared: Compared) -> None:
    """The period before has the rows of the viewer, too."""
    period = chance.choice([("2026-02-01", "2026-03-01"), ("2026-03-01", "2026-04-01")])
    before = {"2026-02-01": "2026-01-01", "2026-03-01": "2026-02-01"}[period[0]]
    name = chance.choice(["party", "department", "destination", "weekday", "side"])
    answer = bench.ask(
        "summary", first=period[0], end=period[1], group_by=name, measures=MEASURES,
        compare="previous",
    )  # fmt: skip
    now, then = bench.rows(period), bench.rows((before, period[0]))
    groups = oracle.grouped(bench.rules, now, (name,))
    past = oracle.grouped(bench.rules, then, (name,))
    found = {(key_of(name, row[name]),): row for row in answer["rows"]}
    wanted = {
        key: {
            **oracle.sums(groups.get(key, [])),
            **{f"{one}_previous": v for one, v in oracle.sums(past.get(key, [])).items()},
        }
        for key in {**groups, **past}
    }
    compared.sums(found, wanted, bench.who, "compare", name, period)
    totals = {f"{one}_previous": value for one, value in oracle.sums(then).items()}
    totals |= oracle.sums(now)
    compared.sums({0: answer["totals"]}, {0: totals}, bench.who, "compare", name, period)


def as_of_today(bench: Bench, chance: random.Random, compared: Compared) -> None:
    """Grouped by where people are today, the rows are still those of the call's day."""
    period = chance.choice(PERIODS)
    people = {one.id: one for one in bench.company.people}
    rows = [
        row._replace(
            department=people[row.party].department,
            cost_center=people[row.party].cost_center,
            office_location=people[row.party].office_location,
        )
        if row.party
        else row
        for row in bench.rows(period)
    ]
    for name in ("department", "cost_center", "office_location"):
        compare_sums(bench, (name,), period, rows, compared, as_of="today")


CALL_ID = re.compile(r"\d{6}-[0-9a-f]{12}-(?:calling|called|first-redirecting|redirecting|pilot)")
LINE = re.compile(
    rf"({CALL_ID.pattern})\s+(?:(\S+)\s+)?({'|'.join(sorted(SIDES, key=len)[::-1])})\b"
)
"""The call, its number if it has one, and its side, in the text of any output."""


def outputs(bench: Bench, chance: random.Random, compared: Compared) -> None:
    """Every form has the rows of the oracle, and no digit more."""
    period = chance.choice(PERIODS)
    asked = {"first": period[0], "end": period[1]}
    wanted = bench.listed(bench.rows(period))
    content = bench.ask("calls", "csv", **asked).decode()
    found = list(csv.DictReader(io.StringIO(content)))
    compared.rows(
        [{name: cell.removeprefix("'") for name, cell in row.items()} for row in found],
        [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in wanted],
        bench.who,
        "csv",
    )
    others = [output for output in OUTPUTS if output not in ("csv", "json")]
    for output in others if THOROUGH else chance.sample(others, 2):
        period = PERIODS[3] if output == "pdf" else chance.choice(PERIODS[2:])
        rows = bench.rows(period)
        content = bench.ask(
            "calls", output, first=period[0], end=period[1], columns="id,other_number,side"
        )
        text = text_of(output, content)
        compared.rows(
            [(call, shown, side) for call, shown, side in LINE.findall(text)],
            [
                (oracle.public_id(row), oracle.number(bench.rules, bench.person, row), row.side)
                for row in rows
            ],
            bench.who,
            output,
        )


def text_of(output: str, content: bytes) -> str:
    """Return what somebody reads in an output."""
    if output == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        return "\n".join(
            " ".join("" if cell is None else str(cell).removeprefix("'") for cell in row)
            for sheet in book.worksheets
            for row in sheet.iter_rows(values_only=True)
        )
    if output == "pdf":
        pages = pypdf.PdfReader(io.BytesIO(content)).pages
        return "\n".join(page.extract_text() for page in pages)
    text = content.decode()
    if output == "html":
        text = html.unescape(re.sub(r"<[^>]*>", " ", text))
    return text


# --- what is not a list or a sum of the engine --------------------------------------------------


def test_no_report_names_what_is_not_theirs(benches: list[Bench], compared: Compared) -> None:
    """Whatever the catalogue has: no call, no person and no number that a viewer has no row of, in
    any output, and each statement that reads calls has the condition of the viewer's scope."""
    reports = catalogue(CUSTOM)
    for place, bench in enumerate(benches):
        if not oracle.admitted(bench.person):
            continue
        chance = random.Random(f"{bench.company.seed} {place}")
        level = bench.person.level if bench.person else 10
        for name, entry in chance.sample(sorted(reports.items()), 14 if THOROUGH else 7):
            asked = {}
            if "first" in entry.takes:
                asked = dict(zip(("first", "end"), chance.choice(PERIODS), strict=True))
            if entry.by == "posting":
                asked = {"first": "2026-02-01", "end": "2026-04-01"}
            if level < entry.level:
                with pytest.raises(UserError):
                    bench.ask(name, **asked)
                compared.count += 1
                continue
            output = chance.choice([one for one in OUTPUTS if one not in ("pdf", "xlsx", "json")])
            with statements(bench) as read:
                text = json.dumps(bench.ask(name, **asked), ensure_ascii=False)
                text += text_of(output, bench.ask(name, output, **asked))
            compared.equal(told_too_much(bench, text), set(), bench.who, name)
            if level < 8:
                beside = [one for one in read if reads_calls(one) and not scoped(bench, one)]
                compared.equal(beside, [], bench.who, name)


def told_too_much(bench: Bench, text: str) -> set[str]:
    """What of a text a viewer has no row of: calls, people, numbers."""
    mine = {oracle.public_id(row) for row in bench.seen}
    people = {row.username for row in bench.seen}
    if bench.person is not None:
        people.add(bench.person.username)
    found = set(CALL_ID.findall(text)) - mine
    found |= set(re.findall(r"\bUser\d+\b", text)) - people - {""}
    shown = {oracle.number(bench.rules, bench.person, row) for row in bench.seen}
    numbers = {row.number for row in bench.company.rows if row.outside and len(row.number) > 4}
    if bench.person is not None and bench.person.level < 10:
        found |= {number for number in numbers - shown if number in text}
    return found


@contextlib.contextmanager
def statements(bench: Bench) -> Iterator[list[str]]:
    """Collect the statements that the database is given, on SQLite."""
    read: list[str] = []
    connection = models.database.connection()
    listen = getattr(connection, "set_trace_callback", None)
    if listen is not None:
        listen(read.append)
    try:
        yield read
    finally:
        if listen is not None:
            listen(None)


def reads_calls(statement: str) -> bool:
    """Whether a statement reads calls, or sums of them, for somebody."""
    text = statement.replace("LEFT JOIN call owner ON owner.id = private_record.owner", "")
    if re.search(r"SELECT DISTINCT reason FROM call|MIN\(started_at\)", text):
        return False  # what a filter may mean, and since when there are calls: neither is shown
    if re.search(r"FROM rollup_\w+_total\b", text):
        return False  # the sums of others, read in a statement of their own, are taken off
    return (
        re.search(r"\b(FROM|JOIN) (call|rollup_\w+|adjustment|call_withheld)\b", text) is not None
    )


def scoped(bench: Bench, statement: str) -> bool:
    assert bench.person is not None
    own = f"party_id = {bench.person.id}"
    if own in statement or "org_id IN (SELECT" in statement:
        return True
    # Sums of everybody, which those of the others are taken off from in a statement of their own.
    door = open_door(bench.who, "calls", "", bench.policy, END)
    parts = scope_parts(door.scope, Lookups(Days(ROME), 0, 0))
    return any(part.others is not None for part in parts) and "FROM rollup_" in statement


def test_conversations_and_explanations_are_those_of_the_rows(
    benches: list[Bench], compared: Compared
) -> None:
    """What ``call show`` and ``access explain`` say of any call, seen or not."""
    for place, bench in enumerate(benches):
        chance = random.Random(place)
        rows = chance.sample(bench.company.rows, 6 if THOROUGH else 3)
        for row in rows:
            explained_access(bench, row, compared)
            if oracle.admitted(bench.person):
                shown_conversation(bench, row, compared)


def shown_conversation(bench: Bench, row: Row, compared: Compared) -> None:
    opened = open_door(bench.who, "call", "", bench.policy, END)
    mine = {oracle.public_id(one) for one in bench.seen if one.first == row.first}
    asked = chance_id(row)
    manages = bench.person is None or bench.person.level == 10
    if not mine and not manages:
        with pytest.raises(UserError):
            show(opened, ROME, CUSTOM, asked)
        compared.count += 1
        return
    text = json.dumps(show(opened, ROME, CUSTOM, asked), ensure_ascii=False)
    compared.equal(set(CALL_ID.findall(text)), mine, bench.who, asked)
    compared.equal(told_too_much(bench, text), set(), bench.who, asked)


def chance_id(row: Row) -> str:
    """The id of the row's conversation."""
    return oracle.public_id(row, side=False)


def explained_access(bench: Bench, row: Row, compared: Compared) -> None:
    """The reason for each row of a conversation is one for which it is seen, or is not."""
    if bench.person is None:
        return
    administrator = open_door(None, "access", "", bench.policy, END)
    asked = Asked(administrator, bench.policy, ENVIRONMENT, {})
    answer = explain_access(asked, f"#{bench.person.id}", chance_id(row))
    there = [one for one in bench.company.rows if one.first == row.first]
    admitted = oracle.admitted(bench.person)
    wanted = {
        oracle.public_id(one): admitted and oracle.sees(bench.rules, bench.person, one)
        for one in there
    }
    compared.equal({one["call"]: one["seen"] for one in answer["about"]["rows"]}, wanted)
    parties = {oracle.public_id(one): one for one in there}
    for one in answer["about"]["rows"]:
        told = Sight(asked, models.Party.get_by_id(bench.person.id))
        stored = models.Call.get_by_id(parties[one["call"]].id)
        compared.equal(told.judged(stored.party_id, stored.org_id)[0], wanted[one["call"]], one)


def test_mail_has_what_its_recipient_may_see(benches: list[Bench], compared: Compared) -> None:
    """A scheduled report is made as who it is for, whoever made the schedule."""
    for place, bench in enumerate(benches):
        if bench.person is None or not bench.who or not oracle.admitted(bench.person):
            continue
        chance = random.Random(place)
        period = chance.choice(PERIODS)
        text = f"calls --from {period[0]} --to {period[1]} --columns id,other_number,side"
        scheduled = ScheduledReport(
            "ini:x", "x", 0, text, Every(60), chance.choice(["csv", "table", "html"]), (), "", "",
            "send", "skip",
        )  # fmt: skip
        sending = Sending(ENVIRONMENT, END, bench.policy, "syncd@example.com")
        addressee = Addressee(
            f"party:{bench.person.id}", bench.who, "a@example.com", bench.person.id
        )
        rendered_mail = render_for(addressee, scheduled, sending)
        assert rendered_mail.message is not None
        message = email.message_from_bytes(
            rendered_mail.message.content, policy=email.policy.default
        )
        parts = [part for part in message.walk() if not part.is_multipart()]
        wanted = [
            (oracle.public_id(row), oracle.number(bench.rules, bench.person, row), row.side)
            for row in bench.rows(period)
        ]
        texts = [re.sub("[,']", " ", text_of(ending(part), body(part))) for part in parts]
        found = max((LINE.findall(one) for one in texts), key=len)
        compared.rows(found, wanted, bench.who, scheduled.form)
        for one in texts:
            compared.equal(told_too_much(bench, one), set(), bench.who)
        compared.equal(rendered_mail.rows, len(wanted), bench.who)


def ending(part: Any) -> str:
    return "html" if part.get_content_type() == "text/html" else "text"


def body(part: Any) -> bytes:
    content = part.get_content()
    return content.encode() if isinstance(content, str) else bytes(content)
