"""Groups of a real server and of files: who is in them, and what that grants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ldap3
import pytest

from syncd.directory.groups import MEMBERSHIP
from syncd.directory.sources.ldap import LdapSource
from syncd.directory.sources.ldif import LdifSource
from syncd.directory.sync import SyncOutcome, SyncRefused, sync_source
from syncd.domain.errors import ConfigurationError, RefusedError
from syncd.reports.recipients import addressees
from syncd.settings.load import load
from syncd.settings.model import DirectorySettings, GroupSettings
from syncd.settings.values_mailing import parse_recipients
from syncd.store.models import Party, PartyGroup
from tests.directory_settings import Site, directory_settings
from tests.integration.slapd import PEOPLE, READER, Slapd

NOW = 1_790_000_000
MAPPING = {
    "username": "uid",
    "first_extension": "telephoneNumber",
    "bill_first_extension": "no",
    "department": "departmentNumber",
}


class Corp:
    """A server with a few people, and syncs an hour apart."""

    def __init__(self, slapd: Slapd, secret: Path) -> None:
        self.slapd = slapd
        self.secret = secret
        self.now = NOW
        for number, uid in enumerate(("anna", "bert", "carl", "dora")):
            slapd.add(uid, telephoneNumber=f"200{number}", departmentNumber="IT")

    def settings(self, *groups: GroupSettings, **options: Any) -> DirectorySettings:
        given = {
            "servers": (self.slapd.url,),
            "bind_dn": READER,
            "bind_password_file": self.secret,
            "mapping": MAPPING,
            "groups": groups,
        }
        return directory_settings(**(given | options))

    def sync(self, settings: DirectorySettings, **how: Any) -> SyncOutcome:
        self.now += 3600
        return sync_source(settings, LdapSource(settings), [Site("hq")], now=self.now, **how)


@pytest.fixture
def corp(slapd: Slapd, secret: Path) -> Corp:
    return Corp(slapd, secret)


def entry_dn(uid: str) -> str:
    return f"uid={uid},{PEOPLE}"


def levels() -> dict[str, int]:
    return {party.username: party.permission_level for party in Party.select() if party.username}


def test_groups_in_groups_that_contain_each_other(corp: Corp, store: Any) -> None:
    inner = corp.slapd.add_group("inner", entry_dn("bert"), f"cn=admins,{PEOPLE}")
    admins = corp.slapd.add_group("admins", entry_dn("anna"), inner)
    sales = corp.slapd.add_group("sales", entry_dn("anna"), entry_dn("carl"))
    settings = corp.settings(
        GroupSettings("admins", admins.upper(), permission_level=10),
        GroupSettings(
            "sales",
            sales,
            permission_level=6,
            bill_first_extension=True,
            additional_departments=("Sales", "Support"),
        ),
    )
    corp.sync(settings)
    assert levels() == {"anna": 10, "bert": 10, "carl": 6, "dora": 0}
    anna, dora = (Party.get(Party.username == name) for name in ("anna", "dora"))
    assert (anna.additional_departments, anna.bill_first_extension) == ("Sales;Support", True)
    assert (dora.additional_departments, dora.bill_first_extension) == ("", False)
    assert corp.sync(settings).outcome == "unchanged"
    # Who leaves a group loses what it granted, though nothing of the entry itself has changed.
    changes = {"member": [(ldap3.MODIFY_DELETE, [entry_dn("carl")])]}
    assert corp.slapd.admin.modify(sales, changes)
    assert corp.sync(settings).changed == 1
    assert levels()["carl"] == 0


def members(name: str) -> set[str]:
    """Return who would be written to as the members of a group."""
    found = addressees(parse_recipients(f"group {name}"), 0, "", "department")
    return {one.who.partition(":")[2] for one in found}


def test_who_is_in_a_group_is_stored_and_followed(corp: Corp, store: Any) -> None:
    """Of a group that grants nothing, too, so that no field of anybody changes with it."""
    inner = corp.slapd.add_group("inner", entry_dn("bert"))
    news = corp.slapd.add_group("news", entry_dn("anna"), inner)
    settings = corp.settings(GroupSettings("news", news))
    corp.sync(settings, dry_run=True)
    assert members("news") == set()
    corp.sync(settings)
    assert members("news") == members("corp:news") == {"anna", "bert"}
    assert members("other:news") == members("new") == set()
    there = {(row.source, row.name) for row in PartyGroup.select()}
    assert there == {("corp", "news")}
    changes = {"member": [(ldap3.MODIFY_ADD, [entry_dn("carl")])]}
    assert corp.slapd.admin.modify(news, changes)
    assert corp.sync(settings).outcome == "unchanged"
    assert members("news") == {"anna", "bert", "carl"}
    changes = {"member": [(ldap3.MODIFY_REPLACE, [entry_dn("dora")])]}
    assert corp.slapd.admin.modify(news, changes)
    corp.sync(settings)
    assert members("news") == {"dora"}
    Party.update(departed_at=NOW).where(Party.username == "dora").execute()
    assert members("news") == set()
    corp.sync(corp.settings())
    assert PartyGroup.select().count() == 0


def test_an_answer_that_is_not_whole_changes_no_group(corp: Corp, store: Any) -> None:
    admins = corp.slapd.add_group("admins", entry_dn("anna"))
    group = GroupSettings("admins", admins, permission_level=6)
    corp.sync(corp.settings(group))
    assert corp.slapd.admin.delete(admins)
    with pytest.raises(RefusedError):
        corp.sync(corp.settings(group))
    assert members("admins") == {"anna"}


def test_unique_members_and_members_that_do_not_exist(corp: Corp, store: Any) -> None:
    group = f"cn=unique,{PEOPLE}"
    members = [f"{entry_dn('anna')}#'0101'B", entry_dn("bert"), entry_dn("nobody")]
    assert corp.slapd.admin.add(group, "groupOfUniqueNames", {"uniqueMember": members})
    corp.sync(corp.settings(GroupSettings("u", group, permission_level=8)))
    assert levels() == {"anna": 8, "bert": 8, "carl": 0, "dora": 0}


def test_a_group_that_does_not_exist_takes_nothing_away(corp: Corp, store: Any) -> None:
    admins = corp.slapd.add_group("admins", entry_dn("anna"))
    group = GroupSettings("admins", admins, permission_level=6)
    corp.sync(corp.settings(group))
    assert corp.slapd.admin.delete(admins)
    with pytest.raises(RefusedError, match="nothing can be read of the groups admins"):
        corp.sync(corp.settings(group))
    assert levels()["anna"] == 6


def test_a_group_that_is_known_from_its_members_alone(corp: Corp, store: Any) -> None:
    """The memberOf of the people is enough where group entries may not be read."""
    admins = corp.slapd.add_group("admins", entry_dn("anna"))
    settings = corp.settings(GroupSettings("admins", admins, permission_level=6))
    source = LdapSource(settings)
    snapshot = source.snapshot()
    anna = next(one for one in snapshot.entries if one.where == entry_dn("anna"))
    assert anna.attributes["memberof"] == [admins]
    assert anna.attributes[MEMBERSHIP] == ["admins"]


def test_many_who_lose_a_level_at_once_are_a_matter_for_the_guard(corp: Corp, store: Any) -> None:
    names = [f"user{number}" for number in range(8)]
    for name in names:
        corp.slapd.add(name)
    staff = corp.slapd.add_group("staff", *map(entry_dn, names))
    settings = corp.settings(GroupSettings("staff", staff, permission_level=6))
    corp.sync(settings)
    changes = {"member": [(ldap3.MODIFY_REPLACE, [entry_dn("anna")])]}
    assert corp.slapd.admin.modify(staff, changes)
    with pytest.raises(SyncRefused, match="8 of 8 values of permission_level would be emptied"):
        corp.sync(settings)
    assert levels()["user0"] == 6


# --- files ---------------------------------------------------------------------------------------

FILE = """dn: cn=admins,ou=groups,dc=x
objectClass: groupOfNames
member: cn=inner,ou=groups,dc=x

