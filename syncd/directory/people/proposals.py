"""A department that most of its people leave for one other name was renamed (pure).

Cost centers and office locations are looked at in the same way.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from syncd.directory.plan import Current, Plan
from syncd.domain.errors import Problem
from syncd.domain.party import name_key

NAMED = {
    "department": "department",
    "cost_center": "cost center",
    "office_location": "office location",
}
"""The fields whose names can be made one, as people call them."""

KINDS = {
    "department": "",
    "cost_center": " --kind cost-center",
    "office_location": " --kind office",
}
"""The option of ``syncd department`` by field."""

FEWEST = 2
"""People: one who moves renames nothing."""


def proposals(
    current: Current, plan: Plan, aliases: Mapping[tuple[str, str], str]
) -> list[Problem]:
    """Return a warning with the command for each name that more than half of its people leave for
    one other in this run; ``aliases`` are the names that are one already: (field, key) → key."""
    found: list[Problem] = []
    for field, word in NAMED.items():
        for old, new, moved, people in _renamed(field, current, plan):
            before, after = name_key(old), name_key(new)
            if aliases.get((field, before), before) == aliases.get((field, after), after):
                continue
            what = f"{moved} of {people} people of the {word} {old!r} are in {new!r} now"
            hint = f"if it was renamed: syncd department rename{KINDS[field]} '{old}' '{new}'"
            found.append(Problem("", 0, "proposal", what, hint, warning=True))
    return found


def _renamed(field: str, current: Current, plan: Plan) -> Iterator[tuple[str, str, int, int]]:
    """Yield (old name, new name, how many changed, of how many)."""
    moves: dict[str, Counter[str]] = defaultdict(Counter)
    spelled: dict[str, str] = {}
    for change in plan.changes:
        if change.field == field and change.party_id in plan.staying:
            old, new = name_key(str(change.old)), name_key(str(change.new))
            if old and new and old != new:
                moves[old][new] += 1
                spelled.setdefault(old, str(change.old))
                spelled.setdefault(new, str(change.new))
    if not moves:
        return
    people = Counter(
        name_key(str(row.fields[field])) for row in current.parties if row.id in plan.staying
    )
    for text, count in current.rest.named(field).items():
        people[name_key(text)] += count
    for old, targets in moves.items():
        new, moved = targets.most_common(1)[0]
        if moved >= FEWEST and moved * 2 > people[old]:
            yield spelled[old], spelled[new], moved, people[old]
