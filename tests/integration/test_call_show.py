"""``syncd call show``: the conversation as a timeline of legs, as one viewer may see it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.reports import conversation, explain
from syncd.store.models import AccessLog, Party, database
from tests.support.phones import SPLIT, leg, phone, transferred
from tests.support.world import World, make_world

OUT = "00033123456789"
ABROAD = "+33123456789"
GAP = {"elsewhere": True}


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    yield make_world(tmp_path, lambda: tuple(capsys.readouterr()))
    database.close()


def transfer(world: World) -> None:
    """Anna calls France for 120 s, asks Bruno for 10 s, and joins the two for 360 s."""
    world.bed.ingest(
        leg(1, 101, 102, "2001", OUT, talk=120, **SPLIT),
        leg(2, 103, 104, "2001", "2002", at=110, talk=10, **SPLIT),
        leg(
            1,
            102,
            104,
            OUT,
            "2002",
            at=125,
            ring=0,
            talk=360,
            huntPilotDN="",
            **transferred("2001"),
        ),
    )


def shown(world: World, public_id: str, *more: str) -> list[dict[str, Any]]:
    legs: list[dict[str, Any]] = world.json("call", "show", public_id, *more)["legs"]
    return legs


def ends(one: dict[str, Any]) -> list[Any]:
    return [
        None if end is None else end["person"] or end["number"] for end in (one["from"], one["to"])
    ]


def charges(one: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(each["person"], each["seconds"], each["cost"], each["why"]) for each in one["charges"]]


def write_beside() -> None:
    """Let somebody else write, and be done."""

    def write() -> None:
        with database.obj.connection_context():
            AccessLog.create(at=1, viewer="x", level=2, report="x", specification="", rows=0)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()


@pytest.mark.parametrize("verb", [("call", "show"), ("explain",)])
def test_who_writes_meanwhile_forbids_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, verb: tuple[str, ...]
) -> None:
    """Intake writes all the time; what is shown is as it was when it was asked for."""
    transfer(world)
    call = world.row("calling", "Anna")["id"]
    before = world.json(*verb, call)
    module = explain if verb == ("explain",) else conversation
    genuine = module.load_conversation

    def loaded(record: int) -> Any:
        found = genuine(record)
        write_beside()
        return found

    monkeypatch.setattr(module, "load_conversation", loaded)
    assert world.json(*verb, call) == before
    assert AccessLog.select().where(AccessLog.viewer == "x").count() == 1
    last = AccessLog.select().where(AccessLog.viewer != "x").order_by(AccessLog.id.desc()).first()
    assert last.rows > 0


def test_a_transfer_leg_by_leg(world: World) -> None:
    transfer(world)
    legs = shown(world, world.row("calling", "Anna")["id"])
    assert [ends(one) for one in legs] == [
        ["Anna", ABROAD],
        ["Anna", "Bruno"],
        [ABROAD, "Bruno"],
    ]
    assert [one["duration"] for one in legs] == [120, 10, 360]
    assert [one["went_on"] for one in legs] == ["transfer", "transfer", None]
    assert [one["how"] for one in legs] == [[], [], ["transfer"]]
    assert [charges(one) for one in legs] == [
        [("Anna", 120, "1.00", "made the call")],
        [],
        [("Anna", 360, "3.00", "transferred the call")],
    ]
    assert [one["free"] for one in legs] == [None, "free: an internal call", None]
    assert legs[0]["from"]["device"] == phone("2001")
    assert legs[0]["started_at"] == "2026-05-28T22:26:40+02:00"
    assert legs[0]["answered_at"] == "2026-05-28T22:26:45+02:00"
    assert legs[0]["ended_at"] == "2026-05-28T22:28:45+02:00"
    assert [party["person"] for party in legs[2]["others"]] == ["Anna"]


def test_every_id_of_a_conversation_shows_it(world: World) -> None:
    transfer(world)
    rows = world.rows()
    ids = {row["id"] for row in rows} | {row["conversation"] for row in rows}
    ids |= {row["id"].removesuffix(f"-{row['side']}") for row in rows}
    answers = [world.json("call", "show", one)["legs"] for one in sorted(ids)]
    assert len(answers) == 8
    assert all(one == answers[0] for one in answers)


def test_the_rest_is_elsewhere(world: World) -> None:
    transfer(world)
    conversation = world.rows()[0]["conversation"]
    anna, bruno = (
        shown(world, conversation, "--as", "anna"),
        shown(world, conversation, "--as", "bruno"),
    )
    assert [ends(one) for one in anna] == [["Anna", ABROAD], ["Anna", "2002"], [None, None]]
    # Who transferred sees that they did, and what it cost; not to whom, nor for how long.
    assert (anna[2]["duration"], anna[2]["ended_at"], anna[2]["answered_at"]) == (None, None, None)
    assert charges(anna[2]) == [("Anna", 360, "3.00", "transferred the call")]
    assert bruno[0] == GAP
    assert [ends(one) for one in bruno[1:]] == [["2001", "Bruno"], [ABROAD, "Bruno"]]
    assert [charges(one) for one in bruno[1:]] == [[], []]
    assert bruno[2]["free"] == "charged to somebody else, or to nobody's account"
    assert "Anna" not in str(bruno)
    text = world.run("call", "show", conversation, "--as", "bruno").out
    assert text.count("continued elsewhere") == 1
    assert "Anna" not in text


def test_gaps_hold_nothing_and_are_one_when_they_follow_each_other(world: World) -> None:
    # 2001 hands an outside caller to 2003, who hands on to 2002.
    world.bed.ingest(
        leg(1, 101, 102, OUT, "2001", talk=20, **SPLIT),
        leg(2, 103, 104, "2001", "2003", at=20, ring=0, talk=None, **SPLIT),
        leg(1, 101, 104, OUT, "2003", at=25, ring=0, talk=30, **{**transferred("2001"), **SPLIT}),
        leg(3, 105, 106, "2003", "2002", at=50, ring=0, talk=None, **SPLIT),
        leg(1, 101, 106, OUT, "2002", at=55, ring=0, talk=30, **transferred("2003")),
    )
    conversation = world.rows()[0]["conversation"]
    legs = shown(world, conversation, "--as", "bruno")
    assert [one == GAP for one in legs] == [True, False, False]
    carla = shown(world, conversation, "--as", "carla")
    assert GAP not in carla
    assert [one == GAP for one in shown(world, conversation, "--as", "anna")] == [
        False,
        False,
        False,
        True,
    ]


def test_out_of_scope_and_unknown_are_one_sentence(world: World) -> None:
    world.bed.ingest(leg(1, 101, 102, "2002", OUT), leg(2, 103, 104, "2001", OUT, at=500))
    row = world.row("calling", "Bruno")
    asked = (row["id"], row["conversation"], "202605-000000000000-calling", "202605-000000000000")
    for public_id in asked:
        ran = world.run("call", "show", public_id, "--as", "anna")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == f"syncd: No call {public_id} is available to anna.\n"
    assert world.run("call", "show", "nonsense", "--as", "anna").code == 2
    assert world.run("call", "show", row["id"], "--as", "nobody").code == 1


def test_a_record_out_of_scope_is_no_way_to_a_conversation(world: World) -> None:
    """Its id is not one that this viewer was ever shown."""
    transfer(world)
    hidden = world.row("calling", "Anna", at=110)["id"].removesuffix("-calling")
    first = world.row("calling", "Anna")
    assert first["conversation"] != hidden
    assert world.run("call", "show", first["id"], "--as", "bruno").code == 1
    assert world.run("call", "show", first["conversation"], "--as", "bruno").code == 0


def test_masked_digits_are_hidden_here_too(world: World) -> None:
    transfer(world)
    Party.update(masked_digits=4).where(Party.username == "anna").execute()
    conversation = world.rows()[0]["conversation"]
    for ran in (
        world.run("call", "show", conversation, "--as", "anna"),
        world.run("call", "show", conversation, "--as", "anna", "--json"),
    ):
        assert "+3312345****" in ran.out
        assert "6789" not in ran.out


def test_levels_and_log(world: World) -> None:
    transfer(world)
    conversation = world.rows()[0]["conversation"]
    world.run("call", "show", conversation, "--as", "bruno")
    row = AccessLog.select().order_by(AccessLog.id.desc()).get()
    assert (row.viewer, row.report, row.specification, row.rows) == (
        "bruno",
        "call",
        conversation,
        2,
    )
    world.option("[licensing]", "[report:call]\nlevel = 6\n\n[licensing]")
    ran = world.run("call", "show", conversation, "--as", "bruno")
    assert (ran.code, ran.err) == (1, "syncd: The report call is not available to bruno.\n")
    assert world.run("call", "show", conversation).code == 0


def test_records_without_a_call_are_for_level_10(world: World) -> None:
    """An outside caller whom nobody configured takes, then a colleague: an admin sees both legs."""
    world.bed.ingest(
        leg(1, 101, 102, OUT, "2009", talk=20, **SPLIT),
        leg(2, 103, 104, "2009", "2002", at=20, ring=0, talk=None, **SPLIT),
        leg(1, 101, 104, OUT, "2002", at=25, ring=0, talk=30, **transferred("2009")),
    )
    Party.update(permission_level=8).where(Party.username == "carla").execute()
    conversation = world.rows()[0]["conversation"]
    admin, all_calls = shown(world, conversation), shown(world, conversation, "--as", "carla")
    assert [one["reason"] for one in admin] == [
        "nobody is configured for the number",
        None,
        None,
    ]
    assert ends(admin[0]) == [OUT, "2009"]
    assert [one == GAP for one in all_calls] == [True, False, False]


def test_hunt_forward_and_unanswered(world: World) -> None:
    world.bed.ingest(
        leg(
            1,
            101,
            102,
            "03331234567",
            "2002",
            huntPilotDN="6100",
            calledPartyPatternUsage=7,
            originalCalledPartyNumber="6100",
            lastRedirectDn="6100",
        ),
        leg(
            2,
            103,
            104,
            "2001",
            OUT,
            at=500,
            originalCalledPartyNumber="2002",
            lastRedirectDn="2002",
            origCalledPartyRedirectReason=15,
            lastRedirectRedirectReason=15,
            lastRedirectRedirectOnBehalfOf=5,
            joinOnBehalfOf=5,
        ),
        leg(3, 105, 106, "2001", "2003", at=900, talk=None, ring=20, destCause_value=19),
    )
    hunted = shown(world, world.row("called", "Bruno")["id"])
    assert hunted[0]["how"] == ["hunt group"]
    assert hunted[0]["free"] == "free: an incoming leg"
    forwarded = shown(world, world.row("redirecting", "Bruno", at=500)["id"])
    assert forwarded[0]["how"] == ["forwarded: all calls"]
    assert charges(forwarded[0]) == [("Bruno", 60, "1.00", "forwarded the call")]
    ran = world.run("call", "show", world.row("called", "Carla", at=900)["id"], "--as", "carla")
    assert ran.out.splitlines()[2:] == [
        "2026-05-28 22:41:40 to 22:42:00, no-answer, internal",
        f"  Anna (2001 on {phone('2001')}) → Carla (2003 on {phone('2003')})",
        "  free: never connected",
    ]


def test_the_text_for_people(world: World) -> None:
    transfer(world)
    ran = world.run("call", "show", world.row("calling", "Anna")["id"])
    first = world.row("calling", "Anna")
    assert ran.out == (
        f"Conversation {first['conversation']}: 3 legs\n"
        "\n"
        "2026-05-28 22:26:40 rang, 22:26:45 to 22:28:45, 120 s, outgoing\n"
        f"  Anna (2001 on {phone('2001')}) → {ABROAD}\n"
        "  goes on: transfer\n"
        "  charged to Anna (2001): 120 s, 1.00 EUR: made the call\n"
        "\n"
        "2026-05-28 22:28:30 rang, 22:28:35 to 22:28:45, 10 s, internal\n"
        f"  Anna (2001 on {phone('2001')}) → Bruno (2002 on {phone('2002')})\n"
        "  goes on: transfer\n"
        "  free: an internal call\n"
        "\n"
        "2026-05-28 22:28:45 to 22:34:45, 360 s, outgoing, transfer\n"
        f"  {ABROAD} → Bruno (2002 on {phone('2002')})\n"
        f"  by Anna (2001), about {ABROAD}\n"
        "  charged to Anna (2001): 360 s, 3.00 EUR: transferred the call\n"
    )


def test_the_verb_alone_is_the_list(world: World) -> None:
    transfer(world)
    period = ("--from", "2026-05-01", "--to", "2026-07-01")
    report = world.run("report", "calls", *period, "--as", "anna")
    assert report.code == 0
    assert world.run("call", *period, "--as", "anna") == report
    assert world.run("call", "list", *period, "--as", "anna") == report


def test_a_withheld_call_is_elsewhere(world: World) -> None:
    world.bed.change(slots=1)
    transfer(world)
    assert {row["person"] for row in world.rows()} == {"Anna"}
    Party.update(permission_level=8).where(Party.username == "carla").execute()
    legs = shown(world, world.rows()[0]["conversation"], "--as", "carla")
    assert "Bruno" not in str(legs)
    assert [ends(one) for one in legs] == [["Anna", ABROAD], ["Anna", "2002"], [None, None]]


def test_who_barged_in_is_shown_to_who_may_see_them(world: World) -> None:
    bridge = "b0029901001"
    world.bed.ingest(
        leg(1, 101, 102, OUT, "2001", talk=120),
        leg(
            2,
            201,
            202,
            "2003",
            bridge,
            at=60,
            ring=0,
            talk=65,
            destDeviceName=phone("2001"),
            OutgoingProtocolID=0,
            lastRedirectDn=bridge,
            lastRedirectRedirectReason=114,
            lastRedirectRedirectOnBehalfOf=15,
            origCalledPartyRedirectReason=114,
            joinOnBehalfOf=15,
            destConversationId=102,
            finalCalledPartyPattern=bridge,
        ),
    )
    main = world.row("called", "Anna")
    legs = shown(world, main["id"])
    assert [ends(one) for one in legs] == [[ABROAD, "Anna"], ["Carla", bridge]]
    assert legs[1]["how"] == ["barge"]
    # Anna does not see Carla's call, and nothing says that there is one.
    (alone,) = shown(world, main["id"], "--as", "anna")
    assert ends(alone) == [ABROAD, "Anna"]
    assert (
        f"Carla (2003 on {phone('2003')}) → conference {bridge}"
        in world.run("call", "show", main["id"]).out
    )


def test_a_conference_that_each_member_called(world: World) -> None:
    def member(call: int, calling: str, at: int) -> dict[str, Any]:
        return leg(
            call,
            call * 100 + 1,
            call * 100 + 2,
            calling,
            "b0010000007",
            at=at,
            ring=1,
            talk=300,
            originalCalledPartyNumber="5001",
            lastRedirectDn="5001",
            destDeviceName="CFB_1",
            OutgoingProtocolID=0,
            destConversationId=7,
            lastRedirectRedirectReason=98,
            lastRedirectRedirectOnBehalfOf=6,
            origCalledPartyRedirectReason=98,
            origCalledPartyRedirectOnBehalfOf=6,
            joinOnBehalfOf=6,
        )

    world.bed.ingest(member(1, "2001", 0))
    world.bed.ingest(member(3, "2003", 120), member(2, "2002", 60))
    legs = shown(world, world.row("calling", "Bruno", at=60)["id"])
    assert [one["from"]["person"] for one in legs] == ["Anna", "Bruno", "Carla"]
    assert {tuple(one["how"]) for one in legs} == {("meet-me conference",)}
    bruno = shown(world, world.row("calling", "Bruno", at=60)["id"], "--as", "bruno")
    assert [one == GAP for one in bruno] == [True, False, True]


def test_whom_it_is_for_may_stand_before_the_action(world: World) -> None:
    """Said before the action it must not be forgotten: that would be the administrator's view."""
    transfer(world)
    conversation = world.rows()[0]["conversation"]
    after = world.run("call", "show", conversation, "--as", "bruno")
    assert "continued elsewhere" in after.out
    assert world.run("call", "--as", "bruno", "show", conversation) == after
    period = ("--from", "2026-05-01", "--to", "2026-07-01", "--filter", "side=called")
    listed = world.run("call", "list", *period, "--as", "bruno")
    assert world.run("call", *period, "--as", "bruno", "list") == listed
    assert listed.out.count("Bruno") == 2


def test_who_retrieves_a_parked_call_pays_for_that(world: World) -> None:
    parked = leg(1, 1, 2, "2001", "00331234567", talk=60, **SPLIT)
    again = leg(2, 3, 2, "2002", "00331234567", at=80, ring=0, talk=60)
    again |= {"lastRedirectRedirectReason": 8, "joinOnBehalfOf": 3}
    world.bed.ingest(parked, again)
    legs = shown(world, world.row("calling", "Anna")["id"])
    assert [charges(one)[0][3] for one in legs] == ["made the call", "retrieved the call from park"]
