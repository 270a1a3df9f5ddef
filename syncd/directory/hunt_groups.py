"""Hunt groups of lists of places: what is stored, what differs, and writing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from syncd.directory.plan import Difference, HuntChanges, Plan
from syncd.directory.protocol import HuntGroup
from syncd.domain.party import Line
from syncd.store.models import HuntGroup as Group
from syncd.store.models import HuntMember

_AT_ONCE = 200


def stored_groups(source: str) -> dict[str, HuntGroup]:
    """Return the hunt groups of a source by key."""
    members: dict[int, list[Line]] = {}
    rows = (
        HuntMember.select(
            HuntMember.group, HuntMember.site, HuntMember.partition, HuntMember.number
        )
        .join(Group)
        .where(Group.source == source)
        .tuples()
    )
    for group, *line in rows:
        members.setdefault(group, []).append(Line(*line))
    return {
        group.name_key: HuntGroup(
            group.name_key,
            group.name,
            Line(group.site, group.partition, group.number),
            tuple(sorted(members.get(group.id, ()))),
        )
        for group in Group.select().where(Group.source == source)
    }


def changes(stored: Mapping[str, HuntGroup], wanted: Sequence[HuntGroup]) -> HuntChanges:
    """Return what must change so that the stored groups are the wanted ones (pure)."""
    now = {group.key: group for group in wanted}
    gone = tuple(key for key in stored if key not in now)
    written = tuple(group for group in wanted if stored.get(group.key) != group)
    differences = [
        Difference(stored[key].name, "departed", "hunt group", _members(stored[key]))
        for key in gone
    ]
    for group in written:
        before = stored.get(group.key)
        if before is None:
            differences.append(Difference(group.name, "arrived", "hunt group", "", _members(group)))
            continue
        for field, old, new in (
            ("hunt group", before.name, group.name),
            ("hunt pilot", _told(before.pilot), _told(group.pilot)),
            ("hunt members", _members(before), _members(group)),
        ):
            if old != new:
                differences.append(Difference(group.name, "changed", field, old, new))
    lost = sum(
        len(set(group.members) - set(now[key].members if key in now else ()))
        for key, group in stored.items()
    )
    members = sum(len(group.members) for group in stored.values())
    return HuntChanges(gone, written, tuple(differences), lost, members)


def plan_groups(plan: Plan, source: str, wanted: Sequence[HuntGroup]) -> None:
    """Add to a plan what becomes of the hunt groups of a source."""
    stored = stored_groups(source)
    if stored or wanted:
        changed = changes(stored, wanted)
        if not changed.empty:
            plan.hunt = changed
            plan.differences += changed.differences


def _told(line: Line) -> str:
    return f"{line.line_id} ({line.site})" if line.site else line.line_id


def _members(group: HuntGroup) -> str:
    return ";".join(map(_told, group.members))


def write(source: str, changed: HuntChanges) -> None:
    """Write what changed. The caller holds the write transaction."""
    for key in changed.gone:
        _delete(source, key)
    for group in changed.written:
        _delete(source, group.key)
        site, partition, number = group.pilot
        row = Group.create(
            source=source,
            name=group.name,
            name_key=group.key,
            site=site,
            partition=partition,
            number=number,
        )
        _insert_members(row.id, group.members)


def _delete(source: str, key: str) -> None:
    found = Group.select(Group.id).where((Group.source == source) & (Group.name_key == key))
    HuntMember.delete().where(HuntMember.group.in_(found)).execute()
    Group.delete().where((Group.source == source) & (Group.name_key == key)).execute()


def _insert_members(group: int, members: Iterable[Line]) -> None:
    rows = [
        {"group": group, "site": site, "partition": partition, "number": number}
        for site, partition, number in members
    ]
    for start in range(0, len(rows), _AT_ONCE):
        HuntMember.insert_many(rows[start : start + _AT_ONCE]).execute()
