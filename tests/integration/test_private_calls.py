"""Private calls: charged to who made them, and no output but theirs has the number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncd.billing.numbering import Numbering
from syncd.calls.alone import decide_alone
from syncd.calls.directory_view import rules_of
from syncd.calls.pricing import Pricer
from syncd.calls.private import private_row
from syncd.domain.charging import Charging
from syncd.domain.leg import Leg
from syncd.store.maintenance import verify
from syncd.store.models import Party, PrivateRecord, Record, database
from syncd.store.rollups import ensure_zone, rebuild
from tests.integration.test_reprocess import reprocess
from tests.support.bed import ROME
from tests.support.phones import GATEWAY, SPLIT, leg, transferred
from tests.support.world import World, make_world

SECRET = "3339876543"
DIALLED = f"80{SECRET}"
BUSINESS = "03331234567"
PERIOD = ("--from", "2026-05-01", "--to", "2026-07-01")
SITE = "internal_numbers = 2XXX 3XXX 6XXX"


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    made = make_world(tmp_path, lambda: tuple(capsys.readouterr()))
    made.bed.person("emil", "2005", department="Board", level=8)
    made.bed.person("dora", "2006", department="Board", level=10)
    made.bed.person("bob", "2007", department="Board", level=0, billed=False)
    made.option(SITE, f"{SITE}\nprivate_prefix = 8\nprivate_codes = 7777")
    plan = replace(made.bed.context.numbering.plan, private_prefix="8")
    made.bed.change(numbering=Numbering(plan), charging=Charging(private_codes=("7777",)))
    ensure_zone(ROME)
    yield made
    database.close()


def private(call: int, calling: str = "2001", called: str = DIALLED, **more: Any) -> dict[str, Any]:
    columns = {"finalCalledPartyPattern": "80.!", **more}
    return leg(call, call * 2, call * 2 + 1, calling, called, at=call * 1000, **columns)


def everything(world: World, *viewer: str) -> str:
    """Return all that a viewer gets of calls by every output that there is."""
    texts = []
    verbs: list[tuple[str, ...]] = [
        ("report", "calls", *PERIOD, *form) for form in ((), ("--json",), ("--format", "csv"))
    ]
    verbs += [
        ("report", name, *PERIOD, "--json")
        for name in ("by-person", "by-destination", "by-line", "summary", "unrated", "charges")
    ]
    dimensions = "destination,class,carrier,trunk,state,reason,prefix,purpose"
    verbs.append(("report", "by-person", *PERIOD, "--json", "--group-by", dimensions))
    rows = world.rows()
    conversations = sorted({row["conversation"] for row in rows})
    for one in (*(rows[at]["id"] for at in (0, 1, 2, 4, -1)), world.record(9)):
        verbs.append(("explain", one, "--json"))
    verbs += [("call", "show", one, "--json") for one in (*conversations, world.record(9))]
    for one in (rows[0]["id"], rows[2]["id"]):
        verbs += [("explain", one), ("call", "show", one)]
    verbs += [("unknown",), ("files",), ("rejects",), ("licence",)]
    for verb in verbs:
        ran = world.run(*verb, *viewer)
        assert "Traceback" not in ran.err
        texts += [ran.out, ran.err]
    return "\n".join(texts)


def make_calls(world: World) -> None:
    """Private: answered; not reached; unrated; transferred to Bruno; by a code; by somebody who is
    not billed. One call is not."""
    first = private(4, **SPLIT)
    second = {
        **leg(4, 9, 12, DIALLED, "2002", at=4065, talk=30), **transferred("2001"),
        "origDeviceName": GATEWAY, "IncomingProtocolID": 4,
    }  # fmt: skip
    world.bed.ingest(
        private(1),
        private(2, talk=None, destDeviceName="", destLegIdentifier=0),
        private(3, called=f"80007{SECRET}"),
        first,
        second,
        private(
            5, called=f"0{SECRET}", finalCalledPartyPattern="0.!", authorizationCodeValue="7777"
        ),
        leg(6, 60, 61, "2001", BUSINESS, at=6000),
        private(9, calling="2007"),
    )  # fmt: skip


def test_only_who_made_the_call_gets_the_number(world: World) -> None:
    make_calls(world)
    rebuild(ROME, world.bed.now, 1000)
    assert SECRET in everything(world, "--as", "anna")
    for viewer in ((), ("--as", "bruno"), ("--as", "carla"), ("--as", "emil")):
        told = everything(world, *viewer)
        assert SECRET not in told
        # Nor how it begins, nor how long it is, nor where it went.
        assert not any(part in told for part in ("333987", "+39333*", "+7333", "+***", "****"))
        assert "private" in told
        if viewer[-1:] != ("bruno",):
            assert "3331234567" in told
    assert verify(ROME) == []


def test_the_flag_the_class_and_the_price_are_there(world: World) -> None:
    make_calls(world)
    plain = world.json("report", "by-purpose", *PERIOD)["rows"]
    told = {row["purpose"]: row["calls"] for row in plain}
    assert told == {"private": 6, "business": 1}
    rows = [row for row in world.rows("--as", "emil") if row["person"] == "Anna"]
    shown = [(row["other_number"], row["class"], row["destination"], row["cost"]) for row in rows]
    assert shown == [
        ("private", "mobile", None, "0.75"),
        ("private", "mobile", None, "0.00"),
        ("private", "international", None, None),
        ("private", "mobile", None, "0.70"),
        ("private", "mobile", None, "0.35"),
        ("private", "mobile", None, "0.75"),
        ("+393331234567", "mobile", "Italy mobile", "0.75"),
    ]
    own = [row["other_number"] for row in world.rows("--as", "anna")]
    assert own == [*[f"+39{SECRET}"] * 2, f"+7{SECRET}", *[f"+39{SECRET}"] * 3, "+393331234567"]


def test_a_filter_tells_nothing(world: World) -> None:
    make_calls(world)
    wanted = ("--filter", f"other_number=+39{SECRET}")
    assert len(world.rows("--as", "anna", *wanted)) == 5
    for viewer in ((), ("--as", "emil"), ("--as", "carla")):
        assert world.rows(*viewer, *wanted) == []
        assert len(world.rows(*viewer, "--filter", "other_number=private")) >= 6
    assert len(world.rows("--filter", "purpose=business")) == 1
    assert len(world.rows("--filter", "purpose=private")) == 7


def test_no_log_tells_a_private_number_that_its_owner_looked_for(world: World) -> None:
    make_calls(world)
    number, report = f"+39{SECRET}", f"calls number=+39{SECRET}"
    world.json("report", "calls", *PERIOD, "--filter", f"number={number}", "--as", "anna")
    world.json("report", "calls", *PERIOD, f"number~{number[:9]}", "duration>1", "--as", "anna")
    world.json("report", "calls", *PERIOD, f"number=+39{BUSINESS}", "--as", "emil")
    made = ("schedule", "add", "mine", report, "--when", "daily at 07:00", "--as", "anna")
    assert world.run(*made).code == 0
    log = ("access", "log", "--json")
    for words in (
        *(log, ("report", "access-log", "--json", "--period", "this-year")),
        *(("access", "audit", "--json"), ("schedule", "--json"), ("schedule", "show", "mine")),
    ):
        for reader in ((), ("--as", "dora")):
            ran = world.run(*words, *reader)
            text = ran.out + ran.err
            assert "number" in text
            assert number[:9] not in text
            assert SECRET not in text
            # Were one hidden and another not, that would tell which is private.
            assert BUSINESS not in text
    assert "duration>1" in world.run(*log).out
    assert report in world.run("schedule", "list", "--json", "--as", "anna").out
    # The settings may show all to level 10.
    world.option("[licensing]", "[reports]\nprivate_numbers = management\n\n[licensing]")
    assert SECRET in world.run(*log, "--as", "dora").out


def test_masked_digits_hold_for_ones_own_private_calls(world: World) -> None:
    Party.update(masked_digits=3).where(Party.username == "anna").execute()
    make_calls(world)
    assert world.rows("--as", "anna")[0]["other_number"] == f"+39{SECRET[:-3]}***"


def test_management_sees_them_where_the_settings_say_so(world: World) -> None:
    make_calls(world)
    world.option("[licensing]", "[reports]\nprivate_numbers = management\n\n[licensing]")
    for viewer, sees in (((), True), (("--as", "dora"), True), (("--as", "emil"), False)):
        rows = world.rows(*viewer)
        told = str([rows, world.explain(rows[0], *viewer)])
        assert (SECRET in told) == sees


def test_deciding_again_keeps_what_is_private(world: World) -> None:
    make_calls(world)
    before = (set(PrivateRecord.select().tuples()), world.rows())
    assert len(before[0]) == 7
    reprocess(world.bed)
    assert (set(PrivateRecord.select().tuples()), world.rows()) == before
    # The prefix is gone from the settings: so are the private calls.
    plan = replace(world.bed.context.numbering.plan, private_prefix="")
    world.bed.change(numbering=Numbering(plan), charging=Charging())
    reprocess(world.bed)
    assert PrivateRecord.select().count() == 0
    assert verify(ROME) == []


def test_a_call_for_help_is_never_private(world: World) -> None:
    world.bed.ingest(
        private(1, called="8112", destDeviceName=GATEWAY, OutgoingProtocolID=4),
        private(2, called="80112"),
    )
    assert [row["class"] for row in world.rows()] == ["emergency"] * 2
    assert PrivateRecord.select().count() == 0


def test_a_record_that_another_process_decides_is_private_too(world: World) -> None:
    make_calls(world)
    context = world.bed.context
    rules = rules_of(context)
    pricer = Pricer(context.carriers, rules)
    known = dict(PrivateRecord.select().tuples())
    for record in Record.select().where(Record.tied == 0):
        leg_of = Leg._make(getattr(record, name) for name in Leg._fields)
        private_side = decide_alone(leg_of, rules, pricer).private
        assert dict(private_row(record.id, private_side)).get(record.id) == known.get(record.id)
    assert len(known) == 7


def test_a_trunk_may_be_private(world: World) -> None:
    trunks = tuple(replace(one, private=one.name == "pstn") for one in world.bed.context.trunks)
    world.bed.change(trunks=trunks)
    world.bed.ingest(leg(1, 2, 3, "2001", BUSINESS), leg(2, 4, 5, BUSINESS, "2001", at=100))
    assert [row["other_number"] for row in world.rows()] == ["private", "+393331234567"]
