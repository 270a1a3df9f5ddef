"""Directories that answer half, wrongly or not at all: nobody leaves and no row changes.

Each outage comes after a complete first sync. Whatever the source can see of it ends with exit code
4 or 75; what nobody can see (an answer that is complete, and half) is for the guard.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import peewee
import pytest

from syncd.directory.sources.ldap import LdapSource
from syncd.directory.sources.ldif import LdifSource
from syncd.directory.sync import SyncRefused
from syncd.domain.errors import EXIT_REFUSED, EXIT_TRY_AGAIN
from syncd.settings.model import DirectorySettings, GroupSettings
from syncd.store.models import Party
from tests.directory_settings import directory_settings
from tests.support.outages import COUNT, EVERYBODY, GARBAGE, Outage, person
from tests.support.scripted_ldap import (
    ADMIN_LIMIT,
    CUT,
    MUTE,
    NO_SUCH_OBJECT,
    SIZE_LIMIT,
    TIME_LIMIT,
    Answer,
    Script,
    ScriptedServer,
    Search,
    done,
    entry,
    referral,
    scripted_ldap,
    whole_pages,
)

PAGE = 6
PAGES = COUNT // PAGE
pytestmark = pytest.mark.usefixtures("store")


def changed(change: Callable[[Search, list[Any]], Answer], page: int | None = None) -> Script:
    """Return a server that is all right but for a page, or for all: what ``change`` makes of its
    parts."""
    right = whole_pages(EVERYBODY)

    def answer(search: Search) -> Answer:
        parts = list(right(search))
        if not search.page_size or page not in (None, search.number):
            return parts
        return change(search, parts)

    return answer


def limited(code: int, page: int) -> Script:
    """The limit strikes in the middle of a page; some servers then give no control, some a
    cookie."""
    return changed(lambda search, parts: [*parts[:3], done(search, code, None)], page)


def same_page_again(search: Search) -> Answer:
    """The cookie is ignored: the first page for ever, until nobody asks any more."""
    parts = [entry(search, *person(number)) for number in range(PAGE)]
    following = b"6" if search.number < 40 else b""
    return [*parts, done(search, cookie=following)]


SHAPES: dict[str, Script] = {
    **{
        f"{name}-page-{page}": limited(code, page)
        for name, code in (("size", SIZE_LIMIT), ("time", TIME_LIMIT), ("admin", ADMIN_LIMIT))
        for page in (0, 2, PAGES - 1)
    },
    "size-with-cookie": changed(
        lambda search, parts: [*parts[:-1], done(search, SIZE_LIMIT, b"12")], 1
    ),
    **{
        f"cut-before-page-{page}": changed(lambda search, parts: [CUT], page)
        for page in range(PAGES)
    },
    **{
        f"cut-in-page-{page}": changed(lambda search, parts: [*parts[:4], CUT], page)
        for page in range(PAGES)
    },
    "cut-in-an-entry": changed(lambda search, parts: [parts[0], parts[1][:30], CUT], 1),
    "cut-before-the-end-of-the-last-page": changed(
        lambda search, parts: [*parts[:-1], CUT], PAGES - 1
    ),
    "cookie-ignored": same_page_again,
    "no-control-first": changed(
        lambda search, parts: [*parts[:-1], done(search, cookie=None)], 0
    ),
    "no-control-later": changed(
        lambda search, parts: [*parts[:-1], done(search, cookie=None)], 2
    ),
    "referral-first": changed(lambda search, parts: [referral(search, "ldap://b/dc=b"), *parts], 0),
    "referral-instead": changed(
        lambda search, parts: [referral(search, "ldap://b/dc=b"), parts[-1]], 2
    ),
    "referral-result": changed(lambda search, parts: [done(search, 10)], 1),
    "outside": changed(
        lambda search, parts: [entry(search, *person(90, "ou=aliens,dc=x")), *parts], 1
    ),
    "mute-later": changed(lambda search, parts: [*parts[:2], MUTE], 1),
    "base-gone": changed(lambda search, parts: [done(search, NO_SUCH_OBJECT)], 0),
    "base-gone-later": changed(lambda search, parts: [done(search, NO_SUCH_OBJECT)], 1),
    "empty": changed(lambda search, parts: [done(search)], 0),
    "nothing-in-it": changed(
        lambda search, parts: [entry(search, person(n)[0], {}) for n in range(3)] + [done(search)]
    ),
    "half": whole_pages(EVERYBODY[: COUNT // 2]),
    "half-ids-only": whole_pages(
        [(dn, {"entryUUID": values["entryUUID"]}) for dn, values in EVERYBODY]
    ),
    "cookie-lost": changed(lambda search, parts: [*parts[:-1], done(search, cookie=b"")], 1),
    **{
        f"garbage-{name}": changed(lambda search, parts, data=data: [data, CUT], 1)
        for name, data in GARBAGE.items()
    },
    **{
        f"garbage-{name}-instead": changed(
            lambda search, parts, data=data: [*parts[:2], data, *parts[2:]], 1
        )
        for name, data in GARBAGE.items()
    },
}  # fmt: skip


@pytest.fixture
def outage(store: peewee.Database) -> Outage:
    return Outage(store)


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with scripted_ldap(whole_pages(EVERYBODY)) as server:
        yield server


def impatient(settings: DirectorySettings) -> DirectorySettings:
    """Return settings that wait no longer than they must for an answer that never comes."""
    return replace(settings, timeout=1)


def settings_for(scripted: ScriptedServer, **options: Any) -> DirectorySettings:
    given = {"servers": (scripted.url,), "page_size": PAGE, "connect_timeout": 1}
    return directory_settings(**(given | options))


@pytest.mark.parametrize("shape", SHAPES)
def test_an_outage_of_a_server(scripted: ScriptedServer, outage: Outage, shape: str) -> None:
    settings = settings_for(scripted)
    assert outage.sync(settings, LdapSource(settings)).arrived == COUNT
    scripted.script = SHAPES[shape]
    error = outage.refused(settings, lambda: LdapSource(impatient(settings)))
    assert error.exit_code == EXIT_REFUSED  # it was reached and bound
    scripted.script = whole_pages(EVERYBODY)
    assert outage.sync(settings, LdapSource(settings)).outcome == "unchanged"


@pytest.mark.parametrize("answer", [b"", *GARBAGE.values()], ids=["mute", *GARBAGE])
def test_a_server_that_cannot_be_bound(
    scripted: ScriptedServer, outage: Outage, answer: bytes
) -> None:
    settings = settings_for(scripted)
    outage.sync(settings, LdapSource(settings))
    scripted.bind_answer = answer
    error = outage.refused(settings, lambda: LdapSource(settings))
    assert error.exit_code == EXIT_TRY_AGAIN
    # And one that is all right stands behind it.
    with scripted_ldap(whole_pages(EVERYBODY)) as other:
        both = settings_for(scripted, servers=(scripted.url, other.url))
        assert outage.sync(both, LdapSource(both)).server == other.url


def test_the_first_sync_too(scripted: ScriptedServer, outage: Outage) -> None:
    settings = settings_for(scripted)
    for shape in ("size-page-2", "cut-in-page-1", "empty", "no-control-first"):
        scripted.script = SHAPES[shape]
        outage.refused(settings, lambda: LdapSource(settings))
    assert Party.select().where(Party.source == "corp").count() == 0


def test_a_page_that_comes_again_is_no_small_departure(
    scripted: ScriptedServer, outage: Outage
) -> None:
    """So few are missing that the guard would let them go."""
    few = EVERYBODY[: PAGE + 2]
    scripted.script = whole_pages(few)
    settings = settings_for(scripted)
    outage.sync(settings, LdapSource(settings))
    scripted.script = same_page_again
    error = outage.refused(settings, lambda: LdapSource(settings))
    assert f"it gives {few[0][0]} twice" in str(error)


def test_who_really_left_goes_when_it_is_said(scripted: ScriptedServer, outage: Outage) -> None:
    """The guard is no wall: the same half, and a word."""
    settings = settings_for(scripted)
    outage.sync(settings, LdapSource(settings))
    scripted.script = SHAPES["half"]
    with pytest.raises(SyncRefused, match="12 of 24 people would leave"):
        outage.sync(settings, LdapSource(settings))
    done_ = outage.sync(settings, LdapSource(settings), accept_departures=COUNT // 2)
    assert done_.departed == COUNT // 2


# --- groups that are not there -------------------------------------------------------------------


ADMINS = "cn=admins,dc=example,dc=com"


def with_group(answer: Callable[[Search], Answer]) -> Script:
    """A server that is all right, and what it says to who reads the group."""
    right = whole_pages(EVERYBODY)

    def script(search: Search) -> Answer:
        return answer(search) if search.base == ADMINS else right(search)

    return script


def ranged(last: int, step: int = 5) -> Callable[[Search], Answer]:
    """The members of the group five at a time; nothing at all from ``last`` on."""

    def answer(search: Search) -> Answer:
        asked = next((a for a in search.attributes if ";range=" in a), "member;range=0-*")
        start = int(asked.partition("=")[2].partition("-")[0])
        if start >= last:
            return [done(search, cookie=None)]
        end = min(start + step, COUNT)
        name = f"member;range={start}-{'*' if end == COUNT else end - 1}"
        found = [person(number)[0] for number in range(start, end)]
        return [entry(search, ADMINS, {name: found}), done(search, cookie=None)]

    return answer


GROUP_SHAPES: dict[str, Callable[[Search], Answer]] = {
    "no-group": lambda search: [done(search, NO_SUCH_OBJECT, None)],
    "no-entry": lambda search: [done(search, cookie=None)],
    "not-allowed": lambda search: [done(search, 50, None)],
    "busy": lambda search: [done(search, 51, None)],
    "cut": lambda search: [CUT],
    "mute": lambda search: [MUTE],
    "ranges-end-early": ranged(10),
    "same-range-again": lambda search: [
        entry(search, ADMINS, {"member;range=0-4": [person(0)[0]]}),
        done(search, cookie=None),
    ],
}


def test_members_in_ranges(scripted: ScriptedServer, outage: Outage) -> None:
    settings = group_settings(scripted)
    scripted.script = with_group(ranged(COUNT))
    outage.sync(settings, LdapSource(settings))
    levels = [party.permission_level for party in Party.select().where(Party.source == "corp")]
    assert levels == [6] * COUNT
    asked = [search.attributes for search in scripted.searches if search.base == ADMINS]
    assert [names for names in asked if "range" in names[0]] == [
        (f"member;range={start}-*",) for start in (5, 10, 15, 20)
    ]


@pytest.mark.parametrize("shape", GROUP_SHAPES)
def test_an_outage_of_a_group(scripted: ScriptedServer, outage: Outage, shape: str) -> None:
    settings = group_settings(scripted)
    scripted.script = with_group(ranged(COUNT))
    outage.sync(settings, LdapSource(settings))
    scripted.script = with_group(GROUP_SHAPES[shape])
    error = outage.refused(settings, lambda: LdapSource(impatient(settings)))
    assert error.exit_code == EXIT_REFUSED


class Chained(LdapSource):
    """A server that resolves groups in groups itself."""

    in_chain = True


def test_members_as_the_server_resolves_them(scripted: ScriptedServer, outage: Outage) -> None:
    chained = whole_pages([(person(number)[0], {}) for number in range(0, COUNT, 2)])
    right = whole_pages(EVERYBODY)

    def script(search: Search) -> Answer:
        if search.base == ADMINS:
            return [entry(search, ADMINS, {}), done(search, cookie=None)]
        return chained(search) if search.attributes == ("1.1",) else right(search)

    scripted.script = script
    settings = group_settings(scripted)
    outage.sync(settings, Chained(settings))
    people = Party.select().where(Party.source == "corp").order_by(Party.username)
    assert [party.permission_level for party in people] == [6, 0] * (COUNT // 2)


def group_settings(scripted: ScriptedServer) -> DirectorySettings:
    mapping = {"username": "uid", "first_extension": "telephoneNumber"}
    group = GroupSettings("admins", ADMINS, permission_level=6)
    return settings_for(scripted, mapping=mapping, groups=(group,))


# --- files ---------------------------------------------------------------------------------------


def ldif() -> str:
    blocks = []
    for entry_dn, attributes in EVERYBODY:
        lines = [f"dn: {entry_dn}", "objectClass: inetOrgPerson"]
        lines += [f"{name}: {value}" for name, values in attributes.items() for value in values]
        blocks.append("\n".join(lines))
    return "version: 1\n\n" + "\n\n".join(blocks) + "\n"


WHOLE = ldif()
MIDDLE = WHOLE.index("dn: uid=user12")
TRUNCATED: dict[str, str] = {
    "nothing": "",
    "version-only": "version: 1\n",
    "in-the-version": "ver",
    "after-a-third": WHOLE[: WHOLE.index("dn: uid=user08")],
    "after-half": WHOLE[:MIDDLE],
    "in-dn": WHOLE[: MIDDLE + 2],
    "after-dn-name": WHOLE[: MIDDLE + 3],
    "in-the-entry-dn": WHOLE[: MIDDLE + 12],
    "after-the-entry-dn": WHOLE[: WHOLE.index("\n", MIDDLE) + 1],
    "in-an-attribute-name": WHOLE[: WHOLE.index("entryUUID", MIDDLE) + 5],
    "in-an-identity": WHOLE[: WHOLE.index("entryUUID", MIDDLE) + 30],
    "first-half-missing": WHOLE[MIDDLE:],
    "in-the-middle-of-a-value": WHOLE[MIDDLE + 9 :],
    "folded-wrongly": " " + WHOLE,
    "zeros": WHOLE[:MIDDLE] + "\0" * 512,
}  # fmt: skip


@pytest.mark.parametrize("shape", TRUNCATED)
def test_an_ldif_file_that_is_not_whole(outage: Outage, tmp_path: Path, shape: str) -> None:
    path = tmp_path / "people.ldif"
    path.write_text(WHOLE)
    settings = directory_settings(type="ldif", file=path)
    assert outage.sync(settings, LdifSource(settings)).arrived == COUNT
    path.write_text(TRUNCATED[shape])
    error = outage.refused(settings, lambda: LdifSource(settings))
    assert error.exit_code == EXIT_REFUSED
    path.write_text(WHOLE)
    assert outage.sync(settings, LdifSource(settings)).outcome == "unchanged"


def test_an_ldif_file_that_grows_while_it_is_read(
    outage: Outage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "people.ldif"
    path.write_text(WHOLE)
    settings = directory_settings(type="ldif", file=path)
    outage.sync(settings, LdifSource(settings))
    stock = os.fstat
    calls = []

    def fstat(descriptor: int) -> os.stat_result:
        calls.append(descriptor)
        if len(calls) % 2 == 0:
            with path.open("a") as stream:
                stream.write("\n")
        return stock(descriptor)

    from syncd.directory.sources import ldif as module

    monkeypatch.setattr(module.os, "fstat", fstat)
    assert "was written while it was read" in str(
        outage.refused(settings, lambda: LdifSource(settings))
    )
