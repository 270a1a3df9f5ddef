"""The migrations make exactly the schema that the models describe."""

from __future__ import annotations

from pathlib import Path

import peewee
import pytest

from syncd.domain.errors import ConfigurationError, TryAgainError
from syncd.store.database import migrate, open_database
from syncd.store.models import MODELS, Org, database


def schema(connection: peewee.Database) -> dict[tuple[str, str], str]:
    """Return the SQL of every table and index by (type, name), apart from the runner's own table."""
    rows = connection.execute_sql(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        " AND tbl_name NOT IN ('schema_migration', 'sqlite_sequence')"
    )
    return {(kind, name): sql for kind, name, sql in rows.fetchall()}


@pytest.mark.sqlite("the text of a schema is SQLite's")
def test_migrated_schema_is_that_of_the_models(tmp_path: Path) -> None:
    migrated = open_database("sqlite:///a.db", tmp_path)
    found = schema(migrated)
    migrated.close()
    plain = peewee.SqliteDatabase(str(tmp_path / "b.db"))
    plain.connect()
    with plain.bind_ctx(list(MODELS)):
        plain.create_tables(list(MODELS))
    wanted = schema(plain)
    plain.close()
    assert {*found} == {*wanted}
    for key, sql in wanted.items():
        assert found[key] == sql


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    open_database("sqlite:///a.db", tmp_path)
    assert Org.get_by_id(0).department == ""
    assert migrate(database.obj) == []
    database.close()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """An older program would leave sums as they are that its calls change."""
    open_database("sqlite:///a.db", tmp_path)
    newer = ("INSERT INTO schema_migration (name, applied) VALUES (?, ?)", ("9999_x", "2030-01-01"))
    database.execute_sql(*newer)
    database.close()
    with pytest.raises(ConfigurationError, match=r"newer syncd: it has 9999_x \(.*db restore"):
        open_database("sqlite:///a.db", tmp_path)
    database.execute_sql("DELETE FROM schema_migration WHERE name = ?", ("9999_x",))
    database.close()
    open_database("sqlite:///a.db", tmp_path)
    database.close()


def test_an_address_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not understood"):
        open_database("oracle://scott@tiger/x", tmp_path)


@pytest.mark.sqlite("it is about a file; tests/postgresql has a server that does not answer")
def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "a.db").mkdir()
    with pytest.raises(TryAgainError, match="cannot be opened"):
        open_database("sqlite:///a.db", tmp_path)
