"""syncd access: who may see what and why, set and audited, as an administrator types it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.contract import PEOPLE, Company, internal, outgoing, person

DAY_1 = "2026-03-02T10:00:00+01:00"
DAY_2 = "2026-03-05T10:00:00+01:00"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.use_ldif(PEOPLE)
    made.set("cdr:hq", settle="0 seconds")
    made.ok("sync")
    return made


def calls(company: Company) -> None:
    company.take(
        outgoing("a", DAY_1, "2001", "03331234567", talk=60),
        internal("b", DAY_2, "2003", "2002", talk=20),
    )


def explained(company: Company, *words: str) -> dict[str, Any]:
    return dict(company.ok("access", "explain", *words, "--json").json)


def test_the_list_says_who_has_which_level_and_from_where(company: Company) -> None:
    company.ok("person", "add", "Rita")
    rows = {row["username"]: row for row in company.listed("access")}
    assert {name: row["level"] for name, row in rows.items()} == {
        "fabio": 10, "luca": 10, "elena": 8, "bruno": 6, "carla": 6, "gina": 6,
        "anna": 2, "hugo": 2, "irene": 2, "karl": 2,
    }  # fmt: skip
    assert [row["level"] for row in company.listed("access")] == sorted(
        (row["level"] for row in rows.values()), reverse=True
    )
    carla = rows["carla"]
    assert carla["from"] == "directory corp"
    assert carla["basis"] == "department"
    assert carla["additional_departments"] == ["Legal", "Engineering"]
    assert rows["elena"]["masked_digits"] == 4
    everybody = {row["username"]: row for row in company.listed("access", "list", "--all")}
    assert everybody.keys() - rows.keys() == {"dario", "noemi", "Rita"}
    assert everybody["Rita"]["from"] == "default"
    only = company.listed("access", "list", "--level", "8")
    assert [row["username"] for row in only] == ["elena"]


def test_a_level_by_hand_is_kept_from_the_directory_and_audited(company: Company) -> None:
    calls(company)
    assert len(company.rows("anna")) == 1
    answer = company.ok("access", "set", "anna", "--level", "8", "--reason", "Acting  manager")
    assert "permission_level 2 → 8" in answer.err
    assert "syncd person unlock anna" in answer.err
    assert len(company.rows("anna")) == 3  # at once
    company.ok("sync")
    assert len(company.rows("anna")) == 3  # the directory still says 2
    (row,) = company.listed("access", "list", "--level", "8")[:1]
    assert row["from"] == "by hand (administrator), kept from the directory: Acting manager"
    audit = company.listed("access", "audit", "--person", "anna")
    changed = next(one for one in audit if one["field"] == "permission_level")
    assert (changed["actor"], changed["action"]) == ("administrator", "access set")
    assert (changed["old"], changed["new"]) == ("2", "8")
    assert changed["reason"] == "Acting manager"
    assert changed["account"]
    company.ok("person", "unlock", "anna", "permission_level")
    company.ok("sync")
    assert len(company.rows("anna")) == 1
    audit = company.listed("access", "audit", "--person", "anna")
    by_sync = next(one for one in audit if one["action"] == "sync")
    assert (by_sync["actor"], by_sync["old"], by_sync["new"]) == ("directory corp", "8", "2")
    assert {one["field"] for one in audit if one["action"] == "person unlock"} == {
        "lock of permission_level"
    }


def test_all_that_goes_with_a_level_is_set_at_once(company: Company) -> None:
    company.ok(
        "access", "set", "anna", "--level", "6", "--basis", "office", "--additional", "Legal; IT",
        "--masked-digits", "3", "--reason", "x", "--as", "fabio",
    )  # fmt: skip
    (anna,) = (row for row in company.listed("access") if row["username"] == "anna")
    assert anna["basis"] == "office_location"
    assert anna["additional_departments"] == ["Legal", "IT"]
    assert anna["masked_digits"] == 3
    assert anna["from"].startswith("by hand (fabio)")
    audit = company.listed("access", "audit")
    assert {one["actor"] for one in audit if one["action"] == "access set"} == {"fabio"}
    company.ok("access", "set", "anna", "--basis", "default", "--additional", "", "--reason", "x")
    (anna,) = (row for row in company.listed("access") if row["username"] == "anna")
    assert (anna["basis"], anna["additional_departments"]) == ("department", [])
    again = company.ok("access", "set", "anna", "--level", "6", "--reason", "x")
    assert "nothing changed" in again.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["anna", "--reason", "x"], "nothing says what to set"),
        (["anna", "--level", "8", "--reason", " "], "needs a reason"),
        (["nobody", "--level", "8", "--reason", "x"], "there is no person called nobody"),
        (["anna", "--masked-digits", "-1", "--reason", "x"], "masked_digits"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said(
    words: list[str], message: str, company: Company
) -> None:
    answer = company.run("access", "set", *words)
    assert answer.code in (1, 2)
    assert message in answer.err
    assert not company.listed("access", "audit")
    assert company.run("access", "set", "anna", "--level", "7", "--reason", "x").code == 2


def test_what_is_no_call_person_or_report_is_said(company: Company) -> None:
    answer = company.run("access", "explain", "anna", "trunk-lod")
    assert answer.code == 1
    assert "there is no call, person or report called trunk-lod" in answer.err
    assert "did you mean trunk-load?" in answer.err


def test_groups_and_their_changes_act_at_once(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.use_ldif({name: dict(one) for name, one in PEOPLE.items()})
    company.set("cdr:hq", settle="0 seconds")
    company.set("map:corp", permission_level=None)
    ini = company.ini.read_text()
    company.ini.write_text(ini.replace("permission_level = title\n", ""))
    company.set(
        "groups:corp",
        **{
            "bosses": "cn=bosses,ou=people,dc=example,dc=com",
            "bosses.permission_level": "8",
        },
    )
    people = company.home / "people.ldif"
    plain = people.read_text()

    def members(*names: str) -> None:
        text = (
            "\ndn: cn=bosses,ou=people,dc=example,dc=com\nobjectClass: groupOfNames\ncn: bosses\n"
        )
        text += "".join(f"member: uid={name},ou=people,dc=example,dc=com\n" for name in names)
        people.write_text(plain + text)

    members("hugo", "anna")
    company.ok("sync")
    calls(company)
    assert len(company.rows("hugo")) == 3
    listed = {row["username"]: row for row in company.listed("access")}
    assert listed.keys() == {"hugo", "anna"}
    assert listed["hugo"]["from"] == "group bosses of directory corp"
    members("anna")
    company.ok("sync")
    refused = company.run("report", "calls", "--as", "hugo")
    assert refused.err == "syncd: No billing data is available to hugo.\n"
    assert len(company.rows("anna")) == 3
    assert "which nothing grants" not in str(explained(company, "hugo"))
    audit = company.listed("access", "audit", "--person", "hugo")
    assert (audit[0]["old"], audit[0]["new"], audit[0]["action"]) == ("8", "0", "sync")


# --- explain -------------------------------------------------------------------------------------


def test_what_somebody_sees_is_said_in_plain_words(company: Company) -> None:
    calls(company)
    text = company.ok("access", "explain", "carla").out
    assert "carla: level 6, view calls of users (directory corp)" in text
    assert "Engineering, Legal or Support when it was made: level 6, by department." in text
    gina = " ".join(explained(company, "gina")["sees"])
    assert "gina has no department: that is not the same as all who have none." in gina
    bruno = " ".join(explained(company, "bruno")["sees"])
    assert "The last 3 digits of outside numbers are asterisks" in bruno
    assert explained(company, "dario")["sees"] == [
        "dario has level 0, no access: every door is as if it were not there."
    ]
    fabio = explained(company, "fabio")
    assert fabio["sees"][0] == (
        "fabio sees all calls of all users, and manages everything: level 10."
    )
    assert "trunk-load" in fabio["viewer"]["opens"]
    assert "trunk-load" not in explained(company, "carla")["viewer"]["opens"]


def test_a_call_is_explained_row_by_row(company: Company) -> None:
    calls(company)
    rows = {(row["line_id"], row["side"]): row for row in company.rows()}
    talk = rows["2003", "calling"]
    about = explained(company, "bruno", talk["id"])["about"]
    assert {row["call"]: row["seen"] for row in about["rows"]} == {
        talk["id"]: False,
        rows["2002", "called"]["id"]: True,
    }
    why = {row["line_id"]: row["why"] for row in about["rows"]}
    assert why["2003"] == "the department was Support when it was made; theirs is sales"
    assert why["2002"] == "it is their own"
    about = explained(company, "anna", talk["conversation"])["about"]
    assert {row["why"] for row in about["rows"]} == {
        "it is that of bruno, and level 2 sees own calls alone",
        "it is that of carla, and level 2 sees own calls alone",
    }
    text = company.ok("access", "explain", "elena", talk["id"]).out
    assert "seen: level 8 sees all calls" in text
    missing = company.run("access", "explain", "elena", "202603-000000000000-calling")
    assert missing.code == 1
    assert "No call 202603-000000000000-calling is available" in missing.err


def test_a_person_is_explained_by_where_they_were_when(company: Company) -> None:
    about = explained(company, "bruno", "person:irene")["about"]
    assert about["person"] == "irene"
    (time,) = about["times"]
    assert time["seen"]
    assert time["why"] == "the department was sales when it was made, their own"
    (time,) = explained(company, "bruno", "hugo")["about"]["times"]
    assert not time["seen"]
    assert "theirs is" in time["why"]


def test_a_report_is_explained_by_its_level(company: Company) -> None:
    company.set("report:by-person", level="8")
    about = explained(company, "bruno", "by-person")["about"]
    assert not about["opens"]
    assert about["why"] == "it needs level 8, as [report:by-person] says; bruno has 6."
    assert explained(company, "elena", "report:by-person")["about"]["opens"]
    assert not explained(company, "elena", "files")["about"]["opens"]
    assert "Reports that open: " in company.ok("access", "explain", "bruno").out


def test_names_that_were_made_one_and_names_that_nobody_had(company: Company) -> None:
    company.write_ldif(PEOPLE | {"otto": person(
        name="Otto", extension="2030", department="Support", level="6", more="Nowhere;Vendite",
    )})  # fmt: skip
    company.ok("sync")
    company.ok("department", "rename", "Sales", "Vendite")
    sees = " ".join(explained(company, "otto")["sees"])
    assert "Nobody was ever in a department called nowhere" in sees
    assert "Vendite" in sees.split("Nobody")[0]
    (time,) = explained(company, "otto", "person:anna")["about"]["times"]
    assert time["seen"]
    assert time["why"].endswith("one of their additional departments")


# --- log and audit -------------------------------------------------------------------------------


def test_the_log_says_who_asked_for_what(company: Company) -> None:
    calls(company)
    company.rows("anna")
    company.rows("Bruno")
    rows = company.listed("access", "log", "--report", "calls")
    assert [(row["viewer"], row["level"], row["rows"]) for row in rows] == [
        ("bruno", 6, 2), ("anna", 2, 1),
    ]  # fmt: skip
    assert rows[0]["specification"].startswith("2026-03-01..2026-04-01")
    assert [row["viewer"] for row in company.listed("access", "log", "--viewer", "ANNA")] == [
        "anna"
    ]
    assert len(company.listed("access", "log", "--limit", "1")) == 1
    assert company.listed("access", "log", "--to", "2020-01-01") == []
    assert company.run("access", "log", "--from", "2020-01-02", "--to", "2020-01-01").code == 2


def test_every_change_by_hand_is_in_the_audit(company: Company) -> None:
    calls(company)
    company.ok("person", "set", "gina", "language", "it")
    company.ok("person", "move", "karl", "--office", "Milan", "--since", "2026-01-01", "--dry-run")
    company.ok("department", "merge", "Legal", "Archive", "--as", "fabio")
    company.ok("period", "close", "2026-02", "--yes")
    assert company.run("rejects", "drop", "1", "--reason", "known").code == 1  # there is none
    rows = company.listed("access", "audit")
    found = {row["action"]: row for row in rows}
    assert found.keys() == {"person set", "department merge", "period close"}
    assert (found["person set"]["subject"], found["person set"]["new"]) == ("gina", "it")
    assert found["department merge"]["actor"] == "fabio"
    assert "old=Legal" in found["department merge"]["subject"]
    assert found["period close"]["new"] == "done"


def test_a_masked_manager_does_not_learn_from_the_filters_of_others(company: Company) -> None:
    calls(company)
    company.rows("", "--filter", "other_number=+393331234567,112", "--filter", "duration>1")
    company.rows("", "--filter", "other_number~+39333123")
    company.ok("access", "set", "fabio", "--masked-digits", "4", "--reason", "x")
    for words in (["access", "log"], ["report", "access-log", "--period", "today"]):
        for as_fabio in ([], ["--as", "fabio"]):
            text = company.ok(*words, "--json", *as_fabio).out
            assert ("+393331234567" in text) == (not as_fabio)
            assert ("+39333123 " in text.replace('"', " ")) == (not as_fabio)
    assert "+39333123****,***" in text
    assert "duration>1" in text


def test_numbers_with_blanks_pages_and_commands_tell_a_masked_manager_no_digit(
    company: Company,
) -> None:
    calls(company)
    report = "calls --filter 'number=+39 333 1234567, 112' --limit 2"
    company.ok("report", "calls", "--filter", "number=+39 333 1234567, +39 06 7654321")
    company.ok("report", "calls", "number!=+39 333 1234567", "--save-as", "known", "--shared")
    company.ok("schedule", "add", "daily", report, "--when", "daily at 07:00", "--to", "fabio")
    sort = ("--from", "2026-01-01", "--sort", "other_number", "--limit", "1", "--json")
    page = company.ok("report", "calls", *sort).json
    key = page["next_page"]
    company.ok("report", "calls", *sort, "--page", key)
    asked = (
        *(["access", "log"], ["report", "access-log", "--period", "today"], ["access", "audit"]),
        *(["report", "saved"], ["schedule", "list"], ["schedule", "show", "daily"]),
    )
    for words in asked:
        text = company.ok(*words, "--json").out
        assert "4567" in text
        # What stands in it is what its reader was shown: not for the log.
        assert key not in text
    company.ok("access", "set", "fabio", "--masked-digits", "4", "--reason", "x")
    for words in asked:
        text = company.ok(*words, "--json", "--as", "fabio").out
        assert "****" in text
        assert "4567" not in text
        assert "4321" not in text
        assert key not in text
    assert company.ok("schedule", "list", "--json").json[0]["report"] == report


def test_what_is_withheld_of_whom_is_for_who_manages(company: Company) -> None:
    company.set("licensing", slots="1")
    company.take(outgoing("a", DAY_1, "2002", "03331234567", talk=60))
    company.take(outgoing("b", DAY_2, "2001", "03331234567", talk=60))
    company.take(outgoing("c", DAY_2, "2003", "03331234567", talk=60))
    for viewer, told in (("elena", False), ("fabio", True)):
        waiting = company.ok("licence", "--as", viewer, "--json").json["waiting_lines"]
        counts = {row["line_id"]: row["withheld"] for row in waiting}
        assert sum(count or 0 for count in counts.values()) == (2 if told else 0)
        assert all((row["first"] is None) != (told and bool(row["withheld"])) for row in waiting)
        report = company.ok("report", "licence-use", "--as", viewer, "--json").json["rows"]
        assert any(row["withheld"] for row in report) == told
    assert company.run("licence", "--as", "carla").code == 1
