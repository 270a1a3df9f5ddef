"""How long reports take over ten million calls, through the program's own door, with DuckDB beside.

    python -m benchmarks.reports [--calls 10000000] [--keep DIR] [--against duckdb]
                                 [--store both|sqlite|postgresql] [--server ADDRESS]
                                 [--only TEXT] [--rounds 20]

A company with a year of calls is written straight into a database (``benchmarks.stored_calls``), its
sums are built by the program's own code, and then every question is asked as ``syncd report`` asks
it: door, scope, query, masking, every row of the answer. The database stands in a temporary folder,
or in the one of ``--keep``, where the next run finds it again.

The answers are warm: each question is asked once before it is measured. Printed are the median and
the 95th percentile on the wall, the median of the processor's time, which others on the machine
change less, the aim, and how long DuckDB takes for the same groups over the same rows in a table of
its own (``pip install '.[bench]'``).

Then the same is copied into a PostgreSQL that is started for it, or into the empty database of
``--server``, and asked there. The processor's time is then that of syncd and of the server's process
together, the mean of all rounds: the server's is counted in hundredths of a second.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.questions import LISTS, SUMS, Question
from benchmarks.stored_calls import NOW, VIEWERS, YEAR, ZONE, Size, build

WRITTEN = 100_000
"""Calls in a file."""
LAUNCHED = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
wall, processor = time.perf_counter() - began, used.ru_utime + used.ru_stime
print(json.dumps([wall, processor, used.ru_maxrss // 1024]))
"""
"""Starts a command from a process that is small itself: a child begins with what its parent has."""
PAGE = 50
"""Rows of a page."""
PAGES = 1000
"""How far back the far page of a list is, in pages, where the viewer has so many."""


Clock = Callable[[], float]
"""Seconds of the processor."""


class Took(NamedTuple):
    """Milliseconds: on the wall (median and 95th percentile), of the processor (median, with a clock
    that is coarse the mean)."""

    median: float
    late: float
    processor: float
    rows: int


def measured(work: Callable[[], int], rounds: int, coarse: Clock | None = None) -> Took:
    """Return how long some work takes that returns how many rows it had: at least three times, and
    for at most two seconds."""
    rows = work()
    walls, processors = [], []
    began = time.perf_counter()
    in_all = 0.0 if coarse is None else coarse()
    while len(walls) < 3 or (len(walls) < rounds and time.perf_counter() - began < 2):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        walls.append((time.perf_counter() - wall) * 1000)
        processors.append((time.process_time() - processor) * 1000)
    processor = statistics.median(processors)
    if coarse is not None:
        processor = statistics.mean(processors) + (coarse() - in_all) * 1000 / len(walls)
    walls.sort()
    late = walls[min(len(walls) - 1, round(len(walls) * 0.95))]
    return Took(statistics.median(walls), late, processor, rows)


