"""Incremental syncs are only a shortcut: whatever happens in a directory, they end where full ones
would.

A directory in memory tells its changes as OpenLDAP does, with the list of who is gone or with the
list of who is present. Of two stores, one follows by changes (with full readings strewn in), the
other reads everything at the same moments: both must be the same, moments included. And a full
reading at the end, by somebody who saw nothing before, finds the same people with the same things.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.directory.incremental import Shortcut
from syncd.directory.protocol import Changes, Entry, FullReadNeeded, Snapshot
from syncd.directory.sync import sync_source
from syncd.domain.clock import FOREVER
from syncd.domain.errors import RefusedError
from syncd.domain.party import PARTY_FIELDS, PROFILE_FIELDS
from syncd.settings.model import Percent
from syncd.store.database import open_database
from syncd.store.models import Assignment, Party, Profile, SourceCookie
from tests.directory_settings import Site, directory_settings
from tests.integration.slapd import PEOPLE, READER, SYNCPROV, Slapd
from tests.support.stores import be_quick, copy_file

NOW = 1_790_000_000
SITES = [Site("hq", ("2XXX",))]
NAMES = tuple("abcdef")
NUMBERS = ("2001", "2002", "2003", "2004", "12", "bad number")
ATTRIBUTES = ("telephoneNumber", "pager", "departmentNumber", "homePhone", "title")
VALUES = {
    "telephoneNumber": NUMBERS,
    "pager": ("6000", "2001"),
    "departmentNumber": ("Sales", "IT", "sales "),
    "homePhone": ("2002", "2003"),
    "title": ("0", "6", "nonsense"),
}
GRACE = 5000


@dataclass(frozen=True)
class Step:
    """One thing that happens: in the directory, or a poll of it."""

    what: str
    who: str = ""
    attribute: str = ""
    value: str | None = None


names = st.sampled_from(NAMES)
changes = st.sampled_from(ATTRIBUTES).flatmap(
    lambda attribute: st.builds(
        Step,
        st.sampled_from(["change", "change", "add"]),
        names,
        st.just(attribute),
        st.none() | st.sampled_from(VALUES[attribute]),
    )
)
single = (
    changes
    | st.builds(Step, st.sampled_from(["add", "delete", "rename", "hide", "show"]), names)
    | st.sampled_from([Step("poll"), Step("poll"), Step("full"), Step("restart")])
)
LOST_LOG = (Step("restart"), Step("poll"))
IDLE = (Step("poll"), Step("poll"), Step("poll"))
bursts = (
    single.map(lambda step: (step,))
    | names.map(lambda who: (Step("poll"), Step("delete", who), *LOST_LOG))
    | st.just(tuple(Step("add", who) for who in NAMES))
    | st.just(IDLE)
)
"""Single steps, and what takes several to show: the present phase, the end of a grace."""
steps = st.lists(bursts, max_size=20).map(lambda found: [step for part in found for step in part])


@dataclass
class Person:
    identity: str
    attributes: dict[str, list[str]]
    visible: bool = True
    """Whether the entry is under the filter."""
    changed: int = 0


@dataclass
class Directory:
    """Entries in the order in which they were made, and a log of what became of them."""

    people: dict[str, Person] = field(default_factory=dict)
    made: int = 0
    clock: int = 0
    lost_before: int = 0
    """Who is gone is remembered from then on."""
    gone: list[tuple[int, str]] = field(default_factory=list)

    def do(self, step: Step) -> None:
        self.clock += 1
        person = self.people.get(step.who)
        if step.what == "restart":
            self.lost_before = self.clock
        elif step.what == "add":
            if person is None:
                self.made += 1
                person = Person(f"id-{self.made:04}", {"uid": [step.who], "cn": [step.who]})
                self.people[step.who] = person
                self._set(person, step)
        elif person is None:
            return
        elif step.what == "change":
            self._set(person, step)
        elif step.what == "rename":
            person.attributes["cn"] = [f"{step.who} {self.clock}"]
        elif step.what == "delete":
            del self.people[step.who]
            self.gone.append((self.clock, person.identity))
        elif step.what in ("hide", "show"):
            visible = step.what == "show"
            if person.visible and not visible:
                self.gone.append((self.clock, person.identity))
            person.visible = visible
        if person is not None:
            person.changed = self.clock

    def _set(self, person: Person, step: Step) -> None:
        if step.attribute:
            values = [] if step.value is None else [step.value]
            person.attributes[step.attribute.lower()] = values

    @property
    def visible(self) -> list[Person]:
        return [person for person in self.people.values() if person.visible]

    # --- as a source -----------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        found = [self._entry(person) for person in self.visible]
        return Snapshot(found, True, "", "memory", cookie=str(self.clock))

    def changes(self, cookie: str) -> Changes:
        since = int(cookie)
        upserts = tuple(self._entry(each) for each in self.visible if each.changed > since)
        if since == self.clock:
            return Changes((), (), cookie, "memory")
        if since >= self.lost_before:
            here = {person.identity for person in self.visible}
            gone = {who for moment, who in self.gone if moment > since} - here
            return Changes(upserts, tuple(sorted(gone)), str(self.clock), "memory")
        present = frozenset(each.identity for each in self.visible if each.changed <= since)
        if not present:
            raise FullReadNeeded("the server does not say who is gone")
        return Changes(upserts, (), str(self.clock), "memory", present)

    def _entry(self, person: Person) -> Entry:
        values = {name: [*held] for name, held in person.attributes.items()}
        return Entry(f"uid={person.attributes['uid'][0]}", person.identity, values)


def options(**more: Any) -> dict[str, Any]:
    everything = {"max_departures": Percent(100), "max_changes": Percent(100), "grace": GRACE}
    return everything | more


def follow(script: Sequence[Step], *, by_changes: bool) -> tuple[Directory, int]:
    """Play a script before an empty store. Returns the directory and how many polls were by
    changes."""
    directory = Directory()
    section = directory_settings(**options())
    now, counted = NOW, 0
    for step in (*script, Step("poll")):
        if step.what not in ("poll", "full"):
            directory.do(step)
            continue
        now += 3600
        shortcut = Shortcut.EXACT if by_changes and step.what == "poll" else Shortcut.NEVER
        try:
            outcome = sync_source(section, directory, SITES, now=now, shortcut=shortcut)
            counted += outcome.incremental
        except RefusedError:
            assert not directory.visible
    return directory, counted


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Return people, lines, assignments and profiles, with their moments."""
    who = Party.external_id
    fields = [getattr(Party, name) for name in PARTY_FIELDS]
    held = [getattr(Assignment, n) for n in ("role", "site", "partition", "number", "billed")]
    moments = [Assignment.shared, Assignment.valid_from, Assignment.valid_to]
    versions = [getattr(Profile, name) for name in PROFILE_FIELDS]
    people = Party.select(who, Party.arrived_at, Party.departed_at, Party.closed_at, *fields)
    assignments = Assignment.select(who, *held, *moments).join(Party)
    profiles = Profile.select(who, *versions, Profile.valid_from, Profile.valid_to).join(Party)
    return {
        "people": sorted(map(repr, people.tuples())),
        "assignments": sorted(map(repr, assignments.tuples())),
        "profiles": sorted(map(repr, profiles.tuples())),
    }


