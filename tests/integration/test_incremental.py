"""Syncs of what changed, from a real server with content synchronisation and from one without."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncd.directory import incremental
from syncd.directory.incremental import Shortcut, full_reading_due
from syncd.directory.protocol import FullReadNeeded, Snapshot
from syncd.directory.sources import syncrepl
from syncd.directory.sources.ldap import LdapSource
from syncd.directory.sync import SyncOutcome, SyncRefused, sync_source
from syncd.domain.errors import RefusedError
from syncd.settings.model import DirectorySettings, Percent
from syncd.settings.schedule import parse_schedule
from syncd.store.models import Party, SourceCookie, SyncRun
from tests.directory_settings import MAPPING, Site, directory_settings
from tests.integration.slapd import PEOPLE, READER, SUFFIX, SYNCPROV, Slapd

NOW = 1_790_000_000
pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(scope="session")
def provider_server(
    server: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Slapd]:
    """One slapd with content synchronisation per worker."""
    running = Slapd(server, tmp_path_factory.mktemp("provider"), SYNCPROV)
    yield running
    running.stop()


@pytest.fixture
def provider(provider_server: Slapd) -> Slapd:
    """The same with nobody in ``ou=people``."""
    provider_server.clear()
    return provider_server


class Corp:
    """A directory with four people, synchronised once, and its later syncs, each an hour later."""

    def __init__(self, slapd: Slapd, secret: Path) -> None:
        self.slapd = slapd
        self.now = NOW
        self.options: dict[str, Any] = {
            "servers": (slapd.url,),
            "bind_dn": READER,
            "bind_password_file": secret,
            "max_departures": Percent(50),
        }
        for number, uid in enumerate(("anna", "bert", "carl", "dora"), 2001):
            slapd.add(uid, telephoneNumber=str(number), departmentNumber="Sales")
        assert self.sync(Shortcut.NEVER).arrived == 4

    def settings(self, **options: Any) -> DirectorySettings:
        return directory_settings(**(self.options | options))

    def sync(self, shortcut: Shortcut = Shortcut.EXACT, **how: Any) -> SyncOutcome:
        settings = self.settings(**how.pop("options", {}))
        self.now += 3600
        sites = how.pop("sites", [Site("hq")])
        return sync_source(
            settings, LdapSource(settings), sites, now=self.now, shortcut=shortcut, **how
        )

    def nothing_left(self) -> None:
        """A full reading finds nothing that the changes had not told."""
        assert self.sync(Shortcut.NEVER).differences == ()


@pytest.fixture
def corp(provider: Slapd, secret: Path) -> Corp:
    return Corp(provider, secret)


@pytest.fixture
def plain(slapd: Slapd, secret: Path) -> Corp:
    """The same on a server without content synchronisation."""
    return Corp(slapd, secret)


def told(outcome: SyncOutcome) -> set[tuple[str, str, str, str]]:
    return {(each.who, each.what, each.field, each.new) for each in outcome.differences}


def change_cookie(cookie: str) -> None:
    SourceCookie.update(cookie=cookie).execute()


def test_adds_changes_renames_moves_and_deletions(corp: Corp) -> None:
    north = corp.slapd.add_unit("north")
    corp.sync()
    corp.slapd.add("emma", telephoneNumber="2005")
    corp.slapd.modify("anna", departmentNumber="IT", telephoneNumber=None)
    corp.slapd.rename("bert", "bertold")
    corp.slapd.rename("carl", "carl", north)
    corp.slapd.delete("dora")
    outcome = corp.sync()
    assert outcome.incremental
    assert outcome.entries == 4
    assert told(outcome) == {
        ("Emma", "arrived", "lines", "2005"),
        ("Anna", "changed", "department", "IT"),
        ("Anna", "changed", "first_extension", ""),
        ("Bert", "changed", "username", "bertold"),
        ("Bert", "changed", "cdr_user_id", "bertold"),
        ("Dora", "departed", "", ""),
        ("Dora", "closed", "", ""),
    }
    corp.nothing_left()


def test_an_idle_run_loads_nobody_and_leaves_no_record(
    corp: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = SyncRun.select().count()

    def load(*_: Any) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr("syncd.directory.sync.load_narrowed", load)
    outcome = corp.sync()
    assert (outcome.outcome, outcome.incremental, outcome.entries) == ("unchanged", True, 0)
    corp.slapd.add_unit("west")  # not under the filter: the cookie alone moves on
    before = SourceCookie.get().cookie
    assert corp.sync().outcome == "unchanged"
    assert SourceCookie.get().cookie > before
    assert SyncRun.select().count() == runs


def test_who_leaves_the_filter_has_left(corp: Corp) -> None:
    options = {"filter": "(&(objectClass=inetOrgPerson)(departmentNumber=Sales))"}
    corp.sync(Shortcut.NEVER, options=options)
    corp.slapd.modify("anna", departmentNumber="IT")
    outcome = corp.sync(options=options)
    assert outcome.incremental
    assert told(outcome) >= {("Anna", "departed", "", "")}
    corp.slapd.modify("anna", departmentNumber="Sales")
    assert corp.sync(options=options).returned == 1


def test_who_is_moved_out_of_the_base_has_left(corp: Corp) -> None:
    corp.slapd.rename("anna", "anna", SUFFIX)
    try:
        outcome = corp.sync()
        assert outcome.incremental
        assert outcome.departed == 1
        corp.nothing_left()
    finally:
        assert corp.slapd.admin.delete(f"uid=anna,{SUFFIX}")


def test_a_restart_of_the_server_brings_the_list_of_who_is_present(corp: Corp) -> None:
    corp.slapd.modify("anna", departmentNumber="IT")
    corp.slapd.delete("bert")
    corp.slapd.restart()
    outcome = corp.sync()
    assert outcome.incremental
    assert outcome.entries == 1
    assert (outcome.departed, outcome.changed) == (1, 1)
    corp.nothing_left()


def test_a_restart_without_changes_is_idle(corp: Corp) -> None:
    corp.slapd.restart()
    outcome = corp.sync()
    assert (outcome.incremental, outcome.outcome) == (True, "unchanged")


@pytest.mark.parametrize(
    "cookie",
    [
        "sync garbage",
        "sync rid=000,csn=garbage",
        "sync rid=000,csn=20990101000000.000000Z#000000#000#000000",
        "sync rid=000,csn=19800101000000.000000Z#000000#000#000000",
        "sync rid=000,csn=20200101000000.000000Z#000000#777#000000",
        "since yesterday",
        "",
    ],
)
def test_a_cookie_that_is_worth_nothing(corp: Corp, cookie: str) -> None:
    corp.slapd.delete("anna")
    change_cookie(cookie)
    outcome = corp.sync()
    assert not outcome.incremental
    assert outcome.why_full
    assert outcome.departed == 1
    assert corp.sync().incremental


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "(&(objectClass=inetOrgPerson)(!(uid=anna)))"},
        {"base": SUFFIX},
        {"scope": "one"},
        {"mapping": MAPPING | {"custom2": "roomNumber"}},
        {"id": "uid"},
        {"site": "hq"},
    ],
)
def test_another_question_is_answered_by_everything(corp: Corp, options: dict[str, Any]) -> None:
    outcome = corp.sync(options=options)
    assert not outcome.incremental
    assert outcome.why_full == "the settings of the directory have changed"
    assert outcome.departed == ("filter" in options)
    assert corp.sync(options=options).incremental


def test_what_changes_no_answer_needs_no_full_reading(corp: Corp) -> None:
    options = {"page_size": 7, "timeout": 5, "grace": 60, "schedule": parse_schedule("* * * * *")}
    assert corp.sync(options=options).incremental


def test_other_sites_are_another_question(corp: Corp) -> None:
    assert not corp.sync(sites=[Site("hq", ("2XXX",))]).incremental


def test_another_server_is_asked_for_everything(corp: Corp) -> None:
    SourceCookie.update(server="ldap://elsewhere.example.com").execute()
    outcome = corp.sync()
    assert not outcome.incremental
    assert "elsewhere" in outcome.why_full


def test_the_guard_stands_before_changes_too(corp: Corp) -> None:
    for uid in ("anna", "bert", "carl"):
        corp.slapd.delete(uid)
    for _ in range(2):  # it does not go away by asking again
        with pytest.raises(SyncRefused) as refused:
            corp.sync()
        assert refused.value.outcome.incremental
    assert Party.select().where(Party.departed_at.is_null()).count() == 4
    assert corp.sync(accept_departures=3).departed == 3
    corp.nothing_left()


def test_when_nobody_would_be_left_everything_is_read(corp: Corp) -> None:
    corp.slapd.clear()
    with pytest.raises(RefusedError, match="has no entry"):
        corp.sync(accept_departures=4)


def test_a_dry_run_moves_nothing_on(corp: Corp) -> None:
    corp.slapd.modify("anna", departmentNumber="IT")
    before = SourceCookie.get().cookie
    assert corp.sync(dry_run=True).outcome == "would-change"
    assert SourceCookie.get().cookie == before
    assert corp.sync().outcome == "applied"


def test_a_branch_that_moved_is_read_anew(corp: Corp) -> None:
    """Nothing tells of the entries in it: neither that they left nor that they came."""
    admin = corp.slapd.admin
    north = corp.slapd.add_unit("north")
    person = {"uid": "emma", "cn": "Emma", "sn": "Emma"}
    assert admin.add(f"uid=emma,{north}", "inetOrgPerson", person)
    assert corp.sync().arrived == 1
    assert admin.modify_dn(north, "ou=north", new_superior=SUFFIX), admin.result
    try:
        outcome = corp.sync()
        assert not outcome.incremental
        assert outcome.departed == 1
    finally:
        moved = admin.modify_dn(f"ou=north,{SUFFIX}", "ou=north", new_superior=PEOPLE)
    assert moved, admin.result
    assert corp.sync().returned == 1


def test_grace_ends_without_changes(corp: Corp) -> None:
    options = {"grace": 5400}
    corp.slapd.delete("anna")
    assert corp.sync(options=options).closed == 0
    assert corp.sync(options=options).closed == 0
    outcome = corp.sync(options=options)
    assert (outcome.incremental, outcome.closed) == (True, 1)


def test_what_another_source_gave_up_is_taken_without_changes(corp: Corp) -> None:
    corp.slapd.modify("dora", telephoneNumber=None)
    corp.sync()
    SyncRun.update(conflicts=0).execute()
    SourceCookie.update(directory_version=SourceCookie.directory_version - 1).execute()
    runs = SyncRun.select().count()
    outcome = corp.sync()
    assert (outcome.incremental, outcome.entries) == (True, 0)
    assert SyncRun.select().count() == runs + 1  # planned anew, for the directory is another


def test_a_conflict_is_reported_until_it_is_mended(corp: Corp) -> None:
    corp.slapd.modify("bert", telephoneNumber="2001")
    for _ in range(3):
        outcome = corp.sync()
        assert outcome.incremental
        assert [conflict.holder for conflict in outcome.conflicts] == ["Anna"]
    corp.slapd.modify("anna", telephoneNumber="2011")
    outcome = corp.sync()
    assert outcome.entries == 1
    assert outcome.conflicts == ()
    corp.nothing_left()


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "(|(objectClass=inetOrgPerson)(memberOf=cn=staff))"},
        {"mapping": MAPPING | {"custom3": "memberOf"}},
    ],
)
def test_membership_of_groups_is_read_each_time(corp: Corp, options: dict[str, Any]) -> None:
    corp.sync(Shortcut.NEVER, options=options)
    assert SourceCookie.select().count() == 0
    assert not corp.sync(Shortcut.ALLOWED, options=options).incremental


def test_an_entry_without_an_id_leaves_no_shortcut(
    corp: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = LdapSource.snapshot

    def snapshot(source: LdapSource) -> Snapshot:
        found = stock(source)
        entries: Any = found.entries
        entries[0] = entries[0]._replace(external_id="")
        return found

    monkeypatch.setattr(LdapSource, "snapshot", snapshot)
    corp.sync(Shortcut.NEVER)
    assert SourceCookie.select().count() == 0


def test_a_change_while_everything_is_read_is_told_afterwards(
    corp: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = LdapSource.snapshot

    def snapshot(source: LdapSource) -> Snapshot:
        found = stock(source)
        corp.slapd.modify("anna", departmentNumber="IT")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(LdapSource, "snapshot", snapshot)
        assert corp.sync(Shortcut.NEVER).outcome == "unchanged"
    assert told(corp.sync()) == {("Anna", "changed", "department", "IT")}


def test_a_size_limit_is_no_answer(corp: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    stock = syncrepl.read_answer

    def read_answer(responses: Any, result: dict[str, Any]) -> syncrepl.Answer:
        result |= {"result": 4, "description": "sizeLimitExceeded"}
        return stock(responses, result)

    monkeypatch.setattr(syncrepl, "read_answer", read_answer)
    outcome = corp.sync()
    assert not outcome.incremental
    assert "sizeLimitExceeded" in outcome.why_full


# --- a server without content synchronisation ----------------------------------------------------


def test_time_stamps_tell_of_changes_but_not_of_departures(plain: Corp) -> None:
    plain.sync(Shortcut.ALLOWED)
    plain.slapd.modify("anna", departmentNumber="IT")
    plain.slapd.add("emma")
    plain.slapd.delete("dora")
    outcome = plain.sync(Shortcut.ALLOWED)
    assert outcome.incremental
    assert told(outcome) == {
        ("Anna", "changed", "department", "IT"),
        ("Emma", "arrived", "", ""),
    }
    outcome = plain.sync(Shortcut.ALLOWED)
    assert (outcome.incremental, outcome.entries, outcome.outcome) == (True, 0, "unchanged")
    outcome = plain.sync(Shortcut.EXACT)
    assert not outcome.incremental
    assert outcome.departed == 1


def test_a_filter_without_brackets_is_one(plain: Corp) -> None:
    options = {"filter": "objectClass=inetOrgPerson"}
    plain.sync(Shortcut.NEVER, options=options)
    plain.slapd.modify("anna", departmentNumber="IT")
    outcome = plain.sync(Shortcut.ALLOWED, options=options)
    assert (outcome.incremental, outcome.changed) == (True, 1)


def test_a_second_change_within_one_second_is_seen(plain: Corp) -> None:
    plain.sync(Shortcut.ALLOWED)
    for department in ("IT", "Legal", "Press"):
        plain.slapd.modify("anna", departmentNumber=department)
        outcome = plain.sync(Shortcut.ALLOWED)
        assert told(outcome) == {("Anna", "changed", "department", department)}


# --- when everything is read ---------------------------------------------------------------------


def test_everything_is_read_when_its_time_has_come(corp: Corp) -> None:
    settings = corp.settings(full_schedule=parse_schedule("every 24 hours"))
    rome = ZoneInfo("Europe/Rome")
    read_at = NOW + 3600
    assert not full_reading_due(settings, read_at + 86_399, rome)
    assert full_reading_due(settings, read_at + 86_400, rome)
    assert full_reading_due(settings, read_at - 60, rome)  # a clock was ahead then
    assert full_reading_due(corp.settings(name="other"), read_at, rome)
    corp.sync()
    assert full_reading_due(settings, read_at + 86_400, rome)  # what changed was read since


def test_a_forgotten_cookie_means_everything(corp: Corp) -> None:
    incremental.forget("corp")
    outcome = corp.sync()
    assert (outcome.incremental, outcome.why_full) == (False, "")


def test_follows_no_cut_connection(corp: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    def refresh(connection: Any, *rest: Any) -> syncrepl.Answer:
        threading.Thread(target=connection.socket.close).start()
        raise OSError("cut")

    source = LdapSource(corp.settings())
    cookie = source.snapshot().cookie
    monkeypatch.setattr(syncrepl, "refresh", refresh)
    with pytest.raises(FullReadNeeded, match="the connection was cut"):
        source.changes(cookie)