dn: uid=anna,ou=people,dc=x
objectClass: inetOrgPerson
uid: anna

dn: uid=bert,ou=people,dc=x
objectClass: inetOrgPerson
uid: bert
memberOf: cn=sales,ou=groups,dc=x

dn: cn=inner,ou=groups,dc=x
objectClass: groupOfNames
member: UID=Anna, OU=people, DC=x
"""


def ldif_settings(path: Path, *groups: GroupSettings) -> DirectorySettings:
    base = {"type": "ldif", "base": "ou=people,dc=x", "id": "uid", "mapping": {"username": "uid"}}
    return directory_settings(**base, file=path, groups=groups)


def test_groups_in_a_file(tmp_path: Path, store: Any) -> None:
    path = tmp_path / "people.ldif"
    path.write_text(FILE)
    settings = ldif_settings(
        path,
        GroupSettings("admins", "cn=admins,ou=groups,dc=x", permission_level=10),
        GroupSettings("sales", "cn=sales,ou=groups,dc=x", permission_level=6),
    )
    sync_source(settings, LdifSource(settings), [], now=NOW)
    assert levels() == {"anna": 10, "bert": 6}


def test_a_group_that_no_file_has(tmp_path: Path, store: Any) -> None:
    path = tmp_path / "people.ldif"
    path.write_text(FILE)
    settings = ldif_settings(path, GroupSettings("x", "cn=x,dc=x", permission_level=6))
    snapshot = LdifSource(settings).snapshot()
    assert not snapshot.complete
    assert "the groups x (cn=x,dc=x)" in snapshot.why_incomplete


# --- the section ---------------------------------------------------------------------------------

INI = """[syncd]
timezone = Europe/Rome
currency = EUR
[directory:corp]
type = ldif
file = people.ldif
[map:corp]
username = uid
first_extension = telephoneNumber
bill_first_extension = yes
[groups:corp]
"""


def test_the_section(tmp_path: Path) -> None:
    path = tmp_path / "syncd.ini"
    (tmp_path / "people.ldif").touch()
    path.write_text(
        INI
        + """admins = cn=admins,ou=groups,dc=x
