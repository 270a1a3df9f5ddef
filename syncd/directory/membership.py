"""Who is in which of the configured groups, kept for whoever writes to the members of one."""

from __future__ import annotations

from collections import defaultdict

from syncd.directory.groups import MEMBERSHIP
from syncd.directory.protocol import Entry
from syncd.store.dialect import insert_many
from syncd.store.models import PartyGroup


class Members:
    """Those that one whole reading of a directory showed."""

    def __init__(self) -> None:
        self._groups: defaultdict[str, set[str]] = defaultdict(set)

    def note(self, entry: Entry) -> None:
        """Take in which groups an entry is."""
        for name in entry.attributes.get(MEMBERSHIP, ()):
            self._groups[name].add(entry.external_id)

    def keep(self, source: str) -> None:
        """Store them in the place of what a source said before; nothing is written where that was the
        same. Must run inside a write transaction."""
        now = {(name, who) for name, members in self._groups.items() for who in members}
        stored = PartyGroup.select(PartyGroup.name, PartyGroup.external_id)
        before = set(stored.where(PartyGroup.source == source).tuples())
        for name, who in before - now:
            PartyGroup.delete().where(
                PartyGroup.source == source, PartyGroup.name == name, PartyGroup.external_id == who
            ).execute()
        insert_many(
            "party_group",
            ("source", "name", "external_id"),
            [(source, name, who) for name, who in sorted(now - before)],
        )
