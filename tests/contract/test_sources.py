"""What every kind of directory source gives: the same entries, the same snapshot."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from syncd.directory.mapping import mapping_of
from syncd.directory.protocol import DirectorySource, Entry
from syncd.directory.sources.csv_file import CsvSource
from syncd.directory.sources.ldap import LdapSource
from syncd.directory.sources.ldif import LdifSource
from tests.directory_settings import directory_settings
from tests.integration.slapd import PEOPLE, READER, Slapd

ENTRIES: dict[str, dict[str, list[str]]] = {
    "anna": {"cn": ["Anna Å"], "telephoneNumber": ["+39 06 555-2001"], "title": ["8"]},
    "bert": {
        "cn": ["Bert"],
        "carLicense": ["B 1", "R 2"],
        "mail": ["b@example.com"],
        "description": ["IT; Sales"],
    },
    "carl": {
        "cn": ["Carl"],
        "displayName": [" leading and trailing "],
        "departmentNumber": ["a:b <c>"],
    },
    "dora": {"cn": ["Dora"], "jpegPhoto": ["x"], "employeeType": ["staff"]},
}
MAPPING = {
    "username": "uid",
    "display_name": "displayName, cn",
    "mail": "mail",
    "first_extension": r"telephoneNumber =~ (\d{4})$",
    "department": "departmentNumber",
    "permission_level": "title",
    "additional_departments": "description",
    "bill_first_extension": "employeeType == staff",
    "custom1": "carLicense",
}


@dataclass(frozen=True)
class Filled:
    """Opens sources of one kind, with ENTRIES in it."""

    kind: type[Any]
    options: dict[str, Any]
    naming: str = f"uid={{}},{PEOPLE}"
    """Entry DN of a uid, empty where entries have none."""

    def __call__(self, **more: Any) -> DirectorySource:
        opened: DirectorySource = self.kind(directory_settings(**(self.options | more)))
        return opened


@pytest.fixture(params=["ldap", "ldif", "csv"])
def open_filled(request: pytest.FixtureRequest, tmp_path: Path) -> Filled:
    """Give what opens a source, of each kind, with ENTRIES in it."""
    if request.param == "ldap":
        slapd: Slapd = request.getfixturevalue("slapd")
        secret: Path = request.getfixturevalue("secret")
        for uid, attributes in ENTRIES.items():
            slapd.add(uid, sn=uid, **attributes)
        options = {"servers": (slapd.url,), "bind_dn": READER, "bind_password_file": secret}
        return Filled(LdapSource, options)
    path = tmp_path / "people"
    if request.param == "csv":
        write_csv(path)
        return Filled(CsvSource, {"type": "csv", "file": path}, "")
    lines: list[str] = ["version: 1", ""]
    for number, (uid, attributes) in enumerate(ENTRIES.items()):
        lines += [f"dn: uid={uid},{PEOPLE}", "objectClass: inetOrgPerson", f"uid: {uid}"]
        lines += [f"entryUUID: 00000000-0000-4000-8000-00000000000{number}"]
        for name, values in attributes.items():
            lines += [f"{name}: {value}" for value in values]
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")
    return Filled(LdifSource, {"type": "ldif", "file": path})


def write_csv(path: Path) -> None:
    """Write ENTRIES with a column for each value that an attribute may have."""
    most: dict[str, int] = {}
    for attributes in ENTRIES.values():
        for name, values in attributes.items():
            most[name] = max(most.get(name, 0), len(values))
    columns = [name for name, count in most.items() for _ in range(count)]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["entryUUID", "objectClass", "uid", *columns])
        for number, (uid, attributes) in enumerate(ENTRIES.items()):
            cells: list[str] = []
            for name, count in most.items():
                values = attributes.get(name, [])
                cells += [*values, *[""] * (count - len(values))]
            identity = f"00000000-0000-4000-8000-00000000000{number}"
            writer.writerow([identity, "inetOrgPerson", uid, *cells])


def by_uid(entries: list[Entry]) -> dict[str, Entry]:
    return {entry.attributes["uid"][0]: entry for entry in entries}


def test_a_complete_snapshot(open_filled: Filled) -> None:
    snapshot = open_filled(mapping=MAPPING).snapshot()
    assert snapshot.complete
    assert not snapshot.why_incomplete
    assert not snapshot.problems
    assert snapshot.server
    assert set(by_uid(snapshot.entries)) == set(ENTRIES)


def test_the_attributes_that_are_mapped_and_no_others(open_filled: Filled) -> None:
    entries = by_uid(open_filled(mapping=MAPPING).snapshot().entries)
    assert entries["dora"].attributes == {
        "uid": ["dora"],
        "cn": ["Dora"],
        "employeetype": ["staff"],
    }
    assert sorted(entries["bert"].attributes["carlicense"]) == ["B 1", "R 2"]
    assert entries["anna"].attributes["cn"] == ["Anna Å"]


def test_an_identity_that_stays_and_a_place_to_look(open_filled: Filled) -> None:
    source = open_filled(mapping=MAPPING)
    first, second = (by_uid(source.snapshot().entries) for _ in range(2))
    identities = {uid: entry.external_id for uid, entry in first.items()}
    assert len(set(identities.values())) == len(ENTRIES)
    assert all(len(identity) == 36 for identity in identities.values())
    assert identities == {uid: entry.external_id for uid, entry in second.items()}
    assert all(entry.where for entry in first.values())


def test_the_mapping_makes_the_same_people_of_it(open_filled: Filled) -> None:
    source = open_filled(mapping=MAPPING)
    mapping = mapping_of(directory_settings(mapping=MAPPING))
    entries = by_uid(source.snapshot().entries)
    people = {uid: mapping.apply(entry)[0].fields for uid, entry in entries.items()}
    assert people["anna"]["first_extension"] == "2001"
    assert people["anna"]["permission_level"] == 8
    assert people["bert"]["additional_departments"] == ("IT", "Sales")
    assert people["carl"]["display_name"] == "leading and trailing"
    assert people["carl"]["department"] == "a:b <c>"
    assert people["dora"]["bill_first_extension"] is True
    assert people["anna"]["bill_first_extension"] is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(uid=ANNA)", {"anna"}),
        ("(&(objectClass=inetOrgPerson)(!(mail=*)))", {"anna", "carl", "dora"}),
        ("(|(cn=*ert)(cn=dor*))", {"bert", "dora"}),
        ("(mail=nobody@example.com)", set()),
        ("(carLicense=r  2)", {"bert"}),
    ],
)
def test_filters(open_filled: Filled, text: str, expected: set[str]) -> None:
    snapshot = open_filled(mapping=MAPPING, filter=text).snapshot()
    assert snapshot.complete
    assert set(by_uid(snapshot.entries)) == expected


@pytest.mark.parametrize(("scope", "count"), [("subtree", 4), ("one", 4), ("base", 0)])
def test_scope_and_base(open_filled: Filled, scope: str, count: int) -> None:
    if not open_filled.naming:  # a table has no tree
        assert len(open_filled(mapping=MAPPING, scope=scope).snapshot().entries) == len(ENTRIES)
        return
    assert len(open_filled(mapping=MAPPING, scope=scope).snapshot().entries) == count
    entry_dn = open_filled.naming.format("anna").upper().replace(",", ", ")
    alone = open_filled(mapping=MAPPING, base=entry_dn, scope="base")
    assert set(by_uid(alone.snapshot().entries)) == {"anna"}
