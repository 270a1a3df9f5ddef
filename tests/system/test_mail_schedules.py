"""The daemon sends what is due and what alarms: once, also when it is killed in between."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from syncd.demo.company import CompanyFiles
from syncd.demo.cucm_writer import write_files
from syncd.demo.people import Company
from tests.support.mail_server import MailServer
from tests.system.daemon_process import LONG, Daemon, syncd, syncd_json

SETTINGS = """
[mail]
server = 127.0.0.1
port = {port}
tls = none
from = syncd <syncd@example.com>
schedule = every 1 second
[schedules]
schedule = every 1 second
[alarms]
schedule = every 1 second
[schedule:all]
report = by-department --from 2026-03-01 --to 2026-04-01
when = every 5 minutes
format = xlsx
recipients = level>=8
[alarm:cost]
on = call-cost
amount = 0.01
notify = level>=10
max_age = 9000 days
"""


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


def taken(server: MailServer, count: int) -> list[str]:
    """Wait until the server took so many messages; return their subjects."""
    deadline = time.monotonic() + LONG
    while len(server.handler.messages) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return sorted(str(message["Subject"]) for _, message in server.handler.messages)


@pytest.mark.sqlite("it sets a time in the file of the database")
def test_reports_and_alarms_go_out_once(
    files: CompanyFiles, company: Company, server: MailServer, start: Callable[[Path], Daemon]
) -> None:
    (files.ini.parent / "conf.d" / "mail.ini").write_text(SETTINGS.format(port=server.port))
    write_files(files.drop, company, seed=3, calls=60, start=date(2026, 3, 2), days=5)
    daemon = start(files.ini)
    daemon.ready()
    daemon.event("alarm_raised")
    managers = len(
        [
            one
            for one in syncd_json(files.ini, "schedule", "show", "all")["now"]
            if not one["refusal"]
        ]
    )
    administrators = len(syncd_json(files.ini, "alarm", "log"))
    assert managers > administrators > 0
    taken(server, administrators)
    daemon.close()  # by SIGKILL
    # Five minutes go by.
    database = sqlite3.connect(files.ini.parent / "state" / "syncd.db")
    with database:
        changed = database.execute("UPDATE schedule_state SET due_at = due_at - 300")
        assert changed.rowcount == 1
    database.close()
    daemon = start(files.ini)
    daemon.ready()
    written = daemon.event("schedules_finished")
    assert written["written"] == managers
    subjects = taken(server, administrators + managers)
    assert len(subjects) == administrators + managers
    assert subjects.count("by-department, 2026-03") == managers
    assert daemon.terminate() == 0
    again = syncd(files.ini, "mail", "send")
    assert again.stderr == "0 sent, 0 put off, 0 failed, 0 wait\n"
    log = syncd_json(files.ini, "schedule", "log")
    assert [row["state"] for row in log] == ["sent"] * managers
    assert len(server.handler.messages) == administrators + managers
