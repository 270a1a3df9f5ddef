"""Several daemons, each with a state directory of its own as on a machine of its own, share one
PostgreSQL: killed, paused or cut off, every record is there once."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from syncd.application.composition import Application
from syncd.demo.company import write_company
from syncd.demo.cucm_writer import write_files
from syncd.demo.people import build_company
from syncd.settings.load import load
from tests.postgresql.test_passing_troubles import stored, through
from tests.support.postgresql_server import PostgresqlServer
from tests.support.tcp_proxy import TcpProxy
from tests.system.daemon_process import Daemon, syncd, syncd_json

pytestmark = [pytest.mark.sqlite("has a PostgreSQL of its own"), pytest.mark.timeout(600)]
COMPANY = build_company(size=24, seed=7)
SYSTEMS = ("east", "north", "south", "west")
TAKE_OVER = 10
"""Seconds within which another process does the work of one that is gone: what was asked for."""
SLACK = 30
"""Seconds that a machine with other work may need on top."""


@pytest.fixture
def proxy(postgresql: PostgresqlServer) -> Iterator[TcpProxy]:
    with TcpProxy(str(postgresql.folder / ".s.PGSQL.5432")) as running:
        yield running


class Cluster:
    """Machines with the same configuration, folders that they share, and a look into the database."""

    def __init__(self, folder: Path, url: str, *, slots: int | str = "unlimited") -> None:
        self.folder = folder
        self.url = url
        company = write_company(
            folder / "company",
            COMPANY,
            settle="0 seconds",
            schedule="every 1 second",
            slots=slots,
            acquisition=True,
        )
        base = company.ini.parent
        text = company.ini.read_text()
        for name in ("people.ldif", "tariffs/telco.csv"):
            text = text.replace(f"= {name}", f"= {base / name}")
        section = text[text.index("[cdr:hq]") : text.index("[licensing]")]
        folders = ""
        for name in SYSTEMS:
            self.drop(name).mkdir(parents=True)
            folders += section.replace("[cdr:hq]", f"[cdr:{name}]").replace(
                "folder = drop/hq", f"folder = {self.drop(name)}\narchive = {folder / 'archive'}"
            )
        self.text = text.replace(section, folders)
        self.daemons: dict[str, Daemon] = {}

    def drop(self, name: str) -> Path:
        return self.folder / "drop" / name

    def machine(self, name: str, url: str = "", more: str = "") -> Path:
        """Write the configuration of a machine; returns its file."""
        place = self.folder / name
        (place / "conf.d").mkdir(parents=True, exist_ok=True)
        (place / "syncd.ini").write_text(self.text)
        (place / "conf.d" / "own.ini").write_text(
            f"[database]\nurl = {url or self.url}\n"
            f"[daemon]\nmetrics = 127.0.0.1:0\nrollups = every 1 second\n{more}"
        )
        return place / "syncd.ini"

    def start(self, name: str, url: str = "", more: str = "") -> Daemon:
        self.daemons[name] = Daemon(self.machine(name, url, more))
        self.daemons[name].ready()
        return self.daemons[name]

    def deliver(self, seed: int) -> int:
        """Put files into every folder, with names that no other seed gives; returns how many records
        are in them."""
        return sum(
            write_files(
                self.drop(name),
                COMPANY,
                seed=10 * seed + number,
                calls=40,
                start=date(2026, 1, 1) + timedelta(3 * seed),
                days=1,
                rows_per_file=12,
            ).records
            for number, name in enumerate(SYSTEMS)
        )

    def nodes(self) -> dict[int, tuple[bool, set[str]]]:
        """Return by process whether it leads and what it holds, of those that are there."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT process, leads, holds FROM node"
                " JOIN pg_stat_activity ON pid = backend"
                " WHERE extract(epoch FROM now()) - seen_at <= 5"
            ).fetchall()
        return {process: (bool(leads), set(holds.split())) for process, leads, holds in rows}

    def leader(self) -> int:
        return next((process for process, (leads, _) in self.nodes().items() if leads), 0)

    def named(self, process: int) -> str:
        return next(name for name, one in self.daemons.items() if one.process.pid == process)

    def all_held_by(self, *names: str) -> bool:
        """Say whether these hold all phone systems, each some."""
        found = self.nodes()
        held = [found.get(self.daemons[name].process.pid, (False, set()))[1] for name in names]
        return set().union(*held) == set(SYSTEMS) and all(held)

    def taken(self) -> bool:
        """Say whether every file was taken and every sum is up to date."""
        if any(any(self.drop(name).iterdir()) for name in SYSTEMS):
            return False
        with psycopg.connect(self.url, autocommit=True) as connection:
            left = connection.execute(
                "SELECT (SELECT COUNT(*) FROM dirty_day) + (SELECT COUNT(*) FROM dirty_quarter)"
            ).fetchone()
        return left == (0,)

    def wait(self, what: str, done: Callable[[], Any], seconds: float = 180) -> float:
        """Wait until something is so. Returns how many seconds that took."""
        began = time.monotonic()
        while not done():
            said = {name: daemon.events[-5:] for name, daemon in self.daemons.items()}
            assert time.monotonic() - began < seconds, f"{what}: {self.nodes()} {said}"
            threading.Event().wait(0.1)
        return time.monotonic() - began

    def close(self) -> None:
        for daemon in self.daemons.values():
            if daemon.process.poll() is None:
                daemon.process.send_signal(signal.SIGCONT)
            daemon.close()


