"""Every way in and out stands in the table of ``reports/classification.py``, and nothing else does;
verbs do what it says of whom they are for."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import syncd
from syncd.cli.main import VERBS as KNOWN_VERBS
from syncd.cli.main import build_parser, main
from syncd.daemon import jobs
from syncd.reports.catalogue.standard import catalogue
from syncd.reports.classification import JOBS, OUTPUTS, PAGES, VERBS, Changes, Needs, Way, verb_way
from syncd.reports.permissions import REQUIRED_LEVELS
from syncd.reports.render import outputs
from tests.support.contract import PEOPLE, Company


def leaves(parser: argparse.ArgumentParser, path: str = "") -> Iterator[tuple[str, bool]]:
    """Yield each verb with its action, and whether it has ``--as``."""
    below = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if below:
        for name, child in below[0].choices.items():
            yield from leaves(child, f"{path} {name}".strip())
        return
    by_viewer = any("--as" in one.option_strings for one in parser._actions)
    words = next((one.choices for one in parser._actions if one.dest == "action"), None)
    if words is None:
        yield path, by_viewer
    for word in words or ():
        yield f"{path} {word}", by_viewer


FOUND = dict(leaves(build_parser(complete=True)))


def names(ways: tuple[Way, ...]) -> list[str]:
    found = [way.name for way in ways]
    assert len(set(found)) == len(found)
    return sorted(found)


def test_every_verb_and_action_is_classified_and_no_row_is_stale() -> None:
    assert names(VERBS) == sorted(FOUND)
    assert {way.name.split()[0] for way in VERBS} == {verb.name for verb in KNOWN_VERBS}


def test_every_unit_of_work_of_the_daemon_is_classified() -> None:
    assert names(JOBS) == sorted(jobs.FAILED)


def test_every_output_is_classified() -> None:
    assert names(OUTPUTS) == sorted(outputs.OUTPUTS)


def test_every_page_of_the_daemon_is_classified() -> None:
    found = set()
    for path in Path(syncd.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Dict) and path.parent.name == "daemon":
                found |= {
                    one.value
                    for one in node.keys
                    if isinstance(one, ast.Constant) and str(one.value).startswith("/")
                }
    assert names(PAGES) == sorted(found)


@pytest.mark.parametrize("way", [*VERBS, *JOBS, *OUTPUTS, *PAGES], ids=lambda way: way.name)
def test_its_door_is_a_module(way: Way) -> None:
    assert find_spec(f"syncd.{way.door}") is not None


@pytest.mark.parametrize("way", VERBS, ids=lambda way: way.name)
def test_who_it_is_for_can_be_named(way: Way) -> None:
    """Where a level counts there is --as, and nowhere else: an option that nobody heeds lies."""
    for_viewers = way.needs is Needs.REPORT or isinstance(way.needs, str)
    assert FOUND[way.name] == for_viewers


def test_every_level_is_one_of_a_report_or_a_verb() -> None:
    known = {way.needs for way in VERBS if isinstance(way.needs, str)}
    known |= set(catalogue({}))
    assert set(REQUIRED_LEVELS) - known == set()


def test_a_verb_without_action_is_its_list() -> None:
    assert verb_way("person", None) is verb_way("person", "list")
    assert verb_way("reprocess", "run") is verb_way("reprocess", None)
    assert verb_way("retention", None) is verb_way("retention", "show")
    assert verb_way("nothing", None) is None
    assert verb_way("person", "nothing") is None


# --- what the table says is what happens ---------------------------------------------------------

WORDS = {
    "call show": ["202603-00000000-calling"],
    "person show": ["anna"],
    "person history": ["anna"],
    "person add": ["new"],
    "person set": ["anna", "language", "it"],
    "person lock": ["anna", "masked_digits", "1", "--reason", "x"],
    "person unlock": ["anna", "masked_digits"],
    "person anonymise": ["anna"],
    "person assign": ["anna", "2999", "--since", "2026-03-01"],
    "person move": ["anna", "--department", "X", "--since", "2026-03-01"],
    "department rename": ["Sales", "Vendite"],
    "department merge": ["Sales", "Support"],
    "access explain": ["anna"],
    "access set": ["anna", "--level", "8", "--reason", "x"],
    "files retry": ["x"],
    "rejects show": ["1"],
    "rejects retry": ["1"],
    "rejects drop": ["1", "--reason", "x"],
    "reprocess": ["--from", "2026-03-01", "--to", "2026-04-01"],
    "rerate": ["--from", "2026-03-01", "--to", "2026-04-01"],
    "period close": ["2026-02"],
    "period show": ["2026-02"],
    "period run": ["2026-02"],
    "period reopen": ["2026-02"],
    "explain": ["202603-00000000-calling"],
    "budget show": ["x"],
    "budget history": ["x"],
    "invoice check": ["x.csv", "--carrier", "telco"],
    "charge-back": ["--period", "2026-02", "--to", "out"],
    "schedule add": ["x", "by-person", "--when", "daily at 07:00"],
    "schedule show": ["x"],
    "schedule remove": ["x"],
    "schedule pause": ["x"],
    "schedule resume": ["x"],
    "schedule run": ["x"],
    "alarm test": ["x"],
    "mail test": ["a@example.com"],
    "report": ["calls"],
}
"""What a verb cannot be given without."""

GUARDED = [way for way in VERBS if way.level is not None]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    made = Company(tmp_path_factory.mktemp("classified"))
    made.use_ldif(PEOPLE)
    made.ok("sync")
    return made


@pytest.mark.parametrize("way", GUARDED, ids=lambda way: way.name)
def test_nobody_below_its_level_gets_anything(way: Way, company: Company) -> None:
    words = [*way.name.split(), *WORDS.get(way.name, [])]
    if words[0] == "call" or words[0] == "budget":
        words += ["--as"]
    else:
        words = [words[0], *words[1:], "--as"]
    for viewer in ("dario", "noemi", "nobody"):
        answer = company.run(*words, viewer)
        assert (answer.code, answer.out) == (1, "")
        assert answer.err == f"syncd: No billing data is available to {viewer}.\n"
    levels = {"hugo": 2, "bruno": 6, "elena": 8}
    for viewer, level in levels.items():
        if level >= (way.level or 0):
            continue
        answer = company.run(*words, viewer)
        assert (answer.code, answer.out) == (1, ""), answer
        assert answer.err.endswith(f" is not available to {viewer}.\n")
        assert answer.err.count("\n") == 1


def test_what_changes_something_is_for_level_10_whatever_the_settings_say(
    company: Company,
) -> None:
    for way in VERBS:
        if way.changes is not Changes.NOTHING and isinstance(way.needs, str):
            assert way.level == 10, way.name
    company.set("report:files", level="2")
    try:
        assert company.run("files", "--as", "hugo").code == 0
        refused = company.run("files", "retry", "x", "--as", "hugo")
        assert refused.err == "syncd: The verb files is not available to hugo.\n"
    finally:
        company.set("report:files", level="10")


@pytest.mark.parametrize(
    "words", [["completion", "bash"], ["completion", "zsh"], ["cdr", "list"], ["--help"]]
)
def test_what_needs_nothing_knows_nothing(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What tells nothing of the installation looks at none: completion names no person."""
    before = sorted(tmp_path.iterdir())
    assert main(["--config", str(tmp_path / "none.ini"), *words]) == 0
    assert capsys.readouterr().out
    assert sorted(tmp_path.iterdir()) == before
