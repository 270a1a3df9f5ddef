"""LDIF and LDAP filters: what is read, and what is said of what is not."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.directory.entry_dn import Area, normal_parts
from syncd.directory.filter import FilterError, compile_filter
from syncd.directory.identity import external_id
from syncd.directory.sources.ldif import LdifSource
from syncd.directory.sources.ldif_reader import Mistake, Record, read_records
from syncd.domain.errors import ConfigurationError
from tests.directory_settings import directory_settings


def read(text: str | bytes) -> list[Record | Mistake]:
    raw = text.encode() if isinstance(text, str) else text
    return list(read_records(raw.splitlines(keepends=True)))


def mistakes(text: str) -> list[tuple[int, str]]:
    return [(item.line, item.what) for item in read(text) if isinstance(item, Mistake)]


def test_folds_comments_base64_and_version() -> None:
    text = (
        "version: 1\n# a comment\n that goes on\ndn: uid=anna,\n dc=example\n"
        "cn:: QW5uYSDDhQ==\nCN: Anna A\ndescription:a\n  b\nempty:\n\n\n# between\ndn: uid=b\nsn: B"
    )
    assert read(text) == [
        Record(
            4,
            "uid=anna,dc=example",
            {"cn": ["Anna Å".encode(), b"Anna A"], "description": [b"a b"], "empty": [b""]},
        ),
        Record(14, "uid=b", {"sn": [b"B"]}),
    ]


def test_carriage_returns_and_a_byte_order_mark() -> None:
    assert read(b"\xef\xbb\xbfdn: a=b\r\ncn: x\r\n") == [Record(1, "a=b", {"cn": [b"x"]})]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("dn: a=b\nno colon\n", 2, "is not “attribute: value”"),
        ("dn: a=b\ncn:: %%%\n", 2, "not base64"),
        ("dn: a=b\njpegPhoto:< file:///etc/passwd\n", 2, "from another file"),
        ("dn: a=b\nchangetype: delete\n", 2, "describes changes"),
        ("dn: a=b\ncn: x\n\nsearch: 2\nresult: 0 Success\n", 4, "begins with dn:"),
        ("dn: a=b\ncn: x\ndn: c=d\n", 3, "a second dn:"),
        ("version: 7\n\ndn: a=b\ncn: x\n", 1, "not a version"),
        (" continued\ndn: a=b\ncn: x\n", 1, "continues nothing"),
        ("dn: a=b\nc n: x\n", 2, "not the name of an attribute"),
        ("dn:: /////w==\n", 1, "not UTF-8"),
        ("dn: a=b\ncn: x\n\ndn: uid=cut,ou=pe", 4, "has no attributes"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, what: str) -> None:
    [(found_line, found_what)] = mistakes(text)
    assert found_line == line
    assert what in found_what


def test_all_mistakes_at_once_and_the_good_records_too() -> None:
    items = read("dn: a=1\nbad\nworse\n\ndn: a=2\ncn: x\n\nbad\n")
    assert [item.line for item in items if isinstance(item, Mistake)] == [2, 3, 8]
    assert [item.entry_dn for item in items if isinstance(item, Record)] == ["a=2"]


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["cn", "sn", "x-1"]), st.binary(max_size=90))),
        max_size=4,
    ),
    st.integers(2, 70),
)
def test_what_is_written_is_read(records: list[list[tuple[str, bytes]]], width: int) -> None:
    """Folded anywhere, every value comes back as it was."""
    lines: list[str] = []
    for number, pairs in enumerate(records):
        written = [f"dn: uid={number}", "uid: x"]
        written += [f"{name}:: {base64.b64encode(value).decode()}" for name, value in pairs]
        for line in written:
            lines.append(line[:width])
            rest = line[width:]
            lines += [f" {rest[at : at + width]}" for at in range(0, len(rest), width)]
        lines.append("")
    found = read("\n".join(lines))
    for number, (record, pairs) in enumerate(zip(found, records, strict=True)):
        assert isinstance(record, Record)
        assert record.entry_dn == f"uid={number}"
        expected: dict[str, list[bytes]] = {"uid": [b"x"]}
        for name, value in pairs:
            expected.setdefault(name, []).append(value)
        assert record.attributes == expected


# --- the source ------------------------------------------------------------------------------


PEOPLE = """dn: uid=anna,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: anna
cn: Anna
jpegPhoto: x

dn: uid=bert,ou=machines,dc=example,dc=com
objectClass: inetOrgPerson
uid: bert

