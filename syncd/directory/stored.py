"""Parties, holdings and profiles as the database has them, read for a sync."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from peewee import JOIN

from syncd.directory.plan import (
    Current,
    Holding,
    OpenProfile,
    OtherParty,
    PartyRow,
    PastHolding,
)
from syncd.domain.clock import BEGINNING, FOREVER
from syncd.domain.codes import Role
from syncd.domain.party import (
    FLAG_FIELDS,
    LIST_FIELDS,
    PARTY_FIELDS,
    PROFILE_FIELDS,
    FieldValue,
    Line,
)
from syncd.store.dialect import byte_length, last_characters, rows_of
from syncd.store.models import Assignment, Party, Profile
from syncd.store.models import database as proxy

_ROLES = {int(role): role for role in Role}
_PROFILE_AT = 4 + len(PARTY_FIELDS)
"""Where in a row the profile begins."""
_AT_ONCE = 500
"""Ids of one query."""


def load_current(source: str) -> Current:
    """Return what is stored of a source's parties, and who of anybody holds what."""
    stored = StoredParties(source)
    parties: list[PartyRow] = []
    holdings: list[Holding] = []
    for row, held in stored.everybody():
        holdings += held
        if row is not None:
            parties.append(row)
    return Current(parties, _others(source), holdings, stored.past(BEGINNING))


def load_ids(source: str) -> Iterator[tuple[str, bool]]:
    """Give the external id of each party of a source, and whether it is there."""
    query = Party.select(Party.external_id, Party.departed_at).where(Party.source == source)
    for external_id, departed_at in _rows(query):
        yield external_id, departed_at is None


class StoredParties:
    """The parties of a source, and what anybody holds; see ``narrow.Stored``."""

    def __init__(self, source: str) -> None:
        self._source = source

    def everybody(self) -> Iterator[tuple[PartyRow | None, list[Holding]]]:
        """Give each party of the source with what it holds, and what others hold with None; in the
        order of the ids, and all as it was at one moment."""
        with proxy.obj.atomic():
            yield from _merged(
                _rows(_party_query(self._source).order_by(Party.id)),
                _rows(_holding_query().order_by(Assignment.party)),
                _profile_ends(self._source),
            )

    def again(self, party_ids: Collection[int]) -> list[tuple[PartyRow, list[Holding]]]:
        """Return parties of the source once more, with what they hold."""
        found: list[tuple[PartyRow, list[Holding]]] = []
        for some in _chunks(party_ids):
            chosen = _party_query(self._source).where(Party.id.in_(some)).order_by(Party.id)
            held = _holding_query().where(Assignment.party.in_(some)).order_by(Assignment.party)
            merged = _merged(_rows(chosen), _rows(held), _profile_ends(self._source, some))
            found += [(row, holdings) for row, holdings in merged if row is not None]
        return found

    def ids(self, external_ids: Collection[str]) -> dict[str, int]:
        """Return the ids of parties of the source by their external ids."""
        known = Party.select(Party.external_id, Party.id).where(Party.source == self._source)
        return {
            external_id: party_id
            for some in _chunks(external_ids)
            for external_id, party_id in _rows(known.where(Party.external_id.in_(some)))
        }

    def held_by(self, party_ids: Collection[int]) -> list[Holding]:
        """Return what these parties of any source hold."""
        return [
            _holding(row)
            for some in _chunks(party_ids)
            for row in _rows(_holding_query().where(Assignment.party.in_(some)))
        ]

    def others(self, holding_ids: Collection[int]) -> tuple[dict[int, OtherParty], list[Holding]]:
        """Return these holdings of others, and whose they are by party id."""
        holdings = [
            _holding(row)
            for some in _chunks(holding_ids)
            for row in _rows(_holding_query().where(Assignment.id.in_(some)))
        ]
        return _others(self._source, {holding.party_id for holding in holdings}), holdings

    def holders(
        self,
        numbers: Collection[str],
        endings: Collection[str],
        names: Collection[str],
        length: int,
    ) -> set[int]:
        """Return the parties of any source that hold one of these numbers, one that ends so (in so
        many characters), or what may be one of these user ids and devices (case-folded)."""
        if not (numbers or endings or names):
            return set()
        ending = last_characters("rtrim(number, '#')", length)
        # Of letters beyond ASCII a database knows no folding: who holds such is looked at.
        named = f"lower(number) IN ({_marks(names)}) OR {byte_length('number')} > length(number)"
        found = rows_of(
            "SELECT DISTINCT party_id FROM assignment WHERE valid_to = ? AND role <> ? AND"
            f" (number IN ({_marks(numbers)}) OR {ending} IN ({_marks(endings)})"
            f" OR (role IN (?, ?) AND ({named})))",
            FOREVER,
            int(Role.ACQUIRED),
            *numbers,
            *endings,
            int(Role.USER_ID),
            int(Role.DEVICE),
            *names,
        )
        return {row[0] for row in found}

    def past(self, after: int) -> list[PastHolding]:
        """Return what anybody held that ended later than ``after`` (epoch seconds)."""
        return _past(after)


