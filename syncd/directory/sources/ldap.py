"""The source ``ldap``: everything that a server has under a base, or the news that it is not all.

ldap3 hands over half a directory without an error in several ways (size and time limits count as
success, its paging generator takes a missing cookie for the end), so the pages are turned here: one
synchronous connection, and on each page both the result code and the paging control (RFC 2696).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from syncd.directory.entry_dn import Area
from syncd.directory.filter import FilterError, compile_filter
from syncd.directory.groups import join, unknown_groups
from syncd.directory.identity import IDENTITY_ATTRIBUTES, decoded, external_id
from syncd.directory.lookup import Found
from syncd.directory.mapping import mapping_of, naming_attributes
from syncd.directory.packed import Noted, PackedEntries
from syncd.directory.protocol import Changes, DirectorySource, Entry, FullReadNeeded, Snapshot
from syncd.directory.secret import bind_password
from syncd.directory.sources.ldap_changes import Question, SnapshotCookie, read_changes
from syncd.directory.sources.ldap_groups import (
    IN_CHAIN,
    GroupUnreadable,
    enclosed,
    escaped,
    read_members,
)
from syncd.directory.sources.ldap_lookup import find_entries, no_such_entry
from syncd.domain.errors import ConfigurationError, Problem, RefusedError, TryAgainError
from syncd.settings.model import DirectorySettings

PAGING = "1.2.840.113556.1.4.319"
SUCCESS = 0
HINTS = {
    3: "the server lets bind_dn search for a short time only: raise its limit",
    4: "the server gives bind_dn a limited number of entries only: raise its limit",
    11: "the server lets bind_dn see a limited number of entries only: raise its limit",
    32: "base is not there, or bind_dn may not see it",
    50: "bind_dn has no right to search under base",
}
"""What to look at, by result code (RFC 4511, appendix A)."""
Answer = TypeVar("Answer")
_SCOPES = {"subtree": "SUBTREE", "one": "LEVEL", "base": "BASE"}


def open_source(settings: DirectorySettings) -> DirectorySource:
    """Return the source of a section of type ``ldap``. Raises ConfigurationError."""
    return LdapSource(settings)


class Incomplete(Exception):
    """The server's answer is not all that it has: the message says why."""


