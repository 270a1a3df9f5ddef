"""The verbs that mend what was taken: rejects again, files again, and who may use them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.contract import PEOPLE, Company, internal, outgoing

PERIOD = ("--from", "2026-03-01", "--to", "2026-04-01")
AT = "2026-03-10T10:00:00+01:00"
OUTSIDE = "03331234567"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.use_ldif(PEOPLE)
    made.ok("sync")
    return made


def test_a_trunk_section_that_was_missing(company: Company) -> None:
    company.set("trunk:pstn", devices="NOTHING*")
    company.take(outgoing("a", AT, "2001", "03331234567", talk=60))
    (row,) = company.rows()
    assert row["state"] == "unrated"
    assert [one["kind"] for one in company.listed("unknown")] == ["trunk"]
    company.set("trunk:pstn", devices="S0/SU*")
    assert company.run("reprocess", *PERIOD).code == 2  # nobody can answer here
    seen = company.ok("reprocess", *PERIOD, "--dry-run", "--json").json
    (sales,) = seen["departments"]
    assert (sales["department"].casefold(), sales["cost_before"]) == ("sales", "0.00")
    assert (seen["done"], seen["files"], seen["records"], seen["rows"]) == (False, 1, 1, 1)
    assert company.rows() == [row]
    done = company.ok("reprocess", *PERIOD, "--yes", "--json").json
    assert done["departments"] == seen["departments"]
    (now,) = company.rows()
    assert (now["id"], now["state"], now["cost"]) == (row["id"], "rated", sales["cost_after"])
    assert company.listed("unknown") == []
    assert company.ok("reprocess", *PERIOD, "--yes", "--json").json["rows"] == 0
    answer = company.ok("reprocess", "--from", "2026-05-01", "--to", "2026-06-01", "--dry-run")
    assert "0 files" in answer.err
    company.ok("db", "verify")


def test_digits_are_masked_in_rows_that_nobody_could_read(company: Company) -> None:
    company.deliver([f'1,"{OUTSIDE}",5', f"{internal('a', AT, '2001', '2002', talk=5)},x"])
    company.take()
    assert OUTSIDE in company.ok("rejects", "show", "1", "--as", "luca").out
    company.ok("access", "set", "luca", "--masked-digits", "4", "--reason", "x")
    for words in (("list",), ("show", "1"), ("show", "1", "--json"), ("list", "--json")):
        answer = company.ok("rejects", *words, "--as", "luca")
        assert OUTSIDE[-4:] not in answer.out
    (shown,) = company.listed("rejects", "show", "1", "--as", "luca")
    assert shown["raw"] == '*,"0333123****",*'
    (reject, _) = company.listed("rejects", "--as", "luca")
    assert "133" in reject["reason"], "counts are no numbers of somebody"


def test_rejects_are_shown_tried_and_dropped(company: Company) -> None:
    path = company.deliver([internal("a", AT, "2001", "2002", talk=5), "1,2,3"])
    company.take()
    (reject,) = company.listed("rejects")
    one = str(reject["id"])
    assert reject["file"] == path.name
    (shown,) = company.listed("rejects", "show", one)
    assert shown["raw"] == "1,2,3"
    assert shown["header"].startswith('"cdrRecordType"')
    tried = company.run("rejects", "retry", one, "--json")
    assert (tried.code, tried.json["still"]) == (1, 1)
    assert company.run("rejects", "retry").code == 2
    assert company.run("rejects", "retry", "999").code == 1
    none = company.run("rejects", "retry", "--file", "another")
    assert (none.code, "no rejected row is like that" in none.err) == (1, True)
    assert "no rejected row is like that" in company.run("rejects", "--source", "another").err
    assert company.run("rejects", "drop", one).code == 2
    dropping = ("rejects", "drop", one, "--reason", "a test of the installer", "--json")
    assert company.ok(*dropping).json == {"dropped": 1}
    nothing = company.ok("rejects", "retry", "--all", "--json").json
    assert nothing == {"taken": 0, "still": 0, "records": 0, "calls": 0}
    assert company.listed("rejects") == []
    (dropped,) = company.listed("rejects", "--dropped")
    assert dropped["dropped"]["reason"] == "a test of the installer"
    assert [file["rejected"] for file in company.listed("files")] == [1]
    assert "a test of the installer" in company.ok("rejects", "--dropped").out
    company.ok("db", "verify")


def test_they_are_for_level_10(company: Company) -> None:
    for words in (
        ("rejects",),
        ("rejects", "retry", "--all"),
        ("reprocess", *PERIOD, "--dry-run"),
    ):
        answer = company.run(*words, "--as", "anna")
        assert answer.code == 1
        assert "not available to anna" in answer.err


def test_a_period_that_holds_no_day_and_a_source_that_is_not_there(company: Company) -> None:
    assert company.run("reprocess", "--from", "2026-03-02", "--to", "2026-03-02").code == 2
    assert company.run("reprocess", "--from", "March", "--to", "2026-03-02").code == 2
    answer = company.run("reprocess", *PERIOD, "--source", "branch", "--dry-run")
    assert answer.code == 1
    assert "known: hq" in answer.err


def test_account_codes_charge_and_are_checked(company: Company) -> None:
    codes = company.home / "codes.csv"
    codes.write_text("code,kind,name,cost_center\n4711,fax,Apollo,CC77\n,cmc,,\n")
    company.set("account-codes", file="codes.csv")
    answer = company.run("check-config")
    assert answer.code == 78
    assert "codes.csv:2: kind" in answer.err
    assert "codes.csv:3: code" in answer.err
    codes.write_text("code,kind,name,cost_center\n4711,fac,Apollo,CC77\n")
    company.ok("check-config")
    company.take(
        outgoing("a", AT, "2001", "03331234567", talk=60, authorizationCodeValue="4711"),
        internal("b", AT, "2001", "2002", talk=60, authorizationCodeValue="4712"),
    )
    names = ("--columns", "cost_center,authorization_code", "--format", "csv", *PERIOD)
    lines = company.ok("report", "calls", *names).out.splitlines()
    assert sorted(lines[1:]) == ["CC10,4712", "CC20,4712", "CC77,4711"]
    lines = company.ok("report", "calls", *names, "--as", "anna").out.splitlines()
    assert sorted(lines[1:]) == ["CC10,***", "CC77,Apollo"]
    sums = company.report("by-account-code")["rows"]
    assert {row["authorization_code"]: row["calls"] for row in sums} == {"4711": 1, "4712": 2}
    called = next(row["id"] for row in company.rows() if row["cost_center"] == "CC77")
    assert "Account codes" in company.ok("explain", called).out
    assert company.ok("explain", called, "--json", "--as", "anna").json["account"] == {
        "authorization_code": "Apollo", "matter_code": None, "name": "Apollo",
        "cost_center": "CC77", "matter": None, "reason": "keyed in for this call",
    }  # fmt: skip


def test_trunk_load_as_a_user_sees_it(company: Company) -> None:
    company.take(outgoing("a", AT, "2001", "03331234567", talk=60))
    assert "not counted yet" in company.ok("report", "trunk-load", *PERIOD).err
    assert company.run("report", "trunk-load", *PERIOD, "--group-by", "day").code == 2
    assert company.run("report", "trunk-load", *PERIOD, "--as", "bruno").code == 1
    assert company.ok("report", "trunk-load", *PERIOD, "--json").json["due_quarters"] == 1
    head = company.ok("report", "trunk-load", *PERIOD, "--format", "csv").out.splitlines()[0]
    assert head.startswith("trunk,seizures,failures,occupied_seconds")
