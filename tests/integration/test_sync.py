"""Syncs of a real LDAP server, and of LDIF files, into a real database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import peewee
import pytest

from syncd.directory.apply import directory_version
from syncd.directory.sources.ldap import LdapSource
from syncd.directory.sources.ldif import LdifSource
from syncd.directory.sources.open import open_source
from syncd.directory.sync import SyncOutcome, SyncRefused, sync_source
from syncd.domain.clock import BEGINNING, FOREVER
from syncd.domain.codes import Role
from syncd.domain.errors import ConfigurationError, RefusedError, TryAgainError
from syncd.settings.model import DirectorySettings
from syncd.store.models import (
    Assignment,
    Line,
    Name,
    Org,
    Party,
    Profile,
    SourceState,
    SyncChange,
    SyncRun,
)
from tests.directory_settings import Site, directory_settings
from tests.integration.slapd import BLIND, LIMITED, READER, Slapd, free_port
from tests.support.stores import lines

NOW = 1_790_000_000
pytestmark = pytest.mark.usefixtures("store")


class Corp:
    """A directory and its syncs: each an hour after the one before."""

    def __init__(self, slapd: Slapd, secret: Path) -> None:
        self.slapd = slapd
        self.now = NOW
        self.options: dict[str, Any] = {
            "servers": (slapd.url,),
            "bind_dn": READER,
            "bind_password_file": secret,
        }

    def settings(self, **options: Any) -> DirectorySettings:
        return directory_settings(**(self.options | options))

    def sync(self, settings: DirectorySettings | None = None, **how: Any) -> SyncOutcome:
        settings = settings or self.settings()
        self.now += 3600
        return sync_source(settings, LdapSource(settings), [Site("hq")], now=self.now, **how)


@pytest.fixture
def corp(slapd: Slapd, secret: Path) -> Corp:
    slapd.add(
        "anna",
        telephoneNumber="06 555-2001",
        departmentNumber="Sales",
        title="6",
        description=["IT", "Legal; Press"],
    )
    slapd.add("bert", telephoneNumber="2002", departmentNumber="sales ", pager="6000")
    slapd.add("carl", telephoneNumber="2003", departmentNumber="IT", pager="6000", l="P1")
    return Corp(slapd, secret)


def dump(database: peewee.Database) -> str:
    """Return everything that the database holds, but for the record of runs."""
    skipped = ('"syncrun"', '"sync_run"', '"sourcestate"', '"source_state"')
    return "\n".join(
        line for line in lines(database.connection()) if not any(name in line for name in skipped)
    )


def numbers(username: str) -> list[tuple[str, str, int, int]]:
    query = (
        Assignment.select()
        .join(Party)
        .where((Party.username == username) & (Assignment.role != Role.USER_ID))
        .order_by(Assignment.id)
    )
    return [(Role(a.role).word, a.line.line_id, a.valid_from, a.valid_to) for a in query]


def departments(username: str) -> list[tuple[str, int, int]]:
    query = Profile.select().join(Party).where(Party.username == username).order_by(Profile.id)
    return [(p.department, p.valid_from, p.valid_to) for p in query]


def test_a_first_sync(corp: Corp) -> None:
    outcome = corp.sync()
    assert (outcome.outcome, outcome.arrived, outcome.entries) == ("applied", 3, 3)
    assert outcome.server == corp.slapd.url
    anna = Party.get(Party.username == "anna")
    assert anna.source == "corp"
    assert anna.external_id.count("-") == 4
    assert anna.first_extension == "065552001"
    assert anna.additional_departments == "IT;Legal;Press"
    assert anna.permission_level == 6
    assert anna.bill_first_extension is True
    assert anna.departed_at is None
    assert numbers("anna") == [("first", "065552001", BEGINNING, FOREVER)]
    assert numbers("carl") == [
        ("first", "P1.2003", BEGINNING, FOREVER),
        ("voicemail", "P1.6000", BEGINNING, FOREVER),
    ]
    user_ids = Assignment.select().where(Assignment.role == Role.USER_ID)
    assert {(one.number, one.line_id) for one in user_ids} == {
        ("anna", 0),
        ("bert", 0),
        ("carl", 0),
    }
    assert departments("bert") == [("sales", BEGINNING, FOREVER)]
    assert Org.select().where(Org.id > 0).count() == 2  # Sales and sales are one
    assert Name.get(Name.key == "sales").text in ("Sales", "sales")
    assert directory_version() == 1
    run = SyncRun.get()
    assert (run.outcome, run.arrived, run.entries, run.source) == ("applied", 3, 3, "corp")
    assert {change.what for change in SyncChange.select()} == {"arrived"}
    assert Line.select().where(Line.id > 0).count() == 5


def test_a_second_run_changes_nothing(corp: Corp, store: peewee.Database) -> None:
    corp.sync()
    before = dump(store)
    outcome = corp.sync()
    assert outcome.outcome == "unchanged"
    assert not outcome.differences
    assert dump(store) == before
    assert SourceState.get().first_complete_at == NOW + 3600
    assert SourceState.get().last_complete_at == NOW + 7200
    assert [run.outcome for run in SyncRun.select()] == ["applied", "unchanged"]


def test_add_change_rename_move_and_remove(corp: Corp) -> None:
    corp.sync()
    anna = Party.get(Party.username == "anna")
    corp.slapd.add("dora", telephoneNumber="2004")
    corp.slapd.modify("bert", telephoneNumber="2102", departmentNumber="IT")
    corp.slapd.rename("anna", "anna.rossi", corp.slapd.add_unit("north"))
    corp.slapd.delete("carl")
    outcome = corp.sync()
    assert (outcome.arrived, outcome.departed, outcome.closed) == (1, 1, 1)
    told = {(d.what, d.field, d.old, d.new) for d in outcome.differences}
    assert told >= {
        ("arrived", "lines", "", "2004"),
        ("departed", "", "", ""),
        ("changed", "first_extension", "2002", "2102"),
        ("changed", "department", "sales", "IT"),
        ("changed", "username", "anna", "anna.rossi"),
    }
    renamed = Party.get(Party.id == anna.id)
    assert (renamed.username, renamed.username_key) == ("anna.rossi", "anna.rossi")
    assert renamed.external_id == anna.external_id
    then = corp.now
    assert numbers("bert")[-1] == ("first", "2102", then, FOREVER)
    assert numbers("bert")[0] == ("first", "2002", BEGINNING, then)
    assert departments("bert") == [("sales", BEGINNING, then), ("IT", then, FOREVER)]
    assert numbers("dora") == [("first", "2004", then, FOREVER)]
    assert numbers("carl")[0] == ("first", "P1.2003", BEGINNING, then)
    assert Party.get(Party.username == "carl").departed_at == then
    audited = {(c.what, c.field) for c in SyncChange.select().where(SyncChange.run == 2)}
    assert audited >= {("departed", ""), ("closed", ""), ("changed", "department")}
    assert corp.sync().outcome == "unchanged"


def test_who_comes_back(corp: Corp) -> None:
    settings = corp.settings(grace=86_400)
    corp.sync(settings)
    everybody = "(objectClass=inetOrgPerson)"
    without_carl = corp.settings(grace=86_400, filter=f"(&{everybody}(!(uid=carl)))")
    assert corp.sync(without_carl).departed == 1
    outcome = corp.sync(settings)
    assert outcome.returned == 1
    assert numbers("carl")[0] == ("first", "P1.2003", BEGINNING, FOREVER)
    corp.sync(without_carl)
    left = corp.now
    corp.now += 86_400
    assert corp.sync(without_carl).closed == 1
    assert numbers("carl")[0] == ("first", "P1.2003", BEGINNING, left)
    assert corp.sync(settings).returned == 1
    back = corp.now
    assert numbers("carl")[-2:] == [
        ("first", "P1.2003", back, FOREVER),
        ("voicemail", "P1.6000", back, FOREVER),
    ]
    assert departments("carl") == [("IT", BEGINNING, left), ("IT", back, FOREVER)]


def test_a_number_passes_on_in_one_run(corp: Corp) -> None:
    corp.sync()
    corp.slapd.modify("anna", telephoneNumber="2002")
    corp.slapd.modify("bert", telephoneNumber="2999")
    outcome = corp.sync()
    assert not outcome.conflicts
    assert numbers("bert")[0] == ("first", "2002", BEGINNING, corp.now)
    assert numbers("anna")[-1] == ("first", "2002", corp.now, FOREVER)


def test_a_conflict_is_on_record_until_mended(corp: Corp) -> None:
    corp.sync()
    corp.slapd.modify("anna", telephoneNumber="2002")
    assert [conflict.holder for conflict in corp.sync().conflicts] == ["Bert"]
    again = corp.sync()
    assert again.outcome == "unchanged"
    [conflict] = again.as_dict()["conflicts"]  # type: ignore[misc]
    assert conflict["who"] == "Anna"  # type: ignore[index]
    assert conflict["line_id"] == "2002"  # type: ignore[index]
    assert [run.conflicts for run in SyncRun.select()] == [0, 1, 1]
    assert "Anna" in SyncRun.get_by_id(3).message
    assert SyncChange.select().where(SyncChange.what == "conflict").count() == 1
    assert numbers("bert")[0] == ("first", "2002", BEGINNING, FOREVER)


def test_a_bad_value_keeps_what_was_there_and_the_rest_goes_on(corp: Corp) -> None:
    corp.sync()
    corp.slapd.modify("anna", title="Boss", departmentNumber="IT")
    outcome = corp.sync()
    assert [warning.file for warning in outcome.warnings] == [
        "uid=anna,ou=people,dc=example,dc=com"
    ]
    anna = Party.get(Party.username == "anna")
    assert (anna.permission_level, anna.department) == (6, "IT")


def test_local_fields_and_local_parties_survive(corp: Corp) -> None:
    corp.sync()
    Party.update(language="it").where(Party.username == "anna").execute()
    Party.create(source="local", external_id="lobby", username="lobby", arrived_at=0)
    corp.slapd.modify("anna", departmentNumber="IT")
    corp.sync()
    assert Party.get(Party.username == "anna").language == "it"
    assert Party.get(Party.username == "lobby").departed_at is None


# --- runs that change nothing ----------------------------------------------------------------


@pytest.mark.parametrize("how", ["dry_run", "check"])
def test_a_dry_run_tells_the_same_and_writes_nothing(
    corp: Corp, store: peewee.Database, how: str
) -> None:
    corp.sync()
    corp.slapd.add("dora", telephoneNumber="2004")
    corp.slapd.modify("bert", departmentNumber="IT")
    before = "\n".join(lines(store.connection()))
    told = corp.sync(**{how: True})
    assert "\n".join(lines(store.connection())) == before
    assert told.outcome == "would-change"
    done = corp.sync()
    assert done.outcome == "applied"
    assert told.differences == done.differences
    assert corp.sync(**{how: True}).outcome == "unchanged"


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"bind_dn": LIMITED}, "sizeLimitExceeded"),
        ({"filter": "(uid=nobody)"}, "no entry under base and filter"),
        ({"bind_dn": BLIND}, "no entry under base and filter"),
        ({"base": "ou=nowhere,dc=example,dc=com"}, "noSuchObject"),
    ],
)
def test_an_answer_that_is_not_all(
    corp: Corp, store: peewee.Database, options: dict[str, Any], reason: str, first: bool
) -> None:
    for number in range(6):
        corp.slapd.add(f"user{number}")
    if not first:
        corp.sync()
    before = dump(store)
    with pytest.raises(RefusedError, match=reason) as caught:
        corp.sync(corp.settings(**options))
    assert caught.value.exit_code == 4
    assert dump(store) == before
    run = SyncRun.select().order_by(SyncRun.id.desc()).get()
    assert run.outcome == "refused"
    assert reason in run.message
    with pytest.raises(RefusedError):
        corp.sync(corp.settings(**options), check=True)


@pytest.mark.parametrize("problem", ["unreachable", "password"])
def test_a_directory_that_cannot_be_asked(
    corp: Corp, secret: Path, store: peewee.Database, problem: str
) -> None:
    corp.sync()
    before = dump(store)
    settings = corp.settings()
    if problem == "unreachable":
        settings = corp.settings(servers=(f"ldap://127.0.0.1:{free_port()}",))
    else:
        secret.write_text("wrong\n")
    with pytest.raises(TryAgainError) as caught:
        corp.sync(settings)
    assert caught.value.exit_code == 75
    assert dump(store) == before
    assert [run.outcome for run in SyncRun.select()] == ["applied", "failed"]


def test_the_guard_refuses_and_lets_through_once(corp: Corp, store: peewee.Database) -> None:
    for number in range(7):
        corp.slapd.add(f"user{number}", telephoneNumber=f"21{number:02}")
    corp.sync()
    before = dump(store)
    for number in range(6):
        corp.slapd.delete(f"user{number}")
    corp.slapd.modify("anna", departmentNumber="IT")
    with pytest.raises(SyncRefused, match="6 of 10 people would leave") as caught:
        corp.sync()
    assert caught.value.exit_code == 4
    assert caught.value.outcome.departed == 6
    assert len(caught.value.outcome.differences) > 6
    assert dump(store) == before
    with pytest.raises(SyncRefused):
        corp.sync(accept_departures=5)
    assert corp.sync(accept_departures=6).departed == 6
    corp.slapd.delete("user6")
    assert corp.sync().departed == 1


def test_a_mapped_attribute_that_vanishes_from_everybody(corp: Corp) -> None:
    corp.sync()
    mapping = corp.settings().mapping | {"department": "departmentNumberr"}
    with pytest.raises(SyncRefused, match="3 of 3 values of department would be emptied"):
        corp.sync(corp.settings(mapping=mapping))
    assert corp.sync(corp.settings(mapping=mapping), accept_changes=3).changed == 3


def test_somebody_else_changes_the_directory_while_it_is_planned(
    corp: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planning holds no lock: a plan on what was true before is not applied, but made anew."""
    corp.sync()
    corp.slapd.modify("anna", departmentNumber="IT")
    from syncd.directory import sync

    stock = sync.load_narrowed
    moves = iter([True])

    def load_then_move(source: str, *rest: Any) -> Any:
        found = stock(source, *rest)
        if next(moves, False):
            Party.update(department="IT").where(Party.username == "anna").execute()
            sync.apply_plan(sync.Plan(), source, corp.now, 1)  # counts the version up
        return found

    monkeypatch.setattr(sync, "load_narrowed", load_then_move)
    assert "department" not in {difference.field for difference in corp.sync().differences}


