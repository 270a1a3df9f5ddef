"""The source ``active_directory`` against a real domain controller."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peewee
import pytest

from syncd.directory.protocol import Entry, FullReadNeeded
from syncd.directory.sources import active_directory, dirsync
from syncd.directory.sources.active_directory import ActiveDirectorySource
from syncd.directory.sources.follow import FollowingEnded, follow
from syncd.directory.sync import sync_source
from syncd.domain.errors import TryAgainError
from syncd.settings.model import DirectorySettings, GroupSettings
from syncd.store.models import Party
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
from tests.servers.samba import (
    DISABLED_ACCOUNT,
    ELSEWHERE,
    ORDINARY,
    PEOPLE,
    READER,
    SUFFIX,
    Samba,
)

__all__ = [
    "test_a_complete_snapshot",
    "test_an_identity_that_stays_and_a_place_to_look",
    "test_filters",
    "test_scope_and_base",
    "test_the_attributes_that_are_mapped_and_no_others",
    "test_the_mapping_makes_the_same_people_of_it",
]

MAPPING = {
    "username": "sAMAccountName",
    "display_name": "displayName, cn",
    "first_extension": "telephoneNumber",
    "department": "department",
    "bill_first_extension": "yes",
}
PERSON = "(&(objectClass=user)(objectCategory=person))"
YEAR_2020 = "132223104000000000"

Opener = Callable[..., ActiveDirectorySource]


@pytest.fixture
def options(samba: Samba, secret: Path) -> dict[str, Any]:
    """The options of a section that reads ``OU=people``."""
    return {
        "type": "active_directory",
        "servers": (samba.url,),
        "tls": "ldaps",
        "ca_file": samba.certificates.authority,
        "bind_dn": READER,
        "bind_password_file": secret,
        "base": PEOPLE,
        "filter": PERSON,
        "mapping": MAPPING,
    }


@pytest.fixture
def open_filled(samba: Samba, options: dict[str, Any]) -> Filled:
    """What opens the source for the contract of all sources."""
    for uid, attributes in ENTRIES.items():
        values = {name: held for name, held in attributes.items() if name != "cn"}
        samba.add(attributes["cn"][0], uid=uid, **values)
    del options["filter"], options["mapping"]
    options["account_status"] = False
    return Filled(ActiveDirectorySource, options, f"CN=Anna Å,{PEOPLE}")


@pytest.fixture
def opened(options: dict[str, Any]) -> Opener:
    """Give a function that opens the source."""

    def open_with(**more: Any) -> ActiveDirectorySource:
        return ActiveDirectorySource(directory_settings(**(options | more)))

    return open_with


@pytest.fixture(params=["dirsync", "security", "number"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The three ways to learn what changed: with the right to ask for changes, without, and by
    uSNChanged where DirSync is refused."""
    if request.param == "dirsync":
        return {}
    if request.param == "number":
        monkeypatch.setattr(dirsync, "FLAGS", (dirsync.ANCESTORS_FIRST,))
    return {"bind_dn": ORDINARY}


def names(entries: list[Entry] | tuple[Entry, ...]) -> list[str]:
    return sorted(entry.attributes["samaccountname"][0] for entry in entries)


def begin(source: ActiveDirectorySource) -> tuple[dict[str, str], str]:
    """Return the ids by name of a first snapshot, and its cookie."""
    snapshot = source.snapshot()
    assert snapshot.complete, snapshot.why_incomplete
    assert snapshot.cookie
    ids = {entry.attributes["samaccountname"][0]: entry.external_id for entry in snapshot.entries}
    return ids, snapshot.cookie


# --- everything ----------------------------------------------------------------------------------


def test_referrals_at_the_root_are_no_part_of_the_domain(samba: Samba, opened: Opener) -> None:
    samba.add("anna")
    snapshot = opened(base=SUFFIX, page_size=2).snapshot()
    assert snapshot.complete
    assert {"anna", "syncd", "ordinary", "Administrator"} <= set(names(snapshot.entries))


def test_pages(samba: Samba, opened: Opener) -> None:
    for number in range(7):
        samba.add(f"user{number}")
    assert names(opened(page_size=3).snapshot().entries) == [f"user{n}" for n in range(7)]


