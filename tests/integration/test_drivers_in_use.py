"""Drivers from the INI to the call: their options, ``cdr try``, and directions of real records."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncd.application.plugins import load_settings
from syncd.application.preparation import prepare
from syncd.calls.trunks import TrunkRule
from syncd.cli.main import main
from syncd.domain.codes import TrunkRole
from syncd.domain.errors import ConfigurationError
from syncd.settings.shown import shown
from syncd.store.models import Record, Reject
from tests.support.bed import Bed, make_bed
from tests.support.driver_samples import NEW_YEAR, SAMPLES
from tests.support.drivers import driver

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cdr"
INI = r"""
[syncd]
timezone = UTC
currency = EUR

[site:hq]
country = IT
area_code = 06
access_code = 0
timezone = Europe/Rome
internal_numbers = 2XXX

[trunk:isdn]
site = hq
devices = ISDN1

[cdr:branch]
driver = delimited
folder = drop
site = hq
delimiter = semicolon
date_format = %d.%m.%Y %H:%M:%S
duration_unit = clock
column.start = Date + Time
column.duration = Talk
column.ring = Ring
column.calling = From
column.called = To
column.trunk = Line
column.key = Id
value.outgoing = Dir == O
value.incoming = Dir == I
value.answered = State == OK
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / "drop").mkdir()

    def write_ini(*changes: tuple[str, str]) -> Path:
        text = INI
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "syncd.ini"
        path.write_text(text, encoding="utf-8")
        return path

    return write_ini


def test_a_section_holds_the_options_of_its_driver(write: Write) -> None:
    settings = load_settings(write())
    prepared = prepare(settings)
    prepared.check(settings)
    assert prepared.drivers["branch"].name == "delimited"
    origin = next(one for one in shown(settings) if one.option == "duration_unit")
    assert (origin.section, origin.value) == ("cdr:branch", "clock")


def test_two_sources_of_one_driver_have_options_of_their_own(write: Write, tmp_path: Path) -> None:
    (tmp_path / "drop2").mkdir()
    section = INI[INI.index("[cdr:branch]") :].replace(":branch]", ":other]")
    second = section.replace("= drop", "= drop2").replace("semicolon", "comma")
    path = write()
    path.write_text(INI + second, encoding="utf-8")
    settings = load_settings(path)
    assert settings.cdr["branch"].options["delimiter"] == ";"
    assert settings.cdr["other"].options["delimiter"] == ","
    drivers = prepare(settings).drivers
    assert drivers["branch"] is not drivers["other"]