# --- LDIF ------------------------------------------------------------------------------------


def ldif_sync(path: Path, text: str, now: int, **options: Any) -> SyncOutcome:
    path.write_text(text)
    given = {"type": "ldif", "file": path, "id": "uid", "name": "file"} | options
    settings = directory_settings(**given)
    return sync_source(settings, LdifSource(settings), [], now=now)


def person(uid: str, *lines: str) -> str:
    head = f"dn: uid={uid},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\n"
    return "\n".join([f"{head}uid: {uid}", *lines]) + "\n\n"


def test_an_ldif_file(tmp_path: Path) -> None:
    path = tmp_path / "people.ldif"
    everybody = person("anna", "telephoneNumber: 2001") + person("bert", "telephoneNumber: 2002")
    assert ldif_sync(path, everybody, NOW).arrived == 2
    assert ldif_sync(path, everybody, NOW + 1).outcome == "unchanged"
    assert ldif_sync(path, person("anna", "telephoneNumber: 2001"), NOW + 2).departed == 1


def test_a_half_written_ldif_file_removes_nobody(tmp_path: Path, store: peewee.Database) -> None:
    path = tmp_path / "people.ldif"
    ldif_sync(path, person("anna") + person("bert"), NOW)
    before = dump(store)
    for cut in ("dn: uid=bert,ou=peo", "dn: uid=bert,ou=people,dc=example,dc=com\nobjectCl"):
        with pytest.raises(RefusedError, match=r"people\.ldif:[56]") as caught:
            ldif_sync(path, person("anna") + cut, NOW + 1)
        assert caught.value.exit_code == 4
        assert dump(store) == before


