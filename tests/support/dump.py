"""Everything that is stored, without what depends on chance: the ids of rows are replaced by what
they stand for."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

from syncd.domain.codes import FileState
from tests.support import stores

NOT_COMPARED = {"sync_run", "source_digest"}
"""Tables that tell of attempts and of shortcuts, not of results; nor are those of the migrations
compared."""

NAMED = {"rate_id": "rate_used"}
"""Which table a column's ids are those of, where its name does not say so."""

RUNS = {
    "sync_change": "sync_run",
    **dict.fromkeys(("adjustment", "allowance_use", "month_run"), "maintenance_run"),
}
"""Of which table a column ``run_id`` has ids."""

LICENCE = "licence"
"""The key of a mark that is made of ids."""
BY_CHANCE = {
    ("growing_file", "device"),
    ("growing_file", "inode"),
    ("maintenance_run", "arguments"),
}
"""Columns that are new with each copy of a folder, or are made of ids."""
KNOWN_BY = {
    "record": ("pbx_id", "key"),
    "file": ("source", "name", "sha256"),
    "sync_run": ("source", "outcome"),
    "maintenance_run": ("kind", "state"),
}
"""What tells a row from the others of its table, where it is not all of it."""


class Dump:
    """Reads one database."""

    def __init__(self, path: Path) -> None:
        # Not read-only: what a killed process left in the log is read as well.
        self._database = stores.plain(path)
        self.tables = stores.columns(self._database)
        # Made of how often its name has come, also in vain.
        self._grown = {
            sha256
            for (sha256,) in self._database.execute(
                "SELECT sha256 FROM file WHERE state = ?", (int(FileState.GROWING),)
            )
        }
        self._conversations: dict[int, str] = {}
        self._cache: dict[tuple[str, int], str] = {}
        self._rows: dict[str, dict[int, tuple[Any, ...]]] = {}

    def close(self) -> None:
        self._database.close()

    def read(self) -> dict[str, list[str]]:
        """Return the rows of every table as sorted texts."""
        found = {}
        for table, columns in sorted(self.tables.items()):
            if table in NOT_COMPARED or "migrat" in table:
                continue
            rows = self._database.execute(f'SELECT * FROM "{table}"').fetchall()
            if table == "meta":
                rows = [row for row in rows if row[0] != LICENCE]
            found[table] = sorted(self._text(table, columns, row) for row in rows)
        return found

    def _text(self, table: str, columns: list[str], row: tuple[Any, ...]) -> str:
        return " ".join(
            f"{column}={self._value(table, column, value)}"
            for column, value in zip(columns, row, strict=True)
            if (table, column) not in BY_CHANCE
            and (column != "id" or table in ("call", "call_withheld"))
        )

    def _value(self, table: str, column: str, value: Any) -> str:
        if column == "sha256" and value in self._grown:
            return "of a growing file"
        if column == "conversation" and isinstance(value, int):
            return self._conversation(value)
        if column == "leg" and isinstance(value, int) and value < 0:
            return "its record"
        if column == "id" and table in ("call", "call_withheld"):
            return f"{self._named('record', value >> 3)}/{value & 7}"
        other = RUNS.get(table, "") if column == "run_id" else NAMED.get(column)
        other = other or (column[:-3] if column.endswith("_id") else "")
        if other in self.tables and isinstance(value, int) and "id" in self.tables[other]:
            return self._named(other, value)
        return repr(value)

    def _conversation(self, key: int) -> str:
        """Return the first of its records by name: which one it is known by is a matter of their
        arrival."""
        if not self._conversations:
            for record, conversation in self._database.execute(
                "SELECT id, conversation FROM record"
            ):
                name = self._named("record", record)
                known = self._conversations.get(conversation, name)
                self._conversations[conversation] = min(known, name)
        return self._conversations.get(key, "no conversation")

    def _named(self, table: str, key: int) -> str:
        """Return what tells a row from the others of its table."""
        wanted = KNOWN_BY.get(table) or tuple(self.tables[table])
        if table not in self._rows:
            rows = self._database.execute(f'SELECT * FROM "{table}"').fetchall()
            at = self.tables[table].index("id")
            self._rows[table] = {row[at]: row for row in rows}
        if (table, key) not in self._cache:
            self._cache[table, key] = "…"  # a row that names itself
            row = self._rows[table].get(key)
            self._cache[table, key] = (
                f"no {table}"
                if row is None
                else "<"
                + " ".join(
                    self._value(table, column, value)
                    for column, value in zip(self.tables[table], row, strict=True)
                    if column in wanted and column != "id"
                )
                + ">"
            )
        return self._cache[table, key]


def files_of(folder: Path) -> list[str]:
    """Return the files below a folder with a hash of what is in them, gzip looked through."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            content = gzip.decompress(data) if path.suffix == ".gz" else data
            found.append(f"{path.relative_to(folder)} {hashlib.sha256(content).hexdigest()[:12]}")
    return found


def dump(root: Path) -> dict[str, list[str]]:
    """Return all that a company's folder holds: tables, archive, files set aside, drop folders."""
    reading = Dump(root / "state" / "syncd.db")
    try:
        found = reading.read()
    finally:
        reading.close()
    for name in ("archive", "set-aside"):
        found[name] = files_of(root / "state" / name)
    found["drop"] = files_of(root / "drop")
    return found