class LdapSource:
    """Reads the first server of a section that can be reached, secured and bound."""

    in_chain = False
    """Whether the server resolves groups in groups itself."""

    def __init__(self, settings: DirectorySettings) -> None:
        # ldap3 takes no filter without brackets around it.
        self.settings = replace(settings, filter=enclosed(settings.filter))
        mapping = mapping_of(settings)
        wanted = mapping.attributes
        self._naming = naming_attributes(mapping, settings.id)
        own = (*IDENTITY_ATTRIBUTES, *filter(None, [settings.id]))
        self._wanted = frozenset(wanted)
        self._requested = [*dict.fromkeys((*(name.lower() for name in own), *wanted))]
        self._area = Area(settings.base, settings.scope)
        try:
            compile_filter(settings.filter)
        except FilterError as error:
            if ":=" not in settings.filter:  # those only the server knows
                option = f"[directory:{settings.name}] filter"
                raise ConfigurationError(
                    f"the directory {settings.name} cannot be asked",
                    problems=[Problem("", 0, option, str(error), "as in RFC 4515")],
                ) from error

    def snapshot(self) -> Snapshot:
        """See DirectorySource."""
        return self._ask(self._read)

    def changes(self, cookie: str) -> Changes:
        """See IncrementalSource."""
        return self._ask(
            lambda connection, url, deadline: self._read_changes(connection, url, deadline, cookie)
        )

    def _ask(self, read: Callable[[Any, str, Any], Answer]) -> Answer:
        """Let ``read`` have a connection to the first server that can be used, its URL and the
        deadline."""
        # ldap3 takes 100 ms to import, and only who asks a server needs it.
        from syncd.directory.sources import ldap_connection as link

        settings = self.settings
        servers = link.addresses(settings)
        password = bind_password(settings)
        deadline = link.Deadline(settings.timeout)
        failures: list[Problem] = []
        for address in servers:
            try:
                with link.connected(settings, address, password, deadline) as connection:
                    return read(connection, address.url, deadline)
            except link.ServerFailed as failure:
                failures.append(Problem(address.url, 0, "", str(failure)))
            if not deadline.left:
                break
        raise TryAgainError(
            f"no server of the directory {settings.name} could be reached, secured and bound;"
            " nothing was changed",
            problems=failures,
        )

    def _read(self, connection: Any, url: str, deadline: Any) -> Snapshot:
        entries = PackedEntries()
        why = following = ""
        try:
            with self._cuts_told(connection, deadline):
                question = self._question(connection, deadline)
                cookie = SnapshotCookie(connection, question, self.settings)

            seen: set[str] = set()

            def take(response: dict[str, Any]) -> None:
                if response["dn"] in seen:
                    # Pages that come twice mean others that do not come.
                    raise Incomplete(f"it gives {response['dn']} twice")
                seen.add(response["dn"])
                entries.append(self._entry(response))
                cookie.see(response["raw_attributes"])

            attributes = [*self._requested, *cookie.attributes]
            self._read_pages(connection, self.settings.filter, attributes, take, deadline)
            self._read_groups(connection, Noted(entries), deadline)
            following = cookie.cookie
        except Incomplete as incomplete:
            why = f"{url} gave {len(entries)} entries, but not all: {incomplete}"
        return Snapshot(entries, not why, why, url, cookie=following)

    def _read_changes(self, connection: Any, url: str, deadline: Any, cookie: str) -> Changes:
        try:
            with self._cuts_told(connection, deadline):
                return read_changes(connection, self._question(connection, deadline), cookie, url)
        except Incomplete as incomplete:
            raise FullReadNeeded(f"{url} did not answer completely: {incomplete}") from incomplete

    def _question(self, connection: Any, deadline: Any) -> Question:
        settings = self.settings
        return Question(
            settings.base,
            settings.filter,
            _SCOPES[settings.scope],
            self._requested,
            settings.timeout,
            self._entry,
            lambda filter_text, attributes, take: self._read_pages(
                connection, filter_text, attributes, take, deadline
            ),
        )

    @contextlib.contextmanager
    def _cuts_told(self, connection: Any, deadline: Any) -> Iterator[None]:
        """Turn what happens when the connection is cut, or time is up, into Incomplete."""
        from ldap3.core.exceptions import LDAPException

        late = f"it took longer than {self.settings.timeout} s"
        if not deadline.left:
            raise Incomplete(late)
        try:
            connection.socket.settimeout(deadline.left)
            yield
        except (LDAPException, OSError, AttributeError) as error:
            if not deadline.left:
                raise Incomplete(late) from error
            reason = " ".join(str(error).split()) or type(error).__name__
            raise Incomplete(f"the connection was cut: {reason}") from error

    def _read_pages(
        self,
        connection: Any,
        filter_text: str,
        attributes: Sequence[str],
        take: Callable[[dict[str, Any]], None],
        deadline: Any,
    ) -> None:
        """Let ``take`` have each response of each page. Raises Incomplete."""
        page: bytes | None = None
        while True:
            with self._cuts_told(connection, deadline):
                page = self._read_page(connection, filter_text, attributes, page, take)
            if not page:
                return

    def _read_page(
        self,
        connection: Any,
        filter_text: str,
        attributes: Sequence[str],
        cookie: bytes | None,
        take: Callable[[dict[str, Any]], None],
    ) -> bytes:
        """Read one page. Returns the cookie of the next, empty after the last."""
        settings = self.settings
        self._search(
            connection,
            settings.base,
            filter_text,
            search_scope=_SCOPES[settings.scope],
            dereference_aliases="NEVER",
            attributes=attributes,
            paged_size=settings.page_size,
            paged_criticality=True,
            paged_cookie=cookie,
        )
        result = connection.result
        for response in connection.response or ():
            self._take(response, take)
        if result["result"] != SUCCESS:
            detail = f": {result['message']}" if result.get("message") else ""
            hint = HINTS.get(result["result"], "")
            raise Incomplete(
                f"{result['description']} ({result['result']}){detail}{hint and f' ({hint})'}"
            )
        control = (result.get("controls") or {}).get(PAGING)
        if control is None:
            raise Incomplete("the server left out the paging control, so there may be more")
        following = control["value"]["cookie"]
        return bytes(following) if following else b""

    def _take(self, response: dict[str, Any], take: Callable[[dict[str, Any]], None]) -> None:
        kind = response.get("type")
        if kind == "searchResRef":
            targets = " ".join(str(uri) for uri in response.get("uri") or ())
            raise Incomplete(f"a part of it is elsewhere, at {targets}")
        if kind == "searchResEntry":
            take(response)

    def find(self, text: str) -> list[Found]:
        """See Searchable."""
        try:
            return self._ask(
                lambda connection, url, deadline: self._find(connection, deadline, text)
            )
        except Incomplete as incomplete:
            what = f"the directory {self.settings.name} did not answer completely: {incomplete}"
            raise RefusedError(what) from incomplete

    def _find(self, connection: Any, deadline: Any, text: str) -> list[Found]:
        settings = self.settings

        def search(
            base: str, filter_text: str, scope: str, attributes: Sequence[str]
        ) -> list[dict[str, Any]] | None:
            with self._cuts_told(connection, deadline):
                self._search(
                    connection,
                    base,
                    filter_text,
                    search_scope=scope,
                    dereference_aliases="NEVER",
                    attributes=list(attributes),
                )
            result = connection.result
            if no_such_entry(result):
                return None
            if result["result"] != SUCCESS:
                raise Incomplete(f"{result['description']} ({result['result']})")
            return [r for r in connection.response or () if r.get("type") == "searchResEntry"]

        found = find_entries(
            search,
            text,
            base=settings.base,
            filter_text=settings.filter,
            naming=self._naming,
            requested=self._requested,
            entry_of=self._as_entry,
            contains=self._area.contains,
        )
        people = [(one.entry.where, one.entry.attributes) for one in found]
        self._read_groups(connection, people, deadline)
        return found

    def _read_groups(
        self,
        connection: Any,
        people: Iterable[tuple[str, dict[str, list[str]]]],
        deadline: Any,
    ) -> None:
        """Note in people (entry DN, attributes) in which of the configured groups they are.

        Raises Incomplete.
        """
        groups = self.settings.groups
        if not groups:
            return

        def search(base: str, attributes: Sequence[str]) -> tuple[Any, Any]:
            with self._cuts_told(connection, deadline):
                self._search(
                    connection,
                    base,
                    "(objectClass=*)",
                    search_scope="BASE",
                    dereference_aliases="NEVER",
                    attributes=list(attributes),
                )
            found = [r for r in connection.response or () if r.get("type") == "searchResEntry"]
            return connection.result, found[0]["raw_attributes"] if found else None

        def members(entry_dn: str) -> list[str] | None:
            if self.in_chain:
                return self._members_in_chain(connection, search, entry_dn, deadline)
            return read_members(search, entry_dn)

        try:
            unknown = join(groups, people, members)
        except GroupUnreadable as error:
            raise Incomplete(f"a group could not be read: {error}") from error
        if unknown:
            raise Incomplete(unknown_groups(unknown))

    def _members_in_chain(
        self,
        connection: Any,
        search: Callable[[str, Sequence[str]], tuple[Any, Any]],
        entry_dn: str,
        deadline: Any,
    ) -> list[str] | None:
        """Return the people in a group and in the groups in it, as the server resolves them."""
        if search(entry_dn, ("1.1",))[1] is None:
            return None
        found: list[str] = []
        chained = f"(memberOf:{IN_CHAIN}:={escaped(entry_dn)})"
        self._read_pages(
            connection,
            f"(&{enclosed(self.settings.filter)}{chained})",
            ["1.1"],
            lambda response: found.append(response["dn"]),
            deadline,
        )
        return found

    def _search(self, connection: Any, base: str, filter_text: str, **options: Any) -> None:
        """Search. Raises Incomplete when the answer is no LDAP."""
        try:
            connection.search(base, filter_text, **options)
        except (LookupError, TypeError, ValueError) as error:
            # What ldap3 makes of bytes that mean nothing.
            reason = " ".join(str(error).split()) or type(error).__name__
            raise Incomplete(f"its answer is no LDAP: {reason}") from error

    def _entry(self, response: dict[str, Any]) -> Entry:
        entry_dn = response["dn"]
        if not self._area.contains(entry_dn):
            raise Incomplete(f"{entry_dn} is not under {self.settings.base}")
        return self._as_entry(response)

    def _as_entry(self, response: dict[str, Any]) -> Entry:
        entry_dn = response["dn"]
        raw = response["raw_attributes"]
        values = {name: decoded(raw[name]) for name in raw if name in self._wanted and raw[name]}
        return Entry(entry_dn, external_id(raw, self.settings.id.lower()), values)
