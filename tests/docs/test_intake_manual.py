"""What the manuals of intake and licence name is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from syncd.application.plugins import DRIVERS, plugin_names
from syncd.calls import analysis, attribution, excluding
from syncd.cdr import spool
from syncd.cdr.ledger import Counters
from syncd.cdr.parts import traits
from syncd.domain.codes import FileState, Side
from syncd.domain.leg import TOO_LONG, CdrDriver
from syncd.licensing import settlement
from tests.integration import test_accidents
from tests.support.driver_samples import SAMPLES
from tests.support.drivers import driver

DOCS = Path(__file__).parents[2] / "docs"
SOURCE = DOCS.parent / "syncd"
INTAKE = (DOCS / "intake.md").read_text("utf-8")
LICENSING = (DOCS / "licensing.md").read_text("utf-8")

NOT_BILLED = {
    analysis.BILLING_OFF,
    analysis.NOT_CONFIGURED,
    analysis.NOT_INTERNAL,
    analysis.NO_DEVICE,
    analysis.SHARED_PILOT,
    analysis.TO_VOICEMAIL_ONLY,
    analysis.NO_LINE,
    attribution.AMBIGUOUS,
}
EXCLUDED = {
    "recording",
    "monitoring",
    "message waiting",
    "mobility attempt",
    analysis.RECORDER_RULE,
    analysis.INTERNAL_RULE,
    excluding.EXCLUDED_NUMBER,
}


def table(heading: str) -> set[str]:
    """Return the first cells, without quotes, of the table below a heading."""
    part = INTAKE.split(f"### {heading}\n")[1].split("\n#")[0]
    return set(re.findall(r"^\| `(.+?)` \|", part, re.MULTILINE))


def test_every_reason_has_a_row() -> None:
    assert table("Not billed") == NOT_BILLED
    assert table("Excluded") == EXCLUDED


def test_every_rejected_reason_is_in_the_code() -> None:
    code = " ".join(
        (SOURCE / name).read_text("utf-8")
        for name in ("cdr/drivers/cucm.py", "cdr/ledger.py", "calls/batch.py")
    )
    code = re.sub(r'"\s*\n\s*f?"', "", code) + TOO_LONG
    reasons = table("Rejected")
    assert len(reasons) == 12
    for reason in reasons:
        for part in re.split(r"'?…'?", reason):
            assert part.strip(" '") in code, reason


def test_every_accident_has_its_test() -> None:
    part = INTAKE.split("## Accidents\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \|", part, re.MULTILINE)[1:]
    assert len(rows) > 30
    names = {re.sub(r"[^a-z0-9]+", "_", row.lower()).strip("_") for row in rows}
    here = {name.removeprefix("test_") for name in dir(test_accidents) if name.startswith("test_")}
    assert here | set(test_accidents.ELSEWHERE) == names
    for place in test_accidents.ELSEWHERE.values():
        file, _, name = place.partition("::")
        assert f"def {name}(" in (DOCS.parent / "tests" / file).read_text("utf-8"), place


def test_which_drivers_read_growing_files() -> None:
    part = INTAKE.split("## Files that grow\n")[1].split("\n* ")[0]
    named = set(re.findall(r"`([a-z0-9-]+)`", part))
    assert named == {name for name in plugin_names(DRIVERS) if traits(configured(name)).grows}


def configured(name: str) -> CdrDriver:
    """Return a driver as it is tried with its sample."""
    return driver(name, **SAMPLES[name][2])


@pytest.mark.parametrize("state", FileState.words())
def test_every_state_of_a_file(state: str) -> None:
    assert f"| `{state}` |" in INTAKE


@pytest.mark.parametrize("name", [name for name in Counters.__slots__ if name != "read"])
def test_every_counter(name: str) -> None:
    assert f"`{name}`" in INTAKE


@pytest.mark.parametrize("side", Side.words())
def test_every_side(side: str) -> None:
    assert f"`{side}`" in INTAKE


def test_unfinished_names() -> None:
    for part in (*spool.UNFINISHED_PREFIXES, *spool.UNFINISHED_SUFFIXES):
        assert f"`{part}`" in INTAKE


def test_reasons_of_slots() -> None:
    reasons = re.findall(r'"((?:billed|acquired) [a-z ]+)"', LICENSING)
    code = Path(settlement.__file__).read_text("utf-8")
    assert len(reasons) == 2
    for reason in reasons:
        assert reason.replace(" first ", " {claim.key.role.word} ") in code


@pytest.mark.parametrize("text", [INTAKE, LICENSING], ids=["intake", "licensing"])
def test_links_lead_somewhere(text: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)", text)
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []
