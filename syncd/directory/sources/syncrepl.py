"""Changes by content synchronisation (RFC 4533, refreshOnly), as OpenLDAP and 389-ds speak it.

ldap3 has no such operation, but passes controls through: what they contain is written and read
here. The answer is believed only as far as it proves itself; the rest is FullReadNeeded.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from syncd.directory.protocol import FullReadNeeded

REQUEST = "1.3.6.1.4.1.4203.1.9.1.1"
STATE = "1.3.6.1.4.1.4203.1.9.1.2"
DONE = "1.3.6.1.4.1.4203.1.9.1.3"
INFO = "1.3.6.1.4.1.4203.1.9.1.4"
REFRESH_ONLY, REFRESH_AND_PERSIST = 1, 3
PRESENT, DELETED = 0, 3
NOTHING = "(!(objectClass=*))"
REFRESH_REQUIRED = 4096
ENTRY_CSN, ENTRY_UUID, CREATED = "entrycsn", "entryuuid", "createtimestamp"

_BOOLEAN, _OCTETS, _ENUMERATED, _SEQUENCE = 0x01, 0x04, 0x0A, 0x30
_NEW_COOKIE, _REFRESH_DELETE, _REFRESH_PRESENT, _ID_SET = 0x80, 0xA1, 0xA2, 0xA3
_CSN = r"\d{14}(?:\.\d+)?Z#[0-9a-f]{6}#([0-9a-f]{2,3})#[0-9a-f]{6}"
_OPENLDAP = re.compile(rf"(?:rid=\d+,)?(?:sid=[0-9a-f]+,)?csn={_CSN}(?:;{_CSN})*")
_DS389 = re.compile(r"[^#]+:\d+#.*#\d+", re.DOTALL)


# --- BER -----------------------------------------------------------------------------------------


def element(tag: int, value: bytes) -> bytes:
    """Return one element of definite length (X.690)."""
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + value


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the tag and the value of each element. Raises ValueError when there are not only such."""
    position = 0
    while position < len(data):
        head = data[position : position + 2]
        if len(head) < 2 or head[0] & 0x1F == 0x1F or head[1] == 0x80:
            raise ValueError("not an element")
        tag, size = head
        position += 2
        if size > 0x80:
            following = position + (size & 0x7F)
            size = int.from_bytes(data[position:following], "big")
            position = following
        value = data[position : position + size]
        if len(value) < size:
            raise ValueError("an element is cut off")
        yield tag, value
        position += size


def sync_request(cookie: bytes, mode: int = REFRESH_ONLY) -> tuple[str, bool, bytes]:
    """Return the control that asks for what changed since a cookie, for all without one; with the
    mode REFRESH_AND_PERSIST for what changes from then on, too."""
    wish = element(_ENUMERATED, bytes((mode,)))
    if cookie:
        wish += element(_OCTETS, cookie)
    return REQUEST, True, element(_SEQUENCE, wish)


def _inside(data: bytes) -> list[tuple[int, bytes]]:
    """Return the elements of a value that is one sequence."""
    found = list(elements(data))
    if len(found) != 1 or found[0][0] != _SEQUENCE:
        raise ValueError("not a sequence")
    return list(elements(found[0][1]))


# --- one answer ----------------------------------------------------------------------------------


class Row(NamedTuple):
    """An entry that was sent whole, with the id by which the server knows it."""

    sync_id: str
    response: dict[str, Any]


@dataclass(slots=True)
class Answer:
    """What a server said, taken apart."""

    rows: list[Row] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    present: set[str] = field(default_factory=set)
    cookie: str = ""
    """Empty where the server gave no new one."""
    lists_present: bool = False
    """The server told who is there, and those it did not mention are gone."""

    @property
    def silent(self) -> bool:
        return not (self.rows or self.deleted or self.present)


def read_answer(responses: list[dict[str, Any]], result: dict[str, Any]) -> Answer:
    """Return an answer, from the rows and the result as ldap3 gives them.

    Raises FullReadNeeded when it is not a whole one.
    """
    if result["result"] == REFRESH_REQUIRED:
        raise FullReadNeeded("the server does not know the cookie any more")
    if result["result"] != 0:
        raise FullReadNeeded(f"the server ended with {result['description']} ({result['result']})")
    answer = Answer()
    try:
        for response in responses:
            _take(response, answer)
        control = (result.get("controls") or {}).get(DONE)
        if control is None:
            raise FullReadNeeded("the server left out the control that ends its answer")
        _take_done(control["value"], answer)
    except (ValueError, IndexError) as error:
        raise FullReadNeeded(f"the server's answer cannot be understood: {error}") from error
    return answer


