"""What the scenarios play hangs together: records by leg id, the truth in itself and with them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date
from functools import cache
from itertools import pairwise

import pytest

from syncd.demo.company import build_company
from syncd.demo.cucm_row import SPLIT, Row
from syncd.demo.people import UNLISTED
from syncd.demo.simulator import SCENARIOS, Clock, simulate
from syncd.demo.truth import Truth, outcome

START = date(2026, 9, 1)
Conversations = list[tuple[list[Row], Truth]]
PSTN = re.compile(r"S0/SU0/DS1-\d@vg01\.example\.com|SIP-PSTN-1|SIP-LAB-9")
CARRIED = re.compile(PSTN.pattern + r"|SIP-TIE-1")


@cache
def run(driver: str = "cucm-partition") -> Conversations:
    """Return a run in which every scenario is played some twenty times."""
    company = build_company(80, driver=driver)
    mix = dict.fromkeys(SCENARIOS, 1.0)
    return list(simulate(company, seed=7, calls=1500, start=START, days=3, mix=mix))


def of(scenario: str) -> Conversations:
    found = [(rows, told) for rows, told in run() if told["scenario"] == scenario]
    assert found, scenario
    return found


def number(row: Row, name: str) -> int:
    return int(row.get(name, 0))


def legs(row: Row) -> list[tuple[int, str]]:
    """Return the legs of a record with their devices."""
    both = (
        (number(row, "origLegCallIdentifier"), str(row.get("origDeviceName", ""))),
        (number(row, "destLegIdentifier"), str(row.get("destDeviceName", ""))),
    )
    return [(leg, device) for leg, device in both if leg]


def test_every_scenario_is_played_even_in_a_short_run() -> None:
    company = build_company(60)
    short = simulate(company, seed=1, calls=len(SCENARIOS), start=START)
    assert Counter(told["scenario"] for _, told in short) == dict.fromkeys(SCENARIOS, 1)
    long = simulate(company, seed=1, calls=500, start=START)
    assert {told["scenario"] for _, told in long} == set(SCENARIOS)


def test_a_mix_plays_what_it_names() -> None:
    company = build_company(60)
    mix = {"internal-busy": 1.0, "pickup": 3.0, "conference": 0.0}
    played = Counter(
        told["scenario"] for _, told in simulate(company, seed=1, calls=400, start=START, mix=mix)
    )
    assert set(played) == {"internal-busy", "pickup"}
    assert played["pickup"] > 2 * played["internal-busy"]
    with pytest.raises(KeyError, match="teleport"):
        list(simulate(company, seed=1, calls=1, start=START, mix={"teleport": 1.0}))
    with pytest.raises(ValueError, match="no scenario"):
        list(simulate(company, seed=1, calls=1, start=START, mix={"pickup": 0.0}))


def test_calls_begin_in_order_within_the_days_mostly_at_work() -> None:
    begun = [
        told["started_at"]
        for _, told in simulate(build_company(30), seed=1, calls=2000, start=START, days=5)
    ]
    first = Clock(START, 5).start
    assert begun == sorted(begun)
    assert first <= begun[0]
    assert begun[-1] < first + 5 * 86400
    hours = Counter((moment - first) // 3600 % 24 for moment in begun)
    assert hours[9] > 20 * hours[3]


def test_legs_tie_the_records_of_a_conversation_and_no_others() -> None:
    """Union-find over leg ids, call ids and conferences, blind to the scenarios, finds the
    conversations."""
    parent: dict[str, str] = {}

    def find(key: str) -> str:
        while parent[key] != key:
            key = parent[key]
        return key

    first_with: dict[object, str] = {}
    told_of: dict[str, int] = {}
    for place, (rows, told) in enumerate(run()):
        if told["conversations"] > 1:
            continue
        for row in rows:
            key = str(row["pkid"])
            if key in told["excluded_records"]:
                continue
            parent[key] = key
            told_of[key] = place
            threads: list[object] = [
                (row["globalCallID_callManagerId"], row["globalCallID_callId"]),
                *(leg for leg, _ in legs(row)),
            ]
            if number(row, "destConversationId"):
                threads.append(("conference", row["destConversationId"]))
            for thread in threads:
                parent[find(key)] = find(first_with.setdefault(thread, key))
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for key in parent:
        groups[find(key)].add(key)
    told_groups: defaultdict[int, set[str]] = defaultdict(set)
    for key, place in told_of.items():
        told_groups[place].add(key)
    assert sorted(map(sorted, groups.values())) == sorted(map(sorted, told_groups.values()))


def test_without_conferences_leg_ids_alone_tie_the_same() -> None:
    for rows, told in run():
        if told["scenario"].startswith(("conference", "barge", "meet-me", "call-back")):
            continue
        kept = [row for row in rows if row["pkid"] in told["records"]]
        tied = {leg for leg, _ in legs(kept[0])} if kept else set()
        for _ in kept:
            for row in kept:
                mine = {leg for leg, _ in legs(row)}
                if mine & tied:
                    tied |= mine
        assert all({leg for leg, _ in legs(row)} <= tied for row in kept), told


def test_a_call_taken_on_the_mobile_phone_is_answered_by_the_desk_that_pays() -> None:
    for scenario, direction in (("mobile-incoming", "transit"), ("mobile-internal", "outgoing")):
        for rows, told in of(scenario):
            desk = str(rows[0]["finalCalledPartyNumber"])
            assert {charge["line_id"].rpartition(".")[2] for charge in told["charges"]} == {desk}
            assert told["direction"] == direction
            assert {part["outcome"] for part in told["participations"]} <= {"answered"}


def test_what_nothing_ties_shares_no_identifier() -> None:
    for scenario in ("call-back", "barge"):
        for rows, told in of(scenario):
            assert told["conversations"] == len(rows) == 2
            first, second = ({leg for leg, _ in legs(row)} for row in rows)
            assert not first & second
            assert rows[0]["globalCallID_callId"] != rows[1]["globalCallID_callId"] or (
                rows[0]["globalCallID_callManagerId"] != rows[1]["globalCallID_callManagerId"]
            )


def test_leg_ids_grow_per_node_and_are_never_used_twice() -> None:
    newest = {1: 0, 2: 0}
    owner: dict[int, int] = {}
    for place, (rows, _) in enumerate(run()):
        seen = {leg for row in rows for leg, _ in legs(row)}
        for leg in sorted(seen):
            assert owner.setdefault(leg, place) == place
            node = leg >> 24
            assert leg > newest[node]
        for leg in seen:
            newest[leg >> 24] = max(newest[leg >> 24], leg)


def test_a_handed_over_record_is_always_continued() -> None:
    for rows, _ in run():
        for place, row in enumerate(rows):
            if number(row, "origCallTerminationOnBehalfOf") == 17:
                continue  # the voicemail system gives the caller back, and that is the end
            if row["origCause_value"] == row["destCause_value"] == SPLIT:
                mine = {leg for leg, _ in legs(row)}
                later = [leg for other in rows if other is not row for leg, _ in legs(other)]
                assert mine & set(later), (place, rows)


def test_outside_legs_run_as_long_in_the_records_as_in_truth() -> None:
    for rows, told in run():
        carried: defaultdict[int, int] = defaultdict(int)
        for row in rows:
            if row["pkid"] in told["excluded_records"]:
                continue
            for leg, device in legs(row):
                if CARRIED.fullmatch(device):
                    carried[leg] += number(row, "duration")
        assert sorted(carried.values()) == sorted(leg["seconds"] for leg in told["legs"]), told


def test_segments_of_an_outside_leg_never_overlap() -> None:
    for rows, _ in run():
        spans: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for row in rows:
            for leg, device in legs(row):
                if CARRIED.fullmatch(device) and number(row, "dateTimeConnect"):
                    spans[leg].append(
                        (number(row, "dateTimeConnect"), number(row, "dateTimeDisconnect"))
                    )
        for stretches in spans.values():
            stretches.sort()
            for (_, ended), (began, _) in pairwise(stretches):
                assert ended <= began


def test_charges_add_up_to_the_price() -> None:
    for driver in ("cucm", "cucm-partition"):
        priced = 0
        for _, told in run(driver):
            amounts = [charge["micros"] for charge in told["charges"]]
            known = [micros for micros in amounts if micros is not None]
            legs_priced = [leg["micros"] for leg in told["legs"]]
            if told["price"] is None:
                assert None in legs_priced
                assert None in amounts
            else:
                assert sum(known) == told["price"]
                assert len(known) == len(amounts)
                assert sum(micros or 0 for micros in legs_priced) == told["price"]
                priced += told["price"] > 0
            assert all(micros >= 0 for micros in known)
            assert {charge["record"] for charge in told["charges"]} <= set(told["records"])
            lines = {part["line_id"] for part in told["participations"]}
            assert {charge["line_id"] for charge in told["charges"] if charge["billed"]} <= lines
        assert priced > 100


def test_who_participates_is_billed_and_known() -> None:
    company = build_company(80)
    billed = {person.uid for person in company.people if person.billed}
    for _, told in run():
        lines = [part["line_id"] for part in told["participations"]]
        assert told["conversations"] > 1 or len(lines) == len(set(lines))
        assert {part["username"] for part in told["participations"]} <= billed
        assert told["billed"] == bool(lines)
        talked = {talk["line_id"] for talk in told["talks"]}
        for part in told["participations"]:
            if told["conversations"] == 1:
                assert (part["outcome"] == "answered") == (part["line_id"] in talked)
        for talk in told["talks"]:
            assert told["started_at"] <= talk["from"] <= talk["to"] <= told["ended_at"]


def test_an_outcome_follows_from_the_sides() -> None:
    calling, called, first_redirecting, redirecting, pilot = range(5)
    assert outcome([(10, called, False), (20, calling, True)]) == "answered"
    assert outcome([(10, redirecting, True)]) == "missed"
    assert outcome([(20, calling, False), (10, called, False)]) == "missed"
    assert outcome([(10, calling, False), (20, called, False)]) == "unanswered"
    assert outcome([(10, first_redirecting, False)]) == "missed"
    assert outcome([(10, pilot, False)]) == "missed"


def test_what_is_no_call_is_excluded() -> None:
    no_calls = {"message-waiting", "mobile-attempt"}
    for rows, told in run():
        assert told["excluded"] == (told["scenario"] in no_calls)
        if told["excluded"]:
            assert not told["records"]
            assert not told["participations"]
            assert all(number(row, "dateTimeConnect") == 0 for row in rows)
    for scenario in ("recorded-internal", "recorded-outgoing"):
        for rows, told in of(scenario):
            assert len(told["records"]) == 1
            halves = [row for row in rows if row["pkid"] in told["excluded_records"]]
            main = {leg for row in rows if row not in halves for leg, _ in legs(row)}
            assert {number(half, "origConversationId") for half in halves} == main


def test_a_transferred_outgoing_call_is_one_leg_at_the_transferors_cost() -> None:
    for rows, told in of("transfer-blind-outgoing-inside"):
        consult, original, final = rows
        assert number(consult, "dateTimeConnect") == 0
        assert final["origLegCallIdentifier"] == original["destLegIdentifier"]
        assert final["destLegIdentifier"] == consult["destLegIdentifier"]
        assert final["lastRedirectDn"] == original["callingPartyNumber"]
        assert (final["globalCallID_callId"], consult["globalCallID_callId"]) == (
            original["globalCallID_callId"],
            number(original, "globalCallID_callId") + 1
            if consult["globalCallID_callManagerId"] == original["globalCallID_callManagerId"]
            else consult["globalCallID_callId"],
        )
        assert told["direction"] == "outgoing"
        assert len(told["legs"]) == 1
        assert len({charge["line_id"] for charge in told["charges"]}) == 1
        assert [charge["seconds"] for charge in told["charges"]] == [
            original["duration"],
            final["duration"],
        ]


def test_a_chain_has_five_records() -> None:
    for scenario in ("transfer-chain", "transfer-chain-internal"):
        for rows, told in of(scenario):
            assert len(rows) == 5
            own = Counter(
                (row["globalCallID_callManagerId"], row["globalCallID_callId"]) for row in rows
            )
            assert sorted(own.values()) == [1, 1, 3]
            joined = [row for row in rows if row.get("joinOnBehalfOf") == 10]
            assert [row["origCause_value"] == SPLIT for row in joined] == [True, False]
            assert told["price"] == 0


def test_a_conference_has_its_members_on_one_bridge() -> None:
    for scenario, count in (("conference", 6), ("conference-ends", 5), ("conference-outgoing", 6)):
        for rows, told in of(scenario):
            assert len(rows) == count
            members = [row for row in rows if number(row, "destConversationId")]
            assert len(members) == 3
            assert len({row["destConversationId"] for row in members}) == 1
            assert len({row["finalCalledPartyNumber"] for row in members}) == 1
            assert str(members[0]["finalCalledPartyNumber"]).startswith("b00")
            controllers = {charge["line_id"] for charge in told["charges"]}
            assert len(controllers) == 1
            extension = controllers.pop().partition(".")[2]
            assert f"ConfControllerDn={extension};" in str(members[0]["comment"])


def test_the_hunt_groups_records() -> None:
    pilot = "6100"
    for rows, told in of("hunt-shown"):
        assert rows[0]["huntPilotDN"] == pilot
        assert rows[0]["calledPartyPatternUsage"] == 7
        assert rows[0]["finalCalledPartyNumber"] != pilot
        assert [part["outcome"] for part in told["participations"]] == ["answered"]
        assert told["acquirable"] == [{"line_id": "HQ.6100", "outcome": "missed", "hunt": True}]
    for rows, told in of("hunt-hidden"):
        assert rows[0]["finalCalledPartyNumber"] == pilot
        assert not told["participations"]
    for rows, _ in of("hunt-unanswered"):
        assert "huntPilotDN" not in rows[0]
        assert "destDeviceName" not in rows[0]
    for rows, _ in of("hunt-transfer"):
        assert [row.get("huntPilotDN") for row in rows].count(pilot) == 2
    for _, told in of("hunt-unlisted-member"):
        assert {line["line_id"] for line in told["acquirable"]} == {
            "HQ.6100",
            f"HQ.{UNLISTED[-1]}",
        }


def test_who_pays_for_a_forwarded_call() -> None:
    for scenario in ("cfa-outside", "cfa-outside-internal"):
        for rows, told in of(scenario):
            forwarder = f"{rows[0]['lastRedirectDnPartition']}.{rows[0]['lastRedirectDn']}"
            assert {charge["line_id"] for charge in told["charges"]} == {forwarder}
            assert told["price"] != 0
    assert {told["direction"] for _, told in of("cfa-outside")} == {"transit"}
    assert {told["direction"] for _, told in of("cfa-outside-internal")} == {"outgoing"}


def test_unrated_is_not_free() -> None:
    for scenario in ("outgoing-no-rate", "outgoing-unlisted-trunk"):
        for _, told in of(scenario):
            assert told["price"] is None
            assert [charge["micros"] for charge in told["charges"]] == [None]
    for scenario in ("outgoing-emergency", "outgoing-toll-free", "tie-outgoing", "outgoing-busy"):
        assert {told["price"] for _, told in of(scenario)} == {0}


def test_numbers_that_are_not_billed_have_no_rows() -> None:
    for scenario in ("billing-off-out", "fax-not-billed", "unlisted-out"):
        for _, told in of(scenario):
            assert not told["billed"]
            assert not any(charge["billed"] for charge in told["charges"])
    assert all(told["acquirable"] for _, told in of("unlisted-out"))
    assert not any(told["acquirable"] for _, told in of("billing-off-out"))


def test_without_partitions_ambiguous_numbers_are_nobodys() -> None:
    twice = {"2001", "2002", "2003", "2004", "2005"}
    named = {
        part["line_id"].partition(".")[2]
        for _, told in run("cucm")
        for part in told["participations"]
    }
    assert named
    assert not named & twice


def test_a_retrieved_caller_is_still_incoming() -> None:
    outside = 0
    for rows, told in of("park-retrieve"):
        parked, retrieved = rows
        assert retrieved["destLegIdentifier"] == parked["origLegCallIdentifier"]
        assert str(retrieved["lastRedirectDn"]).startswith("680")
        assert told["direction"] in ("incoming", "internal")
        outside += told["direction"] == "incoming"
        assert told["price"] == 0
    assert outside
