"""Kill −9 in the middle of intake: the next start converges to what an undisturbed run gives."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from syncd.demo.company import CompanyFiles, write_company
from syncd.demo.cucm_writer import write_files
from syncd.demo.people import build_company

KILLS = 8
QUESTIONS = (
    "SELECT r.key, c.side, c.counted, c.outcome, c.direction, c.cost, c.state, c.duration,"
    " l.line_id FROM call c JOIN record r ON r.id = c.id >> 3 JOIN line l ON l.id = c.line_id"
    " ORDER BY r.key, c.side",
    "SELECT r.key, c.side FROM call_withheld c JOIN record r ON r.id = c.id >> 3"
    " ORDER BY r.key, c.side",
    "SELECT key, outcome, reason, provisional FROM record ORDER BY key",
    "SELECT name, state, read, stored, duplicate, excluded, not_billed, rejected, calls"
    " FROM file ORDER BY name",
    "SELECT number, partition, records FROM unknown_number ORDER BY number, partition",
)


def company(root: Path) -> CompanyFiles:
    """Write a company with files that wait, and read its directory."""
    people = build_company(40, seed=3, driver="cucm-partition")
    files = write_company(root, people, settle="0 seconds", slots=30, acquisition=True)
    with files.ini.open("a", encoding="utf-8") as ini:
        ini.write("\n[daemon]\nmetrics = none\n")
    write_files(files.drop, people, seed=3, calls=1500, start=date(2026, 3, 2), rows_per_file=60)
    syncd(files, "sync").wait()
    return files


def syncd(files: CompanyFiles, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "syncd", "--config", str(files.ini), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def stored(files: CompanyFiles) -> Sequence[Any]:
    """Return all that intake has stored, without what depends on the order of ids."""
    database = sqlite3.connect(files.ini.parent / "state" / "syncd.db")
    try:
        found = [database.execute(question).fetchall() for question in QUESTIONS]
    finally:
        database.close()
    archived = sorted(path.name for path in files.ini.parent.joinpath("state").rglob("cdr_*.gz"))
    return [*found, archived]


def test_killed_intake_converges(tmp_path: Path) -> None:
    seed = int(os.environ.get("SYNCD_SEED", random.randrange(10**6)))
    print(f"SYNCD_SEED={seed}")  # noqa: T201 - shown when it fails, to do it again
    moments = random.Random(seed)
    undisturbed, killed = company(tmp_path / "a"), company(tmp_path / "b")
    assert syncd(undisturbed, "ingest", "--no-settle").wait() == 0
    for _ in range(KILLS):
        process = syncd(killed, "ingest", "--no-settle")
        time.sleep(moments.uniform(0.2, 0.7))
        process.kill()
        process.wait()
    assert syncd(killed, "ingest", "--no-settle").wait() == 0
    assert list(killed.drop.iterdir()) == []
    for wanted, found in zip(stored(undisturbed), stored(killed), strict=True):
        assert found == wanted
    assert syncd(killed, "db", "verify").wait() == 0