def _take(response: dict[str, Any], answer: Answer) -> None:
    kind = response.get("type")
    if kind == "searchResRef":
        raise FullReadNeeded("a part of the directory is elsewhere")
    if kind == "intermediateResponse":
        if response.get("responseName") == INFO:
            _take_info(response.get("responseValue") or b"", answer)
        return
    if kind != "searchResEntry":
        return
    control = (response.get("controls") or {}).get(STATE)
    if control is None:
        raise FullReadNeeded(f"the server does not say what became of {response['dn']}")
    parts = _inside(control["value"])
    if len(parts) < 2 or parts[0][0] != _ENUMERATED or parts[1][0] != _OCTETS:
        raise ValueError("the state of an entry")
    state, sync_id = parts[0][1][0], _uuid(parts[1][1])
    for tag, value in parts[2:]:
        if tag == _OCTETS:
            answer.cookie = _text(value)
    if state == PRESENT:
        answer.present.add(sync_id)
    elif state == DELETED:
        answer.deleted.add(sync_id)
    else:
        answer.rows.append(Row(sync_id, response))


def _take_info(data: bytes, answer: Answer) -> None:
    for kind, value in elements(data):
        if kind == _NEW_COOKIE:
            answer.cookie = _text(value)
            continue
        deletes = False
        for tag, part in elements(value):
            if tag == _OCTETS:
                answer.cookie = _text(part)
            elif tag == _BOOLEAN and kind == _ID_SET:
                deletes = part != b"\x00"
            elif kind == _ID_SET and tag == 0x31:
                ids = {_uuid(octets) for _, octets in elements(part)}
                (answer.deleted if deletes else answer.present).update(ids)
        if kind == _REFRESH_PRESENT:
            answer.lists_present = True


def _take_done(data: bytes, answer: Answer) -> None:
    deletes = False
    for tag, value in _inside(data):
        if tag == _OCTETS:
            answer.cookie = _text(value)
        elif tag == _BOOLEAN:
            deletes = value != b"\x00"
    answer.lists_present = answer.lists_present or not deletes


def _uuid(octets: bytes) -> str:
    return str(UUID(bytes=octets))


def _text(octets: bytes) -> str:
    return octets.decode("utf-8")


# --- asking --------------------------------------------------------------------------------------


@contextlib.contextmanager
def entry_controls(connection: Any) -> Iterator[None]:
    """Have the controls of each entry beside it while the block runs."""
    strategy = connection.strategy
    stock = strategy.decode_response_fast

    def decode(message: dict[str, Any]) -> Any:
        row = stock(message)
        if row["type"] == "searchResEntry" and message["controls"]:
            row["controls"] = dict(
                strategy.decode_control_fast(control[3]) for control in message["controls"]
            )
        return row

    strategy.decode_response_fast = decode
    try:
        yield
    finally:
        strategy.decode_response_fast = stock


