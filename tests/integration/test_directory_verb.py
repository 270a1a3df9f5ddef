"""``syncd directory``, and the ways to ask a server that it shows: options of attributes, EXTERNAL,
client certificates, the log of searches, and any text as the name of an entry."""

from __future__ import annotations

import json
import logging
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog
from ldap3.utils.dn import escape_rdn

from syncd.cli.main import main
from syncd.directory.lookup import Found, shown_value
from syncd.directory.sources.ldap import LdapSource
from syncd.directory.sources.ldap_groups import escaped
from syncd.directory.sources.ldapsearch import ldapsearch
from syncd.domain.errors import ConfigurationError, RefusedError, TryAgainError
from tests.directory_settings import directory_settings
from tests.integration.slapd import LIMITED, PASSWORD, PEOPLE, READER, Slapd

INI = """[syncd]
timezone = Europe/Rome
currency = EUR
[site:hq]
country = IT
area_code = 06
internal_numbers = 2XXX
[directory:corp]
type = ldap
servers = {url}
tls = none
allow_plaintext_bind = yes
bind_dn = {reader}
bind_password_file = {secret}
base = {base}
filter = (!(employeeType=guest))
site = hq
[map:corp]
username = uid
display_name = "{{givenName}} {{sn}}"
mail = mail
first_extension = extension(telephoneNumber)
bill_first_extension = employeeType == staff
department = departmentNumber default "None"
permission_level = title
language = cn;lang-es
[groups:corp]
admins = cn=admins,{base}
admins.permission_level = 8
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(slapd: Slapd, secret: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line on a directory with Anna, who is an administrator."""
    anna = slapd.add(
        "anna",
        cn=["Anna Rossi"],
        givenName="Anna",
        telephoneNumber="+39 06 555 2001",
        employeeType="staff",
        mail="anna@example.com",
        title="boss",
        jpegPhoto=b"\xff\xd8\x00",
        userPassword="never shown",
        **{"cn;lang-es": "Ana"},
    )
    slapd.add("guest", employeeType="guest")
    slapd.add_group("admins", anna)
    path = tmp_path / "syncd.ini"
    path.write_text(INI.format(url=slapd.url, reader=READER, secret=secret, base=PEOPLE))

    def call(*arguments: str) -> Done:
        code = main(["--config", str(path), *arguments])
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    return call


def test_one_entry_and_where_each_field_comes_from(run: Run) -> None:
    done = run("directory", "test", "corp", "--entry", "anna", "--json")
    assert done.code == 0, done.err
    [found] = done.json
    assert found["entry_dn"] == f"uid=anna,{PEOPLE}"
    assert found["read"] is True
    assert found["groups"] == ["admins"]
    assert len(found["external_id"]) == 36
    attributes = found["attributes"]
    assert attributes["telephonenumber"] == ["+39 06 555 2001"]
    assert attributes["cn;lang-es"] == ["Ana"]
    assert attributes["jpegphoto"] == ["0xffd800"]
    assert attributes["entryuuid"] == [found["external_id"]]
    fields = {row["field"]: row for row in found["fields"]}
    told = {name: (row["value"], row["from"]) for name, row in fields.items()}
    assert told == {
        "username": ("anna", "uid"),
        "display_name": ("Anna Anna", "givenname, sn"),
        "mail": ("anna@example.com", "mail"),
        "first_extension": ("2001", "telephonenumber"),
        "bill_first_extension": (True, "employeetype"),
        "department": ("None", "default"),
        "permission_level": (None, "title, group admins"),
        "language": ("Ana", "cn;lang-es"),
        "enabled": (True, None),
    }
    assert fields["department"]["rule"] == 'departmentNumber default "None"'
    assert fields["permission_level"]["set_aside"] is True
    assert "'boss' is not a permission level" in fields["permission_level"]["warnings"][0]


