"""Whatever happens to people, numbers, lists and the licence, in whatever order: who holds a slot and
whose calls are shown is what a model of two pages says.

The model is written from the sentences of the manual alone. It keeps facts, who had which number
from when to when, what was seen, what a list said, and asks all of them each time; it knows no slot
keys, marks, runs or tables.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from syncd.calls import release
from syncd.calls.batch import ParsedFile
from syncd.calls.directory_view import rules_of
from syncd.calls.pipeline import Pipeline
from syncd.calls.release import release_calls, work_off
from syncd.cdr import ledger
from syncd.cdr.drivers.cucm import cucm
from syncd.demo.cucm_writer import row, write_cucm_file
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.licensing.claims import Terms
from syncd.licensing.view import view
from syncd.store.database import open_database, write_transaction
from syncd.store.models import (
    Assignment,
    Call,
    CallWithheld,
    File,
    HuntGroup,
    HuntMember,
    Line,
    MaintenanceRun,
    Party,
    Record,
    database,
)
from tests.support.bed import START, Bed, make_bed
from tests.support.phones import leg
from tests.support.stores import be_quick, copy_tree

EXAMPLES = int(os.environ.get("SYNCD_EXAMPLES", "15"))
"""How many stories are told; ``SYNCD_EXAMPLES=500`` for a sweep."""
NAMES = ("anna", "bruno", "carla")
NUMBERS = ("2001", "2002", "2003", "2004", "2005", "2006")
ROLES = (Role.FIRST, Role.OTHER, Role.FAX, Role.VOICEMAIL, Role.ALIAS)
PILOT = "6100"
AGO = st.sampled_from((0, 0, 50, 300, 1500))
CALLS = st.lists(st.tuples(st.sampled_from(NUMBERS), AGO), min_size=1, max_size=3)
OUTSIDE = "+33123456789"

Key = tuple[str, str, str]
"""What holds a slot: (person, kind of number, number of a further extension), or ("", "", number) of
a number without a person."""
RANKS = {Role.FIRST: 0, Role.OTHER: 0, Role.FAX: 1, Role.VOICEMAIL: 2}


@dataclass
class Held:
    """Somebody had a number in a role, billed or not, since … until."""

    person: str
    role: Role
    number: str
    billed: bool
    learned: int
    since: int
    until: int = FOREVER

    @property
    def key(self) -> Key:
        """An alias goes with the first extension; each further extension has a slot of its own."""
        role = Role.FIRST if self.role is Role.ALIAS else self.role
        return self.person, role.word, self.number if role is Role.OTHER else ""


@dataclass
class Seen:
    """A number that was documented without a person."""

    learned: int
    hunt: bool = False
    listed: bool = False
    unlisted_at: int = 0


@dataclass
class Row:
    """A call of a line."""

    person: str
    role: Role
    number: str
    key: Key
    start: int
    hunt: bool
    shown: bool = False

    @property
    def same(self) -> tuple[str, Role, str]:
        return self.person, self.role, self.number


@dataclass
class Model:
    """The facts, and what follows from them."""

    now: int = START + 1000
    slots: int | None = None
    acquisition: bool = False
    held: list[Held] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    left_out: dict[str, bool] = field(default_factory=dict)
    """Numbers that acquisition would have taken: were they hunt numbers?"""
    listed: set[str] = field(default_factory=set)
    past: list[tuple[int, set[Key]]] = field(default_factory=list)
    """(moment, who held a slot) of every unit of work."""
    calls: dict[int, tuple[int, str, bool]] = field(default_factory=dict)
    rows: dict[int, list[Row]] = field(default_factory=dict)

    def current(self) -> list[Held]:
        return [one for one in self.held if one.since <= self.now < one.until]

    def who_has(self, number: str, when: int) -> Held | None:
        found = [one for one in self.held if one.number == number and one.since <= when < one.until]
        assert len(found) < 2
        return found[0] if found else None

    def is_hunt(self, number: str) -> bool:
        return number in self.seen and (self.seen[number].hunt or number in self.listed)

    def queue(self) -> list[tuple[Key, str]]:
        """All who want a slot (with their line), in the order in which they are served."""
        wishes = []
        for one in self.current():
            if one.billed and one.role in RANKS:
                learned = min(other.learned for other in self.held if _same(other, one))
                wishes.append((0, RANKS[one.role], learned, one.number, one.key))
        for number, seen in self.seen.items():
            free = self.who_has(number, self.now) is None
            if self.acquisition and free and not self.is_hunt(number):
                wishes.append((1, 0, seen.learned, number, ("", "", number)))
        return [(key, number) for *_, number, key in sorted(wishes)]

    def granted(self) -> list[tuple[Key, str]]:
        queue = self.queue()
        return queue if self.slots is None else queue[: self.slots]

    def holds_now(self, key: Key) -> bool:
        """A number without a person is shown for whoever has it now, and when it is a hunt number."""
        holders = {one for one, _ in self.granted()}
        if self.slots is None or key in holders:
            return True
        person, _, number = key
        if person:
            return False
        heir = self.who_has(number, self.now)
        return self.is_hunt(number) or (
            heir is not None and heir.billed and heir.key in holders and number in self.seen
        )

    def held_then(self, key: Key, when: int) -> bool:
        before = [holders for moment, holders in self.past if moment <= when]
        return bool(before) and key in before[-1]

    def unit_of_work(self) -> None:
        """Lists are looked at, slots granted, calls released."""
        for number, seen in self.seen.items():
            if seen.listed and number not in self.listed:
                seen.hunt, seen.unlisted_at = False, self.now
            seen.listed = number in self.listed
        self.past.append((self.now, {key for key, _ in self.granted()}))
        for rows in self.rows.values():
            for one in rows:
                one.shown = one.shown or self.holds_now(one.key)

    def arrive(self, call: int) -> None:
        """A record comes, or is decided once more."""
        start, number, hunted = self.calls[call]
        before = {one.same for one in self.rows.pop(call, ()) if one.shown}
        made = []
        for at, hunt in ((number, hunted), *([(PILOT, True)] if hunted else [])):
            holder = self.who_has(at, start)
            if holder is not None:
                if holder.billed:
                    made.append(Row(holder.person, holder.role, at, holder.key, start, hunt=False))
            elif self.acquisition:
                made.append(Row("", Role.ACQUIRED, at, ("", "", at), start, hunt))
                seen = self.seen.setdefault(at, Seen(self.now))
                seen.hunt |= hunt and (seen.listed or start >= seen.unlisted_at)
            else:
                self.left_out[at] = self.left_out.get(at, False) or hunt
        self.rows[call] = []
        self.unit_of_work()
        for one in made:
            one.shown = (
                one.hunt
                or one.same in before
                or self.held_then(one.key, start)
                or self.holds_now(one.key)
            )
        self.rows[call] = made

    def would_take(self) -> set[str]:
        """What automatic acquisition would add, were it on and all files read again."""
        free = {
            number
            for number in {*self.seen, *self.left_out}
            if self.who_has(number, self.now) is None and number not in self.listed
        }
        known = {number for number, seen in self.seen.items() if self.acquisition or seen.hunt}
        hunts = {
            number for number, hunt in self.left_out.items() if hunt and number not in self.seen
        }
        return free - known - hunts


def _same(one: Held, other: Held) -> bool:
    return one.key == other.key and one.role in RANKS


class Licensing(RuleBasedStateMachine):
    """Does to syncd what the model is told."""

    template: Path
    folder: Path
    stories = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).stories += 1
        self.root = self.folder / str(self.stories)
        copy_tree(self.template, self.root)
        be_quick(open_database("sqlite:///test.db", self.root / "state"))
        self.bed: Bed = self.template_bed
        self.model = Model()
        self.context = self.template_bed.context
        self.parties: dict[str, int] = {}

    template_bed: Bed

    def teardown(self) -> None:
        database.close()
        shutil.rmtree(self.root)

    # --- the directory

    @initialize(slots=st.integers(0, 3), acquisition=st.booleans(), numbered=st.integers(1, 3))
    def people(self, slots: int, acquisition: bool, numbered: int) -> None:
        self.model.slots, self.model.acquisition = slots, acquisition
        with write_transaction():
            for name in NAMES:
                party = Party.create(
                    source="test",
                    external_id=name,
                    arrived_at=0,
                    username=name,
                    username_key=name,
                    display_name=name,
                )
                self.parties[name] = party.id
        for name, number in [*zip(NAMES, NUMBERS, strict=False)][:numbered]:
            self.begin(name, Role.FIRST, number, billed=True)
        self.model.now += 100

    def begin(self, person: str, role: Role, number: str, *, billed: bool) -> None:
        now = self.model.now
        self.model.held.append(Held(person, role, number, billed, now, now))
        party = Party.get_by_id(self.parties[person])
        with write_transaction():
            self.bed.assign(party, role, number, billed, since=now, learned_at=now)
            self.bed.directory_changed()

    def end(self, one: Held) -> None:
        one.until = self.model.now
        with write_transaction():
            Assignment.update(valid_to=self.model.now).where(
                Assignment.party == self.parties[one.person],
                Assignment.role == int(one.role),
                Assignment.number == one.number,
                Assignment.valid_to == FOREVER,
            ).execute()
            self.bed.directory_changed()

    def free(self) -> list[str]:
        taken = {one.number for one in self.model.current()}
        return [number for number in NUMBERS if number not in taken]

    def roles_of(self, person: str) -> set[Role]:
        return {one.role for one in self.model.current() if one.person == person}

    @rule(data=st.data(), seconds=st.sampled_from((0, 1, 100, 500)))
    def the_directory_changes(self, data: st.DataObject, seconds: int) -> None:
        self.model.now += seconds
        possible = [self.a_list_changes]
        if self.free():
            possible += [self.somebody_gets_a_number] * 2
        if self.model.current():
            possible += [self.billing_is_turned, self.somebody_leaves]
            if self.free():
                possible.append(self.somebody_is_renumbered)
        if len(self.model.current()) > 1:
            possible.append(self.numbers_are_swapped)
        data.draw(st.sampled_from(possible))(data)

    def somebody_gets_a_number(self, data: st.DataObject) -> None:
        """Arrival, return, another number beside the first."""
        person, role = data.draw(st.sampled_from(NAMES)), data.draw(st.sampled_from(ROLES))
        number = data.draw(st.sampled_from(self.free()))
        roles = self.roles_of(person)
        if Role.FIRST not in roles:
            role = Role.FIRST
        if role in roles and role is not Role.OTHER:
            return
        billed = role is Role.FIRST or any(
            one.billed for one in self.model.current() if one.person == person
        )
        self.begin(person, role, number, billed=billed)

    def billing_is_turned(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(self.model.current())).person
        for one in [one for one in self.model.current() if one.person == person]:
            self.end(one)
            self.begin(person, one.role, one.number, billed=not one.billed)

    def somebody_leaves(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(self.model.current())).person
        for one in [one for one in self.model.current() if one.person == person]:
            self.end(one)

    def numbers_are_swapped(self, data: st.DataObject) -> None:
        pair = st.lists(st.sampled_from(self.model.current()), min_size=2, max_size=2, unique_by=id)
        one, other = data.draw(pair)
        self.end(one)
        self.end(other)
        self.begin(one.person, one.role, other.number, billed=one.billed)
        self.begin(other.person, other.role, one.number, billed=other.billed)

    def somebody_is_renumbered(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.model.current()))
        number = data.draw(st.sampled_from(self.free()))
        self.end(one)
        self.begin(one.person, one.role, number, billed=one.billed)

    def a_list_changes(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(NUMBERS))
        with write_transaction():
            group, _ = HuntGroup.get_or_create(source="list", name="Support", name_key="support")
            if number in self.model.listed:
                HuntMember.delete().where(HuntMember.number == number).execute()
            else:
                HuntMember.create(group=group, number=number)
        self.model.listed ^= {number}

    # --- the licence

    @rule(slots=st.sampled_from((0, 1, 1, 2, 2, 3, 4, None)), turned=st.sampled_from((0, 0, 1)))
    def the_settings_change(self, slots: int | None, turned: int) -> None:
        self.model.slots = slots
        self.model.acquisition ^= bool(turned)

    def terms(self) -> Terms:
        return Terms(self.model.slots, self.model.acquisition)

    @rule()
    def a_poll_finds_nothing(self) -> None:
        release_calls(self.terms(), self.context.zone, self.model.now)
        self.model.unit_of_work()

    # --- calls

    def pipeline(self) -> Pipeline:
        self.bed.context = self.context
        self.bed.change(slots=self.model.slots, acquisition=self.model.acquisition)
        context = self.bed.context
        pbx = ledger.pbx_id(context.pbx)
        return Pipeline(context, rules_of(context), pbx, self.model.now)

    def a_record_comes(self, number: str, ago: int, *, hunted: bool) -> None:
        """However late."""
        model = self.model
        model.now += 10
        call = len(model.calls) + 1
        start = max(model.now - ago, START)
        columns = leg(call, call * 2, call * 2 + 1, OUTSIDE, number, at=start - START)
        if hunted:
            columns |= {
                "originalCalledPartyNumber": PILOT,
                "lastRedirectDn": PILOT,
                "huntPilotDN": PILOT,
                "calledPartyPatternUsage": 7,
            }
        path = write_cucm_file(self.root / f"cdr_{call}", [row(**columns)])
        data = path.read_bytes()
        with write_transaction():
            file = File.create(
                source="hq", name=path.name, sha256=str(call), state=1, taken_at=model.now
            )
            rows = list(cucm.rows(io.BytesIO(data), path.name))
            self.pipeline().take([ParsedFile(file.id, path.name, rows, data)])
        work_off(self.context.zone, model.now)
        model.calls[call] = (start, number, hunted)
        model.arrive(call)

    @rule(calls=CALLS)
    def records_come(self, calls: list[tuple[str, int]]) -> None:
        for number, ago in calls:
            self.a_record_comes(number, ago, hunted=False)

    @precondition(lambda self: self.model.current())
    @rule(data=st.data(), ago=AGO)
    def somebody_is_called(self, data: st.DataObject, ago: int) -> None:
        one = data.draw(st.sampled_from(self.model.current()))
        self.a_record_comes(one.number, ago, hunted=False)

    @precondition(lambda self: self.model.seen)
    @rule(data=st.data(), ago=AGO)
    def a_number_without_a_person_is_called(self, data: st.DataObject, ago: int) -> None:
        self.a_record_comes(data.draw(st.sampled_from(sorted(self.model.seen))), ago, hunted=False)

    @rule(number=st.sampled_from(NUMBERS), ago=AGO)
    def somebody_is_called_through_the_pilot(self, number: str, ago: int) -> None:
        self.a_record_comes(number, ago, hunted=True)

    @precondition(lambda self: self.model.calls)
    @rule(data=st.data())
    def a_record_is_decided_again(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.model.calls)))
        with write_transaction():
            self.pipeline().decide_again([Record.get(Record.call_ref == (1 << 32 | call)).id])
        work_off(self.context.zone, self.model.now)
        self.model.arrive(call)

    # --- what must be

    @invariant()
    def calls_are_shown_or_withheld(self) -> None:
        refs = {record.id: record.call_ref & 0xFFFFFFFF for record in Record.select()}
        lines = dict(Line.select(Line.id, Line.number).tuples())
        names = {party: name for name, party in self.parties.items()}
        for table, shown in ((Call, True), (CallWithheld, False)):
            found = sorted(
                (
                    refs[one.id >> 3],
                    names.get(one.party_id, ""),
                    Role(one.role).word,
                    lines[one.line_id],
                )
                for one in table.select()
            )
            wanted = sorted(
                (call, one.person, one.role.word, one.number)
                for call, rows in self.model.rows.items()
                for one in rows
                if one.shown is shown
            )
            assert found == wanted, table.__name__
        assert not MaintenanceRun.select().where(MaintenanceRun.state != release.DONE).exists()

    @invariant()
    def slots_are_held_in_the_order_of_the_queue(self) -> None:
        seen = view(self.terms(), self.model.now)
        queue, granted = self.model.queue(), self.model.granted()
        assert [one.line_id for one in seen.holders] == [number for _, number in granted]
        assert [one.line_id for one in seen.waiting_lines][: len(queue) - len(granted)] == [
            number for _, number in queue[len(granted) :]
        ]
        uses = {one.person: (one.held, one.held + one.waiting) for one in seen.people}
        wanted = {
            name: tuple(sum(key[0] == name for key, _ in some) for some in (granted, queue))
            for name in {key[0] for key, _ in queue} - {""}
        }
        assert uses == wanted
        hunts = [number for number in sorted(self.model.seen) if self.model.is_hunt(number)]
        assert list(seen.hunt_lines) == hunts

    @invariant()
    def the_forecast_is_what_acquisition_would_take(self) -> None:
        told = view(self.terms(), self.model.now).forecast
        wanted = self.model.would_take()
        assert set(told.lines) == wanted
        if self.model.slots is not None:
            room = max(self.model.slots - len(self.model.queue()), 0)
            assert told.beyond == max(len(wanted) - room, 0)


@pytest.fixture
def template(tmp_path: Path) -> Iterator[Path]:
    base = tmp_path / "template"
    base.mkdir()
    Licensing.template_bed = make_bed(base)
    database.close()
    Licensing.template, Licensing.folder = base, tmp_path
    yield base


def test_any_order_of_events(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "ROWS_AT_ONCE", 2)
    run_state_machine_as_test(
        Licensing,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
