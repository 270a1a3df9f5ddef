"""The ledger: what became of every file and every row of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from syncd.domain.codes import FileState, RecordOutcome
from syncd.domain.leg import Reject as RejectedRow
from syncd.store.models import (
    File,
    FileHeader,
    Pbx,
    Record,
    Reject,
    database,
)

NO_HEADERS: Mapping[int, bytes] = {}
AT_ONCE = 400
"""Values of one query."""


@dataclass(slots=True)
class Counters:
    """Rows of a file by what became of them: read = stored + duplicate + excluded + not_billed +
    rejected; and the call rows made of its records."""

    read: int = 0
    stored: int = 0
    duplicate: int = 0
    excluded: int = 0
    not_billed: int = 0
    rejected: int = 0
    calls: int = 0

    def add_outcome(self, outcome: RecordOutcome, count: int) -> None:
        if outcome is RecordOutcome.STORED:
            self.stored += count
        elif outcome is RecordOutcome.EXCLUDED:
            self.excluded += count
        else:
            self.not_billed += count

    def include(self, other: Counters) -> None:
        """Add the rows of another part of the file."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


def pbx_id(name: str) -> int:
    """Return the key of a PBX identity, made on demand."""
    found = Pbx.get_or_none(Pbx.name == name)
    return int(found.id if found is not None else Pbx.insert(name=name).execute())


class Known(NamedTuple):
    """A file that the ledger has."""

    id: int
    state: FileState
    archive: str


class Names:
    """What the ledger has of the files of one folder, asked for many names at a time."""

    def __init__(self, source: str, names: Iterable[str]) -> None:
        self._known: dict[tuple[str, str], Known] = {}
        wanted = list(names)
        for start in range(0, len(wanted), AT_ONCE):
            rows = File.select(File.name, File.sha256, File.id, File.state, File.archive).where(
                File.source == source, File.name << wanted[start : start + AT_ONCE]
            )
            for name, sha256, key, state, archive in rows.tuples():
                self._known[name, sha256] = Known(key, FileState(state), archive)

    def find(self, name: str, sha256: str) -> Known | None:
        """Return what is known of this content by this name."""
        return self._known.get((name, sha256))

    def unreadable(self, name: str) -> bool:
        """Tell whether a file of this name is on record as one that could not be read."""
        return (name, "") in self._known


class Entry(NamedTuple):
    """A file as it is entered."""

    source: str
    name: str
    sha256: str
    size: int
    state: FileState
    reason: str
    now: int
    archive: str


def enter(names: Names, entry: Entry) -> int:
    """Enter a file, or what became of it this time; returns its id. The counters begin at 0 for a
    file that is new."""
    if entry.sha256 and names.unreadable(entry.name):
        forget_unreadable(entry.source, entry.name)
    known = names.find(entry.name, entry.sha256)
    if known is not None:
        complete(known.id, entry)
        return known.id
    mark = database.param
    row = database.execute_sql(
        "INSERT INTO file (source, name, sha256, size, state, reason, taken_at, archive, read,"
        " stored, duplicate, excluded, not_billed, rejected, calls)"
        f" VALUES ({', '.join([mark] * 8)}, 0, 0, 0, 0, 0, 0, 0) RETURNING id",
        (*entry[:4], int(entry.state), entry.reason, entry.now, entry.archive),
    ).fetchone()
    return int(row[0])


def complete(file_id: int, entry: Entry) -> None:
    """Note what became of a file that is entered already."""
    File.update(
        state=int(entry.state),
        reason=entry.reason,
        taken_at=entry.now,
        archive=entry.archive,
    ).where(File.id == file_id).execute()


def entries(source: str, name: str) -> int:
    """Return how many files of a name there were."""
    return int(File.select().where(File.source == source, File.name == name).count())


def grow(file_id: int, size: int, now: int) -> None:
    """Note that more of a growing file was taken."""
    File.update(size=size, taken_at=now).where(File.id == file_id).execute()


def resize(file_id: int, size: int) -> None:
    """Note how large a growing file is."""
    File.update(size=size).where(File.id == file_id).execute()


def forget_unreadable(source: str, name: str) -> None:
    """Forget that a file could not be read."""
    File.delete().where(File.source == source, File.name == name, File.sha256 == "").execute()


