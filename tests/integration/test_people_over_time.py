"""Who somebody is over time, as calls and histories show it: departures, returns, renames, moves,
numbers that pass from hand to hand, and what each run says of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.application import composition
from tests.support.contract import NAMESPACE, Company, outgoing, person

BEGAN = datetime(2026, 3, 2, 10, tzinfo=UTC)

ANNA = person(name="Anna Verdi", extension="2001", department="Sales")
BRUNO = person(name="Bruno Neri", extension="2002", department="IT")


class World(Company):
    """A company whose clock the test holds."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(home)
        self.clock = BEGAN
        self.calls = 0
        monkeypatch.setattr(composition.time, "time", lambda: self.clock.timestamp())

    def days_later(self, days: int, people: Mapping[str, Mapping[str, Any]], *words: str) -> str:
        """Let days pass, then sync with these people. Returns what was said."""
        self.clock += timedelta(days=days)
        self.write_ldif(people)
        return self.ok("sync", *words).err

    def call(self, number: str, days_ago: float = 0) -> dict[str, Any]:
        """Take a call of a number, and return its row."""
        self.calls += 1
        start = (
            self.clock
            - timedelta(days=days_ago)
            - timedelta(hours=1)
            + timedelta(seconds=self.calls)
        )
        text = start.isoformat(timespec="seconds")
        before = {row["id"] for row in self._rows()}
        self.take(outgoing(f"call {self.calls}", text, number, "03331234567", talk=60))
        new = [row for row in self._rows() if row["id"] not in before]
        return new[0] if new else {}

    def _rows(self) -> list[dict[str, Any]]:
        return self.rows(period=("2026-03-01", "2026-12-31"))

    def history(self, name: str) -> Any:
        return self.ok("person", "history", name, "--json").json


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path, monkeypatch)
    made.use_ldif({"anna": ANNA, "bruno": BRUNO})
    made.set("cdr:hq", settle="0 seconds")
    made.set("directory:corp", grace="10 days")
    made.ok("sync")
    return made


LEAVE = ("--accept-departures", "1")


def test_who_leaves_keeps_calls_and_numbers_for_the_grace(world: World) -> None:
    assert world.call("2001")["person"] == "Anna Verdi"
    world.days_later(1, {"bruno": BRUNO}, *LEAVE)
    world.clock += timedelta(days=2)
    assert world.call("2001")["person"] == "Anna Verdi"
    world.days_later(9, {"bruno": BRUNO})
    assert world.call("2001") == {}
    assert world.call("2001", days_ago=11.5)["person"] == "Anna Verdi"
    (first,) = (row for row in world.history("anna")["assignments"] if row["role"] == "first")
    assert first["until"].startswith("2026-03-03")
    assert [row["what"] for row in world.history("anna")["changes"]] == [
        "arrived",
        "departed",
        "closed",
    ]


def test_back_within_the_grace_leaves_no_trace_in_what_was_held(world: World) -> None:
    before = world.history("anna")
    world.days_later(1, {"bruno": BRUNO}, *LEAVE)
    world.days_later(5, {"anna": ANNA, "bruno": BRUNO})
    after = world.history("anna")
    assert (after["assignments"], after["profiles"]) == (before["assignments"], before["profiles"])
    assert after["changes"][-1]["what"] == "returned"
    assert world.call("2001", days_ago=3)["person"] == "Anna Verdi"


def test_back_later_is_the_same_person_with_a_gap(world: World) -> None:
    world.call("2001")
    world.days_later(1, {"bruno": BRUNO}, *LEAVE)
    world.days_later(11, {"bruno": BRUNO})
    world.days_later(5, {"anna": ANNA, "bruno": BRUNO})
    assert world.call("2001", days_ago=10) == {}
    world.clock += timedelta(days=1)
    assert world.call("2001")["person"] == "Anna Verdi"
    profiles = world.history("anna")["profiles"]
    assert [row["until"] is None for row in profiles] == [False, True]
    rows = world.report("by-person", period=("2026-03-01", "2026-12-31"))["rows"]
    assert [(row["person"], row["calls"]) for row in rows] == [("Anna Verdi", 2)]


