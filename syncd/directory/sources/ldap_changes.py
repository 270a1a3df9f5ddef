"""How the source ``ldap`` learns what changed: by content synchronisation where the server has it,
else by time stamps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncd.directory.identity import IDENTITY_ATTRIBUTES
from syncd.directory.protocol import Changes, Entry, FullReadNeeded
from syncd.directory.sources import changed_since, syncrepl
from syncd.settings.model import DirectorySettings

SPARE_SECONDS = 60
_SYNC = "sync "
_OWN_IDS = tuple(name.lower() for name in IDENTITY_ATTRIBUTES)

Response = dict[str, Any]
Pages = Callable[[str, list[str], Callable[[Response], None]], None]
"""Reads every page of a filter's entries: the filter, the attributes, who takes each response."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a server, and how its answers are read."""

    base: str
    filter: str
    scope: str
    """As ldap3 names it."""
    attributes: list[str]
    timeout: int
    """Seconds that a whole reading may take."""
    entry: Callable[[Response], Entry]
    pages: Pages


def traceable(settings: DirectorySettings) -> bool:
    """Whether an entry changes whenever what is read from it does. Membership of groups is another
    entry's: on most servers neither a time stamp nor content synchronisation tells of it."""
    texts = (settings.filter, *settings.mapping.values())
    return not settings.groups and not any("memberof" in text.casefold() for text in texts)


def starting_cookie(connection: Any, question: Question) -> str:
    """Return the cookie of content synchronisation for this moment, empty when there is none."""
    cookie = syncrepl.first_cookie(connection, question.base, question.filter, question.scope)
    return _SYNC + cookie if cookie else ""


class SnapshotCookie:
    """Finds the cookie of a snapshot while that is read: beforehand or, for want of content
    synchronisation, from the time stamps of its entries."""

    def __init__(self, connection: Any, question: Question, settings: DirectorySettings) -> None:
        self._traceable = traceable(settings)
        self._cookie = starting_cookie(connection, question) if self._traceable else ""
        self._time_stamp = ""

    @property
    def attributes(self) -> tuple[str, ...]:
        """Which attributes it needs besides."""
        return changed_since.TIME_STAMPS if self._traceable and not self._cookie else ()

    def see(self, raw: dict[str, list[bytes]]) -> None:
        """Look at an entry's raw values."""
        if not self._traceable:
            return
        if not any(name in raw for name in _OWN_IDS):
            # Who is known by an attribute of one's own choice: nothing tells when that changes.
            self._traceable, self._cookie, self._time_stamp = False, "", ""
        elif not self._cookie:
            self._time_stamp = changed_since.latest(raw, self._time_stamp)

    @property
    def cookie(self) -> str:
        """The cookie, when all entries were seen; empty when there is none."""
        return self._cookie or changed_since.cookie_of(self._time_stamp)


def read_changes(connection: Any, question: Question, cookie: str, server: str) -> Changes:
    """Read what changed since a cookie that a snapshot or an earlier call gave.

    Raises FullReadNeeded, and what ``question.pages`` and ldap3 raise.
    """
    if cookie.startswith(_SYNC):
        return _synchronised(connection, question, cookie.removeprefix(_SYNC), server)
    since = changed_since.taken_apart(cookie)
    if since is None:
        raise FullReadNeeded("the cookie is not one that this source gives")
    return _stamped(question, *since, server)


def _synchronised(connection: Any, question: Question, cookie: str, server: str) -> Changes:
    if not syncrepl.known(cookie):
        raise FullReadNeeded("the cookie is not one that a server gives")
    attributes = [*question.attributes, syncrepl.ENTRY_CSN]
    answer = syncrepl.refresh(
        connection, question.base, question.filter, question.scope, attributes, cookie
    )
    syncrepl.judge(answer, cookie)
    entries = [question.entry(row.response) for row in answer.rows]
    for row, entry in zip(answer.rows, entries, strict=True):
        if entry.external_id != row.sync_id:
            raise FullReadNeeded(f"the server knows {entry.where} by another id than syncd")
    following = answer.cookie or cookie
    if following != cookie:
        told = {row.sync_id for row in answer.rows}
        if syncrepl.moved_containers(connection, question.base, cookie, told):
            raise FullReadNeeded("an entry that has others below it was changed")
    present = frozenset(answer.present) if answer.lists_present and answer.present else None
    return Changes(
        tuple(entries), tuple(sorted(answer.deleted)), _SYNC + following, server, present
    )


def _stamped(question: Question, time_stamp: str, digest: str, server: str) -> Changes:
    found: list[tuple[Entry, dict[str, list[bytes]]]] = []
    latest = time_stamp

    def take(response: Response) -> None:
        nonlocal latest
        raw = response["raw_attributes"]
        found.append((question.entry(response), raw))
        latest = changed_since.latest(raw, latest)
        if not any(name in raw for name in _OWN_IDS):
            raise FullReadNeeded(f"{response['dn']} has no id of the server's own")

    overlap = question.timeout + SPARE_SECONDS
    wanted = changed_since.changed_filter(question.filter, time_stamp, overlap)
    question.pages(wanted, [*question.attributes, *changed_since.TIME_STAMPS], take)
    now = changed_since.digest_of(raw for _, raw in found)
    entries = () if now == digest else tuple(entry for entry, _ in found)
    following = changed_since.cookie_of(latest, now)
    return Changes(entries, (), following, server, tells_departures=False)
