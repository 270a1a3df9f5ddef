"""Whatever happens in a directory, and to the way to it, in whatever order: the people, lines and
profiles are what a model of a page says.

A real server tells what happens, by changes or whole; between it and syncd stands a proxy that cuts
what it says. The model knows nothing of plans: it knows who is there, who claims which number, and
who left when.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import ldap3
import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from syncd.directory.incremental import Shortcut
from syncd.directory.sources.ldap import LdapSource
from syncd.directory.sync import SyncOutcome, sync_source
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.domain.errors import EXIT_REFUSED, EXIT_TRY_AGAIN, UserError
from syncd.domain.party import PARTY_FIELDS, PROFILE_FIELDS
from syncd.settings.model import DirectorySettings, Percent
from syncd.store.models import Assignment, Party, Profile, SyncChange
from tests.directory_settings import Site, directory_settings
from tests.integration.slapd import (
    BLIND,
    PEOPLE,
    READER,
    SUFFIX,
    SYNCPROV,
    Last,
    Slapd,
    free_port,
    proxy,
)
from tests.integration.test_incremental_property import Stores

EXAMPLES = int(os.environ.get("SYNCD_EXAMPLES", "12"))
"""How many stories are told; ``SYNCD_EXAMPLES=500`` for a sweep."""
NOW = 1_790_000_000
GRACE = 5000
SITES = [Site("hq", ("2XXX",))]
NAMES = ("ann", "bob", "cat", "dan", "eve")
NUMBERS = ("2001", "2002", "2003", None)
DEPARTMENTS = (None, "Sales", "IT", "sales ")
NORTH, AWAY = f"ou=north,{PEOPLE}", f"ou=away,{SUFFIX}"
MAPPING = {
    "username": "uid",
    "first_extension": "telephoneNumber",
    "bill_first_extension": "yes",
    "department": "departmentNumber",
    "enabled": "employeeType == staff",
}


# --- the model -----------------------------------------------------------------------------------


@dataclass
class Entry:
    """Somebody in the directory."""

    uid: str
    home: str
    number: str | None
    department: str | None
    staff: bool = True

    @property
    def here(self) -> bool:
        return self.home != AWAY

    @property
    def entry_dn(self) -> str:
        return f"uid={self.uid},{self.home}"


@dataclass
class Known:
    """Somebody whom a sync has seen."""

    departed_at: int | None = None
    closed_at: int | None = None


@dataclass
class Model:
    """The directory, by entryUUID, and what whole readings of it have made known."""

    entries: dict[str, Entry] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    refused: set[tuple[str, str]] = field(default_factory=set)
    """Who claims which number in vain."""
    handed_over: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Numbers that passed in the last sync, from whom who is there, to whom."""

    def of(self, name: str) -> str | None:
        """Return the id of the entry whose name begins so."""
        return next((who for who, e in self.entries.items() if e.uid.startswith(name)), None)

    def here(self) -> dict[str, Entry]:
        return {who: entry for who, entry in self.entries.items() if entry.here}

    def sync(self, now: int, ids: dict[str, int]) -> None:
        """A sync saw everything. ``ids``: who was known before, by the order of arrival."""
        here = self.here()
        was_here = {who for who, known in self.known.items() if known.departed_at is None}
        for who, known in self.known.items():
            if who in here:
                known.departed_at = known.closed_at = None
            elif known.closed_at is None:
                known.departed_at = known.departed_at or now
                if now - known.departed_at >= GRACE:
                    known.closed_at = now
        for who in here:
            self.known.setdefault(who, Known())
        self.refused, self.handed_over = set(), {}
        before, self.holders = self.holders, {}
        for number in filter(None, NUMBERS):
            claimants = [who for who, entry in here.items() if entry.number == number]
            holder = before.get(number)
            if holder not in claimants:
                if claimants:
                    first = min(claimants, key=lambda who: (who not in ids, ids.get(who, who)))
                    if holder in was_here:
                        self.handed_over[number] = (holder, first)
                    holder = first
                elif holder is not None and (holder in here or self.known[holder].closed_at):
                    holder = None
            if holder is not None:
                self.holders[number] = holder
            self.refused |= {(who, number) for who in claimants if who != holder}


# --- the machine ---------------------------------------------------------------------------------


class Way:
    """The way from syncd to the server: how many bytes of answers come through it."""

    def __init__(self) -> None:
        self.bytes_left: int | None = None

    def answer(self, data: bytes, sent: int) -> bytes | None:
        if self.bytes_left is None or sent + len(data) <= self.bytes_left:
            return data
        return Last(data[: self.bytes_left - sent])


