"""Scheduled reports: each recipient gets theirs, once, as they may see it when it is sent."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from syncd.application import schedules
from syncd.application.composition import Application
from syncd.application.mail import send_mail
from syncd.application.reports import environment, policy
from syncd.application.schedule_making import add_schedule, wish
from syncd.application.schedules import scheduled_reports, send_due, send_now
from syncd.domain.errors import ConfigurationError, UsageError, UserError
from syncd.domain.viewer import LOCAL_ADMINISTRATOR
from syncd.reports.render.csv import write_csv
from syncd.reports.request import specify
from syncd.reports.request_text import from_text
from syncd.reports.run import open_report
from syncd.reports.saved import save
from syncd.reports.scope import open_door, resolve_viewer
from syncd.settings.load import load
from syncd.store.models import AccessLog, Outbox, Party, PartyGroup, ScheduleRun, database
from syncd.store.schedules import runs
from tests.support.bed import START, Bed, make_bed
from tests.support.mail_server import MailServer
from tests.support.phones import leg

HEAD = """
[syncd]
state_directory = state
timezone = Europe/Rome
currency = EUR
[mail]
server = 127.0.0.1
port = {port}
tls = none
from = syncd <syncd@example.com>
"""
HOUR, DAY = 3600, 86_400
SALES = """
[schedule:sales]
report = by-person --from 2026-05-01 --to 2026-07-01
when = daily at 07:00
format = csv
recipients = level>=2
"""


class Office:
    """People of two departments who telephoned to France, and a server for their mail."""

    def __init__(self, home: Path, server: MailServer) -> None:
        self.home = home
        self.server = server
        self.bed: Bed = make_bed(home)
        self.now = START + HOUR
        self.bed.person("anna", "2001", department="Sales", level=2)
        self.bed.person("bert", "2002", department="Sales", level=0)
        self.bed.person("carl", "2003", department="Support", level=2)
        self.bed.person("mary", "2009", department="Sales", level=6)
        self.bed.person("dora", "2007", department="Board", level=10)
        for party in Party.select():
            self.change(party.username, mail=f"{party.username}@example.com")
        numbers = ("2001", "2001", "2002", "2003", "2009")
        self.bed.ingest(
            *(
                leg(one, one * 2, one * 2 + 1, number, "00033142685300", at=one)
                for one, number in enumerate(numbers, 1)
            )
        )

    @staticmethod
    def change(username: str, **fields: Any) -> None:
        Party.update(**fields).where(Party.username == username).execute()

    def use(self, *sections: str) -> None:
        path = self.home / "syncd.ini"
        text = HEAD.format(port=self.server.port) + "\n".join(sections)
        path.write_text(text, encoding="utf-8")
        self.settings = load(path)
        self.application = Application(
            self.settings, database.obj, command="test", clock=lambda: self.now
        )

    def look(self) -> list[tuple[str, str]]:
        """Let what is due be written; return (recipient, state)."""
        sent = send_due(self.application).sent
        return [(one.recipient.partition("@")[0], one.state) for one in sent]

    def next_morning(self) -> None:
        """Go to the next 07:00 in Rome."""
        self.now = ((self.now - 5 * HOUR) // DAY + 1) * DAY + 5 * HOUR

    def send(self) -> list[str]:
        before = len(self.server.taken)
        send_mail(self.application)
        return [one.partition("@")[0] for one in self.server.taken[before:]]

    def message(self, who: str) -> EmailMessage:
        (found,) = [
            message
            for recipient, message in self.server.handler.messages
            if recipient.startswith(f"{who}@")
        ]
        return found

    def report(self, who: str, line: str) -> str:
        """Return what ``syncd report --as`` prints."""
        there = environment(self.settings, self.now)
        specification = specify(from_text(line), there)
        door = open_door(who, specification.report, "", policy(self.settings), self.now)
        text = io.StringIO()
        with open_report(door, specification, there) as result:
            write_csv(result, text)
        return text.getvalue()


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def office(tmp_path: Path, server: MailServer) -> Iterator[Office]:
    yield Office(tmp_path, server)
    database.obj.close()


def attachment(message: EmailMessage) -> tuple[str, str]:
    (found,) = message.iter_attachments()
    content = found.get_content()
    return str(found.get_filename()), content if isinstance(content, str) else content.decode()


def test_each_gets_what_they_may_see(office: Office) -> None:
    office.use(SALES)
    assert office.look() == []
    office.next_morning()
    assert office.look() == [(name, "written") for name in ("anna", "carl", "mary", "dora")]
    assert office.send() == ["anna", "carl", "mary", "dora"]
    for who in ("anna", "carl", "mary", "dora"):
        name, content = attachment(office.message(who))
        assert name == "by-person_2026-05-01_2026-07-01.csv"
        line = "by-person --from 2026-05-01 --to 2026-07-01"
        assert content.replace("\r\n", "\n") == office.report(who, line)
    assert "Carl" not in attachment(office.message("anna"))[1]
    assert "Bert" in attachment(office.message("mary"))[1]
    text = office.message("mary").get_body(("plain",))
    assert text is not None
    assert "For:" in text.get_content()
    assert "mary (level 6)" in text.get_content()
    assert office.message("mary")["Subject"] == "by-person, 2026-05-01 to 2026-06-30"
    logged = AccessLog.select().where(AccessLog.specification.startswith("mail sales"))
    assert sorted(row.viewer for row in logged) == ["anna", "carl", "dora", "mary"]
    assert all(row.rows for row in logged)


def test_never_twice_and_every_day_again(office: Office) -> None:
    office.use(SALES)
    office.look()
    office.next_morning()
    assert len(office.look()) == 4
    assert office.look() == []
    office.use(SALES)
    assert office.look() == []
    office.next_morning()
    assert len(office.look()) == 4
    assert len(office.send()) == 8


def test_a_clock_that_was_ahead_puts_nothing_off(office: Office) -> None:
    """What was planned then would wait until it is that year."""
    office.use(SALES)
    office.look()
    today = office.now
    office.now += 3650 * DAY
    assert len(office.look()) == 5  # late, and says so
    office.now = today
    assert office.look() == []
    office.next_morning()
    assert len(office.look()) == 4
    assert office.look() == []


def test_who_left_is_disabled_or_has_no_level_or_address_gets_nothing(office: Office) -> None:
    office.use(
        "[schedule:all]\nreport = by-person\nwhen = daily at 07:00\n"
        "recipients = anna; bert; carl; mary; dora; nobody; department Sales"
    )
    office.look()
    office.change("anna", departed_at=1)
    office.change("carl", enabled=False)
    office.change("mary", mail="")
    office.next_morning()
    office.look()
    assert office.send() == ["dora"]
    log = {row["recipient"]: (row["state"], row["message"]) for row in runs(None, 100)}
    assert log == {
        "anna@example.com": ("refused", "left"),
        "bert@example.com": ("refused", "has level 0"),
        "carl@example.com": ("refused", "is disabled"),
        "test:mary": ("refused", "has no mail address"),
        "dora@example.com": ("sent", ""),
        "nobody": ("refused", "is not there"),
    }


def test_what_changed_since_it_was_written_is_not_sent(office: Office) -> None:
    office.use(SALES.replace("level>=2", "anna; mary; carl"))
    office.look()
    office.next_morning()
    office.look()
    office.change("anna", enabled=False)
    office.change("mary", permission_level=2)
    assert office.send() == ["carl"]
    assert office.look() == [("mary", "written")]
    assert office.send() == ["mary"]
    assert attachment(office.message("mary"))[1] == office.report(
        "mary", "by-person --from 2026-05-01 --to 2026-07-01"
    )
    states = {row["recipient"]: row["state"] for row in runs(None, 100)}
    assert states["anna@example.com"] == "withdrawn"
    assert office.look() == []


def test_a_plain_address_gets_what_a_user_may_see(office: Office) -> None:
    given = SALES.replace("level>=2", "boss@example.org\nas = anna")
    office.use(given)
    office.look()
    office.next_morning()
    office.look()
    assert office.send() == ["boss"]
    line = "by-person --from 2026-05-01 --to 2026-07-01"
    assert attachment(office.message("boss"))[1] == office.report("anna", line)
    text = office.message("boss").get_body(("plain",))
    assert text is not None
    assert "It shows what anna may see." in text.get_content()
    office.change("anna", permission_level=0)
    office.next_morning()
    assert office.look() == [("boss", "refused")]


def test_what_was_due_while_nothing_ran_is_sent_once_and_says_so(office: Office) -> None:
    office.use(SALES.replace("level>=2", "anna"))
    office.look()
    office.now += 10 * DAY + 5 * HOUR
    assert office.look() == [("", "missed"), ("anna", "written")]
    assert office.look() == []
    office.send()
    text = office.message("anna").get_body(("plain",))
    assert text is not None
    assert "and is late." in text.get_content()


def test_what_was_missed_can_be_left_out(office: Office) -> None:
    office.use(SALES.replace("level>=2", "anna\nmissed = skip"))
    office.look()
    office.now += 10 * DAY + 5 * HOUR
    assert office.look() == [("", "missed")]
    assert office.look() == []
    office.next_morning()
    assert office.look() == [("anna", "written")]


def test_an_empty_report_is_sent_or_not(office: Office) -> None:
    empty = SALES.replace("2026-05-01 --to 2026-07-01", "2025-05-01 --to 2025-06-01")
    office.use(empty.replace("level>=2", "anna"))
    office.look()
    office.next_morning()
    assert office.look() == [("anna", "written")]
    office.use(empty.replace("level>=2", "anna\nempty = skip"))
    office.next_morning()
    assert office.look() == [("anna", "empty")]
    assert len(office.send()) == 1


def test_a_file_that_is_too_large_is_not_sent(office: Office) -> None:
    office.use("[schedules]\nlargest_attachment = 1 KB", SALES.replace("by-person", "calls"))
    office.look()
    office.next_morning()
    assert len(office.look()) == 4
    office.send()
    message = office.message("dora")
    assert not list(message.iter_attachments())
    text = message.get_body(("plain",))
    assert text is not None
    assert "It is larger than the 1,000 bytes that may be sent" in text.get_content()
    assert {row["message"] for row in runs(None, 9) if row["recipient"].startswith("dora")} == {
        "too large to be sent"
    }


def test_a_crash_between_two_recipients_loses_and_doubles_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.use(SALES)
    office.look()
    office.next_morning()
    real, calls = schedules.post, 0

    def post(*arguments: Any) -> bool:
        nonlocal calls
        calls += 1
        written = real(*arguments)
        if calls == 2:
            raise OSError("killed")
        return written

    monkeypatch.setattr(schedules, "post", post)
    with pytest.raises(OSError, match="killed"):
        office.look()
    assert Outbox.select().count() == ScheduleRun.select().count() == 1
    office.now += HOUR
    assert office.look() == [(name, "written") for name in ("carl", "mary", "dora")]
    assert office.send() == ["anna", "carl", "mary", "dora"]


def test_a_group_of_the_directory(office: Office) -> None:
    """Who joins gets the next one, and who left the company none."""
    office.use(
        SALES.replace("level>=2", "group news"),
        "[directory:corp]\ntype = ldif\nfile = x.ldif\n[map:corp]\nusername = uid\n"
        "first_extension = tel\nbill_first_extension = yes\n[groups:corp]\nnews = cn=news,dc=x",
    )
    parties = {party.username: party for party in Party.select()}

    def join(*names: str) -> None:
        for name in names:
            party = parties[name]
            PartyGroup.create(source=party.source, name="news", external_id=party.external_id)

    join("anna", "mary")
    office.look()
    office.next_morning()
    assert office.look() == [("anna", "written"), ("mary", "written")]
    join("carl")
    office.change("anna", departed_at=office.now)
    office.next_morning()
    assert office.look() == [("carl", "written"), ("mary", "written")]


class Defect:
    """Makes no report for some, as often as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **times: int) -> None:
        self.left = times
        real = schedules.render_for

        def render_for(one: Any, *arguments: Any) -> Any:
            name = one.address.partition("@")[0]
            if self.left.get(name):
                self.left[name] -= 1
                raise ZeroDivisionError("a defect")
            return real(one, *arguments)

        monkeypatch.setattr(schedules, "render_for", render_for)


