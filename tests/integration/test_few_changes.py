"""A sync of what changed looks at few people, and decides what it would decide of everybody."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.directory import sync as module
from syncd.directory.few import narrow_few
from syncd.directory.guard import Limits, weigh
from syncd.directory.incremental import Shortcut, laid_over
from syncd.directory.narrow import narrow
from syncd.directory.people.proposals import proposals
from syncd.directory.plan import NAMED_FIELDS, Current, Plan, Rest
from syncd.directory.reconcile import plan
from syncd.directory.stored import StoredParties, load_ids
from syncd.directory.stored_counts import StoredCounts
from syncd.directory.sync import sync_source
from syncd.domain.errors import RefusedError
from syncd.domain.party import PARTY_FIELDS, PartyState
from syncd.store.database import open_database
from syncd.store.models import Party, SourceUnsettled
from tests.directory_settings import Site, directory_settings
from tests.integration import test_incremental_property as world
from tests.integration.test_incremental_property import Directory, Step, options
from tests.support.stores import be_quick, copy_file

NOW = 1_790_000_000


@dataclass(frozen=True)
class Spelling(Site):
    """A site that knows its numbers in several spellings, and a short code."""

    codes: tuple[str, ...] = ("*9",)

    def same(self, number: str) -> str:
        if number == "*9":
            return "+392002"
        number = number.rstrip("#")
        if number.startswith("0"):
            return f"+39{number[1:]}"
        return number if number.startswith("+") else ""


SITES = (Spelling("hq", ("2XXX",)), Site("far", ("6XXX",)))
VALUES = {
    "telephoneNumber": ("2001", "02001", "+392002", "02002#", "*9", "2002"),
    "pager": ("6000", "+392001", "2001"),
    "departmentNumber": ("Sales", "IT", "sales "),
    "homePhone": ("2002", "+392002"),
}
FIRST = dict(zip(world.NAMES, ("02001", "+392002", "*9", "2003", "2004", None), strict=True))
"""What each has in the beginning: about them there is nothing to decide."""
names = st.sampled_from(world.NAMES)
happening = (
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda attribute: st.builds(
            Step,
            st.sampled_from(["change", "change", "add"]),
            names,
            st.just(attribute),
            st.none() | st.sampled_from(VALUES[attribute]),
        )
    )
    | st.builds(Step, st.just("change"), names, st.just("uid"), st.sampled_from(("A", "ß", "ss")))
    | st.builds(Step, st.sampled_from(["add", "delete", "rename"]), names)
    | st.sampled_from([Step("poll"), Step("poll"), Step("poll"), Step("full")])
)
scripts = st.lists(happening, max_size=30)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables and nobody in it."""
    folder = tmp_path_factory.mktemp("empty")
    open_database(f"sqlite:///{folder}/syncd.db", folder).close()
    return folder / "syncd.db"


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[peewee.Database]:
    database = open_database(f"sqlite:///{tmp_path}/syncd.db", tmp_path)
    be_quick(database)
    yield database
    database.close()


def decided(current: Current, said: list[PartyState], terms: Any) -> dict[str, list[str]]:
    """Return what a plan does and what the guard makes of it, in an order that does not matter."""
    found: Plan = plan(current, said, terms)
    parts: dict[str, Any] = {
        "newcomers": [*found.newcomers, *found.arrivals],
        "weighed": weigh(current, found, Limits()),
        "proposals": proposals(current, found, {}),
    }
    for name in ("departures", "returns", "closed_parties", "changes", "closings", "openings"):
        parts[name] = getattr(found, name)
    for name in ("profile_closings", "profile_openings", "conflicts", "warnings", "differences"):
        parts[name] = getattr(found, name)
    return {name: sorted(map(repr, values)) for name, values in parts.items()}


@pytest.mark.sqlite("a new database for each of many stories takes minutes on a server")
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(scripts, st.sampled_from([0, 5000]))
def test_few_are_decided_as_everybody(
    scratch: peewee.Database,
    empty: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: list[Step],
    grace: int,
) -> None:
    scratch.close()
    copy_file(empty, Path(scratch.database))
    scratch.connect()

    def both(source: str, delta: Any, terms: Any, locks: Any, version: int) -> Any:
        found = narrow_few(source, delta, terms, locks, version)
        assert found is not None
        said = laid_over(load_ids(source), delta)
        whole = narrow(StoredParties(source), said, terms, locks)
        assert decided(*found, terms) == decided(*whole, terms)
        looked_at.append(len(found[0].parties))
        return found

    monkeypatch.setattr(module, "narrow_few", both)
    looked_at: list[int] = []
    directory = Directory()
    for name, number in FIRST.items():
        directory.do(Step("add", name, "telephoneNumber", number))
    section = directory_settings(**options(grace=grace, site="hq"))
    now = NOW
    for step in (Step("full"), *script, Step("poll")):
        if step.what not in ("poll", "full"):
            directory.do(step)
            continue
        now += 3600
        shortcut = Shortcut.EXACT if step.what == "poll" else Shortcut.NEVER
        try:
            sync_source(section, directory, SITES, now=now, shortcut=shortcut)
        except RefusedError:
            assert not directory.visible


