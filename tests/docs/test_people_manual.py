"""What the manual of people tells to type can be typed, and names every action."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from syncd.cli.main import build_parser
from syncd.cli.person import ACTIONS, ROLE_WORDS

TEXT = (Path(__file__).parents[2] / "docs" / "people.md").read_text("utf-8")
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


def test_every_action_and_role_is_named() -> None:
    for action in ACTIONS:
        assert re.search(rf"^syncd person {action}\b", TEXT, re.MULTILINE), action
    for role in ROLE_WORDS:
        assert f"`{role}`" in TEXT