class Asker:
    """Asks reports of one database."""

    def __init__(self, folder: Path, url: str = "sqlite:///syncd.db") -> None:
        from syncd.reports.environment import Environment
        from syncd.store.database import open_database

        self.database = open_database(url, folder)
        self.environment = Environment(ZONE, {"custom1": "Project"}, NOW, "EUR")

    def ask(self, who: str, request: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return the rows of a report, and what is known beside them."""
        from syncd.reports.request import Request, specify
        from syncd.reports.run import open_report
        from syncd.reports.scope import Policy, open_door

        specification = specify(
            Request(**{"report": "by-month" if "group_by" in request else "calls", **request}),
            self.environment,
        )
        door = open_door(who, specification.report, specification.text(), Policy(), NOW)
        with open_report(door, specification, self.environment) as result:
            rows = list(result.rows)
        return rows, result.facts

    def count(self, who: str, request: dict[str, Any]) -> int:
        """Read a report. Returns the number of its rows."""
        return len(self.ask(who, request)[0])

    def far_page(self, who: str, request: dict[str, Any]) -> str | None:
        """Return the key of the page so far back, or of the last but one; None of a short list."""
        for back in (PAGES, PAGES // 4, PAGES // 20, 10, 1):
            _, facts = self.ask(who, {**request, "limit": back * PAGE})
            if "next_page" in facts:
                return str(facts["next_page"])
        return None


def measure(folder: Path, arguments: argparse.Namespace, url: str = "") -> None:
    """Print the table for the SQLite of the folder, or for a PostgreSQL."""
    asker = Asker(folder, url) if url else Asker(folder)
    coarse = None
    if url:
        from benchmarks.on_postgresql import seconds_of_server

        coarse = partial(seconds_of_server, asker.database)
    beside = None
    if arguments.against == "duckdb" and not url:
        from benchmarks.duckdb_beside import Duck

        beside = Duck(folder)
    head = ("question", "viewer", "rows", "median", "p95", "cpu", "aim", "DuckDB", "ratio")
    print(f"{head[0]:<46} {head[1]:<7} " + " ".join(f"{name:>8}" for name in head[2:]))
    for question, who, request in _asked(asker, arguments.only):
        took = measured(partial(asker.count, who, request), arguments.rounds, coarse)
        other = None
        if beside is not None and question.groups:
            other = measured(partial(beside.sums, who, question), arguments.rounds)
        _print(question, who, took, other)
    asker.database.close()
    if arguments.only in "written" and not url:
        written(folder)


def _asked(asker: Asker, only: str) -> Iterable[tuple[Question, str, dict[str, Any]]]:
    """Yield every question for every viewer."""
    for question in SUMS:
        for who in VIEWERS:
            if only in f"{question.name} {who}":
                yield question, who, question.request
    for question in LISTS:
        for who in VIEWERS:
            if only not in f"{question.name} {who}":
                continue
            request = {**question.request, "limit": PAGE}
            yield Question(f"{question.name}, first page", request, aim=question.aim), who, request
            far = asker.far_page(who, question.request) if question.aim else None
            if far is not None:
                name = f"{question.name}, far page"
                yield Question(name, request, aim=question.aim), who, {**request, "page": far}


def written(folder: Path) -> None:
    """Print how long the command line takes to write a workbook of 100,000 calls, and its memory."""
    settings = folder / "syncd.ini"
    settings.write_text(
        f"[syncd]\ntimezone = {ZONE}\nstate_directory = {folder}\ncurrency = EUR\n",
        encoding="utf-8",
    )
    for name in ("calls.xlsx", "calls.csv"):
        command = [sys.executable, "-m", "syncd", "report", "calls", "--config", str(settings)]
        command += ["--from", f"{YEAR}-01-01", "--to", f"{YEAR + 1}-01-01"]
        command += ["--limit", str(WRITTEN), "--output", str(folder / name)]
        done = subprocess.run(
            [sys.executable, "-c", LAUNCHED, *command], stdout=subprocess.PIPE, check=True
        )
        wall, processor, megabytes = json.loads(done.stdout)
        print(
            f"{WRITTEN:,} calls as {name}: {wall:.1f} s, processor {processor:.1f} s,"
            f" {megabytes} MB at most, a file of {(folder / name).stat().st_size / 1e6:.1f} MB",
            flush=True,
        )


def _print(question: Question, who: str, took: Took, other: Took | None) -> None:
    figures = (took.median, took.late, took.processor)
    line = f"{question.name:<46} {who:<7} {took.rows:>8,} "
    line += " ".join(f"{figure:>8.1f}" for figure in figures)
    missed = question.aim and took.processor > question.aim
    line += f" {question.aim or '':>7}{'!' if missed else ' '}"
    if other is not None:
        line += f" {other.median:>8.1f} {took.median / other.median:>7.2f}x"
    print(line, flush=True)


def prepare(folder: Path, size: Size) -> None:
    """Build the company and its sums, and say how long that took; what is there is taken."""
    from syncd.domain.days import Days
    from syncd.store.database import open_database
    from syncd.store.rollups import clean_days, ensure_zone, rebuild

    path = folder / "syncd.db"
    database = open_database("sqlite:///syncd.db", folder)
    there = database.execute_sql("SELECT COUNT(*) FROM party").fetchone()[0]
    database.close()
    if not there:
        began = time.perf_counter()
        rows = build(path, size)
        print(f"{rows:,} call rows written in {time.perf_counter() - began:.0f} s", flush=True)
    database = open_database("sqlite:///syncd.db", folder)
    ensure_zone(ZONE)
    wall, processor, longest = time.perf_counter(), time.process_time(), 0.0
    done = 0
    while True:
        began = time.perf_counter()
        rebuilt = rebuild(ZONE, NOW, 1)
        longest = max(longest, time.perf_counter() - began)
        if not rebuilt:
            break
        done += rebuilt
    if done:
        print(
            f"sums of {len(clean_days())} days built in {time.perf_counter() - wall:.0f} s"
            f" (processor {time.process_time() - processor:.0f} s, the longest step"
            f" {longest:.1f} s)",
            flush=True,
        )
    assert Days(ZONE).day(NOW) // 10_000 == YEAR
    database.close()
    print(f"{path.stat().st_size / 1e9:.1f} GB", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure reports.")
    usual = Size()
    parser.add_argument("--calls", type=int, default=usual.calls, help="call rows, about")
    parser.add_argument("--people", type=int, default=usual.people)
    parser.add_argument("--departments", type=int, default=usual.departments)
    parser.add_argument("--keep", type=Path, help="use what is in this folder, and leave it there")
    parser.add_argument("--against", choices=("duckdb", "nothing"), default="duckdb")
    parser.add_argument("--store", choices=("both", "sqlite", "postgresql"), default="both")
    parser.add_argument("--server", help="the address of a database to use; filled if it is empty")
    parser.add_argument("--only", default="", help="questions and viewers with this text")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    size = Size(arguments.calls, arguments.people, arguments.departments)
    with contextlib.ExitStack() as opened:
        folder = arguments.keep
        if folder is None:
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        prepare(folder, size)
        if arguments.store != "postgresql":
            measure(folder, arguments)
        if arguments.store != "sqlite":
            from benchmarks.on_postgresql import fill, own_server

            url = arguments.server or opened.enter_context(own_server())
            fill(folder, url)
            measure(folder, arguments, url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
