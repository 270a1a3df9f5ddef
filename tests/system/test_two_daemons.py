"""Two installations on one drop folder: each record is in one of the two databases, once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

from syncd.demo.company import CompanyFiles, write_company
from syncd.demo.cucm_writer import write_files
from syncd.demo.people import Company
from tests.support.stores import connect
from tests.system.daemon_process import LONG, Daemon


def test_two_daemons_on_one_folder_take_every_record_once(
    files: CompanyFiles, company: Company, tmp_path: Path, start: Callable[[Path], Daemon]
) -> None:
    other = write_company(
        tmp_path / "other", company, settle="0 seconds", schedule="every 1 second"
    )
    text = other.ini.read_text().replace("folder = drop/hq", f"folder = {files.drop}")
    other.ini.write_text(text + "\n[daemon]\nmetrics = none\n")
    daemons = [start(files.ini), start(other.ini)]
    for daemon in daemons:
        daemon.ready()
    written = 0
    for seed in range(3):
        written += write_files(
            files.drop, company, seed=seed, calls=80, start=date(2026, 3, 2 + seed), rows_per_file=4
        ).records
    deadline = time.monotonic() + LONG
    while any(files.drop.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [daemon.terminate() for daemon in daemons] == [0, 0]
    keys: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for ini in (files.ini, other.ini):
        with connect(ini.parent / "state" / "syncd.db") as database:
            keys.update(key for (key,) in database.execute("SELECT key FROM record"))
            names.update(name for (name,) in database.execute("SELECT name FROM file"))
    assert len(keys) == written
    assert set(keys.values()) == set(names.values()) == {1}