@dataclass
class World:
    """What all stories share."""

    slapd: Slapd
    way: Way
    settings: DirectorySettings
    stores: Stores


people = st.sampled_from(NAMES)
numbers = st.sampled_from(NUMBERS)


class DirectoryMachine(RuleBasedStateMachine):
    """Each rule is something that happens in the directory, or a sync."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.model = world, Model()
        self.admin = world.slapd.admin
        self.now = NOW
        self.party_ids: dict[str, int] = {}
        self.fresh_names = itertools.count()

    # --- in the directory ------------------------------------------------------------------------

    def _done(self, done: bool) -> None:
        assert done, self.world.slapd.admin.result

    def _add(self, uid: str, home: str, number: str | None, department: str | None) -> None:
        entry = Entry(uid, home, number, department)
        values = {"cn": uid, "sn": uid, "employeeType": "staff"}
        values |= {"telephoneNumber": number} if number else {}
        values |= {"departmentNumber": department} if department else {}
        self._done(self.admin.add(entry.entry_dn, "inetOrgPerson", values))
        self.admin.search(entry.entry_dn, "(objectClass=*)", "BASE", attributes=["entryUUID"])
        (found,) = self.admin.response
        self.model.entries[found["raw_attributes"]["entryUUID"][0].decode()] = entry

    def _replace(self, entry: Entry, attribute: str, value: str | None) -> None:
        change = {attribute: [(ldap3.MODIFY_REPLACE, [value] if value else [])]}
        self._done(self.admin.modify(entry.entry_dn, change))

    def _delete(self, who: str) -> Entry:
        entry = self.model.entries.pop(who)
        self._done(self.admin.delete(entry.entry_dn))
        return entry

    def _moved(self, entry: Entry, uid: str, home: str) -> None:
        self._done(self.admin.modify_dn(entry.entry_dn, f"uid={uid}", new_superior=home))
        entry.uid, entry.home = uid, home

    @initialize(
        start=st.lists(st.tuples(people, numbers), min_size=2, unique_by=lambda one: one[0])
    )
    def begin(self, start: list[tuple[str, str | None]]) -> None:
        world = self.world
        world.way.bytes_left = None
        world.slapd.clear()
        admin = world.slapd.admin
        admin.search(AWAY, "(objectClass=account)", "LEVEL", attributes=["1.1"])
        admin.search(AWAY, "(objectClass=inetOrgPerson)", "LEVEL", attributes=["1.1"])
        for response in admin.response:
            admin.delete(response["dn"])
        world.slapd.add_unit("north")
        world.stores.fresh()
        for name, number in start:
            self._add(name, PEOPLE, number, "Sales")
        if start:
            self._sync(Shortcut.NEVER)

    @rule(name=people, number=numbers, department=st.sampled_from(DEPARTMENTS))
    def add_or_change(self, name: str, number: str | None, department: str | None) -> None:
        who = self.model.of(name)
        if who is None:
            self._add(name, PEOPLE, number, department)
            return
        entry = self.model.entries[who]
        self._replace(entry, "telephoneNumber", number)
        self._replace(entry, "departmentNumber", department)
        entry.number, entry.department = number, department

    @rule(name=people)
    def rename(self, name: str) -> None:
        if who := self.model.of(name):
            entry = self.model.entries[who]
            self._moved(entry, f"{name}{next(self.fresh_names)}", entry.home)

    @rule(name=people, home=st.sampled_from([PEOPLE, NORTH, AWAY]))
    def move(self, name: str, home: str) -> None:
        if who := self.model.of(name):
            entry = self.model.entries[who]
            self._moved(entry, entry.uid, home)

    @rule(name=people)
    def disable_or_enable(self, name: str) -> None:
        if who := self.model.of(name):
            entry = self.model.entries[who]
            entry.staff = not entry.staff
            self._replace(entry, "employeeType", "staff" if entry.staff else "former")

    @rule(name=people)
    def delete(self, name: str) -> None:
        if who := self.model.of(name):
            self._delete(who)

    @rule(name=people)
    def create_again(self, name: str) -> None:
        if who := self.model.of(name):
            gone = self._delete(who)
            self._add(gone.uid, gone.home, gone.number, gone.department)

    @rule(one=people, other=people)
    def swap_numbers(self, one: str, other: str) -> None:
        first, second = self.model.of(one), self.model.of(other)
        if first and second and first != second:
            a, b = self.model.entries[first], self.model.entries[second]
            a.number, b.number = b.number, a.number
            for entry in (a, b):
                self._replace(entry, "telephoneNumber", entry.number)

    @rule(one=people, other=people, gives_up=st.booleans())
    def take_a_number(self, one: str, other: str, gives_up: bool) -> None:
        """Somebody claims what another has, who keeps or gives it up."""
        first, second = self.model.of(one), self.model.of(other)
        if first and second and first != second:
            taker, giver = self.model.entries[first], self.model.entries[second]
            taker.number = giver.number
            giver.number = None if gives_up else giver.number
            for entry in (taker, giver):
                self._replace(entry, "telephoneNumber", entry.number)

    @rule()
    def restart_the_server(self) -> None:
        self.world.slapd.restart()
        self.admin = self.world.slapd.admin

    # --- syncs -----------------------------------------------------------------------------------

    @rule(later=st.sampled_from([60, 3600]))
    def poll(self, later: int) -> None:
        self.now += later
        self._sync(Shortcut.EXACT)

    @rule()
    def read_everything(self) -> None:
        self.now += 60
        self._sync(Shortcut.NEVER)

    @rule(shortcut=st.sampled_from([Shortcut.EXACT, Shortcut.NEVER]))
    def let_a_grace_pass(self, shortcut: Shortcut) -> None:
        self.now += GRACE
        self._sync(shortcut)

    @rule()
    def nobody_answers(self) -> None:
        closed = replace(self.world.settings, servers=(f"ldap://127.0.0.1:{free_port()}",))
        self._in_vain(closed, EXIT_TRY_AGAIN)

    @rule()
    def an_answer_without_anybody(self) -> None:
        """The account may search, and read nothing."""
        self._in_vain(replace(self.world.settings, bind_dn=BLIND), EXIT_REFUSED)

    @precondition(lambda self: self.model.here())
    @rule(bytes_left=st.integers(0, 3000), shortcut=st.sampled_from(Shortcut))
    def an_answer_that_is_cut(self, bytes_left: int, shortcut: Shortcut) -> None:
        """Each connection is, somewhere: when that was behind its end, the sync was one."""
        self.world.way.bytes_left = bytes_left
        self.now += 60
        before = self._dump()
        try:
            outcome = self._ask(self.world.settings, shortcut)
        except UserError as error:
            assert error.exit_code in (EXIT_REFUSED, EXIT_TRY_AGAIN)
            assert self._dump() == before
        else:
            self._applied(outcome)
        finally:
            self.world.way.bytes_left = None

    def _in_vain(self, section: DirectorySettings, code: int) -> None:
        self.now += 60
        before = self._dump()
        with pytest.raises(UserError) as caught:
            self._ask(section, Shortcut.EXACT)
        assert caught.value.exit_code == code
        assert self._dump() == before

    def _sync(self, shortcut: Shortcut) -> None:
        if not self.model.here():
            self._in_vain(self.world.settings, EXIT_REFUSED)
            return
        self._applied(self._ask(self.world.settings, shortcut))
        before = self._dump()
        for again in (shortcut, Shortcut.NEVER):
            assert self._ask(self.world.settings, again).outcome == "unchanged"
            assert self._dump() == before

    def _ask(self, section: DirectorySettings, shortcut: Shortcut) -> SyncOutcome:
        return sync_source(section, LdapSource(section), SITES, now=self.now, shortcut=shortcut)

    def _dump(self) -> str:
        """Everything that a sync may change, but for the record of runs and how to go on."""
        tables = (Party, Assignment, Profile, SyncChange)
        return repr([[*table.select().order_by(table.id).tuples()] for table in tables])

    # --- what must be true -----------------------------------------------------------------------

    def _applied(self, outcome: SyncOutcome) -> None:
        self.model.sync(self.now, self.party_ids)
        note(f"{outcome.outcome}, incremental: {outcome.incremental} {outcome.why_full}")
        self._people()
        self._lines(outcome)
        self._profiles()

    def _people(self) -> None:
        rows = {party.external_id: party for party in Party.select()}
        assert rows.keys() == self.model.known.keys()
        assert {who: rows[who].id for who in self.party_ids} == self.party_ids
        self.party_ids = {who: party.id for who, party in rows.items()}
        for who, known in self.model.known.items():
            party = rows[who]
            assert (party.departed_at, party.closed_at) == (known.departed_at, known.closed_at)
        for who, entry in self.model.here().items():
            party = rows[who]
            assert party.username == entry.uid
            assert party.enabled == entry.staff
            assert party.first_extension == (entry.number or "")
            assert party.department == (entry.department or "").strip()

    def _lines(self, outcome: SyncOutcome) -> None:
        names = {party: who for who, party in self.party_ids.items()}
        held: dict[str, list[Any]] = {}
        for row in Assignment.select().order_by(Assignment.valid_from):
            assert row.role == Role.FIRST
            assert row.valid_from < row.valid_to
            held.setdefault(row.number, []).append(row)
        for rows in held.values():
            assert all(a.valid_to <= b.valid_from for a, b in pairwise(rows))
        now = {
            number: names[rows[-1].party_id]
            for number, rows in held.items()
            if rows[-1].valid_to == FOREVER
        }
        assert now == self.model.holders
        for number, (giver, taker) in self.model.handed_over.items():
            *_, last, new = held[number]
            assert (names[last.party_id], names[new.party_id]) == (giver, taker)
            assert last.valid_to == new.valid_from == self.now
        refused = {(conflict.owner, conflict.line.number) for conflict in outcome.conflicts}
        called = {(names.get(owner, owner), number) for owner, number in refused}
        assert called == self.model.refused

    def _profiles(self) -> None:
        texts = {who: (e.department or "").strip() for who, e in self.model.here().items()}
        for who, party in self.party_ids.items():
            rows = [*Profile.select().where(Profile.party == party).order_by(Profile.valid_from)]
            closed = self.model.known[who].closed_at is not None
            assert (rows[-1].valid_to < FOREVER) == closed
            for earlier, later in pairwise(rows):
                # A gap is an absence that outlasted the grace.
                gap = later.valid_from - earlier.valid_to
                assert gap == 0 or gap >= GRACE
            assert who not in texts or rows[-1].department == texts[who]

    def teardown(self) -> None:
        self.world.way.bytes_left = None
        if not self.model.here() or not self.model.known:
            return
        self.now += 60
        self._sync(Shortcut.EXACT)
        contested = {number for _, number in self.model.refused}
        followed = in_force(contested)
        self.world.stores.fresh()
        self._ask(self.world.settings, Shortcut.NEVER)
        assert in_force(contested) == followed


def in_force(contested: set[str]) -> dict[str, list[str]]:
    """Return who is here with what: without moments, and without the numbers that several claim,
    which depend on who came first."""
    who, here = Party.external_id, Party.departed_at.is_null()
    fields = [getattr(Party, name) for name in PARTY_FIELDS]
    versions = [getattr(Profile, name) for name in PROFILE_FIELDS]
    held = [getattr(Assignment, n) for n in ("role", "site", "partition", "number", "billed")]
    lines = Assignment.select(who, *held).join(Party).where(here, Assignment.valid_to == FOREVER)
    profiles = Profile.select(who, *versions).join(Party).where(here, Profile.valid_to == FOREVER)
    return {
        "people": sorted(map(repr, Party.select(who, *fields).where(here).tuples())),
        "lines": sorted(map(repr, lines.where(Assignment.number.not_in([*contested])).tuples())),
        "profiles": sorted(map(repr, profiles.tuples())),
    }


# --- the stories ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def provider(
    server: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Slapd]:
    running = Slapd(server, tmp_path_factory.mktemp("machine"), SYNCPROV)
    assert running.admin.add(AWAY, "organizationalUnit")
    yield running
    running.stop()


@pytest.fixture
def world(provider: Slapd, secret: Path, tmp_path: Path) -> Iterator[World]:
    way, stores = Way(), Stores(tmp_path)
    with proxy(provider.port, way.answer) as port:
        section = directory_settings(
            servers=(f"ldap://127.0.0.1:{port}",),
            bind_dn=READER,
            bind_password_file=secret,
            base=PEOPLE,
            mapping=MAPPING,
            page_size=3,
            max_departures=Percent(100),
            max_changes=Percent(100),
            grace=GRACE,
        )
        yield World(provider, way, section, stores)
    stores.close()


@pytest.mark.timeout(0 if EXAMPLES > 50 else 300)
def test_any_story_of_a_directory(world: World) -> None:
    run_state_machine_as_test(
        partial(DirectoryMachine, world),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            # The notes of a failing story tell what happened; to shorten it takes minutes.
            phases=Phase if EXAMPLES > 50 else (Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
