"""What a user can get wrong in the settings and the files that they name: exit 78, all mistakes at
once, each with file, line, option, what is wrong and what would be right; and never a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.contract import INI, PEOPLE, TARIFF, Company, internal, outgoing


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.use_ldif(PEOPLE)
    return made


def complaints(company: Company, *words: str) -> list[str]:
    """Return the problems that ``check-config`` names, without the warnings."""
    answer = company.run(*(words or ("check-config",)))
    assert answer.code == 78, answer
    assert "Traceback" not in answer.err
    return [line for line in answer.err.splitlines() if not line.startswith(("warning:", "syncd:"))]


def line_of(path: Path, text: str) -> int:
    """Return the number of the one line that begins with a text."""
    lines = path.read_text().splitlines()
    (number,) = (at for at, line in enumerate(lines, 1) if line.startswith(text))
    return number


def test_the_settings_work_as_written(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.ini.write_text(INI.format(url="ldap://127.0.0.1:1389"))
    answer = company.ok("check-config")
    assert str(company.ini) in answer.out
    shown = company.ok("check-config", "--show", "--origin").out
    line = line_of(company.ini, "max_departures")
    assert f"max_departures = 10% ; {company.ini}:{line}" in shown


def test_what_is_shown_can_be_read_again(company: Company) -> None:
    company.set("custom-fields", custom1=r"Project 100% \; more ; a comment")
    shown = company.ok("check-config", "--show").out
    company.ini.write_text(shown)
    assert company.ok("check-config", "--show").out == shown


def test_comments_semicolons_and_percent_signs(company: Company) -> None:
    company.set(
        "custom-fields",
        custom1=r"Project\; 100% %(x)s ;not shown",
        custom2="a;b  ; not shown",
    )
    company.set("map:corp", custom2="carLicense")
    company.ok("sync")
    company.take(internal("i", "2026-03-10T10:00:00+01:00", "2001", "2002", talk=5))
    answer = company.ok("report", "calls", "--from", "2026-03-01", "--to", "2026-04-01")
    assert "not shown" not in answer.out
    labels = company.ok("check-config", "--json").json["configured"]["custom_fields"]
    assert labels == {"custom1": "Project; 100% %(x)s", "custom2": "a;b"}


def test_every_mistake_of_one_file_is_named_at_once(company: Company) -> None:
    """Unknown and missing options, bad values, names that lead nowhere, mappings, and files."""
    text = company.ini.read_text()
    for right, wrong in (
        ("timezone = Europe/Rome             ; days", "timezon = Europe/Rome ; days"),
        ("max_departures = 10%", "max_departures = ten"),
        ("first_extension = telephoneNumber", "first_extension = telephoneNumber =~ (("),
        ("bill_fax = no", 'bill_fax = "no'),
        ("country = IT", "country = Italy"),
        ("carrier = telco", "carrier = telko"),
        ("rounding = half-up 4", "rounding = half-upp 4"),
        ("driver = cucm ", "driver = cuccm "),
        ("settle = 10 seconds", "settle = 10 fortnights"),
        ("slots = 250", "slots = lots"),
        ("level6_basis = department", "level6_basis = departement"),
        ("[custom-fields]", "[custom-field]"),
    ):
        assert text.count(right) == 1, right
        text = text.replace(right, wrong)
    company.ini.write_text(text)
    (company.home / "tariffs/telco.csv").write_text(TARIFF.replace("0.02,60", "dear,60"))
    found = complaints(company)
    ini = str(company.ini)
    for start, option, hint in (
        ("timezon ", "[syncd] timezon", "did you mean timezone?"),
        ("max_departures", "[directory:corp] max_departures", "%"),
        ("first_extension", "[map:corp] first_extension", ""),
        ("bill_fax", "[map:corp] bill_fax", ""),
        ("country", "[site:hq] country", "IT"),
        ("carrier = ", "[trunk:pstn] carrier", "did you mean telco?"),
        ("rounding", "[carrier:telco] rounding", "did you mean half-up?"),
        ("driver", "[cdr:hq] driver", "did you mean cucm?"),
        ("settle", "[cdr:hq] settle", "10 seconds"),
        ("slots", "[licensing] slots", ""),
        ("level6_basis", "[reports] level6_basis", "did you mean department?"),
        ("[custom-field]", "[custom-field]", "did you mean [custom-fields]?"),
    ):
        place = f"{ini}:{line_of(company.ini, start)}: {option}: "
        (complaint,) = (line for line in found if line.startswith(place))
        assert hint in complaint.removeprefix(place), complaint
    assert any(
        line.startswith(f"{ini}:") and "[syncd] timezone: is missing" in line for line in found
    )
    deck = str(company.home / "tariffs/telco.csv")
    assert any(line.startswith(f"{deck}:2: price") for line in found)
    assert len(found) == 14


@pytest.mark.parametrize("verb", ["sync", "ingest", "report", "licence", "files", "run"])
def test_no_verb_works_with_settings_that_are_wrong(company: Company, verb: str) -> None:
    company.set("licensing", slots="lots", automatic_acquisiton="yes")
    words = [verb, "calls"] if verb == "report" else [verb]
    found = complaints(company, *words)
    assert any("[licensing] slots" in line for line in found)
    assert any("did you mean automatic_acquisition?" in line for line in found)
    assert not (company.home / "state").exists()


OPTIONS = [
    (number, line.split(" = ")[0])
    for number, line in enumerate(INI.splitlines())
    if re.match(r"[a-z]\S* = ", line)
]


@pytest.mark.parametrize("value", ["", "\N{PILE OF POO} no such", '"', "-1"])
def test_any_option_can_be_wrong_without_a_traceback(company: Company, value: str) -> None:
    company.ini.write_text(INI.format(url="ldap://127.0.0.1:1389"))
    lines = company.ini.read_text().splitlines()
    for number, option in OPTIONS:
        changed = [*lines]
        changed[number] = f"{option} = {value}"
        company.ini.write_text("\n".join(changed) + "\n")
        answer = company.run("check-config")
        assert answer.code in (0, 78), (option, answer)
        if answer.code == 78:
            # An account without a password is a mistake of either line.
            pair = option.startswith("bind_") and not value
            places = range(number, number + 3) if pair else (number + 1,)
            assert any(f"{company.ini}:{place}: " in answer.err for place in places), answer.err


def test_each_line_can_be_left_out_without_a_traceback(company: Company) -> None:
    lines = INI.format(url="ldap://127.0.0.1:1389").splitlines()
    for number in range(len(lines)):
        company.ini.write_text("\n".join(lines[:number] + lines[number + 1 :]) + "\n")
        answer = company.run("check-config")
        assert answer.code in (0, 78), lines[number]
        assert (answer.code == 78) == ("syncd: " in answer.err), lines[number]


def test_form_and_content_are_complained_about_together(company: Company) -> None:
    company.set("licensing", slots="lots")
    text = company.ini.read_text()
    company.ini.write_text("stray\n" + text + "\n[broken\n[site:hq]\ncountry = IT\ncountry = FR\n")
    found = "\n".join(complaints(company))
    lines = len(text.splitlines()) + 1
    for place in (1, lines + 2, lines + 3, lines + 5):
        assert f"{company.ini}:{place}: " in found
    assert "[licensing] slots" in found


def test_plaintext_needs_a_word(tmp_path: Path) -> None:
    company = Company(tmp_path)
    text = INI.format(url="ldap://127.0.0.1:1389").replace("allow_plaintext_bind = yes\n", "")
    company.ini.write_text(text)
    (complaint,) = complaints(company)
    assert "[directory:corp] tls" in complaint
    assert "allow_plaintext_bind = yes" in complaint


@pytest.mark.parametrize(
    "name", ["syncd.ini", "tariffs/telco.csv", "people.ldif"], ids=["ini", "tariff", "ldif"]
)
def test_an_unreadable_file_is_named(company: Company, name: str) -> None:
    (company.home / name).unlink()
    (complaint,) = complaints(company)
    assert str(company.home / name) in complaint
    assert "cannot be read" in complaint


def test_a_senseless_tariff_is_refused_whole_with_every_row(company: Company) -> None:
    company.ok("sync")
    rows = TARIFF.splitlines()
    rows += [
        "39,Italy again,national,0,0.01,60,1,1,0",
        "+44,Britain,international,0,0.01,60,1,1,0",
        "45,Denmark,international,-1,0.01,60,1,1,0",
        "46,Sweden,international,0,cheap,60,1,1,0",
        "47,Norway,international,0,0.01,0,1,1,0",
        "48,Poland,far,0,0.01,60,1,1,0",
        "420,Czechia,international,0,0.01,60,1,0,0",
        "421,Slovakia,international,0,0.01,60",
    ]
    deck = company.home / "tariffs/telco.csv"
    deck.write_text("\n".join(rows) + "\n")
    found = complaints(company)
    assert len(found) == 8
    for number in range(8, 16):
        assert any(line.startswith(f"{deck}:{number}: ") for line in found), number
    company.deliver([outgoing("o", "2026-03-10T10:00:00+01:00", "2001", "03331234567", talk=1)])
    assert company.run("ingest", "--no-settle").code == 78
    deck.write_text(TARIFF)
    assert company.take()[0]["calls"] == 1


def test_tariffs_that_overlap_in_time_are_refused(company: Company) -> None:
    line = "tariffs/telco.csv from 2026-01-01"
    text = company.ini.read_text()
    company.ini.write_text(text.replace(line, f"{line}\ntariff.other = {line}"))
    (complaint,) = complaints(company)
    assert "[carrier:telco] tariff.other" in complaint


def test_a_sentence_and_no_traceback_for_a_wrong_command_line(company: Company) -> None:
    for words in (
        ("sync", "crop"),
        ("ingest", "h"),
        ("no-such-verb",),
        ("report",),
        ("sync", "--check", "--dry-run"),
        ("explain", "nonsense"),
    ):
        answer = company.run(*words)
        assert answer.code in ((2,) if words != ("report",) else (0,)), words
        assert "Traceback" not in answer.err
