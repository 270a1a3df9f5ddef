"""Watches from poll to poll what comes into a drop folder: gaps in the numbers of its files, and
whether it has gone quiet. It reads names and times of the ledger alone, so what was taken before a
start counts as well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from peewee import fn

from syncd.cdr.gaps import DAY, Arrival, Gap, Numbered, Survey, parse_name, survey
from syncd.cdr.spool import told_name
from syncd.store.models import File

WATCHED_DAYS = 14
"""Days of files that are watched; the verb looks at all of them."""
EARLIER_FILES = 1000
"""Files before those days among which the last one of each node is looked for."""

Node = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Watched:
    """What a poll knows of a folder. ``found`` and ``filled`` name a gap once."""

    gaps: tuple[Gap, ...] = ()
    """That are open."""
    found: tuple[Gap, ...] = ()
    """That no earlier poll knew."""
    filled: tuple[Gap, ...] = ()
    """Whose files have come since."""
    quiet: int = 0
    """Seconds since something came, 0 while that is usual."""
    fell_quiet: bool = False
    """At this poll."""

    @property
    def missing(self) -> int:
        return sum(gap.files for gap in self.gaps)


class Arrivals:
    """Of one folder. Not for several threads at a time."""

    def __init__(self, source: str, quiet_after: int) -> None:
        """``quiet_after`` is in seconds, 0 for never."""
        self.source = source
        self.quiet_after = quiet_after
        self._nodes: dict[Node, dict[Numbered, int]] = defaultdict(dict)
        self._gaps: dict[Node, tuple[Gap, ...]] = {}
        self._told: set[Gap] = set()
        self._waiting: set[Numbered] = set()
        self._last_id: int | None = None
        self._came_at = 0
        self._quiet = False

    def begin(self, now: int) -> None:
        """Learn what was there before the first poll: gaps that an earlier process found are no
        news."""
        if self._last_id is not None:
            return
        self._last_id = int(File.select(fn.MAX(File.id)).scalar() or 0)
        newest = (
            File.select(File.name, File.taken_at)
            .where(File.source == self.source, File.id <= self._last_id)
            .order_by(File.id.desc())
        )
        oldest = now - WATCHED_DAYS * DAY
        earlier = 0
        for name, taken_at in newest.tuples().iterator():
            self._came_at = max(self._came_at, taken_at)
            earlier += taken_at < oldest
            if earlier > EARLIER_FILES:
                break
            self._note(name, taken_at)
        for node in self._nodes:
            self._forget(node, oldest)
            self._look_at(node)
        self._told = {gap for gaps in self._gaps.values() for gap in gaps}

    def look(self, in_folder: Iterable[str], now: int, *, came: bool) -> Watched:
        """Say what there is after a poll. Files that lie in the folder and were not taken yet are
        not missing; ``came`` says whether anything was taken."""
        self.begin(now)
        oldest = now - WATCHED_DAYS * DAY
        touched = {(file.cluster, file.node) for file in self._waiting}
        # What was taken around a file of before those days is forgotten, so it tells of no gap.
        waiting = {
            file
            for name in in_folder
            if (file := parse_name(name)) is not None and file.minute >= oldest
        }
        touched |= {(file.cluster, file.node) for file in waiting}
        rows = (
            File.select(File.id, File.name, File.taken_at)
            .where(File.source == self.source, File.id > self._last_id)
            .order_by(File.id)
        )
        for key, name, taken_at in rows.tuples():
            self._last_id = key
            node = self._note(name, taken_at)
            if node is not None:
                touched.add(node)
        self._waiting = waiting
        for node in touched:
            self._forget(node, oldest)
            self._look_at(node)
        gaps = tuple(gap for node in sorted(self._gaps) for gap in self._gaps[node])
        found = tuple(gap for gap in gaps if not any(_within(gap, told) for told in self._told))
        filled = tuple(
            sorted(
                told
                for told in self._told
                if told.before >= oldest and not any(_within(gap, told) for gap in gaps)
            )
        )
        self._told = {told for told in self._told if any(_within(gap, told) for gap in gaps)} | set(
            found
        )
        if came:
            self._came_at = now
        quiet = now - self._came_at
        if not self.quiet_after or not self._came_at or quiet <= self.quiet_after:
            quiet = 0
        fell_quiet = bool(quiet) and not self._quiet
        self._quiet = bool(quiet)
        return Watched(gaps, found, filled, quiet, fell_quiet)

    def _note(self, name: str, taken_at: int) -> Node | None:
        file = parse_name(name)
        if file is None:
            return None
        node = file.cluster, file.node
        known = self._nodes[node]
        known[file] = min(taken_at, known.get(file, taken_at))
        return node

    def _forget(self, node: Node, oldest: int) -> None:
        """Drop files that are no longer watched, but the last of each kind: what is missing behind
        it is missing now."""
        files = self._nodes[node]
        past = sorted(file for file in files if file.minute < oldest)
        kept = {file.tag: file for file in past}.values()
        for file in past:
            if file not in kept:
                del files[file]

    def _look_at(self, node: Node) -> None:
        files = self._nodes[node]
        arrivals = [Arrival(file, taken_at) for file, taken_at in files.items()]
        arrivals += [
            Arrival(file, 0)
            for file in self._waiting
            if (file.cluster, file.node) == node and file not in files
        ]
        self._gaps[node] = survey(arrivals).gaps


def _within(gap: Gap, other: Gap) -> bool:
    """Say whether a gap is one, or a part of one, that was told already."""
    return (
        (gap.cluster, gap.node) == (other.cluster, other.node)
        and other.first <= gap.first
        and gap.last <= other.last
        and other.after <= gap.after
        and gap.before <= other.before
    )


def names_in(folder: Path) -> list[str]:
    """Return the names in a drop folder; none when it cannot be read."""
    try:
        return [told_name(path) for path in folder.iterdir()]
    except OSError:
        return []


def survey_ledger(source: str, in_folder: Iterable[str], now: int) -> Survey:
    """Return what the whole ledger says of the files of a folder; those that still lie in it are
    not missing."""
    rows = File.select(File.name, File.taken_at).where(File.source == source)
    return survey(
        Arrival(file, taken_at)
        for name, taken_at in chain(rows.tuples().iterator(), ((name, now) for name in in_folder))
        if (file := parse_name(name)) is not None
    )


def last_arrival(source: str) -> int | None:
    """Return when the last file of a folder was taken, epoch seconds; None: never."""
    found = File.select(fn.MAX(File.taken_at)).where(File.source == source).scalar()
    return None if found is None else int(found)