def _merged(
    parties: Iterable[Any], held: Iterable[Any], ends: Mapping[int, int]
) -> Iterator[tuple[PartyRow | None, list[Holding]]]:
    """Lay the holdings beside the parties; both come in the order of the party's id. ``ends``: when
    the last profile ended of those who have none open, by party id."""
    groups = groupby(held, key=itemgetter(1))
    party_id, group = next(groups, (None, iter(())))
    for row in parties:
        while party_id is not None and party_id < row[0]:
            yield None, list(map(_holding, group))
            party_id, group = next(groups, (None, iter(())))
        holdings: list[Holding] = []
        if party_id == row[0]:
            holdings = list(map(_holding, group))
            party_id, group = next(groups, (None, iter(())))
        yield _party(row, ends), holdings
    while party_id is not None:
        yield None, list(map(_holding, group))
        party_id, group = next(groups, (None, iter(())))


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values)) or "NULL"


Id = TypeVar("Id", int, str)


def _chunks(ids: Collection[Id]) -> Iterator[list[Id]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def _others(source: str, party_ids: Collection[int] | None = None) -> dict[int, OtherParty]:
    """Return the parties of other sources by id; all, or those of these ids."""
    query = Party.select(
        Party.id, Party.source, Party.display_name, Party.username, Party.departed_at
    ).where(Party.source != source)
    queries = (
        [query]
        if party_ids is None
        else [query.where(Party.id.in_(some)) for some in _chunks(party_ids)]
    )
    return {
        row[0]: OtherParty(row[0], row[1], row[2] or row[3] or f"party {row[0]}", row[4])
        for each in queries
        for row in _rows(each)
    }


def _rows(query: Any) -> Any:
    """Return the rows of a query as the database gives them: five times faster than as models."""
    return proxy.obj.execute(query)


def _party_query(source: str) -> Any:
    fields = [getattr(Party, name) for name in PARTY_FIELDS]
    of_profile = [getattr(Profile, name) for name in PROFILE_FIELDS]
    return (
        Party.select(
            Party.id,
            Party.external_id,
            Party.departed_at,
            Party.closed_at,
            *fields,
            Profile.id,
            Profile.valid_from,
            *of_profile,
        )
        .join(
            Profile,
            JOIN.LEFT_OUTER,
            on=(Profile.party == Party.id) & (Profile.valid_to == FOREVER),
        )
        .where(Party.source == source)
    )


def _party(row: Any, profile_ends: Mapping[int, int]) -> PartyRow:
    fields: dict[str, FieldValue] = dict(zip(PARTY_FIELDS, row[4:_PROFILE_AT], strict=True))
    for name in LIST_FIELDS:
        value = fields[name]
        fields[name] = tuple(str(value).split(";")) if value else ()
    for name in FLAG_FIELDS:
        fields[name] = bool(fields[name])
    profile_id, valid_from, *values = row[_PROFILE_AT:]
    profile = None if profile_id is None else OpenProfile(profile_id, tuple(values), valid_from)
    ended = profile_ends.get(row[0], 0)
    return PartyRow(row[0], row[1], fields, row[2], row[3], profile, ended)


def _profile_ends(source: str, party_ids: Collection[int] | None = None) -> dict[int, int]:
    """Return when the last profile ended of those parties of a source that have none open; of all,
    or of these ids."""
    query = (
        Profile.select(Profile.party, Profile.valid_to)
        .join(Party)
        .where((Party.source == source) & Party.closed_at.is_null(is_null=False))
    )
    if party_ids is not None:
        query = query.where(Profile.party.in_(party_ids))
    ends: dict[int, int] = {}
    for party_id, valid_to in _rows(query):
        ends[party_id] = max(valid_to, ends.get(party_id, 0))
    return ends


def _holding_query() -> Any:
    return Assignment.select(
        Assignment.id,
        Assignment.party,
        Assignment.role,
        Assignment.site,
        Assignment.partition,
        Assignment.number,
        Assignment.billed,
        Assignment.shared,
        Assignment.valid_from,
    ).where((Assignment.valid_to == FOREVER) & (Assignment.role != Role.ACQUIRED))


def _holding(row: Any) -> Holding:
    line = Line(row[3], row[4], row[5])
    return Holding(row[0], row[1], _ROLES[row[2]], line, bool(row[6]), bool(row[7]), row[8])


def _past(after: int) -> list[PastHolding]:
    query = (
        Assignment.select(
            Assignment.party,
            Assignment.role,
            Assignment.site,
            Assignment.partition,
            Assignment.number,
            Assignment.shared,
            Assignment.valid_to,
        )
        .where(
            (Assignment.valid_to < FOREVER)
            & (Assignment.valid_to > after)
            & (Assignment.role != Role.ACQUIRED)
        )
        .distinct()
    )
    return [
        PastHolding(row[0], _ROLES[row[1]], Line(row[2], row[3], row[4]), bool(row[5]), row[6])
        for row in _rows(query)
    ]
