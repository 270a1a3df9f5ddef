"""What all tests share: servers that may be missing, and Hypothesis profiles."""

from __future__ import annotations

import logging
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.support import stores
from tests.support.postgresql_server import PostgresqlServer

if stores.on_postgresql():
    # Before anybody imports what opens databases.
    stores.redirect()

CI = os.environ.get("CI", "").lower() == "true"
SERVERS = dict(
    line.split(maxsplit=1)
    for line in Path(__file__).with_name("servers.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
"""Debian packages by program."""

# Set before the workers of xdist start, so that all of them have the same one.
SEED = os.environ.setdefault("SYNCD_SEED", str(random.SystemRandom().randrange(10**6)))
"""What the sweeps of crashes and faults choose their points by: another one in each run."""

# Load from neighbours must not fail a test: time is nobody's assertion here.
settings.register_profile(
    "syncd", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("syncd")


def pytest_report_header() -> list[str]:
    store = os.environ.get("SYNCD_TEST_STORE", "sqlite")
    return [
        f"SYNCD_SEED={SEED} (set it to sweep the same points again)",
        f"SYNCD_TEST_STORE={store}",
    ]


def pytest_configure(config: pytest.Config) -> None:
    """Start the server that everything is stored in, where that is PostgreSQL: one for all
    workers."""
    config.addinivalue_line("markers", "sqlite(why): of SQLite alone, left out with PostgreSQL")
    config.addinivalue_line("markers", "postgresql(why): of PostgreSQL alone")
    if not stores.on_postgresql():
        return
    if stores.SOCKET not in os.environ:
        server = PostgresqlServer()
        config.add_cleanup(server.remove)
        os.environ[stores.SOCKET] = str(server.folder)
        hook = str(Path(__file__).parent / "support" / "on_postgresql")
        os.environ["PYTHONPATH"] = hook + os.pathsep + os.environ.get("PYTHONPATH", "")
        from syncd.store.database import open_database

        stores.create(stores.TEMPLATE, "template0")
        open_database(stores.server_address(stores.TEMPLATE), Path()).close()
    config.addinivalue_line("filterwarnings", "ignore:.*psycopg.*was deleted:ResourceWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is of the other database alone."""
    other = "sqlite" if stores.on_postgresql() else "postgresql"
    left_out = [item for item in items if item.get_closest_marker(other)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Function) -> Iterator[None]:
    """Drop the databases that stood for files of the test's folder, last of all."""
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    try:
        return (yield)
    finally:
        if folder is not None and stores.on_postgresql():
            stores.close_those_in_use()
            stores.drop_below(folder)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Leave logging as it was: it belongs to the process, and commands set it up for theirs."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def server() -> Callable[[str], str]:
    """Give a function that returns the path of a program of ``servers.txt``.

    Where it is missing the test is skipped and named at the end; with CI=true it fails.
    """

    def find(program: str) -> str:
        places = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
        path = shutil.which(program, path=places)
        if path:
            return path
        reason = f"{program} is missing: apt install {SERVERS[program]}"
        if CI:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)

    return find


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the programs for want of which tests were skipped, and the command that brings them."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    wanted = [name for reason in skipped for name in SERVERS if f"{name} is missing" in reason]
    missing = sorted(set(wanted))
    if missing:
        packages = " ".join(sorted({SERVERS[name] for name in missing}))
        terminalreporter.section("servers that were missing")
        terminalreporter.line(f"{len(wanted)} tests were skipped for want of {', '.join(missing)}.")
        terminalreporter.line(f"To run them: apt-get install --no-install-recommends {packages}")