def test_the_same_as_text(run: Run) -> None:
    done = run("directory", "test", "corp", "--entry", f"UID=anna, {PEOPLE}")
    assert done.code == 0, done.err
    assert "+39 06 555 2001" in done.out
    assert "extension(telephoneNumber)" in done.out
    assert "groups: admins" in done.out
    assert "(set aside)" in done.out
    assert "'boss' is not a permission level" in done.err
    assert "never shown" not in done.out


@pytest.mark.parametrize("name", ["guest", f"uid=guest,{PEOPLE}"])
def test_an_entry_that_no_sync_reads(run: Run, name: str) -> None:
    done = run("directory", "test", "corp", "--entry", name, "--json")
    [found] = done.json
    assert found["read"] is False
    assert "does not fit the filter" in found["why_not"]
    outside = run("directory", "test", "corp", "--entry", READER, "--json").json[0]
    assert outside["why_not"] == f"it is not under {PEOPLE}"


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (("test", "corp", "--entry", "nobody"), 1, "has no entry 'nobody'"),
        (("test", "corp", "--entry", "a*"), 1, "has no entry"),
        (("test", "corp", "--entry", "*)(uid=*"), 1, "has no entry"),
        (("test", "corp", "--entry", ""), 1, "has no entry"),
        (("test", "corp", "--entry", f"uid=nobody,{PEOPLE}"), 1, "has no entry"),
        (("test", "corpo", "--entry", "x"), 2, "known: corp"),
        (("test", "corp"), 2, "--entry"),
    ],
)
def test_what_is_not_there(run: Run, arguments: tuple[str, ...], code: int, what: str) -> None:
    done = run("directory", *arguments)
    assert done.code == code
    assert what in done.err


def test_the_directories(run: Run) -> None:
    [row] = run("directory", "list", "--json").json
    assert (row["name"], row["type"], row["groups"], row["outcome"]) == ("corp", "ldap", 1, None)
    assert run("sync").code == 0
    [row] = run("directory", "--json").json
    assert row["outcome"] == "applied"
    assert "corp" in run("directory").out


def test_an_entry_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "people.ldif").write_text(
        "dn: uid=anna,dc=x\nobjectClass: top\nuid: anna\nentryUUID: 1\ntelephoneNumber: 2001\n"
    )
    path = tmp_path / "syncd.ini"
    path.write_text(
        "[syncd]\ntimezone = UTC\ncurrency = EUR\n[directory:f]\ntype = ldif\nfile = people.ldif\n"
        "[map:f]\nusername = uid\nfirst_extension = telephoneNumber\nbill_first_extension = yes\n"
    )
    arguments = ["--config", str(path), "--json", "directory", "test", "f", "--entry", "anna"]
    assert main(arguments) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["attributes"] == {"telephonenumber": ["2001"], "uid": ["anna"]}
    assert found["fields"][1]["value"] == "2001"


def test_the_searches_are_shown_when_asked_for(run: Run, tmp_path: Path) -> None:
    done = run("sync", "--verbose")
    assert done.code == 0
    assert "ldapsearch -LLL" in done.err
    assert PASSWORD not in done.err
    assert "ldapsearch" not in run("directory", "test", "corp", "--entry", "anna", "--json").err
    with (tmp_path / "syncd.ini").open("a") as stream:
        stream.write("[logging]\nlevel = debug\n")
    done = run("directory", "test", "corp", "--entry", "anna", "--json")
    assert done.json[0]["read"] is True
    assert "ldapsearch -LLL" in done.err
    assert PASSWORD not in done.err


# --- any text as a name --------------------------------------------------------------------------


def source_for(slapd: Slapd, secret: Path, **options: Any) -> LdapSource:
    given = {"servers": (slapd.url,), "bind_dn": READER, "bind_password_file": secret}
    return LdapSource(directory_settings(**(given | options)))


def names(found: list[Found]) -> list[bytes]:
    return [one.raw["uid"][0] for one in found]


