"""What is missing between the files of a telephone system: gaps in the numbers of a node's files.

Cisco UCM names its files ``<tag>_<cluster>_<node>_<yyyymmddhhmm>_<number>``: tag ``cdr`` or ``cmr``,
the minute of the file in UTC, and a number that grows by one from file to file of a node. Whether
the files of both tags share the numbers is not documented, so it is seen from the names. A node
writes at most one file of each tag a minute, and begins a new count after some restarts.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86_400
CLOCK_STEP = 10 * MINUTE
"""By so much a node's clock may go back; a number that is lower later than that begins anew."""
SPARE = 100
"""Numbers by which a count may run ahead of one file a minute, or lie behind within CLOCK_STEP."""
LEARNED = 10
"""Files from which the usual step between two numbers is learned."""
ON_DEMAND_HOURS = 1
"""CDRonDemand lists the files of at most so many hours at once."""
ON_DEMAND_TIME = "%Y%m%d%H%M"
"""How it wants times, UTC, and how they stand in names."""

_NAME = re.compile(
    r"(?P<tag>cdr|cmr)_(?P<cluster>.+)_(?P<node>\d{1,3})_(?P<minute>\d{12})_(?P<number>\d{1,18})"
    r"(?:\.(?:csv|txt))?(?:\.(?:gz|zst))?",
    re.ASCII,
)


class Numbered(NamedTuple):
    """What a file's name says. ``minute`` is epoch seconds UTC."""

    cluster: str
    node: str
    tag: str
    minute: int
    number: int

    @property
    def name(self) -> str:
        """The file's name as the node wrote it."""
        written = datetime.fromtimestamp(self.minute, UTC)
        return f"{self.tag}_{self.cluster}_{self.node}_{written:{ON_DEMAND_TIME}}_{self.number}"


class Arrival(NamedTuple):
    """A file that came: its name's parts, and when it was first seen (epoch seconds)."""

    file: Numbered
    taken_at: int


