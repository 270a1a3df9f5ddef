"""Tables on a terminal that is narrower than they are."""

from __future__ import annotations

import pytest

from syncd.reports.remarks import unpriced
from syncd.reports.render.screen import laid_out
from syncd.reports.render.table import Column, terminal_table
from tests.support.results import OPTIONS, result_of, row

COLUMNS = (Column("File"), Column("Reason"), Column("Not billed", right=True))
ROWS = (("cdr_StandAloneCluster_01_202604021200_1", "", 1_234_567),) * 2


@pytest.mark.parametrize("columns", [30, 40, 80])
def test_numbers_stay_whole_and_texts_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal_table(COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= columns for line in lines)
    text = "\n".join(lines)
    assert text.count("1234567") == 2
    assert ("Reason" in text) == (columns == 80), "a column with nothing in it gives way"
    assert "".join(text.split()).count("cdr_Stand") == 2


def test_where_not_even_that_fits_nothing_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    terminal_table([Column(name, right=True) for name in "abcd"], [(11111, 22222, 33333, 44444)])
    found = capsys.readouterr().out
    assert all(found.count(digit) == 5 for digit in "1234")


def test_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    terminal_table(COLUMNS, [])
    assert "File" in capsys.readouterr().out


QUEUES = "Queue,Name,Offered,Answered,Answered %,Abandoned,Within 5 s,Elsewhere,Answered in 20 s,"
QUEUES += "Service level %,Average wait s,Median s,Longest"
QUEUE = ("6100", "-", 151, 151, "100.0", 0, 0, 0, 151, "100.0", "7.7", "7.0", "0:00:16")


def test_headings_and_days_are_not_cut_where_there_is_room_for_their_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    columns = [Column(name, right=place > 1) for place, name in enumerate(QUEUES.split(","))]
    terminal_table(columns, [QUEUE])
    found = capsys.readouterr().out
    assert all(len(line) <= 100 for line in found.splitlines())
    shown = {
        "Queue",
        "Offered",
        "Answered",
        "Abandoned",
        "Elsewhere",
        "Service",
        "Median",
        "Longest",
    }
    assert shown <= set(found.split()), "each word is whole"
    assert "0:00:16" in found
    assert "Name" not in found, "it has no value"


@pytest.mark.parametrize("columns", range(38, 100, 7))
def test_a_moment_is_cut_between_day_and_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    names = ("Started", "Line", "Person", "Duration")
    row = ("2026-10-20 09:52:12", "UK.+390655000024", "Niccolò Marino " * 3, "0:00:16")
    terminal_table([Column(name, right=name == "Duration") for name in names], [row])
    found = capsys.readouterr().out
    assert all(len(line) <= columns for line in found.splitlines())
    assert "2026-10-20" in found and "09:52:12" in found and "0:00:16" in found


def test_totals_of_no_column_are_no_row() -> None:
    assert laid_out(result_of([row()], totals={"missed": 3}), OPTIONS).total is None
    total = laid_out(result_of([row()], totals={"calls": 3}), OPTIONS).total
    assert total is not None and total[0] == "Total"


def test_rows_without_a_price_are_one_or_several() -> None:
    assert unpriced(0) == []
    assert unpriced(1) == ["1 row has no price yet: it adds nothing to the cost"]
    assert unpriced(2) == ["2 rows have no price yet: they add nothing to the cost"]
