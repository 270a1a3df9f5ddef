"""A bed with three people and the same configuration as an INI file, to run the command line on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from syncd.cli.main import main
from syncd.domain.money import parse_micros
from syncd.store.database import open_database
from syncd.store.models import Record, database
from tests.support.bed import START, Bed, make_bed

INI = """
[syncd]
state_directory = state
timezone = Europe/Rome
currency = EUR

[database]
url = sqlite:///test.db

[site:hq]
country = IT
area_code = 06
access_code = 0
internal_numbers = 2XXX 3XXX 6XXX
rule.1 = +393339 premium

[trunk:pstn]
site = hq
devices = S0/SU* SIP-PSTN*
role = pstn
carrier = telco

[trunk:old-pbx]
site = hq
devices = SIP-TIE
role = tie

[trunk:voicemail]
site = hq
devices = SIP-VM
role = voicemail

[carrier:telco]
tariff.2026 = telco.csv from 2026-01-01
rounding = half-up 4

[cdr:hq]
driver = cucm
folder = drop
site = hq

[licensing]
slots = unlimited
automatic_acquisition = no
"""


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@dataclass
class World:
    """A bed, and the same configuration as an INI file for the command line."""

    bed: Bed
    ini: Path
    read: Callable[[], tuple[str, str]]

    def run(self, *arguments: str) -> Ran:
        held = database.obj
        code = main(["--config", str(self.ini), *arguments])
        ran = Ran(code, *self.read())
        held.close()
        open_database("sqlite:///test.db", self.bed.context.state_directory)
        return ran

    def json(self, *arguments: str) -> Any:
        ran = self.run(*arguments, "--json")
        assert (ran.code, ran.err) == (0, "")
        return json.loads(ran.out)

    def rows(self, *more: str) -> list[dict[str, Any]]:
        """Return the rows of the call list, the first one first."""
        period = ("--from", "2026-05-01", "--to", "2026-07-01")
        rows: list[dict[str, Any]] = self.json("report", "calls", *period, *more)["rows"]
        return rows[::-1]

    def row(self, side: str, person: str | None, at: int = 0) -> dict[str, Any]:
        """Return the one row of a person's side of a record that started ``at`` seconds."""
        (found,) = (
            row
            for row in self.rows()
            if (row["side"], row["person"]) == (side, person)
            and datetime.fromisoformat(row["started_at"]).timestamp() == START + at
        )
        return found

    def explain(self, row: dict[str, Any], *more: str) -> dict[str, Any]:
        """Explain a row, and check what is true of every explanation."""
        answer: dict[str, Any] = self.json("explain", row["id"], *more)
        assert list(answer) == [
            "call",
            "purpose",
            "posting",
            "allowances",
            "attribution",
            "licence",
            "account",
            "quality",
            "number",
            "tariff",
            "arithmetic",
            "shares",
            "price",
            "stored_price",
            "same",
        ]
        if answer["price"] is not None:
            assert sum(step["micros"] for step in answer["arithmetic"]) == answer["price"]
            if answer["shares"]:
                assert sum(share["micros"] for share in answer["shares"]) == answer["price"]
        if row["cost"] is None:
            assert answer["stored_price"] is None
        else:
            assert answer["stored_price"] == parse_micros(row["cost"])
        return answer

    def record(self, call: int) -> str:
        """Return the public id of a record by its PBX call id."""
        from syncd.domain.call_id import format_conversation_id

        record = Record.get(Record.call_ref == (1 << 32 | call))
        return format_conversation_id(record.started_at, record.key_hash)

    def option(self, old: str, new: str) -> None:
        text = self.ini.read_text(encoding="utf-8")
        assert old in text
        self.ini.write_text(text.replace(old, new), encoding="utf-8")


def make_world(root: Path, read: Callable[[], tuple[str, str]]) -> World:
    """Return a world in a folder, given what reads stdout and stderr: Anna and Carla of Sales,
    Carla of level 6, Bruno of Support."""
    bed = make_bed(root)
    bed.person("anna", "2001", department="Sales", level=2)
    bed.person("bruno", "2002", department="Support", level=2)
    bed.person("carla", "2003", department="Sales", level=6)
    ini = root / "syncd.ini"
    ini.write_text(INI, encoding="utf-8")
    return World(bed, ini, read)