def _search(connection: Any, base: str, filter_text: str, **options: Any) -> None:
    """Search. Raises FullReadNeeded when the answer is no LDAP."""
    try:
        connection.search(base, filter_text, **options)
    except (LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FullReadNeeded(f"the server's answer is no LDAP: {reason}") from error


def refresh(
    connection: Any,
    base: str,
    filter_text: str,
    scope: str,
    attributes: list[str],
    cookie: str,
) -> Answer:
    """Ask for what changed since a cookie (empty: for all). ``scope`` as ldap3 names it.

    Raises FullReadNeeded, and what ldap3 raises when the connection is cut.
    """
    with entry_controls(connection):
        _search(
            connection,
            base,
            filter_text,
            search_scope=scope,
            dereference_aliases="NEVER",
            attributes=attributes,
            controls=[sync_request(cookie.encode())],
        )
    return read_answer(connection.response or [], connection.result)


def first_cookie(connection: Any, base: str, filter_text: str, scope: str) -> str:
    """Return the cookie of this moment, empty when the server gives none that we know to judge.

    OpenLDAP's is that of the whole database, so that a question without an answer brings it;
    389-ds binds it to the question, which it must answer (without attributes) for that.
    """
    try:
        cookie = refresh(connection, base, NOTHING, "BASE", ["1.1"], "").cookie
        if _DS389.fullmatch(cookie):
            cookie = refresh(connection, base, filter_text, scope, ["1.1"], "").cookie
    except FullReadNeeded:
        return ""
    return cookie if known(cookie) else ""


def known(cookie: str) -> bool:
    """Whether a cookie is of a form that a server gives. OpenLDAP takes any other for none, and
    answers with everything that there is, which says nothing about who is gone."""
    return bool(_OPENLDAP.fullmatch(cookie) or _DS389.fullmatch(cookie))


def serial_numbers(cookie: str) -> dict[str, str]:
    """Return the change sequence numbers of an OpenLDAP cookie by the id of the server."""
    _, mark, text = cookie.partition("csn=")
    return {csn.split("#")[2]: csn for csn in text.split(";")} if mark else {}


def is_newer(csn: str, known_numbers: dict[str, str]) -> bool:
    """Whether a change sequence number is later than what a cookie covers; one that cannot be read
    or is of an unknown server counts as such."""
    parts = csn.split("#")
    if len(parts) != 4:
        return True
    return csn > known_numbers.get(parts[2], "")


def judge(answer: Answer, cookie: str) -> None:
    """See that an answer to a cookie tells who is gone. Raises FullReadNeeded when it does not.

    389-ds never says that it ends with deletions and never lists who is present: whoever took the
    unmentioned for gone would lose everybody. It says nothing of entries that leave the filter.
    So when anything happened there at all, only a full reading tells what.
    """
    if answer.cookie and not known(answer.cookie):
        raise FullReadNeeded("the server's new cookie is not of a known form")
    if answer.lists_present and not answer.present:
        if not answer.silent or (answer.cookie and answer.cookie != cookie):
            raise FullReadNeeded("the server does not say who is gone")
    elif answer.present and not answer.lists_present:
        raise FullReadNeeded("the server says both who is gone and who is present")
    if answer.deleted & {row.sync_id for row in answer.rows}:
        raise FullReadNeeded("the server says of one entry that it is there and that it is gone")
    numbers = serial_numbers(cookie)
    for row in answer.rows:
        for value in row.response["raw_attributes"].get(ENTRY_CSN, ()):
            if not is_newer(value.decode("ascii", "replace"), numbers):
                raise FullReadNeeded("the server sent what it had sent before")


def moved_containers(connection: Any, base: str, cookie: str, seen: set[str]) -> bool:
    """Whether an entry that has others below it was changed since an OpenLDAP cookie.

    Where a whole branch moves, nothing tells of the entries in it. ``seen`` are the ids of those
    that were told anyway. The branch may have left the base: the whole database is asked. What was
    made since has nothing below it that was not told.
    """
    numbers = serial_numbers(cookie)
    if not numbers:
        return False
    whole = "(objectClass=*)"
    _search(connection, "", whole, search_scope="BASE", attributes=["namingContexts"])
    contexts = [
        value.decode("utf-8", "replace")
        for response in connection.response or ()
        for value in response.get("raw_attributes", {}).get("namingcontexts", ())
        if base.casefold().endswith(value.decode("utf-8", "replace").casefold())
    ]
    oldest = min(numbers.values())
    for context in contexts or [base]:
        _search(
            connection,
            context,
            f"(&(entryCSN>={oldest})(hasSubordinates=TRUE))",
            search_scope="SUBTREE",
            dereference_aliases="NEVER",
            attributes=[ENTRY_CSN, ENTRY_UUID, CREATED],
        )
        for response in connection.response or ():
            raw = response.get("raw_attributes", {})
            csn = next(iter(raw.get(ENTRY_CSN, ())), b"").decode("ascii", "replace")
            sync_id = next(iter(raw.get(ENTRY_UUID, ())), b"").decode("ascii", "replace")
            created = next(iter(raw.get(CREATED, ())), b"").decode("ascii", "replace")
            made_since = created[:14] > max(numbers.values())[:14]
            if is_newer(csn, numbers) and sync_id not in seen and not made_since:
                return True
    return False
