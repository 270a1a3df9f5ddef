"""The reader of search entries, beside ldap3's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import ldap3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldap3.utils.asn1 import decode_message_fast

from syncd.directory.sources.ber import Malformed, read_entries_of, read_entry
from syncd.directory.sources.ldap_connection import _raw_entries

ID = 3


def element(tag: int, value: bytes, long: int = 0) -> bytes:
    """One element; ``long`` bytes for its length at least, as Active Directory takes four."""
    size = len(value)
    if size < 0x80 and not long:
        return bytes((tag, size)) + value
    count = max(long, (size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | count)) + size.to_bytes(count, "big") + value


def message(
    entry_dn: bytes,
    attributes: list[tuple[bytes, list[bytes]]],
    long: int = 0,
    message_id: bytes = b"\x03",
    controls: bytes = b"",
) -> bytes:
    listed = b"".join(
        element(
            0x30,
            element(4, name, long)
            + element(0x31, b"".join(element(4, value, long) for value in values), long),
            long,
        )
        for name, values in attributes
    )
    entry = element(0x64, element(4, entry_dn, long) + element(0x30, listed, long), long)
    return element(0x30, element(2, message_id) + entry + controls, long)


def by_ldap3(data: bytes) -> Any:
    """The entry that ldap3 and the raw decoder make of a message."""
    strategy = SimpleNamespace(
        decode_response_fast=lambda decoded: {"type": decoded["protocolOp"]},
        receiving=None,
        _get_response=None,
    )
    _raw_entries(SimpleNamespace(strategy=strategy))  # type: ignore[arg-type]
    return strategy.decode_response_fast(decode_message_fast(data))


attributes = st.lists(
    st.tuples(
        st.sampled_from([b"uid", b"CN", b"cn;lang-es", b"m\xfcll", b""]),
        st.lists(st.binary(max_size=6) | st.binary(min_size=126, max_size=300), max_size=3),
    ),
    max_size=5,
)
messages = st.builds(message, st.binary(max_size=12), attributes, st.sampled_from([0, 1, 4, 8]))


@given(messages)
def test_an_entry_is_what_ldap3_makes_of_it(data: bytes) -> None:
    assert read_entry(data, ID) == by_ldap3(data)


def _mutated(data: bytes, changes: list[tuple[int, int, int]]) -> bytes:
    found = bytearray(data)
    for place, kind, value in changes:
        at = place % max(1, len(found))
        if kind == 0 and found:
            found[at] = value
        elif kind == 1 and found:
            del found[at]
        elif kind == 2:
            found.insert(at, value)
        else:
            del found[at:]
    return bytes(found)


damage = st.lists(
    st.tuples(st.integers(0, 2000), st.sampled_from([0, 0, 0, 1, 2, 3]), st.integers(0, 255)),
    min_size=1,
    max_size=3,
)


@settings(max_examples=1500)
@given(messages, damage)
def test_damaged_bytes_are_refused_or_read_as_ldap3_reads_them(
    data: bytes, changes: list[tuple[int, int, int]]
) -> None:
    damaged = _mutated(data, changes)
    try:
        found = read_entry(damaged, ID)
    except Malformed:
        return
    if found is not None:
        assert found == by_ldap3(damaged)


@settings(max_examples=300)
@given(st.binary(max_size=40), st.integers(0, 300))
def test_any_bytes_are_refused_or_left_to_ldap3(data: bytes, message_id: int) -> None:
    try:
        found = read_entry(data, message_id)
    except Malformed:
        return
    if found is not None:
        assert found == by_ldap3(data)


@pytest.mark.parametrize(
    "data",
    [
        message(b"uid=a", [], message_id=b"\x04"),
        message(b"uid=a", [], controls=element(0xA0, element(0x30, element(4, b"1.2.3")))),
        element(0x30, element(2, b"\x03") + element(0x65, b"\x0a\x01\x00\x04\x00\x04\x00")),
        element(0x30, element(2, b"\x03")),
    ],
)
def test_what_is_no_plain_entry_of_this_search_is_left_to_ldap3(data: bytes) -> None:
    assert read_entry(data, ID) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        message(b"uid=a", [])[:-1],
        message(b"uid=a", []) + b"\x00",
        element(0x30, element(2, b"\x03") + element(0x64, element(4, b"uid=a"))),
        element(
            0x30,
            element(2, b"\x03")
            + element(0x64, element(4, b"uid=a") + element(0x30, b"") + element(4, b"more")),
        ),
        message(b"uid=a", [(b"cn", [b"A"])]).replace(b"\x31\x03\x04\x01", b"\x31\x03\x04\x02"),
        message(b"uid=a", [(b"cn", [b"A"])]).replace(b"\x31\x03\x04\x01", b"\x31\x03\x0c\x01"),
    ],
)
def test_what_is_cut_off_or_too_long_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_entry(data, ID)


def test_entries_come_before_what_ldap3_reads_and_nothing_stays_for_the_next_search() -> None:
    first, done = message(b"uid=a", []), element(0x30, element(2, b"\x03") + element(0x65, b""))
    arriving = iter([[first, first], [first, done], [], [done]])
    strategy = SimpleNamespace(receiving=lambda: next(arriving))

    def get_response(message_id: int, timeout: float) -> Any:
        messages = strategy.receiving()
        return [*messages, "complete"] if messages else "over"

    strategy._get_response = get_response
    read_entries_of(strategy)
    responses = strategy._get_response(ID, 1)
    assert [one["dn"] for one in responses[:3]] == ["uid=a"] * 3
    assert responses[3:] == [done, "complete"]
    assert strategy._get_response(ID, 1) == "over"
    assert strategy._get_response(ID, 1) == [done, "complete"]


def test_ldap3_still_has_what_is_replaced() -> None:
    strategy = ldap3.Connection(
        ldap3.Server("ldap://localhost"), client_strategy=ldap3.SYNC
    ).strategy
    assert callable(strategy.receiving)
    assert callable(strategy._get_response)