def test_starttls_and_a_wrong_authority(samba: Samba, opened: Opener) -> None:
    samba.add("anna")
    source = opened(servers=("ldap://localhost",), tls="starttls")
    assert names(source.snapshot().entries) == ["anna"]
    with pytest.raises(TryAgainError) as caught:
        opened(ca_file=samba.certificates.stranger).snapshot()
    assert "not trusted" in str(caught.value.problems[0])


def test_a_plain_bind_is_refused_by_the_server(opened: Opener) -> None:
    with pytest.raises(TryAgainError) as caught:
        opened(servers=("ldap://localhost",), tls="none").snapshot()
    assert "strongerAuthRequired" in str(caught.value.problems[0])


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, "yes"),
        ({"userAccountControl": DISABLED_ACCOUNT}, "no"),
        ({"accountExpires": "0"}, "yes"),
        ({"accountExpires": "9223372036854775807"}, "yes"),
        ({"accountExpires": YEAR_2020}, "no"),
        ({"accountExpires": "250000000000000000"}, "yes"),
    ],
)
def test_whether_an_account_is_in_use(
    samba: Samba, opened: Opener, attributes: dict[str, Any], expected: str
) -> None:
    samba.add("anna", **attributes)
    source = opened(mapping=MAPPING | {"enabled": "syncd-enabled"})
    (entry,) = source.snapshot().entries
    assert entry.attributes["syncd-enabled"] == [expected]
    (found,) = source.find("anna")
    assert found.entry == entry


def test_a_filter_by_a_bit(samba: Samba, opened: Opener) -> None:
    samba.add("anna")
    samba.add("bert", userAccountControl=DISABLED_ACCOUNT)
    text = "(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"
    assert names(opened(filter=text).snapshot().entries) == ["anna"]


