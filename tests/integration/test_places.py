"""Lists of places: phones, fax machines, hunt pilots and members, synchronised like people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncd.directory.sources.open import open_source
from syncd.directory.sync import SyncOutcome, SyncRefused, sync_source
from syncd.domain.clock import BEGINNING, FOREVER
from syncd.domain.codes import Role
from syncd.domain.errors import ConfigurationError, RefusedError, UserError
from syncd.domain.party import Line
from syncd.reports.scope import resolve_viewer
from syncd.settings.model import DirectorySettings
from syncd.settings.schema_people import PLACE_MAPPING
from syncd.store.models import Assignment, HuntGroup, HuntMember, Party, Profile, SyncChange
from tests.directory_settings import Site, directory_settings

NOW = 1_790_000_000
pytestmark = pytest.mark.usefixtures("store")
HEADER = "number,partition,kind,name,department,cost_center,device,hunt_group,billed"
LIST = """5000,P1,pilot,Support,IT,100,,Support,
2001,P1,member,,,,,Support,
2002,P1,member,,,,,Support; Sales,
2900,P1,phone,Lobby,Reception,,SEP0001,Sales,no
2950,P1,fax,,IT,,,,yes
"""


class List:
    """A list and its syncs, each an hour after the one before."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.now = NOW

    def write(self, rows: str, header: str = HEADER) -> None:
        self.file.write_text(f"{header}\n{rows}", encoding="utf-8")

    def settings(self, **options: Any) -> DirectorySettings:
        own = {"name": "list", "type": "places", "file": self.file, "mapping": PLACE_MAPPING}
        return directory_settings(**(own | options))

    def sync(self, rows: str | None = None, **how: Any) -> SyncOutcome:
        if rows is not None:
            self.write(rows)
        options = {name: how.pop(name) for name in ("bill", "site", "grace") if name in how}
        settings = self.settings(**options)
        self.now += 3600
        sites = [Site("hq", ("XXXX",))]
        return sync_source(settings, open_source(settings), sites, now=self.now, **how)


@pytest.fixture
def places(tmp_path: Path) -> List:
    return List(tmp_path / "places.csv")


def holdings(name: str) -> list[tuple[str, str, bool, int, int]]:
    query = Assignment.select().join(Party).where(Party.display_name == name)
    return [
        (
            Role(a.role).word,
            a.line.line_id if a.line_id else a.number,
            a.billed,
            a.valid_from,
            a.valid_to,
        )
        for a in query.order_by(Assignment.id)
    ]


def groups() -> dict[str, tuple[Line, list[Line]]]:
    return {
        group.name: (
            Line(group.site, group.partition, group.number),
            sorted(Line(m.site, m.partition, m.number) for m in group.members),
        )
        for group in HuntGroup.select()
    }


def test_places_and_pilots_are_parties(places: List) -> None:
    outcome = places.sync(LIST)
    assert (outcome.outcome, outcome.arrived) == ("applied", 3)
    kinds = {party.display_name: party.kind for party in Party.select()}
    assert kinds == {"Pilot: Support": "pilot", "Lobby": "place", "Fax P1.2950": "place"}
    assert holdings("Pilot: Support") == [("first", "P1.5000", True, BEGINNING, FOREVER)]
    assert holdings("Lobby") == [
        ("first", "P1.2900", False, BEGINNING, FOREVER),
        ("device", "SEP0001", False, BEGINNING, FOREVER),
    ]
    profile = Profile.get(Profile.display_name == "Pilot: Support")
    assert (profile.department, profile.cost_center) == ("IT", "100")
    assert places.sync().outcome == "unchanged"


def test_nobody_logs_in_as_a_place(places: List) -> None:
    places.sync(LIST)
    Party.update(username="lobby", username_key="lobby", permission_level=10).execute()
    assert not any(party.enabled for party in Party.select())
    with pytest.raises(UserError):
        resolve_viewer("lobby", "department")


def test_hunt_groups_and_their_members(places: List) -> None:
    places.sync(LIST)
    assert groups() == {
        "Support": (Line("", "P1", "5000"), [Line("", "P1", "2001"), Line("", "P1", "2002")]),
        "Sales": (Line("", "", ""), [Line("", "P1", "2002"), Line("", "P1", "2900")]),
    }
    changed = LIST.replace("2001,P1,member", "2003,P1,member")
    dry = places.sync(changed, dry_run=True)
    assert [d.as_dict() for d in dry.differences] == [
        {
            "who": "Support",
            "what": "changed",
            "field": "hunt members",
            "old": "P1.2001;P1.2002",
            "new": "P1.2002;P1.2003",
        }
    ]
    assert groups()["Support"][1][0].number == "2001"
    assert places.sync().outcome == "applied"
    assert [line.number for line in groups()["Support"][1]] == ["2002", "2003"]
    assert SyncChange.get(SyncChange.field == "hunt members").party is None
    assert places.sync().outcome == "unchanged"
    fewer = "\n".join(line for line in changed.split("\n") if "Sales" not in line)
    places.sync(fewer, accept_departures=1, accept_changes=3)
    assert {*groups()} == {"Support"}
    assert HuntMember.select().count() == 1