def add(changed: Mapping[int, Counters]) -> None:
    """Add to the counters of files."""
    mark = database.param
    sums = ", ".join(f"{name} = {name} + {mark}" for name in Counters.__slots__)
    database.cursor().executemany(
        f"UPDATE file SET {sums} WHERE id = {mark}",
        [(*counters.as_dict().values(), file_id) for file_id, counters in changed.items()],
    )


def file_name(file_id: int) -> str:
    """Return a file's name as its source has it."""
    file = File.get_or_none(File.id == file_id)
    return f"file {file_id}" if file is None else str(file.name)


def files_of(records: Iterable[int]) -> dict[int, int]:
    """Return how often the records of each file occur in a list of record ids."""
    counts: dict[int, int] = {}
    for record in records:
        counts[record] = counts.get(record, 0) + 1
    files: dict[int, int] = {}
    ids = list(counts)
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        for record, file_id in (
            Record.select(Record.id, Record.file_id).where(Record.id << part).tuples()
        ):
            files[file_id] = files.get(file_id, 0) + counts[record]
    return files


def add_rejects(
    rejects: Iterable[tuple[int, RejectedRow]], headers: Mapping[int, bytes] = NO_HEADERS
) -> None:
    """Keep rows that were rejected, with their raw text, and what explains the rows of their files
    (file id → the lines at its beginning)."""
    rows = [
        (file_id, row.line, row.reason, row.raw.encode("utf-8", "surrogatepass"), row.retryable)
        for file_id, row in rejects
    ]
    fields = [Reject.file, Reject.line, Reject.reason, Reject.raw, Reject.retryable]
    for start in range(0, len(rows), 500):
        Reject.insert_many(rows[start : start + 500], fields=fields).execute()
    for file_id, header in headers.items():
        if header:
            FileHeader.insert(file_id=file_id, header=header).on_conflict(
                conflict_target=[FileHeader.file_id], update={FileHeader.header: header}
            ).execute()


def note_unknown(site: str, seen: Mapping[tuple[str, str], list[int]]) -> None:
    """Count line-side numbers that nobody holds: (partition, number) → starts (epoch seconds)."""
    if not seen:
        return
    mark = database.param
    # A folder whose trunks nobody has listed yet has thousands of them.
    database.cursor().executemany(
        "INSERT INTO unknown_number (site, partition, number, first_seen, last_seen, records)"
        f" VALUES ({', '.join([mark] * 6)})"
        " ON CONFLICT (site, partition, number) DO UPDATE SET"
        " first_seen = CASE WHEN excluded.first_seen < unknown_number.first_seen"
        " THEN excluded.first_seen ELSE unknown_number.first_seen END,"
        " last_seen = CASE WHEN excluded.last_seen > unknown_number.last_seen"
        " THEN excluded.last_seen ELSE unknown_number.last_seen END,"
        " records = unknown_number.records + excluded.records",
        [
            (site, partition, number, min(starts), max(starts), len(starts))
            for (partition, number), starts in sorted(seen.items())
        ],
    )


def note_unknown_trunks(pbx: int, seen: Mapping[str, list[int]]) -> None:
    """Count trunk-side devices that no section lists: device → starts (epoch seconds)."""
    database.cursor().executemany(
        "INSERT INTO unknown_trunk (pbx_id, device, first_seen, last_seen, records)"
        f" VALUES ({', '.join([database.param] * 5)}) ON CONFLICT (pbx_id, device) DO UPDATE SET"
        " first_seen = CASE WHEN excluded.first_seen < unknown_trunk.first_seen"
        " THEN excluded.first_seen ELSE unknown_trunk.first_seen END,"
        " last_seen = CASE WHEN excluded.last_seen > unknown_trunk.last_seen"
        " THEN excluded.last_seen ELSE unknown_trunk.last_seen END,"
        " records = unknown_trunk.records + excluded.records",
        [
            (pbx, device, min(starts), max(starts), len(starts))
            for device, starts in sorted(seen.items())
        ],
    )


def conflict(file_id: int, row: int) -> str:
    """Return why a row is rejected whose key a row of a file has with another content."""
    return (
        "conflict: another content than the record with the same key in row"
        f" {row} of {file_name(file_id)}"
    )
