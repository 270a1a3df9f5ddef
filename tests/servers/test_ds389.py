"""The source ``ldap`` against a real 389 Directory Server: the contract of all sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncd.directory.sources.ldap import LdapSource
from tests.contract.test_sources import (
    ENTRIES,
    Filled,
    test_a_complete_snapshot,
    test_an_identity_that_stays_and_a_place_to_look,
    test_filters,
    test_scope_and_base,
    test_the_attributes_that_are_mapped_and_no_others,
    test_the_mapping_makes_the_same_people_of_it,
)
from tests.directory_settings import directory_settings
from tests.servers.ds389 import PASSWORD, PEOPLE, READER, Ds389

__all__ = [
    "test_a_complete_snapshot",
    "test_an_identity_that_stays_and_a_place_to_look",
    "test_filters",
    "test_scope_and_base",
    "test_the_attributes_that_are_mapped_and_no_others",
    "test_the_mapping_makes_the_same_people_of_it",
]


@pytest.fixture
def options(ds389: Ds389, tmp_path: Path) -> dict[str, Any]:
    """The options of a section that reads ``ou=people``."""
    secret = tmp_path / "reader.secret"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    return {
        "servers": (ds389.url,),
        "bind_dn": READER,
        "bind_password_file": secret,
        "base": PEOPLE,
        "account_status": False,
    }


@pytest.fixture
def open_filled(ds389: Ds389, options: dict[str, Any]) -> Filled:
    """What opens the source for the contract of all sources."""
    for uid, attributes in ENTRIES.items():
        ds389.add(uid, **({"sn": uid} | attributes))
    return Filled(LdapSource, options)


def test_pages(ds389: Ds389, options: dict[str, Any]) -> None:
    wanted = [f"user{number}" for number in range(7)]
    for uid in wanted:
        ds389.add(uid)
    snapshot = LdapSource(directory_settings(**options, page_size=3)).snapshot()
    assert snapshot.complete
    assert sorted(entry.attributes["uid"][0] for entry in snapshot.entries) == wanted