def test_a_pilot_that_is_not_billed_is_known_to_the_licence_alone(places: List) -> None:
    places.sync(LIST, bill=False)
    assert not Party.select().where(Party.kind == "pilot").exists()
    assert groups()["Support"][0] == Line("", "P1", "5000")
    assert holdings("Fax P1.2950")[0][2] is True


def test_the_site_of_the_section(places: List) -> None:
    places.sync(LIST, site="hq")
    assert groups()["Support"][0] == Line("hq", "P1", "5000")
    assert Assignment.get(Assignment.number == "5000").site == "hq"


def test_a_mistake_anywhere_changes_nothing(places: List) -> None:
    places.sync(LIST)
    before = groups()
    rows = LIST + "29x1,P1,phone,A,,,,,\n2902,P1,phonne,B,,,,,\n2903,P1,member,,,,,,\n2904,P1\n"
    rows += "2905,,fax,,,,,,perhaps\n2900,P1,fax,,,,,,\n5001,P1,pilot,Other,,,,Support,\n"
    with pytest.raises(RefusedError) as refused:
        places.sync(rows)
    assert [(problem.line, problem.option) for problem in refused.value.problems] == [
        (7, "number"),
        (8, "kind"),
        (9, "hunt_group"),
        (10, ""),
        (11, "billed"),
        (12, "number"),
        (13, "hunt_group"),
    ]
    assert "did you mean phone?" in str(refused.value)
    assert groups() == before


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "names nothing|no such column"),
        (b"number,kind\n", "names nothing"),
        (b"nummber,kind\n5000,pilot\n", "no such column"),
        (b"number,kind,kind\n5000,pilot,pilot\n", "twice"),
        (b"number,kind\n5000,\xff\n", "UTF-8"),
        (b'number,kind,name\n5000,pilot,"Sup', "not CSV"),
    ],
)
def test_a_list_that_is_not_whole_removes_nothing(places: List, data: bytes, what: str) -> None:
    places.sync(LIST)
    places.file.write_bytes(data)
    with pytest.raises(RefusedError, match=what):
        places.sync()
    assert Party.select().where(Party.departed_at.is_null()).count() == 3


def test_no_file(places: List) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        places.sync()


def test_the_guard_weighs_places_and_members(places: List) -> None:
    phones = [f"2{n:03},,phone,Phone {n},,,,Sales,\n" for n in range(20)]
    places.sync("".join(phones))
    with pytest.raises(SyncRefused) as refused:
        places.sync("".join(phones[:9]))
    assert [problem.what for problem in refused.value.problems] == [
        "11 of 20 people would leave, more than 10% or 5",
        "11 of 20 members of hunt groups would be lost, more than 10% or 5",
    ]
    assert refused.value.problems[0].option == "[places:list]"
    told = {str(one["check"]): one for one in refused.value.outcome.as_dict()["guard"]}  # type: ignore[attr-defined]
    assert told["hunt-members"] == {
        "check": "hunt-members",
        "field": None,
        "count": 11,
        "of": 20,
        "limit": "10% or 5",
        "passes": False,
    }
    assert Party.select().where(Party.departed_at.is_null()).count() == 20
    assert places.sync(accept_departures=11, accept_changes=11).departed == 11


def test_a_number_that_somebody_holds_is_a_conflict(places: List) -> None:
    places.sync(LIST)
    other = places.settings(name="other", file=places.file.with_name("other.csv"))
    other.file.write_text("number,kind,partition,name\n5000,phone,P1,Mine\n")  # type: ignore[union-attr]
    outcome = sync_source(other, open_source(other), [Site("hq")], now=NOW + 9_000)
    assert [(c.who, c.holder) for c in outcome.conflicts] == [("Mine", "Pilot: Support")]


def test_excel_writes_semicolons(places: List) -> None:
    places.file.write_text("\ufeffNumber;Kind;Name;Hunt Group\r\n5000;Pilot;Help;\r\n")
    places.sync()
    assert {*groups()} == {"Help"}
    assert Party.get().display_name == "Pilot: Help"
