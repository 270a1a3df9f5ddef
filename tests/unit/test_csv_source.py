"""CSV files: what is read, and what is said of a file that is not whole."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.directory.protocol import Entry, Snapshot
from syncd.directory.sources.csv_file import DELIMITERS, CsvSource, guessed
from syncd.domain.errors import ConfigurationError
from tests.directory_settings import directory_settings

MAPPING = {"username": "login", "first_extension": "ext", "bill_first_extension": "yes"}
HEADER = "number,login,ext\n"


def read(path: Path, content: str | bytes, **options: Any) -> Snapshot:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    defaults = {"type": "csv", "file": path, "id": "number", "filter": "", "mapping": MAPPING}
    return CsvSource(directory_settings(**(defaults | options))).snapshot()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_as_programs_write_it(path: Path, delimiter: str, end: str) -> None:
    lines = ["Number,Login,Ext", "17,anna,2001", ",,", "", '18," bert ",']
    text = end.join(line.replace(",", delimiter) for line in lines)
    snapshot = read(path, "\ufeff" + text)
    assert snapshot.complete and not snapshot.problems
    assert snapshot.server == str(path)
    anna, bert = snapshot.entries
    assert anna == Entry(f"{path}:2", "17", {"login": ["anna"], "ext": ["2001"]})
    assert bert[:3] == (f"{path}:5", "18", {"login": [" bert "]})


def test_the_delimiter_may_be_named(path: Path) -> None:
    text = "number;login,and,more;ext\n17;anna;2001\n"
    mapping = {"username": "number", "first_extension": "ext"}
    assert not read(path, text, mapping=mapping).complete
    (entry,) = read(path, text, mapping=mapping, delimiter="semicolon").entries
    assert entry.attributes == {"number": ["17"], "ext": ["2001"]}


def test_excel_names_the_delimiter_in_a_line_of_its_own(path: Path) -> None:
    (entry,) = read(path, "sep=;\r\nnumber;login;ext\r\n17;anna;2001\r\n").entries
    assert (entry.where, entry.external_id) == (f"{path}:3", "17")


def test_a_column_that_comes_twice_has_two_values(path: Path) -> None:
    (entry,) = read(path, "number,login,ext,ext\n17,anna,2001,2002\n").entries
    assert entry.attributes["ext"] == ["2001", "2002"]


def test_bytes_that_are_not_utf8_stand_as_surrogates(path: Path) -> None:
    (entry,) = read(path, HEADER.encode() + b"17,J\xfcrgen,2001\n").entries
    assert entry.attributes["login"] == ["J\udcfcrgen"]


def test_quotes_protect_delimiters_and_line_ends(path: Path) -> None:
    snapshot = read(path, HEADER + '17,"Anna, A\n""B""",2001\n18,bert,2002\n')
    assert snapshot.entries[0].attributes["login"] == ['Anna, A\n"B"']
    assert snapshot.entries[1].where == f"{path}:4"


# --- by what people are known --------------------------------------------------------------------


def test_the_named_column_counts_before_any_other(path: Path) -> None:
    text = "objectGUID,number,login,ext\n{E8EF6419-E6E8-11F1-B43F-D906834882A3},17,anna,2001\n"
    assert read(path, text).entries[0].external_id == "17"
    guid = "e8ef6419-e6e8-11f1-b43f-d906834882a3"
    assert read(path, text, id="").entries[0].external_id == guid
    assert read(path, text, id="NUMBER").entries[0].external_id == "17"


def test_a_line_without_an_id_has_none(path: Path) -> None:
    assert [entry.external_id for entry in read(path, HEADER + ",anna,2001\n").entries] == [""]


# --- the filter ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(objectClass=*)", ["anna", "bert", "carl"]),
        ("(state=active)", ["anna", "carl"]),
        ("(&(state=active)(!(ext=2003)))", ["anna"]),
        ("ext>=2002", ["bert", "carl"]),
        ("(!(ext=*))", []),
    ],
)
def test_the_filter_chooses_lines(path: Path, text: str, expected: list[str]) -> None:
    rows = "1,anna,2001,Active\n2,bert,2002,left\n3,carl,2003,active\n"
    snapshot = read(path, "number,login,ext,state\n" + rows, filter=text)
    assert snapshot.complete
    assert [entry.attributes["login"][0] for entry in snapshot.entries] == expected


