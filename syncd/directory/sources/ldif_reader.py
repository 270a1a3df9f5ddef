"""LDIF (RFC 2849) read record by record, with the line number of every mistake.

Only content records: an LDIF that describes changes, or that draws values from other files, is
refused with a message. A record with a mistake is left out; what is a mistake is told all at once.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_NAME = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)(?:;[A-Za-z0-9-]+)*")
_LDAPSEARCH = "ldapsearch prints plain LDIF with -LLL"


@dataclass(slots=True)
class Mistake:
    """What is wrong on a line, and how to mend it."""

    line: int
    what: str
    hint: str = ""


@dataclass(slots=True)
class Record:
    """An entry: the line of its ``dn:``, its entry DN, raw values by lower-cased name."""

    line: int
    entry_dn: str
    attributes: dict[str, list[bytes]] = field(default_factory=dict)


def read_records(lines: Iterable[bytes]) -> Iterator[Record | Mistake]:
    """Yield the records of an LDIF, and its mistakes, in the order of the file.

    Given the file's lines with or without their ends; only one record is held at a time.
    """
    block: list[tuple[int, bytes]] = []
    first = True
    for number, text in _unfolded(lines):
        if text:
            block.append((number, text))
        elif block:
            yield from _record(block, first=first)
            block, first = [], False
    if block:
        yield from _record(block, first=first)


def _unfolded(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield logical lines with the number of their first line: folded ones joined, comments gone,
    an empty line as the end of a record."""
    held: bytearray | None = None
    held_at = 0
    for number, line in enumerate(lines, 1):
        text = line.rstrip(b"\r\n")
        if number == 1:
            text = text.removeprefix(b"\xef\xbb\xbf")
        if text.startswith(b" ") and held is not None:
            held += text[1:]
            continue
        if held is not None and not held.startswith(b"#"):
            yield held_at, bytes(held)
        if text:
            held, held_at = bytearray(text), number
        else:
            held = None
            yield number, b""
    if held is not None and not held.startswith(b"#"):
        yield held_at, bytes(held)


def _record(block: list[tuple[int, bytes]], *, first: bool) -> Iterator[Record | Mistake]:
    mistakes: list[Mistake] = []
    record: Record | None = None
    if first and block[0][1].lower().startswith(b"version:"):
        number, text = block.pop(0)
        if text.partition(b":")[2].strip() != b"1":
            yield Mistake(number, f"{_shown(text)} is not a version of LDIF", "version: 1")
        if not block:
            return
    for number, text in block:
        pair = _pair(number, text)
        if isinstance(pair, Mistake):
            mistakes.append(pair)
            if record is None:
                break  # what follows belongs to nothing
            continue
        name, value = pair
        if record is None:
            if name != "dn":
                what = f"a record begins with dn:, not with {_shown(text)}"
                mistakes.append(Mistake(number, what, _LDAPSEARCH))
                break
            try:
                record = Record(number, value.decode("utf-8"))
            except UnicodeDecodeError:
                mistakes.append(Mistake(number, "the entry DN is not UTF-8"))
                break
        elif name in ("changetype", "control"):
            what = f"{name}: this LDIF describes changes, not entries"
            mistakes.append(Mistake(number, what, "export the entries themselves"))
            break
        elif name == "dn":
            what = "a second dn: in one record"
            mistakes.append(Mistake(number, what, "an empty line goes between records"))
            break
        else:
            record.attributes.setdefault(name, []).append(value)
    if record is not None and not record.attributes and not mistakes:
        what = f"the entry {record.entry_dn} has no attributes"
        mistakes.append(Mistake(record.line, what, "was the file cut off?"))
    if mistakes:
        yield from mistakes
    elif record is not None:
        yield record


def _pair(number: int, text: bytes) -> tuple[str, bytes] | Mistake:
    if b"\0" in text:
        what = "there are zero bytes in the line"
        return Mistake(number, what, "was the file cut off, or damaged?")
    if text.startswith(b" "):
        return Mistake(number, "a line that begins with a blank continues nothing")
    raw_name, colon, rest = text.partition(b":")
    if not colon:
        return Mistake(number, f"{_shown(text)} is not “attribute: value”")
    if not _NAME.fullmatch(raw_name):
        return Mistake(number, f"{_shown(raw_name)} is not the name of an attribute")
    name = raw_name.decode("ascii").lower()
    if rest.startswith(b"<"):
        what = f"{name}:< takes a value from another file, which syncd does not read"
        return Mistake(number, what, "export the value itself")
    if not rest.startswith(b":"):
        return name, rest.lstrip(b" ")
    try:
        return name, base64.b64decode(rest[1:].strip(), validate=True)
    except (binascii.Error, ValueError):
        return Mistake(number, f"the value of {name} is not base64")


def _shown(text: bytes) -> str:
    shown = text.decode("utf-8", "replace")
    return repr(shown if len(shown) <= 60 else f"{shown[:57]}...")
