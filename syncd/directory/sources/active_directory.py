"""The source ``active_directory``: people of a domain, and what changed since they were last read.

It is the source ``ldap`` with what is particular to domain controllers. What changed is told by
DirSync or by uSNChanged, and only as a list of ids: the entries themselves are then read whole,
under the same base and filter as ever. So an entry that fits no more has left, and what the changes
give is by construction what a full reading gives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from syncd.directory.account_status import STATUS_ATTRIBUTES, account_in_use
from syncd.directory.entry_dn import Area, normal_parts
from syncd.directory.identity import IDENTITY_ATTRIBUTES, decoded
from syncd.directory.packed import Noted, PackedEntries
from syncd.directory.protocol import Changes, DirectorySource, Entry, FullReadNeeded, Snapshot
from syncd.directory.sources import dirsync
from syncd.directory.sources.dirsync import Delta, Position
from syncd.directory.sources.ldap import SUCCESS, Incomplete, LdapSource
from syncd.directory.sources.ldap_changes import traceable
from syncd.settings.model import DirectorySettings

ENABLED = "syncd-enabled"
"""yes or no: whether the account is in use. An attribute for the mapping that no server has."""
STALE_COOKIE = 12
"""unavailableCriticalExtension: the cookie is none of the server's."""
MOST_CHANGES = 2000
"""Beyond, reading everything is less work."""
_AT_ONCE = 50
_STATUS = ("useraccountcontrol", "accountexpires")
_OBJECT_GUID = "objectguid"
_NOT_HERE = {name.lower() for name in IDENTITY_ATTRIBUTES} - {_OBJECT_GUID}
_NOT_HERE |= {ENABLED, *STATUS_ATTRIBUTES} - {*_STATUS}
"""What other servers have."""

Row = dict[str, list[bytes]]
"""Raw values by lower-cased attribute name."""


def open_source(settings: DirectorySettings) -> DirectorySource:
    """Return the source of a section of type ``active_directory``. Raises ConfigurationError."""
    return ActiveDirectorySource(settings)


