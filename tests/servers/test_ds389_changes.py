"""Syncs from a real 389-ds: it never says who is gone, so that each change means a full reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncd.directory.incremental import Shortcut
from syncd.directory.protocol import FullReadNeeded
from syncd.directory.sources.ldap import LdapSource
from syncd.directory.sync import SyncOutcome, sync_source
from syncd.settings.model import DirectorySettings, Percent
from syncd.store.models import Party, SourceCookie
from tests.directory_settings import Site, directory_settings
from tests.servers.ds389 import PASSWORD, READER, Ds389

NOW = 1_790_000_000
pytestmark = pytest.mark.usefixtures("store")
FILTER = "(&(objectClass=inetOrgPerson)(!(employeeNumber=hidden)))"


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """A file with the reader's password, for its owner alone."""
    path = tmp_path / "reader.secret"
    path.write_text(f"{PASSWORD}\n")
    path.chmod(0o600)
    return path


class Corp:
    """Four people, synchronised once, and later syncs, each an hour later."""

    def __init__(self, server: Ds389, password: Path) -> None:
        self.server = server
        self.now = NOW
        for number, uid in enumerate(("anna", "bert", "carl", "dora"), 2001):
            server.add(uid, telephoneNumber=str(number), departmentNumber="Sales")
        self.options: dict[str, Any] = {
            "servers": (server.url,),
            "bind_dn": READER,
            "bind_password_file": password,
            "filter": FILTER,
            "max_departures": Percent(50),
        }
        assert self.sync(Shortcut.NEVER).arrived == 4

    def settings(self) -> DirectorySettings:
        return directory_settings(**self.options)

    def sync(self, shortcut: Shortcut = Shortcut.EXACT) -> SyncOutcome:
        settings = self.settings()
        self.now += 3600
        return sync_source(
            settings, LdapSource(settings), [Site("hq")], now=self.now, shortcut=shortcut
        )


@pytest.fixture
def corp(ds389: Ds389, password: Path) -> Corp:
    return Corp(ds389, password)


def test_people_are_known_by_entry_uuid(corp: Corp) -> None:
    before = {row.username: row.external_id for row in Party.select()}
    corp.server.rename("anna", "anna.rossi")
    assert corp.sync().changed == 1
    assert Party.get(Party.username == "anna.rossi").external_id == before["anna"]


def test_an_idle_poll_deletes_nobody(corp: Corp) -> None:
    """A consumer by the book takes the unmentioned for gone here, and loses everybody."""
    for _ in range(2):
        outcome = corp.sync()
        assert (outcome.outcome, outcome.incremental, outcome.departed) == ("unchanged", True, 0)
    assert Party.select().where(Party.departed_at.is_null()).count() == 4


@pytest.mark.parametrize("change", ["add", "modify", "rename", "delete", "hide"])
def test_whatever_changes_everything_is_read(corp: Corp, change: str) -> None:
    server = corp.server
    {
        "add": lambda: server.add("emma"),
        "modify": lambda: server.modify("anna", departmentNumber="IT"),
        "rename": lambda: server.rename("anna", "anna.rossi"),
        "delete": lambda: server.delete("anna"),
        "hide": lambda: server.modify("anna", employeeNumber="hidden"),
    }[change]()
    outcome = corp.sync()
    assert outcome.outcome == "applied"
    assert outcome.why_full == "the server does not say who is gone"
    assert outcome.departed == (change in ("delete", "hide"))
    assert corp.sync().incremental


def test_a_cookie_that_the_server_does_not_know(corp: Corp) -> None:
    cookie = SourceCookie.get().cookie
    with pytest.raises(FullReadNeeded):
        LdapSource(corp.settings()).changes(cookie.replace("hidden", "absent"))


def test_a_restart_loses_nothing(corp: Corp) -> None:
    corp.server.restart()
    assert corp.sync().departed == 0
    corp.server.delete("dora")
    assert corp.sync().departed == 1
