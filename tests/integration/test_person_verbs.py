"""Changing people by hand from the command line: fields, locks, numbers and departments of an
earlier time, and the calls that follow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from syncd.application.composition import Application
from syncd.application.people import resume
from syncd.calls import reassignment
from syncd.settings.load import load
from syncd.store.database import open_database
from syncd.store.models import Assignment, MaintenanceRun, Profile
from syncd.store.rollups import fields_are_summed, rebuild
from tests.generated_company import END, ROME
from tests.support.contract import PEOPLE as EVERYBODY
from tests.support.contract import Company, incoming, internal, outgoing, sums
from tests.support.stores import held

DAY_1 = "2026-03-02T10:00:00+01:00"
DAY_2 = "2026-03-05T10:00:00+01:00"
DAY_3 = "2026-03-09T10:00:00+01:00"
YES = "--yes"
PEOPLE = EVERYBODY | {"irene": EVERYBODY["irene"] | {"departmentNumber": "Sales"}}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.use_ldif(PEOPLE)
    made.set("cdr:hq", settle="0 seconds")
    made.ok("sync")
    return made


def calls_of_anna(company: Company) -> None:
    company.take(
        outgoing("a", DAY_1, "2001", "03331234567", talk=60),
        outgoing("b", DAY_2, "2001", "03331234567", talk=60),
        outgoing("c", DAY_3, "2001", "03331234567", talk=60),
    )


def by(company: Company, what: str, *words: str) -> dict[Any, Any]:
    rows = company.report(f"by-{what}", "", *words)["rows"]
    return {key: row["calls"] for key, row in sums(rows, what).items()}


def starts(company: Company, *words: str) -> list[str]:
    return sorted(row["started_at"][:10] for row in company.rows("", *words))


def verified(company: Company) -> None:
    """The database holds what it must, and no time of a line or a person is held twice."""
    company.ok("db", "verify")
    with opened(company):
        spans: dict[Any, list[tuple[int, int]]] = {}
        for row in Assignment.select().where(Assignment.line != 0, ~Assignment.shared):
            key = (row.site, row.partition, row.number)
            spans.setdefault(key, []).append((row.valid_from, row.valid_to))
        for row in Profile.select().where(Profile.id != 0):
            spans.setdefault(row.party_id, []).append((row.valid_from, row.valid_to))
        for key, found in spans.items():
            found.sort()
            for (since, until), (next_since, _) in pairwise(found):
                assert since < until <= next_since, key
        assert not MaintenanceRun.select().where(MaintenanceRun.state != "done").exists()


@contextlib.contextmanager
def opened(company: Company) -> Iterator[None]:
    database = open_database("sqlite:///syncd.db", company.home / "state")
    try:
        yield
    finally:
        database.close()


# --- list and show -------------------------------------------------------------------------------


def test_list_names_everybody(company: Company) -> None:
    rows = company.listed("person", "list")
    assert {row["username"] for row in rows} == set(PEOPLE)
    assert company.listed("person") == rows
    assert {row["state"] for row in rows} == {"present"}


def test_list_leaves_out_who_left(company: Company) -> None:
    company.use_ldif({name: PEOPLE[name] for name in PEOPLE if name != "dario"})
    company.ok("sync", "--accept-departures", "1")
    assert "dario" not in {row["username"] for row in company.listed("person", "list")}
    everybody = {row["username"]: row["state"] for row in company.listed("person", "list", "--all")}
    assert everybody["dario"] == "departed"


def shown(company: Company, name: str) -> dict[str, dict[str, Any]]:
    fields = company.ok("person", "show", name, "--json").json["fields"]
    return {row["field"]: row for row in fields}


def test_show_says_where_each_field_comes_from(company: Company) -> None:
    fields = shown(company, "anna")
    assert fields["department"]["value"] == "Sales"
    assert fields["department"]["origin"] == "directory"
    assert fields["mobile_number"]["origin"] == "local"
    company.ok("person", "lock", "anna", "department", "Legal", "--reason", "on loan")
    fields = shown(company, "anna")
    assert (fields["department"]["value"], fields["department"]["origin"]) == ("Legal", "locked")
    assert fields["department"]["reason"] == "on loan"


def test_somebody_who_is_not_there(company: Company) -> None:
    answer = company.run("person", "show", "nobody")
    assert answer.code == 1
    assert "there is no person called nobody" in answer.err


# --- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize("viewer", ["anna", "bruno", "dario", "elena"])
@pytest.mark.parametrize(
    "words",
    [
        ("person", "list"),
        ("person", "show", "fabio"),
        ("person", "set", "fabio", "mobile_number", "333"),
        ("person", "move", "fabio", "--department", "X", "--since", "beginning", YES),
        ("department", "list"),
        ("department", "rename", "Sales", "X"),
    ],
)
def test_only_level_10_may(company: Company, viewer: str, words: tuple[str, ...]) -> None:
    answer = company.run(*words, "--as", viewer)
    assert answer.code == 1
    assert "available to" in answer.err
    assert not answer.out


def test_settings_cannot_open_it_to_a_lower_level(company: Company) -> None:
    company.set("report:person", level="8")
    # Said before the action it must not be forgotten: that would be the local administrator.
    assert company.run("person", "--as", "elena", "list").code != 0
    answer = company.run("person", "list", "--as", "elena")
    assert answer.code != 0
    assert not answer.out


def test_a_complete_manager_may(company: Company) -> None:
    assert len(company.listed("person", "list", "--as", "fabio")) == len(PEOPLE)


# --- set, lock and unlock ------------------------------------------------------------------------


def test_a_field_that_no_directory_fills(company: Company) -> None:
    company.ok("person", "set", "anna", "mobile_number", "333 123")
    assert shown(company, "anna")["mobile_number"]["value"] == "333123"
    company.ok("sync")
    assert shown(company, "anna")["mobile_number"]["value"] == "333123"


def test_a_change_as_data(company: Company) -> None:
    (change,) = company.ok("person", "set", "anna", "mobile_number", "333 123", "--json").json
    assert (change["what"], change["field"]) == ("changed", "mobile_number")
    assert (change["old"], change["new"]) == ("", "333123")
    assert company.ok("person", "set", "anna", "mobile_number", "333 123", "--json").json == []


def test_a_field_that_the_directory_fills_needs_a_lock(company: Company) -> None:
    answer = company.run("person", "set", "anna", "department", "Legal")
    assert answer.code == 1
    assert "syncd person lock anna department" in answer.err
    assert shown(company, "anna")["department"]["value"] == "Sales"


def test_what_groups_grant_and_accounts_say_is_the_directorys(company: Company) -> None:
    """A value that the next sync would undo is refused; a lock keeps it."""
    assert shown(company, "anna")["enabled"]["origin"] == "directory"
    assert company.run("person", "set", "anna", "enabled", "no").code == 1
    group = "cn=heads,ou=people,dc=example,dc=com"
    member = "uid=anna,ou=people,dc=example,dc=com"
    with (company.home / "people.ldif").open("a") as ldif:
        ldif.write(f"\ndn: {group}\nobjectClass: groupOfNames\ncn: heads\nmember: {member}\n")
    company.set("map:corp", permission_level=None)
    company.set("groups:corp", **{"heads": group, "heads.permission_level": "6"})
    company.ok("sync", "corp", "--accept-changes", "9")
    level = shown(company, "anna")["permission_level"]
    assert (level["value"], level["origin"]) == (6, "directory")
    answer = company.run("person", "set", "anna", "permission_level", "10")
    assert answer.code == 1
    assert "syncd person lock anna permission_level" in answer.err
    company.ok("person", "lock", "anna", "permission_level", "8", "--reason", "stands in")
    company.ok("sync")
    assert shown(company, "anna")["permission_level"]["value"] == 8


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("permission_level", "7", "permission level"),
        ("shoe_size", "42", "there is no field"),
        ("site", "mars", "there is no site"),
        ("mobile_number", "abc", "is not a number"),
        ("custom10", "x", "has no label"),
    ],
)
def test_values_that_do_not_fit(company: Company, field: str, value: str, said: str) -> None:
    answer = company.run("person", "set", "anna", field, value)
    assert answer.code == 2
    assert said in answer.err


def test_a_locked_field_stays_and_the_sync_says_what_the_directory_says(company: Company) -> None:
    company.ok("person", "lock", "anna", "department", "Legal", "--reason", "on loan")
    answer = company.ok("sync")
    assert "department of Anna Verdi is locked (on loan)" in answer.err
    assert "'Legal' stays, the directory says 'Sales'" in answer.err
    assert shown(company, "anna")["department"]["value"] == "Legal"
    company.ok("person", "unlock", "anna", "department")
    assert "locked" not in company.ok("sync").err
    assert shown(company, "anna")["department"]["value"] == "Sales"
    company.ok("sync", "--check")


def test_a_locked_field_can_be_set(company: Company) -> None:
    company.ok("person", "lock", "anna", "department", "Legal", "--reason", "on loan")
    company.ok("person", "set", "anna", "department", "IT")
    company.ok("sync")
    assert shown(company, "anna")["department"]["value"] == "IT"


def test_locks_that_mean_nothing(company: Company) -> None:
    assert company.run("person", "lock", "anna", "mobile_number", "3", "--reason", "x").code == 1
    assert company.run("person", "lock", "anna", "department", "X", "--reason", " ").code == 2
    assert company.run("person", "unlock", "anna", "department").code == 1


def test_a_locked_number_is_held(company: Company) -> None:
    company.ok("person", "lock", "anna", "first_extension", "2099", "--reason", "moved desk")
    company.ok("sync")
    company.take(internal("x", "2037-01-01T10:00:00+01:00", "2099", "2003", talk=5))
    history = company.ok("person", "history", "anna", "--json").json
    assert [row["line_id"] for row in history["assignments"] if row["role"] == "first"] == [
        "2001",
        "2099",
    ]


# --- people of no directory ----------------------------------------------------------------------


def test_a_person_by_hand(company: Company) -> None:
    company.ok(
        "person", "add", "lobby", "display_name=Lobby", "first_extension=2050",
        "bill_first_extension=yes", "department=Reception",
    )  # fmt: skip
    company.ok("sync")
    company.ok("person", "assign", "lobby", "2050", "--since", "beginning", YES)
    company.take(outgoing("l", DAY_1, "2050", "03331234567", talk=60))
    (row,) = company.rows()
    assert (row["person"], row["department"]) == ("Lobby", "Reception")
    company.ok("person", "set", "lobby", "department", "Front desk")
    assert shown(company, "lobby")["department"]["origin"] == "local"
    verified(company)


def test_a_person_by_hand_takes_nothing_from_anybody(company: Company) -> None:
    answer = company.run("person", "add", "thief", "first_extension=2001")
    assert answer.code == 1
    assert "2001" in answer.err
    assert company.run("person", "show", "thief").code == 1
    assert company.run("person", "add", "Anna").code == 1


# --- a department of an earlier time -------------------------------------------------------------


def test_a_move_since_an_earlier_day(company: Company) -> None:
    calls_of_anna(company)
    people = PEOPLE | {"anna": PEOPLE["anna"] | {"departmentNumber": "Legal"}}
    company.use_ldif(people)
    company.ok("sync")
    assert by(company, "department") == {"Sales": 3}
    told = company.ok(
        "person", "move", "anna", "--department", "Legal", "--since", "2026-03-05", "--dry-run",
        "--json",
    ).json  # fmt: skip
    assert told["calls"] == 2
    assert [(row["from"], row["department"], row["calls"]) for row in told["moves"]] == [
        ("anna", "Sales", 2)
    ]
    assert by(company, "department") == {"Sales": 3}
    assert (
        company.run("person", "move", "anna", "--department", "Legal", "--since", "2026-03-05").code
        == 2
    )
    with opened(company):
        rebuild(ROME, END)
        assert fields_are_summed()
    company.ok("person", "move", "anna", "--department", "Legal", "--since", "2026-03-05", YES)
    with opened(company):
        assert not fields_are_summed()
    assert by(company, "department") == {"Sales": 1, "Legal": 2}
    assert starts(company, "--filter", "department=Legal") == ["2026-03-05", "2026-03-09"]
    company.ok("sync", "--check")
    verified(company)


def test_a_move_that_the_directory_contradicts(company: Company) -> None:
    answer = company.run(
        "person", "move", "anna", "--department", "IT", "--since", "beginning", YES
    )
    assert answer.code == 1
    assert "the directory corp says that department of anna is 'Sales' today" in answer.err


def test_a_move_of_a_locked_field_changes_today_too(company: Company) -> None:
    calls_of_anna(company)
    company.ok("person", "lock", "anna", "department", "Sales", "--reason", "by hand")
    company.ok("person", "move", "anna", "--department", "IT", "--since", "2026-03-09", YES)
    assert by(company, "department") == {"Sales": 2, "IT": 1}
    assert shown(company, "anna")["department"]["value"] == "IT"
    company.ok("sync")
    assert shown(company, "anna")["department"]["value"] == "IT"
    verified(company)


def test_a_move_in_the_future_or_to_nowhere(company: Company) -> None:
    move = ("person", "move", "anna")
    assert company.run(*move, "--department", "Sales", "--since", "2099-01-01", YES).code == 2
    assert company.run(*move, "--since", "beginning", YES).code == 2
    assert company.run(*move, "--department", "Sales", "--since", "soon", YES).code == 2


# --- a number of an earlier time -----------------------------------------------------------------


def test_a_number_that_somebody_else_had(company: Company) -> None:
    calls_of_anna(company)
    assign = ("person", "assign", "bruno", "2001", "--since", "2026-03-05")
    assert company.run(*assign, YES).code == 1  # not his today, and no end
    assign = (*assign, "--until", "2026-03-09")
    told = company.ok(*assign, "--dry-run", "--json").json
    assert [(row["from"], row["calls"]) for row in told["moves"]] == [("anna", 1)]
    company.ok(*assign, YES)
    assert by(company, "person") == {"Anna Verdi": 2, "Bruno Neri": 1}
    assert starts(company, "--filter", "person=Bruno Neri") == ["2026-03-05"]
    company.ok("sync", "--check")
    verified(company)
    history = company.ok("person", "history", "anna", "--json").json
    first = [row for row in history["assignments"] if row["role"] == "first"]
    assert [(row["since"], row["until"]) for row in first] == [
        (None, "2026-03-05T00:00:00+01:00"),
        ("2026-03-09T00:00:00+01:00", None),
    ]
    assert history["changes"][-1]["what"] == "taken"


def test_a_number_that_nobody_had(company: Company) -> None:
    without = {name: PEOPLE[name] for name in PEOPLE if name != "anna"}
    other = Company(company.home / "other")
    other.use_ldif(without)
    other.ok("sync")
    other.take(
        outgoing("a", DAY_1, "2001", "03331234567", talk=60),
        internal("b", DAY_2, "2001", "2003", talk=60),
        incoming("c", DAY_3, "3331234567", "2001", talk=60),
        outgoing("d", DAY_3, "2077", "03331234567", talk=60),
    )
    assert {row["line_id"] for row in other.listed("unknown")} == {"2001", "2077"}
    other.use_ldif(PEOPLE)
    other.ok("sync")
    assert by(other, "person") == {"Carla Blu": 1}
    told = other.ok(
        "person", "assign", "anna", "2001", "--since", "2026-03-05", "--dry-run", "--json"
    ).json
    assert (told["calls"], told["records"]) == (0, 2)
    other.ok("person", "assign", "anna", "2001", "--since", "beginning", YES)
    company.take(
        outgoing("a", DAY_1, "2001", "03331234567", talk=60),
        internal("b", DAY_2, "2001", "2003", talk=60),
        incoming("c", DAY_3, "3331234567", "2001", talk=60),
        outgoing("d", DAY_3, "2077", "03331234567", talk=60),
    )
    assert other.rows() == company.rows()
    assert other.report("by-department")["rows"] == company.report("by-department")["rows"]
    assert {row["line_id"] for row in other.listed("unknown")} == {"2077"}
    (file,), (same,) = other.listed("files"), company.listed("files")
    for counter in ("read", "stored", "not_billed", "calls"):
        assert file[counter] == same[counter]
    verified(other)


def test_a_number_with_the_licence_full(company: Company) -> None:
    calls_of_anna(company)
    company.set("licensing", slots="1")
    company.ok("ingest")
    company.ok("person", "assign", "noemi", "2012", "--since", "beginning", YES)
    company.ok(
        "person", "assign", "bruno", "2001", "--since", "2026-03-05", "--until", "2026-03-09", YES
    )
    verified(company)
    assert starts(company) == ["2026-03-02", "2026-03-09"]


def test_a_conflict_that_is_decided_by_hand(company: Company) -> None:
    calls_of_anna(company)
    people = PEOPLE | {"bruno": PEOPLE["bruno"] | {"telephoneNumber": "2001"}}
    company.use_ldif(people)
    assert "Bruno Neri" in company.ok("sync").err
    assert shown(company, "bruno")["first_extension"]["reason"] == "2001: anna holds it"
    company.ok("person", "assign", "bruno", "2001", "--since", "2026-03-05", YES)
    assert by(company, "person") == {"Anna Verdi": 1, "Bruno Neri": 2}
    assert "which Bruno Neri holds and keeps" in company.ok("sync").err
    verified(company)


def test_a_number_of_a_shared_voicemail_or_without_billing(company: Company) -> None:
    assign = ("person", "assign", "karl", "2091", "--role", "voicemail", "--since", "beginning")
    answer = company.run(*assign, YES)
    assert answer.code == 1
    assert "is not billed" in answer.err
    company.set("map:corp", bill_voicemail="yes")
    company.ok("sync")
    company.ok(*assign, YES)
    company.use_ldif(PEOPLE | {"hugo": PEOPLE["hugo"] | {"pager": "2091"}})
    company.ok("sync")
    assert "several people share" in company.run(*assign, YES).err


def test_while_a_folder_is_read_nothing_is_rewritten(company: Company) -> None:
    calls_of_anna(company)
    company.set("daemon", lock_wait="0 seconds")
    company.ok("person", "lock", "anna", "department", "IT", "--reason", "by hand")
    move = ("person", "move", "anna", "--department", "IT", "--since", "beginning", YES)
    with held(company.home / "state" / "syncd.db", "intake-hq", "syncd ingest hq"):
        answer = company.run(*move)
    assert answer.code == 75
    assert "syncd ingest hq" in answer.err
    assert by(company, "department") == {"Sales": 3}
    company.ok(*move)
    assert by(company, "department") == {"IT": 3}


@pytest.mark.parametrize("daemon", [False, True])
def test_an_interrupted_move_goes_on(
    company: Company, monkeypatch: pytest.MonkeyPatch, daemon: bool
) -> None:
    calls_of_anna(company)
    company.ok("person", "lock", "anna", "department", "Sales", "--reason", "by hand")
    monkeypatch.setattr(reassignment, "ROWS_AT_ONCE", 1)
    steps = iter(range(3))
    whole = reassignment.Run.step

    def cut(run: reassignment.Run) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        whole(run)

    with monkeypatch.context() as patched:
        patched.setattr(reassignment.Run, "step", cut)
        move = ("person", "move", "anna", "--department", "IT", "--since", "beginning", YES)
        assert company.run(*move).code == 130
    assert by(company, "department") == {"Sales": 1, "IT": 2}
    if daemon:
        application = Application.open(load(company.ini))
        assert resume(application) == 1
        assert resume(application) == 0
        application.close()
    else:
        company.ok("person", "move", "bruno", "--department", "Sales", "--since", "beginning", YES)
    assert by(company, "department") == {"IT": 3}
    verified(company)


# --- names that are one --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("person", "add", "x" * 256),
        ("person", "add", ""),
        ("person", "set", "anna", "mobile_number", "7" * 256),
        ("department", "rename", "Sales", "x" * 256),
        (
            *("schedule", "add", "x" * 256, "by-class", "--when", "daily at 07:00"),
            *("--to", "a@example.com", "--as", "anna"),
        ),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_no_name_is_longer_than_an_index_of_every_database(
    company: Company, command: tuple[str, ...]
) -> None:
    company.ok("sync")
    ran = company.run(*command)
    assert ran.code == 2, ran
    assert "database" not in ran.err


def test_a_renamed_department_keeps_its_past(company: Company) -> None:
    company.take(
        outgoing("a", DAY_1, "2001", "03331234567", talk=60),
        outgoing("b", DAY_1, "2003", "03331234567", talk=60),
    )
    people = {
        name: fields | ({"departmentNumber": "Vendite"} if name in ("anna", "bruno") else {})
        for name, fields in PEOPLE.items()
    }
    company.use_ldif(people)
    answer = company.ok("sync", "--accept-changes", "10")
    assert "2 of 3 people of the department 'Sales' are in 'Vendite' now" in answer.err
    assert "syncd department rename 'Sales' 'Vendite'" in answer.err
    assert len(company.rows("bruno")) == 0
    company.ok("department", "rename", "Sales", "Vendite")
    assert len(company.rows("bruno")) == 1
    assert by(company, "department") == {"Vendite": 1, "Support": 1}
    for name in ("vendite", "SALES"):
        assert len(company.rows("", "--filter", f"department={name}")) == 1
    assert company.rows("bruno")[0]["department"] == "Sales"
    assert company.listed("department")[-1] == {"name": "Vendite", "also": "Sales"}
    assert "proposal" not in company.ok("sync").err
    company.ok("department", "rename", "vendite", "Sales")
    assert by(company, "department") == {"Sales": 1, "Support": 1}


def test_merge_of_cost_centers_and_offices(company: Company) -> None:
    company.take(
        outgoing("a", DAY_1, "2001", "03331234567", talk=60),
        outgoing("b", DAY_1, "2003", "03331234567", talk=60),
    )
    company.ok("department", "merge", "CC10", "CC20", "--kind", "cost-center")
    rows = company.report("by-cost-center")["rows"]
    assert [(row["cost_center"], row["calls"]) for row in rows] == [("CC20", 2)]
    company.ok("department", "merge", "rome", "milan", "--kind", "office")
    rows = company.report("by-office-location")["rows"]
    assert [(row["office_location"], row["calls"]) for row in rows] == [("Milan", 2)]
    assert company.run("department", "merge", "CC10", "CC20", "--kind", "cost-center").code == 2
    assert company.run("department", "merge", "Nowhere", "Sales").code == 1
    assert company.run("department", "merge", "Sales", "Nowhere").code == 1


def test_another_spelling_alone(company: Company) -> None:
    company.ok("department", "rename", "sales", "SALES")
    names = {row["name"] for row in company.listed("department")}
    assert "SALES" in names
    assert "Sales" not in names
