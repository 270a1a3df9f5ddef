"""Reconcile: people, numbers and profiles from snapshots, against a store of a few lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.directory import assignments
from syncd.directory.claims import Keys, claims_of
from syncd.directory.guard import Limits, measures, weigh
from syncd.directory.narrow import narrow
from syncd.directory.packed import PackedStates
from syncd.directory.people.proposals import proposals
from syncd.directory.plan import (
    LOCAL,
    Current,
    Holding,
    Opening,
    OpenProfile,
    OtherParty,
    PartyRow,
    PastHolding,
    Plan,
    ProfileOpening,
    Terms,
    fields_of,
    profile_values,
)
from syncd.directory.reconcile import plan
from syncd.domain.clock import BEGINNING, FOREVER
from syncd.domain.codes import Role
from syncd.domain.party import PARTY_FIELDS, FieldValue, Line, PartyState, default_value
from tests.directory_settings import Site

NOW = 1_000_000


@dataclass
class Held:
    """An assignment as the store of these tests has it."""

    holding: Holding
    valid_to: int = FOREVER

    @property
    def valid_from(self) -> int:
        return self.holding.valid_from


@dataclass
class ProfileRow:
    party_id: int
    values: tuple[str, ...]
    valid_from: int
    valid_to: int = FOREVER


@dataclass
class Store:
    """Parties, assignments and profiles of several sources, in memory."""

    sites: tuple[Site, ...] = ()
    grace: int = 0
    parties: dict[int, tuple[str, PartyRow]] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    profiles: list[ProfileRow] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def current(self, source: str) -> Current:
        rows, others = [], {}
        for party_id, (name, row) in self.parties.items():
            if name == source:
                mine = [n for n, p in enumerate(self.profiles) if p.party_id == party_id]
                opened = [n for n in mine if self.profiles[n].valid_to == FOREVER]
                assert len(opened) <= 1
                profile = None
                if opened:
                    stored = self.profiles[opened[0]]
                    profile = OpenProfile(opened[0], stored.values, stored.valid_from)
                ended = [self.profiles[n].valid_to for n in mine if n not in opened]
                rows.append(replace(row, profile=profile, profile_until=max(ended, default=0)))
            else:
                others[party_id] = OtherParty(party_id, name, row.external_id, row.departed_at)
        holdings = [held.holding for held in self.held if held.valid_to == FOREVER]
        past = [
            PastHolding(
                h.holding.party_id, h.holding.role, h.holding.line, h.holding.shared, h.valid_to
            )
            for h in self.held
            if h.valid_to < FOREVER
        ]
        return Current(rows, others, holdings, past)

    def decide(self, wanted: list[PartyState], now: int, source: str, **terms: Any) -> Plan:
        given = Terms(now, source not in self.seen, self.grace, sites=self.sites, **terms)
        return plan(self.current(source), wanted, given)

    def sync(self, *wanted: PartyState, now: int = NOW, source: str = "corp", **terms: Any) -> Plan:
        decided = self.decide(list(wanted), now, source, **terms)
        self.seen.add(source)
        self.apply(decided, now, source)
        return decided

    def apply(self, decided: Plan, now: int, source: str) -> None:
        ids: dict[int | str, int] = {party_id: party_id for party_id in self.parties}
        for arrival in decided.arrivals:
            party_id = len(self.parties) + 1
            ids[arrival.external_id] = party_id
            row = PartyRow(party_id, arrival.external_id, dict(arrival.fields))
            self.parties[party_id] = (source, row)
        for change in decided.changes:
            self.parties[change.party_id][1].fields[change.field] = change.new
        self._mark(decided.returns, departed_at=None, closed_at=None)
        self._mark(decided.departures, departed_at=now)
        self._mark(decided.closed_parties, closed_at=now)
        for closing in decided.closings:
            self.held[closing.holding.id].valid_to = closing.valid_to
        for profile in decided.profile_closings:
            self.profiles[profile.profile_id].valid_to = profile.valid_to
        for opening in decided.openings:
            role, line, billed = opening.claim
            owner = ids[opening.owner]
            holding = Holding(
                len(self.held), owner, role, line, billed, opening.shared, opening.valid_from
            )
            self.held.append(Held(holding))
        for opened in decided.profile_openings:
            row_id = ids[opened.owner]
            self.profiles.append(ProfileRow(row_id, opened.values, opened.valid_from))

    def _mark(self, party_ids: list[int], **columns: int | None) -> None:
        for party_id in party_ids:
            source, row = self.parties[party_id]
            self.parties[party_id] = (source, replace(row, **columns))  # type: ignore[arg-type]

    def history(self, number: str) -> list[tuple[str, str, int, int]]:
        """Return who held a number in which role, from when to when."""
        return [
            (
                self.parties[held.holding.party_id][1].external_id,
                held.holding.role.word,
                held.valid_from,
                held.valid_to,
            )
            for held in self.held
            if held.holding.line.number == number
        ]

    def check(self) -> None:
        """Assert what is true of every history."""
        keys = Keys(self.sites)
        for number, one in enumerate(self.held):
            assert one.valid_from < one.valid_to
            mine = set(keys.of(one.holding.role, one.holding.line))
            for other in self.held[:number]:
                if one.valid_from >= other.valid_to or other.valid_from >= one.valid_to:
                    continue
                if not mine.isdisjoint(keys.of(other.holding.role, other.holding.line)):
                    assert one.holding.shared and other.holding.shared
                    assert one.holding.role is other.holding.role is Role.VOICEMAIL
                    assert one.holding.party_id != other.holding.party_id
        for party_id, (_, row) in self.parties.items():
            mine_of = [profile for profile in self.profiles if profile.party_id == party_id]
            for earlier, later in pairwise(mine_of):
                assert earlier.valid_from < earlier.valid_to <= later.valid_from
            if row.closed_at is None:
                assert mine_of[-1].valid_to == FOREVER
                assert mine_of[-1].values == profile_values(row.fields)
            else:
                assert mine_of[-1].valid_to < FOREVER


def person(external_id: str, **fields: FieldValue) -> PartyState:
    return PartyState(external_id, fields, f"uid={external_id}")


def extension(external_id: str, number: str, **fields: FieldValue) -> PartyState:
    given = {"first_extension": number, "bill_first_extension": True}
    return person(external_id, **(given | fields))


# --- claims --------------------------------------------------------------------------------------


def claimed(**fields: FieldValue) -> list[tuple[str, str, bool]]:
    return [(claim.role.word, claim.line.line_id, claim.billed) for claim in claims_of(fields)]


def test_every_role_and_what_it_follows() -> None:
    fields: dict[str, FieldValue] = {
        "first_extension": "2001",
        "other_extensions": ("2002",),
        "fax_number": "2003",
        "voicemail_number": "2004",
        "extension_alias": ("2005", "+3906555"),
        "offnet_fax_number": "+39067",
        "mobile_number": "+39333",
        "cdr_user_id": "anna",
        "devices": ("SEP1",),
        "partition": "P",
        "bill_first_extension": True,
        "bill_fax": True,
    }
    assert claimed(**fields) == [
        ("first", "P.2001", True),
        ("other", "P.2002", True),
        ("fax", "P.2003", True),
        ("voicemail", "P.2004", False),
        ("alias", "P.2005", True),
        ("alias", "P.+3906555", True),
        ("offnet-fax", "P.+39067", True),
        ("user-id", "anna", True),
        ("device", "SEP1", True),
        ("mobile", "+39333", False),
    ]
    not_billed = claimed(**(fields | {"bill_first_extension": False}))
    assert not any(billed for _, _, billed in not_billed)


def test_one_number_in_two_roles_counts_once() -> None:
    assert claimed(
        first_extension="2001", fax_number="2001", extension_alias=("2001", "2002", "2002")
    ) == [("first", "2001", False), ("alias", "2002", False)]


def test_fax_and_voicemail_need_a_billed_first_extension() -> None:
    decided = Store().sync(
        person("a", fax_number="2003", bill_fax=True, bill_first_extension=True),
        extension("b", "2002", bill_fax=True),  # a flag without a number: nothing to say
        extension("c", "2001", voicemail_number="9", bill_voicemail=True),
    )
    assert [(warning.file, warning.what.split()[0]) for warning in decided.warnings] == [
        ("uid=a", "bill_fax")
    ]
    billed = {opening.claim.line.number: opening.claim.billed for opening in decided.openings}
    assert billed == {"2003": False, "2002": True, "2001": True, "9": True}


# --- people --------------------------------------------------------------------------------------


def test_the_first_sync_holds_from_the_beginning_and_later_ones_from_now() -> None:
    store = Store()
    store.sync(extension("a", "1"))
    store.sync(extension("a", "1"), extension("b", "2"), now=NOW + 10)
    assert store.history("1") == [("a", "first", BEGINNING, FOREVER)]
    assert store.history("2") == [("b", "first", NOW + 10, FOREVER)]
    assert [profile.valid_from for profile in store.profiles] == [BEGINNING, NOW + 10]


def test_a_second_source_cannot_take_the_past_of_a_line() -> None:
    store = Store()
    store.sync(extension("a", "1"), extension("b", "2"))
    store.sync(extension("b", "2"), now=NOW + 10)
    store.sync(extension("x", "1"), source="branch", now=NOW + 20)
    assert store.history("1")[1] == ("x", "first", NOW + 10, FOREVER)
    store.check()


def test_unmapped_and_set_aside_fields_keep_what_is_stored() -> None:
    store = Store()
    store.sync(person("a", department="Sales", mail="a@b"))
    store.parties[1][1].fields["language"] = "it"
    decided = store.sync(person("a", mail="new@b"), now=NOW + 10)
    assert [(change.field, change.new) for change in decided.changes] == [("mail", "new@b")]
    assert store.parties[1][1].fields["department"] == "Sales"
    assert store.parties[1][1].fields["language"] == "it"


def test_a_move_closes_a_profile_and_opens_the_next() -> None:
    store = Store()
    store.sync(person("a", department="Sales"))
    store.sync(person("a", department="IT"), now=NOW + 10)
    store.sync(person("a", department="IT", mail="x"), now=NOW + 20)
    assert [(p.values[1], p.valid_from, p.valid_to) for p in store.profiles] == [
        ("Sales", BEGINNING, NOW + 10),
        ("IT", NOW + 10, FOREVER),
    ]


def test_a_departure_closes_after_the_grace_at_the_departure() -> None:
    store = Store(grace=100)
    store.sync(extension("a", "1"), extension("b", "2"))
    store.sync(extension("b", "2"), now=NOW + 10)
    assert store.parties[1][1].departed_at == NOW + 10
    assert store.history("1") == [("a", "first", BEGINNING, FOREVER)]
    assert store.sync(extension("b", "2"), now=NOW + 109).empty
    store.sync(extension("b", "2"), now=NOW + 110)
    assert store.history("1") == [("a", "first", BEGINNING, NOW + 10)]
    assert store.profiles[0].valid_to == NOW + 10
    assert store.parties[1][1].closed_at == NOW + 110
    assert store.sync(extension("b", "2"), now=NOW + 120).empty


def test_back_within_the_grace_nothing_happened() -> None:
    store = Store(grace=100)
    store.sync(extension("a", "1"), extension("b", "2"))
    store.sync(extension("b", "2"), now=NOW + 10)
    decided = store.sync(extension("a", "1"), extension("b", "2"), now=NOW + 50)
    assert decided.returns == [1]
    assert store.history("1") == [("a", "first", BEGINNING, FOREVER)]
    assert store.parties[1][1].departed_at is None


def test_back_later_begins_again() -> None:
    store = Store(grace=0)
    store.sync(extension("a", "1"), extension("b", "2"))
    store.sync(extension("b", "2"), now=NOW + 10)
    store.sync(extension("a", "1"), extension("b", "2"), now=NOW + 50)
    assert store.history("1") == [
        ("a", "first", BEGINNING, NOW + 10),
        ("a", "first", NOW + 50, FOREVER),
    ]
    assert [(p.valid_from, p.valid_to) for p in store.profiles if p.party_id == 1] == [
        (BEGINNING, NOW + 10),
        (NOW + 50, FOREVER),
    ]


def test_nobody_leaves_while_entries_cannot_be_told_apart() -> None:
    store = Store()
    store.sync(extension("a", "1"), extension("b", "2"))
    decided = store.sync(extension("b", "1"), now=NOW + 10, absent_departed=False)
    assert not decided.departures
    assert store.history("1") == [("a", "first", BEGINNING, FOREVER)]
    assert [conflict.holder for conflict in decided.conflicts] == ["a"]


def test_a_new_id_with_an_old_name_is_a_new_person() -> None:
    store = Store()
    store.sync(extension("a", "1", username="anna"))
    decided = store.sync(extension("z", "1", username="anna"), now=NOW + 10)
    assert [arrival.external_id for arrival in decided.arrivals] == ["z"]
    assert decided.departures == [1]
    assert store.history("1") == [
        ("a", "first", BEGINNING, NOW + 10),
        ("z", "first", NOW + 10, FOREVER),
    ]


# --- numbers -------------------------------------------------------------------------------------


def test_two_people_exchange_their_numbers() -> None:
    store = Store()
    store.sync(extension("a", "1"), extension("b", "2"))
    decided = store.sync(extension("a", "2"), extension("b", "1"), now=NOW + 10)
    assert not decided.conflicts
    assert store.history("1") == [
        ("a", "first", BEGINNING, NOW + 10),
        ("b", "first", NOW + 10, FOREVER),
    ]
    store.check()


def test_a_second_claimant_waits_and_is_reported_until_mended() -> None:
    store = Store()
    store.sync(extension("a", "1"), extension("b", "2"))
    for later in (10, 20):
        decided = store.sync(extension("a", "1"), extension("b", "1"), now=NOW + later)
        [conflict] = decided.conflicts
        assert (conflict.who, conflict.line.number, conflict.holder) == ("uid=b", "1", "uid=a")
    assert store.history("1") == [("a", "first", BEGINNING, FOREVER)]
    decided = store.sync(extension("a", "3"), extension("b", "1"), now=NOW + 30)
    assert not decided.conflicts
    assert store.history("1")[1] == ("b", "first", NOW + 30, FOREVER)
    # The second one's own fields did not change: the difference is told all the same.
    assert [(d.who, d.field, d.old, d.new) for d in decided.differences] == [
        ("uid=a", "first_extension", "1", "3"),
        ("uid=b", "first line", "", "1"),
    ]


def test_a_holder_keeps_the_line_in_another_role() -> None:
    store = Store()
    store.sync(extension("a", "1"), extension("b", "2"))
    decided = store.sync(
        extension("a", "3", extension_alias=("1",)), extension("b", "1"), now=NOW + 10
    )
    assert [conflict.who for conflict in decided.conflicts] == ["uid=b"]
    assert store.history("1") == [
        ("a", "first", BEGINNING, NOW + 10),
        ("a", "alias", NOW + 10, FOREVER),
    ]


def test_among_newcomers_the_first_extension_wins() -> None:
    decided = Store().sync(extension("a", "2", extension_alias=("1",)), extension("b", "1"))
    assert [conflict.who for conflict in decided.conflicts] == ["uid=a"]


def test_a_successor_takes_the_number_of_who_left_within_the_grace() -> None:
    store = Store(grace=1000)
    store.sync(extension("a", "1"), extension("b", "2"))
    store.sync(extension("b", "2"), now=NOW + 10)
    decided = store.sync(extension("b", "2"), extension("c", "1"), now=NOW + 20)
    assert not decided.conflicts
    assert store.history("1") == [
        ("a", "first", BEGINNING, NOW + 10),
        ("c", "first", NOW + 20, FOREVER),
    ]
    decided = store.sync(extension("a", "1"), extension("c", "1"), now=NOW + 30)
    assert [(conflict.who, conflict.holder) for conflict in decided.conflicts] == [
        ("uid=a", "uid=c")
    ]
    store.check()


def test_flag_partition_and_site_close_one_and_open_the_next() -> None:
    store = Store()
    store.sync(extension("a", "1"))
    store.sync(extension("a", "1", bill_first_extension=False), now=NOW + 10)
    store.sync(extension("a", "1", bill_first_extension=False, partition="P"), now=NOW + 20)
    lines = [(held.holding.line.line_id, held.holding.billed) for held in store.held]
    assert lines == [("1", True), ("1", False), ("P.1", False)]
    assert [held.valid_to for held in store.held] == [NOW + 10, NOW + 20, FOREVER]


def test_partitions_and_sites_keep_numbers_apart() -> None:
    sites = (Site("hq", ("2XXX",)), Site("branch", ("2XXX",)))
    decided = Store(sites).sync(
        extension("a", "2001", site="hq"),
        extension("b", "2001", site="branch"),
        extension("c", "2001", site="hq", partition="P"),
    )
    assert not decided.conflicts
    # Without a site it is a number of every site that names it.
    decided = Store(sites).sync(extension("a", "2001", site="hq"), extension("b", "2001"))
    assert [conflict.who for conflict in decided.conflicts] == ["uid=b"]
    decided = Store(sites).sync(extension("a", "3001", site="hq"), extension("b", "3001"))
    assert not decided.conflicts


def test_the_default_site() -> None:
    decided = Store().sync(extension("a", "1"), extension("b", "2", site="x"), default_site="hq")
    assert [opening.claim.line for opening in decided.openings] == [
        Line("hq", "", "1"),
        Line("x", "", "2"),
    ]


def test_user_ids_and_devices_have_one_holder_whatever_the_case() -> None:
    decided = Store().sync(
        person("a", cdr_user_id="Anna", devices=("SEP1",)),
        person("b", cdr_user_id="anna", devices=("sep1",), first_extension="anna"),
    )
    assert [(c.who, c.role) for c in decided.conflicts] == [
        ("uid=b", Role.USER_ID),
        ("uid=b", Role.DEVICE),
    ]


def test_a_voicemail_number_that_several_name_is_shared() -> None:
    store = Store()
    store.sync(extension("a", "1", voicemail_number="9"))
    decided = store.sync(
        extension("a", "1", voicemail_number="9"),
        extension("b", "2", voicemail_number="9"),
        now=NOW + 10,
    )
    assert not decided.conflicts
    assert [(h.holding.party_id, h.holding.shared) for h in store.held if h.valid_to == FOREVER
            and h.holding.line.number == "9"] == [(1, True), (2, True)]  # fmt: skip
    store.sync(extension("a", "1", voicemail_number="9"), now=NOW + 20)
    assert store.history("9")[-1] == ("a", "voicemail", NOW + 20, FOREVER)
    assert not store.held[-1].holding.shared
    store.check()


def test_other_sources_keep_their_numbers_and_share_voicemail() -> None:
    store = Store()
    store.sync(extension("x", "1", voicemail_number="9"), source="branch")
    decided = store.sync(extension("a", "1", voicemail_number="9"), now=NOW + 10)
    assert [(conflict.who, conflict.holder) for conflict in decided.conflicts] == [("uid=a", "x")]
    shared = [held.holding.party_id for held in store.held if held.holding.shared]
    assert shared == [1, 2] or shared == [2, 1]
    store.check()


def test_who_left_a_shared_number_does_not_delay_who_joins_it() -> None:
    store = Store()
    pilots = [extension(name, name, voicemail_number="9") for name in "123"]
    store.sync(*pilots, source="branch")
    store.sync(*pilots[:2], source="branch", now=NOW + 10)
    store.sync(extension("4", "4", voicemail_number="9"), now=NOW + 20)
    assert store.history("9")[-1] == ("4", "voicemail", BEGINNING, FOREVER)


def test_what_was_assigned_by_hand_is_never_touched() -> None:
    store = Store()
    fields = {name: default_value(name) for name in PARTY_FIELDS}
    store.parties[1] = (LOCAL, PartyRow(1, "lobby", fields))
    store.profiles.append(ProfileRow(1, profile_values(fields), 0))
    store.held.append(Held(Holding(0, 1, Role.VOICEMAIL, Line("", "", "9"), True, False, 0)))
    for later in (0, 10):
        decided = store.sync(extension("a", "1", voicemail_number="9"), now=NOW + later)
        assert [conflict.holder for conflict in decided.conflicts] == ["lobby"]
        assert not decided.closings
    assert store.history("9") == [("lobby", "voicemail", 0, FOREVER)]


# --- any sequence --------------------------------------------------------------------------------

numbers = st.sampled_from(["", "1", "2", "3", "4"])
states = st.fixed_dictionaries(
    {},
    optional={
        "first_extension": numbers,
        "bill_first_extension": st.booleans(),
        "extension_alias": st.lists(numbers.filter(bool), max_size=2, unique=True).map(tuple),
        "voicemail_number": numbers,
        "mobile_number": numbers,
        "partition": st.sampled_from(["", "P"]),
        "site": st.sampled_from(["", "hq"]),
        "cdr_user_id": st.sampled_from(["", "u", "U"]),
        "department": st.sampled_from(["", "Sales", "IT"]),
    },
)
snapshots = st.dictionaries(st.sampled_from("abcd"), states, max_size=4)
steps = st.lists(
    st.tuples(
        st.sampled_from(["corp", "corp", "branch"]),
        st.integers(-5, 60),
        st.booleans(),
        snapshots,
    ),
    max_size=7,
)


@settings(max_examples=200)
@given(steps, st.sampled_from([0, 50]))
def test_any_sequence_of_snapshots_keeps_the_rules(
    sequence: list[tuple[str, int, bool, dict[str, dict[str, FieldValue]]]], grace: int
) -> None:
    store = Store((Site("hq", ("X",)), Site("far", ("4",))), grace)
    now = NOW
    for source, seconds, known, snapshot in sequence:
        now += seconds
        wanted = [person(name, **fields) for name, fields in snapshot.items()]
        before = {n: (held.valid_from, held.valid_to) for n, held in enumerate(store.held)}
        decided = store.sync(*wanted, now=now, source=source, absent_departed=known)
        store.check()
        _history_only_grows(store, before)
        _claims_are_held_or_refused(store, source, decided)
        again = store.decide(wanted, now, source, absent_departed=known)
        assert again.empty, (again.closings, again.openings, again.changes)
        assert not again.differences
        assert len(again.conflicts) == len(decided.conflicts)


@settings(max_examples=200)
@given(steps, st.sampled_from([0, 50]))
def test_leaving_out_who_is_settled_changes_nothing(
    sequence: list[tuple[str, int, bool, dict[str, dict[str, FieldValue]]]], grace: int
) -> None:
    store = Store((Site("hq", ("X",)), Site("far", ("4",))), grace)
    now = NOW
    for source, seconds, known, snapshot in sequence:
        now += seconds
        wanted = [person(name, **fields) for name, fields in snapshot.items()]
        current = store.current(source)
        quick = store.decide(wanted, now, source, absent_departed=known)
        with patch.object(assignments, "settled", lambda *_: frozenset()):
            slow = store.decide(wanted, now, source, absent_departed=known)
        assert measures(current, quick) == measures(current, slow)
        aside: dict[str, Any] = {"granted": {}, "settled": frozenset()}
        assert replace(quick, **aside) == replace(slow, **aside)
        store.sync(*wanted, now=now, source=source, absent_departed=known)


@dataclass
class Streamed:
    """The store of these tests, read one after the other."""

    current: Current

    def everybody(self) -> Iterator[tuple[PartyRow | None, list[Holding]]]:
        for row in self.current.parties:
            yield row, self._held(row.id)
        for party_id in self.current.others:
            yield None, self._held(party_id)

    def _held(self, party_id: int) -> list[Holding]:
        return [each for each in self.current.holdings if each.party_id == party_id]

    def again(self, party_ids: Collection[int]) -> list[tuple[PartyRow, list[Holding]]]:
        return [(row, self._held(row.id)) for row in self.current.parties if row.id in party_ids]

    def others(self, holding_ids: Collection[int]) -> tuple[dict[int, OtherParty], list[Holding]]:
        found = [each for each in self.current.holdings if each.id in holding_ids]
        return {h.party_id: self.current.others[h.party_id] for h in found}, found

    def past(self, after: int) -> list[PastHolding]:
        return [each for each in self.current.past if each.valid_to > after]


def _decided(current: Current, decided: Plan) -> dict[str, Any]:
    """What a plan does, whether it lists newcomers or spells out what they get."""
    openings = list(decided.openings)
    profiles = list(decided.profile_openings)
    arrivals = [(a.external_id, a.fields, a.where, a.kind) for a in decided.arrivals]
    for state in decided.newcomers:
        fields, start = fields_of(state), decided.newcomers_from
        arrivals.append((state.external_id, fields, state.where, state.kind))
        openings += [
            Opening(state.external_id, claim, shared=False, valid_from=start)
            for claim in claims_of(fields)
        ]
        profiles.append(ProfileOpening(state.external_id, profile_values(fields), start))
    found = {
        "arrivals": arrivals,
        "openings": openings,
        "profile_openings": profiles,
        "measures": weigh(current, decided, Limits()),
        "proposals": proposals(current, decided, {}),
    }
    for name in [
        "departures",
        "returns",
        "closed_parties",
        "changes",
        "closings",
        "profile_closings",
        "conflicts",
        "warnings",
        "differences",
    ]:
        found[name] = getattr(decided, name)
    return {name: sorted(map(repr, values)) for name, values in found.items()}


@dataclass(frozen=True)
class Spelling(Site):
    """A site where 1 and 2 are one number."""

    codes = ("1", "2")

    def same(self, number: str) -> str:
        return "+12" if number in ("1", "2") else ""


@settings(max_examples=300)
@given(steps, st.sampled_from([0, 50]), st.sampled_from([Site, Spelling]))
def test_leaving_out_those_about_whom_there_is_nothing_to_decide_changes_nothing(
    sequence: list[tuple[str, int, bool, dict[str, dict[str, FieldValue]]]],
    grace: int,
    kind: type[Site],
) -> None:
    store = Store((kind("hq", ("X",)), Site("far", ("4",))), grace)
    now = NOW
    for source, seconds, known, snapshot in sequence:
        now += seconds
        wanted = [person(name, **fields) for name, fields in snapshot.items()]
        current = store.current(source)
        terms = Terms(
            now, source not in store.seen, grace, sites=store.sites, absent_departed=known
        )
        whole = plan(current, wanted, terms)
        few, said = narrow(Streamed(current), PackedStates(wanted), terms, {})
        assert _decided(few, plan(few, said, terms)) == _decided(current, whole)
        store.sync(*wanted, now=now, source=source, absent_departed=known)


def test_who_names_one_number_in_two_spellings_is_not_left_out() -> None:
    anna = person("anna", first_extension="1", extension_alias=("2",), site="hq")
    terms = Terms(NOW, first=True, sites=(Spelling("hq", ("X",)),))
    few, said = narrow(Streamed(Current()), PackedStates([anna]), terms, {})
    assert (len(few.newcomers), said) == (0, [anna])


def test_who_stays_as_they_were_and_who_is_new_is_left_out() -> None:
    store = Store()
    anna, bert = person("anna", first_extension="1"), person("bert", first_extension="2")
    carl = person("carl", first_extension="3")
    dora = person("dora", first_extension="2")
    store.sync(anna, bert)
    everybody = PackedStates([anna, bert, carl, dora])
    few, said = narrow(Streamed(store.current("corp")), everybody, Terms(NOW + 1), {})
    assert [row.external_id for row in few.parties] == ["bert"]
    assert [state.external_id for state in said] == ["bert", "dora"]
    assert [state.external_id for state in few.newcomers] == ["carl"]
    assert (few.rest.people, few.rest.numbers) == (1, 1)
    locks = {"anna": {"department": "on loan"}}
    few, said = narrow(Streamed(store.current("corp")), everybody, Terms(NOW + 1), locks)
    assert [row.external_id for row in few.parties] == ["anna", "bert"]


def test_who_shares_nothing_is_settled() -> None:
    store = Store()
    anna, bert = person("anna", first_extension="1"), person("bert", first_extension="2")
    assert store.sync(anna, bert).settled == frozenset()
    assert store.sync(anna, bert).settled == {1, 2}
    carl = person("carl", first_extension="2")
    assert store.sync(anna, bert, carl).settled == {1}


def _history_only_grows(store: Store, before: dict[int, tuple[int, int]]) -> None:
    """What was held stays held: only an open end ever changes."""
    for number, (valid_from, valid_to) in before.items():
        held = store.held[number]
        assert held.valid_from == valid_from
        assert valid_to in (held.valid_to, FOREVER)


def _claims_are_held_or_refused(store: Store, source: str, decided: Plan) -> None:
    """Each claim of each person of the source who is there is held, or another holds it and a
    conflict says so: never both, never neither."""
    keys = Keys(store.sites)
    opened = {
        (held.holding.party_id, held.holding.claim)
        for held in store.held
        if held.valid_to == FOREVER
    }
    refused = 0
    for party_id, (name, row) in store.parties.items():
        if name != source or row.departed_at is not None:
            continue
        for claim in claims_of(row.fields):
            if (party_id, claim) in opened:
                continue
            refused += 1
            wanted = set(keys.of(claim.role, claim.line))
            assert any(
                holder != party_id and not wanted.isdisjoint(keys.of(other.role, other.line))
                for holder, other in opened
            )
    assert refused == len(decided.conflicts)