# --- files that are not whole --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        ("", 1, "the file is empty"),
        ("\n\n", 1, "the file is empty"),
        (HEADER, 1, "nothing after the header"),
        (HEADER + "17,anna,2001\n18,ber", 3, "2 columns, and the header has 3"),
        (HEADER + "17,anna,2001\n\n18,bert,2002,x\n", 4, "4 columns, and the header has 3"),
        (HEADER + '17,anna,2001\n18,"bert,2002\n19,carl,2003\n', 3, "not CSV"),
        (HEADER + '17,"anna"x,2001\n', 2, "not CSV"),
        ("login,ext\nanna,2001\n", 1, "no column number, by which"),
        ("number,name,ext\n17,anna,2001\n", 1, "no column login"),
        ("\ufeffnumber,login,ext\n17,anna,2001\n".encode("utf-16"), 1, "UTF-16"),
    ],
)
def test_what_is_wrong_makes_all_of_it_incomplete(
    path: Path, content: str | bytes, line: int, what: str
) -> None:
    snapshot = read(path, content)
    assert not snapshot.complete
    (problem,) = snapshot.problems
    assert (problem.file, problem.line) == (str(path), line)
    assert what in problem.what
    assert what in snapshot.why_incomplete
    assert problem.hint


def test_all_mistakes_are_told_at_once(path: Path) -> None:
    snapshot = read(path, HEADER + "17,anna\n18,bert,2002\n19\n")
    assert [problem.line for problem in snapshot.problems] == [2, 4]
    assert "2 mistakes" in snapshot.why_incomplete


def test_without_an_id_some_column_must_identify(path: Path) -> None:
    snapshot = read(path, HEADER + "17,anna,2001\n", id="")
    assert [problem.what for problem in snapshot.problems] == [
        "there is no column by which people are known for ever"
    ]


def test_a_filter_on_a_column_that_is_gone_is_a_mistake(path: Path) -> None:
    """Else (!(state=left)) would bring back everybody who left."""
    snapshot = read(path, HEADER + "17,anna,2001\n", filter="(!(state=left))")
    assert [problem.what for problem in snapshot.problems] == ["there is no column state"]


def test_one_of_several_columns_is_enough(path: Path) -> None:
    mapping = MAPPING | {"mail": "mail, login"}
    assert read(path, HEADER + "17,anna,2001\n", mapping=mapping).complete


def test_a_file_that_is_written_meanwhile_is_incomplete(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = CsvSource._take

    def write(source: CsvSource, *arguments: Any) -> None:
        with path.open("a", encoding="utf-8") as more:
            more.write("18,bert,2002\n")
        monkeypatch.setattr(CsvSource, "_take", stock)
        stock(source, *arguments)

    monkeypatch.setattr(CsvSource, "_take", write)
    snapshot = read(path, HEADER + "17,anna,2001\n")
    assert not snapshot.complete
    assert "while it was read" in snapshot.why_incomplete


def test_settings_that_cannot_work(path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        CsvSource(directory_settings(type="csv", file=path)).snapshot()
    assert "cannot be read" in str(caught.value.problems[0])
    with pytest.raises(ConfigurationError):
        CsvSource(directory_settings(type="csv"))
    with pytest.raises(ConfigurationError):
        CsvSource(directory_settings(type="csv", file=path, filter="(number="))


# --- whatever is in it ---------------------------------------------------------------------------

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(
    rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5),
    delimiter=st.sampled_from([*DELIMITERS]),
)
def test_what_a_csv_writer_writes_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.csv"
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=DELIMITERS[delimiter])
    writer.writerow(["number", "login", "ext"])
    for number, row in enumerate(rows):
        writer.writerow([number, *row])
    snapshot = read(path, out.getvalue())
    assert snapshot.complete
    seen = [
        tuple(e.attributes.get(name, [""])[0] for name in ("login", "ext"))
        for e in snapshot.entries
    ]
    assert seen == rows


@given(st.binary(max_size=60), st.integers(0, 200))
def test_garbage_is_no_traceback_and_a_cut_in_the_columns_is_seen(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.csv"
    read(path, garbage)
    read(path, HEADER.encode() + garbage)
    whole = HEADER + "".join(f"{number},user{number},2{number:03}\n" for number in range(10))
    part = whole[: min(cut, len(whole) - 1)]
    snapshot = read(path, part)
    if part and not part.endswith("\n") and part.splitlines()[-1].count(",") < 2:
        assert not snapshot.complete


def test_the_delimiter_is_guessed_outside_quotes() -> None:
    assert guessed('"a,b,c";d;e') == ";"
    assert guessed("a\tb\tc,d") == "\t"
    assert guessed("alone") == ","