class ActiveDirectorySource(LdapSource):
    """Reads the first domain controller of a section that can be reached, secured and bound."""

    in_chain = True

    def __init__(self, settings: DirectorySettings) -> None:
        super().__init__(settings)
        self._tells_enabled = ENABLED in self._wanted
        asked = (*self._requested, *(_STATUS if self._tells_enabled else ()))
        self._requested = [name for name in dict.fromkeys(asked) if name not in _NOT_HERE]
        self._unfinished: list[tuple[Entry, dict[str, int]]] = []

    # --- everything ------------------------------------------------------------------------------

    def _read(self, connection: Any, url: str, deadline: Any) -> Snapshot:
        entries = PackedEntries()
        why = cookie = ""
        controller = _Controller(self, connection, deadline)
        try:
            if traceable(self.settings):
                # Taken before the first entry: what changes meanwhile is told again afterwards.
                cookie = controller.position()
            self._read_entries(connection, self.settings.filter, entries, deadline)
            self._read_groups(connection, Noted(entries), deadline)
        except Incomplete as incomplete:
            why = f"{url} gave {len(entries)} entries, but not all: {incomplete}"
        return Snapshot(entries, not why, why, url, cookie="" if why else cookie)

    def _read_entries(
        self, connection: Any, filter_text: str, entries: PackedEntries, deadline: Any
    ) -> None:
        """Read the entries of a filter with all values of each. Raises Incomplete."""
        self._unfinished.clear()
        places: list[int] = []

        seen: set[str] = set()

        def take(response: dict[str, Any]) -> None:
            if response["dn"] in seen:
                # Pages that come twice mean others that do not come.
                raise Incomplete(f"it gives {response['dn']} twice")
            seen.add(response["dn"])
            entry = self._entry(response)
            if len(self._unfinished) > len(places):
                places.append(len(entries))
            entries.append(entry)

        self._read_pages(
            connection,
            filter_text,
            self._requested,
            take,
            deadline,
        )
        for place, (entry, missing) in zip(places, self._unfinished, strict=True):
            for name, start in missing.items():
                held = entry.attributes.setdefault(name, [])
                self._read_range(connection, deadline, entry.where, name, start, held)
            entries[place] = entry

    def _take(self, response: dict[str, Any], take: Callable[[dict[str, Any]], None]) -> None:
        # At the root of a domain there are always referrals: to the configuration, the zones of
        # DNS and the domains below, none of them a part of this one.
        if response.get("type") == "searchResEntry":
            take(response)

    def _as_entry(self, response: dict[str, Any]) -> Entry:
        raw = response["raw_attributes"]
        unfinished = dirsync.join_ranges(raw)
        entry = super()._as_entry(response)
        if self._tells_enabled:
            status = {name: decoded(raw[name]) for name in _STATUS if name in raw}
            used, _ = account_in_use(status, int(time.time()))
            entry.attributes[ENABLED] = ["yes" if used else "no"]
        missing = {name: start for name, start in unfinished.items() if name in self._wanted}
        if missing:
            self._unfinished.append((entry, missing))
        return entry

    def _read_range(
        self, connection: Any, deadline: Any, entry_dn: str, name: str, start: int, held: list[str]
    ) -> None:
        """Read the values of an attribute from ``start`` on into ``held``. Raises Incomplete."""
        following: int | None = start
        while following is not None:
            wanted = [f"{name};range={following}-*"]
            rows, result = self.rows(
                connection, deadline, entry_dn, attributes=wanted, scope="BASE"
            )
            unfinished = dirsync.join_ranges(rows[0]) if rows else {}
            values = rows[0].get(name, []) if rows else []
            if result["result"] != SUCCESS or not values:
                raise Incomplete(f"{name} of {entry_dn} has more values than the server tells")
            held += decoded(values)
            following = unfinished.get(name)

    # --- what changed ----------------------------------------------------------------------------

    def _read_changes(self, connection: Any, url: str, deadline: Any, cookie: str) -> Changes:
        position = dirsync.position_of(cookie)
        controller = _Controller(self, connection, deadline)
        try:
            delta, following = controller.delta(position)
            if len(delta.changed) > MOST_CHANGES:
                raise FullReadNeeded(f"{len(delta.changed)} entries changed")
            controller.refuse_moved_containers(delta.moved)
            entries = PackedEntries()
            for guids in _in_parts(delta.changed):
                few = dirsync.both(self.settings.filter, dirsync.either_of(guids))
                self._read_entries(connection, few, entries, deadline)
        except Incomplete as incomplete:
            raise FullReadNeeded(f"{url} did not answer completely: {incomplete}") from incomplete
        found = {entry.external_id: entry for entry in entries}
        gone = (delta.changed | delta.gone) - found.keys()
        return Changes(
            tuple(found.values()),
            tuple(sorted(gone)),
            following.text(),
            url,
            tells_departures=position.tells_departures,
        )

    def rows(
        self,
        connection: Any,
        deadline: Any,
        base: str,
        filter_text: str = "(objectClass=*)",
        *,
        attributes: list[str],
        control: tuple[str, bool, bytes | None] | None = None,
        scope: str = "SUBTREE",
    ) -> tuple[list[Row], dict[str, Any]]:
        """Return the raw values of the entries that a search of one page gives, and its result.

        Raises Incomplete when there is no answer.
        """
        with self._cuts_told(connection, deadline):
            self._search(
                connection,
                base,
                filter_text,
                search_scope=scope,
                dereference_aliases="NEVER",
                attributes=attributes,
                controls=[control] if control else None,
            )
        found = [
            response["raw_attributes"]
            for response in connection.response or ()
            if response.get("type") == "searchResEntry"
        ]
        return found, connection.result

    def change_attributes(self) -> list[str]:
        """Return the attributes a change of which may make another person, or none, of an entry."""
        filtered = dirsync.filtered_attributes(self.settings.filter)
        names = dict.fromkeys((*dirsync.OWN_ATTRIBUTES, *self._requested, *filtered))
        return [name for name in names if name != _OBJECT_GUID]  # which is always told


@dataclass(frozen=True, slots=True)
class _Identity:
    """What a domain controller says of itself."""

    dc: str
    naming_context: str
    service: str
    usn: int


