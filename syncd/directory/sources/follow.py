"""Hearing that something changed as it happens: OpenLDAP and 389-ds keep a search open for it (RFC
4533, refreshAndPersist), Active Directory has its change notifications.

What changed is not looked at: whoever hears of it asks for the changes in the usual way.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from syncd.directory.secret import bind_password
from syncd.directory.sources import syncrepl
from syncd.domain.errors import UserError
from syncd.settings.model import DirectorySettings

FOLLOWED = ("ldap", "active_directory")
"""The kinds of directories that can be followed."""

Control = tuple[str, bool, bytes | None]
NOTIFICATION: Control = ("1.2.840.113556.1.4.528", True, None)
SHOW_DELETED: Control = ("1.2.840.113556.1.4.417", False, None)
"""Without it nothing is said of who is deleted, and with it only to those who may see it."""
_SEARCH_ENTRY, _SEARCH_DONE, _INTERMEDIATE, _EXTENDED = 0x64, 0x65, 0x79, 0x78
_INFO_VALUE, _ID_SET = 0x81, b"\xa3"
_SCOPES = {"subtree": "SUBTREE", "one": "LEVEL", "base": "BASE"}
_NEVER = 10 * 365 * 86_400
_PAUSE = 0.2
"""Seconds of silence after which what was heard is told; as long may it take to be stopped."""
_LONGEST = 1.0
"""Seconds after which it is told though the server goes on."""


class FollowingEnded(Exception):
    """Nothing is heard any more: the message says why."""


def follow(
    settings: DirectorySettings,
    stop: threading.Event,
    listening: Callable[[str], None],
    changed: Callable[[], None],
) -> None:
    """Call ``changed`` soon after something has changed in a directory, until ``stop`` is set, and
    once in the beginning; before that ``listening``, with the server's URL.

    It may be called though nothing changed, never the other way round while this runs. Raises
    FollowingEnded when no server can be heard, or no longer.
    """
    from ldap3.core.exceptions import LDAPException

    from syncd.directory.sources import ldap_connection as link

    failures: list[str] = []
    try:
        password = bind_password(settings)
        for address in link.addresses(settings):
            try:
                deadline = link.Deadline(_NEVER)
                with link.connected(settings, address, password, deadline) as connection:
                    _ask(connection, settings)
                    listening(address.url)
                    changed()
                    _listen(connection, stop, changed)
                    return
            except link.ServerFailed as failure:
                failures.append(f"{address.url}: {failure}")
    except UserError as error:
        raise FollowingEnded(str(error)) from error
    except (LDAPException, OSError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FollowingEnded(f"the connection was cut: {reason}") from error
    raise FollowingEnded("; ".join(failures))


def _ask(connection: Any, settings: DirectorySettings) -> None:
    """Send the search that stays open."""
    import ldap3
    from ldap3.operation.search import search_operation

    if settings.type == "active_directory":
        connection.search(
            "", "(objectClass=*)", search_scope="BASE", attributes=["defaultNamingContext"]
        )
        contexts = [
            value.decode()
            for response in connection.response or ()
            for value in response.get("raw_attributes", {}).get("defaultnamingcontext", ())
        ]
        # Nothing narrower is taken: a whole naming context, and whatever there is in it.
        base, filter_text, scope = (contexts or [settings.base])[0], "(objectClass=*)", "SUBTREE"
        controls = [NOTIFICATION, SHOW_DELETED]
    else:
        base, filter_text, scope = settings.base, settings.filter, _SCOPES[settings.scope]
        cookie = syncrepl.first_cookie(connection, base, filter_text, scope)
        if not cookie:
            raise FollowingEnded("the server has no content synchronisation (RFC 4533)")
        controls = [syncrepl.sync_request(cookie.encode(), syncrepl.REFRESH_AND_PERSIST)]
    request = search_operation(
        base,
        filter_text,
        scope,
        ldap3.DEREF_NEVER,
        ["1.1"],
        0,
        0,
        False,  # noqa: FBT003 -- whether types only
        connection.auto_escape,
        connection.auto_encode,
    )
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.strategy.send("searchRequest", request, controls)


def _listen(connection: Any, stop: threading.Event, changed: Callable[[], None]) -> None:
    """Read what the server sends. Raises FollowingEnded, and what a socket raises."""
    strategy = connection.strategy
    connection.socket.settimeout(_PAUSE)
    unread = b""
    heard = 0.0
    while not stop.is_set():
        try:
            data = connection.socket.recv(strategy.socket_size)
        except TimeoutError:
            if heard:
                heard = 0.0
                changed()
            continue
        if not data:
            raise FollowingEnded("the server closed the connection")
        unread += data
        while 0 < (size := strategy.compute_ldap_message_size(unread)) <= len(unread):
            message, unread = unread[:size], unread[size:]
            if _tells(message):
                heard = heard or time.monotonic()
        if heard and time.monotonic() - heard > _LONGEST:
            heard = 0.0
            changed()


def _tells(message: bytes) -> bool:
    """Whether a message says that something changed. Raises FollowingEnded when it says that no
    more will come."""
    try:
        [(_, inside)] = syncrepl.elements(message)
        _, (kind, operation), *_ = syncrepl.elements(inside)
        if kind == _INTERMEDIATE:
            # A list of those who are gone or present; else cookies, and the end of what was before.
            values = [value for tag, value in syncrepl.elements(operation) if tag == _INFO_VALUE]
            return any(value[:1] == _ID_SET for value in values)
    except ValueError as error:
        raise FollowingEnded(f"its answer is no LDAP: {error}") from error
    if kind in (_SEARCH_DONE, _EXTENDED):
        raise FollowingEnded(_reason(message))
    return kind == _SEARCH_ENTRY


def _reason(message: bytes) -> str:
    """Return why the server ended the search."""
    from ldap3.core.results import RESULT_CODES
    from ldap3.utils.asn1 import decode_message_fast

    decode: Any = decode_message_fast
    payload = decode(message)["payload"]
    code = int(payload[0][3])
    text = bytes(payload[2][3]).decode("utf-8", "replace")
    described = f"{RESULT_CODES.get(code, 'result')} ({code})"
    return f"the server ended it: {described}{': ' if text else ''}{text}"
