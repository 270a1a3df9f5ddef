"""The verbs that do the work: what they print, and their exit codes."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from syncd.cli.main import main
from syncd.demo.company import CompanyFiles, write_ldif
from syncd.demo.cucm_writer import write_files
from syncd.demo.people import Company
from tests.support.stores import held


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(files: CompanyFiles, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> Done:
        code = main(["--config", str(files.ini), *arguments])
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    return call


def more(files: CompanyFiles, text: str) -> None:
    """Add an INI file that is read after the others."""
    (files.ini.parent / "conf.d" / "more.ini").write_text(text)


def drop(files: CompanyFiles, company: Company) -> int:
    summary = write_files(files.drop, company, seed=1, calls=10, start=date(2026, 3, 2))
    return summary.records


# --- sync ----------------------------------------------------------------------------------------


def test_dry_run_prints_and_changes_nothing(run: Any, company: Company) -> None:
    done = run("sync", "--dry-run")
    assert done.code == 0
    assert done.out.count("arrived") == len(company.people)
    assert "would change" in done.err
    assert run("sync", "--dry-run").out == done.out


def test_check_says_3_until_it_is_done(run: Any) -> None:
    assert run("sync", "--check").code == 3
    assert run("sync").code == 0
    done = run("sync", "--check")
    assert (done.code, done.out) == (0, "")


def test_sync_prints_what_changed(run: Any, files: CompanyFiles, company: Company) -> None:
    run("sync")
    write_ldif(files.ldif, company, version=2)
    done = run("sync", "--json")
    assert done.code == 0
    [unit] = done.json
    assert unit["outcome"] == "applied"
    assert (unit["departed"], unit["changed"], unit["error"]) == (1, 1, None)
    assert {
        "who": company.mover.display_name,
        "what": "changed",
        "field": "department",
        "old": company.mover.department,
        "new": company.mover_department,
    } in unit["differences"]
    assert [one["outcome"] for one in run("sync", "--json").json] == ["unchanged"]


def test_a_refused_sync_shows_what_it_would_have_done(run: Any, files: CompanyFiles) -> None:
    run("sync")
    entries = files.ldif.read_text().split("\n\n")
    files.ldif.write_text("\n\n".join(entries[:6]) + "\n")
    for arguments in ((), ("--check",), ("--dry-run",)):
        done = run("sync", "--json", *arguments)
        assert done.code == 4
        [unit] = done.json
        assert unit["outcome"] == "refused"
        assert unit["error"]["exit_code"] == 4
        assert len(unit["differences"]) > 10
    assert run("sync").code == 4
    assert "corp: " in run("sync").err


def test_an_empty_directory_is_refused(run: Any, files: CompanyFiles) -> None:
    run("sync")
    files.ldif.write_text("")
    done = run("sync")
    assert done.code == 4
    assert "Traceback" not in done.err


def test_gravest_of_several_sources(run: Any, files: CompanyFiles) -> None:
    (files.ini.parent / "empty.ldif").write_text("")
    more(
        files,
        "[directory:far]\ntype = ldap\nservers = ldap://127.0.0.1:1\ntls = none\n"
        "allow_plaintext_bind = yes\nbase = dc=example\n"
        "[map:far]\nusername = uid\nfirst_extension = telephoneNumber\nbill_first_extension = yes\n"
        "[directory:none]\ntype = ldif\nfile = empty.ldif\n"
        "[map:none]\nusername = uid\nfirst_extension = telephoneNumber\nbill_first_extension = yes\n",
    )
    assert run("sync", "corp").code == 0
    assert run("sync", "far").code == 75
    done = run("sync", "--json")
    assert done.code == 4
    assert [(unit["source"], unit["outcome"]) for unit in done.json] == [
        ("corp", "unchanged"),
        ("far", "failed"),
        ("none", "failed"),
    ]


def test_history(run: Any) -> None:
    assert run("sync", "--history", "--json").json == []
    run("sync")
    run("sync")
    rows = run("sync", "--history", "--json").json
    assert [row["outcome"] for row in rows] == ["unchanged", "applied"]
    assert rows[1]["arrived"] > 0
    assert run("sync", "other", "--history", "--json").json == []


def test_usage(run: Any) -> None:
    done = run("sync", "crop")
    assert done.code == 2
    assert "[directory:crop]" in done.err
    assert "corp" in done.err
    assert run("sync", "corp", "--accept-departures", "-3").code == 2
    assert run("ingest", "branch").code == 2


# --- locks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "lock"), [("sync", "sync-corp"), ("ingest", "intake-hq")])
def test_a_held_lock_is_75_and_names_the_holder(
    run: Any, files: CompanyFiles, verb: str, lock: str
) -> None:
    more(files, "[daemon]\nlock_wait = 0 seconds\n")
    with held(files.ini.parent / "state" / "syncd.db", lock, "somebody else"):
        done = run(verb)
    assert done.code == 75
    assert "(somebody else)" in done.err
    assert run(verb).code == 0


# --- ingest --------------------------------------------------------------------------------------


def test_ingest_prints_what_was_taken(run: Any, files: CompanyFiles, company: Company) -> None:
    run("sync")
    records = drop(files, company)
    done = run("ingest", "--json")
    assert done.code == 0
    [unit] = done.json
    assert unit["records"] == records
    [file] = unit["files"]
    assert file["state"] == "done"
    assert file["read"] == records
    again = run("ingest", "--json")
    assert (again.code, again.json[0]["files"]) == (0, [])


def test_a_fresh_file_waits_unless_it_must_not(
    run: Any, files: CompanyFiles, company: Company
) -> None:
    files.ini.write_text(files.ini.read_text().replace("settle = 0 seconds", "settle = 1 hour"))
    drop(files, company)
    [unit] = run("ingest", "--json").json
    assert (unit["waiting"], unit["files"]) == (1, [])
    [unit] = run("ingest", "--no-settle", "--json").json
    assert (unit["waiting"], len(unit["files"])) == (0, 1)


def test_a_file_that_is_not_cdr_is_1(run: Any, files: CompanyFiles, company: Company) -> None:
    drop(files, company)
    (files.drop / "cdr_StandAloneCluster_01_202603020000_9").write_text("holiday photos\n")
    done = run("ingest")
    assert done.code == 1
    assert "set-aside" in done.err
    lines = done.out.splitlines()
    assert lines[0].split()[:2] == ["Source", "Files"]
    assert lines[2].split()[:2] == ["hq", "1"]
    assert run("ingest").code == 0


def test_a_malformed_row_is_not_1(run: Any, files: CompanyFiles, company: Company) -> None:
    drop(files, company)
    [path] = files.drop.iterdir()
    with path.open("a") as file:
        file.write("1,2,3\n")
    done = run("ingest", "--json")
    assert done.code == 0
    assert done.json[0]["files"][0]["rejected"] == 1


def test_a_wrong_rate_deck_stops_ingest_but_not_sync(run: Any, files: CompanyFiles) -> None:
    deck = files.tariff.read_text().splitlines()
    files.tariff.write_text("\n".join([*deck, deck[1], "x,y"]))
    done = run("ingest")
    assert done.code == 78
    assert done.err.count("telco.csv:") >= 2
    assert run("sync").code == 0


# --- account -------------------------------------------------------------------------------------


BECOME = """
import os, sys
from pathlib import Path
from syncd.application import account
if len(sys.argv) > 2:
    account._could_work_as = lambda owner: True  # this installation may be closed to others