class _Controller:
    """What one domain controller tells of changes, over one connection."""

    def __init__(self, source: ActiveDirectorySource, connection: Any, deadline: Any) -> None:
        self._source = source
        self._connection = connection
        self._deadline = deadline

    def position(self) -> str:
        """Return the cookie of now, by DirSync where that is allowed, else by number; empty where
        there is neither."""
        try:
            identity = self._identity()
            for flags in dirsync.FLAGS:
                cookie = self._dirsync_cookie(identity, flags)
                if cookie:
                    return dirsync.dirsync_position(identity.dc, flags, cookie).text()
            invocation = self._invocation(identity)
        except FullReadNeeded:
            return ""
        if not invocation or not identity.usn:
            return ""
        return Position(identity.dc, invocation=invocation, usn=identity.usn).text()

    def delta(self, position: Position) -> tuple[Delta, Position]:
        """Return what changed since a position, and that of now.

        Raises FullReadNeeded, Incomplete.
        """
        identity = self._identity()
        if identity.dc != position.dc:
            raise FullReadNeeded(f"{identity.dc} answered, and the cookie is from {position.dc}")
        if position.cookie:
            return self._by_dirsync(identity, position)
        return self._by_number(identity, position)

    def refuse_moved_containers(self, moved: Iterable[str]) -> None:
        """Raise FullReadNeeded when one of these is a container: nothing is told of the entries
        that moved with it."""
        for guids in _in_parts(moved):
            text = dirsync.both(dirsync.CONTAINERS, dirsync.either_of(guids))
            rows, result = self._rows(self._identity().naming_context, text, ["objectGUID"])
            _must_succeed(result)
            if rows:
                raise FullReadNeeded("a container was renamed or moved, with all in it")

    # --- the two ways ----------------------------------------------------------------------------

    def _by_dirsync(self, identity: _Identity, position: Position) -> tuple[Delta, Position]:
        delta = Delta()
        names = self._source.change_attributes()
        cookie, more = position.raw_cookie, True
        while more:
            control = dirsync.dirsync_control(position.flags, cookie)
            rows, result = self._rows(
                identity.naming_context, dirsync.USERS_AND_CONTAINERS, names, control
            )
            if result["result"] == STALE_COOKIE:
                raise FullReadNeeded("the server does not know the cookie any more")
            cookie, more = _dirsync_answer(result)
            for raw in rows:
                delta.take_dirsync(raw)
        return delta, dirsync.dirsync_position(identity.dc, position.flags, cookie)

    def _by_number(self, identity: _Identity, position: Position) -> tuple[Delta, Position]:
        if self._invocation(identity) != position.invocation or identity.usn < position.usn:
            raise FullReadNeeded(f"the database of {identity.dc} is not what it was")
        delta = Delta()
        rows, result = self._rows(
            identity.naming_context,
            dirsync.numbered_since(position.usn),
            ["objectGUID", "objectClass", "isDeleted", "uSNCreated"],
            (dirsync.SHOW_DELETED, True, None),
        )
        _must_succeed(result)
        for raw in rows:
            delta.take_numbered(raw, position.usn)
        return delta, replace(position, usn=identity.usn)

    def _dirsync_cookie(self, identity: _Identity, flags: int) -> bytes:
        """Return the cookie of now, empty when DirSync is refused or ignored. The search finds
        nothing: only the cookie is wanted."""
        cookie, more = b"", True
        while more:
            control = dirsync.dirsync_control(flags, cookie)
            _, result = self._rows(
                identity.naming_context, dirsync.NOTHING, ["objectGUID"], control
            )
            if result["result"] != SUCCESS or not _dirsync_value(result):
                return b""
            cookie, more = _dirsync_answer(result)
        return cookie

    # --- who answers -----------------------------------------------------------------------------

    def _identity(self) -> _Identity:
        names = ["dnsHostName", "namingContexts", "dsServiceName", "highestCommittedUSN"]
        rows, result = self._rows("", "(objectClass=*)", names, scope="BASE")
        _must_succeed(result)
        said = {name: decoded(values) for name, values in rows[0].items()} if rows else {}
        contexts = [
            context
            for context in said.get("namingcontexts", [])
            if Area(context).contains(self._source.settings.base)
        ]
        if not contexts or "dnshostname" not in said:
            raise FullReadNeeded("the server is no domain controller of this domain")
        return _Identity(
            said["dnshostname"][0].lower(),
            max(contexts, key=lambda context: len(normal_parts(context))),
            said.get("dsservicename", [""])[0],
            int(said.get("highestcommittedusn", ["0"])[0]),
        )

    def _invocation(self, identity: _Identity) -> str:
        """Return the id of a domain controller's database, empty when it may not be read."""
        if not identity.service:
            return ""
        rows, _ = self._rows(identity.service, "(objectClass=*)", ["invocationId"], scope="BASE")
        values = rows[0].get("invocationid") if rows else None
        return str(UUID(bytes_le=values[0])) if values and len(values[0]) == 16 else ""

    def _rows(
        self,
        base: str,
        filter_text: str,
        attributes: list[str],
        control: tuple[str, bool, bytes | None] | None = None,
        scope: str = "SUBTREE",
    ) -> tuple[list[Row], dict[str, Any]]:
        return self._source.rows(
            self._connection,
            self._deadline,
            base,
            filter_text,
            attributes=attributes,
            control=control,
            scope=scope,
        )


def _must_succeed(result: dict[str, Any]) -> None:
    if result["result"] != SUCCESS:
        raise Incomplete(f"the server ended with {result['description']} ({result['result']})")


def _dirsync_answer(result: dict[str, Any]) -> tuple[bytes, bool]:
    """Return the cookie of an answer to DirSync, and whether there is more. Raises Incomplete."""
    _must_succeed(result)
    value = _dirsync_value(result)
    if not value:
        raise Incomplete("the server left out the control of DirSync")
    return bytes(value["cookie"]), bool(value["more_results"])


def _dirsync_value(result: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer's control of DirSync says, nothing where it gives no cookie."""
    control = (result.get("controls") or {}).get(dirsync.DIRSYNC)
    return dict(control["value"]) if control and control["value"]["cookie"] else {}


def _in_parts(guids: Iterable[str]) -> Iterator[list[str]]:
    """Give some at a time, in order."""
    ordered = sorted(guids)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
