"""Intake of several phone systems at the same moment: what they share stays right."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest

from syncd.application.composition import Application
from syncd.domain.clock import FOREVER
from syncd.settings.load import load
from syncd.store.models import Slot
from tests.postgresql.test_several_machines import SYSTEMS, Cluster
from tests.support.postgresql_server import PostgresqlServer
from tests.system.daemon_process import syncd, syncd_json

SLOTS = 29
"""One more than the people of the company take."""
pytestmark = [pytest.mark.sqlite("has a PostgreSQL of its own"), pytest.mark.timeout(600)]


def test_the_licence_is_never_exceeded_whoever_acquires(
    postgresql: PostgresqlServer, url: str, tmp_path: Path
) -> None:
    cluster = Cluster(tmp_path, url, slots=SLOTS)
    written = sum(cluster.deliver(seed) for seed in range(2))
    ini = cluster.machine("only")
    application = Application.open(load(ini))
    for unit in application.sync():
        assert unit.error is None, unit.error
    assert Slot.select().where(Slot.until == FOREVER).count() == SLOTS - 1
    application.close()
    done, most, errors = threading.Event(), [0], []

    def watch() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not done.is_set():
                found = connection.execute(
                    "SELECT COUNT(*) FROM slot WHERE until = %s", (FOREVER,)
                ).fetchone()
                most[0] = max(most[0], found[0] if found else 0)

    def take(system: str) -> None:
        # As in a process of its own: nothing that one remembers is known to another.
        own = Application(application.settings, application.database, command="test")
        errors.extend(
            unit.error for unit in own.ingest(system, settle=False) if unit.error is not None
        )

    watcher = threading.Thread(target=watch)
    watcher.start()
    threads = [threading.Thread(target=take, args=(system,)) for system in SYSTEMS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    watcher.join()
    assert errors == []
    assert most == [SLOTS]
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT COUNT(*) FROM record").fetchone() == (written,)
        assert connection.execute("SELECT COUNT(*) > 0 FROM call_withheld").fetchone() == (True,)
    verified = syncd(ini, "db", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_people_that_another_process_has_read_are_seen_by_the_next_batch(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.calls.intake.BATCH_ROWS", 1)
    cluster = Cluster(tmp_path, url)
    cluster.deliver(0)
    application = Application.open(load(cluster.machine("only")))
    synced = []

    def sync(_: object) -> None:
        if not synced:
            other = Application(application.settings, application.database, command="test")
            thread = threading.Thread(target=lambda: synced.extend(other.sync()))
            thread.start()
            thread.join()

    [unit] = application.ingest("east", settle=False, progress=sync)
    assert unit.error is None
    assert unit.outcome is not None
    first, *rest = unit.outcome.files
    application.close()
    assert synced[0].error is None
    with psycopg.connect(url) as connection:
        named = dict(
            connection.execute(
                "SELECT f.name, COUNT(*) FROM file AS f JOIN record AS r ON r.file_id = f.id"
                " JOIN call AS c ON c.id / 8 = r.id JOIN party AS p ON p.id = c.party_id"
                " WHERE p.source = 'corp' GROUP BY f.name"
            ).fetchall()
        )
    assert named.get(first.name, 0) == 0
    assert all(named[file.name] for file in rest)


def test_who_shares_nothing_takes_everything_and_says_what_is_missing(
    url: str, tmp_path: Path
) -> None:
    cluster = Cluster(tmp_path, url)
    cluster.drop("west").rmdir()
    try:
        alone = cluster.start("one", more="roles = intake\n")
        cluster.wait("all of them", lambda: cluster.all_held_by("one"))

        def told() -> bool:
            done = syncd(alone.ini, "run", "--status")
            assert done.returncode == 0, done.stderr
            return (
                "nobody does what the role scheduler does" in done.stderr
                and "intake of east, north, south, west" in done.stdout
            )

        cluster.wait("who is missing is told", told)
        # Nobody asks the directories yet; whoever comes to lead does.
        second = cluster.start("two", more="roles = scheduler\n[logging]\nlevel = debug\n")
        second.event("sync_finished")
        assert "is not a folder" in str(alone.event("ingest_failed", source="west"))
        cluster.deliver(0)
        cluster.wait("everything is taken", cluster.taken)

        def shown() -> bool:
            takes, leads = alone.get("/metrics")[1], second.get("/metrics")[1]
            return (
                takes.count('syncd_intake{pbx="') == 4
                and "syncd_scheduler 0.0" in takes
                and "syncd_scheduler 1.0" in leads
                and '"scheduler": true' in second.get("/readyz")[1]
                and second.get("/readyz")[0] == 200
                and sorted(one["does"] for one in syncd_json(alone.ini, "run", "--status"))
                == ["intake of east, north, south, west", "schedules"]
            )

        cluster.wait("what each does is shown", shown)
        text = second.ini.read_text()
        second.ini.write_text(text.replace("access_code = 0", "access_code = 9"))
        assert second.reload() == "configuration_reloaded"
        alone.event("configuration_differs")
    finally:
        cluster.close()


def test_a_role_alone_needs_others_to_be_possible(url: str, tmp_path: Path) -> None:
    ini = Cluster(tmp_path, url).machine("one", "sqlite:///syncd.db", "roles = intake\n")
    done = syncd(ini, "run")
    assert done.returncode == 78
    assert "a SQLite database has one daemon" in done.stderr
    done = syncd(ini, "run", "--roles", "cooking")
    assert done.returncode == 2
    assert "'cooking' is no role" in done.stderr
    done = syncd(ini, "run", "--status")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no daemon runs" in done.stderr