print(account.become_owner(Path(sys.argv[1])), os.geteuid(), os.getegid())
"""


def test_root_works_as_the_owner_of_the_state_directory(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can work as somebody else")
    nobody = pwd.getpwnam("nobody")

    def become(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", BECOME, *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    assert become(str(tmp_path), "surely") == "False 0 0"
    assert become(str(tmp_path / "absent"), "surely") == "False 0 0"
    os.chown(tmp_path, nobody.pw_uid, -1)
    assert become(str(tmp_path), "surely") == f"True {nobody.pw_uid} {nobody.pw_gid}"
    # Without being told that it is sure: either it works as the owner, or it stays root.
    assert become(str(tmp_path)) in (f"True {nobody.pw_uid} {nobody.pw_gid}", "False 0 0")


# --- check-config --------------------------------------------------------------------------------


def test_check_config_says_what_is_configured(run: Any, files: CompanyFiles) -> None:
    done = run("check-config")
    assert done.code == 0
    assert "directory corp" in done.out
    assert str(files.drop) in done.out
    configured = run("check-config", "--json").json
    assert configured["ok"] is True
    assert configured["configured"]["carriers"] == {"telco": ["2026"]}


def test_check_config_lists_everything_at_once(run: Any, files: CompanyFiles) -> None:
    deck = files.tariff.read_text().splitlines()
    files.tariff.write_text("\n".join([*deck, deck[1], deck[2]]))
    text = files.ini.read_text()
    files.ini.write_text(text.replace("mail = mail", "mail = mail =~ (unclosed"))
    done = run("check-config")
    assert done.code == 78
    assert done.out == ""
    assert "mail" in done.err
    assert done.err.count("telco.csv:") == 2
    problems = run("check-config", "--json").json["problems"]
    wrong = [problem for problem in problems if not problem["warning"]]
    assert len(wrong) == 3
    assert all(problem["file"] and problem["what"] for problem in wrong)


def test_check_config_shows_options_and_where_they_come_from(
    run: Any, files: CompanyFiles, tmp_path: Path
) -> None:
    done = run("check-config", "--show", "--origin")
    assert done.code == 0
    line = files.ini.read_text().splitlines().index("currency = EUR") + 1
    assert f"currency = EUR ; {files.ini}:{line}\n" in done.out
    assert "level = info ; default\n" in done.out
    shown = run("check-config", "--show", "--json").json
    assert {"section": "logging", "option": "level", "value": "info", "origin": "default"} in shown
    # What is shown without origins says the same again.
    copy = files.ini.parent / "copy.ini"
    copy.write_text(run("check-config", "--show").out)
    (files.ini.parent / "conf.d" / "daemon.ini").unlink()
    again = main(["--config", str(copy), "check-config", "--show", "--json"])
    assert again == 0


def test_origin_needs_show(run: Any) -> None:
    assert run("check-config", "--origin").code == 2


# --- files ---------------------------------------------------------------------------------------


def test_a_file_that_was_set_aside_is_retried_on_request(
    run: Any, files: CompanyFiles, company: Company
) -> None:
    name = "cdr_StandAloneCluster_01_202603020000_9"
    (files.drop / name).write_text("holiday photos\n")
    assert run("ingest").code == 1
    assert not list(files.drop.iterdir())
    done = run("files", "retry", name)
    assert done.code == 0
    assert (files.drop / name).read_text() == "holiday photos\n"
    assert "is in" in done.err
    # One that waits there already is not written over.
    again = run("files", "retry", name)
    assert again.code == 1
    assert "is there already" in again.err
    # It is still no CDR file: set aside again, and listed once.
    assert run("ingest").code == 1
    [row] = [row for row in run("files", "--json").json if row["name"] == name]
    assert row["state"] == "set-aside"


def test_a_retry_says_what_it_cannot_do(run: Any, company: Company) -> None:
    done = run("files", "retry", "never-seen")
    assert done.code == 1
    assert "no file of this name was set aside" in done.err
    assert run("files", "retry").code == 2
    assert run("files", "list", "name").code == 2


# --- a drop folder that is not there ---------------------------------------------------------------


def test_a_missing_drop_folder_stops_intake_only(
    run: Any, files: CompanyFiles, company: Company
) -> None:
    files.drop.rmdir()
    for verb in ("check-config", "ingest"):
        done = run(verb)
        assert done.code == 78
        assert f"{files.drop} is not a folder" in done.err + done.out
        assert f"mkdir -p {files.drop}" in done.err + done.out
    assert run("sync").code == 0
    assert run("report", "by-department").code == 0
