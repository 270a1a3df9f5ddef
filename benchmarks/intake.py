"""How fast simulated CUCM files become calls, beside simpler ways with the same bytes.

    python -m benchmarks.intake [--calls 100000] [--rows-per-file 1000] [--keep DIR]

What is measured is ``syncd ingest`` in a process of its own, on SQLite, with everything on:
attribution, licence with automatic acquisition, rating with a rate deck, conversations, ledger,
archive. Beside it, each in a process of its own and in the same run:

  csv         csv.reader over the same bytes: the floor of reading
  .import     the sqlite3 shell imports the final rows of record and call, with the same indexes
  pandas      read_csv of all columns and to_sql into a table
  peewee      csv.DictReader and insert_many of 25 columns into a table with four indexes

Ratios carry over from one machine to another, figures a second do not.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

START = date(2026, 3, 2)

# How 2,326 records of a real cluster divide: two fifths go out by the gateway, a fifth come in, a
# sixth end at the voicemail, one in twelve is hunted, and 59 of 2,203 conversations are transfers.
MIX = {
    "outgoing-mobile": 17,
    "outgoing-national": 12,
    "outgoing-local": 8,
    "outgoing-international": 3,
    "incoming-answered": 18,
    "incoming-unanswered": 2,
    "cfna-shared-voicemail": 16,
    "hunt-shown": 6,
    "hunt-unanswered": 1,
    "internal-answered": 8,
    "internal-unanswered": 1,
    "internal-busy": 1,
    "tie-outgoing": 3,
    "transfer-blind-incoming-inside": 1.1,
    "transfer-consult-incoming-inside": 1.1,
    "transfer-consult-outgoing-inside": 0.5,
    "conference": 0.1,
}
HOT_TABLES = ("record", "call")


def prepare(root: Path, calls: int, rows_per_file: int) -> int:
    """Write a company of 1,000 people and its CDR files. Returns the number of records."""
    from syncd.demo.company import write_company
    from syncd.demo.cucm_writer import write_files
    from syncd.demo.people import build_company

    company = build_company(1000, seed=5, driver="cucm-partition")
    files = write_company(root, company, settle="0 seconds", slots="unlimited", acquisition=True)
    with files.ini.open("a", encoding="utf-8") as ini:
        ini.write("\n[daemon]\nmetrics = none\n")
    summary = write_files(
        root / "files",
        company,
        seed=5,
        calls=calls,
        start=START,
        rows_per_file=rows_per_file,
        mix=MIX,
    )
    return summary.records


def peak_megabytes() -> int:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def run_syncd(root: Path) -> dict[str, float]:
    """Take all files, into an empty database."""
    from syncd.application.composition import Application
    from syncd.settings.load import load

    application = Application.open(load(root / "syncd.ini"))
    for unit in application.sync():
        if unit.error:
            raise unit.error
    began = time.perf_counter()
    units = list(application.ingest(settle=False))
    seconds = time.perf_counter() - began
    application.close()
    outcome = units[0].outcome
    if outcome is None:
        raise SystemExit(f"ingest failed: {units[0].error}")
    return {
        "records": outcome.records,
        "calls": outcome.calls,
        "seconds": seconds,
        "peak": peak_megabytes(),
    }


def run_csv(root: Path) -> dict[str, float]:
    import csv

    began = time.perf_counter()
    rows = 0
    for path in sorted((root / "files").iterdir()):
        with path.open(encoding="utf-8", newline="") as file:
            rows += sum(1 for _ in csv.reader(file)) - 2
    return {"records": rows, "seconds": time.perf_counter() - began, "peak": peak_megabytes()}


def run_import(root: Path) -> dict[str, float]:
    """Import the rows that syncd has made, as tab separated text, by the sqlite3 shell."""
    shell = shutil.which("sqlite3")
    if shell is None:
        return {}
    database = root / "state" / "syncd.db"
    script = ["PRAGMA journal_mode=wal;", "PRAGMA synchronous=full;"]
    for table in HOT_TABLES:
        text = root / f"{table}.tsv"
        subprocess.run(
            [shell, "-tabs", str(database), f'SELECT * FROM "{table}"'],
            check=True,
            stdout=text.open("w", encoding="utf-8"),
        )
        schema = subprocess.run(
            [
                shell,
                str(database),
                f"SELECT sql || ';' FROM sqlite_master WHERE tbl_name = '{table}' AND sql NOT NULL",
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        script += [schema, ".mode tabs", f".import {text} {table}"]
    target = root / "imported.db"
    target.unlink(missing_ok=True)
    began = time.perf_counter()
    subprocess.run([shell, str(target)], input="\n".join(script), text=True, check=True)
    seconds = time.perf_counter() - began
    count = subprocess.run(
        [shell, str(target), "SELECT count(*) FROM record"],
        check=True,
        capture_output=True,
        text=True,
    )
    return {"records": int(count.stdout), "seconds": seconds, "peak": 0}


def run_pandas(root: Path) -> dict[str, float]:
    try:
        import pandas
    except ImportError:
        return {}
    import sqlite3

    target = root / "pandas.db"
    target.unlink(missing_ok=True)
    connection = sqlite3.connect(target)
    rows = 0
    began = time.perf_counter()
    for path in sorted((root / "files").iterdir()):
        frame = pandas.read_csv(path, skiprows=[1], dtype=str, keep_default_na=False)
        frame.to_sql("cdr", connection, if_exists="append", index=False)
        rows += len(frame)
    seconds = time.perf_counter() - began
    connection.close()
    return {"records": rows, "seconds": seconds, "peak": peak_megabytes()}


COLUMNS = (
    "globalCallID_callManagerId",
    "globalCallID_callId",
    "origLegCallIdentifier",
    "dateTimeOrigination",
    "callingPartyNumber",
    "callingPartyUnicodeLoginUserID",
    "origCause_value",
    "destLegIdentifier",
    "originalCalledPartyNumber",
    "finalCalledPartyNumber",
    "finalCalledPartyUnicodeLoginUserID",
    "destCause_value",
    "dateTimeConnect",
    "dateTimeDisconnect",
    "lastRedirectDn",
    "pkid",
    "callingPartyNumberPartition",
    "finalCalledPartyNumberPartition",
    "duration",
    "origDeviceName",
    "destDeviceName",
    "joinOnBehalfOf",
    "lastRedirectRedirectReason",
    "huntPilotDN",
    "finalCalledPartyPattern",
)


def run_peewee(root: Path) -> dict[str, float]:
    import csv

    import peewee

    target = root / "peewee.db"
    target.unlink(missing_ok=True)
    database = peewee.SqliteDatabase(
        str(target), pragmas={"journal_mode": "wal", "synchronous": "full"}
    )
    fields: dict[str, object] = {name: peewee.TextField() for name in COLUMNS}
    for name in ("pkid", "dateTimeOrigination", "callingPartyNumber", "finalCalledPartyNumber"):
        fields[name] = peewee.TextField(index=True)
    fields["Meta"] = type("Meta", (), {"database": database})
    cdr = type("Cdr", (peewee.Model,), fields)
    database.connect()
    database.create_tables([cdr])
    rows = 0
    began = time.perf_counter()
    for path in sorted((root / "files").iterdir()):
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            next(reader)
            wanted = [{name: row[name] for name in COLUMNS} for row in reader]
        with database.atomic():
            for start in range(0, len(wanted), 500):
                cdr.insert_many(wanted[start : start + 500]).execute()  # type: ignore[attr-defined]
        rows += len(wanted)
    return {"records": rows, "seconds": time.perf_counter() - began, "peak": peak_megabytes()}


PARTS = {
    "syncd": run_syncd,
    "csv": run_csv,
    ".import": run_import,
    "pandas": run_pandas,
    "peewee": run_peewee,
}


def measured(part: str, root: Path) -> dict[str, float]:
    """Run one part in a process of its own."""
    if part == "syncd":
        for folder in ("drop", "state"):
            shutil.rmtree(root / folder, ignore_errors=True)
        shutil.copytree(root / "files", root / "drop" / "hq")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.intake", "--part", part, "--keep", str(root)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(root: Path, records: int, rows_per_file: int) -> None:
    """Measure every part and print the table."""
    print(f"{records:,} records in files of {rows_per_file:,}")
    results = {part: measured(part, root) for part in PARTS}
    ours = results["syncd"]
    speed = ours["records"] / ours["seconds"]
    print(f"{'':10}{'records/s':>12}{'syncd is':>14}{'peak memory':>14}")
    for part, result in results.items():
        if not result:
            print(f"{part:10}  not installed here")
            continue
        theirs = result["records"] / result["seconds"]
        memory = f"{result['peak']:.0f} MB" if result["peak"] else ""
        ratio = "" if part == "syncd" else f"{speed / theirs:.2f} ×"
        print(f"{part:10}{theirs:12,.0f}{ratio:>14}{memory:>14}")
    print(f"call rows made: {ours['calls']:,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--calls", type=int, default=60_000, help="conversations to simulate")
    parser.add_argument("--rows-per-file", type=int, nargs="*", default=[1000, 25])
    parser.add_argument("--keep", type=Path, help="work in this folder, and leave it")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(PARTS[arguments.part](arguments.keep)))
        return
    for rows_per_file in arguments.rows_per_file:
        root = arguments.keep or Path(tempfile.mkdtemp(prefix="syncd-bench-"))
        try:
            shutil.rmtree(root / "files", ignore_errors=True)
            report(root, prepare(root, arguments.calls, rows_per_file), rows_per_file)
        finally:
            if not arguments.keep:
                shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
