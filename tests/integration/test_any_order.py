"""The order of arrival never matters: shuffled, split, overlapping and repeated files end as one
ordered file does."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.application.composition import Application
from syncd.application.contexts import intake_context
from syncd.application.preparation import prepare
from syncd.calls import intake as unit
from syncd.calls.context import IntakeContext
from syncd.calls.intake import Intake
from syncd.demo.company import write_company
from syncd.demo.cucm_writer import write_cucm_file
from syncd.demo.people import build_company
from syncd.demo.simulator import SCENARIOS, simulate
from syncd.settings.load import load
from syncd.store.database import open_database
from syncd.store.models import (
    AcquiredLine,
    Call,
    Carrier,
    Destination,
    DirtyDay,
    File,
    Line,
    RateUsed,
    Record,
    Trunk,
    UnknownNumber,
    UnknownTrunk,
    database,
)
from tests.fixtures.worked_examples import EXAMPLES
from tests.fixtures.worked_features import FEATURES
from tests.support.stores import be_quick, copy_tree
from tests.support.sweep import schedules

Row = dict[str, Any]
NOW = 1_790_000_000


@dataclass(frozen=True, repr=False)
class Company:
    """A directory that was synchronised, as a database to copy; and calls in order of their end."""

    state: Path
    context: IntakeContext
    rows: tuple[Row, ...]


@pytest.fixture(scope="module", params=["cucm", "cucm-partition", "acquisition"])
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Company:
    acquisition = request.param == "acquisition"
    driver = "cucm-partition" if acquisition else request.param
    root = tmp_path_factory.mktemp("company")
    people = build_company(30, seed=5, driver=driver)
    files = write_company(
        root, people, settle="0 seconds", slots="unlimited", acquisition=acquisition
    )
    configured = load(files.ini)
    application = Application.open(configured)
    assert [one.error for one in application.sync()] == [None]
    application.close()
    prepared = prepare(configured)
    rows = [
        row
        for played, _ in simulate(
            people, seed=11, calls=len(SCENARIOS) + 10, start=date(2026, 3, 2), days=2
        )
        for row in played
    ]
    rows.sort(key=lambda row: row["dateTimeDisconnect"])
    return Company(
        configured.state_directory,
        intake_context(configured, prepared, configured.cdr["hq"]),
        tuple(rows),
    )


@dataclass(frozen=True)
class Delivery:
    """Files of rows (by number), after which of them the folder is polled, and how large a
    transaction is."""

    files: tuple[tuple[int, ...], ...]
    polls: frozenset[int]
    batch_rows: int


def deliver(company: Company, delivery: Delivery) -> dict[str, Any]:
    """Take a delivery into a copy of the database, and return what is stored without its ids."""
    # Not pytest's: a test runs many deliveries.
    root = Path(tempfile.mkdtemp(prefix="syncd-order-"))
    usual = unit.BATCH_ROWS
    try:
        copy_tree(company.state, root / "state")
        (root / "drop").mkdir()
        open_database("sqlite:///syncd.db", root / "state")
        be_quick(database)
        unit.BATCH_ROWS = delivery.batch_rows
        intake = Intake(
            replace(
                company.context,
                folder=root / "drop",
                archive=None,
                state_directory=root / "state",
            )
        )
        for number, rows in enumerate(delivery.files):
            write_cucm_file(root / "drop" / f"cdr_{number:04}", [company.rows[at] for at in rows])
            if number in delivery.polls:
                intake.take(now=lambda: NOW, settle=False)
        intake.take(now=lambda: NOW, settle=False)
        return stored(sum(map(len, delivery.files)))
    finally:
        unit.BATCH_ROWS = usual
        database.close()
        shutil.rmtree(root)


def stored(rows: int) -> dict[str, Any]:
    """Return everything that a reader can see, by keys that do not depend on the arrival."""
    keys = dict(Record.select(Record.id, Record.key).tuples())
    lines = dict(Line.select(Line.id, Line.line_id).tuples())
    trunks, carriers, destinations = (
        dict(model.select(model.id, model.name).tuples()) for model in (Trunk, Carrier, Destination)
    )
    rates = {
        rate.id: (rate.carrier, rate.version, rate.prefix)
        for rate in RateUsed.select().where(RateUsed.id > 0)
    }
    calls = {}
    for call in Call.select().dicts():
        call["conversation"] = keys[call["conversation"]]
        call["line_id"] = lines[call["line_id"]]
        call["trunk_id"] = trunks[call["trunk_id"]]
        call["carrier_id"] = carriers[call["carrier_id"]]
        call["destination_id"] = destinations[call["destination_id"]]
        call["rate_id"] = rates.get(call["rate_id"])
        # A leg without an id is known by its record.
        call["leg"] = max(call["leg"], -1)
        calls[keys[call["id"] >> 3], call.pop("id") & 7] = call
    records = {}
    conversations: dict[str, set[str]] = defaultdict(set)
    for record in Record.select():
        records[record.key] = (record.outcome, record.reason, record.provisional)
        conversations[keys[record.conversation]].add(record.key)
    files = list(File.select())
    assert sum(file.read for file in files) == rows
    for file in files:
        parts = file.stored + file.duplicate + file.excluded + file.not_billed + file.rejected
        assert file.read == parts
    return {
        "records": records,
        "conversations": dict(conversations),
        "calls": calls,
        "counted calls": sum(file.calls for file in files),
        "new records": sum(file.read - file.duplicate for file in files),
        "unknown numbers": sorted(UnknownNumber.select().tuples()),
        "unknown trunks": sorted(UnknownTrunk.select().tuples()),
        "acquired": {
            lines[line]: hunt
            for line, hunt in AcquiredLine.select(AcquiredLine.line, AcquiredLine.hunt).tuples()
        },
        "dirty days": sorted(day.day for day in DirtyDay.select()),
    }


@pytest.fixture(scope="module")
def as_one_file(company: Company) -> dict[str, Any]:
    """What is stored of one file in order."""
    found = deliver(company, Delivery((tuple(range(len(company.rows))),), frozenset(), 10_000))
    assert found["counted calls"] == len(found["calls"]) >= 100
    assert found["new records"] == len(company.rows)
    return found


def delivery_of(rows: Sequence[int], cuts: int, random: Random) -> Delivery:
    """Return these rows shuffled and cut into files, some of them delivered again."""
    order = list(rows)
    random.shuffle(order)
    places = sorted(random.sample(range(1, len(order)), cuts))
    files = [order[a:b] for a, b in pairwise([0, *places, len(order)])]
    for _ in range(random.randrange(4)):
        again = random.choices(rows, k=random.randrange(1, 15))
        if random.random() < 0.5:
            files.insert(random.randrange(len(files) + 1), again)
        else:
            files[random.randrange(len(files))] += again
    polls = frozenset(at for at in range(len(files)) if random.random() < 0.4)
    return Delivery(tuple(map(tuple, files)), polls, random.choice((1, 7, 40, 10_000)))


def same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for what, value in expected.items():
        if isinstance(value, dict):
            different = {
                key: (found[what].get(key), value.get(key))
                for key in value.keys() | found[what].keys()
                if found[what].get(key) != value.get(key)
            }
            assert not different, f"{what}: (as delivered, as one file) {different}"
        assert found[what] == value, what


@settings(max_examples=schedules(10))
@given(cuts=st.integers(0, 12), seed=st.integers(0, 2**32))
def test_any_order_and_any_files(
    company: Company, as_one_file: dict[str, Any], cuts: int, seed: int
) -> None:
    delivery = delivery_of(range(len(company.rows)), cuts, Random(seed))
    same(deliver(company, delivery), as_one_file)


@pytest.mark.parametrize("batch_rows", [1, 10_000])
def test_backwards_one_record_at_a_time(
    company: Company, as_one_file: dict[str, Any], batch_rows: int
) -> None:
    count = len(company.rows)
    files = tuple((at,) for at in reversed(range(count)))
    polls = frozenset(range(0, count, 3)) if batch_rows == 1 else frozenset()
    same(deliver(company, Delivery(files, polls, batch_rows)), as_one_file)


WORKED = {name: rows for name, rows in {**EXAMPLES, **FEATURES}.items() if len(rows) > 1}


@pytest.mark.parametrize("example", WORKED)
def test_every_record_of_an_example_may_come_last(company: Company, example: str) -> None:
    worked = replace(company, rows=WORKED[example])
    count = len(worked.rows)
    whole = deliver(worked, Delivery((tuple(range(count)),), frozenset(), 1))
    for last in range(count):
        first = tuple(at for at in range(count) if at != last)
        same(deliver(worked, Delivery((first, (last,)), frozenset({0}), 1)), whole)


def test_calls_that_share_leg_ids(company: Company) -> None:
    """The worked examples all begin in the same second, and several use the same ids: which of them
    belong together is a matter of the rules, not of the arrival."""
    worked = replace(company, rows=tuple(row for rows in EXAMPLES.values() for row in rows))
    count = len(worked.rows)
    whole = deliver(worked, Delivery((tuple(range(count)),), frozenset(), 10_000))
    # Whether its number is unknown is said when a record is first seen: a leg that is taken for
    # that of another call may say it once more, or not at all.
    del whole["unknown numbers"]
    for seed in range(5):
        same(deliver(worked, delivery_of(range(count), 5, Random(seed))), whole)
