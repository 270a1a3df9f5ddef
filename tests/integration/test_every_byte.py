"""Every character from 0 to 255 in each place where what somebody wrote meets an entry DN or a filter,
before a real server: it means itself, and nothing else answers to it.

Values and entry DNs that ``syncd directory test`` looks for are in test_directory_verb.py.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from ldap3.utils.dn import escape_rdn

from syncd.directory.entry_dn import normal_parts
from syncd.directory.filter import normal
from syncd.directory.groups import MEMBERSHIP
from syncd.directory.sources.active_directory import ActiveDirectorySource
from syncd.directory.sources.ldap import LdapSource
from syncd.domain.errors import ConfigurationError, TryAgainError
from syncd.settings.model import GroupSettings
from tests.directory_settings import directory_settings
from tests.integration.slapd import PASSWORD, PEOPLE, READER, SUFFIX, Slapd
from tests.support import scripted_ad
from tests.support.scripted_ad import DomainController
from tests.support.scripted_ldap import Answer, Search, done, elements, entry, scripted_ldap

CODES = range(256)
MAPPING = {"username": "uid", "first_extension": "telephoneNumber", "bill_first_extension": "yes"}


def value_of(code: int) -> str:
    return f"x{chr(code)}y"


def in_hexadecimal(value: str) -> str:
    """Return a value in an entry DN or a filter, every byte of it escaped."""
    return "".join(f"\\{byte:02x}" for byte in value.encode())


def source_for(slapd: Slapd, secret: Path, **options: Any) -> LdapSource:
    given = {"servers": (slapd.url,), "bind_dn": READER, "bind_password_file": secret}
    return LdapSource(directory_settings(**({"mapping": MAPPING} | given | options)))


def people_of(source: LdapSource) -> list[str]:
    snapshot = source.snapshot()
    assert snapshot.complete, snapshot.why_incomplete
    return sorted(entry.attributes["uid"][0] for entry in snapshot.entries)


SPELLINGS = {"hexadecimal": in_hexadecimal, "escaped": escape_rdn}
FIRST = {"hexadecimal": 0, "escaped": 1}
"""No settings file can have a zero byte in it."""


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_in_the_entry_dn_of_a_group(slapd: Slapd, secret: Path, spelling: str) -> None:
    """Each person is in one group, and each group in another, which the settings name."""
    groups = []
    for code in CODES:
        person = slapd.add(f"u{code}")
        inner = f"cn={in_hexadecimal(f'i{chr(code)}')},{PEOPLE}"
        outer = f"cn={in_hexadecimal(value_of(code))},{PEOPLE}"
        written = f"cn={SPELLINGS[spelling](value_of(code))},{PEOPLE}"
        if not slapd.admin.add(inner, "groupOfNames", {"member": person}):
            continue
        if slapd.admin.add(outer, "groupOfNames", {"member": inner}) and code >= FIRST[spelling]:
            groups.append(GroupSettings(f"g{code}", written, permission_level=2))
    # The server holds names that differ by case or blanks for one.
    assert len(groups) > 180
    source = source_for(slapd, secret, groups=tuple(groups))
    snapshot = source.snapshot()
    assert snapshot.complete, snapshot.why_incomplete
    names = {group.name for group in groups}
    for found in snapshot.entries:
        uid = found.attributes["uid"][0]
        expected = [f"g{uid[1:]}"] if f"g{uid[1:]}" in names else []
        assert found.attributes[MEMBERSHIP] == expected, uid


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_in_the_base(slapd: Slapd, secret: Path, spelling: str) -> None:
    made = 0
    for code in CODES:
        unit = f"ou={in_hexadecimal(value_of(code))},{PEOPLE}"
        if not slapd.admin.add(unit, "organizationalUnit"):
            continue
        made += 1
        values = {"uid": f"u{code}", "cn": "c", "sn": "s"}
        assert slapd.admin.add(f"uid=u{code},{unit}", "inetOrgPerson", values)
    assert made > 180
    found: list[str] = []
    for code in range(FIRST[spelling], 256):
        base = f"ou={SPELLINGS[spelling](value_of(code))},{PEOPLE}"
        snapshot = source_for(slapd, secret, base=base).snapshot()
        if snapshot.complete:
            (one,) = snapshot.entries
            found += one.attributes["uid"]
            held = int(one.attributes["uid"][0][1:])
            assert normal(value_of(held)) == normal(value_of(code)), code
    assert len(set(found)) == made - FIRST[spelling]


def test_in_the_name_of_the_account(slapd: Slapd, secret: Path) -> None:
    slapd.add("anna")
    bound = 0
    for code in CODES:
        account = f"uid={in_hexadecimal(value_of(code))},{SUFFIX}"
        values = {"userPassword": PASSWORD if code % 2 else "another"}
        made = slapd.admin.add(account, ["account", "simpleSecurityObject"], values)
        if not made:
            continue
        try:
            if code % 2:
                assert people_of(source_for(slapd, secret, bind_dn=account)) == ["anna"]
                bound += 1
            else:
                with pytest.raises(TryAgainError, match="bound"):
                    source_for(slapd, secret, bind_dn=account).snapshot()
        finally:
            assert slapd.admin.delete(account)
    assert bound > 90


def test_in_a_value_of_the_filter(slapd: Slapd, secret: Path) -> None:
    """Escaped, a character is one of the value; as it is, it is that or a mistake in the filter."""
    for code in CODES:
        values = {"cn": "c", "sn": "s", "description": value_of(code)}
        assert slapd.admin.add(f"uid=u{code},{PEOPLE}", "inetOrgPerson", values)
    for code in CODES:
        for text in (in_hexadecimal(value_of(code)), value_of(code)):
            try:
                source = source_for(slapd, secret, filter=f"(description={text})")
            except ConfigurationError:
                assert chr(code) in "()\\", code
                continue
            snapshot = source.snapshot()
            if not snapshot.complete:
                assert text == value_of(code), code
                continue
            found = [int(one.attributes["uid"][0][1:]) for one in snapshot.entries]
            if text == "x*y":
                assert len(found) == 256
                continue
            assert code in found, code
            # As the server compares, without regard to case, blanks and forms of a character.
            same = {compared(value_of(one)) for one in found}
            assert same == {compared(value_of(code))}, code


def compared(value: str) -> str:
    return normal(unicodedata.normalize("NFKC", value))


def test_as_it_is_in_an_entry_dn(slapd: Slapd, secret: Path) -> None:
    """Not escaped, a character may mean something in an entry DN; then it names nobody else."""
    held = set()
    for code in CODES:
        entry_dn = f"uid={in_hexadecimal(value_of(code))},{PEOPLE}"
        if slapd.admin.add(entry_dn, "inetOrgPerson", {"cn": "c", "sn": "s"}):
            held.add(value_of(code))
    source = source_for(slapd, secret, mapping=MAPPING | {"username": "mail"})
    for code in CODES:
        for found in source.find(f"uid={value_of(code)},{PEOPLE}"):
            (uid,) = found.raw["uid"]
            assert normal(uid.decode()) == normal(value_of(code)), code


# --- groups in groups, as a domain controller resolves them --------------------------------------


def test_in_a_group_that_the_server_resolves() -> None:
    """The entry DN of a group is the value of a matching rule: it arrives as it was written."""
    domain = DomainController()
    domain.add("anna", uid="anna")
    asked: list[str] = []

    def script(search: Search) -> Answer:
        if search.base.startswith("CN=x"):
            return [entry(search, search.base, {}), done(search, cookie=None)]
        if search.attributes == ("1.1",):
            (_, both) = search.filter
            chained = dict(elements(elements(both)[1][1]))
            assert chained[0x81] == b"1.2.840.113556.1.4.1941"
            asked.append(chained[0x83].decode("utf-8", "surrogateescape"))
            return [done(search)]
        return domain.answer(search)

    groups = [f"CN=x{chr(code)}y,{scripted_ad.SUFFIX}" for code in CODES]
    with scripted_ldap(script) as server:
        settings = directory_settings(
            type="active_directory",
            servers=(server.url,),
            base=scripted_ad.PEOPLE,
            filter="(objectClass=user)",
            mapping=MAPPING,
            groups=tuple(
                GroupSettings(f"g{number}", entry_dn, permission_level=2)
                for number, entry_dn in enumerate(groups)
            ),
        )
        snapshot = ActiveDirectorySource(settings).snapshot()
    assert snapshot.complete, snapshot.why_incomplete
    assert {*asked} <= {*groups}
    # Names that differ by case or blanks are one: asked about once.
    assert {*map(normal_parts, asked)} == {*map(normal_parts, groups)}
    assert len(asked) > 150
