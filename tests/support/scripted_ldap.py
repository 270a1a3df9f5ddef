"""A small LDAP server in a thread, for what real ones will not do on demand: its answers to
searches are a script. It speaks just enough BER for bind, paged search and unbind."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

PAGING = b"1.2.840.113556.1.4.319"
SUCCESS, TIME_LIMIT, SIZE_LIMIT, ADMIN_LIMIT, NO_SUCH_OBJECT = 0, 3, 4, 11, 32
_SEARCH_SCOPES = ("base", "one", "subtree", "subordinate")


# --- BER -----------------------------------------------------------------------------------------


def ber(tag: int, *contents: bytes) -> bytes:
    """Return one element with a definite length."""
    content = b"".join(contents)
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int, tag: int = 0x02) -> bytes:
    return ber(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes | str, tag: int = 0x04) -> bytes:
    return ber(tag, value.encode() if isinstance(value, str) else value)


def elements(content: bytes) -> list[tuple[int, bytes]]:
    """Return tag and content of each element in a constructed one."""
    found = []
    position = 0
    while position < len(content):
        tag, size = content[position], content[position + 1]
        position += 2
        if size & 0x80:
            width = size & 0x7F
            size = int.from_bytes(content[position : position + width], "big")
            position += width
        found.append((tag, content[position : position + size]))
        position += size
    return found


# --- what is asked, and what is answered ---------------------------------------------------------


@dataclass(frozen=True)
class Search:
    """A search request; ``number`` counts the pages of one search from 0."""

    message_id: int
    base: str
    scope: str
    attributes: tuple[str, ...]
    page_size: int
    """0: not paged."""
    cookie: bytes
    number: int = 0
    filter: tuple[int, bytes] = (0x87, b"objectClass")
    """Tag and content; see ``fits``."""
    controls: Mapping[bytes, bytes] = field(default_factory=dict)
    """Values by object identifier, without that of paging."""


def fits(condition: tuple[int, bytes], attributes: Mapping[str, Sequence[bytes]]) -> bool:
    """Whether an entry (raw values by lower-cased name) is under a filter."""
    tag, content = condition
    if tag == 0xA0:
        return all(fits(part, attributes) for part in elements(content))
    if tag == 0xA1:
        return any(fits(part, attributes) for part in elements(content))
    if tag == 0xA2:
        return not fits(elements(content)[0], attributes)
    if tag == 0x87:
        return bool(attributes.get(content.decode().lower()))
    (_, name), (_, wanted) = elements(content)[:2]
    held = attributes.get(name.decode().lower(), ())
    if tag == 0xA3:
        return any(value.lower() == wanted.lower() for value in held)
    if tag == 0xA5:
        return any(int(value) >= int(wanted) for value in held)
    raise ValueError(f"a filter with {tag:#x}")


def message(message_id: int, operation: bytes, controls: bytes = b"") -> bytes:
    return ber(0x30, integer(message_id), operation, controls)


def entry(search: Search, entry_dn: str, attributes: Mapping[str, Sequence[str | bytes]]) -> bytes:
    """Return a search result entry."""
    pairs = [
        ber(0x30, octets(name), ber(0x31, *map(octets, values)))
        for name, values in attributes.items()
    ]
    return message(search.message_id, ber(0x64, octets(entry_dn), ber(0x30, *pairs)))


def referral(search: Search, url: str) -> bytes:
    """Return a search result reference."""
    return message(search.message_id, ber(0x73, octets(url)))


def done(
    search: Search,
    code: int = SUCCESS,
    cookie: bytes | None = b"",
    text: str = "",
    control: tuple[bytes, bytes] | None = None,
) -> bytes:
    """Return the end of a page with the cookie of the next one, None for no paging control; or with
    another control, its object identifier and value."""
    if control is None and cookie is not None:
        control = PAGING, ber(0x30, integer(0), octets(cookie))
    controls = b""
    if control is not None:
        controls = ber(0xA0, ber(0x30, octets(control[0]), octets(control[1])))
    result = ber(0x65, ber(0x0A, bytes((code,))), octets(""), octets(text))
    return message(search.message_id, result, controls)


CUT = object()
"""In a script: end the connection here."""

MUTE = object()
"""In a script: say nothing more."""

Answer = Sequence[object]
Script = Callable[[Search], Answer]
"""From a search to what is sent: bytes, CUT or MUTE."""


def whole_pages(
    entries: Sequence[tuple[str, Mapping[str, Sequence[str | bytes]]]],
) -> Script:
    """Return the script of a server that is all right, with these entries below the base; every
    other search finds nothing."""

    def answer(search: Search) -> list[object]:
        if search.scope == "base":
            return [done(search, cookie=None)]
        start = int(search.cookie or b"0")
        end = start + (search.page_size or len(entries))
        told = [entry(search, *item) for item in entries[start:end]]
        following = str(end).encode() if end < len(entries) else b""
        return [*told, done(search, cookie=following if search.page_size else None)]

    return answer


# --- the server ----------------------------------------------------------------------------------


@dataclass
class ScriptedServer:
    """Its URL, what it was asked, and the script, which a test may change at any time."""

    script: Script
    url: str = ""
    bind_answer: bytes | None = None
    """Instead of success, and then the connection ends; empty: never an answer."""
    bind_code: int = SUCCESS
    searches: list[Search] = field(default_factory=list)


@contextlib.contextmanager
def scripted_ldap(script: Script) -> Iterator[ScriptedServer]:
    """Run a server on a free port of the loopback for the block."""
    server = ScriptedServer(script)
    open_sockets: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.url = f"ldap://127.0.0.1:{listener.getsockname()[1]}"

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                open_sockets.append(client)
                threading.Thread(target=_talk, args=(server, client), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for client in open_sockets:
                client.close()
            thread.join(5)


def _talk(server: ScriptedServer, client: socket.socket) -> None:
    pages = 0
    with contextlib.suppress(OSError), client, client.makefile("rb") as stream:
        while (request := _request(stream)) is not None:
            message_id, operation, content, controls = request
            if operation == 0x60:  # bind
                result = ber(0x61, ber(0x0A, bytes((server.bind_code,))), octets(""), octets(""))
                answer = server.bind_answer
                client.sendall(message(message_id, result) if answer is None else answer)
                if answer:
                    return
            elif operation == 0x63:
                search = _search(message_id, content, controls, pages)
                pages += bool(search.page_size)
                server.searches.append(search)
                said = b""
                ending = None
                for part in server.script(search):
                    if not isinstance(part, bytes):
                        ending = part
                        break
                    said += part
                client.sendall(said)
                if ending is CUT:
                    client.shutdown(socket.SHUT_RDWR)
                    return
            elif operation == 0x42:  # unbind
                return


def _request(stream: object) -> tuple[int, int, bytes, bytes] | None:
    """Read one message. Returns its id, the operation's tag and content, and the controls; None at
    the end."""
    read = stream.read  # type: ignore[attr-defined]
    head = read(2)
    if len(head) < 2:
        return None
    size = head[1]
    if size & 0x80:
        size = int.from_bytes(read(size & 0x7F), "big")
    parts = elements(read(size))
    (_, number), (operation, content) = parts[:2]
    return int.from_bytes(number, "big"), operation, content, parts[2][1] if parts[2:] else b""


def _search(message_id: int, content: bytes, controls: bytes, number: int) -> Search:
    parts = [value for _, value in elements(content)]
    page_size, cookie = 0, b""
    others: dict[bytes, bytes] = {}
    for _, control in elements(controls):
        values = [value for tag, value in elements(control) if tag == 0x04]
        if values[0] == PAGING:
            [(_, value)] = elements(values[-1])
            (_, size), (_, cookie) = elements(value)
            page_size = int.from_bytes(size, "big")
        else:
            others[values[0]] = values[-1] if values[1:] else b""
    attributes = tuple(value.decode() for _, value in elements(parts[7]))
    scope = _SEARCH_SCOPES[parts[1][0]]
    return Search(
        message_id,
        parts[0].decode(),
        scope,
        attributes,
        page_size,
        cookie,
        number,
        elements(content)[6],
        others,
    )
