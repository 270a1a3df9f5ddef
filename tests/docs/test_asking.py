"""The manual of reports names all that can be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.domain.party import CUSTOM_FIELDS
from syncd.reports.comparisons import known_keys
from syncd.reports.dimensions import DERIVED, DIMENSIONS, MEASURES
from syncd.reports.named_periods import COMPARED, NAMES
from syncd.reports.request import OPTIONS

MANUAL = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "word",
    sorted(
        {*NAMES, *MEASURES, *DERIVED, *DIMENSIONS, *known_keys({})} - set(CUSTOM_FIELDS)
        | {option.removeprefix("--") for option in OPTIONS.values()} - {"subtotals"}
    ),
)
def test_each_word_is_in_the_manual(word: str) -> None:
    assert f"`{word}`" in MANUAL or f"`--{word} " in MANUAL


@pytest.mark.parametrize("word", COMPARED)
def test_each_comparison_is_in_the_manual(word: str) -> None:
    assert f"`--compare {word}`" in MANUAL
