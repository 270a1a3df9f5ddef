"""What deciding again changed: counts and money by department, lines acquired, never a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from syncd.calls.rows import CallTuple
from syncd.licensing.claims import Terms, chunks, survey
from syncd.store.models import Line, Org
from syncd.store.names import spelling

ORG, COUNTED, COST = 7, 9, 20
"""Places in a call row."""

LineKey = tuple[str, str, str]
"""Site, partition and number."""


@dataclass(slots=True)
class Amount:
    """Calls and cost (micros) of the rows that changed, before and after."""

    calls_before: int = 0
    cost_before: int = 0
    calls_after: int = 0
    cost_after: int = 0

    def add(self, other: Amount) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Changes:
    """What a run did, or a preview says it would."""

    files: int = 0
    """Read again."""
    stored: int = 0
    """Files of which the records alone were decided again: there is no archive, or it is of no use."""
    decided: int = 0
    """Records that were decided again."""
    records: int = 0
    """Records that changed, are new or gone."""
    rows: int = 0
    """Call rows that changed."""
    departments: dict[str, Amount] = field(default_factory=dict)
    """By the department's name, empty for none: only where call rows changed."""
    acquired: set[LineKey] = field(default_factory=set)
    """Lines that automatic acquisition would take a slot for, or took."""
    hunts: set[LineKey] = field(default_factory=set)
    """Lines that it would document, or documented, as hunt numbers: another file may show it."""

    def add(self, other: Changes) -> None:
        self.files += other.files
        self.stored += other.stored
        self.decided += other.decided
        self.records += other.records
        self.rows += other.rows
        for name, amount in other.departments.items():
            self.departments.setdefault(name, Amount()).add(amount)
        self.hunts |= other.hunts
        self.acquired = (self.acquired | other.acquired) - self.hunts


def compare(changes: Changes, before: Mapping[int, CallTuple], after: Iterable[CallTuple]) -> None:
    """Add the call rows that were taken back and did not come again as they were, and the new ones.
    Reads the names of their departments."""
    made = {row[0]: row for row in after}
    by_org: dict[int, Amount] = {}
    for key in before.keys() | made.keys():
        was, now = before.get(key), made.get(key)
        if was == now:
            continue
        changes.rows += 1
        if was is not None:
            amount = by_org.setdefault(was[ORG], Amount())
            amount.calls_before += was[COUNTED]
            amount.cost_before += was[COST] or 0
        if now is not None:
            amount = by_org.setdefault(now[ORG], Amount())
            amount.calls_after += now[COUNTED]
            amount.cost_after += now[COST] or 0
    for org, amount in by_org.items():
        key_text = str(Org.get_by_id(org).department)
        name = (spelling("department", key_text) or key_text) if key_text else ""
        changes.departments.setdefault(name, Amount()).add(amount)


def note_acquired(
    changes: Changes, lines: Mapping[int, bool], known: frozenset[int], now: int
) -> None:
    """Add which of these lines (row of ``line`` → is it a hunt number?) claim a slot now (epoch
    seconds) and were not documented before, and which were shown to be hunt numbers."""
    wanted = lines.keys() - known
    claiming = {
        claim.line
        for claim in (survey(Terms(None, acquisition=True), now).claims if wanted else ())
        if not claim.key.party
    }
    found: dict[int, LineKey] = {}
    for part in chunks(wanted):
        query = Line.select(Line.id, Line.site, Line.partition, Line.number)
        for line, *place in query.where(Line.id << part).tuples():
            found[line] = (place[0], place[1], place[2])
    changes.acquired = {found[line] for line in wanted & claiming}
    changes.hunts = {found[line] for line in wanted if lines[line]}
