"""The month run on stored calls: no order of arrival changes it, and it adds up."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from syncd.calls.month_run import Figures, Plan, clean, figures, is_stale, prepare, settle
from syncd.domain.allowance import Allowance
from syncd.store import month_runs
from syncd.store.database import write_transaction
from syncd.store.maintenance import verify
from syncd.store.models import AllowanceUse, Call, MaintenanceRun, MonthRun
from syncd.store.month_runs import covered
from syncd.store.rollups import ensure_zone, rebuild
from tests.support.bed import ROME, START, Bed, make_bed
from tests.support.phones import SPLIT, leg, transferred

DAY = 86_400
MAY, JUNE = 202605, 202606
PLAN = Plan(
    (
        Allowance("minutes", "minutes", 400, "person", classes=frozenset({4, 5})),
        Allowance("abroad", "calls", 2, "company", classes=frozenset({6})),
        Allowance("euros", "amount", 700_000, "department", carry_over=True),
    )
)


def records() -> list[list[dict[str, Any]]]:
    """Calls of two people at the same seconds, and some that are transferred, a file each."""
    files = [
        [
            leg(
                n,
                4 * n,
                4 * n + 1,
                "2001" if n % 3 else "2002",
                ("0612345678", "03331234567", "00033123456789")[n % 3 if n % 2 else 1],
                at=(n // 3) * DAY,
                talk=45 + n,
            )
        ]
        for n in range(1, 13)
    ]
    for n in (20, 30):
        at = n * DAY // 10
        files += [
            [leg(n, 4 * n, 4 * n + 1, "2001", "00331234567", at=at, talk=120, **SPLIT)],
            [
                leg(n + 1, 4 * n + 2, 4 * n + 3, "2001", "2002", at=at + 50, talk=10, **SPLIT),
                leg(
                    n,
                    4 * n + 1,
                    4 * n + 3,
                    "00331234567",
                    "2002",
                    at=at + 120,
                    ring=0,
                    talk=360,
                    **transferred("2001"),
                ),
            ],
        ]
    return files


def company(folder: Path) -> Bed:
    bed = make_bed(folder)
    bed.now = START + 80 * DAY
    bed.person("anna", "2001", department="Sales")
    bed.person("bruno", "2002", department="Support")
    ensure_zone(ROME)
    return bed


def shown(bed: Bed) -> list[Any]:
    """Return what months come to, by what does not depend on ids."""
    return [
        (
            found.month,
            found.lines,
            found.uses,
            sum(found.booked.values()),
        )
        for found in figures(PLAN, (MAY, JUNE), ROME)
    ]


def test_the_order_of_arrival_decides_nothing(tmp_path: Path) -> None:
    expected = None
    for seed in range(6):
        folder = tmp_path / str(seed)
        folder.mkdir()
        bed, files = company(folder), records()
        if seed:
            random.Random(seed).shuffle(files)
        for rows in files:
            bed.ingest(*rows)
        found = shown(bed)
        if expected is None:
            expected = found
            assert {use.allowance for month in found for use in month[2]} == {
                "minutes",
                "abroad",
                "euros",
            }
            assert all(month[3] < 0 for month in found)
        assert found == expected


def book(found: Figures, at: int) -> int:
    clean(PLAN)
    run = prepare(found, at)
    with write_transaction():
        settle(found, run, at=at, who="test")
    return run


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    made = company(tmp_path)
    for rows in records():
        made.ingest(*rows)
    rebuild(ROME, made.now, 1000)
    return made


@pytest.mark.parametrize("at_once", [1, 20_000])
def test_a_run_replaces_its_own_rows_and_one_that_was_killed_leaves_none(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(month_runs, "AT_ONCE", at_once)
    may, june = figures(PLAN, (MAY, JUNE), ROME)
    assert is_stale(may)
    first = book(may, bed.now)
    kept = AllowanceUse.select().count()
    assert kept == len(may.uses) and not is_stale(may)
    prepare(may, bed.now)  # and killed
    assert AllowanceUse.select().count() == 2 * kept
    assert verify(ROME) == []
    second = book(may, bed.now + 1)
    clean(PLAN)
    assert {row.run_id for row in AllowanceUse.select()} == {second} != {first}
    assert MonthRun.get().run_id == second
    assert {row.state for row in MaintenanceRun.select()} == {"done"}
    book(june, bed.now)
    assert verify(ROME) == []
    for use in (*may.uses, *june.uses):
        (call,) = [
            row
            for row in Call.select().where(Call.started_at == use.started_at)
            if row.side == use.side
            and any(one.key_hash == use.key_hash for _, _, one in covered(row.id // 8, row.side))
        ]
        found = {one.allowance: one.cost for _, _, one in covered(call.id // 8, call.side)}
        assert found[use.allowance] == use.cost
        assert sum(found.values()) <= call.cost


def test_verify_sees_what_was_altered(bed: Bed) -> None:
    (may,) = figures(PLAN, (MAY,), ROME)
    book(may, bed.now)
    AllowanceUse.update(cost=1).execute()
    assert any("the run of 2026-05 says" in one for one in verify(ROME))