def logged(who: str) -> tuple[str, str]:
    """Return state and remark of the only line of the log about somebody."""
    (row,) = [row for row in runs(None, 99) if row["recipient"].startswith(who)]
    return row["state"], row["message"]


def test_what_met_a_defect_is_tried_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.use(SALES)
    office.look()
    office.next_morning()
    Defect(monkeypatch, mary=2)
    assert ("mary", "failed") in office.look()
    assert logged("mary") == (
        "failed",
        "a defect of syncd: ZeroDivisionError: a defect; is tried again in 5 minutes",
    )
    assert office.look() == []
    office.now += 300
    assert office.look() == [("mary", "failed")]
    assert logged("mary")[1].endswith("is tried again in 60 minutes")
    assert send_due(office.application).again == 1
    office.now += 3600
    assert office.look() == [("mary", "written")]
    assert logged("mary") == ("waits", "")
    assert sorted(office.send()) == ["anna", "carl", "dora", "mary"]
    office.now += 12 * HOUR
    assert office.look() == []
    assert send_due(office.application).again == 0


def test_it_is_not_tried_for_ever(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.use(SALES)
    office.look()
    office.next_morning()
    Defect(monkeypatch, mary=99)
    found = []
    for _ in range(30):
        found += [state for name, state in office.look() if name == "mary"]
        office.now += 1800
        if len(found) == 4:
            break
    assert found == ["failed"] * 4
    assert logged("mary")[1].endswith("given up after 4 attempts")
    assert send_due(office.application).again == 0


def test_it_is_tried_for_who_is_still_there(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.use(SALES)
    office.look()
    office.next_morning()
    Defect(monkeypatch, mary=1, carl=1, anna=1)
    office.look()
    office.change("mary", permission_level=0)
    office.change("carl", departed_at=1)
    office.now += 300
    assert office.look() == [("anna", "written")]
    assert logged("mary")[1].endswith("not tried again: is not among the recipients any more")
    assert logged("carl")[1].endswith("not tried again: is not among the recipients any more")
    assert send_due(office.application).again == 0


def test_it_is_not_tried_of_a_schedule_that_is_gone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.use(SALES)
    office.look()
    office.next_morning()
    Defect(monkeypatch, mary=1)
    office.look()
    office.use()
    office.now += 300
    assert office.look() == []
    assert logged("mary")[1].endswith("not tried again: the schedule is gone")


def test_killed_between_making_and_writing(office: Office) -> None:
    office.use(SALES)
    office.look()
    office.next_morning()
    script = dedent(
        f"""
        import os, signal
        from pathlib import Path
        from syncd.application import schedules
        from syncd.application.composition import Application
        from syncd.settings.load import load
        from syncd.store.database import open_database
        settings = load(Path({str(office.home / "syncd.ini")!r}))
        database = open_database("sqlite:///test.db", Path({str(office.home / "state")!r}))
        real, made = schedules.render_for, []
        def render_for(*arguments):
            made.append(real(*arguments))
            if len(made) == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return made[-1]
        schedules.render_for = render_for
        schedules.send_due(Application(settings, database, command="x", clock=lambda: {office.now}))
        """
    )
    ended = subprocess.run([sys.executable, "-c", script], env=dict(os.environ), check=False)
    assert ended.returncode == -9
    assert ScheduleRun.select().count() == 2
    assert office.look() == [("mary", "written"), ("dora", "written")]
    assert office.send() == ["anna", "carl", "mary", "dora"]


def test_a_recipient_that_the_server_refuses_or_puts_off(office: Office) -> None:
    office.use(SALES.replace("level>=2", "anna; carl; mary"))
    office.server.handler.recipients["anna@example.com"] = ["550 no such mailbox"]
    office.server.handler.recipients["carl@example.com"] = ["451 try later"]
    office.look()
    office.next_morning()
    office.look()
    assert office.send() == ["mary"]
    log = {row["recipient"]: (row["state"], row["message"]) for row in runs(None, 9)}
    assert log == {
        "anna@example.com": ("failed", "550 no such mailbox"),
        "carl@example.com": ("waits", "451 try later"),
        "mary@example.com": ("sent", ""),
    }
    office.now += 60
    assert office.send() == ["carl"]
    assert office.look() == []


def test_people_make_their_own(office: Office) -> None:
    office.use()
    rules = policy(office.settings)

    def add(who: str | None, name: str = "mine", **options: Any) -> int:
        viewer = LOCAL_ADMINISTRATOR if who is None else resolve_viewer(who, "department")
        given = {"report": "by-person", "when": "daily at 07:00", "form": "table"} | options
        given.setdefault("recipients", "me")
        wanted = wish(name, owner=viewer.party_id, **given)
        return add_schedule(office.settings, wanted, viewer, rules, office.now)

    add("anna")
    add("dora", recipients="carl; me")
    with pytest.raises(UsageError, match="already"):
        add("anna", "MINE")
    with pytest.raises(UserError, match="for level 10"):
        add("mary", recipients="anna")
    with pytest.raises(UserError, match="not available to anna"):
        add("anna", "x", report="trunk-load")
    with pytest.raises(UsageError, match="no mail address"):
        add(None, "x")
    with pytest.raises(UsageError, match="may see"):
        add(None, "x", recipients="a@example.com")
    with pytest.raises(UsageError, match="no-report"):
        add("anna", "x", report="no-report")
    with pytest.raises(UsageError, match="neither"):
        add("anna", "x", when="now and then")
    office.next_morning()
    assert office.look() == [("anna", "written"), ("carl", "written"), ("dora", "written")]
    office.send()
    text = office.message("anna").get_body(("plain",))
    assert text is not None
    assert "Anna" in text.get_content()
    assert "Carl" not in text.get_content()
    # Who may no more write to others does not.
    office.change("dora", permission_level=8)
    office.change("anna", departed_at=1)
    office.next_morning()
    assert office.look() == [("anna", "refused"), ("", "refused")]


def test_now_and_without_sending(office: Office, tmp_path: Path) -> None:
    office.use(SALES)
    (scheduled,) = scheduled_reports(office.settings)
    outcome = send_now(office.application, scheduled, dry_run=True)
    assert outcome.count("written") == 4
    assert Outbox.select().count() == ScheduleRun.select().count() == 0
    paths = {one.message.save(tmp_path / "mail") for one in outcome.sent if one.message}
    assert len(paths) == 4
    assert send_now(office.application, scheduled).count("written") == 4
    assert len(office.send()) == 4


def test_a_report_that_is_none_is_found_before(office: Office) -> None:
    from syncd.application.composition import checked

    office.use(SALES.replace("by-person", "by-persom"))
    with pytest.raises(ConfigurationError) as caught:
        checked(office.settings)
    (problem,) = caught.value.problems
    assert problem.option == "[schedule:sales] report"
    assert "by-person" in problem.hint


@pytest.mark.parametrize(
    ("form", "start"), [("xlsx", b"PK"), ("pdf", b"%PDF"), ("html", b"<!DOCTYPE html>")]
)
def test_files_of_every_form(office: Office, form: str, start: bytes) -> None:
    office.use(SALES.replace("format = csv", f"format = {form}").replace("level>=2", "mary"))
    office.look()
    office.next_morning()
    assert office.look() == [("mary", "written")]
    office.send()
    (found,) = office.message("mary").iter_attachments()
    assert str(found.get_filename()).endswith(f".{form}")
    content = found.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.lstrip().startswith(start)


def test_a_saved_report_is_sent(office: Office) -> None:
    office.use(SALES.replace("by-person --from 2026-05-01 --to 2026-07-01", "run 'my month'"))
    dora = resolve_viewer("dora", "department")
    there = environment(office.settings, office.now)
    request = from_text("by-person --from 2026-05-01 --to 2026-07-01 department=Sales")
    office.look()
    office.next_morning()
    assert {state for _, state in office.look()} == {"failed"}
    save(dora, "my month", request, there, shared=True)
    office.next_morning()
    assert office.look() == [(name, "written") for name in ("anna", "carl", "mary", "dora")]
    office.send()
    line = "by-person --from 2026-05-01 --to 2026-07-01 department=Sales"
    assert attachment(office.message("dora"))[1] == office.report("dora", line)


@pytest.mark.sqlite("two processes with the locks of two machines share one file")
def test_two_processes_write_each_message_once(office: Office) -> None:
    office.use(SALES)
    office.look()
    office.next_morning()
    script = dedent(
        f"""
        import contextlib, sys
        from pathlib import Path
        from syncd.application.composition import Application
        from syncd.application.schedules import send_due
        from syncd.settings.load import load
        from syncd.store.database import open_database
        settings = load(Path({str(office.home / "syncd.ini")!r}))
        database = open_database("sqlite:///test.db", Path({str(office.home / "state")!r}))
        application = Application(settings, database, command="x", clock=lambda: {office.now})
        # As on another machine: its locks are in another folder.
        application.locked = lambda name, stop: contextlib.nullcontext()
        print("ready", flush=True)
        sys.stdin.readline()
        send_due(application)
        """
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ),
            text=True,
        )
        for _ in range(3)
    ]
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in running:
        one.communicate()
        assert one.returncode == 0
    assert ScheduleRun.select().count() == Outbox.select().count() == 4
    assert office.send() == ["anna", "carl", "mary", "dora"]