def test_a_renamed_account_is_the_same_person(world: World) -> None:
    world.call("2001")
    text = (world.home / "people.ldif").read_text()
    renamed = text.replace("uid=anna,", "uid=anna.rossi,").replace("uid: anna", "uid: anna.rossi")
    (world.home / "people.ldif").write_text(renamed)
    world.clock += timedelta(days=1)
    told = world.ok("sync", "--json").json[0]
    assert (told["arrived"], told["departed"], told["changed"]) == (0, 0, 1)
    assert world.call("2001")["username"] == "anna.rossi"
    assert {row["username"] for row in world._rows()} == {"anna.rossi"}
    assert world.run("person", "show", "anna").code == 1


def test_an_account_made_anew_is_another_person(world: World, monkeypatch: Any) -> None:
    world.call("2001")
    again = person(name="Anna Verdi", extension="2001", department="Legal")
    monkeypatch.setattr("tests.support.contract.NAMESPACE", NAMESPACE.__class__(int=7))
    world.clock += timedelta(days=1)
    world.write_ldif({"anna": again, "bruno": BRUNO})
    world.ok("sync", "--accept-departures", "2")
    world.clock += timedelta(days=1)
    assert world.call("2001")["department"] == "Legal"
    rows = world.report("by-person", period=("2026-03-01", "2026-12-31"))["rows"]
    assert [(row["person"], row["calls"]) for row in rows] == [("Anna Verdi", 1)] * 2
    everybody = world.listed("person", "list", "--all")
    assert [row["state"] for row in everybody if row["username"] == "anna"] == [
        "departed",
        "present",
    ]
    # The name means who is there.
    assert world.ok("person", "show", "anna", "--json").json["state"] == "present"


def test_a_number_handed_on_in_one_run(world: World) -> None:
    anna = ANNA | {"telephoneNumber": "2002"}
    bruno = BRUNO | {"telephoneNumber": "2001"}
    world.days_later(1, {"anna": anna, "bruno": bruno}, "--accept-changes", "2")
    (given,) = (row for row in world.history("bruno")["assignments"] if row["line_id"] == "2001")
    (taken,) = (row for row in world.history("anna")["assignments"] if row["line_id"] == "2001")
    assert taken["until"] == given["since"]
    assert world.call("2001", days_ago=0.5)["person"] == "Anna Verdi"
    world.clock += timedelta(days=1)
    assert world.call("2001")["person"] == "Bruno Neri"


def test_a_conflict_is_told_on_every_run_until_mended(world: World) -> None:
    both = {"anna": ANNA, "bruno": BRUNO | {"telephoneNumber": "2001"}}
    for _ in range(3):
        told = world.days_later(1, both)
        assert "claims 2001 as first, which Anna Verdi holds and keeps" in told
    assert world.call("2001")["person"] == "Anna Verdi"
    runs = world.listed("sync", "--history")
    assert [run["conflicts"] for run in runs[:3]] == [1, 1, 1]
    told = world.days_later(1, {"anna": ANNA, "bruno": BRUNO})
    assert "conflict" not in told
    assert world.listed("sync", "--history")[0]["conflicts"] == 0


def test_a_run_in_detail(world: World) -> None:
    world.days_later(1, {"anna": ANNA | {"departmentNumber": "Legal"}, "bruno": BRUNO})
    run = world.listed("sync", "--history")[0]["run"]
    assert world.listed("sync", "--run", str(run)) == [
        {"who": "Anna Verdi", "what": "changed", "field": "department", "old": "Sales",
         "new": "Legal"}
    ]  # fmt: skip
    world.ok("person", "set", "anna", "mobile_number", "333123")
    newest = world.listed("sync", "--history")[0]
    assert newest["source"] == "local"
    assert "syncd person set" in newest["message"]
    assert world.listed("sync", "--run", str(newest["run"]))[0]["new"] == "333123"
    assert world.run("sync", "--run", "999").code == 2


def test_a_department_of_an_earlier_time_after_a_return(world: World) -> None:
    world.call("2001")
    world.days_later(1, {"bruno": BRUNO}, *LEAVE)
    world.days_later(11, {"bruno": BRUNO})
    world.days_later(5, {"anna": ANNA | {"departmentNumber": "Legal"}, "bruno": BRUNO})
    move = ("person", "move", "anna", "--department", "Legal", "--since", "2026-03-02", "--yes")
    world.ok(*move)
    profiles = world.history("anna")["profiles"]
    spans = [(row["department"], row["until"] and row["until"][:10]) for row in profiles]
    assert spans == [("Sales", "2026-03-02"), ("Legal", "2026-03-03"), ("Legal", None)]
    assert world._rows()[0]["department"] == "Legal"
    world.ok("db", "verify")
    world.ok("sync", "--check")
