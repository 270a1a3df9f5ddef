"""The price list that the manual shows is loaded as the manual says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from syncd.billing.deck import load_deck
from syncd.billing.rating import price
from syncd.cli.main import main
from syncd.domain.rate import Rounding

ROOT = Path(__file__).parents[2]
INI = """
[syncd]
state_directory = state
timezone = Europe/Rome
currency = EUR

[carrier:telco]
"""


def test_the_price_list_of_the_manual(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manual = (ROOT / "docs" / "billing.md").read_text("utf-8")
    chapter = manual.partition("### Price lists of carriers")[2].partition("\n### ")[0]
    blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL))
    ini = tmp_path / "syncd.ini"
    ini.write_text(INI + blocks["ini"], encoding="utf-8")
    prices = tmp_path / "prices.csv"
    prices.write_text(blocks["text"], encoding="utf-8")
    typed, *said, line = blocks["console"].splitlines()
    arguments = typed.removeprefix("$ syncd ").replace("prices.csv", str(prices)).split()
    assert main(["--config", str(ini), *arguments]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{line}\n"
    assert printed.err == "\n".join(said).replace("/etc/syncd", str(tmp_path)) + "\n"
    rates = {rate.prefix: rate for rate in load_deck(tmp_path / "tariffs/telco-2026-03-01.csv")}
    assert sorted(rates) == ["39", "39320", "39321", "39322", "39323", "4420"]
    assert price(rates["39321"], 31, Rounding("half-up", 6)).micros == 75_000
    assert rates["4420"].destination == "Great Britain London"