def test_every_byte_in_a_value_means_itself(slapd: Slapd, secret: Path) -> None:
    """One entry per character from 0 to 255, and each is found by its own value alone."""
    held: dict[str, str] = {}
    for code in range(256):
        value = f"x{chr(code)}y"
        slapd_names = {"cn": "c", "sn": "s", "mail": f"m{code}@example.com", "description": value}
        assert slapd.admin.add(f"uid=e{code},{PEOPLE}", "inetOrgPerson", slapd_names)
        held[value] = f"e{code}"
    source = source_for(slapd, secret, mapping={"username": "description", "department": "uid"})
    for value, uid in held.items():
        assert names(source.find(value)) == [uid.encode()], repr(value)
    for code in range(256):  # as bytes of the command line: above 127 they are no UTF-8
        text = b"x%cy" % code
        decoded = text.decode("utf-8", "surrogateescape")
        expected = [held[decoded].encode()] if decoded in held else []
        assert names(source.find(decoded)) == expected, text


def test_every_byte_in_an_entry_dn_means_itself(slapd: Slapd, secret: Path) -> None:
    source = source_for(slapd, secret, mapping={"username": "mail"})
    for code in range(1, 256):
        value = f"x{chr(code)}y"
        entry_dn = f"uid={escape_rdn(value)},{PEOPLE}"
        added = slapd.admin.add(entry_dn, "inetOrgPerson", {"cn": "c", "sn": "s"})
        if added:
            [found] = source.find(f"uid={rdn_of(value)},{PEOPLE}")
            assert found.raw["uid"] == [value.encode()], repr(value)
            assert slapd.admin.delete(found.entry_dn)
        assert source.find(f"uid={rdn_of(value)},{PEOPLE}") == []
    assert source.find(f"uid=\udcff,{PEOPLE}") == []
    assert source.find(f"uid=*,{PEOPLE}") == []


def rdn_of(value: str) -> str:
    """Return a value in an entry DN, every byte of it in hexadecimal (RFC 4514)."""
    return "".join(f"\\{byte:02x}" for byte in value.encode())


def test_a_value_in_a_filter() -> None:
    assert escaped("a*(b)\\\0ü\udcff") == r"a\2a\28b\29\5c\00\c3\bc\ff"


def test_an_incomplete_answer_is_no_answer(slapd: Slapd, secret: Path) -> None:
    for number in range(9):
        slapd.add(f"u{number}", mail="same@example.com")
    source = source_for(slapd, secret, bind_dn=LIMITED)
    with pytest.raises(RefusedError, match="sizeLimitExceeded"):
        source.find("same@example.com")
    assert shown_value("userPassword", b"x") == "(not shown)"


# --- attribute options, EXTERNAL, client certificates --------------------------------------------


def test_options_of_attributes(slapd: Slapd, secret: Path) -> None:
    slapd.add("anna", **{"cn;lang-es": "Ana", "cn;lang-de": "Änne"})
    mapping = {
        "username": "uid",
        "display_name": "CN;lang-ES",
        "language": "cn;lang-fr, cn;lang-de",
    }
    source = source_for(slapd, secret, mapping=mapping)
    [entry] = source.snapshot().entries
    assert entry.attributes == {
        "uid": ["anna"],
        "cn;lang-es": ["Ana"],
        "cn;lang-de": ["Änne"],
    }


def test_external_over_a_socket_of_this_machine(slapd: Slapd) -> None:
    slapd.add("anna")
    settings = directory_settings(
        servers=(slapd.local_url,), sasl="external", allow_plaintext_bind=False
    )
    snapshot = LdapSource(settings).snapshot()
    assert snapshot.complete, snapshot.why_incomplete
    assert [entry.where for entry in snapshot.entries] == [f"uid=anna,{PEOPLE}"]
    assert snapshot.server == slapd.local_url


def test_a_socket_that_does_not_exist(tmp_path: Path) -> None:
    settings = directory_settings(servers=("ldapi://%2Fnowhere%2Fldapi",), sasl="external")
    with pytest.raises(TryAgainError):
        LdapSource(settings).snapshot()