@pytest.mark.parametrize(
    ("old", "new", "option", "what"),
    [
        ("delimiter", "delimeter", "delimeter", "no such option (did you mean delimiter?)"),
        ("clock", "weeks", "duration_unit", "'weeks' is none of"),
        ("= delimited", "= cucm", "delimiter", "there is no such option"),
        ("semicolon", "ab", "delimiter", "'ab' is not a delimiter"),
        ("%d.%m.%Y %H:%M:%S", "local", "date_format", "'local' is not a date format"),
    ],
)
def test_a_mistake_in_an_option_is_told_with_its_line(
    write: Write, old: str, new: str, option: str, what: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(write((old, new)))
    found = {problem.option: problem for problem in caught.value.problems}
    problem = found[f"[cdr:branch] {option}"]
    assert what in str(problem)
    assert problem.line == next(
        number
        for number, line in enumerate(INI.replace(old, new).splitlines(), start=1)
        if line.startswith(f"{option} =")
    )


def test_a_mistake_in_what_the_options_say_together_is_told_with_its_line(write: Write) -> None:
    settings = load_settings(write(("column.called", "column.caled")))
    prepared = prepare(settings)
    problems = {problem.option: problem for problem in prepared.problems}
    typed = problems["[cdr:branch] column.caled"]
    assert typed.what == "there is no such meaning"
    assert "did you mean called?" in typed.hint
    assert typed.line == INI.splitlines().index("column.called = To") + 1
    assert problems["[cdr:branch] column.called"].what == "is missing"
    with pytest.raises(ConfigurationError):
        prepared.check(settings)


# --- the verb cdr -----------------------------------------------------------------------------------


def tried(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_drivers_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = tried(capsys, "cdr", "list")
    assert code == 0
    by_name = {row["name"]: row for row in rows}
    assert "column.start" in by_name["delimited"]["options"]
    assert by_name["cucm"]["options"] == []
    assert all(row["summary"] for row in rows)
    assert main(["cdr"]) == 0
    assert "gw-accounting" in capsys.readouterr().out


def test_a_file_is_tried_with_a_sources_options(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = str(FIXTURES / "delimited.csv")
    code, rows = tried(capsys, "--config", str(write()), "cdr", "try", "--source", "branch", sample)
    assert code == 0
    assert [row["line"] for row in rows] == [2, 3, 4]
    assert rows[0]["leg"]["started_at"] == "2026-05-28T22:26:40+02:00"
    assert rows[0]["judged"] == {
        "direction": "outgoing",
        "from": "line",
        "to": "outside, trunk isdn",
        "outgoing number": "+390612345678",
    }
    assert rows[1]["judged"]["from"] == "outside, ISDN2 is not listed"
    assert [row["judged"]["direction"] for row in rows] == ["outgoing", "incoming", "internal"]


def test_what_would_be_rejected_is_shown_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Master.csv"
    file.write_bytes((FIXTURES / "asterisk.csv").read_bytes() + b"garbage\n")
    code, rows = tried(capsys, "cdr", "try", "--driver", "asterisk", str(file))
    assert code == 1
    assert [row["outcome"] for row in rows] == [*["taken"] * 3, "excluded", "rejected"]
    assert rows[4]["raw"] == "garbage"
    code, rows = tried(capsys, "cdr", "try", "--driver", "asterisk", "--rows", "2", str(file))
    assert (code, len(rows)) == (0, 2)
    assert main(["cdr", "try", "--driver", "asterisk", str(file)]) == 1
    out = capsys.readouterr().out
    assert "line 4: excluded: local channel" in out
    assert "calling number           301" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv"], "which driver?"),
        (["--driver", "delimited", "missing.csv"], "needs options"),
        (["--driver", "cube", str(FIXTURES / "cube.csv")], "needs options: trunks: is missing"),
        (["--driver", "nobody", "missing.csv"], "'nobody' is not installed"),
        (["--driver", "asterisk", "missing.csv"], "missing.csv"),
        (["--driver", "webex", str(FIXTURES / "asterisk.csv")], "set aside as a whole"),
        (["--driver", "asterisk", "--rows", "0", "missing.csv"], "--rows must be"),
    ],
)
def test_what_cannot_be_tried(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cdr", "try", *arguments]) != 0
    assert message in capsys.readouterr().err


def test_a_source_that_does_not_exist(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["--config", str(write()), "cdr", "try", "x.csv"]
    assert main([*config, "--source", "brunch"]) == 2
    assert "did you mean branch?" in capsys.readouterr().err
    assert main([*config, "--source", "branch", "--driver", "cucm"]) == 2


# --- from the row to the call -----------------------------------------------------------------------


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    return make_bed(tmp_path)


def take(bed: Bed, name: str, listed: tuple[str, ...], **options: str) -> list[tuple[Any, ...]]:
    bed.change(
        driver=driver(name, **options),
        trunks=(TrunkRule("pstn", TrunkRole.PSTN, "telco", listed),),
    )
    (bed.folder / f"{name}.csv").write_bytes((FIXTURES / f"{name}.csv").read_bytes())
    bed.take()
    return bed.rows("person", "side", "direction", "outcome", "duration", "cost")


def test_asterisk_a_forked_call_is_one_call_of_each_line(bed: Bed) -> None:
    bed.person("anna", "301")
    bed.person("queue", "600")
    assert take(bed, "asterisk", ("PJSIP/telco*",)) == [
        ("anna", "calling", "outgoing", "answered", 60, "0.40"),
        ("queue", "called", "incoming", "answered", 0, "0.00"),
        ("queue", "called", "incoming", "none", 60, "0.00"),
    ]
    counted = [row for row in bed.calls() if row["counted"]]
    assert [(row["person"], row["outcome"]) for row in counted] == [
        ("anna", "answered"),
        ("queue", "answered"),
    ]


def test_freeswitch(bed: Bed) -> None:
    bed.person("anna", "1000")
    bed.person("bert", "1001")
    bed.person("carl", "1002")
    found = take(bed, "freeswitch", ("public", "outside"), outside_numbers=r"^0\d{5,}")
    assert [row[:5] for row in found] == [
        ("anna", "calling", "internal", "answered", 47),
        ("bert", "called", "internal", "answered", 47),
        ("carl", "called", "incoming", "missed", 0),
        ("bert", "calling", "outgoing", "answered", 60),
    ]


def test_webex(bed: Bed) -> None:
    bed.person("anna", "2001")
    bed.person("bert", "2002")
    found = take(bed, "webex", ("webex-pstn",))
    assert [row[:5] for row in found] == [
        ("anna", "calling", "outgoing", "answered", 60),
        ("anna", "calling", "internal", "unanswered", 0),
        ("bert", "called", "internal", "missed", 0),
        ("bert", "called", "incoming", "answered", 7),
    ]


def test_cube(bed: Bed) -> None:
    bed.person("anna", "2001")
    found = take(bed, "cube", ("peer-200",), trunks="peer-200")
    assert [row[:5] for row in found] == [
        ("anna", "calling", "outgoing", "answered", 60),
        ("anna", "calling", "outgoing", "unanswered", 0),
    ]
    assert bed.ledger()[0]["excluded"] == 1


def test_the_legs_of_a_gateway_are_joined_by_the_conference_id(bed: Bed) -> None:
    """A call that came in from the carrier and was sent out to it again."""
    bed.change(
        driver=driver("cube", trunks="peer-200"),
        trunks=(TrunkRule("pstn", TrunkRole.PSTN, "telco", ("peer-200",)),),
    )
    rows = (FIXTURES / "cube.csv").read_text().splitlines()[:2]
    both = [row.replace('"100"', '"200"') for row in rows]
    (bed.folder / "cdr.gw").write_text("\n".join((*both, "")))
    bed.take()
    records = list(Record.select())
    assert len(records) == 2
    assert len({record.conversation for record in records}) == 1


@pytest.mark.parametrize("width", [16, 17, 18, 21])
def test_asterisk_files_by_account_beside_master_add_nothing(bed: Bed, width: int) -> None:
    bed.person("anna", "301")
    bed.change(
        driver=driver("asterisk"),
        trunks=(TrunkRule("pstn", TrunkRole.PSTN, "telco", ("PJSIP/telco*",)),),
    )
    whole = next(csv.reader((FIXTURES / "asterisk.csv").read_text("utf-8").splitlines()[:1]))
    with (bed.folder / "Master.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerow(whole[:width])
    bed.take()
    calls = bed.calls()
    assert len(calls) == 1
    with (bed.folder / "sales.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(whole[:width])
    bed.take()
    assert bed.calls() == calls
    assert [file["duplicate"] for file in bed.ledger()] == [0, 1]


@pytest.mark.parametrize(
    ("name", "suffix", "listed", "people", "expected"),
    [
        (
            "3cx",
            "csv",
            ("1000*",),
            ("301", "302"),
            {
                ("301", "calling", "outgoing", 60),
                ("302", "called", "incoming", 0),
                ("301", "calling", "internal", 7),
                ("302", "called", "internal", 7),
                ("302", "called", "incoming", 20),
            },
        ),
        (
            "avaya-ipoffice",
            "csv",
            ("T9*",),
            ("301", "302"),
            {
                ("302", "calling", "outgoing", 60),
                ("301", "called", "incoming", 13),
                ("301", "calling", "internal", 0),
                ("302", "called", "internal", 0),
                ("301", "calling", "internal", 30),
                ("302", "called", "internal", 30),
            },
        ),
        (
            "avaya-cm",
            "txt",
            ("101", "004"),
            ("30101", "30102", "30103"),
            {
                ("30101", "calling", "outgoing", 60),
                ("30102", "called", "incoming", 12),
                ("30101", "calling", "internal", 642),
                ("30103", "called", "internal", 642),
                ("30102", "calling", "outgoing", 0),
            },
        ),
        (
            "mitel",
            "txt",
            ("T0*",),
            ("214", "301", "302"),
            {
                ("214", "calling", "outgoing", 509),
                ("301", "called", "incoming", 60),
                ("301", "calling", "outgoing", 240),
                ("301", "calling", "internal", 0),
                ("302", "called", "internal", 0),
            },
        ),
        (
            "fixed-width",
            "txt",
            ("trunk",),
            ("301", "302"),
            {
                ("301", "calling", "outgoing", 60),
                ("302", "called", "incoming", 0),
                ("301", "calling", "internal", 7),
                ("302", "called", "internal", 7),
            },
        ),
        (
            "kamailio",
            "log",
            ("sip.telco.example", "192.0.2.9"),
            ("2001", "2002", "2003"),
            {
                ("2001", "calling", "outgoing", 60),
                ("2002", "called", "incoming", 10),
                ("2001", "calling", "internal", 0),
                ("2003", "called", "internal", 0),
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) > 3 else "",
)
def test_from_the_row_to_the_call(
    bed: Bed,
    name: str,
    suffix: str,
    listed: tuple[str, ...],
    people: tuple[str, ...],
    expected: set[tuple[Any, ...]],
) -> None:
    for number in people:
        bed.person(f"p{number}", number)
    options = dict(SAMPLES[name][2])
    if name == "kamailio":
        options["trunks"] = " ".join(listed)
    bed.change(
        driver=driver(name, **options),
        trunks=(TrunkRule("pstn", TrunkRole.PSTN, "telco", listed),),
        quality=None,
    )
    path = bed.folder / f"{name}.{suffix}"
    path.write_bytes((FIXTURES / path.name).read_bytes())
    bed.now = NEW_YEAR + 86_400
    os.utime(path, (NEW_YEAR, NEW_YEAR))
    bed.take()
    assert not list(Reject.select())
    found = bed.rows("line", "side", "direction", "duration")
    assert {row for row in found if row[1] in ("calling", "called")} == expected


@pytest.mark.parametrize(("name", "suffix"), [("mitel", "txt"), ("avaya-cm", "txt")])
def test_a_trial_takes_the_year_from_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, suffix: str
) -> None:
    path = tmp_path / f"{name}.{suffix}"
    path.write_bytes((FIXTURES / path.name).read_bytes())
    os.utime(path, (NEW_YEAR, NEW_YEAR))
    assert main(["cdr", "try", "--json", "--driver", name, str(path)]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["outcome"] for row in rows} == {"taken"}
    assert {row["leg"]["ended_at"][:4] for row in rows} <= {"2026", "2027"}


def test_a_trial_of_call_quality_and_of_a_compressed_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = FIXTURES.parent / "cucm15"
    quality = folder / "cmr_StandAloneCluster_01_202604021200_1"
    packed = tmp_path / "records.gz"
    packed.write_bytes(gzip.compress((folder / quality.name.replace("cmr", "cdr")).read_bytes()))
    assert main(["cdr", "try", "--json", "--driver", "cucm", str(quality)]) == 0
    (first, second) = json.loads(capsys.readouterr().out)
    assert (first["outcome"], first["quality"]["packets_lost"]) == ("taken", 0)
    assert second["quality"]["concealment"] == "0.0011"
    assert main(["cdr", "try", "--json", "--driver", "cucm", str(packed)]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["line"] for row in rows] == [3, 4, 5]


def test_a_trial_of_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cdr", "try", "--driver", "cucm", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"syncd: {tmp_path} cannot be read: Is a directory\n"
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(bytes(range(256)) * 40)[:-20])
    assert main(["cdr", "try", "--driver", "cucm", str(cut)]) == 1
    assert "cut short" in capsys.readouterr().err
