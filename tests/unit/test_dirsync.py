"""What Active Directory says of changes, and how it is asked: without a server."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder

from syncd.directory.filter import compile_filter
from syncd.directory.protocol import Entry, FullReadNeeded
from syncd.directory.sources import dirsync
from syncd.directory.sources.active_directory import ActiveDirectorySource
from syncd.directory.sources.dirsync import Delta, Position
from syncd.directory.sources.ldap import Incomplete
from tests.directory_settings import directory_settings

GUID = UUID("e8ef6419-e6e8-11f1-b43f-d906834882a3")
ROW = {"objectguid": [GUID.bytes_le]}

# --- the control ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (0, "020100"),
        (1, "020101"),
        (127, "02017f"),
        (128, "02020080"),
        (dirsync.ANCESTORS_FIRST, "02020800"),
        (0x7FFFFFFF, "02047fffffff"),
        (dirsync.INCREMENTAL_VALUES, "020480000000"),
        (dirsync.INCREMENTAL_VALUES | 1, "020480000001"),
        (0xFFFFFFFF, "0201ff"),
    ],
)
def test_flags_are_signed_numbers_of_32_bits(number: int, wanted: str) -> None:
    assert dirsync.integer(number).hex() == wanted


@given(st.integers(0, 0xFFFFFFFF), st.binary(max_size=300))
def test_a_decoder_reads_the_control_as_it_was_meant(flags: int, cookie: bytes) -> None:
    oid, critical, value = dirsync.dirsync_control(flags, cookie)
    assert (oid, critical) == ("1.2.840.113556.1.4.841", True)
    sequence, rest = decoder.decode(value)
    assert not rest
    assert int(sequence[0]) % (1 << 32) == flags
    assert bytes(sequence[2]) == cookie


# --- positions -----------------------------------------------------------------------------------


@given(st.text(min_size=1), st.integers(0, 0xFFFFFFFF), st.binary(min_size=1))
def test_a_cookie_of_dirsync_comes_back(dc: str, flags: int, cookie: bytes) -> None:
    position = dirsync.dirsync_position(dc, flags, cookie)
    assert dirsync.position_of(position.text()) == position
    assert position.raw_cookie == cookie


def test_a_number_comes_back_and_tells_no_departures() -> None:
    position = Position("dc1", invocation=str(GUID), usn=4020)
    assert dirsync.position_of(position.text()) == position
    assert not position.tells_departures
    ancestors, security = dirsync.ANCESTORS_FIRST, dirsync.OBJECT_SECURITY
    assert dirsync.dirsync_position("dc1", ancestors, b"x").tells_departures
    assert not dirsync.dirsync_position("dc1", ancestors | security, b"x").tells_departures


@given(st.text())
def test_any_other_text_is_no_cookie(text: str) -> None:
    with pytest.raises(FullReadNeeded):
        dirsync.position_of(text)


# --- rows ----------------------------------------------------------------------------------------


def delta_of(*rows: dict[str, list[bytes]]) -> Delta:
    delta = Delta()
    for row in rows:
        delta.take_dirsync(ROW | row)
    return delta


@pytest.mark.parametrize(
    ("row", "changed", "gone", "moved"),
    [
        ({"telephonenumber": [b"2001"]}, True, False, False),
        ({"telephonenumber": []}, True, False, False),
        ({"name": [b"anna"]}, True, False, True),
        ({"parentguid": [b"x" * 16]}, True, False, True),
        ({"name": [b"anna"], "whencreated": [b"2026"]}, True, False, False),
        ({"name": [b"anna\nDEL:"], "isdeleted": [b"TRUE"]}, False, True, False),
        ({"name": [b"anna"], "isdeleted": []}, True, False, True),
    ],
)
def test_a_row_of_dirsync(
    row: dict[str, list[bytes]], changed: bool, gone: bool, moved: bool
) -> None:
    delta = delta_of(row)
    only = {str(GUID)}
    assert delta.changed == (only if changed else set())
    assert delta.gone == (only if gone else set())
    assert delta.moved == (only if moved else set())


def test_the_last_row_of_an_entry_counts() -> None:
    deleted = delta_of({"name": [b"a"]}, {"isdeleted": [b"TRUE"]})
    assert (deleted.changed, deleted.gone, deleted.moved) == (set(), {str(GUID)}, set())
    restored = delta_of({"isdeleted": [b"TRUE"]}, {"isdeleted": []})
    assert (restored.changed, restored.gone) == ({str(GUID)}, set())


def test_a_row_without_its_id_is_not_trusted() -> None:
    with pytest.raises(FullReadNeeded):
        Delta().take_dirsync({"name": [b"anna"]})


# --- filters -------------------------------------------------------------------------------------


@given(st.lists(st.uuids(), min_size=1, max_size=5), st.uuids())
def test_the_filter_of_some_ids_fits_just_those(guids: list[UUID], other: UUID) -> None:
    fits = compile_filter(dirsync.both("objectClass=user", dirsync.either_of(map(str, guids))))

    def entry(guid: UUID) -> dict[str, list[str]]:
        text = guid.bytes_le.decode("utf-8", "surrogateescape")
        return {"objectclass": ["user"], "objectguid": [text]}

    assert all(fits(entry(guid)) for guid in guids)
    # Compared as text here, so that case and blanks among the bytes do not tell two apart.
    if not {byte for guid in (*guids, other) for byte in guid.bytes} & {*range(128)}:
        assert fits(entry(other)) == (other in guids)


def test_the_attributes_that_a_filter_names() -> None:
    text = (
        "(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2))(|( mail=*)(MAIL=a)))"
    )
    assert dirsync.filtered_attributes(text) == ["objectclass", "useraccountcontrol", "mail"]


# --- ranges of values ----------------------------------------------------------------------------


def test_ranges_are_joined_under_their_name() -> None:
    raw = {"cn": [b"x"], "member;range=0-1": [b"a", b"b"], "sn;lang-es;range=0-*": [b"c"]}
    assert dirsync.join_ranges(raw) == {"member": 2}
    assert raw == {"cn": [b"x"], "member": [b"a", b"b"], "sn;lang-es": [b"c"]}


class Server:
    """Answers for one entry with at most ``cap`` of its values at a time."""

    def __init__(self, values: list[bytes], cap: int) -> None:
        self.values, self.cap = values, cap

    def range(self, name: str, start: int) -> dict[str, list[bytes]]:
        part = self.values[start : start + self.cap]
        last = start + len(part) - 1
        end = "*" if last >= len(self.values) - 1 else str(last)
        return {f"{name};range={start}-{end}": part}


class Source(ActiveDirectorySource):
    """Reads one entry from a Server."""

    server: Server
    result: dict[str, Any] = {"result": 0}  # noqa: RUF012

    def _read_pages(self, connection: Any, filter_text: str, *args: Any) -> None:
        raw = ROW | {"cn": [b"anna"]} | self.server.range("member", 0)
        args[1]({"dn": f"cn=anna,{self.settings.base}", "raw_attributes": raw})

    def rows(self, connection: Any, deadline: Any, base: str, *args: Any, **more: Any) -> Any:
        (wanted,) = more["attributes"]
        name, _, rest = wanted.partition(";range=")
        return [self.server.range(name, int(rest.removesuffix("-*")))], self.result


def read(values: list[bytes], cap: int) -> Entry:
    source = Source(directory_settings(mapping={"devices": "member"}))
    source.server = Server(values, cap)
    entries: list[Entry] = []
    source._read_entries(None, "", entries, None)
    return entries[0]


@pytest.mark.parametrize("count", [1, 4, 5, 6, 10, 11])
def test_values_beyond_the_cap_of_a_domain_controller_are_fetched(count: int) -> None:
    wanted = [f"value {number}" for number in range(count)]
    entry = read([value.encode() for value in wanted], 5)
    assert entry.attributes == {"member": wanted}
    assert entry.external_id == str(GUID)


def test_a_range_that_is_refused_is_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "result", {"result": 32})
    with pytest.raises(Incomplete, match="more values"):
        read([b"a", b"b"], 1)
