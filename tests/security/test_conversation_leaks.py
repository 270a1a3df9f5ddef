"""What ``call show`` gives to every viewer of a simulated company: the legs of which the call list
shows them a row, with nothing in it of the others."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncd.domain.days import Days, day_date, next_day
from syncd.reports.conversation import NoSuchCall, show
from syncd.reports.listing import list_rows
from syncd.reports.lookups import Lookups
from syncd.reports.query import Query
from syncd.reports.scope import Policy, open_door
from syncd.reports.specification import Specification
from syncd.store.models import Party, Record
from tests.support.simulated import Simulation, simulation

ZONE = ZoneInfo("UTC")
POLICY = Policy()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    simulated = simulation(
        tmp_path_factory.mktemp("company"), driver="cucm-partition", calls=120, seed=11
    )
    assert [unit.error for unit in simulated.application.sync()] == [None]
    assert [unit.error for unit in simulated.application.ingest()] == [None]
    with simulated.application.connected():
        yield simulated
    simulated.application.close()


def rows_for(who: str | None) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the call list by conversation, as somebody gets them."""
    door = open_door(who, "calls", "", POLICY, 0)
    days = Days(ZONE)
    starts = [start for (start,) in Record.select(Record.started_at).tuples()]
    first, end = days.day(min(starts)), next_day(days.day(max(starts)))
    specification = Specification("calls", day_date(first), day_date(end))
    found = defaultdict(list)
    for row in list_rows(Query(door.scope, specification, Lookups(days, first, end)), {}):
        found[row["conversation"]].append(row)
    return found


def viewers() -> list[Party]:
    """Return two people of each level that sees anything, those with masked digits too."""
    by_level = defaultdict(list)
    for party in Party.select().where(Party.permission_level > 0).order_by(Party.id):
        by_level[party.permission_level].append(party)
    chosen = [party for level in sorted(by_level) for party in by_level[level][:2]]
    Party.update(masked_digits=4).where(Party.id == chosen[0].id).execute()
    return chosen


def calls_of(legs: list[dict[str, Any]]) -> set[str]:
    """Return the ids of calls that a timeline names."""
    parties = [
        one
        for leg in legs
        if not leg["elsewhere"]
        for one in (leg["from"], leg["to"], *leg["others"])
        if one
    ]
    return {one["call"] for one in parties if one["call"]}


def test_every_viewer_sees_the_legs_of_their_rows_and_nothing_else(simulated: Simulation) -> None:
    everything = rows_for(None)
    checked = gaps = 0
    for viewer in viewers():
        seen = rows_for(viewer.username)
        door = open_door(viewer.username, "call", "", POLICY, 0)
        for conversation, rows in everything.items():
            mine = seen.get(conversation, [])
            if not mine and viewer.permission_level < 10:
                for asked in (conversation, rows[0]["id"]):
                    with pytest.raises(NoSuchCall):
                        show(door, ZONE, {}, asked)
                continue
            legs = show(door, ZONE, {}, conversation)["legs"]
            barged = {
                row["id"]
                for other in seen.values()
                for row in other
                if row["conversation"] != conversation
            }
            assert calls_of(legs) - barged == {row["id"] for row in mine}
            hidden = [row for row in rows if row["id"] not in {one["id"] for one in mine}]
            text = json.dumps(legs, ensure_ascii=False)
            named = {row["person"] for row in (*mine, *(r for o in seen.values() for r in o))}
            shown_starts = {row["started_at"] for row in mine}
            shown_ends = {
                leg[name]
                for leg in legs
                if not leg["elsewhere"]
                for name in ("answered_at", "ended_at")
            }
            for row in hidden:
                assert row["id"] not in text
                assert row["person"] in named or f'"{row["person"]}"' not in text
                if row["started_at"] not in shown_starts | shown_ends:
                    assert row["started_at"] not in text
            gaps += sum(leg == {"elsewhere": True} for leg in legs)
            checked += 1
            if viewer.masked_digits:
                for row in rows:
                    number = row["other_number"] or ""
                    if number.startswith("+"):
                        assert number not in text
    assert checked > 100
    assert gaps > 5


def test_the_local_administrator_sees_every_row(simulated: Simulation) -> None:
    door = open_door(None, "call", "", POLICY, 0)
    for conversation, rows in rows_for(None).items():
        legs = show(door, ZONE, {}, conversation)["legs"]
        assert {row["id"] for row in rows} <= calls_of(legs)
        assert not any(leg["elsewhere"] for leg in legs)
        costs = sorted(charge["cost"] or "" for leg in legs for charge in leg["charges"])
        assert costs == sorted(row["cost"] or "" for row in rows if row["state"] != "free")