def test_values_that_come_in_ranges(
    samba: Samba, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Samba gives all values at once unless asked for a range: that one is asked for."""
    wanted = sorted(f"{number:04}" for number in range(25))
    samba.add("anna", otherTelephone=wanted)
    source = opened(mapping=MAPPING | {"other_extensions": "otherTelephone"})
    asked = [name for name in source._requested if name != "othertelephone"]
    monkeypatch.setattr(source, "_requested", [*asked, "othertelephone;range=0-9"])
    stock = ActiveDirectorySource.rows
    steps: list[str] = []

    def few(self: ActiveDirectorySource, *args: Any, attributes: list[str], **more: Any) -> Any:
        if ";range=" in attributes[0]:
            steps.append(attributes[0])
            start = int(attributes[0].partition("=")[2].removesuffix("-*"))
            if start < 20:
                attributes = [attributes[0].replace("*", str(start + 4))]
        return stock(self, *args, attributes=attributes, **more)

    monkeypatch.setattr(ActiveDirectorySource, "rows", few)
    snapshot = source.snapshot()
    assert snapshot.complete, snapshot.why_incomplete
    assert sorted(snapshot.entries[0].attributes["othertelephone"]) == wanted
    assert steps == [f"othertelephone;range={start}-*" for start in (10, 15, 20)]


# --- what changed --------------------------------------------------------------------------------


def test_nothing_changed(samba: Samba, opened: Opener, way: dict[str, Any]) -> None:
    samba.add("anna")
    source = opened(**way)
    _, cookie = begin(source)
    changes = source.changes(cookie)
    assert (changes.upserts, changes.deletions) == ((), ())
    assert changes.server == samba.url
    assert changes.present is None
    assert changes.tells_departures == (not way)
    assert source.changes(changes.cookie).upserts == ()


def test_arrivals_and_changes_come_whole(samba: Samba, opened: Opener, way: dict[str, Any]) -> None:
    anna = samba.add("anna", telephoneNumber="2001", department="Sales")
    samba.add("bert")
    source = opened(**way)
    _, cookie = begin(source)
    samba.modify(anna, telephoneNumber=None)
    samba.add("carl", telephoneNumber="2003")
    changes = source.changes(cookie)
    assert names(changes.upserts) == ["anna", "carl"]
    assert changes.deletions == ()
    whole = {entry.external_id: entry for entry in source.snapshot().entries}
    assert all(entry == whole[entry.external_id] for entry in changes.upserts)
    assert source.changes(changes.cookie).upserts == ()


def test_a_renamed_entry_is_the_same(samba: Samba, opened: Opener, way: dict[str, Any]) -> None:
    anna = samba.add("anna")
    source = opened(**way)
    ids, cookie = begin(source)
    samba.move(anna, "anna married", PEOPLE)
    (entry,) = source.changes(cookie).upserts
    assert entry.external_id == ids["anna"]
    assert entry.where == f"CN=anna married,{PEOPLE}"


def test_who_moves_out_of_the_base_is_gone_and_may_come_back(
    samba: Samba, opened: Opener, way: dict[str, Any]
) -> None:
    anna = samba.add("anna")
    bert = samba.add("bert", ELSEWHERE)
    source = opened(**way)
    ids, cookie = begin(source)
    anna = samba.move(anna, "anna", ELSEWHERE)
    samba.move(bert, "bert", PEOPLE)
    changes = source.changes(cookie)
    assert names(changes.upserts) == ["bert"]
    assert changes.deletions == (ids["anna"],)
    samba.move(anna, "anna", PEOPLE)
    back = source.changes(changes.cookie)
    assert [entry.external_id for entry in back.upserts] == [ids["anna"]]
    assert back.deletions == ()


def test_who_fits_the_filter_no_more_is_gone(
    samba: Samba, opened: Opener, way: dict[str, Any]
) -> None:
    anna = samba.add("anna", company="Example")
    source = opened(filter="(&(objectClass=user)(company=Example))", **way)
    ids, cookie = begin(source)
    samba.modify(anna, company="Other")
    assert source.changes(cookie).deletions == (ids["anna"],)


def test_a_deleted_entry_leaves_a_tombstone(samba: Samba, opened: Opener) -> None:
    anna = samba.add("anna")
    source = opened()
    ids, cookie = begin(source)
    samba.delete(anna)
    changes = source.changes(cookie)
    assert changes.deletions == (ids["anna"],)
    samba.add("anna")
    again = source.changes(changes.cookie)
    assert again.deletions == ()
    assert again.upserts[0].external_id != ids["anna"]


def test_by_number_tombstones_show_to_who_may_see_them(
    samba: Samba, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert = samba.add("anna"), samba.add("bert")
    monkeypatch.setattr(dirsync, "FLAGS", ())
    source, ordinary = opened(), opened(bind_dn=ORDINARY)
    ids, cookie = begin(source)
    samba.delete(anna)
    samba.modify(bert, telephoneNumber="2002")
    seen = source.changes(cookie)
    assert seen.deletions == (ids["anna"],)
    assert names(seen.upserts) == ["bert"]
    unseen = ordinary.changes(cookie)
    # Its own account may be named: the first bind changes it, and it is nobody of the base.
    assert ids["anna"] not in unseen.deletions
    assert not unseen.tells_departures
    assert names(unseen.upserts) == ["bert"]


def test_a_moved_container_needs_a_full_reading(
    samba: Samba, opened: Opener, way: dict[str, Any]
) -> None:
    unit = f"OU=sales,{PEOPLE}"
    source = opened(**way)
    samba.add("bert")
    _, cookie = begin(source)
    samba.add_unit(unit)
    samba.add("anna", unit)
    changes = source.changes(cookie)
    assert names(changes.upserts) == ["anna"]
    samba.move(unit, "sales", ELSEWHERE)
    with pytest.raises(FullReadNeeded, match="container"):
        source.changes(changes.cookie)
    assert names(source.snapshot().entries) == ["bert"]


def test_more_changes_than_are_asked_for_at_once(
    samba: Samba, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active_directory, "_AT_ONCE", 3)
    source = opened()
    samba.add("bert")
    _, cookie = begin(source)
    wanted = [f"user{number}" for number in range(8)]
    for name in wanted:
        samba.add(name)
    assert names(source.changes(cookie).upserts) == wanted
    monkeypatch.setattr(active_directory, "MOST_CHANGES", 7)
    with pytest.raises(FullReadNeeded, match="8 entries changed"):
        source.changes(cookie)


@pytest.mark.parametrize("cookie", ["", "garbage", "[]", '{"dc":1}', "sync rid=001"])
def test_a_cookie_of_nobody(opened: Opener, cookie: str) -> None:
    with pytest.raises(FullReadNeeded):
        opened().changes(cookie)


def test_cookies_that_the_server_does_not_know(
    samba: Samba, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened()
    samba.add("anna")
    _, cookie = begin(source)
    position = dirsync.position_of(cookie)
    stale = dirsync.dirsync_position(position.dc, position.flags, b"stale")
    with pytest.raises(FullReadNeeded, match="does not know the cookie"):
        source.changes(stale.text())
    other = dirsync.dirsync_position("dc2.corp.example.com", 0, b"x")
    with pytest.raises(FullReadNeeded, match=r"dc1\.corp\.example\.com answered"):
        source.changes(other.text())
    monkeypatch.setattr(dirsync, "FLAGS", ())
    numbered = dirsync.position_of(source.snapshot().cookie)
    assert numbered.usn and not numbered.cookie
    restored = numbered.__class__(numbered.dc, invocation=position.dc, usn=numbered.usn)
    ahead = numbered.__class__(numbered.dc, invocation=numbered.invocation, usn=numbered.usn + 9**9)
    for wrong in (restored, ahead):
        with pytest.raises(FullReadNeeded, match="not what it was"):
            source.changes(wrong.text())


def test_no_cookie_where_membership_counts(samba: Samba, opened: Opener) -> None:
    samba.add("anna")
    snapshot = opened(mapping=MAPPING | {"department": "memberOf"}).snapshot()
    assert snapshot.complete and not snapshot.cookie


# --- a whole sync --------------------------------------------------------------------------------


def test_people_of_a_domain(samba: Samba, options: dict[str, Any], store: peewee.Database) -> None:
    anna = samba.add("anna", telephoneNumber="2001")
    samba.add("bert", telephoneNumber="2002", userAccountControl=DISABLED_ACCOUNT)
    settings: DirectorySettings = directory_settings(**options)

    def sync(now: int) -> Any:
        return sync_source(settings, ActiveDirectorySource(settings), (), now=now)

    assert sync(1_000).arrived == 2
    assert {party.username: party.enabled for party in Party.select()} == {
        "anna": True,
        "bert": False,
    }
    assert sync(2_000).outcome == "unchanged"
    samba.move(anna, "anna married", PEOPLE)
    samba.modify(f"CN=anna married,{PEOPLE}", displayName="Anna M")
    assert sync(3_000).changed == 1
    assert Party.get(username="anna").display_name == "Anna M"
    samba.delete(f"CN=anna married,{PEOPLE}")
    assert sync(4_000).departed == 1


def test_groups_in_groups_are_resolved_by_the_server(
    samba: Samba, options: dict[str, Any], store: peewee.Database
) -> None:
    anna, bert = samba.add("anna"), samba.add("bert")
    inner = samba.add_group("inner", anna)
    outer = samba.add_group("outer", inner)
    groups = (GroupSettings("admins", outer, permission_level=10),)
    settings = directory_settings(**options, groups=groups)
    assert sync_source(settings, ActiveDirectorySource(settings), (), now=1_000).arrived == 2
    levels = {party.username: party.permission_level for party in Party.select()}
    assert levels == {"anna": 10, "bert": 0}
    samba.modify(inner, member=bert)
    assert sync_source(settings, ActiveDirectorySource(settings), (), now=2_000).changed == 2


# --- following -----------------------------------------------------------------------------------


def test_changes_are_heard_as_they_happen(samba: Samba, options: dict[str, Any]) -> None:
    heard: queue.Queue[str] = queue.Queue()
    stop = threading.Event()

    def listen() -> None:
        try:
            follow(
                directory_settings(**options),
                stop,
                lambda url: heard.put("listening"),
                lambda: heard.put("changed"),
            )
        except FollowingEnded as ended:
            heard.put(str(ended))
        else:
            heard.put("stopped")

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert [heard.get(timeout=30), heard.get(timeout=30)] == ["listening", "changed"]
    entry_dn = samba.add("anna", telephoneNumber="2001")
    assert heard.get(timeout=30) == "changed"
    samba.modify(entry_dn, telephoneNumber="2002")
    assert heard.get(timeout=30) == "changed"
    samba.delete(entry_dn)
    assert heard.get(timeout=30) == "changed"
    stop.set()
    assert list(iter(lambda: heard.get(timeout=30), "stopped")) in ([], ["changed"])
    thread.join(30)
    assert not thread.is_alive()
