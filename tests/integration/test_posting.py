"""Posting periods: whatever happens in whatever order, a closed month comes to what it came to, all
months together come to what the calls cost, and each change is booked in the oldest open month."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from syncd.billing.tariff import Carrier, load_carrier
from syncd.calls import reassignment, rerating
from syncd.calls.directory_view import rules_of
from syncd.calls.pipeline import Pipeline
from syncd.calls.reassignment import Following
from syncd.calls.release import release_calls
from syncd.calls.rerating import Rerated, Run, Wanted
from syncd.cdr import ledger
from syncd.domain.clock import FOREVER
from syncd.domain.days import Days, day_number, month_of
from syncd.domain.errors import ConfigurationError, UserError
from syncd.domain.party import name_key
from syncd.domain.posting import next_month
from syncd.domain.rate import Rounding
from syncd.licensing.claims import Terms
from syncd.reports.lookups import Lookups
from syncd.reports.permissions import Reach, Scope
from syncd.reports.posting import COST, with_adjustments
from syncd.reports.query import Query
from syncd.reports.specification import BY_POSTING, Specification
from syncd.settings.model import TariffFile
from syncd.store import periods
from syncd.store.adjustments import closing
from syncd.store.database import write_transaction
from syncd.store.maintenance import verify
from syncd.store.models import (
    Adjustment,
    Call,
    CallWithheld,
    MaintenanceRun,
    Org,
    Party,
    Profile,
    Record,
    RerateRun,
    database,
)
from syncd.store.rollups import ensure_zone, fields_changed, rebuild
from tests.support.bed import COLUMNS, ROME, START, Bed, make_bed
from tests.support.phones import SPLIT, leg, transferred

DAY = 86_400
MAY, JUNE, JULY = 202605, 202606, 202607
END = START + 80 * DAY
"""In August 2026: what is played begins in April to July."""
NUMBERS = ("0612345678", "03331234567", "00033123456789", "00044207123456", "2002")
Key = tuple[int, int, int]
"""Org, carrier and class."""


def carrier(folder: Path, price: str, *, with_england: bool) -> Carrier:
    """Return the carrier with another price for Italy, and with a rate for England or without."""
    rows = [
        f"39,Italy,national,0.10,{price},60,60,1,0.15",
        "393,Italy mobile,mobile,0.15,0.60,60,1,1,0",
        f"33,France,international,0,{price},60,60,60,0.90",
    ]
    if with_england:
        rows.append("44,England,international,0,0.70,60,1,1,0")
    deck = folder / f"deck-{price}-{with_england}.csv"
    deck.write_text("\n".join([COLUMNS, *rows, ""]), encoding="utf-8")
    version = TariffFile("2026", deck, date(2026, 1, 1), None)
    return load_carrier("telco", [version], Rounding("half-up", 4), ROME)


def change_price(bed: Bed, price: str, *, with_england: bool = False) -> None:
    bed.change(carriers={"telco": carrier(bed.folder.parent, price, with_england=with_england)})


def rerate(bed: Bed, wanted: Wanted, *, steps: int = 1_000_000) -> Rerated:
    """Rate again, or undo; go on with what was interrupted, or stop after some steps."""
    with write_transaction():
        run_id = (rerating.unfinished() or [0])[0] or rerating.start(wanted, "test", bed.now)
    run = Run(wanted, {bed.context.source: bed.context}, zone=ROME, now=bed.now, run_id=run_id)
    while not run.finished and steps:
        run.step()
        steps -= 1
    return run.done


def preview(bed: Bed, wanted: Wanted) -> Rerated:
    run = Run(wanted, {bed.context.source: bed.context}, zone=ROME, now=bed.now)
    while not run.finished:
        run.step()
    return run.done


def close(bed: Bed, month: int) -> None:
    rebuild(ROME, bed.now, 1000)
    with write_transaction():
        periods.close(periods.months_to_close(month), ROME, bed.now, "test")


def booked(
    dimensions: tuple[str, ...] = ("month",),
    scope: Scope | None = None,
    first: date = date(2026, 1, 1),
    end: date = date(2027, 1, 1),
) -> dict[Any, int]:
    """Return what is booked by some dimensions, in micros, as a report has it."""
    specification = Specification("charges", first, end, dimensions, ("cost",), by=BY_POSTING)
    lookups = Lookups(Days(ROME), day_number(first), day_number(end))
    query = Query(scope or Scope(Reach.ALL), specification, lookups)
    found = with_adjustments(query, query.sums(dimensions), dimensions)
    return {
        key[0] if len(key) == 1 else key: sums[COST] for key, sums in found.items() if sums[COST]
    }


def cost_of_rows() -> int:
    return sum(row.cost or 0 for row in Call.select(Call.cost))


def move(bed: Bed, name: str, department: str, since: int) -> None:
    """Let a person be in another department since then, and the calls follow."""
    party = Party.get(Party.username == name)
    with write_transaction():
        org, _ = Org.get_or_create(
            department=name_key(department), cost_center="", office_location=""
        )
        Profile.delete().where(Profile.party == party, Profile.valid_from >= since).execute()
        fields_changed()
        Profile.update(valid_to=since).where(
            Profile.party == party, Profile.valid_to > since
        ).execute()
        Profile.create(
            party=party,
            org=org,
            display_name=name,
            department=department,
            valid_from=since,
            valid_to=FOREVER,
        )
        bed.directory_changed()
        run_id = reassignment.start(Following(party.id, since), bed.now)
    run = reassignment.Run(
        run_id, [bed.context], zone=ROME, now=bed.now, lock=lambda pbx: write_transaction()
    )
    while not run.finished:
        run.step()


def licence(bed: Bed, slots: int | None) -> None:
    bed.change(slots=slots)
    release_calls(Terms(slots, False), ROME, bed.now)


def decide_again(bed: Bed, ids: list[int]) -> None:
    with write_transaction():
        pipeline = Pipeline(
            bed.context, rules_of(bed.context), ledger.pbx_id(bed.context.pbx), bed.now
        )
        pipeline.decide_again(ids)


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    made = make_bed(tmp_path)
    made.now = END
    made.person("anna", "2001", department="Sales")
    made.person("bruno", "2002", department="Support")
    ensure_zone(ROME)
    return made


# --- one after the other --------------------------------------------------------------------------


def test_a_late_call_of_a_closed_month_is_booked_in_the_oldest_open_one(bed: Bed) -> None:
    bed.ingest(leg(1, 1, 2, "2001", "0612345678", talk=60))
    close(bed, MAY)
    bed.ingest(leg(2, 3, 4, "2001", "0612345678", at=100, talk=60))
    assert booked() == {MAY: 400_000, JUNE: 400_000}
    assert [row.posting_period for row in Call.select().order_by(Call.started_at)] == [MAY, JUNE]
    (entry,) = Adjustment.select()
    assert (entry.month, entry.posting_period, entry.cost, entry.cause) == (MAY, JUNE, 400_000, 0)
    assert booked(("department",)) == {"sales": 800_000}
    rebuild(ROME, bed.now, 1000)
    assert verify(ROME) == []


def test_a_move_back_books_minus_what_it_was_and_plus_what_it_is(bed: Bed) -> None:
    bed.ingest(leg(1, 1, 2, "2001", "0612345678", talk=60))
    close(bed, JUNE)
    move(bed, "anna", "Legal", START - DAY)
    assert booked(("month", "department")) == {
        (MAY, "sales"): 400_000,
        (JULY, "sales"): -400_000,
        (JULY, "legal"): 400_000,
    }
    assert {row.run_id for row in Adjustment.select()} == {
        row.id for row in MaintenanceRun.select().where(MaintenanceRun.kind == "reassign")
    }
    anna = Party.get(Party.username == "anna").id
    legal = Scope(Reach.ORGS, 99, "department", frozenset({"legal"}))
    assert booked(("department",), legal) == {"legal": 400_000}
    assert booked(("month",), Scope(Reach.OWN, anna)) == {MAY: 400_000}
    assert booked(("month",), Scope(Reach.OWN, anna + 1)) == {}


def test_a_released_call_is_booked_in_the_open_month(bed: Bed) -> None:
    licence(bed, 0)
    bed.ingest(leg(1, 1, 2, "2001", "0612345678", talk=60))
    close(bed, MAY)
    assert (Call.select().count(), CallWithheld.select().count()) == (0, 1)
    licence(bed, None)
    assert (Call.select().count(), CallWithheld.select().count()) == (1, 0)
    assert booked() == {JUNE: 400_000}
    rebuild(ROME, bed.now, 1000)
    assert verify(ROME) == []


def test_a_late_leg_and_a_reprocessing_are_booked_too(bed: Bed) -> None:
    bed.ingest(leg(4, 7, 8, "2001", "00331234567", talk=120, **SPLIT))
    close(bed, MAY)
    before = booked()
    bed.ingest(
        leg(5, 9, 10, "2001", "2002", at=50, talk=10, **SPLIT),
        leg(4, 8, 10, "00331234567", "2002", at=120, ring=0, talk=360, **transferred("2001")),
    )
    assert cost_of_rows() > before[MAY] > 0
    assert booked() == {MAY: before[MAY], JUNE: cost_of_rows() - before[MAY]}
    known = Adjustment.select().count()
    decide_again(bed, [row.id for row in Record.select()])
    assert Adjustment.select().count() == known
    assert {row.posting_period for row in Call.select()} == {MAY, JUNE}


def test_rating_again_changes_money_alone_and_twice_nothing(bed: Bed) -> None:
    bed.ingest(
        leg(1, 1, 2, "2001", "0612345678", talk=60),
        leg(2, 3, 4, "2001", "00044207123456", at=100, talk=60),
        leg(3, 5, 6, "2002", "0612345678", at=200, talk=60),
    )
    before = list(Call.select().order_by(Call.id).tuples())
    assert bed.rows("cost", "state") == [("0.40", "rated"), (None, "unrated"), ("0.40", "rated")]
    change_price(bed, "0.50", with_england=True)
    everything = Wanted(0, FOREVER)
    shown = preview(bed, everything)
    assert bed.rows("cost")[0] == ("0.40",)
    done = rerate(bed, everything)
    assert (done.total, done.groups) == (shown.total, shown.groups)
    assert (shown.rows, shown.total.before, shown.total.after) == (3, 800_000, 1_900_000)
    assert (shown.total.unrated_before, shown.total.unrated_after) == (1, 0)
    assert bed.rows("cost", "state") == [("0.60", "rated"), ("0.70", "rated"), ("0.60", "rated")]
    money = {"destination_id", "carrier_id", "rate_id", "billed_seconds", "cost", "state", "reason"}
    names = [field.column_name for field in Call._meta.sorted_fields]
    for was, now in zip(before, Call.select().order_by(Call.id).tuples(), strict=True):
        changed = {name for name, a, b in zip(names, was, now, strict=True) if a != b}
        assert changed <= money
    assert rerate(bed, everything).rows == 0
    assert preview(bed, everything).rows == 0
    run = RerateRun.select().order_by(RerateRun.run_id).first()
    assert (run.rows, run.before, run.after) == (3, 800_000, 1_900_000)
    assert rerate(bed, Wanted(undo=run.run_id)).rows == 3
    assert list(Call.select().order_by(Call.id).tuples()) == before
    rebuild(ROME, bed.now, 1000)
    assert verify(ROME) == []
    with pytest.raises(UserError, match="was undone by run"), write_transaction():
        rerating.start(Wanted(undo=run.run_id), "test", bed.now)
    with pytest.raises(UserError, match="there is no run"), write_transaction():
        rerating.start(Wanted(undo=77), "test", bed.now)


def test_rating_again_gives_what_deciding_again_gives(bed: Bed) -> None:
    bed.ingest(
        leg(4, 7, 8, "2001", "00331234567", talk=120, **SPLIT),
        leg(5, 9, 10, "2001", "2002", at=50, talk=10, **SPLIT),
        leg(6, 11, 12, "2001", "0612345678", at=60),
        leg(4, 8, 10, "00331234567", "2002", at=120, ring=0, talk=360, **transferred("2001")),
    )
    change_price(bed, "0.70")
    # The last record of the conversation is enough to have all of it rated again.
    rerate(bed, Wanted(START + 100, FOREVER))
    assert [row[0] for row in bed.rows("state")].count("rated") == 3
    rerate(bed, Wanted(0, FOREVER))
    rated = sorted(Call.select(Call.id, Call.cost, Call.reason, Call.billed_seconds).tuples())
    # 8 minutes and 1 minute at 0.70, a fee of 0.10 for each leg.
    assert sum(row[1] for row in rated) == 6_500_000
    decide_again(bed, [row.id for row in Record.select()])
    assert rated == sorted(
        Call.select(Call.id, Call.cost, Call.reason, Call.billed_seconds).tuples()
    )


def test_rating_again_in_closed_months_and_undoing_it(bed: Bed) -> None:
    bed.ingest(
        leg(1, 1, 2, "2001", "0612345678", talk=60),
        leg(2, 3, 4, "2001", "0612345678", at=20 * DAY, talk=60),
    )
    close(bed, MAY)
    change_price(bed, "0.50")
    rerate(bed, Wanted(0, FOREVER))
    assert booked() == {MAY: 400_000, JUNE: 600_000 + 200_000}
    close(bed, JUNE)
    run = RerateRun.get()
    rerate(bed, Wanted(undo=run.run_id))
    assert booked() == {MAY: 400_000, JUNE: 800_000, JULY: -400_000}
    assert sum(booked().values()) == cost_of_rows()
    rebuild(ROME, bed.now, 1000)
    assert verify(ROME) == []


def test_withheld_calls_are_rated_again_and_in_no_sum(bed: Bed) -> None:
    licence(bed, 0)
    bed.ingest(leg(1, 1, 2, "2001", "0612345678", talk=60))
    change_price(bed, "0.50")
    done = rerate(bed, Wanted(0, FOREVER))
    assert (done.withheld, done.rows, done.groups) == (1, 1, {})
    assert CallWithheld.get().cost == 600_000
    rerate(bed, Wanted(undo=RerateRun.get().run_id))
    assert CallWithheld.get().cost == 400_000


def test_only_the_period_and_the_carrier_are_rated_again(bed: Bed) -> None:
    bed.ingest(
        leg(1, 1, 2, "2001", "0612345678", talk=60),
        leg(2, 3, 4, "2001", "0612345678", at=DAY, talk=60),
    )
    change_price(bed, "0.50")
    other = rerate(bed, Wanted(0, FOREVER, "other"))
    assert (other.rows, other.records) == (0, 0)
    assert rerate(bed, Wanted(START + DAY, START + 2 * DAY, "telco")).rows == 1
    assert bed.rows("cost") == [("0.40",), ("0.60",)]


def test_a_run_that_was_killed_goes_on_where_it_was(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerating, "RECORDS_AT_ONCE", 2)
    bed.ingest(
        *(leg(n, n * 2, n * 2 + 1, "2001", "0612345678", at=n, talk=60) for n in range(1, 8))
    )
    change_price(bed, "0.50")
    rerate(bed, Wanted(0, FOREVER), steps=2)
    assert sorted(row[0] for row in bed.rows("cost")) == ["0.40"] * 3 + ["0.60"] * 4
    rerate(bed, Wanted(0, FOREVER))
    assert bed.rows("cost") == [("0.60",)] * 7
    run = RerateRun.get()
    assert (run.rows, run.before, run.after) == (7, 2_800_000, 4_200_000)
    monkeypatch.setattr(rerating, "ROWS_AT_ONCE", 2)
    rerate(bed, Wanted(undo=run.run_id), steps=1)
    rerate(bed, Wanted())
    assert bed.rows("cost") == [("0.40",)] * 7
    assert rerating.unfinished() == []


def test_rows_that_changed_since_a_run_are_not_undone(bed: Bed) -> None:
    bed.ingest(
        leg(1, 1, 2, "2001", "0612345678", talk=60),
        leg(2, 3, 4, "2001", "03331234567", at=DAY, talk=60),
    )
    change_price(bed, "0.50")
    rerate(bed, Wanted(0, FOREVER))
    change_price(bed, "0.70")
    rerate(bed, Wanted(0, FOREVER))
    first = RerateRun.select().order_by(RerateRun.run_id).first()
    done = rerate(bed, Wanted(undo=first.run_id))
    assert (done.rows, done.skipped) == (0, 1)
    assert bed.rows("cost") == [("0.80",), ("0.75",)]


def test_verify_sees_what_was_altered(bed: Bed) -> None:
    bed.ingest(leg(1, 1, 2, "2001", "0612345678", talk=60))
    close(bed, MAY)
    assert verify(ROME) == []
    Call.update(cost=1).execute()
    assert any("2026-05 was closed with 0.40" in one for one in verify(ROME))


def test_the_zone_stays_as_it_was_once_a_month_is_closed(bed: Bed) -> None:
    from zoneinfo import ZoneInfo

    bed.ingest(leg(1, 1, 2, "2001", "0612345678", talk=60))
    assert ensure_zone(ZoneInfo("Asia/Kolkata"))
    ensure_zone(ROME)
    close(bed, MAY)
    with pytest.raises(ConfigurationError, match="when posting periods were closed"):
        ensure_zone(ZoneInfo("Asia/Kolkata"))


# --- in any order ---------------------------------------------------------------------------------


class Months(RuleBasedStateMachine):
    """What is booked where, kept beside by nothing but what each step changed."""

    bed: Bed

    @initialize(slots=st.sampled_from([0, 1, None]))
    def begin(self, slots: int | None) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.bed = make_bed(self.folder)
        self.bed.now = END
        self.bed.person("anna", "2001", department="Sales")
        self.bed.person("bruno", "2002", department="Support")
        ensure_zone(ROME)
        self.days = Days(ROME)
        self.next = 1
        self.through = 0
        self.rows: dict[int, tuple[int, Key, int]] = {}
        self.booked: Counter[tuple[int, Key]] = Counter()
        self.closed: dict[int, dict[Key, int]] = {}
        licence(self.bed, slots)
        for at in (-50, -20, 10):
            self.call(at, 60, "2001", NUMBERS[0])
            self.call(at + 1, 60, "2002", NUMBERS[0])
            self.transfer(at + 2, first=True)

    def teardown(self) -> None:
        if hasattr(self, "booked"):
            assert closing().through == self.through
            for row in Adjustment.select():
                assert row.month < row.posting_period and row.month <= self.through
            rebuild(ROME, self.bed.now, 1000)
            assert verify(ROME) == []
        database.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def book(self) -> None:
        """Book what the last step changed."""
        now = {
            row.id: (
                month_of(self.days.day(row.started_at)),
                (row.org_id, row.carrier_id, row.class_),
                row.cost or 0,
            )
            for row in Call.select()
        }
        for key in self.rows.keys() | now.keys():
            for found, sign in ((self.rows.get(key), -1), (now.get(key), 1)):
                if found is not None and self.rows.get(key) != now.get(key):
                    month, keys, cost = found
                    if month <= self.through:
                        month = next_month(self.through)
                    self.booked[month, keys] += sign * cost
        self.rows = now

    @rule(
        at=st.integers(-55, 60),
        talk=st.sampled_from([None, 0, 60, 601]),
        who=st.sampled_from(["2001", "2002"]),
        number=st.sampled_from(NUMBERS),
    )
    def call(self, at: int, talk: int | None, who: str, number: str) -> None:
        if number == who:
            return
        n = self.next = self.next + 1
        self.bed.ingest(leg(n, 4 * n, 4 * n + 1, who, number, at=at * DAY, talk=talk))
        self.book()

    @rule(at=st.integers(-55, 60), first=st.booleans())
    def transfer(self, at: int, first: bool) -> None:
        """A call abroad that is transferred around midnight; its records come in two files."""
        n = self.next = self.next + 2
        start = at * DAY
        records = [
            leg(n, 4 * n, 4 * n + 1, "2001", "00331234567", at=start, talk=120, **SPLIT),
            leg(n + 1, 4 * n + 2, 4 * n + 3, "2001", "2002", at=start + 50, talk=10, **SPLIT),
            leg(
                n,
                4 * n + 1,
                4 * n + 3,
                "00331234567",
                "2002",
                at=start + 120,
                ring=0,
                talk=360,
                **transferred("2001"),
            ),
        ]
        for part in (records[:1], records[1:]) if first else (records[1:], records[:1]):
            self.bed.ingest(*part)
            self.book()

    @precondition(lambda self: self.through < JULY)
    @rule(more=st.integers(0, 1))
    def close(self, more: int) -> None:
        month = min(next_month(self.through or 202604) + more, JULY)
        close(self.bed, month)
        self.through = month
        for one in range(202601, month + 1):
            figures = {
                key: cost
                for (booked_in, key), cost in self.booked.items()
                if booked_in == one and cost
            }
            assert self.closed.setdefault(one, figures) == figures

    @rule(
        who=st.sampled_from(["anna", "bruno"]),
        to=st.sampled_from(["Sales", "Legal"]),
        since=st.sampled_from([-60, -30, 0, 30]),
    )
    def move(self, who: str, to: str, since: int) -> None:
        move(self.bed, who, to, START + since * DAY)
        self.book()

    @rule(
        price=st.sampled_from(["0.30", "0.50"]),
        england=st.booleans(),
        since=st.sampled_from([-60, -30, 0, 30]),
        days=st.sampled_from([30, 90]),
        name=st.sampled_from(["", "telco"]),
    )
    def rerate(self, price: str, england: bool, since: int, days: int, name: str) -> None:
        change_price(self.bed, price, with_england=england)
        wanted = Wanted(START + since * DAY, START + (since + days) * DAY, name)
        shown = preview(self.bed, wanted)
        before = cost_of_rows()
        done = rerate(self.bed, wanted)
        assert (done.total, done.withheld) == (shown.total, shown.withheld)
        assert done.total.after - done.total.before == cost_of_rows() - before
        assert rerate(self.bed, wanted).rows == 0
        self.book()

    @precondition(lambda self: bool(self.rows))
    @rule(which=st.integers(0, 5))
    def undo(self, which: int) -> None:
        undone = {row.undoes for row in RerateRun.select()}
        runs = [
            row.run_id
            for row in RerateRun.select().order_by(RerateRun.run_id.desc())
            if not row.undoes and row.run_id not in undone
        ]
        if runs:
            rerate(self.bed, Wanted(undo=runs[which % len(runs)]))
            self.book()

    @rule(slots=st.sampled_from([0, 1, None]))
    def licence(self, slots: int | None) -> None:
        licence(self.bed, slots)
        self.book()

    @precondition(lambda self: Record.select().exists())
    @rule(which=st.integers(0, 100))
    def decide_again(self, which: int) -> None:
        ids = [row.id for row in Record.select(Record.id).order_by(Record.id)]
        decide_again(self.bed, [ids[which % len(ids)]])
        self.book()

    @invariant()
    def every_month_comes_to_what_was_booked(self) -> None:
        if not hasattr(self, "booked"):
            return
        months: Counter[int] = Counter()
        for (month, _), cost in self.booked.items():
            months[month] += cost
        found = booked()
        assert found == {month: cost for month, cost in months.items() if cost}
        assert sum(found.values()) == cost_of_rows()
        for month, figures in self.closed.items():
            assert months[month] == sum(figures.values())


Months.TestCase.settings = settings(
    max_examples=5,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_any_order = Months.TestCase
