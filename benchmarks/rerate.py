"""How fast stored calls are rated again, beside a bare UPDATE of the same rows in the same run.

    python -m benchmarks.rerate [--calls 1000000] [--keep DIR]

Some 20,000 simulated calls are taken with everything on and multiplied in the database, month by
month, until there are as many call rows as asked for. Measured is what ``syncd rerate`` does: a
preview, a run in which the price of every call has changed, and a run in which nothing has. The bare
UPDATE writes cost and rate of the same rows by their id with one prepared statement, in transactions
of the same size, and remembers nothing.
"""

from __future__ import annotations

import argparse
import re
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.intake import peak_megabytes, prepare

TAKEN = 20_000
"""Simulated calls."""
FORWARD = 32 * 86_400
"""Seconds by which each copy of them begins later."""
IDS = ("call_ref", "orig_leg", "dest_leg", "conference")


class Took(NamedTuple):
    """Seconds on the wall and of the processor."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> Took:
        return cls(time.perf_counter(), time.process_time())

    def since(self, began: Took) -> Took:
        return Took(self.wall - began.wall, self.processor - began.processor)


def take(root: Path) -> None:
    """Sync and take all files."""
    from syncd.application.composition import Application
    from syncd.settings.load import load

    application = Application.open(load(root / "syncd.ini"))
    for unit in (*application.sync(), *application.ingest(settle=False)):
        if unit.error:
            raise unit.error
    application.close()


def multiply(database: Path, rows: int) -> int:
    """Copy records and calls until there are so many call rows. Returns how many there are."""
    connection = sqlite3.connect(database)
    columns = {
        table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for table in ("record", "call")
    }
    records = connection.execute("SELECT MAX(id) FROM record").fetchone()[0]
    calls = connection.execute("SELECT COUNT(*) FROM call").fetchone()[0]
    copies = max(0, -(-rows // calls) - 1)
    for copy in range(1, copies + 1):
        shift = copy * records
        moved: dict[str, dict[str, str]] = {
            "record": {
                "id": f"id + {shift}",
                "conversation": f"conversation + {shift}",
                "key_hash": f"key_hash + {copy}",
                "key": f"key || '-{copy}'",
                **{
                    name: f"CASE {name} WHEN 0 THEN 0 ELSE {name} + {copy} * 100000000000 END"
                    for name in IDS
                },
                "started_at": f"started_at + {copy * FORWARD}",
                "connected_at": "CASE connected_at WHEN 0 THEN 0"
                f" ELSE connected_at + {copy * FORWARD} END",
                "ended_at": f"ended_at + {copy * FORWARD}",
            },
            "call": {
                "id": f"id + {shift * 8}",
                "conversation": f"conversation + {shift}",
                "started_at": f"started_at + {copy * FORWARD}",
            },
        }
        for table, names in columns.items():
            values = ", ".join(moved[table].get(name, f'"{name}"') for name in names)
            connection.execute(
                f"INSERT INTO {table} SELECT {values} FROM {table} WHERE {table}.id <="
                f" {records if table == 'record' else records * 8 + 7}"
            )
        connection.commit()
    connection.close()
    return int(calls * (copies + 1))


def other_deck(root: Path) -> None:
    """Raise every price of the rate deck, and let it begin early enough for all copies."""
    from syncd.settings.load import load

    for carrier in load(root / "syncd.ini").carriers.values():
        for tariff in carrier.tariffs:
            header, *rows = tariff.file.read_text(encoding="utf-8").splitlines()
            place = header.split(",").index("price")
            raised = []
            for row in rows:
                cells = row.split(",")
                if len(cells) > place and re.fullmatch(r"0\.\d+", cells[place]):
                    cells[place] = f"1{cells[place][1:]}"
                raised.append(",".join(cells))
            tariff.file.write_text("\n".join([header, *raised, ""]), encoding="utf-8")


def rate(root: Path, *, dry_run: bool) -> tuple[Took, Any]:
    """Rate everything again. Returns how long it took and what changed."""
    from syncd.application.composition import Application
    from syncd.application.rerating import carry_out, preview
    from syncd.calls.rerating import Wanted
    from syncd.settings.load import load

    application = Application.open(load(root / "syncd.ini"))
    application.prepared()
    wanted = Wanted()
    began = Took.now()
    if dry_run:
        done = preview(application, wanted)
    else:
        _, done = carry_out(application, wanted, "benchmark")
    took = Took.now().since(began)
    application.close()
    return took, done


def bare_update(database: Path, at_once: int = 2000) -> tuple[Took, int]:
    """Write the prices of the rows that a run changed once more, and nothing else."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA synchronous=full")
    rows = connection.execute(
        "SELECT cost_after, rate_after, call_id FROM rerate_change ORDER BY started_at"
    ).fetchall()
    began = Took.now()
    for start in range(0, len(rows), at_once):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "UPDATE call SET cost = ?, rate_id = ? WHERE id = ?", rows[start : start + at_once]
        )
        connection.execute("COMMIT")
    took = Took.now().since(began)
    connection.close()
    return took, len(rows)


def measure(root: Path, wanted: int) -> None:
    prepare(root, TAKEN, 1000)
    drop = root / "drop" / "hq"
    drop.mkdir(parents=True, exist_ok=True)
    for file in (root / "files").iterdir():
        file.rename(drop / file.name)
    take(root)
    database = root / "state" / "syncd.db"
    rows = multiply(database, wanted)
    print(f"{rows:,} call rows", flush=True)
    other_deck(root)
    seconds: dict[str, Took] = {}
    seconds["preview"], shown = rate(root, dry_run=True)
    seconds["every price changed"], done = rate(root, dry_run=False)
    if done.rows != shown.rows:
        raise SystemExit(f"the preview said {shown.rows} rows, the run changed {done.rows}")
    seconds["nothing changed"], again = rate(root, dry_run=False)
    if again.rows:
        raise SystemExit(f"the second run changed {again.rows} rows")
    bare, updated = bare_update(database)
    print(f"{done.records:,} records looked at, {updated:,} rows changed")
    for name, took in seconds.items():
        print(
            f"{name:<20} {took.wall:7.1f} s, processor {took.processor:7.1f} s"
            f"   a million rows {took.wall * 1_000_000 / rows:6.1f} s,"
            f" processor {took.processor * 1_000_000 / rows:6.1f} s"
            f"   {took.processor / bare.processor:5.1f} x the bare UPDATE"
        )
    print(f"{'bare UPDATE':<20} {bare.wall:7.1f} s, processor {bare.processor:7.1f} s")
    print(f"peak memory {peak_megabytes()} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure re-rating.")
    parser.add_argument("--calls", type=int, default=1_000_000, help="call rows")
    parser.add_argument("--keep", type=Path, help="work in this new folder, and keep it")
    arguments = parser.parse_args()
    if arguments.keep is not None:
        arguments.keep.mkdir(parents=True)
        measure(arguments.keep, arguments.calls)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), arguments.calls)


if __name__ == "__main__":
    main()
