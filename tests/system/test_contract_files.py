"""The command contract of intake: what becomes of every file and every row, and that nothing
counts twice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.contract import (
    PEOPLE,
    SAMPLE,
    Answer,
    Company,
    incoming,
    internal,
    outgoing,
)
from tests.support.stores import connect

COUNTERS = ["read", "stored", "duplicate", "excluded", "not_billed", "rejected", "calls"]


def at(minute: int) -> str:
    """Return a moment of 10 March 2026 in Rome."""
    return f"2026-03-10T10:{minute:02d}:00+01:00"


def call(minute: int, **more: Any) -> str:
    """Return the internal call of that minute, the same row whenever it is asked for."""
    legs = {
        "globalCallID_callId": minute,
        "origLegCallIdentifier": 2 * minute + 1,
        "destLegIdentifier": 2 * minute + 2,
    }
    return internal(f"call {minute}", at(minute), "2001", "2003", talk=9, **legs | more)


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.use_ldif(PEOPLE)
    made.ok("sync")
    return made


def ingest(company: Company, code: int = 0) -> Answer:
    answer = company.run("ingest", "--no-settle")
    assert answer.code == code, answer
    assert "Traceback" not in answer.err
    return answer


def counters(company: Company) -> dict[str, list[Any]]:
    """Return state and counters by file name; checks the law of conservation on the way."""
    found = {}
    for file in company.listed("files"):
        assert file["read"] == sum(file[name] for name in COUNTERS[1:-1]), file
        assert len(file["sha256"]) == 64
        found[file["name"]] = [file["state"], *(file[name] for name in COUNTERS)]
    return found


def test_every_row_ends_as_exactly_one_thing(company: Company) -> None:
    company.set("cdr:hq", excluded_numbers="2002 2901", import_internal="no")
    path = company.deliver(
        [
            outgoing("stored", at(1), "2001", "03331234567", talk=100),
            outgoing("stored", at(1), "2001", "03331234567", talk=100),
            outgoing("counsellor", at(2), "2002", "03331234567", talk=9),
            incoming("to the counsellor", at(3), "0612345678", "2002", talk=9),
            internal("internal", at(4), "2001", "2003", talk=9),
            outgoing("nobody", at(5), "2077", "03331234567", talk=9),
            "1,2,3",
        ]
    )
    ingest(company)
    state, read, stored, duplicate, excluded, not_billed, rejected, calls = counters(company)[
        path.name
    ]
    assert (state, read, excluded, not_billed, calls) == ("done", 7, 3, 1, 1)
    # The second row has the same key; its call ids are new ones: another content.
    assert (stored, duplicate + rejected) == (1, 2)
    assert company.lines() == [("2001", "calling")]


def test_what_is_excluded_leaves_no_trace(company: Company) -> None:
    company.set("cdr:hq", excluded_numbers="2002 2901")
    company.set("licensing", automatic_acquisition="yes")
    company.take(
        outgoing("a", at(1), "2901", "03331234567", talk=100),
        internal("b", at(2), "2001", "2002", talk=9),
        incoming("c", at(3), "0612345678", "2002", talk=9),
    )
    assert company.rows() == []
    assert company.listed("unknown") == []
    assert company.ok("licence", "--json").json["used"] == 11


def test_a_file_delivered_twice_split_joined_or_renamed_changes_nothing(company: Company) -> None:
    first = company.deliver([call(1), call(2), call(3)])
    name, content = first.name, first.read_bytes()
    ingest(company)
    before, files = company.report("by-line"), counters(company)
    assert files == {name: ["done", 3, 3, 0, 0, 0, 0, 6]}
    first.write_bytes(content)  # the same again
    ingest(company)
    assert counters(company) == files
    (company.drop / company.name()).write_bytes(content)  # renamed
    company.deliver([call(2)])  # split
    company.deliver([call(3), call(4), call(1)])  # joined, with one that is new
    ingest(company)
    assert sorted(counters(company).values()) == sorted(
        [
            ["done", 3, 3, 0, 0, 0, 0, 6],
            ["done", 3, 0, 3, 0, 0, 0, 0],
            ["done", 1, 0, 1, 0, 0, 0, 0],
            ["done", 3, 1, 2, 0, 0, 0, 2],
        ]
    )
    assert before["totals"]["calls"] == 6
    assert company.report("by-line")["totals"]["calls"] == 8
    assert list(company.drop.iterdir()) == []
    company.ok("db", "verify")


def test_two_folders_of_one_pbx_do_not_count_twice(company: Company) -> None:
    other = company.home / "drop/backup"
    other.mkdir()
    company.set("cdr:hq", pbx="hq-cluster")
    company.set("cdr:backup", driver="cucm", folder="drop/backup", site="hq", pbx="hq-cluster")
    path = company.deliver([call(1)])
    (other / path.name).write_bytes(path.read_bytes())
    ingest(company)
    assert len(company.rows()) == 2
    assert sorted(file["stored"] for file in company.listed("files")) == [0, 1]


def test_two_pbxs_are_two(company: Company) -> None:
    other = company.home / "drop/other"
    other.mkdir()
    company.set("cdr:other", driver="cucm", folder="drop/other", site="hq")
    path = company.deliver([call(1)])
    (other / path.name).write_bytes(path.read_bytes())
    ingest(company)
    assert len(company.rows()) == 4


def test_the_same_key_with_another_content_is_a_conflict(company: Company) -> None:
    company.take(call(1))
    company.deliver([call(1, dateTimeDisconnect=1773133300, duration=35)])
    ingest(company)
    assert {row["duration"] for row in company.rows()} == {9}
    (reject,) = company.listed("rejects")
    assert "conflict" in reject["reason"]
    assert sorted(file["rejected"] for file in company.listed("files")) == [0, 1]


def test_a_malformed_row_is_rejected_and_the_rest_stored(company: Company) -> None:
    damaged = [
        call(1).replace('"2001"', '"2001",5'),  # one cell too many
        "rubbish",
        call(2).replace(call(2).split(",")[4], "yesterday", 1),  # no time
        call(3).replace("1,", "7,", 1),  # no such record type
        call(4).replace(",9,", ",nine,", 1),
    ]
    path = company.deliver([call(10), *damaged, call(11)], ending="")
    ingest(company)
    row = counters(company)[path.name]
    assert row[:2] == ["done", 7]
    assert row[-1] == 4
    rejects = {reject["line"]: reject for reject in company.listed("rejects")}
    assert {4, 5, 6, 7} <= set(rejects)
    assert all(reject["file"] == path.name for reject in rejects.values())
    assert all(reject["reason"] for reject in rejects.values())
    assert rejects[5]["raw"] == "rubbish"
    assert len(company.rows()) >= 4


def test_what_begins_in_the_future_is_rejected(company: Company) -> None:
    company.deliver([internal("f", "2036-01-01T10:00:00+01:00", "2001", "2003", talk=9), call(1)])
    ingest(company)
    (reject,) = company.listed("rejects")
    assert "future" in reject["reason"]
    assert len(company.rows()) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        b"hello\nworld\n",
        b"<html><body>404</body></html>",
        b"a,b,c\n1,2,3\n",
    ],
    ids=["picture", "text", "page", "other CSV"],
)
def test_what_is_no_cdr_at_all_is_set_aside_whole(company: Company, content: bytes) -> None:
    name = company.name()
    (company.drop / name).write_bytes(content)
    good = company.deliver([call(1)])
    answer = ingest(company, 1)
    assert name in answer.err
    files = counters(company)
    assert files[name] == ["set-aside", 0, 0, 0, 0, 0, 0, 0]
    assert files[good.name][0] == "done"
    assert list(company.drop.iterdir()) == []
    # Said once, and not again and again.
    ingest(company, 0)
    kept = [path for path in (company.home / "state").rglob(f"*{name}*") if path.is_file()]
    assert len(kept) == 1


def test_the_sample_of_a_real_cluster(company: Company) -> None:
    (company.drop / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    ingest(company)
    state, read, *_, rejected, calls = counters(company)[SAMPLE.name]
    assert (state, read, rejected, calls) == ("done", 3, 0, 0)


def test_quality_files_are_no_calls_and_unfinished_files_are_left_alone(company: Company) -> None:
    quality = SAMPLE.with_name(SAMPLE.name.replace("cdr_", "cmr_"))
    (company.drop / quality.name).write_bytes(quality.read_bytes())
    unfinished = company.deliver([call(1)], name=f"_{company.name()}")
    ingest(company)
    assert company.rows() == []
    assert unfinished.exists()
    assert counters(company)[quality.name] == ["done", 2, 2, 0, 0, 0, 0, 0]


def test_a_header_alone_is_a_file_of_nothing(company: Company) -> None:
    path = company.deliver([])
    ingest(company)
    assert counters(company)[path.name] == ["done", 0, 0, 0, 0, 0, 0, 0]


def test_line_ends_marks_and_spelling_do_not_matter(company: Company) -> None:
    path = company.deliver([call(1)])
    text = path.read_text().replace("destLegIdentifier", "destLegCallIdentifier")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    ingest(company)
    assert counters(company)[path.name][:3] == ["done", 1, 1]
    assert len(company.rows()) == 2


def test_settling(company: Company) -> None:
    company.set("cdr:hq", settle="1 hour")
    path = company.deliver([call(1)])
    company.ok("ingest")
    assert path.exists()
    assert counters(company)[path.name][0] == "waiting"
    assert company.rows() == []
    old = path.stat().st_mtime - 7200
    os.utime(path, (old, old))
    company.ok("ingest")
    assert not path.exists()
    assert counters(company)[path.name][0] == "done"


def test_one_folder_by_name(company: Company) -> None:
    (company.home / "drop/b").mkdir()
    company.set("cdr:b", driver="cucm", folder="drop/b", site="hq")
    path = company.deliver([call(1)])
    company.ok("ingest", "b", "--no-settle")
    assert path.exists()
    company.ok("ingest", "hq", "--no-settle")
    assert not path.exists()


def test_backup_and_restore(company: Company) -> None:
    company.take(call(1), outgoing("o", at(5), "2002", "03331234567", talk=100))
    before = company.report("by-person")
    copy = company.home / "copy.db"
    company.ok("db", "backup", str(copy))
    assert company.run("db", "backup", str(copy)).code == 1
    company.take(call(2))
    assert company.report("by-person") != before
    company.ok("db", "restore", str(copy), "--yes")
    assert company.report("by-person") == before
    company.ok("db", "verify")
    (company.home / "bad.db").write_bytes(b"nonsense" * 200)
    for name in ("bad.db", "none.db"):
        answer = company.run("db", "restore", str(company.home / name), "--yes")
        assert answer.code == 1
        assert "Traceback" not in answer.err
    assert company.report("by-person") == before


def test_verify_finds_what_somebody_changed(company: Company) -> None:
    company.take(call(1), outgoing("o", at(5), "2002", "03331234567", talk=100))
    with connect(company.home / "state/syncd.db") as database:
        database.execute("UPDATE call SET counted = 1 - counted")
    answer = company.run("db", "verify")
    assert answer.code == 1
    assert answer.out + answer.err