class Gap(NamedTuple):
    """Numbers that are missing, both ends included, between two files of a node that came."""

    cluster: str
    node: str
    tag: str
    """``cdr``, ``cmr``, or ``cdr cmr`` where both share the numbers."""
    first: int
    last: int
    after: int
    """Minute of the file before the gap, epoch seconds UTC."""
    before: int
    """Minute of the file behind it."""
    files: int
    """How many are missing, where a node does not count by one: about."""

    def windows(self) -> list[tuple[datetime, datetime]]:
        """Return the times (UTC) for which to ask CDRonDemand for files, none longer than it
        answers."""
        start = datetime.fromtimestamp(self.after, UTC)
        end = datetime.fromtimestamp(max(self.before, self.after + MINUTE), UTC)
        found = []
        while start < end:
            until = min(start + timedelta(hours=ON_DEMAND_HOURS), end)
            found.append((start, until))
            start = until
        return found

    @property
    def numbers(self) -> str:
        """The numbers as text: ``118`` or ``118-121``."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def text(self) -> str:
        """Say in a sentence what is missing and for which time to ask."""
        start, end = self.windows()[0][0], self.windows()[-1][1]
        return (
            f"{self.files} {'file is' if self.files == 1 else 'files are'} missing of node"
            f" {self.node} of {self.cluster}: {self.tag} {self.numbers}, written between"
            f" {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC"
        )


class Late(NamedTuple):
    """A file that came after one with a higher number had been taken."""

    file: Numbered
    taken_at: int
    seconds: int
    """After the first file with a higher number."""


class Survey(NamedTuple):
    """What is known of the files of one folder."""

    gaps: tuple[Gap, ...]
    late: tuple[Late, ...]

    @property
    def missing(self) -> int:
        """How many files are missing."""
        return sum(gap.files for gap in self.gaps)


def parse_name(name: str) -> Numbered | None:
    """Return what a file's name says, None when it is not one with a number. The cluster's own name
    may hold underscores."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    text = found["minute"]
    try:
        minute = datetime(
            int(text[:4]),
            int(text[4:6]),
            int(text[6:8]),
            int(text[8:10]),
            int(text[10:]),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return Numbered(
        found["cluster"],
        found["node"],
        found["tag"],
        int(minute.timestamp()),
        int(found["number"]),
    )


def survey(arrivals: Iterable[Arrival]) -> Survey:
    """Return the gaps and the late files of any number of nodes, by node and number.

    The order of ``arrivals`` does not matter; a file that came twice counts as it came first.
    """
    nodes: dict[tuple[str, str], dict[Numbered, int]] = defaultdict(dict)
    for file, taken_at in arrivals:
        known = nodes[file.cluster, file.node]
        known[file] = min(taken_at, known.get(file, taken_at))
    gaps: list[Gap] = []
    late: list[Late] = []
    for key in sorted(nodes):
        for tag, files in _series(nodes[key]):
            for run in _runs(files):
                gaps += _gaps(tag, run)
                late += _late(run, nodes[key])
    late.sort(key=lambda one: (one.taken_at, one.file))
    return Survey(tuple(gaps), tuple(late))


def _series(files: Iterable[Numbered]) -> Iterator[tuple[str, list[Numbered]]]:
    """Yield the files of one node that share a count, by time: those of each tag, or all."""
    by_tag: dict[str, list[Numbered]] = defaultdict(list)
    for file in files:
        by_tag[file.tag].append(file)
    for one in by_tag.values():
        one.sort(key=lambda file: (file.minute, file.number))
    if len(by_tag) == 2 and _share(by_tag["cdr"], by_tag["cmr"]):
        both = sorted(by_tag["cdr"] + by_tag["cmr"], key=lambda file: (file.minute, file.number))
        yield "cdr cmr", both
        return
    yield from sorted(by_tag.items())


def _share(first: Sequence[Numbered], second: Sequence[Numbered]) -> bool:
    """Say whether two tags of a node share one count: then no number is in both within a day, and
    the numbers of one lie between those of the other."""
    minutes: dict[int, list[int]] = defaultdict(list)
    for file in first:
        minutes[file.number].append(file.minute)
    for file in second:
        if any(abs(minute - file.minute) <= DAY for minute in minutes.get(file.number, ())):
            return False
    places = [(file.minute, file.number) for file in first]
    for file in second:
        place = bisect_left(places, (file.minute, file.number))
        if 0 < place < len(first) and first[place - 1].number < file.number < first[place].number:
            return True
    return False


def _runs(files: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """Yield the files of each count, by number; where a node began anew another count begins."""
    run: dict[int, Numbered] = {}
    highest: Numbered | None = None
    for file in files:
        if highest is not None and _begins_anew(run, highest, file):
            yield [run[number] for number in sorted(run)]
            run, highest = {}, None
        run.setdefault(file.number, file)
        if highest is None or file.number > highest.number:
            highest = file
    if run:
        yield [run[number] for number in sorted(run)]


def _begins_anew(run: dict[int, Numbered], highest: Numbered, file: Numbered) -> bool:
    """Say whether a file is the first of another count, given that of the files so far."""
    passed = file.minute - highest.minute
    if file.number > highest.number:
        # More than the node can have written since: it counts from elsewhere now.
        return file.number - highest.number > 2 * passed // MINUTE + SPARE
    known = run.get(file.number)
    if known is not None and abs(known.minute - file.minute) > CLOCK_STEP:
        return True
    return passed > CLOCK_STEP or highest.number - file.number > SPARE


def _gaps(tag: str, run: Sequence[Numbered]) -> Iterator[Gap]:
    """Yield what is missing in a count. Where most numbers are more than one apart, since another
    kind of file takes those between and never comes, only a wider step is a gap."""
    steps = Counter(after.number - before.number for before, after in pairwise(run))
    step = 1
    if len(run) > LEARNED:
        usual, times = min(steps.items(), key=lambda one: (-one[1], one[0]))
        # A node that skips a number here and there still counts by one.
        if times * 2 > len(run) - 1:
            step = usual
    for before, after in pairwise(run):
        if after.number - before.number > step:
            yield Gap(
                before.cluster,
                before.node,
                tag,
                before.number + 1,
                after.number - 1,
                min(before.minute, after.minute),
                max(before.minute, after.minute),
                -(-(after.number - before.number) // step) - 1,
            )


def _late(run: Sequence[Numbered], taken: dict[Numbered, int]) -> Iterator[Late]:
    """Yield the files of a count that were taken after one behind them."""
    earliest: int | None = None
    for file in reversed(run):
        at = taken[file]
        if earliest is not None and at > earliest:
            yield Late(file, at, at - earliest)
        earliest = at if earliest is None else min(earliest, at)
