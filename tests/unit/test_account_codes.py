"""The list of account codes: what it says, and every mistake of it in one pass."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from syncd.billing.account_codes import (
    CMC,
    FAC,
    HIDDEN,
    AccountCodes,
    Charge,
    load_account_codes,
)
from syncd.domain.errors import Problem

ROME = ZoneInfo("Europe/Rome")
HEADER = "code,kind,name,cost_center,matter,valid_from,valid_to\n"


def load(tmp_path: Path, text: str) -> tuple[AccountCodes, list[Problem]]:
    path = tmp_path / "codes.csv"
    path.write_text(text, encoding="utf-8")
    return load_account_codes(path, ROME)


def moment(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=ROME).timestamp())


def test_a_code_holds_from_day_to_day(tmp_path: Path) -> None:
    codes, problems = load(
        tmp_path,
        HEADER
        + "1234,FAC,Anna,CC 1,,,2026-03-01\n"
        + "1234,fac,Bruno,CC 2,,2026-03-01,\n"
        + "# a remark\n\n77,cmc,Case Rossi,,Rossi,2026-01-01,\n",
    )
    assert problems == []
    before, after = moment(2026, 2, 28) + 86_399, moment(2026, 3, 1)
    assert codes.charge("1234", "", before) == Charge("CC 1", "")
    assert codes.charge("1234", "", after) == Charge("CC 2", "")
    assert codes.charge("1234", "77", after) == Charge("CC 2", "Rossi")
    assert codes.charge("", "77", moment(2025, 12, 31)) is None
    assert codes.charge("9", "9", after) is None
    assert codes.find(CMC, "1234", after) is None
    assert codes.name(FAC, "1234") == "Bruno"


def test_a_list_with_nul_bytes_is_wrong(tmp_path: Path) -> None:
    codes, problems = load(tmp_path, HEADER + "1,fac,An\0na,,,,\n2,fac,Bruno,,,,\n")
    assert [(problem.line, problem.what) for problem in problems] == [
        (2, "the line holds NUL bytes")
    ]
    assert codes.name(FAC, "2") == ""


def test_the_matter_code_is_asked_first(tmp_path: Path) -> None:
    codes, _ = load(tmp_path, HEADER + "1,fac,,A,M,,\n1,cmc,,B,,,\n")
    assert codes.charge("1", "1", 0) == Charge("B", "M")


def test_who_may_not_see_a_code_gets_its_name(tmp_path: Path) -> None:
    codes, _ = load(tmp_path, HEADER + "1,fac,Anna's,,,,\n2,fac,,,,,\n")
    assert [codes.shown(code, raw=False) for code in ("", "1", "2", "3")] == [
        *("", "Anna's"),
        *(HIDDEN, HIDDEN),
    ]
    assert codes.shown("2", raw=True) == "2"


def test_all_mistakes_in_one_pass(tmp_path: Path) -> None:
    codes, problems = load(
        tmp_path,
        HEADER
        + ",fac,,,,,\n"
        + "1,pin,,,,,\n"
        + "2,fac,,,,2026-13-01,soon\n"
        + "3,fac,,,,2026-02-01,2026-02-01\n"
        + "4,fac,,,,,\n4,fac,,,,2026-01-01,\n"
        + "5,fac\n"
        + '6,fac,"open\n',
    )
    assert not codes
    assert [(one.line, one.option) for one in problems] == [
        (2, "code"), (3, "kind"), (4, "valid_from"), (4, "valid_to"), (5, "valid_to"),
        (7, "code"), (8, ""), (9, ""),
    ]  # fmt: skip
    assert "line 6" in problems[5].what


def test_a_wrong_header_and_no_file(tmp_path: Path) -> None:
    _, problems = load(tmp_path, "code,knd,name\n1,fac,x\n")
    assert (problems[0].option, problems[0].hint) == ("knd", "did you mean kind?")
    assert problems[1].what == "the column is missing"
    _, problems = load(tmp_path, "")
    assert problems[0].what == "the list has no header"
    _, problems = load_account_codes(tmp_path / "none.csv", ROME)
    assert problems[0].what.startswith("cannot be read")
