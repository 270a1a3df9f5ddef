"""What README and first steps tell to write and to type is right."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from syncd.billing.deck import load_deck
from syncd.billing.rating import price
from syncd.cli.main import VERBS
from syncd.domain.rate import Rounding
from syncd.settings.load import load

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "README.md", ROOT / "docs" / "first-steps.md"]


def blocks(guide: Path, language: str = "") -> list[str]:
    """Return the code blocks of a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", guide.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [text for tag, text in found if tag == language]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_configurations_load_without_a_warning(guide: Path, tmp_path: Path) -> None:
    [text] = blocks(guide, "ini")
    ini = tmp_path / "syncd.ini"
    ini.write_text(text.replace("/srv/cdr", str(tmp_path)))
    for folder in ("drop/hq", "hq", "tariffs"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("bind.secret", "telco.csv", "tariffs/telco.csv"):
        (tmp_path / file).touch(mode=0o600)
    settings = load(ini)
    assert settings.warnings == ()
    assert list(settings.cdr) == ["hq"]
    assert list(settings.directories) == ["corp"]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_verbs_exist(guide: Path) -> None:
    text = "\n".join(blocks(guide))
    named = set(re.findall(r"^(?:\$ )?syncd ([a-z-]+)", text, re.MULTILINE))
    named |= set(re.findall(r"`syncd ([a-z-]+)", guide.read_text("utf-8")))
    assert {"check-config", "sync", "report", "licence"} <= named
    assert named <= {verb.name for verb in VERBS}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_links_lead_somewhere(guide: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", guide.read_text("utf-8"))
    assert links
    assert [link for link in links if not (guide.parent / link).exists()] == []


def test_the_first_rate_deck_prices_as_it_is_told(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "first-steps.md").read_text("utf-8")
    [deck] = [block for block in blocks(ROOT / "docs" / "first-steps.md") if "prefix," in block]
    file = tmp_path / "telco.csv"
    file.write_text(deck)
    london = next(rate for rate in load_deck(file) if rate.prefix == "44")
    said = re.search(r"of (\d+) s is charged .* = (\d+\.\d+)\.", text, re.DOTALL)
    assert said is not None
    micros = int(Decimal(said[2]) * 1_000_000)
    assert price(london, int(said[1]), Rounding()).micros == micros
