"""A domain controller in memory, as a script of the small LDAP server: its root entry, paged
searches with the referrals of a domain's root, DirSync in partial rows and several answers,
tombstones, uSNChanged."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tests.support.scripted_ldap import (
    NO_SUCH_OBJECT,
    Answer,
    Search,
    ber,
    done,
    elements,
    entry,
    fits,
    integer,
    octets,
    referral,
)

SUFFIX = "DC=corp,DC=example,DC=com"
PEOPLE = f"OU=people,{SUFFIX}"
SERVICE = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN=Configuration,{SUFFIX}"
DIRSYNC = b"1.2.840.113556.1.4.841"
SHOW_DELETED = b"1.2.840.113556.1.4.417"
NOT_ALLOWED, STALE_COOKIE = 50, 12
OBJECT_SECURITY, FLAGS = 1, (0, 1)
"""Of DirSync: without that flag a right of its own is needed."""


@dataclass
class Object:
    """An object of the domain: when each attribute was changed last counts for DirSync."""

    entry_dn: str
    guid: UUID
    created: int
    values: dict[str, list[bytes]]
    changed: dict[str, int] = field(default_factory=dict)
    deleted: bool = False

    @property
    def usn(self) -> int:
        return max(self.changed.values())


class DomainController:
    """What ``answer`` says is the script; tests change the rest."""

    def __init__(self, refused: Collection[int] = (), rows_at_once: int = 5) -> None:
        self.refused = frozenset(refused)
        """Which of FLAGS the account may not ask for changes with."""
        self.rows_at_once = rows_at_once
        """Rows of one answer to DirSync: beyond, there is more."""
        self.usn = 1000
        self.invocation = UUID(int=7)
        self.objects: dict[UUID, Object] = {}
        self._numbers = itertools.count(1)
        self._new(PEOPLE, {"objectClass": ["organizationalUnit"]})

    # --- what happens in it ----------------------------------------------------------------------

    def add(self, name: str, **attributes: str | Sequence[str]) -> UUID:
        """Add a person. Returns the objectGUID."""
        return self._new(
            f"CN={name},{PEOPLE}", {"objectClass": ["top", "user"], "cn": [name], **attributes}
        )

    def modify(self, guid: UUID, **attributes: str | None) -> None:
        """Replace attributes; None clears one."""
        for name, value in attributes.items():
            self._set(self.objects[guid], name, [] if value is None else [value.encode()])

    def rename(self, guid: UUID, name: str) -> None:
        """Give a person another name, and so another entry DN."""
        renamed = self.objects[guid]
        renamed.entry_dn = f"CN={name},{PEOPLE}"
        for attribute in ("name", "cn"):
            self._set(renamed, attribute, [name.encode()])

    def delete(self, guid: UUID) -> None:
        """Leave a tombstone, which has lost most attributes."""
        gone = self.objects[guid]
        gone.deleted = True
        gone.entry_dn = f"CN=gone\\0ADEL:{guid},CN=Deleted Objects,{SUFFIX}"
        gone.values = {name: gone.values[name] for name in ("objectguid", "objectclass")}
        self._set(gone, "isDeleted", [b"TRUE"])

    def _new(self, entry_dn: str, attributes: Mapping[str, str | Sequence[str]]) -> UUID:
        guid = UUID(int=next(self._numbers) + (0xABCDEF << 40))
        made = Object(entry_dn, guid, self.usn + 1, {})
        self.objects[guid] = made
        given = {
            "objectGUID": [guid.bytes_le],
            "name": [entry_dn.partition(",")[0].partition("=")[2].encode()],
            "parentGUID": [UUID(int=99).bytes_le],
            "whenCreated": [b"20260101000000.0Z"],
        }
        for name, values in attributes.items():
            texts = [values] if isinstance(values, str) else values
            given[name] = [text.encode() for text in texts]
        for name, raw in given.items():
            self._set(made, name, raw)
        return guid

    def _set(self, changed: Object, name: str, values: list[bytes]) -> None:
        self.usn += 1
        changed.values[name.lower()] = values
        changed.changed[name.lower()] = self.usn

    # --- what it says ----------------------------------------------------------------------------

    def answer(self, search: Search) -> Answer:
        """The script of a domain controller that is all right."""
        if search.base == "":
            return [entry(search, "", self._root()), done(search, cookie=None)]
        if search.base == SERVICE:
            told = {"invocationId": [self.invocation.bytes_le]}
            return [entry(search, SERVICE, told), done(search, cookie=None)]
        if DIRSYNC in search.controls:
            return self._changes(search)
        if search.scope == "base":
            return self._one(search)
        return self._found(search)

    def _root(self) -> dict[str, list[str | bytes]]:
        return {
            "dnsHostName": ["DC1.corp.example.com"],
            "namingContexts": [SUFFIX, f"CN=Configuration,{SUFFIX}"],
            "defaultNamingContext": [SUFFIX],
            "dsServiceName": [SERVICE],
            "highestCommittedUSN": [str(self.usn)],
            "supportedControl": [DIRSYNC, SHOW_DELETED],
        }

    def _raw(self, found: Object) -> dict[str, list[bytes]]:
        numbers = {"usnchanged": found.usn, "usncreated": found.created}
        return found.values | {name: [str(value).encode()] for name, value in numbers.items()}

    def _told(self, search: Search, found: Object, since: int | None = None) -> bytes:
        """An entry with the attributes that were asked for; of DirSync, its id and what changed."""
        raw = self._raw(found)
        asked = {name.lower(): name for name in search.attributes}
        if since is None:
            return entry(search, found.entry_dn, {asked[n]: raw[n] for n in asked if raw.get(n)})
        told = {
            asked[n]: raw.get(n, [])
            for n, usn in found.changed.items()
            if usn > since and n in asked
        }
        return entry(search, found.entry_dn, {"objectGUID": [found.guid.bytes_le], **told})

    def _one(self, search: Search) -> Answer:
        for found in self.objects.values():
            if found.entry_dn.casefold() == search.base.casefold():
                return [self._told(search, found), done(search, cookie=None)]
        return [done(search, NO_SUCH_OBJECT, None)]

    def _found(self, search: Search) -> Answer:
        shows_deleted = SHOW_DELETED in search.controls
        found = [
            each
            for each in self.objects.values()
            if each.entry_dn.casefold().endswith(search.base.casefold())
            and (shows_deleted or not each.deleted)
            and fits(search.filter, self._raw(each))
        ]
        if not search.page_size:
            return [*(self._told(search, each) for each in found), done(search, cookie=None)]
        start = int(search.cookie or b"0")
        end = start + search.page_size
        told = [self._told(search, each) for each in found[start:end]]
        if not start and search.base.casefold() == SUFFIX.casefold():
            told.insert(0, referral(search, f"ldap://corp.example.com/CN=Configuration,{SUFFIX}"))
        return [*told, done(search, cookie=str(end).encode() if end < len(found) else b"")]

    def _changes(self, search: Search) -> Answer:
        (_, sequence), *_ = elements(search.controls[DIRSYNC])
        (_, flags), _, (_, cookie) = elements(sequence)
        if int.from_bytes(flags, "big") & OBJECT_SECURITY in self.refused:
            return [done(search, NOT_ALLOWED, None)]
        if not (cookie.isdigit() or not cookie):
            return [done(search, STALE_COOKIE, None)]
        since = int(cookie or b"0")
        changed = [each for each in self.objects.values() if each.usn > since]
        changed.sort(key=lambda each: each.usn)
        rows = [each for each in changed if fits(search.filter, self._raw(each))]
        few, more = rows[: self.rows_at_once], len(rows) > self.rows_at_once
        told = [self._told(search, each, since) for each in few]
        following = few[-1].usn if more else self.usn
        value = ber(0x30, integer(int(more)), integer(0), octets(str(following)))
        return [*told, done(search, control=(DIRSYNC, value))]
