"""What a database only interrupts goes on by itself, once: a lost connection at any moment, a server
that restarts, a deadlock."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import peewee
import psycopg
import pytest

from syncd.application import repeating
from syncd.application.composition import Application
from syncd.application.repeating import repeated
from syncd.demo.company import CompanyFiles, write_company
from syncd.demo.cucm_writer import write_files
from syncd.demo.people import build_company
from syncd.settings.load import load
from syncd.store.database import get_meta, set_meta, write_transaction
from syncd.store.passing import passes
from tests.support.postgresql_server import PostgresqlServer
from tests.support.tcp_proxy import TcpProxy
from tests.system.daemon_process import Daemon

pytestmark = pytest.mark.sqlite("has a PostgreSQL of its own, and stops it")
NOW = 1_790_000_000
COMPANY = build_company(size=24, seed=7)


@pytest.fixture
def own() -> Iterator[PostgresqlServer]:
    """A server that a test may stop."""
    running = PostgresqlServer()
    yield running
    running.remove()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits before it is done again."""
    monkeypatch.setattr(repeating, "WAITS", (0.0,) * len(repeating.WAITS))


@pytest.fixture
def proxy(postgresql: PostgresqlServer) -> Iterator[TcpProxy]:
    with TcpProxy(str(postgresql.folder / ".s.PGSQL.5432")) as running:
        yield running


def through(proxy: TcpProxy, url: str) -> str:
    """Return the address of a database behind the proxy."""
    name = url.partition("@/")[2].partition("?")[0]
    return f"postgresql://syncd@127.0.0.1:{proxy.port}/{name}?sslmode=disable&gssencmode=disable"


def installation(folder: Path, url: str) -> CompanyFiles:
    files = write_company(
        folder, COMPANY, settle="0 seconds", schedule="every 1 second", slots="unlimited"
    )
    more = folder / "conf.d"
    more.mkdir()
    (more / "own.ini").write_text(
        f"[database]\nurl = {url}\n[daemon]\nmetrics = 127.0.0.1:0\nrollups = every 1 second\n"
    )
    return files


def deliver(files: CompanyFiles, seed: int = 3) -> int:
    """Write files into the drop folder. Returns how many records are in them."""
    written = write_files(
        files.drop, COMPANY, seed=seed, calls=60, start=date(2026, 3, seed), rows_per_file=12
    )
    return int(written.records)


def opened(files: CompanyFiles) -> Application:
    application = Application.open(load(files.ini))
    application.clock = lambda: NOW
    return application


def work(application: Application) -> None:
    """Take people and files, and add up."""
    for unit in [*application.sync(), *application.ingest(settle=False)]:
        assert unit.error is None, unit.error
    repeated(application.roll_up, application.database, "roll-up")


def stored(url: str) -> dict[str, list[Any]]:
    """Return what does not depend on ids."""
    questions = {
        "records": "SELECT key, started_at, outcome, reason, content_hash FROM record",
        "calls": (
            "SELECT r.key, c.side, l.line_id, p.username, c.counted, c.cost, c.duration, c.outcome"
            " FROM call AS c JOIN record AS r ON r.id = c.id / 8 JOIN line AS l ON l.id = c.line_id"
            " LEFT JOIN party AS p ON p.id = c.party_id"
        ),
        "files": "SELECT name, state, read, stored, duplicate, calls FROM file",
        "days": "SELECT day, SUM(calls), SUM(cost) FROM rollup_day GROUP BY day",
        "people": "SELECT username, department, first_extension FROM party",
        "lines": "SELECT line_id, number FROM line",
    }
    with psycopg.connect(url) as connection:
        return {
            name: sorted(map(repr, connection.execute(question.encode())))
            for name, question in questions.items()
        }


SEED = int(os.environ.get("SYNCD_SEED", "0")) or random.SystemRandom().randrange(10**6)


