"""Reading lists of places, and what differs between hunt groups."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.directory.hunt_groups import changes
from syncd.directory.places import KINDS, MEMBER, PILOT, open_source, shown_name
from syncd.directory.protocol import NO_LINE, HuntGroup, Snapshot
from syncd.domain.party import Line
from tests.directory_settings import directory_settings


def read(tmp_path: Path, text: str, *, bill: bool = True) -> Snapshot:
    file = tmp_path / "places.csv"
    file.write_text(text, encoding="utf-8")
    return open_source(directory_settings(type="places", file=file, bill=bill)).snapshot()


@pytest.mark.parametrize(
    ("kind", "name", "shown"),
    [
        ("pilot", "Support", "Pilot: Support"),
        ("pilot", "Pilot: Support", "Pilot: Support"),
        ("pilot", "", "Pilot: P.5000"),
        ("phone", "Lobby", "Lobby"),
        ("fax", "", "Fax P.5000"),
    ],
)
def test_the_name_in_reports(kind: str, name: str, shown: str) -> None:
    assert shown_name(kind, name, "P.5000") == shown


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bill", [False, True])
def test_each_kind(tmp_path: Path, kind: str, bill: bool) -> None:
    snapshot = read(tmp_path, f"kind,number,hunt_group\n{kind},50 00,G\n", bill=bill)
    assert snapshot.complete
    party = {PILOT: "pilot", MEMBER: ""}.get(kind, "place")
    if kind == PILOT and not bill:
        party = ""
    assert [entry.kind for entry in snapshot.entries] == ([party] if party else [])
    (group,) = snapshot.hunt_groups
    line = Line("", "", "5000")
    assert (group.pilot, group.members) == ((line, ()) if kind == PILOT else (NO_LINE, (line,)))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_and_quoted_cells(tmp_path: Path, delimiter: str) -> None:
    header = delimiter.join(("number", "kind", "name"))
    row = delimiter.join(("2900", "phone", '"Lobby, left; right"'))
    (entry,) = read(tmp_path, f"{header}\n\n{row}\n").entries
    assert entry.attributes["name"] == ["Lobby, left; right"]
    assert entry.where.endswith("places.csv:3")


def test_names_of_one_group_may_be_spelled_differently(tmp_path: Path) -> None:
    text = "number,kind,hunt_group\n5000,pilot,Support\n2001,member,SUPPORT \n2001,member,support\n"
    (group,) = read(tmp_path, text).hunt_groups
    assert (group.name, group.members) == ("Support", (Line("", "", "2001"),))


lines = st.sampled_from([Line("", "", "1"), Line("hq", "", "1"), Line("", "P", "1")])
# No line stands for a pilot that a group lacks, never for a member.
groups = st.dictionaries(
    st.sampled_from("abc"), st.tuples(st.just(NO_LINE) | lines, st.frozensets(lines)), max_size=3
).map(
    lambda said: {
        key: HuntGroup(key, key.upper(), pilot, tuple(sorted(members)))
        for key, (pilot, members) in said.items()
    }
)


@given(groups, groups)
def test_what_changes_makes_the_stored_groups_the_wanted_ones(
    stored: dict[str, HuntGroup], wanted: dict[str, HuntGroup]
) -> None:
    changed = changes(stored, [*wanted.values()])
    after = {key: group for key, group in stored.items() if key not in changed.gone}
    assert after | {group.key: group for group in changed.written} == wanted
    assert changed.empty is (stored == wanted)
    assert {one.who for one in changed.differences} == {
        key.upper() for key in {*stored, *wanted} if stored.get(key) != wanted.get(key)
    }