def test_an_entry_without_an_id_makes_nobody_leave(tmp_path: Path) -> None:
    path = tmp_path / "people.ldif"
    ldif_sync(path, person("anna") + person("bert"), NOW)
    nameless = person("bert").replace("uid: bert\n", "")
    outcome = ldif_sync(path, person("anna") + nameless, NOW + 1)
    assert outcome.departed == 0
    texts = [str(warning) for warning in outcome.warnings]
    assert f"{path}:5: the entry is set aside" in texts[0]
    assert "1 people are not in the answer" in texts[1]
    with pytest.raises(RefusedError, match="no entry of the directory file can be known again"):
        ldif_sync(path, nameless, NOW + 2)


def test_two_entries_with_one_id(tmp_path: Path) -> None:
    path = tmp_path / "people.ldif"
    outcome = ldif_sync(path, person("anna", "mail: a@b") + person("anna", "mail: c@d"), NOW)
    assert outcome.arrived == 1
    assert Party.get().mail == "a@b"
    assert f"is that of {path}:1 too" in outcome.warnings[0].what


def test_a_missing_file(tmp_path: Path) -> None:
    settings = directory_settings(type="ldif", file=tmp_path / "none.ldif")
    with pytest.raises(ConfigurationError) as caught:
        sync_source(settings, LdifSource(settings), [], now=NOW)
    assert caught.value.exit_code == 78
    assert SyncRun.get().outcome == "failed"


def test_the_kind_of_source_is_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "people.ldif"
    path.write_text(person("anna"))
    assert isinstance(open_source(directory_settings(type="ldif", file=path)), LdifSource)
    assert isinstance(open_source(directory_settings(type="ldap")), LdapSource)
    with pytest.raises(ConfigurationError, match="one of active_directory, csv, ldap, ldif"):
        open_source(directory_settings(type="x500"))