def in_force() -> dict[str, list[tuple[Any, ...]]]:
    """Return who is here now, with what, apart from since when."""
    who = Party.external_id
    here = Party.departed_at.is_null()
    fields = [getattr(Party, name) for name in PARTY_FIELDS]
    held = [getattr(Assignment, n) for n in ("role", "site", "partition", "number", "billed")]
    versions = [getattr(Profile, name) for name in PROFILE_FIELDS]
    assignments = Assignment.select(who, *held, Assignment.shared).join(Party)
    profiles = Profile.select(who, *versions).join(Party)
    return {
        "people": sorted(map(repr, Party.select(who, *fields).where(here).tuples())),
        "assignments": sorted(
            map(repr, assignments.where(here & (Assignment.valid_to == FOREVER)).tuples())
        ),
        "profiles": sorted(
            map(repr, profiles.where(here & (Profile.valid_to == FOREVER)).tuples())
        ),
    }


class Stores:
    """Empty stores, as many as wanted, each a copy of one that was made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        open_database("sqlite:///empty.db", folder).close()
        self.open: peewee.Database | None = None

    def fresh(self) -> None:
        self.close()
        copy_file(self.folder / "empty.db", self.folder / "used.db")
        self.open = open_database("sqlite:///used.db", self.folder)
        be_quick(self.open)

    def close(self) -> None:
        if self.open is not None:
            self.open.close()
            for name in ("used.db", "used.db-wal", "used.db-shm"):
                (self.folder / name).unlink(missing_ok=True)
        self.open = None


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    made = Stores(tmp_path)
    yield made
    made.close()


REPEATED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.mark.sqlite("a new database for each of many stories takes minutes on a server")
@settings(max_examples=60, suppress_health_check=REPEATED)
@given(script=steps)
def test_changes_lead_where_full_readings_lead(stores: Stores, script: list[Step]) -> None:
    stores.fresh()
    follow(script, by_changes=True)
    by_changes = everything()
    stores.fresh()
    follow(script, by_changes=False)
    assert by_changes == everything()


def one_owner_each(script: list[Step]) -> list[Step]:
    """Give everybody numbers of their own: who holds a contested one depends on who came first, and
    a bad value leaves what was there before."""
    own = []
    for step in script:
        value = step.value
        if value is not None and step.attribute in ("telephoneNumber", "pager", "homePhone"):
            value = f"2{NAMES.index(step.who)}{ATTRIBUTES.index(step.attribute)}{len(value)}"
        own.append(
            Step(step.what, step.who, step.attribute, None if value == "nonsense" else value)
        )
    return own


@settings(max_examples=60, suppress_health_check=REPEATED)
@given(script=steps.map(one_owner_each))
def test_who_reads_once_at_the_end_finds_the_same(stores: Stores, script: list[Step]) -> None:
    stores.fresh()
    directory, _ = follow(script, by_changes=True)
    if not directory.visible:
        return
    followed = in_force()
    stores.fresh()
    sync_source(directory_settings(**options()), directory, SITES, now=NOW)
    assert followed == in_force()


def test_the_shortcut_is_taken(stores: Stores) -> None:
    """Else the properties would compare full readings with full readings."""
    stores.fresh()
    script = [Step("add", "a"), Step("add", "b"), Step("full")]
    script += [Step("delete", "a"), Step("poll"), Step("restart"), Step("add", "c"), Step("poll")]
    assert follow(script, by_changes=True)[1] == 3


# --- the same before a real server ---------------------------------------------------------------


@pytest.fixture(scope="session")
def syncprov(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    running = Slapd(server, tmp_path_factory.mktemp("syncprov"), SYNCPROV)
    yield running
    running.stop()


def do(slapd: Slapd, here: dict[str, str], step: Step) -> None:
    """Make a step of the script happen on a server; ``here`` has where each entry is, its RDN."""
    values = {} if not step.value else {step.attribute: step.value}
    if step.what == "restart":
        slapd.restart()
    elif step.what == "add":
        if step.who not in here:
            slapd.add(step.who, **values)
            here[step.who] = step.who
    elif step.who not in here:
        return
    elif step.what == "change":
        slapd.modify(here[step.who], **{step.attribute: step.value})
    elif step.what == "delete":
        slapd.delete(here.pop(step.who))
    elif step.what == "rename":
        new = f"{step.who}{len(here[step.who])}" if here[step.who] == step.who else step.who
        slapd.rename(here[step.who], new)
        here[step.who] = new
    else:  # out of the filter and in again
        slapd.modify(here[step.who], employeeNumber="hidden" if step.what == "hide" else None)


@settings(max_examples=12, suppress_health_check=REPEATED)
@given(script=steps.map(one_owner_each))
def test_the_same_before_a_real_server(
    stores: Stores, syncprov: Slapd, secret: Path, script: list[Step]
) -> None:
    from syncd.directory.sources.ldap import LdapSource

    syncprov.clear()
    syncprov.add("first")
    section = directory_settings(
        **options(
            servers=(syncprov.url,),
            bind_dn=READER,
            bind_password_file=secret,
            base=PEOPLE,
            filter="(&(objectClass=inetOrgPerson)(!(employeeNumber=hidden)))",
        )
    )
    stores.fresh()
    now = NOW
    here: dict[str, str] = {}
    for step in (Step("full"), *script, Step("poll")):
        if step.what in ("poll", "full"):
            now += 3600
            shortcut = Shortcut.EXACT if step.what == "poll" else Shortcut.NEVER
            sync_source(section, LdapSource(section), SITES, now=now, shortcut=shortcut)
        else:
            do(syncprov, here, step)
    assert SourceCookie.select().count() == 1
    followed = in_force()
    stores.fresh()
    sync_source(section, LdapSource(section), SITES, now=NOW)
    assert followed == in_force()
