"""Tables on a terminal that is narrower than they are."""

from __future__ import annotations

import pytest

from syncd.reports.render.table import Column, terminal_table

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
