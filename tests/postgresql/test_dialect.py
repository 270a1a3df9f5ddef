"""What SQL means is the same on both databases."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path

import peewee
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.domain.errors import ConfigurationError, TryAgainError
from syncd.store.database import (
    get_meta,
    is_database_trouble,
    migrate,
    open_database,
    set_meta,
    write_transaction,
)
from syncd.store.dialect import (
    get_or_add,
    id_list,
    ids_were_given,
    in_list,
    insert_many,
    record_ids,
    rows_of,
)
from syncd.store.models import MODELS, Name, Party, Reject
from syncd.store.psycopg_cursor import translated


def test_placeholders_and_percent_signs_are_those_of_sqlite(store: peewee.Database) -> None:
    assert rows_of(
        "SELECT 7 % 4, ?, 'a?%' LIKE '%?%', \"x?\" FROM (SELECT 1 AS \"x?\") AS t", 5
    ) == [(3, 5, True, 1)]
    assert rows_of("SELECT 'it''s 5%?', ?", "100%") == [("it's 5%?", "100%")]
    assert rows_of("SELECT 7 % 4") == [(3,)]
    assert translated("SELECT %s") == b"SELECT %s"


def test_sums_of_whole_numbers_are_whole_numbers(store: peewee.Database) -> None:
    ((total, average),) = rows_of(
        "SELECT SUM(x), AVG(x) FROM (SELECT CAST(? AS bigint) AS x UNION ALL SELECT 7) AS t", 2**62
    )
    assert total == 2**62 + 7
    assert isinstance(total, int)
    assert isinstance(average, int | Decimal)
    assert rows_of("SELECT -7 / 2, -7 % 2") == [(-3, -1)]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_texts_are_ordered_by_their_bytes(texts: list[str]) -> None:
    assert [row[0] for row in rows_of(SORTED, texts)] == sorted(texts, key=lambda one: one.encode())


SORTED = 'SELECT one FROM unnest(CAST(? AS text[])) AS t (one) ORDER BY one COLLATE "C"'


@pytest.fixture(autouse=True)
def _open(store: peewee.Database) -> None:
    """Every test has a database, those of Hypothesis too."""


def test_columns_are_compared_by_their_bytes_whatever_the_database_has(
    store: peewee.Database,
) -> None:
    for key in ("Zoe", "abel", "éclair", "a b", "a-b"):
        Name.insert(kind="department", key=key, text="").execute()
    keys = [row.key for row in Name.select().order_by(Name.key)]
    assert keys == sorted(keys, key=str.encode)
    assert Name.select().where(Name.key == "ZOE").count() == 0


def test_a_list_of_ids_has_no_limit(store: peewee.Database) -> None:
    many = list(range(100_000))
    assert rows_of(f"SELECT COUNT(*) FROM org WHERE {in_list('id')}", id_list(many)) == [(1,)]
    assert rows_of(f"SELECT COUNT(*) FROM org WHERE {in_list('id')}", id_list([])) == [(0,)]
    assert rows_of(f"SELECT 1 WHERE {in_list('CAST(7 AS bigint)')}", id_list([2**62])) == []


def test_a_row_is_added_once_by_writers_beside_each_other(store: peewee.Database) -> None:
    """The one that comes second waits, and finds what the first one added."""
    found: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def other() -> None:
        with store.connection_context(), write_transaction(beside=True):
            begun.set()
            found.append(get_or_add("trunk", {"name": "pstn"}))
            go_on.wait(30)

    thread = threading.Thread(target=other)
    with write_transaction(beside=True):
        found.append(get_or_add("trunk", {"name": "pstn"}))
        thread.start()
        assert begun.wait(30)
    go_on.set()
    thread.join()
    assert len(found) == 2
    assert len(set(found)) == 1


def test_other_writers_wait_for_intakes_and_intakes_for_them(store: peewee.Database) -> None:
    order: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def intake() -> None:
        with store.connection_context(), write_transaction(beside=True):
            inside.set()
            leave.wait(30)
            order.append("intake")

    thread = threading.Thread(target=intake)
    thread.start()
    assert inside.wait(30)
    with write_transaction(beside=True):
        order.append("another intake")
    timer = threading.Timer(0.2, leave.set)
    timer.start()
    with write_transaction():
        order.append("a sync")
    thread.join()
    timer.join()
    assert order == ["another intake", "intake", "a sync"]


def test_two_writers_take_different_ids_for_their_records(store: peewee.Database) -> None:
    first, second = record_ids(), record_ids()
    taken = [next(first) for _ in range(500)] + [next(second) for _ in range(500)]
    assert len(set(taken)) == 1000


def test_ids_go_on_after_those_that_were_given(store: peewee.Database) -> None:
    Party.insert(id=41, source="corp", external_id="a", arrived_at=0).execute()
    ids_were_given("party")
    assert Party.insert(source="corp", external_id="b", arrived_at=0).execute() == 42


def test_bytes_and_truths_go_by_copy(store: peewee.Database) -> None:
    store.execute_sql("SET session_replication_role = replica")
    raw = bytes(range(256))
    insert_many(
        "reject", ("file_id", "line", "reason", "raw", "retryable"), [(1, 1, "\\N\t\n", raw, True)]
    )
    (row,) = Reject.select()
    assert (row.reason, bytes(row.raw), row.retryable) == ("\\N\t\n", raw, True)


def test_nothing_of_a_transaction_that_failed_is_left(store: peewee.Database) -> None:
    with pytest.raises(peewee.ProgrammingError), write_transaction():
        set_meta("first", "kept?")
        rows_of("SELECT * FROM absent")
    assert get_meta("first") == ""
    with write_transaction():
        set_meta("second", "kept")
    assert get_meta("second") == "kept"


def test_a_connection_that_broke_is_trouble_and_the_next_one_is_opened(
    store: peewee.Database, url: str
) -> None:
    (pid,) = store.execute_sql("SELECT pg_backend_pid()").fetchone()
    with pytest.raises(peewee.PeeweeException) as caught, write_transaction():
        set_meta("lost", "yes")
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        for _ in range(2):
            rows_of("SELECT 1")
    assert is_database_trouble(caught.value)
    store.connect(reuse_if_open=True)
    assert get_meta("lost") == ""


def test_a_deadlock_is_trouble_that_ends_by_trying_again(store: peewee.Database) -> None:
    errors: list[BaseException] = []
    both = threading.Barrier(2)

    def write(first: str, second: str) -> None:
        with store.connection_context():
            try:
                with write_transaction(beside=True):
                    get_or_add("trunk", {"name": first})
                    both.wait(30)
                    get_or_add("trunk", {"name": second})
            except peewee.PeeweeException as error:
                errors.append(error)

    threads = [threading.Thread(target=write, args=names) for names in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [is_database_trouble(error) for error in errors] == [True]


def test_several_processes_bring_the_tables_up_to_date_one_after_the_other(
    url: str, tmp_path: Path
) -> None:
    import subprocess
    import sys

    program = (
        "import sys; from pathlib import Path; from syncd.store.database import open_database;"
        "open_database(sys.argv[1], Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", program, url, str(tmp_path)]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    ran = [subprocess.Popen(command) for _ in range(3)]
    assert [one.wait(60) for one in ran] == [0, 0, 0]


def test_the_tables_are_those_of_the_models(store: peewee.Database) -> None:
    assert migrate(store) == []
    for model in MODELS:
        table = model._meta.table_name
        columns = {column.name: column.null for column in store.get_columns(table)}
        assert columns == {field.column_name: field.null for field in model._meta.sorted_fields}, (
            table
        )
        wanted = {
            tuple(model._meta.fields[name].column_name for name in index[0])
            for index in model._meta.indexes
            if not isinstance(index, peewee.ModelIndex)
        }
        kept = {
            tuple(row[0])
            for row in rows_of(
                "SELECT ARRAY(SELECT attname FROM unnest(indkey) WITH ORDINALITY AS k (n, at)"
                "  JOIN pg_attribute ON attrelid = indrelid AND attnum = n ORDER BY at)"
                " FROM pg_index WHERE indrelid = CAST(? AS regclass)",
                f'"{table}"',
            )
        }
        assert wanted <= kept, table


def test_a_server_that_is_not_there_is_to_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(TryAgainError, match="cannot be opened"):
        open_database(f"postgresql://syncd@/x?host={tmp_path}", tmp_path)


def test_a_database_of_another_encoding_is_refused(url: str, tmp_path: Path) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
    name = url.rpartition("/")[0] if "?" not in url else url.split("?")[0].rpartition("/")[0]
    with pytest.raises(ConfigurationError, match="encoding is LATIN1"):
        open_database(f"{name}/latin?{url.partition('?')[2]}", tmp_path)


def test_a_server_that_takes_no_writes_is_said_to(url: str, tmp_path: Path) -> None:
    with pytest.raises(TryAgainError, match="target_session_attrs=read-write"):
        open_database(f"{url}&options=-c%20default_transaction_read_only%3Don", tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        open_database(f"{url}&options=-c%20a=b", tmp_path)


def test_a_server_that_becomes_a_standby_is_no_defect(store: peewee.Database) -> None:
    store.execute_sql("SET default_transaction_read_only = on")
    with pytest.raises(peewee.InternalError) as raised, write_transaction():
        set_meta("one", "0")
    assert is_database_trouble(raised.value)
    store.execute_sql("SET default_transaction_read_only = off")