@pytest.fixture
def cluster(tmp_path: Path, url: str) -> Iterator[Cluster]:
    made = Cluster(tmp_path, url)
    yield made
    made.close()


def is_as_if_one_had_done_it(cluster: Cluster, seeds: int, tmp_path: Path, empty: str) -> None:
    """Compare what is stored with what a single process makes of the same files."""
    alone = Cluster(tmp_path / "alone", empty)
    for seed in range(seeds):
        alone.deliver(seed)
    application = Application.open(load(alone.machine("only")))
    for unit in [*application.sync(), *application.ingest(settle=False)]:
        assert unit.error is None, unit.error
    application.roll_up()
    application.close()
    found, expected = stored(cluster.url), stored(empty)
    assert found["calls"]
    for name, rows in expected.items():
        assert found[name] == rows, name
    archived = sorted(path.name for path in (cluster.folder / "archive").rglob("*.*"))
    assert archived == sorted(path.name for path in (alone.folder / "archive").rglob("*.*"))


@pytest.fixture
def empty(url: str) -> Iterator[str]:
    """The address of another database without tables."""
    name = re.sub(r"/(own\d+)\?", r"/\1_alone?", url)
    server = re.sub(r"/own\d+\?", "/postgres?", url)
    database = re.search(r"/(own\d+_alone)\?", name)[1]  # type: ignore[index]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}".encode())
        yield name
        connection.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())


def test_whoever_is_killed_or_cut_off_every_record_is_there_once(
    cluster: Cluster, proxy: TcpProxy, url: str, tmp_path: Path, empty: str
) -> None:
    # All at once: one of them makes the tables.
    starting = [
        threading.Thread(target=cluster.start, args=(name, address))
        for name, address in (("one", ""), ("two", ""), ("three", through(proxy, url)))
    ]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()
    cluster.wait("a fair share for each", lambda: cluster.all_held_by("one", "two", "three"))
    assert max(len(held) for _, held in cluster.nodes().values()) == 2

    def shown() -> bool:
        found = syncd_json(cluster.daemons["one"].ini, "run", "--status")
        taken = sorted(pbx for one in found for pbx in one["intake"])
        return [one["schedules"] for one in found].count(True) == 1 and taken == sorted(SYSTEMS)

    cluster.wait("all of it is shown", shown)

    cluster.deliver(0)
    leader = cluster.leader()
    name = cluster.named(leader)
    others = {"one", "two", "three"} - {name}
    cluster.daemons[name].process.kill()
    seconds = cluster.wait("another leader", lambda: cluster.leader() not in (0, leader))
    assert seconds < TAKE_OVER + SLACK
    seconds = cluster.wait("its phone systems", lambda: cluster.all_held_by(*others))
    assert seconds < TAKE_OVER + SLACK
    cluster.deliver(1)
    cluster.start(name, through(proxy, url) if name == "three" else "")
    cluster.wait("it is back", lambda: cluster.all_held_by("one", "two", "three"))

    cluster.deliver(2)
    proxy.cut()
    cluster.wait("it is back", lambda: cluster.all_held_by("one", "two", "three"))
    proxy.half_close()
    cluster.deliver(3)
    cluster.wait("it is back", lambda: cluster.all_held_by("one", "two", "three"))
    proxy.stall()
    cluster.deliver(4)
    # Its connections stand, and nothing comes: the others end them.
    cluster.wait("others do its work", lambda: cluster.all_held_by("one", "two"))
    # Who was stalled may still hold the lock of a folder, on this one machine that they all are.
    proxy.stall(False)
    cluster.wait("everything is taken", cluster.taken)
    for daemon in cluster.daemons.values():
        assert daemon.terminate() == 0
    assert cluster.nodes() == {}
    is_as_if_one_had_done_it(cluster, 5, tmp_path, empty)
    verified = syncd(cluster.daemons["one"].ini, "db", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_who_was_paused_finds_that_others_have_done_its_work(
    cluster: Cluster, tmp_path: Path, empty: str
) -> None:
    cluster.start("one")
    cluster.start("two")
    cluster.wait("a fair share for each", lambda: cluster.all_held_by("one", "two"))
    cluster.deliver(0)
    leader = cluster.leader()
    paused = cluster.named(leader)
    (other,) = {"one", "two"} - {paused}
    cluster.daemons[paused].process.send_signal(signal.SIGSTOP)
    seconds = cluster.wait("another leader", lambda: cluster.leader() not in (0, leader))
    assert seconds < TAKE_OVER + SLACK
    cluster.wait("its phone systems", lambda: cluster.all_held_by(other))
    cluster.daemons[other].event("hanging_process_ended")
    cluster.deliver(1)
    cluster.daemons[paused].process.send_signal(signal.SIGCONT)
    cluster.daemons[paused].event("membership_lost")
    cluster.deliver(2)
    cluster.wait("both work", lambda: cluster.all_held_by("one", "two"))
    cluster.wait("everything is taken", cluster.taken)
    is_as_if_one_had_done_it(cluster, 3, tmp_path, empty)
    verified = syncd(cluster.daemons[other].ini, "db", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
