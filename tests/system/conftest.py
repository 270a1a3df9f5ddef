"""A small company on disk, and the daemon that works for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.demo.company import CompanyFiles, write_company
from syncd.demo.people import Company, build_company
from tests.integration.conftest import secret, slapd, slapd_server
from tests.system.daemon_process import Daemon

__all__ = ["company", "files", "secret", "slapd", "slapd_server", "start"]


@pytest.fixture
def company() -> Company:
    return build_company(size=24, seed=7)


@pytest.fixture
def files(tmp_path: Path, company: Company) -> CompanyFiles:
    """The company's files: folders are looked at every second, files need not settle, and the
    pages are at a free port."""
    written = write_company(
        tmp_path / "company",
        company,
        settle="0 seconds",
        schedule="every 1 second",
        slots="unlimited",
    )
    more = written.ini.parent / "conf.d"
    more.mkdir()
    (more / "daemon.ini").write_text("[daemon]\nmetrics = 127.0.0.1:0\nrollups = every 1 second\n")
    return written


@pytest.fixture
def start() -> Iterator[Callable[[Path], Daemon]]:
    """Give a function that starts the daemon on an INI file; all are ended afterwards."""
    started: list[Daemon] = []

    def run(ini: Path) -> Daemon:
        started.append(Daemon(ini))
        return started[-1]

    yield run
    for daemon in started:
        daemon.close()
