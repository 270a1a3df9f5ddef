"""The LDAP server of the session and a store of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import peewee
import pytest

from syncd.store.database import open_database
from tests.integration.slapd import PASSWORD, Slapd


@pytest.fixture(scope="session")
def slapd_server(
    server: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Slapd]:
    """One running slapd per worker."""
    running = Slapd(server, tmp_path_factory.mktemp("slapd"))
    yield running
    running.stop()


@pytest.fixture
def slapd(slapd_server: Slapd) -> Slapd:
    """The server with nobody in ``ou=people``."""
    slapd_server.clear()
    return slapd_server


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with the readers' password, for its owner alone."""
    path = tmp_path / "bind.secret"
    path.write_text(f"{PASSWORD}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[peewee.Database]:
    """An empty database with its schema."""
    database = open_database("sqlite:///syncd.db", tmp_path / "state")
    yield database
    database.close()