@pytest.mark.parametrize("tls", ["ldaps", "starttls"])
def test_external_with_a_client_certificate(slapd: Slapd, tls: str) -> None:
    slapd.add("anna")
    certificate = slapd.certificates.client("syncd client")
    options: dict[str, Any] = {
        "servers": (slapd.tls_url if tls == "ldaps" else f"ldap://localhost:{slapd.port}",),
        "tls": tls,
        "sasl": "external",
        "ca_file": slapd.certificates.authority,
    }
    shown = {"client_certificate": certificate, "client_key": certificate.with_suffix(".key")}
    snapshot = LdapSource(directory_settings(**options, **shown)).snapshot()
    assert snapshot.complete, snapshot.why_incomplete
    assert len(snapshot.entries) == 1
    with pytest.raises(TryAgainError):  # nobody in particular
        LdapSource(directory_settings(**options)).snapshot()


def test_a_certificate_that_cannot_be_shown(slapd: Slapd, tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    settings = directory_settings(
        servers=(slapd.tls_url,),
        tls="ldaps",
        ca_file=slapd.certificates.authority,
        client_certificate=tmp_path / "bad.pem",
    )
    with pytest.raises(TryAgainError, match="cannot be shown"):
        LdapSource(settings).snapshot()


# --- the log of searches -------------------------------------------------------------------------


def test_a_search_can_be_repeated_from_the_log(
    slapd: Slapd,
    secret: Path,
    server: Callable[[str], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    for number in range(5):
        slapd.add(f"user{number}", cn="it's $(here)")
    settings: dict[str, Any] = {"page_size": 2, "filter": "(cn=it's $\\28here\\29)"}
    with structlog.testing.capture_logs() as events:
        assert source_for(slapd, secret, **settings).snapshot().complete
    commands = [event["command"] for event in events if event["event"] == "directory_searched"]
    [paged] = [command for command in commands if "pr=2" in command]  # once, not once a page
    assert all(event["log_level"] == "debug" for event in events)
    assert not any(PASSWORD in command for command in commands)
    words = shlex.split(paged)
    password = words.index("-W")
    words[password : password + 1] = ["-w", PASSWORD]
    assert words[0] == "ldapsearch"
    words[0] = server("ldapsearch")
    answer = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
    assert answer.stdout.count("\ndn: ") + answer.stdout.startswith("dn: ") == 5


def test_the_command_of_a_secured_search() -> None:
    command = ldapsearch(
        "ldap://a",
        base="dc=x",
        scope="BASE",
        filter_text="(a=*)",
        attributes=["cn", "1.1"],
        starttls=True,
        external=True,
        ca_file=Path("/ca file"),
        client_certificate=Path("/c.pem"),
        controls=[("1.2.3", True, b"\x01"), ("1.2.4", False, None)],
    )
    assert command == (
        "'LDAPTLS_CACERT=/ca file' LDAPTLS_CERT=/c.pem LDAPTLS_KEY=/c.pem ldapsearch -LLL -H"
        " ldap://a -ZZ -Q -Y EXTERNAL -a never -b dc=x -s base -E '!1.2.3=::AQ==' -E 1.2.4"
        " '(a=*)' cn 1.1"
    )


def test_settings_that_do_not_go_together(tmp_path: Path) -> None:
    path = tmp_path / "syncd.ini"
    path.write_text(
        "[syncd]\ntimezone = UTC\ncurrency = EUR\n[directory:f]\ntype = ldap\nbase = dc=x\n"
        "servers = ldapi://%2Frun%2Fldapi\nsasl = external\nbind_dn = cn=x\nclient_key = k.pem\n"
        "[map:f]\nusername = uid\nfirst_extension = telephoneNumber\nbill_first_extension = yes\n"
    )
    from syncd.settings.load import load

    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert {problem.option for problem in caught.value.problems} == {
        "[directory:f] bind_dn",
        "[directory:f] client_key",
    }
