"""The same sums in DuckDB, over the same rows in a table of its own: the yardstick of reports.

DuckDB has no viewers, masks nothing and is asked for the groups alone. What the database looks up
by keys (org, profile, local time) stands in its table beside each row already.
"""

from __future__ import annotations

import csv
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from benchmarks.stored_calls import VIEWERS, YEAR, ZONE
from syncd.domain.days import Days
from syncd.store.rollup_tables import local_seconds

if TYPE_CHECKING:
    from benchmarks.questions import Question

COLUMNS = (
    *("id", "started_at", "party_id", "org_id", "direction", "class", "destination_id"),
    *("carrier_id", "counted", "outcome", "ring_seconds", "duration", "billed_seconds"),
    *("cost", "state"),
)
MEASURES = """
SUM(counted), SUM(CAST(outcome = 1 AS INT)), SUM(CAST(outcome = 2 AS INT)),
SUM(CAST(outcome = 3 AS INT)), SUM(duration), SUM(COALESCE(cost, 0)), SUM(CAST(state = 2 AS INT)),
COUNT(*)
"""
KINDS = {"started_at": "BIGINT", "id": "BIGINT", "cost": "BIGINT"}


class Duck:
    """The rows in DuckDB, with two threads."""

    def __init__(self, folder: Path) -> None:
        path = folder / "calls.duckdb"
        there = path.exists()
        self.connection = duckdb.connect(str(path), config={"threads": 2})
        if not there:
            began = time.perf_counter()
            self._load(folder)
            took = time.perf_counter() - began
            print(f"DuckDB has the rows after {took:.0f} s, {path.stat().st_size / 1e9:.1f} GB")
        self.parties = dict(self.connection.execute("SELECT username, id FROM party").fetchall())

    def _load(self, folder: Path) -> None:
        from_sqlite = sqlite3.connect(folder / "syncd.db")
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            for table, statement, kinds in (
                (
                    "row",
                    f"SELECT {', '.join(COLUMNS)}, profile_id FROM call ORDER BY started_at, id",
                    {**dict.fromkeys((*COLUMNS, "profile_id"), "INTEGER"), **KINDS},
                ),
                (
                    "party",
                    "SELECT id, username, permission_level, department, additional_departments"
                    " FROM party WHERE permission_level > 0",
                    dict.fromkeys(("username", "department", "additional_departments"), "VARCHAR")
                    | dict.fromkeys(("id", "permission_level"), "INTEGER"),
                ),
                (
                    "org",
                    "SELECT id, department FROM org",
                    {"id": "INTEGER", "department": "VARCHAR"},
                ),
                (
                    "profile",
                    "SELECT id, custom1 FROM profile",
                    {"id": "INTEGER", "custom1": "VARCHAR"},
                ),
                (
                    "country",
                    "SELECT destination_id, prefix FROM destination_prefix",
                    {"destination_id": "INTEGER", "prefix": "VARCHAR"},
                ),
            ):
                cursor = from_sqlite.execute(statement)
                names = [column[0] for column in cursor.description]
                target = Path(scratch) / f"{table}.csv"
                with target.open("w", newline="", encoding="utf-8") as stream:
                    writer = csv.writer(stream)
                    writer.writerow(names)
                    writer.writerows(cursor)
                spelled = ", ".join(f"'{name}': '{kinds[name]}'" for name in names)
                self.connection.execute(
                    f"CREATE TABLE {table}_read AS SELECT * FROM"
                    f" read_csv('{target}', header = true, columns = {{{spelled}}})"
                )
                target.unlink()
        from_sqlite.close()
        days = Days(ZONE)
        wall = local_seconds(
            days.start(YEAR * 10_000 + 101), days.start((YEAR + 1) * 10_000 + 101), ZONE
        )
        wall = wall.replace(" / ", " // ")
        self.connection.execute(
            f"CREATE TABLE call AS SELECT row_read.*, org.department, profile.custom1,"
            f" country.prefix AS country,"
            f" CAST(strftime(make_timestamp({wall} * 1000000), '%Y%m') AS INTEGER) AS month,"
            f" CAST(strftime(make_timestamp({wall} * 1000000), '%Y%m%d') AS INTEGER) AS day,"
            f" CAST({wall} // 3600 % 24 AS TINYINT) AS hour,"
            f" CAST(({wall} // 86400 + 3) % 7 + 1 AS TINYINT) AS weekday"
            " FROM row_read LEFT JOIN org_read org ON org.id = row_read.org_id"
            " LEFT JOIN profile_read profile ON profile.id = row_read.profile_id"
            " LEFT JOIN country_read country ON country.destination_id = row_read.destination_id"
            " ORDER BY row_read.started_at, row_read.id"
        )
        self.connection.execute("DROP TABLE row_read")
        for table in ("party", "org", "profile", "country"):
            self.connection.execute(f"ALTER TABLE {table}_read RENAME TO {table}")
        self.connection.execute("CHECKPOINT")

    def sums(self, who: str, question: Question) -> int:
        """Ask for the groups of a question. Returns how many there are."""
        first, end = (
            int(str(question.request[name]).replace("-", "")) for name in ("first", "end")
        )
        statement = (
            f"SELECT {question.groups}, {MEASURES} FROM call WHERE day >= {first} AND day < {end}"
            f" AND ({self._scope(who)}) GROUP BY {question.groups}"
        )
        return len(self.connection.execute(statement).fetchall())

    def _scope(self, who: str) -> str:
        level, departments = VIEWERS[who]
        if level == 8:
            return "true"
        own = f"party_id = {self.parties[who]}"
        if not departments:
            return own
        mine, more = self.connection.execute(
            "SELECT department, additional_departments FROM party WHERE username = ?", [who]
        ).fetchone()
        names = ", ".join(
            f"'{name.lower()}'" for name in (mine, *filter(None, (more or "").split(";")))
        )
        return f"{own} OR department IN ({names})"
