"""The command contract of ``run``: one daemon as a process, with what is dropped, asked, signalled
and broken around it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.slapd import free_port
from tests.support.contract import PEOPLE, Company, outgoing, person

PATIENCE = 30
"""Seconds after which a test gives up; nothing takes nearly as long."""


def wait_for(what: Callable[[], Any]) -> Any:
    """Return the first true answer. Raises AssertionError when there is none for long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if answer := what():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE} seconds in vain")


class Running:
    """A daemon at work for a company."""

    def __init__(self, company: Company, port: int) -> None:
        self.company = company
        self.port = port
        self.log = company.home / "daemon.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "syncd", "--config", str(company.ini), "run"],
                stdout=log,
                stderr=log,
            )

    def page(self, path: str) -> tuple[int, str]:
        """Return status and text of a page, status 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self) -> None:
        wait_for(lambda: self.process.poll() is None and self.page("/readyz")[0] == 200)

    def people(self) -> set[str]:
        holders = self.company.ok("licence", "--json").json["holders"]
        return {holder["person"] for holder in holders}


def drop(company: Company, key: str, number: str) -> None:
    """Deliver a file as a careful sender does: under another name first."""
    start = "2026-03-10T10:00:00+01:00"
    path = company.deliver(
        [outgoing(key, start, number, "03331234567", talk=100)], name=f"_{company.name()}"
    )
    path.rename(path.with_name(path.name[1:]))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Running]:
    company = Company(tmp_path)
    company.use_ldif(
        PEOPLE,
    )
    company.set("directory:corp", schedule="every 1 second")
    company.set("cdr:hq", schedule="every 1 second", settle="0 seconds")
    port = free_port()
    company.set("daemon", metrics=f"127.0.0.1:{port}")
    running = Running(company, port)
    try:
        running.ready()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait(PATIENCE)
        text = running.log.read_text(errors="replace")
        assert "Traceback" not in text, text


def end(daemon: Running) -> None:
    """Ask the daemon to stop, and see that it does, in order."""
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(PATIENCE) == 0
    daemon.company.ok("db", "verify")


def test_a_day_of_the_daemon(daemon: Running) -> None:
    company = daemon.company
    assert daemon.page("/healthz")[0] == 200
    wait_for(lambda: "Anna Verdi" in daemon.people())
    drop(company, "first", "2001")
    (row,) = wait_for(lambda: company.rows("anna"))
    assert row["cost"] == "0.525"
    status, text = daemon.page("/metrics")
    assert status == 200
    assert "# TYPE syncd_" in text
    company.write_ldif(PEOPLE | {"zoe": person(name="Zoe Zeta", extension="2099", level="2")})
    wait_for(lambda: "Zoe Zeta" in daemon.people())
    # Verbs work beside it.
    company.ok("sync", "--check")
    company.ok("ingest")
    company.ok("db", "backup", str(company.home / "copy.db"))
    second = subprocess.run(
        [sys.executable, "-m", "syncd", "--config", str(company.ini), "run"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert second.returncode == 75, second.stderr
    end(daemon)


def test_settings_are_read_again_wholly_or_not_at_all(daemon: Running) -> None:
    company = daemon.company
    right = company.ini.read_text()
    company.set("licensing", automatic_acquisition="perhaps")
    company.set("cdr:hq", excluded_numbers="2001")
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "automatic_acquisition" in daemon.log.read_text())
    company.ini.write_text(right)
    drop(company, "not excluded", "2001")
    wait_for(company.rows)
    company.set("licensing", automatic_acquisition="yes")
    daemon.process.send_signal(signal.SIGHUP)
    number = iter(range(2050, 2099))

    def acquired() -> bool:
        drop(company, f"a{(one := next(number))}", str(one))
        time.sleep(0.5)
        return any(row["person"] is None for row in company.rows())

    wait_for(acquired)
    end(daemon)


def test_a_directory_that_fails_stops_nothing_else(daemon: Running) -> None:
    company = daemon.company
    wait_for(lambda: "Anna Verdi" in daemon.people())
    company.write_ldif({})
    wait_for(lambda: "has no entry" in daemon.log.read_text())
    drop(company, "still", "2001")
    wait_for(lambda: company.rows("anna"))
    assert len(daemon.people()) == 11
    end(daemon)


def test_a_daemon_that_was_killed_goes_on_where_it_was(daemon: Running) -> None:
    company = daemon.company
    wait_for(lambda: "Anna Verdi" in daemon.people())
    for number in range(20):
        drop(company, f"k{number}", "2001")
    daemon.process.kill()
    daemon.process.wait(PATIENCE)
    company.ok("ingest", "--no-settle")
    assert len(company.rows()) == 20
    assert sum(file["stored"] for file in company.listed("files")) == 20
    assert list(company.drop.iterdir()) == []
    company.ok("db", "verify")


def test_wrong_settings_do_not_start(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.use_ldif(PEOPLE)
    company.set("licensing", slots="lots")
    answer = company.run("run")
    assert answer.code == 78
    assert "[licensing] slots" in answer.err