admins.permission_level = 10
admins.bill_first_extension = yes
admins.additional_departments = Sales;Support
empty = cn=empty,dc=x
"""
    )
    settings = load(path)
    admins, empty = settings.directories["corp"].groups
    assert admins == GroupSettings(
        "admins",
        "cn=admins,ou=groups,dc=x",
        permission_level=10,
        bill_first_extension=True,
        additional_departments=("Sales", "Support"),
        file=str(path),
        line=12,
    )
    assert (empty.name, empty.permission_level) == ("empty", None)
    [warning] = settings.warnings
    assert "grants nothing" in warning.what


@pytest.mark.parametrize("named", ["empty", "corp:empty"])
def test_a_group_that_is_written_to_need_grant_nothing(tmp_path: Path, named: str) -> None:
    path = tmp_path / "syncd.ini"
    (tmp_path / "people.ldif").touch()
    mail = (
        "[mail]\nserver = mail\nfrom = a@example.com\n"
        f"[schedule:x]\nreport = by-person\nrecipients = group {named}\n"
    )
    path.write_text(f"{INI}empty = cn=empty,dc=x\n{mail}")
    assert load(path).warnings == ()


@pytest.mark.parametrize(
    ("named", "what", "hint"),
    [
        ("empyt", "there is no group 'empyt'", "empty"),
        ("corp:x", "there is no group 'corp:x'", ""),
        ("admins", "'admins' is a group of several directories", "group corp:admins"),
    ],
)
def test_a_group_that_nobody_can_be_of(tmp_path: Path, named: str, what: str, hint: str) -> None:
    path = tmp_path / "syncd.ini"
    (tmp_path / "people.ldif").touch()
    other = INI.partition("[directory:corp]")[2].replace("corp", "more")
    path.write_text(
        f"{INI}admins = cn=a\nadmins.bill_fax = yes\nempty = cn=e\nempty.bill_fax = yes\n"
        f"[directory:more]{other}admins = cn=a\nadmins.bill_fax = yes\n"
        "[mail]\nserver = mail\nfrom = a@example.com\n"
        f"[alarm:x]\non = call-cost\namount = 1\nnotify = group {named}\n"
    )
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    [problem] = caught.value.problems
    assert problem.what == what
    assert hint in problem.hint
    assert problem.option == "[alarm:x] notify"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("admins.permission_level = 10", "there is no group admins"),
        ("admins = cn=a\nadmins.permission_level = 7", "'7' is not a permission level"),
        ("admins = cn=a\nadmins.bill_fax = perhaps", "neither yes nor no"),
        ("admins = cn=a\nadmins.colour = red", "there is no such option"),
        ("admins = everybody\nadmins.bill_fax = yes", "'everybody' is not an entry DN"),
        (
            "[directory:t]\ntype = csv\nfile = people.ldif\n[map:t]\nusername = u\n"
            "first_extension = n\nbill_first_extension = yes\n[groups:t]\na = cn=a\na.bill_fax = yes",
            "has no groups",
        ),
        ("[groups:corpo]\na = cn=a\na.bill_fax = yes", "there is no [directory:corpo]"),
    ],
)
def test_a_mistake_in_the_section(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "syncd.ini"
    (tmp_path / "people.ldif").touch()
    path.write_text(INI + text + "\n")
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    [problem] = caught.value.problems
    assert what in problem.what
    assert problem.line >= 11
