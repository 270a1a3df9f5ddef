"""``follow = yes``: the daemon knows of a change without waiting for its schedule."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.slapd import PEOPLE, READER, SYNCPROV, Slapd
from tests.system.daemon_process import Daemon, syncd, syncd_json

INI = """
[syncd]
timezone = Europe/Rome
currency = EUR
state_directory = {home}/state
[daemon]
metrics = 127.0.0.1:0
[site:hq]
country = IT
internal_numbers = 2XXX
[directory:corp]
type = ldap
servers = {url}
tls = none
allow_plaintext_bind = yes
bind_dn = {reader}
bind_password_file = {secret}
base = {base}
filter = (objectClass=inetOrgPerson)
schedule = every 24 hours
follow = {follow}
[map:corp]
username = uid
first_extension = telephoneNumber
bill_first_extension = yes
"""


@pytest.fixture
def provider(server: Callable[[str], str], tmp_path: Path) -> Iterator[Slapd]:
    """A server of one's own, with content synchronisation."""
    running = Slapd(server, tmp_path, SYNCPROV)
    yield running
    running.stop()


def write(slapd: Slapd, home: Path, secret: Path, follow: str = "yes") -> Path:
    ini = home / "syncd.ini"
    ini.write_text(
        INI.format(
            home=home, url=slapd.url, reader=READER, secret=secret, base=PEOPLE, follow=follow
        )
    )
    return ini


def test_a_new_colleague_is_known_at_once(
    provider: Slapd, tmp_path: Path, secret: Path, start: Callable[[Path], Daemon]
) -> None:
    provider.add("anna", telephoneNumber="2001")
    ini = write(provider, tmp_path, secret)
    daemon = start(ini)
    daemon.ready()
    daemon.event("sync_finished", arrived=1)
    daemon.event("directory_followed", source="corp", server=provider.url)
    seen = len(daemon.events)
    provider.add("bert", telephoneNumber="2002")
    daemon.event("sync_finished", seen, arrived=1)
    names = {person["username"] for person in syncd_json(ini, "person")}
    assert names == {"anna", "bert"}

    seen = len(daemon.events)
    provider.restart()
    daemon.event("directory_not_followed", seen, source="corp")
    daemon.event("directory_followed", seen, source="corp")
    provider.delete("bert")
    daemon.event("sync_finished", seen, departed=1)

    seen = len(daemon.events)
    write(provider, tmp_path, secret, follow="no")
    assert daemon.reload() == "configuration_reloaded"
    daemon.event("sync_finished", seen)
    assert daemon.terminate() == 0
    assert daemon.events[-1]["event"] == "daemon_stopped"


def test_a_mute_server_does_not_keep_the_daemon_from_ending(
    provider: Slapd, tmp_path: Path, secret: Path, start: Callable[[Path], Daemon]
) -> None:
    daemon = start(write(provider, tmp_path, secret))
    daemon.event("directory_followed")
    provider.process.send_signal(signal.SIGSTOP)
    try:
        assert daemon.terminate() == 0
    finally:
        provider.process.send_signal(signal.SIGCONT)
    assert daemon.events[-1]["event"] == "daemon_stopped"
    assert not any(event["event"] == "daemon_abandoned" for event in daemon.events)


def test_a_file_cannot_be_followed(tmp_path: Path) -> None:
    (tmp_path / "people.ldif").write_text("")
    ini = tmp_path / "syncd.ini"
    ini.write_text(
        "[syncd]\ntimezone = Europe/Rome\ncurrency = EUR\n[directory:file]\ntype = ldif\n"
        "file = people.ldif\nid = uid\nfollow = yes\n"
        "[map:file]\nfirst_extension = telephoneNumber\nbill_first_extension = yes\n"
    )
    done = syncd(ini, "check-config")
    assert done.returncode == 78
    said = done.stdout + done.stderr
    assert f"{ini}:8" in said
    assert "a directory of type ldif does not tell when it changes" in said