@pytest.fixture
def company(store: peewee.Database) -> tuple[Directory, Any]:
    directory = Directory()
    section = directory_settings(**options(grace=0))

    def sync(now: int) -> Any:
        return sync_source(section, directory, SITES, now=now, shortcut=Shortcut.EXACT)

    for name in world.NAMES:
        directory.do(Step("add", name, "telephoneNumber", f"200{world.NAMES.index(name)}"))
    sync(NOW)
    return directory, sync


def looks_at_everybody(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    looked: list[str] = []

    def everybody(self: StoredParties) -> Any:
        looked.append("everybody")
        return stock(self)

    stock = StoredParties.everybody
    monkeypatch.setattr(StoredParties, "everybody", everybody)
    return looked


def test_one_change_looks_at_nobody_else(
    company: tuple[Directory, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, sync = company
    looked = looks_at_everybody(monkeypatch)
    directory.do(Step("change", "a", "departmentNumber", "IT"))
    outcome = sync(NOW + 60)
    assert (outcome.incremental, outcome.changed) == (True, 1)
    of = {each.measure.check: each.measure.concerned for each in outcome.guard}
    assert (of["departures"], of["numbers"], of["levels"]) == (6, 6, 6)
    assert looked == []
    [party] = json.loads(SourceUnsettled.get().parties)
    assert Party.get_by_id(party).username == "a"


def test_what_somebody_else_changed_is_looked_for_everywhere(
    company: tuple[Directory, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, sync = company
    looked = looks_at_everybody(monkeypatch)
    module.apply_plan(Plan(), "local", NOW, 1)  # counts the version up
    directory.do(Step("change", "a", "departmentNumber", "IT"))
    assert sync(NOW + 60).incremental
    assert looked == ["everybody"]
    directory.do(Step("change", "b", "departmentNumber", "IT"))
    assert sync(NOW + 120).incremental
    assert looked == ["everybody"]


def test_a_conflict_that_is_not_mended_costs_no_look_at_everybody(
    company: tuple[Directory, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, sync = company
    directory.do(Step("change", "a", "telephoneNumber", "2001"))  # that is b's
    assert len(sync(NOW + 60).conflicts) == 1
    looked = looks_at_everybody(monkeypatch)
    for later in (120, 180):
        assert len(sync(NOW + later).conflicts) == 1
    directory.do(Step("change", "b", "telephoneNumber", "2009"))
    outcome = sync(NOW + 240)
    assert (outcome.conflicts, looked) == ((), [])
    assert {(each.who, each.field, each.new) for each in outcome.differences} == {
        ("a", "first line", "2001"),
        ("b", "first_extension", "2009"),
    }


def test_people_of_another_source_hold_what_they_hold(company: tuple[Directory, Any]) -> None:
    directory, sync = company
    other = Directory()
    other.do(Step("add", "z", "telephoneNumber", "2009"))
    section = directory_settings(**options(name="other"))
    sync_source(section, other, SITES, now=NOW + 10, shortcut=Shortcut.NEVER)
    sync(NOW + 60)
    directory.do(Step("change", "a", "telephoneNumber", "2009"))
    [conflict] = sync(NOW + 120).conflicts
    assert (conflict.who, conflict.holder) == ("a", "z")


@pytest.mark.parametrize(
    ("has", "wants"),
    [
        ("02001", "+392001"),
        ("+392001", "02001"),
        ("02001#", "+392001"),
        ("+392002", "*9"),
        ("*9", "+392002"),
        ("*9", "02002"),
    ],
)
def test_a_number_is_found_in_another_spelling(
    store: peewee.Database, monkeypatch: pytest.MonkeyPatch, has: str, wants: str
) -> None:
    directory = Directory()
    directory.do(Step("add", "a", "telephoneNumber", has))
    directory.do(Step("add", "b", "telephoneNumber", "2005"))
    section = directory_settings(**options(site="hq"))
    sync_source(section, directory, SITES, now=NOW)
    looked = looks_at_everybody(monkeypatch)
    directory.do(Step("change", "b", "telephoneNumber", wants))
    outcome = sync_source(section, directory, SITES, now=NOW + 60, shortcut=Shortcut.EXACT)
    [conflict] = outcome.conflicts
    assert (conflict.who, conflict.holder, looked) == ("b", "a", [])


def test_who_would_be_the_last_to_leave_is_refused(company: tuple[Directory, Any]) -> None:
    directory, sync = company
    for name in world.NAMES:
        directory.do(Step("delete", name))
    with pytest.raises(RefusedError, match="no entry under base and filter"):
        sync(NOW + 60)


def test_the_database_counts_as_one_who_looks_at_everybody(company: tuple[Directory, Any]) -> None:
    directory, sync = company
    directory.do(Step("change", "a", "departmentNumber", "IT"))
    directory.do(Step("change", "b", "departmentNumber", "Sales"))
    directory.do(Step("change", "c", "homePhone", "2008"))
    directory.do(Step("delete", "f"))
    sync(NOW + 60)
    people = [person for person in StoredParties("corp").everybody() if person[0] is not None]
    for left_out in ([], people[:2], people[1:4]):
        told, counted = StoredCounts("corp", left_out), Rest()
        for row, held in people:
            if row.departed_at is None and (row, held) not in left_out:
                counted.count(row, held)
        assert (told.people, told.numbers, told.flags) == (
            counted.people,
            counted.numbers,
            counted.flags,
        )
        for name in PARTY_FIELDS:
            assert told.filled_in(name) == counted.filled_in(name), name
        for name in NAMED_FIELDS:
            assert +Counter(told.named(name)) == counted.named(name)
