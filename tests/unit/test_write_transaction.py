"""A transaction that fails says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest

from syncd.store.database import (
    get_meta,
    is_database_trouble,
    open_database,
    set_meta,
    write_transaction,
)
from syncd.store.models import database


@pytest.fixture
def small(tmp_path: Path) -> Iterator[None]:
    """A database that cannot grow."""
    opened = open_database("sqlite:///test.db", tmp_path)
    opened.execute_sql("PRAGMA max_page_count = 1")
    yield
    database.close()


@pytest.mark.sqlite("a server's disk is not ours to fill")
@pytest.mark.usefixtures("small")
def test_a_full_disk_is_the_reason_not_the_rollback_that_follows() -> None:
    with pytest.raises(peewee.OperationalError) as caught, write_transaction():
        set_meta("first", "kept?")
        set_meta("large", "x" * 100_000)
    assert str(caught.value) == "database or disk is full"
    assert is_database_trouble(caught.value)
    assert get_meta("first") == ""
    with write_transaction():
        set_meta("second", "kept")
    assert get_meta("second") == "kept"


@pytest.mark.sqlite(
    "PostgreSQL keeps no value of a transaction that failed, and calls it otherwise"
)
@pytest.mark.usefixtures("small")
def test_what_ends_a_transaction_is_raised_as_it_is() -> None:
    with pytest.raises(ValueError, match="ours"), write_transaction():
        set_meta("first", "kept?")
        raise ValueError("ours")
    assert get_meta("first") == ""
    with pytest.raises(peewee.OperationalError, match="no such table"), write_transaction():
        database.execute_sql("SELECT * FROM absent")
    assert not is_database_trouble(peewee.IntegrityError("twice"))