def test_a_connection_that_is_cut_anywhere_loses_nothing_and_doubles_nothing(
    postgresql: PostgresqlServer, proxy: TcpProxy, url: str, tmp_path: Path, at_once: None
) -> None:
    chance = random.Random(SEED)
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("disturbed0", "disturbed1"):
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {name}".encode())
    files = installation(tmp_path / "undisturbed", through(proxy, url))
    deliver(files)
    application = opened(files)
    before = proxy.passed
    work(application)
    application.close()
    size = proxy.passed - before
    expected = stored(url)
    assert expected["calls"]
    for number in range(2):
        there = url.replace(url.partition("@/")[2].partition("?")[0], f"disturbed{number}")
        files = installation(tmp_path / f"disturbed{number}", through(proxy, there))
        deliver(files)
        application = opened(files)
        cuts, sizes = proxy.cuts, [chance.randrange(1, size // 6) for _ in range(5)]
        proxy.cut_after(*sizes)
        work(application)
        proxy.cut_after()
        application.close()
        assert proxy.cuts > cuts
        assert stored(there) == expected, f"SYNCD_SEED={SEED} {sizes}"
        assert not list(files.drop.iterdir())


def test_what_ends_in_a_deadlock_is_done_again(
    store: peewee.Database, url: str, at_once: None
) -> None:
    attempts = []
    set_meta("one", "0")
    set_meta("two", "0")
    met = threading.Barrier(2)

    def count(key: str, other: str) -> None:
        attempts.append(key)
        first = attempts.count(key) == 1
        with store.connection_context(), write_transaction(beside=True):
            for number, name in enumerate((key, other)):
                value = int(get_meta(name))
                set_meta(name, str(value + 1))
                if first and not number:
                    met.wait(30)

    store.close()
    threads = [
        threading.Thread(target=repeated, args=(lambda a=a, b=b: count(a, b), store, a))
        for a, b in (("one", "two"), ("two", "one"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.connect()
    assert len(attempts) == 3
    assert (get_meta("one"), get_meta("two")) == ("2", "2")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())", True),
        ("SELECT 1 / 0", False),
        ("SELECT * FROM nowhere", False),
        ("DO $$BEGIN RAISE SQLSTATE '40001'; END$$", True),
        ("DO $$BEGIN RAISE SQLSTATE '53100'; END$$", False),
        ("DO $$BEGIN RAISE SQLSTATE '57014'; END$$", False),
    ],
)
def test_which_troubles_pass(store: peewee.Database, statement: str, expected: bool) -> None:
    with pytest.raises(peewee.PeeweeException) as raised, write_transaction():
        store.execute_sql(statement)
    assert passes(raised.value) is expected
    store.connect(reuse_if_open=True)


def test_within_a_transaction_of_somebody_else_nothing_is_done_again(
    store: peewee.Database, at_once: None
) -> None:
    attempts = []

    def fail() -> None:
        attempts.append(1)
        store.execute_sql("DO $$BEGIN RAISE SQLSTATE '40001'; END$$")

    with pytest.raises(peewee.OperationalError), write_transaction():
        repeated(fail, store, "something")
    assert len(attempts) == 1


def test_attempts_are_bounded_and_end_when_asked(store: peewee.Database, at_once: None) -> None:
    attempts = []

    def fail() -> None:
        attempts.append(1)
        store.execute_sql("DO $$BEGIN RAISE SQLSTATE '40P01'; END$$")

    with pytest.raises(peewee.OperationalError):
        repeated(fail, store, "something")
    assert len(attempts) == len(repeating.WAITS) + 1
    attempts.clear()
    with pytest.raises(peewee.OperationalError):
        repeated(fail, store, "something", lambda: len(attempts) == 2)
    assert len(attempts) == 2


def test_a_daemon_goes_on_by_itself_when_its_server_restarts(
    own: PostgresqlServer, tmp_path: Path
) -> None:
    url = f"postgresql://syncd@/postgres?host={own.folder}"
    files = installation(tmp_path / "company", url)
    daemon = Daemon(files.ini)
    try:
        daemon.ready()
        written = 0
        for seed, how in enumerate(("fast", "immediate"), 3):
            written += deliver(files, seed)
            own.stop(how)
            own.start()
            waits(daemon, lambda: not any(files.drop.iterdir()))
        events = len(daemon.events)
        daemon.event("roll_up_finished", events)
        assert daemon.get("/readyz")[0] == 200
        assert daemon.terminate() == 0
    finally:
        daemon.close()
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT COUNT(*), COUNT(DISTINCT key) FROM record").fetchone()
    assert found == (written, written)
    assert not [event for event in daemon.events if "exc_info" in event or "exception" in event]


def waits(daemon: Daemon, done: Callable[[], bool]) -> None:
    """Wait until something is done, or the daemon has ended."""
    waiting = threading.Event()
    for _ in range(600):
        if done():
            return
        assert daemon.process.poll() is None
        waiting.wait(0.1)
    raise AssertionError(f"it never came: {daemon.events}")