dn: cn=printers,ou=people,dc=example,dc=com
objectClass: groupOfNames
"""


def source(tmp_path: Path, text: str, **options: Any) -> LdifSource:
    path = tmp_path / "people.ldif"
    path.write_text(text)
    return LdifSource(directory_settings(type="ldif", file=path, **options))


def test_base_and_filter_choose(tmp_path: Path) -> None:
    snapshot = source(tmp_path, PEOPLE, id="uid").snapshot()
    assert snapshot.complete
    assert [entry.external_id for entry in snapshot.entries] == ["anna"]
    assert snapshot.entries[0].attributes == {"uid": ["anna"], "cn": ["Anna"]}
    assert snapshot.entries[0].where == f"{tmp_path / 'people.ldif'}:1"
    everything = source(tmp_path, PEOPLE, id="uid", base="", filter="(objectClass=*)").snapshot()
    assert len(everything.entries) == 3


def test_a_mistake_makes_it_incomplete(tmp_path: Path) -> None:
    snapshot = source(tmp_path, f"{PEOPLE}\nbad\n\nworse\n", id="uid").snapshot()
    assert not snapshot.complete
    assert "2 mistakes" in snapshot.why_incomplete
    assert [problem.line for problem in snapshot.problems] == [14, 16]


def test_a_file_that_is_missing_or_never_named(tmp_path: Path) -> None:
    settings = directory_settings(type="ldif", file=tmp_path / "none.ldif")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        LdifSource(settings).snapshot()
    with pytest.raises(ConfigurationError, match="there is no file"):
        LdifSource(directory_settings(type="ldif"))


def test_a_bad_filter(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="never closed"):
        source(tmp_path, PEOPLE, filter="(uid=anna")


def test_identity() -> None:
    guid = bytes(range(16))
    assert external_id({"objectguid": [guid]}, "") == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    text = b"E8EF6419-E6E8-11F1-B43F-D906834882A3"
    assert external_id({"entryuuid": [text], "uid": [b"x"]}, "uid") == text.decode().lower()
    assert external_id({"nsuniqueid": [b"e8ef6419-e6e811f1"]}, "") == "e8ef6419-e6e811f1"
    assert external_id({"uid": [b"Anna"]}, "uid") == "Anna"
    assert external_id({"uid": [b"Anna"]}, "") == ""
    assert (
        external_id({"uid": [b"An\0na"]}, "uid") == external_id({"uid": [b"x" * 256]}, "uid") == ""
    )


# --- filters ---------------------------------------------------------------------------------

ANNA = {"uid": ["anna"], "cn": ["Anna  Bo(ss)"], "room": ["9"], "note": ["a*b", "Zoë"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(uid=ANNA)", True),
        ("uid=anna", True),
        ("(uid=bert)", False),
        ("(UID=*)", True),
        ("(mail=*)", False),
        ("(!(mail=*))", True),
        ("(cn=anna bo\\28ss\\29)", True),
        ("(note=a\\2ab)", True),
        ("(note=zo\\c3\\ab)", True),
        ("(cn=an*bo*)", True),
        ("(cn=*ss\\29)", True),
        ("(cn=*zz*)", False),
        ("(room>=10)", False),
        ("(room<=10)", True),
        ("(uid>=amy)", True),
        ("(&(uid=anna)(room=9))", True),
        ("(&(uid=anna)(room=8))", False),
        ("(| (uid=bert) (room=9) )", True),
        ("(&)", True),
        ("(|)", False),
        ("(!(&(uid=anna)(|(room=9)(room=8))))", False),
    ],
)
def test_filter(text: str, expected: bool) -> None:
    assert compile_filter(text)(ANNA) is expected


@pytest.mark.parametrize(
    "text",
    ["(uid=anna", "(uid=anna))", "(!)", "(!(a=b)(c=d))", "()", "(=x)", "(a b=c)", "(cn=a(b)",
     "(cn=\\zz)", "(cn:dn:=x)", "(uac:1.2.840.113556.1.4.803:=2)", "(&(a=b)", "(" * 300],
)  # fmt: skip
def test_a_filter_that_cannot_be_understood(text: str) -> None:
    with pytest.raises(FilterError):
        compile_filter(text)


@given(st.text(max_size=30))
def test_any_value_can_be_asked_for(value: str) -> None:
    escaped = "".join(f"\\{byte:02x}" for byte in value.encode())
    if value.strip():
        assert compile_filter(f"(cn={escaped})")({"cn": [value]})


def test_entry_dns_compare_as_a_directory_compares_them() -> None:
    assert normal_parts("UID=a\\2Cb , dc=Example") == normal_parts("uid=A\\,B,DC=example")
    assert normal_parts("cn=a+sn=b,dc=x") != normal_parts("cn=a,dc=x")
    area = Area("ou=people,dc=example", "one")
    assert area.contains("uid=a, ou=People ,dc=example")
    assert not area.contains("uid=a,ou=b,ou=people,dc=example")
    assert not area.contains("ou=people,dc=example")
    assert Area("ou=people,dc=example").contains("ou=people,dc=example")
    assert Area("ou=people,dc=example").contains("uid=a,ou=b,ou=people,dc=example")
    assert not Area("ou=people,dc=example").contains("uid=a,ou=morepeople,dc=example")
    assert Area("ou=people,dc=example", "base").contains("OU=people,dc=example")
