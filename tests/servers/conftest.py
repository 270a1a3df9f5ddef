"""The servers of the session, and where one is missing the reason why."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import CI
from tests.integration.conftest import store
from tests.servers.ds389 import Ds389
from tests.servers.samba import PASSWORD, Samba, ports_taken

__all__ = ["store"]


def _not_here(reason: str) -> None:
    if CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def samba_server(
    server: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Samba]:
    """One running domain controller."""
    server("samba")
    if os.geteuid() != 0:
        _not_here("a domain controller needs root: sudo make test-servers")
    if taken := ports_taken():
        _not_here(f"a domain controller needs the ports {', '.join(map(str, taken))}")
    running = Samba(server, tmp_path_factory.mktemp("samba"))
    yield running
    running.stop()


@pytest.fixture
def samba(samba_server: Samba) -> Samba:
    """The domain controller with nobody in its units."""
    samba_server.clear()
    return samba_server


@pytest.fixture(scope="session")
def ds389_server(server: Callable[[str], str]) -> Iterator[Ds389]:
    """One running 389 Directory Server."""
    for program in ("ns-slapd", "dscreate"):
        server(program)
    if os.geteuid() != 0:
        _not_here("a 389 Directory Server needs root: sudo make test-servers")
    # Its account has no way into pytest's own folders.
    with tempfile.TemporaryDirectory(prefix="syncd-389-") as home:
        running = Ds389(server, Path(home))
        yield running
        running.stop()


@pytest.fixture
def ds389(ds389_server: Ds389) -> Ds389:
    """The 389 Directory Server with nobody in ``ou=people``."""
    ds389_server.clear()
    return ds389_server


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with the readers' password, for its owner alone."""
    path = tmp_path / "bind.secret"
    path.write_text(f"{PASSWORD}\n")
    path.chmod(0o600)
    return path
