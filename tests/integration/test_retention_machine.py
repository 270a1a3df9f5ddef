"""Files, late files, other prices, moves, releases, merged names, people made nobody, days sealed,
numbers cut, sums rebuilt or not, in any order: every report is the sum of the rows that are there and
of those that were, added up in Python; and what it does not know it says."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from peewee import fn

from syncd.application import anonymising, retention
from syncd.application.composition import Application
from syncd.application.plugins import load_settings
from syncd.calls.rerating import Wanted
from syncd.domain.codes import Direction, Outcome, State
from syncd.domain.days import Days, day_number, month_of
from syncd.domain.errors import ConfigurationError
from syncd.domain.party import name_key
from syncd.reports.lookups import Lookups
from syncd.reports.permissions import Reach, Scope
from syncd.reports.query import SUM_NAMES, Query
from syncd.reports.scope import scope_parts
from syncd.reports.specification import Filters, Specification
from syncd.settings.retention import RetentionSettings
from syncd.store.audit import Actor
from syncd.store.database import write_transaction
from syncd.store.maintenance import verify
from syncd.store.models import (
    Call,
    File,
    Line,
    Name,
    Org,
    Party,
    Profile,
    Record,
    SealedDay,
    database,
)
from syncd.store.names import aliases, make_one
from syncd.store.rollups import ensure_zone, rebuild
from syncd.store.sealed import seal
from tests.integration.test_posting import change_price, licence, move, rerate
from tests.support.bed import ROME, START, make_bed
from tests.support.phones import SPLIT, leg, transferred
from tests.support.world import INI

DAY = 86_400
EXAMPLES = int(os.environ.get("SYNCD_EXAMPLES", "12"))
END = START + 80 * DAY
KOLKATA = ZoneInfo("Asia/Kolkata")
NUMBERS = ("0612345678", "03331234567", "00033123456789", "2002")
WHOLE = (date(2026, 3, 1), date(2026, 9, 1))
PART = (date(2026, 5, 11), date(2026, 6, 20))
NEARLY_ALL = Scope(Reach.ORGS, 2, "department", frozenset({"sales", "legal"}))
ANSWERED_WHOLE: tuple[tuple[str, ...], ...] = (
    ("month",),
    ("day",),
    ("department",),
    ("department", "month"),
    ("direction", "class"),
    ("carrier", "trunk"),
    ("destination",),
    ("destination", "month"),
    ("hour",),
    ("weekday",),
    ("person",),
    ("line_id",),
    ("person", "class"),
    ("custom1",),
    ("custom1", "month"),
)
"""What a report can be asked by for all sealed days. Without dimensions it is a list of calls."""
OTHERS: tuple[tuple[str, ...], ...] = (
    (),
    ("side",),
    ("state",),
    ("disposition",),
    ("hour", "class"),
    ("weekday", "hour", "direction"),
    ("custom1", "department"),
)
NO_FILTERS: Filters = ()
FILTERS: tuple[Filters, ...] = (
    (("month", ("2026-05",)),),
    (("department", ("Sales", "")),),
    (("direction", ("outgoing",)),),
)
WHATEVER = (*ANSWERED_WHOLE, *OTHERS)


@dataclass(frozen=True)
class Row:
    """A call row as plain values; one that is gone has no person and no line."""

    day: int
    org: int
    party: int
    keys: dict[str, Any]
    sums: tuple[int, ...]


def department_of() -> Callable[[int], str | None]:
    merged = aliases()
    orgs = {org.id: org.department for org in Org.select()}
    return lambda org: merged.get(("department", orgs[org]), orgs[org]) or None


def rows_now() -> dict[int, Row]:
    """Return the call rows that are there."""
    days = Days(ROME)
    lines = {line.id: line.line_id for line in Line.select()}
    projects = {one.id: name_key(one.custom1) or None for one in Profile.select()}
    found = {}
    for call in Call.select():
        moment = days.moment(call.started_at // 900)
        found[call.id] = Row(
            moment.day,
            call.org_id,
            call.party_id,
            {
                "day": moment.day,
                "month": month_of(moment.day),
                "hour": moment.hour,
                "weekday": moment.weekday,
                "direction": call.direction,
                "class": call.class_,
                "carrier": call.carrier_id or None,
                "trunk": call.trunk_id or None,
                "destination": call.destination_id or None,
                "person": call.party_id or None,
                "line_id": lines[call.line_id] or None,
                "custom1": projects[call.profile_id],
                "side": call.side,
                "state": call.state,
                "disposition": call.disposition,
            },
            (
                call.counted,
                int(call.outcome == Outcome.ANSWERED),
                int(call.outcome == Outcome.MISSED),
                int(call.outcome == Outcome.UNANSWERED),
                call.ring_seconds,
                call.duration,
                call.billed_seconds,
                call.cost or 0,
                int(call.state == State.UNRATED),
                1,
            ),
        )
    return found


def added_up(
    rows: Iterable[Row], dimensions: tuple[str, ...], department: Callable[[int], str | None]
) -> dict[Any, list[int]]:
    found: dict[Any, list[int]] = {}
    for row in rows:
        keys = {**row.keys, "department": department(row.org)}
        sums = found.setdefault(tuple(keys[name] for name in dimensions), [0] * len(SUM_NAMES))
        for place, value in enumerate(row.sums):
            sums[place] += value
    return found


class Retained(RuleBasedStateMachine):
    """A company over four months, of which days are sealed."""

    @initialize(slots=st.sampled_from([1, None]))
    def begin(self, slots: int | None) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.bed = make_bed(self.folder)
        self.bed.now = END
        ini = self.folder / "syncd.ini"
        ini.write_text(INI, encoding="utf-8")
        self.people = ["anna", "bruno"]
        self.bed.person("anna", "2001", department="Sales")
        self.bed.person("bruno", "2002", department="Support")
        for name, project in (("anna", "Apollo"), ("bruno", "apollo ")):
            party = Party.get(Party.username == name)
            Profile.update(custom1=project).where(Profile.party == party.id).execute()
        # So many orgs that who sees those of two departments sees nearly all.
        for number in range(40):
            Org.create(department="sales", cost_center=f"cc{number}", office_location="")
        loaded = load_settings(ini)
        self.settings = replace(loaded, state_directory=self.bed.context.state_directory)
        ensure_zone(ROME)
        self.next = 1
        self.gone: list[Row] = []
        self.slots = slots
        licence(self.bed, slots)
        for at in (-30, 10, 40):
            self.call(at, 60, "2001", NUMBERS[0])
            self.call(at, 60, "2002", NUMBERS[1])
            self.transfer(at + 2, first=True)

    def teardown(self) -> None:
        if hasattr(self, "gone"):
            rebuild(ROME, self.bed.now, 1000)
            assert verify(ROME) == []
            self.asked(WHATEVER)
        database.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def application(self, **kept: int) -> Application:
        wanted = replace(self.settings, retention=RetentionSettings(**kept))
        return Application(wanted, database.obj, command="test", clock=lambda: self.bed.now)

    @rule(
        at=st.integers(-55, 75),
        talk=st.sampled_from([None, 0, 60, 601]),
        who=st.sampled_from(["2001", "2002"]),
        number=st.sampled_from(NUMBERS),
    )
    def call(self, at: int, talk: int | None, who: str, number: str) -> None:
        if number != who:
            n = self.next = self.next + 1
            self.take([leg(n, 4 * n, 4 * n + 1, who, number, at=at * DAY, talk=talk)])

    @rule(at=st.integers(-55, 75), first=st.booleans())
    def transfer(self, at: int, first: bool) -> None:
        """A call abroad that is transferred around midnight; its records come in two files."""
        n = self.next = self.next + 2
        start = at * DAY + 5500
        records = [
            leg(n, 4 * n, 4 * n + 1, "2001", "00331234567", at=start, talk=120, **SPLIT),
            leg(n + 1, 4 * n + 2, 4 * n + 3, "2001", "2002", at=start + 50, talk=10, **SPLIT),
            leg(
                n,
                4 * n + 1,
                4 * n + 3,
                "00331234567",
                "2002",
                at=start + 9000,
                ring=0,
                talk=360,
                **transferred("2001"),
            ),
        ]
        for part in (records[:1], records[1:]) if first else (records[1:], records[:1]):
            self.take(part)

    def take(self, records: list[dict[str, Any]]) -> None:
        """Take a file: of sealed days nothing comes any more, and the ledger says so."""
        sealed = seal().start
        last = Record.select(fn.MAX(Record.id)).scalar() or 0
        late = sum(one["dateTimeOrigination"] < sealed for one in records)
        self.bed.ingest(*records)
        new = Record.select().where(Record.id > last)
        assert len(new) == len(records) - late
        assert all(row.started_at >= sealed for row in new)
        file = File.select().order_by(File.id.desc()).first()
        assert file.excluded == late

    @rule()
    def once_more(self) -> None:
        """A file that came already comes under another name: what is gone does not count again."""
        files = list(self.bed.context.archive.rglob("*.gz")) if self.bed.context.archive else []
        if not files:
            return
        licence(self.bed, self.bed.context.slots)  # what it releases is not the file's
        before = rows_now()
        self.bed.files += 1
        name = f"cdr_StandAloneCluster_01_202605282027_{self.bed.files}"
        content = gzip.decompress(sorted(files)[-1].read_bytes()) + b"\n"
        (self.bed.folder / name).write_bytes(content)
        self.bed.take()
        assert rows_now() == before

    @rule(price=st.sampled_from(["0.30", "0.60"]), since=st.sampled_from([-60, 0, 30]))
    def rate_again(self, price: str, since: int) -> None:
        change_price(self.bed, price)
        rerate(self.bed, Wanted(START + since * DAY))

    @rule(to=st.sampled_from(["Sales", "Legal"]), since=st.sampled_from([-60, -30, 0, 30]))
    def move_back(self, to: str, since: int) -> None:
        if self.people:
            move(self.bed, self.people[-1], to, START + since * DAY)
            last = Profile.select(fn.MAX(Profile.id)).scalar()
            Profile.update(custom1=to).where(Profile.id == last).execute()

    @rule(slots=st.sampled_from([1, 2, None]))
    def license(self, slots: int | None) -> None:
        licence(self.bed, slots)

    @rule()
    def merge(self) -> None:
        with write_transaction():
            Name.insert(kind="department", key="legal", text="Legal").on_conflict_ignore().execute()
            make_one("department", "sales", "legal")

    @rule()
    def anonymise(self) -> None:
        """Somebody becomes nobody; the number is somebody else's from now on."""
        if self.people:
            name = self.people.pop(0)
            before = {key: row.sums for key, row in rows_now().items()}
            party = Party.get(Party.username == name)
            anonymising.carry_out(self.application(), name, Actor("test"))
            assert {key: row.sums for key, row in rows_now().items()} == before
            assert not Call.select().where(Call.party_id == party.id).exists()
            said = Party.get_by_id(party.id)
            assert (said.username, said.display_name, said.department) == ("", "", "")

    @rule(days=st.sampled_from([20, 50, 80, 110]))
    def seal_days(self, days: int) -> None:
        self.sealed_by(days)

    def sealed_by(self, days: int) -> None:
        before = rows_now()
        retention.carry_out(self.application(calls=days))
        now = rows_now()
        self.gone += [
            replace(
                row,
                party=0,
                keys={
                    **row.keys,
                    **dict.fromkeys(("person", "line_id", "custom1")),
                    "side": "gone",
                },
            )
            for key, row in before.items()
            if key not in now
        ]
        assert now.keys() <= before.keys()

    @rule(days=st.sampled_from([20, 60]))
    def cut_numbers(self, days: int) -> None:
        before = rows_now()
        retention.carry_out(self.application(truncate_numbers=days, keep_digits=5))
        assert rows_now() == before
        until = Days(ROME).start(Days(ROME).day(END - days * DAY))
        for call in Call.select().where(Call.started_at < until - DAY, Call.other_outside == 1):
            assert len(call.other_number.rstrip("…")) <= len("+39612")

    @rule(limit=st.sampled_from([1, 3, 1000]))
    def roll_up(self, limit: int) -> None:
        rebuild(ROME, self.bed.now, limit)

    @rule(
        limit=st.sampled_from([2, 1000]),
        day=st.integers(-50, 80),
        hour=st.sampled_from([0, 5, 7, 23]),
    )
    def roll_up_in_mid_month(self, limit: int, day: int, hour: int) -> None:
        """The clock may be late: what has settled, and what stands beside its month, is another
        each time."""
        rebuild(ROME, Days(ROME).start(Days(ROME).day(START + day * DAY)) + hour * 3600, limit)

    @rule()
    def another_zone(self) -> None:
        if SealedDay.select().exists():
            with pytest.raises(ConfigurationError, match="sealed"):
                ensure_zone(KOLKATA)
        else:
            assert ensure_zone(KOLKATA)
            self.asked(((), ("day",), ("destination",)))
            assert ensure_zone(ROME)

    @invariant()
    def every_report_is_the_sum_of_its_rows(self) -> None:
        if hasattr(self, "gone"):
            questions = (("department", "month"), ("destination",), ("person",), ("hour",))
            self.asked(((), ("custom1",), *questions), periods=1)

    def asked(self, questions: Iterable[tuple[str, ...]], periods: int = 2) -> None:
        """Ask as several viewers, of the whole and a part of it, or of ``periods`` of these."""
        rows = [*rows_now().values(), *self.gone]
        department = department_of()
        merged = aliases()
        sales, legal = (merged.get(("department", key), key) for key in ("sales", "legal"))
        scopes: list[tuple[Scope, Callable[[Row], bool]]] = [
            (Scope(Reach.ALL), lambda row: True),
            (
                Scope(Reach.ORGS, 2, "department", frozenset({"sales"})),
                lambda row: department(row.org) == sales or row.party == 2,
            ),
            (NEARLY_ALL, lambda row: department(row.org) in (sales, legal) or row.party == 2),
            (Scope(Reach.OWN, 1), lambda row: row.party == 1),
        ]
        fits: dict[str, Callable[[Row], bool]] = {
            "month": lambda row: row.keys["month"] == 202605,
            "department": lambda row: department(row.org) in (None, sales),
            "direction": lambda row: row.keys["direction"] == Direction.OUTGOING,
        }
        for place, dimensions in enumerate(questions):
            asked = [
                (one, period, NO_FILTERS)
                for turn, one in enumerate(scopes)
                for period in ((WHOLE, PART) * 2)[(place + turn) % 2 :][:periods]
            ]
            asked.append((scopes[2], WHOLE, FILTERS[place % len(FILTERS)]))
            for (scope, sees), period, filters in asked:
                first, end = map(day_number, period)
                specification = Specification("test", *period, dimensions, filters=filters)
                query = Query(scope, specification, Lookups(Days(ROME), first, end))
                found = query.sums(dimensions)
                seen = [
                    row
                    for row in rows
                    if first <= row.day < end
                    and sees(row)
                    and all(fits[key](row) for key, _ in filters)
                    and (row.keys["side"] != "gone" or row.day not in query.kept.unknown)
                ]
                wanted = added_up(seen, dimensions, department)
                assert found == wanted, (scope, period, dimensions, filters)
                if scope.reach is not Reach.OWN and (
                    dimensions in ANSWERED_WHOLE and period is WHOLE and not filters
                ):
                    assert not query.kept.unknown, dimensions


TestRetained = Retained.TestCase
TestRetained.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def test_records_are_gone_with_their_calls() -> None:
    """What the machine does once by hand: a sealed day has no record, and its sums."""
    machine = Retained()
    machine.begin(None)
    most, _ = scope_parts(NEARLY_ALL, Lookups(Days(ROME), *map(day_number, WHOLE)))
    assert most.nearly_all
    machine.sealed_by(50)
    assert machine.gone
    assert Record.select().where(Record.started_at < seal().start).count() == 0
    machine.asked(WHATEVER)
    machine.teardown()
