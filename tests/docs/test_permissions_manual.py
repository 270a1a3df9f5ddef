"""The manual of permissions names every way in and out, and what it tells to type can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from syncd.cli.access_rights import ACTIONS
from syncd.cli.main import build_parser
from syncd.domain.codes import LEVELS
from syncd.reports.classification import JOBS, OUTPUTS, PAGES, VERBS, Way

TEXT = (Path(__file__).parents[2] / "docs" / "permissions.md").read_text("utf-8")
COMMANDS = [
    re.split(r" {3,}", line)[0]
    for block in re.findall(r"^```\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command: str) -> None:
    program, *words = shlex.split(command)
    assert program == "syncd"
    assert build_parser(complete=True).parse_args(words).verb == words[0]


def test_every_action_and_level_is_named() -> None:
    for action in set(ACTIONS) - {"list"}:
        assert re.search(rf"^syncd access {action}\b", TEXT, re.MULTILINE), action
    for level, name in LEVELS.items():
        assert re.search(rf"^\| {level} \| {name} \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize("way", [*VERBS, *JOBS, *OUTPUTS, *PAGES], ids=lambda way: way.name)
def test_every_way_in_and_out_is_named(way: Way) -> None:
    """The tables are written by make render; their rows are compared by make check."""
    assert f"| `{way.name}` |" in TEXT
