"""The order of arrival never matters, with several telephone systems at once: whole files that come
shuffled, cut short and again, files that grow by pieces of rows, and other files of old rows."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.application.composition import Application
from syncd.application.plugins import load_settings
from syncd.calls import intake as unit
from syncd.demo.cucm_writer import row, write_cucm_file
from syncd.domain.clock import FOREVER
from syncd.store.models import File, database
from tests.support import mixed
from tests.support.dump import dump
from tests.support.stores import be_quick, copy_tree
from tests.support.sweep import differences, schedules

ROWS = [row(**columns) for columns in (*mixed.busy_rows(), *mixed.examples(0, 1))]
GROWING = (mixed.asterisk_rows("2026-06-01 10") + mixed.asterisk_rows("2026-06-02 11")).encode()
OF_FILES = ("file", "reject", "file_header", "growing_file", "archive", "set-aside", "drop")
"""What tells how things came, and may differ."""
WAITING = ("slot", "call", "call_withheld", "rollup_day", "rollup_month")
WAITING_TOO = ("rollup_destination", "rollup_line", "rolled_day", "rolled_month", "unknown_number")
"""What depends on who of the acquired holds the last slot."""


@dataclass(frozen=True)
class Company:
    template: Path
    full: bool
    """Whether the licence is."""
    ordered: dict[str, list[str]] = field(repr=False)


def deliver(template: Path, random: Random | None) -> dict[str, list[str]]:
    """Deliver everything in an order, or as it comes, and return what is stored."""
    root = Path(tempfile.mkdtemp(prefix="syncd-order-"))
    usual = unit.BATCH_ROWS
    try:
        copy_tree(template, root)
        application = Application.open(load_settings(root / "syncd.ini"))
        application.clock = lambda: mixed.NOW
        be_quick(database)
        if random is not None:
            unit.BATCH_ROWS = random.choice((1, 7, 10_000))
        for _ in arrivals(root, random):
            assert [one.error for one in application.ingest(settle=False)] == [None, None]
        application.roll_up()
        for file in File.select():
            parts = file.stored + file.duplicate + file.excluded + file.not_billed + file.rejected
            assert file.read == parts, file.name
        application.close()
        return dump(root)
    finally:
        unit.BATCH_ROWS = usual
        if not database.is_closed():
            database.close()
        shutil.rmtree(root)


def arrivals(root: Path, random: Random | None) -> Iterator[None]:
    """Put files into the folders; the folders are to be read at each yield."""
    hq, master = root / "drop" / "hq", root / "drop" / "branch" / "Master.csv"
    if random is None:
        write_cucm_file(hq / "all", ROWS)
        master.write_bytes(GROWING)
        yield
        return
    order = list(range(len(ROWS)))
    random.shuffle(order)
    grown = number = 0
    while order or grown < len(GROWING):
        number += 1
        taken = [order.pop() for _ in range(min(len(order), random.randrange(20)))]
        again = random.choices(range(len(ROWS)), k=random.choice((0, 0, 3)))
        if taken or again:
            path = write_cucm_file(hq / f"cdr_{number:03}", [ROWS[at] for at in (*taken, *again)])
            if random.random() < 0.3:
                # Cut in the middle of its last row; the whole one comes by the same name.
                whole = path.read_bytes()
                path.write_bytes(whole[: -random.randrange(20, 200)])
                yield
                path.write_bytes(whole)
        if grown < len(GROWING):
            step = random.randrange(1, 400)
            with master.open("ab") as file:
                file.write(GROWING[grown : grown + step])
            grown += step
        if random.random() < 0.2:
            lines = GROWING.splitlines(keepends=True)
            random.shuffle(lines)
            lines = lines[: random.randrange(1, 6)]
            (master.parent / f"extra-{number}.csv").write_bytes(b"".join(lines))
        if random.random() < 0.6:
            yield
    yield


def comparable(found: dict[str, list[str]], full: bool) -> dict[str, list[str]]:
    """Leave out what may depend on the order: files and rows, and with a full licence which of the
    acquired lines wait."""
    kept = {}
    for table, rows in found.items():
        if table in OF_FILES or (
            full and (table.startswith("rollup_") or table in (*WAITING, *WAITING_TOO))
        ):
            continue
        if table == "record":
            rows = sorted(re.sub(r"file_id=<[^>]*> row=\d+ ", "", text) for text in rows)
        kept[table] = rows
    if full:
        held = [slot for slot in found["slot"] if f" until={FOREVER} " in slot]
        kept["slots that are held"] = [str(len(held))]
        kept["calls of all"] = sorted(found["call"] + found["call_withheld"])
    return kept


@pytest.fixture(scope="module", params=["full", "unlimited"])
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Company:
    full = request.param == "full"
    root = tmp_path_factory.mktemp("mixed")
    ini = mixed.write_company(root)
    if not full:
        text = ini.read_text(encoding="utf-8")
        ini.write_text(text.replace("slots = 4", "slots = unlimited"), encoding="utf-8")
    application = Application.open(load_settings(ini))
    application.clock = lambda: mixed.NOW
    assert [one.error for one in application.sync()] == [None]
    application.close()
    ordered = comparable(deliver(root, None), full)
    assert len(ordered["record"]) > 35
    return Company(root, full, ordered)


@settings(max_examples=schedules(8))
@given(seed=st.integers(0, 2**32))
def test_any_order_of_several_systems(company: Company, seed: int) -> None:
    found = comparable(deliver(company.template, Random(seed)), company.full)
    assert not (wrong := differences(found, company.ordered)), "\n".join(wrong)
