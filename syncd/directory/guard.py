"""The guard: a run that would change too much changes nothing (docs/rules.md 3.4; pure).

A narrowed filter, a moved OU or a renamed attribute looks like many people leaving or losing
something at once. Such a run is refused with its numbers, and one that is meant is let through by
saying those numbers once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from syncd.directory.plan import BILLING_FLAGS, NOT_NUMBERS, Current, Plan
from syncd.domain.errors import Problem
from syncd.domain.party import FLAG_FIELDS, FieldValue

ALWAYS_PASS = 5
MOST_RAISED = 3
HIGH_LEVELS = (8, 10)


@dataclass(frozen=True, slots=True)
class Limits:
    """What passes: percentages, and how many were accepted for this run alone."""

    departures: int = 10
    """Percent of the people who are there."""
    changes: int = 10
    """Percent of what may be lost."""
    accept_departures: int = 0
    accept_changes: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """How many of those concerned."""

    what: str
    count: int
    concerned: int
    departures: bool = False
    check: str = ""
    """``departures | numbers | flags | fields | levels | hunt-members``."""
    field: str = ""
    """Which mapped field is emptied."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A measure beside what passes."""

    measure: Measure
    limit: str
    """Such as ``10% or 5``."""
    passes: bool

    def as_dict(self) -> dict[str, object]:
        """Return it as ``--json`` prints it."""
        return {
            "check": self.measure.check,
            "field": self.measure.field or None,
            "count": self.measure.count,
            "of": self.measure.concerned,
            "limit": self.limit,
            "passes": self.passes,
        }


def measures(current: Current, plan: Plan) -> list[Measure]:
    """Return what a plan takes away: people, and of those who stay numbers, billing flags and
    mapped fields, each field on its own."""
    rest = current.rest
    present = rest.people + sum(row.departed_at is None for row in current.parties)
    left = len(plan.departures)
    found = [Measure("people would leave", left, present, departures=True, check="departures")]
    found.append(_numbers_lost(current, plan))
    before = {row.id: row.fields for row in current.parties if row.id in plan.staying}
    flags_on = rest.flags
    flags_on += sum(fields[name] is True for fields in before.values() for name in BILLING_FLAGS)
    flags_off = 0
    emptied: dict[str, int] = {}
    for change in plan.changes:
        if change.party_id not in plan.staying:
            continue
        if change.field in FLAG_FIELDS:
            flags_off += change.field in BILLING_FLAGS and change.old is True
        elif _empty(change.new):
            emptied[change.field] = emptied.get(change.field, 0) + 1
    what = "billing flags would be turned off"
    found.append(Measure(what, flags_off, flags_on, check="flags"))
    for name, count in sorted(emptied.items()):
        filled = rest.filled_in(name)
        filled += sum(not _empty(fields[name]) for fields in before.values())
        what = f"values of {name} would be emptied"
        found.append(Measure(what, count, filled, check="fields", field=name))
    if plan.hunt:
        what = "members of hunt groups would be lost"
        found.append(Measure(what, plan.hunt.lost, plan.hunt.members, check="hunt-members"))
    return found


def _empty(value: FieldValue) -> bool:
    return value in ("", (), 0)


def _numbers_lost(current: Current, plan: Plan) -> Measure:
    """Count the numbers that those who stay held and hold no more, on whatever line and in whatever
    role: a change of partition or of role loses nothing."""
    after = {
        party_id: {claim.line.number for claim in plan.granted.get(party_id, ())}
        for party_id in plan.staying
        if party_id not in plan.settled
    }
    kept = current.rest.numbers
    held: set[tuple[int, str]] = set()
    for holding in current.holdings:
        if holding.role in NOT_NUMBERS or holding.party_id not in plan.staying:
            continue
        if holding.party_id in plan.settled:
            kept += 1
        else:
            held.add((holding.party_id, holding.line.number))
    lost = sum(number not in after[party_id] for party_id, number in held)
    return Measure("numbers would be lost", lost, kept + len(held), check="numbers")


def raised(current: Current, plan: Plan) -> int:
    """Return how many people would get level 8 or 10 who had less, new ones too."""
    before = {row.id: row.fields["permission_level"] for row in current.parties}
    count = sum(
        change.field == "permission_level"
        and change.new in HIGH_LEVELS
        and int(str(before[change.party_id])) < int(str(change.new))
        for change in plan.changes
    )
    count += sum(arrival.fields["permission_level"] in HIGH_LEVELS for arrival in plan.arrivals)
    return count + sum(state.get("permission_level") in HIGH_LEVELS for state in plan.newcomers)


def weigh(current: Current, plan: Plan, limits: Limits) -> list[Verdict]:
    """Return what a plan takes away or grants, each beside what may pass."""
    found = []
    for measure in measures(current, plan):
        percent = limits.departures if measure.departures else limits.changes
        accepted = limits.accept_departures if measure.departures else limits.accept_changes
        limit = f"{int(percent)}% or {ALWAYS_PASS}"
        found.append(Verdict(measure, limit, passes(measure, percent, accepted)))
    levels = " or ".join(map(str, HIGH_LEVELS))
    people = len(plan.staying) + len(plan.arrivals) + len(plan.newcomers) + current.rest.people
    high = Measure(
        f"people would be raised to level {levels}", raised(current, plan), people, check="levels"
    )
    fits = high.count <= max(MOST_RAISED, limits.accept_changes)
    found.append(Verdict(high, str(MOST_RAISED), fits))
    return found


def objections(
    current: Current, plan: Plan, limits: Limits, source: str, section: str = ""
) -> list[Problem]:
    """Return why a plan must not be applied, with the numbers; nothing when it may.

    ``section`` is the header of the source's section, ``directory:NAME`` where it is not given.
    """
    return refusals(weigh(current, plan, limits), source, section or f"directory:{source}")


def refusals(verdicts: Iterable[Verdict], source: str, section: str) -> list[Problem]:
    """Return a problem for each measure that does not pass, with the way through."""
    found = []
    for verdict in verdicts:
        measure = verdict.measure
        if not verdict.passes:
            option = "departures" if measure.departures else "changes"
            of = "" if measure.check == "levels" else f" of {measure.concerned}"
            what = f"{measure.count}{of} {measure.what}, more than {verdict.limit}"
            hint = f"if that is meant: syncd sync {source} --accept-{option} {measure.count}"
            found.append(Problem("", 0, f"[{section}]", what, hint))
    return found


def passes(measure: Measure, percent: int, accepted: int) -> bool:
    """Whether so many may: those accepted, those within the percentage, and a handful, unless they
    are more than half of those concerned.

    A single change always passes: that the only fax machine of a company goes is no accident of a
    filter. A single departure does not.
    """
    count = measure.count
    if count <= accepted or count * 100 <= percent * measure.concerned:
        return True
    if count == 1 and not measure.departures:
        return True
    return count <= ALWAYS_PASS and count * 2 <= measure.concerned
