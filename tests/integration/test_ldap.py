"""The source ``ldap`` against a real OpenLDAP: everything, or the news that it is not all."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from syncd.directory.sources.ldap import LdapSource
from syncd.domain.errors import ConfigurationError, TryAgainError
from syncd.settings.model import DirectorySettings
from tests.directory_settings import directory_settings
from tests.integration.slapd import LIMIT, LIMITED, PEOPLE, READER, Slapd, free_port, proxy


def settings_for(slapd: Slapd, secret: Path, **options: Any) -> DirectorySettings:
    defaults = {"servers": (slapd.url,), "bind_dn": READER, "bind_password_file": secret}
    return directory_settings(**(defaults | options))


def test_all_pages_of_everybody(slapd: Slapd, secret: Path) -> None:
    names = [f"user{number}" for number in range(25)]
    for name in names:
        slapd.add(name, telephoneNumber="2001", jpegPhoto=b"\xff\xd8")
    snapshot = LdapSource(settings_for(slapd, secret, page_size=10)).snapshot()
    assert snapshot.complete and not snapshot.why_incomplete
    assert snapshot.server == slapd.url
    assert sorted(entry.attributes["uid"][0] for entry in snapshot.entries) == sorted(names)
    assert len({str(uuid.UUID(entry.external_id)) for entry in snapshot.entries}) == 25
    entry = snapshot.entries[0]
    assert entry.where.endswith(PEOPLE)
    assert set(entry.attributes) == {"uid", "cn", "telephonenumber"}  # no photos over the wire


def test_no_entries_is_a_complete_and_empty_answer(slapd: Slapd, secret: Path) -> None:
    snapshot = LdapSource(settings_for(slapd, secret)).snapshot()
    assert snapshot.complete
    assert not snapshot.entries


def test_text_that_is_not_ascii(slapd: Slapd, secret: Path) -> None:
    slapd.add("zoe", cn="Zoë Ångström", carLicense="ß")
    entry = LdapSource(settings_for(slapd, secret)).snapshot().entries[0]
    assert entry.attributes["cn"] == ["Zoë Ångström"]
    assert entry.attributes["carlicense"] == ["ß"]


@pytest.mark.parametrize(("scope", "expected"), [("one", {"anna"}), ("subtree", {"anna", "bert"})])
def test_scope(slapd: Slapd, secret: Path, scope: str, expected: set[str]) -> None:
    unit = slapd.add_unit("sales")
    slapd.add("anna")
    slapd.add("bert")
    slapd.rename("bert", "bert", unit)
    snapshot = LdapSource(settings_for(slapd, secret, scope=scope)).snapshot()
    assert {entry.attributes["uid"][0] for entry in snapshot.entries} == expected


# --- answers that are not all of it --------------------------------------------------------------


@pytest.mark.parametrize("page_size", [2, LIMIT, 100])
def test_a_size_limit_is_incomplete(slapd: Slapd, secret: Path, page_size: int) -> None:
    for number in range(LIMIT + 3):
        slapd.add(f"user{number}")
    settings = settings_for(slapd, secret, bind_dn=LIMITED, page_size=page_size)
    snapshot = LdapSource(settings).snapshot()
    assert not snapshot.complete
    assert "sizeLimitExceeded (4)" in snapshot.why_incomplete
    assert "raise its limit" in snapshot.why_incomplete


def test_a_base_that_does_not_exist_is_incomplete(slapd: Slapd, secret: Path) -> None:
    snapshot = LdapSource(settings_for(slapd, secret, base=f"ou=nowhere,{PEOPLE}")).snapshot()
    assert not snapshot.complete
    assert "noSuchObject" in snapshot.why_incomplete
    assert "base is not there" in snapshot.why_incomplete


def test_a_referral_is_incomplete_and_not_followed(slapd: Slapd, secret: Path) -> None:
    slapd.add("anna")
    slapd.add_referral("branch", "ldap://198.51.100.1/ou=people,dc=branch")
    snapshot = LdapSource(settings_for(slapd, secret)).snapshot()
    assert not snapshot.complete
    assert "198.51.100.1" in snapshot.why_incomplete


def test_a_missing_paging_control_is_incomplete(slapd: Slapd, secret: Path) -> None:
    slapd.add("anna")

    def without_control(data: bytes, sent: int) -> bytes:
        return data.replace(b"1.2.840.113556.1.4.319", b"1.2.840.113556.1.4.999")

    with proxy(slapd.port, without_control) as port:
        url = f"ldap://127.0.0.1:{port}"
        snapshot = LdapSource(settings_for(slapd, secret, servers=(url,))).snapshot()
    assert not snapshot.complete
    assert "paging control" in snapshot.why_incomplete


def test_a_connection_cut_between_pages_is_incomplete(slapd: Slapd, secret: Path) -> None:
    for number in range(20):
        slapd.add(f"user{number}", mail="m" * 200)
    with proxy(slapd.port, lambda data, sent: data if sent < 4000 else None) as port:
        url = f"ldap://127.0.0.1:{port}"
        settings = settings_for(slapd, secret, servers=(url, slapd.url), page_size=5)
        snapshot = LdapSource(settings).snapshot()
    assert not snapshot.complete
    assert 0 < len(snapshot.entries) < 20
    assert "cut" in snapshot.why_incomplete


def test_a_server_that_dawdles_is_incomplete_at_the_deadline(slapd: Slapd, secret: Path) -> None:
    """It says a byte now and then: no single read ever waits too long."""
    for number in range(10):
        slapd.add(f"user{number}", mail="m" * 200)

    def dawdle(data: bytes, sent: int) -> bytes:
        if sent >= 14:  # the answer to the bind
            time.sleep(1.2)
        return data

    with proxy(slapd.port, dawdle) as port:
        url = f"ldap://127.0.0.1:{port}"
        settings = settings_for(slapd, secret, servers=(url,), page_size=2, timeout=1)
        snapshot = LdapSource(settings).snapshot()
    assert not snapshot.complete
    assert "longer than 1 s" in snapshot.why_incomplete


def test_an_entry_outside_the_base_is_incomplete(slapd: Slapd, secret: Path) -> None:
    slapd.add("anna")

    def elsewhere(data: bytes, sent: int) -> bytes:
        return data.replace(b"uid=anna,ou=people,", b"uid=anna,ou=aliens,")

    with proxy(slapd.port, elsewhere) as port:
        url = f"ldap://127.0.0.1:{port}"
        snapshot = LdapSource(settings_for(slapd, secret, servers=(url,))).snapshot()
    assert not snapshot.complete
    assert "ou=aliens" in snapshot.why_incomplete


# --- servers that cannot be had ------------------------------------------------------------------


def test_nobody_listens(slapd: Slapd, secret: Path) -> None:
    first, second = (f"ldap://127.0.0.1:{free_port()}" for _ in range(2))
    with pytest.raises(TryAgainError) as caught:
        LdapSource(settings_for(slapd, secret, servers=(first, second))).snapshot()
    assert [problem.file for problem in caught.value.problems] == [first, second]
    assert all("refused" in problem.what for problem in caught.value.problems)
    assert caught.value.exit_code == 75


def test_the_next_server_answers(slapd: Slapd, secret: Path) -> None:
    slapd.add("anna")
    dead = f"ldap://127.0.0.1:{free_port()}"
    source = LdapSource(settings_for(slapd, secret, servers=(dead, slapd.url)))
    for _ in range(2):  # the same objects, and no memory of the failure
        snapshot = source.snapshot()
        assert snapshot.complete
        assert snapshot.server == slapd.url


def test_a_mute_server_is_passed_over(slapd: Slapd, secret: Path) -> None:
    with proxy(slapd.port, lambda data, sent: b"") as port:
        servers = (f"ldap://127.0.0.1:{port}", slapd.url)
        settings = settings_for(slapd, secret, servers=servers, connect_timeout=1)
        assert LdapSource(settings).snapshot().server == slapd.url


def test_a_wrong_password(slapd: Slapd, secret: Path) -> None:
    secret.write_text("wrong\n")
    with pytest.raises(TryAgainError, match="invalidCredentials") as caught:
        LdapSource(settings_for(slapd, secret)).snapshot()
    assert "wrong" not in str(caught.value)


# --- secured connections -------------------------------------------------------------------------


@pytest.mark.parametrize("tls", ["ldaps", "starttls"])
def test_a_trusted_certificate(slapd: Slapd, secret: Path, tls: str) -> None:
    slapd.add("anna")
    url = slapd.tls_url if tls == "ldaps" else f"ldap://localhost:{slapd.port}"
    settings = settings_for(
        slapd,
        secret,
        servers=(url,),
        tls=tls,
        allow_plaintext_bind=False,
        ca_file=slapd.certificates.authority,
    )
    snapshot = LdapSource(settings).snapshot()
    assert snapshot.complete
    assert len(snapshot.entries) == 1


@pytest.mark.parametrize("tls", ["ldaps", "starttls"])
@pytest.mark.parametrize(
    ("host", "authority", "reason"),
    [
        ("127.0.0.1", "authority", "for another host"),
        ("localhost", "stranger", "not trusted"),
        ("localhost", None, "not trusted"),
    ],
)
def test_a_certificate_that_proves_nothing(
    slapd: Slapd, secret: Path, tls: str, host: str, authority: str | None, reason: str
) -> None:
    port = slapd.tls_port if tls == "ldaps" else slapd.port
    settings = settings_for(
        slapd,
        secret,
        servers=(f"{'ldaps' if tls == 'ldaps' else 'ldap'}://{host}:{port}",),
        tls=tls,
        ca_file=getattr(slapd.certificates, authority) if authority else None,
    )
    with pytest.raises(TryAgainError, match=reason) as told:
        LdapSource(settings).snapshot()
    assert not set(str(told.value)) & set('["\\'), "what OpenSSL says is told in words"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"allow_plaintext_bind": False}, "in the clear"),
        ({"bind_password_file": None}, "there is no password"),
        ({"servers": ("ldaps://localhost",)}, "secured from the start"),
        ({"servers": ()}, "there is no server"),
        ({"servers": ("http://localhost",)}, "is not a server"),
    ],
)
def test_settings_that_cannot_work(
    slapd: Slapd, secret: Path, options: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ConfigurationError, match=expected):
        LdapSource(settings_for(slapd, secret, **options)).snapshot()


def test_an_empty_password_never_reaches_the_server(slapd: Slapd, secret: Path) -> None:
    secret.write_text("\n")
    with pytest.raises(ConfigurationError, match="is empty"):
        LdapSource(settings_for(slapd, secret)).snapshot()


def test_a_password_that_others_can_write(slapd: Slapd, secret: Path) -> None:
    secret.chmod(0o620)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        LdapSource(settings_for(slapd, secret)).snapshot()


def test_a_systemd_credential(slapd: Slapd, secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret.parent))
    options = {"bind_password_file": None, "bind_credential": secret.name}
    assert LdapSource(settings_for(slapd, secret, **options)).snapshot().complete


def test_a_filter_that_nobody_understands(slapd: Slapd, secret: Path) -> None:
    with pytest.raises(ConfigurationError, match="never closed"):
        LdapSource(settings_for(slapd, secret, filter="(objectClass=person"))
