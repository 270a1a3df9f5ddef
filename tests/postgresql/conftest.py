"""A PostgreSQL of the session's, and an empty database of it for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import peewee
import psycopg
import pytest

from syncd.store.database import open_database
from tests.support.postgresql_server import PostgresqlServer, find_program

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def postgresql(server: Callable[[str], str]) -> Iterator[PostgresqlServer]:
    """One running server per worker."""
    if find_program("initdb") is None:
        server("initdb")
    running = PostgresqlServer()
    yield running
    running.remove()


@pytest.fixture
def url(postgresql: PostgresqlServer) -> Iterator[str]:
    """The address of a database without tables."""
    name = f"own{next(_NUMBERS)}"
    address = "postgresql://syncd@/{}?host=" + str(postgresql.folder)
    with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield address.format(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def store(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[peewee.Database]:
    """An open database with its tables."""
    database = open_database(url, tmp_path_factory.mktemp("state"))
    yield database
    database.close()
