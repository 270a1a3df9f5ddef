"""The command contract of ``sync`` against a real OpenLDAP: who arrives, moves, changes and leaves,
to whom calls belong before and after, and what an incomplete answer may never do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.slapd import BLIND, LIMITED, PASSWORD, Slapd
from tests.integration.slapd import PEOPLE as BASE
from tests.support.contract import PEOPLE, Company, internal, outgoing, person

BEFORE = "2026-03-10T10:00:00+01:00"


def later() -> str:
    """Return a moment after every sync of the test, less than an hour away."""
    return datetime.fromtimestamp(int(time.time()) + 600, UTC).isoformat()


def period() -> tuple[str, str]:
    """Return days that hold ``BEFORE`` and ``later()``."""
    return "2026-03-01", (datetime.now(UTC) + timedelta(days=3)).date().isoformat()


@pytest.fixture
def company(tmp_path: Path, slapd: Slapd) -> Company:
    """The company as the settings describe it, its people in the server; not yet synced."""
    for uid, attributes in PEOPLE.items():
        slapd.add(uid, **attributes)
    return Company(tmp_path, slapd.url, PASSWORD)


@pytest.fixture
def synced(company: Company) -> Company:
    company.ok("sync")
    return company


def people(company: Company) -> set[str]:
    """Return who holds a slot: everybody with an extension."""
    return {holder["person"] for holder in company.ok("licence", "--json").json["holders"]}


def test_the_settings_work_as_written_against_a_real_server(company: Company) -> None:
    first = company.ok("sync", "corp", "--json").json
    assert first[0]["source"] == "corp"
    assert first[0]["arrived"] == len(PEOPLE)
    company.take(
        internal("i", BEFORE, "2001", "2003", talk=60),
        outgoing("o", BEFORE, "2009", "03331234567", talk=100),
    )
    rows = {(row["line_id"], row["side"]): row for row in company.rows()}
    assert set(rows) == {("2001", "calling"), ("2003", "called"), ("2009", "calling")}
    anna = rows["2001", "calling"]
    assert (anna["person"], anna["username"], anna["department"]) == ("Anna Verdi", "anna", "Sales")
    assert (anna["cost_center"], anna["office_location"], anna["custom1"]) == (
        "CC10",
        "Rome",
        "Apollo",
    )
    assert len(company.rows("carla")) == 1


def test_the_second_time_nothing_changes(synced: Company) -> None:
    assert synced.ok("sync", "--check").code == 0
    (outcome,) = synced.ok("sync", "--json").json
    assert (outcome["arrived"], outcome["changed"], outcome["departed"]) == (0, 0, 0)
    assert outcome["differences"] == []


def test_check_and_dry_run_tell_and_change_nothing(company: Company, slapd: Slapd) -> None:
    assert company.run("sync", "--check").code == 3
    told = company.ok("sync", "--dry-run")
    assert all(attributes["cn"] in told.out for attributes in PEOPLE.values())
    assert people(company) == set()
    company.ok("sync")
    slapd.modify("anna", departmentNumber="Legal")
    slapd.delete("hugo")
    checked = company.run("sync", "--check")
    assert checked.code == 3
    assert company.ok("sync", "--dry-run").out == checked.out
    assert "Legal" in checked.out
    assert "Hugo Marrone" in checked.out
    assert company.run("sync", "--check").out == checked.out
    company.ok("sync")
    assert company.run("sync", "--check").code == 0


def test_calls_belong_to_who_and_where_they_were(synced: Company, slapd: Slapd) -> None:
    """A mover, a renamed, a renumbered and a newcomer who gets the free number."""
    slapd.modify("anna", departmentNumber="Support", carLicense="Hermes")
    slapd.rename("bruno", "bruna")
    slapd.modify("bruna", cn="Bruna Neri")
    slapd.modify("carla", telephoneNumber="2033")
    slapd.add("nino", **person(name="Nino Nuovo", extension="2003", department="Legal", level="2"))
    synced.ok("sync")
    moment = later()
    for number in ("2001", "2002", "2003", "2033"):
        synced.take(
            outgoing(f"before {number}", BEFORE, number, "03331234567", talk=4),
            outgoing(f"after {number}", moment, number, "03331234567", talk=5),
        )
    rows = {
        (row["line_id"], row["duration"]): (row["person"], row["department"], row["custom1"])
        for row in synced.rows(period=period())
    }
    assert rows == {
        ("2001", 4): ("Anna Verdi", "Sales", "Apollo"),
        ("2001", 5): ("Anna Verdi", "Support", "Hermes"),
        ("2002", 4): ("Bruno Neri", "Sales", "Apollo"),
        ("2002", 5): ("Bruna Neri", "Sales", "Apollo"),
        ("2003", 4): ("Carla Blu", "Support", "Zeus"),
        ("2003", 5): ("Nino Nuovo", "Legal", None),
        ("2033", 5): ("Carla Blu", "Support", "Zeus"),
    }
    # Anna keeps her own calls; her former manager keeps those of the time, the new one the rest.
    seen = {
        viewer: sorted(
            (row["line_id"], row["duration"]) for row in synced.rows(viewer, period=period())
        )
        for viewer in ("anna", "bruna", "carla", "nino")
    }
    assert seen == {
        "anna": [("2001", 4), ("2001", 5)],
        "bruna": [("2001", 4), ("2002", 4), ("2002", 5)],
        "carla": [("2001", 5), ("2003", 4), ("2003", 5), ("2033", 5)],
        "nino": [("2003", 5)],
    }
    assert synced.run("report", "calls", "--as", "bruno").code == 1
    parties = {
        row["party"]
        for row in synced.report("by-person", period=period())["rows"]
        if row["username"] == "bruna"
    }
    assert len(parties) == 1


def test_a_leaver_keeps_the_calls_and_loses_the_access(synced: Company, slapd: Slapd) -> None:
    synced.take(outgoing("o", BEFORE, "2008", "03331234567", talk=4))
    assert len(synced.rows("hugo")) == 1
    slapd.delete("hugo")
    (outcome,) = synced.ok("sync", "--json").json
    assert outcome["departed"] == 1
    (row,) = synced.rows()
    assert (row["person"], row["department"]) == ("Hugo Marrone", "Support")
    assert synced.run("report", "calls", "--as", "hugo").code == 1
    slapd.add("hugo", **PEOPLE["hugo"])
    synced.ok("sync")
    # A new entry has a new identity: he is somebody else, and the old calls are not his.
    assert synced.rows("hugo") == []


def test_permissions_change_at_once(synced: Company, slapd: Slapd) -> None:
    synced.take(outgoing("o", BEFORE, "2008", "03331234567", talk=4))
    assert synced.rows("anna") == []
    slapd.modify("anna", title="8")
    synced.ok("sync")
    assert len(synced.rows("anna")) == 1
    slapd.modify("anna", title="0")
    synced.ok("sync")
    assert synced.run("report", "calls", "--as", "anna").code == 1


def refused(company: Company, code: int, *words: str) -> str:
    """Sync in vain: the exit code, nothing on stdout that claims a change, nobody lost. Returns
    what was said."""
    before = people(company)
    answer = company.run("sync", *words)
    assert answer.code == code, answer
    assert "Traceback" not in answer.err
    assert people(company) == before
    company.take(outgoing(f"after {code}", BEFORE, "2001", "03331234567", talk=4))
    assert {row["person"] for row in company.rows()} == {"Anna Verdi"}
    return answer.err


def test_half_of_the_people_do_not_leave_at_once(synced: Company, slapd: Slapd) -> None:
    gone = ["bruno", "carla", "dario", "elena", "fabio", "gina", "hugo"]
    for uid in gone:
        slapd.delete(uid)
    slapd.modify("anna", departmentNumber="Legal")
    said = refused(synced, 4)
    assert "7" in said
    assert "--accept-departures" in said
    (row,) = synced.rows()
    assert row["department"] == "Sales"
    assert synced.run("sync", "--check").code == 4
    assert synced.run("sync", "--accept-departures", "6").code == 4
    (outcome,) = synced.ok("sync", "--accept-departures", "7", "--json").json
    assert outcome["departed"] == 7


@pytest.mark.parametrize(("stay", "code"), [(7, 0), (4, 4)], ids=["less than half", "more"])
def test_five_may_always_leave_unless_they_are_more_than_half(
    tmp_path: Path, stay: int, code: int
) -> None:
    company = Company(tmp_path)
    uids = list(PEOPLE)[: stay + 5]
    company.use_ldif({uid: PEOPLE[uid] for uid in uids})
    company.ok("sync")
    company.write_ldif({uid: PEOPLE[uid] for uid in uids[5:]})
    assert company.run("sync").code == code


def test_many_lost_numbers_ask_too(synced: Company, slapd: Slapd) -> None:
    for uid in ("anna", "bruno", "carla", "dario", "elena", "fabio", "gina"):
        slapd.modify(uid, telephoneNumber=None)
    said = refused(synced, 4)
    assert "--accept-changes" in said


def test_four_more_who_see_everything_ask_too(synced: Company, slapd: Slapd) -> None:
    for uid in ("anna", "bruno", "carla", "dario"):
        slapd.modify(uid, title="8")
    refused(synced, 4)
    assert synced.run("report", "calls", "--as", "dario").code == 1
    synced.ok("sync", "--accept-changes", "4")
    assert len(synced.rows("dario")) == 1


@pytest.fixture
def other_server(synced: Company) -> Iterator[Callable[[str], None]]:
    """Give a function that has the settings name another server for the rest of the test."""
    yield lambda url: synced.set("directory:corp", servers=url)


def test_an_unreachable_server_changes_nothing(
    synced: Company, other_server: Callable[[str], None]
) -> None:
    other_server("ldap://127.0.0.1:1")
    refused(synced, 75)
    assert synced.run("sync", "--check").code == 75


def test_the_next_server_is_tried(
    synced: Company, slapd: Slapd, other_server: Callable[[str], None]
) -> None:
    other_server(f"ldap://127.0.0.1:1 {slapd.url}")
    slapd.modify("anna", departmentNumber="Legal")
    (outcome,) = synced.ok("sync", "--json").json
    assert outcome["changed"] == 1


def test_a_wrong_password_changes_nothing_and_is_not_shown(synced: Company) -> None:
    (synced.home / "bind.secret").write_text("wrong-horse\n")
    said = refused(synced, 75)
    assert "wrong-horse" not in said


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "(uid=nobody)"},
        {"bind_dn": LIMITED},
        {"bind_dn": BLIND},
        {"base": f"ou=nowhere,{BASE}"},
    ],
    ids=["empty", "size limit", "no rights", "no base"],
)
def test_an_incomplete_answer_changes_nothing(synced: Company, options: dict[str, str]) -> None:
    synced.set("directory:corp", **options)
    refused(synced, 4)
    assert synced.run("sync", "--check").code == 4


def test_an_empty_answer_is_refused_the_first_time_too(company: Company) -> None:
    company.set("directory:corp", filter="(uid=nobody)")
    assert company.run("sync").code == 4
    assert people(company) == set()


def test_a_bad_value_sets_one_field_of_one_entry_aside(company: Company, slapd: Slapd) -> None:
    slapd.modify("anna", title="7", departmentNumber="Legal")
    slapd.modify("bruno", telephoneNumber="not a number")
    answer = company.ok("sync")
    assert "anna" in answer.err
    assert "7" in answer.err
    assert "bruno" in answer.err
    assert company.run("report", "calls", "--as", "anna").code == 1
    assert "Anna Verdi" in people(company)
    assert "Bruno Neri" not in people(company)
    company.take(outgoing("o", BEFORE, "2001", "03331234567", talk=4))
    (row,) = company.rows()
    assert row["department"] == "Legal"


def test_the_holder_keeps_a_number_that_another_claims(synced: Company, slapd: Slapd) -> None:
    slapd.modify("bruno", telephoneNumber="2001")
    for _ in range(2):
        answer = synced.ok("sync")
        assert "2001" in answer.err
        assert "conflict" in answer.err.casefold()
        assert "Bruno Neri" in answer.err
    synced.take(outgoing("o", later(), "2001", "03331234567", talk=4))
    (row,) = synced.rows(period=period())
    assert row["person"] == "Anna Verdi"


def test_numbers_lose_blanks_and_punctuation(company: Company, slapd: Slapd) -> None:
    slapd.modify("anna", telephoneNumber="2-0.0 (1)")
    company.ok("sync")
    company.take(outgoing("o", BEFORE, "2001", "03331234567", talk=4))
    (row,) = company.rows()
    assert (row["line_id"], row["person"]) == ("2001", "Anna Verdi")


def test_billing_flags_may_be_a_test_of_an_attribute(company: Company, slapd: Slapd) -> None:
    company.set("map:corp", bill_first_extension="employeeType == CC20", bill_fax="yes")
    slapd.modify("bruno", facsimileTelephoneNumber="2098")
    company.ok("sync")
    assert people(company) == {"Bruno Neri", "Carla Blu", "Dario Rosa", "Hugo Marrone"}
    company.take(
        outgoing("a", BEFORE, "2001", "03331234567", talk=4),
        outgoing("b", BEFORE, "2098", "03331234567", talk=4),
        outgoing("c", BEFORE, "2090", "03331234567", talk=4),
    )
    assert company.lines() == [("2098", "calling")]


def test_two_sources_share_a_name(company: Company, tmp_path: Path) -> None:
    company.write_ldif({"anna": person(name="Anna Due", extension="3001", level="2")})
    text = company.ini.read_text()
    head, _, rest = text.partition("[map:corp]")
    mapping = "[map:corp]" + rest.partition("[custom-fields]")[0]
    company.ini.write_text(
        text
        + "\n[directory:branch]\ntype = ldif\nfile = people.ldif\nschedule = every 1 hour\n"
        + mapping.replace("[map:corp]", "[map:branch]")
    )
    assert head
    company.ok("sync")
    company.take(
        outgoing("a", BEFORE, "2001", "03331234567", talk=4),
        outgoing("b", BEFORE, "3001", "03331234567", talk=5),
    )
    assert [row["line_id"] for row in company.rows("branch:anna")] == ["3001"]
    assert [row["line_id"] for row in company.rows("corp:anna")] == ["2001"]
    answer = company.run("report", "calls", "--as", "anna")
    assert answer.code != 0
    assert answer.out == ""
    assert "branch:anna" in answer.err
    assert "corp:anna" in answer.err
    # What one directory is allowed is not for the other.
    assert company.run("sync", "--accept-departures", "3").code == 2


def test_one_source_down_does_not_keep_the_other(company: Company) -> None:
    company.write_ldif({"zoe": person(name="Zoe Zeta", extension="3001", level="2")})
    text = company.ini.read_text()
    mapping = "[map:corp]" + text.partition("[map:corp]")[2].partition("[custom-fields]")[0]
    company.ini.write_text(
        text
        + "\n[directory:branch]\ntype = ldif\nfile = people.ldif\nschedule = every 1 hour\n"
        + mapping.replace("[map:corp]", "[map:branch]")
    )
    company.set("directory:corp", servers="ldap://127.0.0.1:1")
    assert company.run("sync").code == 75
    assert people(company) == {"Zoe Zeta"}
    company.write_ldif({})
    assert company.run("sync").code == 4  # the graver of 4 and 75
    assert people(company) == {"Zoe Zeta"}


@pytest.mark.parametrize("unique", ["entryUUID", "objectGUID", "nsUniqueId", None])
def test_ldif_gives_the_same_company(tmp_path: Path, unique: str | None) -> None:
    company = Company(tmp_path)
    company.use_ldif(PEOPLE, unique=unique)
    if unique is None:
        company.set("directory:corp", id="uid")
    company.ok("sync")
    assert company.ok("sync", "--check").code == 0
    changed: dict[str, dict[str, Any]] = {**PEOPLE, "anna": PEOPLE["anna"] | {"title": "8"}}
    company.write_ldif(changed, unique=unique)
    (outcome,) = company.ok("sync", "--json").json
    assert (outcome["arrived"], outcome["departed"], outcome["changed"]) == (0, 0, 1)
    assert len(people(company)) == 11
