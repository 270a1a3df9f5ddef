"""The source ``ldap``: everything that a server has under a base, or the news that it is not all.

ldap3 hands over half a directory without an error in several ways (size and time limits count as
success, its paging generator takes a missing cookie for the end), so the pages are turned here: one
synchronous connection, and on each page both the result code and the paging control (RFC 2696).
"""

from __future__ import annotations

from typing import Any

from syncd.directory.entry_dn import Area
from syncd.directory.filter import FilterError, compile_filter
from syncd.directory.identity import IDENTITY_ATTRIBUTES, decoded, external_id
from syncd.directory.mapping import mapping_of
from syncd.directory.protocol import DirectorySource, Entry, Snapshot
from syncd.directory.secret import bind_password
from syncd.domain.errors import ConfigurationError, Problem, TryAgainError
from syncd.settings.model import DirectorySettings

PAGING = "1.2.840.113556.1.4.319"
SUCCESS = 0
_SCOPES = {"subtree": "SUBTREE", "one": "LEVEL", "base": "BASE"}


def open_source(settings: DirectorySettings) -> DirectorySource:
    """Return the source of a section of type ``ldap``. Raises ConfigurationError."""
    return LdapSource(settings)


class Incomplete(Exception):
    """The server's answer is not all that it has: the message says why."""


class LdapSource:
    """Reads the first server of a section that can be reached, secured and bound."""

    def __init__(self, settings: DirectorySettings) -> None:
        self.settings = settings
        wanted = mapping_of(settings).attributes
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
                    return self._read(connection, address.url, deadline)
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
        entries: list[Entry] = []
        why = ""
        try:
            self._read_pages(connection, entries, deadline)
        except Incomplete as incomplete:
            why = f"{url} gave {len(entries)} entries, but not all: {incomplete}"
        return Snapshot(entries, not why, why, url)

    def _read_pages(self, connection: Any, entries: list[Entry], deadline: Any) -> None:
        from ldap3.core.exceptions import LDAPException

        cookie: bytes | None = None
        while True:
            if not deadline.left:
                raise Incomplete(f"it took longer than {self.settings.timeout} s")
            try:
                connection.socket.settimeout(deadline.left)
                cookie = self._read_page(connection, cookie, entries)
            except (LDAPException, OSError, AttributeError) as error:
                if not deadline.left:
                    raise Incomplete(f"it took longer than {self.settings.timeout} s") from error
                reason = " ".join(str(error).split()) or type(error).__name__
                raise Incomplete(f"the connection was cut: {reason}") from error
            if not cookie:
                return

    def _read_page(self, connection: Any, cookie: bytes | None, entries: list[Entry]) -> bytes:
        """Read one page into ``entries``. Returns the cookie of the next, empty after the last."""
        settings = self.settings
        connection.search(
            settings.base,
            settings.filter,
            search_scope=_SCOPES[settings.scope],
            dereference_aliases="NEVER",
            attributes=self._requested,
            paged_size=settings.page_size,
            paged_criticality=True,
            paged_cookie=cookie,
        )
        result = connection.result
        for response in connection.response or ():
            self._take(response, entries)
        if result["result"] != SUCCESS:
            detail = f": {result['message']}" if result.get("message") else ""
            raise Incomplete(f"{result['description']} ({result['result']}){detail}")
        control = (result.get("controls") or {}).get(PAGING)
        if control is None:
            raise Incomplete("the server left out the paging control, so there may be more")
        following = control["value"]["cookie"]
        return bytes(following) if following else b""

    def _take(self, response: dict[str, Any], entries: list[Entry]) -> None:
        kind = response.get("type")
        if kind == "searchResRef":
            targets = " ".join(str(uri) for uri in response.get("uri") or ())
            raise Incomplete(f"a part of it is elsewhere, at {targets}")
        if kind != "searchResEntry":
            return
        entry_dn = response["dn"]
        if not self._area.contains(entry_dn):
            raise Incomplete(f"{entry_dn} is not under {self.settings.base}")
        raw = response["raw_attributes"]
        values = {name: decoded(raw[name]) for name in raw if name in self._wanted and raw[name]}
        entries.append(Entry(entry_dn, external_id(raw, self.settings.id.lower()), values))
