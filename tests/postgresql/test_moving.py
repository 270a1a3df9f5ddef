"""An installation moves to PostgreSQL and back, is backed up there, and gives up its old months."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import peewee
import psycopg
import pytest

from syncd.cli.context import Context
from syncd.store import old_months, sealed
from syncd.store.advisory import hold_in_database
from syncd.store.database import open_database, write_transaction
from syncd.store.dialect import rows_of
from syncd.store.locks import hold
from syncd.store.models import Call, Record
from syncd.store.partitions import make_room, month_bounds, month_name, partitions
from tests.support.phones import leg
from tests.support.world import World, make_world

pytestmark = pytest.mark.sqlite("begins with a file, and has a PostgreSQL of its own")
MONTH = 31 * 86_400


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    """Calls of three months, one file more than the database has, and a reject."""
    world = make_world(tmp_path, lambda: tuple(capsys.readouterr()))
    for month in range(3):
        world.bed.ingest(
            leg(10 + month, 1, 2, "2001", "0612345", at=-month * MONTH, talk=60 + month),
            leg(20 + month, 3, 4, "2002", "2003", at=-month * MONTH),
        )
    bad = world.bed.drop(leg(30, 1, 2, "2001", "2002"))
    bad.write_bytes(bad.read_bytes() + b"no,row\n")
    world.bed.take()
    return world


def both(world: World, url: str) -> Callable[[], None]:
    """Return what lets the configuration name the PostgreSQL."""
    return lambda: world.option("url = sqlite:///test.db", f"url = {url}")


LOOKS = (
    ("report", "calls", "--from", "2026-01-01", "--to", "2026-07-01", "--json"),
    ("report", "by-department", "--from", "2026-01-01", "--to", "2026-07-01", "--json"),
    ("files", "--json"),
    ("rejects", "--json"),
    ("licence", "--json"),
    ("unknown", "--json"),
    ("person", "list", "--json"),
)


def seen(world: World) -> list[str]:
    told = []
    for look in LOOKS:
        ran = world.run(*look)
        assert ran.code == 0, ran.err
        told.append(re.sub(r'"(at|run_at|made_at)": "[^"]*"', "", ran.out))
    return told


def test_an_installation_moves_there_and_back(world: World, url: str, tmp_path: Path) -> None:
    before = seen(world)
    with contextlib.closing(sqlite3.connect(next(tmp_path.rglob("test.db")))) as file, file:
        # Sums of 7 rows, which are one row themselves; no day says that they are built.
        file.execute(f"INSERT INTO rollup_day VALUES (20260101{', 0' * 14}, 7)")
    ran = world.run("db", "copy", "sqlite:///test.db", url, "--json")
    assert ran.code == 0, ran.err
    copied = {one["table"]: one for one in json.loads(ran.out)}
    assert copied["record"]["rows"] == 7
    assert copied["rollup_day"]["rows"] == 1
    assert copied["call"]["cost"] > 0
    both(world, url)()
    assert seen(world) == before
    assert world.run("db", "verify").code == 0
    # Ids go on there, and a file that was taken is known.
    world.bed.drop(leg(40, 1, 2, "2003", "2001"))
    assert world.run("ingest", "--no-settle").code == 0
    assert world.json("db")["records"] == 8
    assert world.run("db", "copy", url, f"sqlite:///{tmp_path}/back.db").code == 0
    world.option(f"url = {url}", f"url = sqlite:///{tmp_path}/back.db")
    assert world.run("db", "verify").code == 0


def test_a_copy_needs_an_empty_database_and_nobody_at_work(world: World, url: str) -> None:
    state = world.bed.context.state_directory
    with hold(state, "daemon", "syncd run"):
        ran = world.run("db", "copy", "sqlite:///test.db", url)
    assert (ran.code, "daemon is held by" in ran.err) == (75, True)
    assert world.run("db", "copy", "sqlite:///test.db", url).code == 0
    ran = world.run("db", "copy", "sqlite:///test.db", url)
    assert ran.code == 1
    assert "holds something" in ran.err
    assert world.run("db", "copy", "sqlite:///absent.db", url).code == 1
    assert not (state / "absent.db").exists()


def test_a_copy_that_fails_leaves_nothing(world: World, url: str) -> None:
    """What PostgreSQL cannot hold is told with its table, and the database is as empty as it was."""
    Call.update(reason="a\0b").execute()
    ran = world.run("db", "copy", "sqlite:///test.db", url)
    assert ran.code == 1
    assert "call cannot be copied" in ran.err
    with psycopg.connect(url) as connection:
        for table in ("record", "party", "call", "file"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table}".encode()).fetchone() == (0,)


def test_a_backup_of_a_server_comes_back(
    world: World, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two restores within one second.
    monkeypatch.setattr(Context, "now", lambda self: 1780000000)
    assert world.run("db", "copy", "sqlite:///test.db", url).code == 0
    both(world, url)()
    before = seen(world)
    ran = world.run("db", "backup", str(tmp_path / "b.dump"))
    assert ran.code == 0, ran.err
    assert world.run("db", "backup", str(tmp_path / "b.dump")).code == 1
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM call")
    ran = world.run("db", "restore", "--yes", str(tmp_path / "b.dump"))
    assert ran.code == 0, ran.err
    assert seen(world) == before
    (kept,) = world.bed.context.state_directory.glob("before-*Z.dump")
    assert world.run("db", "restore", "--yes", str(kept)).code == 0
    assert len(list(world.bed.context.state_directory.glob("before-*.dump"))) == 2
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT COUNT(*) FROM call").fetchone() == (0,)
    (tmp_path / "none.dump").write_text("no dump at all")
    assert world.run("db", "restore", "--yes", str(tmp_path / "none.dump")).code == 1


def test_status_and_months(world: World, url: str) -> None:
    assert world.run("db", "copy", "sqlite:///test.db", url).code == 0
    both(world, url)()
    status = world.json("db")
    assert status["bytes"] > 1_000_000
    listed = world.json("db", "partitions")
    assert [one["month"] for one in listed if one["table"] == "record"] == [
        "202603",
        "202604",
        "202605",
    ]
    assert all(one["rows"] is None or one["rows"] >= 0 for one in listed), "-1 is: not known"
    ran = world.run("db", "partitions", "detach", "202603")
    assert ran.code == 1
    assert "are not sealed" in ran.err
    assert world.run("db", "partitions", "detach", "2026").code == 2
    assert world.run("db", "partitions", "detach", "201001").code == 1


def test_backups_leave_detached_months_alone(world: World, url: str, tmp_path: Path) -> None:
    """They are whose they are: no backup has them, no restore takes them away or stumbles over them,
    whether it is of before or after."""
    assert world.run("db", "copy", "sqlite:///test.db", url).code == 0
    both(world, url)()
    before = seen(world)
    assert world.run("db", "backup", str(tmp_path / "before.dump")).code == 0
    with psycopg.connect(url) as connection:
        for table in ("record", "call"):
            connection.execute(f"ALTER TABLE {table} DETACH PARTITION {table}_202603".encode())
            connection.execute(
                f"ALTER TABLE {table}_202603 RENAME TO detached_{table}_202603".encode()
            )
    assert world.run("db", "backup", str(tmp_path / "after.dump")).code == 0
    for name in ("after", "before", "after", "before"):
        ran = world.run("db", "restore", "--yes", str(tmp_path / f"{name}.dump"))
        assert ran.code == 0, ran.err
        with psycopg.connect(url) as connection:
            (kept,) = connection.execute("SELECT COUNT(*) FROM detached_record_202603")
            assert kept[0] > 0
        assert (seen(world) == before) == (name == "before")


def test_sqlite_has_no_months(world: World) -> None:
    ran = world.run("db", "partitions")
    assert ran.code == 1
    assert "SQLite has no partitions" in ran.err


def test_a_month_that_is_done_with_is_taken_off(store: peewee.Database) -> None:
    first, end = month_bounds("202401")
    assert first is not None
    with write_transaction():
        for table in ("record", "call"):
            make_room(table, [first, end])
        sealed.set_seal(sealed.Seal(20240301, end + MONTH))
    with write_transaction():
        names = old_months.detach("202401")
    assert names == ["detached_record_202401", "detached_call_202401"]
    assert {one.month for one in partitions()} == {"202402"}
    with write_transaction():
        # A row that comes late has its place again.
        make_room("call", [first])
    assert {one.month for one in partitions()} == {"202401", "202402"}


def test_months_have_no_gaps(store: peewee.Database) -> None:
    starts = [0, 946_684_799, 946_684_800, 1_709_251_199, 1_709_251_200, 4_102_444_800]
    assert [month_name(start) for start in starts] == [
        "early",
        "early",
        "200001",
        "202402",
        "202403",
        "210001",
    ]
    with write_transaction():
        make_room("record", starts)
    columns = [field.column_name for field in Record._meta.sorted_fields]
    for at, start in enumerate(starts, 1):
        values = {
            "id": at,
            "started_at": start,
            **{name: "" for name, kind in _text_columns().items() if kind},
        }
        row = [values.get(name, 0) for name in columns]
        rows_of(
            f"INSERT INTO record ({', '.join(columns)}) VALUES ({', '.join('?' * len(row))})", *row
        )
    assert Record.select().count() == len(starts)


def _text_columns() -> dict[str, bool]:
    return {
        field.column_name: isinstance(field, peewee.TextField)
        for field in Record._meta.sorted_fields
    }


def test_two_machines_make_the_same_month_at_once(store: peewee.Database, url: str) -> None:
    import threading

    made = threading.Barrier(4)
    errors: list[BaseException] = []

    def make() -> None:
        with store.connection_context():
            try:
                made.wait(30)
                with write_transaction(beside=True):
                    make_room("call", [1_800_000_000])
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [one.month for one in partitions()] == ["202701"]


def test_a_lock_holds_between_connections_and_names_its_holder(
    store: peewee.Database, url: str, tmp_path: Path
) -> None:
    import os
    import threading

    from syncd.domain.errors import TryAgainError

    told: list[str] = []

    def other() -> None:
        try:
            with hold_in_database(store, "intake-hq", "syncd ingest", wait=0.0):
                told.append("held twice")
        except TryAgainError as error:
            told.append(str(error))

    def again() -> None:
        with hold_in_database(store, "intake-hq", "syncd ingest", wait=5.0):
            told.append("held")

    with hold_in_database(store, "intake-hq", "syncd run", wait=0.0):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    thread = threading.Thread(target=again)
    thread.start()
    thread.join()
    assert f"intake-hq is held by process {os.getpid()}@" in told[0]
    assert "(syncd run)" in told[0]
    assert told[1] == "held"


def test_a_missing_driver_is_one_clear_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from syncd.domain.errors import ConfigurationError

    monkeypatch.setitem(sys.modules, "syncd.store.postgresql", None)
    with pytest.raises(ConfigurationError, match="needs the package psycopg"):
        open_database("postgresql://syncd@/x", tmp_path)
