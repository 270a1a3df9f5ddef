"""``syncd schedule`` and ``syncd alarm`` as people type them, and that a mail says what they print."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from tests.support.contract import Company, outgoing, person
from tests.support.mail_server import MailServer

PEOPLE = {
    "anna": {"extension": "2001", "department": "Sales", "level": "2"},
    "mary": {"extension": "2002", "department": "Sales", "level": "6"},
    "otto": {"extension": "2003", "department": "Support", "level": "6"},
    "dora": {"extension": "2004", "department": "Board", "level": "10"},
}
MONTH = "--from 2026-03-01 --to 2026-04-01"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    built = Company(tmp_path)
    built.use_ldif(
        {
            name: person(name=name.title(), mail=f"{name}@example.com", **fields)
            for name, fields in PEOPLE.items()
        }
    )
    built.ok("sync")
    built.take(
        outgoing("a", "2026-03-01T10:00:00+01:00", "2001", "00033142685300", talk=700),
        outgoing("b", "2026-03-02T10:00:00+01:00", "2002", "00033142685300", talk=70),
        outgoing("c", "2026-03-03T10:00:00+01:00", "2003", "00033142685301", talk=70),
    )
    built.set("mail", **{"server": "127.0.0.1", "tls": "none", "from": "syncd@example.com"})
    return built


def saved(folder: Path) -> dict[str, EmailMessage]:
    """Return the messages in a folder by recipient."""
    found = {}
    for path in folder.iterdir():
        message = email.message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage)
        found[str(message["To"]).partition("@")[0]] = message
    return found


def test_a_schedule_of_ones_own(company: Company) -> None:
    mine = ("--as", "anna")
    weekly = ("--when", "weekly on monday at 08:00")
    added = company.ok("schedule", "add", "mine", f"calls {MONTH}", *weekly, *mine, "--json")
    assert added.json["name"] == "mine"
    assert company.ok("schedule", *mine, "--json").json[0]["recipients"] == ["me"]
    assert company.ok("schedule", "--as", "mary", "--json").json == []
    assert company.ok("schedule", "--as", "dora", "--json").json[0]["owner"] == "anna"
    refused = company.run("schedule", "add", "x", "calls", *weekly, "--to", "mary", *mine)
    assert (refused.code, refused.err) == (
        1,
        "syncd: reports for others are for level 10 (--to me, or leave it out)\n",
    )
    unknown = company.run("schedule", "show", "mine", "--as", "mary")
    assert (unknown.code, "there is no schedule 'mine'" in unknown.err) == (2, True)
    shown = company.ok("schedule", "show", "mine", *mine, "--json").json
    assert shown["now"] == [{"recipient": "anna@example.com", "as": "corp:anna", "refusal": None}]
    company.ok("schedule", "pause", "mine", *mine)
    assert company.ok("schedule", *mine, "--json").json[0]["next_at"] is None
    company.ok("schedule", "resume", "mine", *mine)
    with MailServer() as server:
        company.set("mail", port=str(server.port))
        assert company.ok("schedule", "run", "mine", *mine).err == "1 message written\n"
        company.ok("mail", "send")
        assert server.taken == ["anna@example.com"]
    log = company.ok("schedule", "log", *mine, "--json").json
    assert [(row["recipient"], row["state"], row["rows"]) for row in log] == [
        ("anna@example.com", "sent", 1)
    ]
    assert company.ok("schedule", "log", "--as", "mary", "--json").json == []
    assert company.run("schedule", "run", "mine", "--dry-run", *mine).code == 1
    company.ok("schedule", "remove", "mine", *mine)
    assert company.ok("schedule", *mine, "--json").json == []
    assert len(company.ok("schedule", "log", "--json").json) == 1


def test_who_would_get_nothing_is_told_at_once(company: Company) -> None:
    words = ("--when", "daily at 08:00", "--to", "anna; nobody.here")
    told = company.ok("schedule", "add", "ours", f"calls {MONTH}", *words).err
    assert "nobody.here gets nothing as it is now: is not there" in told
    assert "anna@example.com gets nothing" not in told


def test_several_of_one_name(company: Company) -> None:
    daily = ("--when", "daily at 08:00")
    for who in ("anna", "dora"):
        company.ok("schedule", "add", "day", "calls", *daily, "--as", who)
    company.ok("schedule", "show", "day", "--as", "dora")
    ambiguous = company.run("schedule", "show", "day")
    assert "write anna/day or dora/day" in ambiguous.err
    company.ok("schedule", "remove", "anna/day")
    company.ok("schedule", "remove", "day")


def test_the_mail_says_what_the_report_prints(company: Company, tmp_path: Path) -> None:
    company.ok("access", "set", "mary", "--masked-digits", "3", "--reason", "x")
    company.set(
        "schedule:all",
        report=f"calls {MONTH} --sort other_number",
        format="csv",
        recipients="level>=2",
    )
    folder = tmp_path / "messages"
    done = company.ok("schedule", "run", "all", "--dry-run", str(folder))
    assert done.err.endswith("4 messages would be written\n")
    assert company.ok("mail", "--json").json == []
    messages = saved(folder)
    assert messages.keys() == PEOPLE.keys()
    words = ["calls", *MONTH.split(), "--sort", "other_number", "--format", "csv"]
    for who, message in messages.items():
        (attached,) = message.iter_attachments()
        printed = company.ok("report", *words, "--as", who).out
        assert attached.get_content().replace("\r\n", "\n") == printed
        assert attached.get_filename() == "calls_2026-03-01_2026-04-01.csv"
    (attached,) = messages["mary"].iter_attachments()
    assert "+33142685***" in attached.get_content()
    assert "+33142685300" not in messages["mary"].as_string()
    refused = company.run("schedule", "remove", "all")
    assert "change [schedule:all] in the INI" in refused.err
    assert company.run("schedule", "run", "all", "--as", "mary").code == 2


def test_an_alarm(company: Company, tmp_path: Path) -> None:
    company.set(
        "alarm:cost",
        on="call-cost",
        amount="0.003",
        notify="managers of Sales; level>=10; nobody",
        max_age="9000 days",
    )
    assert company.ok("alarm", "--json").json == [
        {
            "name": "cost",
            "on": "call-cost",
            "notify": "managers of Sales; level>=10; nobody",
            "last_at": None,
        }
    ]
    folder = tmp_path / "messages"
    tried = company.ok("alarm", "test", "cost", "--dry-run", str(folder), "--json").json
    assert [(one["recipient"], one["count"], one["refusal"]) for one in tried] == [
        ("mary@example.com", 2, None),
        ("dora@example.com", 3, None),
        ("nobody", 0, "is not there"),
    ]
    assert saved(folder).keys() == {"mary", "dora"}
    others = company.ok("alarm", "test", "cost", "--as", "dora", "--json").json
    assert [one["events"] for one in others] == [None, None, None]
    assert company.run("alarm", "test", "cost", "--dry-run", "x", "--as", "dora").code == 1
    assert company.ok("alarm", "log", "--json").json == []
    assert company.run("alarm", "test", "cosy").code == 2
    assert company.run("alarm", "--as", "mary").code == 1
