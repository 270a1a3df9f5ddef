"""The ledger: what became of every file and every row of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from peewee import fn

from syncd.domain.codes import FileState, RecordOutcome
from syncd.domain.leg import Reject as RejectedRow
from syncd.store.models import File, Pbx, Record, Reject, UnknownNumber, UnknownTrunk


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

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


def pbx_id(name: str) -> int:
    """Return the key of a PBX identity, made on demand."""
    found = Pbx.get_or_none(Pbx.name == name)
    return int(found.id if found is not None else Pbx.insert(name=name).execute())


def find(source: str, name: str, sha256: str) -> File | None:
    """Return the ledger's row of a file, or None when this content was never seen by this name."""
    found: File | None = File.get_or_none(
        File.source == source, File.name == name, File.sha256 == sha256
    )
    return found


def enter(
    source: str,
    name: str,
    sha256: str,
    size: int,
    state: FileState,
    reason: str,
    now: int,
    archive: str = "",
) -> int:
    """Enter a file, or what became of it this time; returns its id. The counters begin at 0 for a
    file that is new."""
    if sha256:
        File.delete().where(File.source == source, File.name == name, File.sha256 == "").execute()
    values = {"state": int(state), "reason": reason, "taken_at": now, "archive": archive}
    known = find(source, name, sha256)
    if known is not None:
        File.update(**values).where(File.id == known.id).execute()
        return int(known.id)
    return int(File.insert(source=source, name=name, sha256=sha256, size=size, **values).execute())


def enter_unreadable(source: str, name: str, size: int, reason: str, now: int) -> None:
    """Enter a file whose content could not be read; forgotten as soon as it can."""
    enter(source, name, "", size, FileState.FAILED, reason, now)


def add(changed: Mapping[int, Counters]) -> None:
    """Add to the counters of files."""
    for file_id, counters in changed.items():
        values = {
            getattr(File, name): getattr(File, name) + value
            for name, value in counters.as_dict().items()
            if value
        }
        if values:
            File.update(values).where(File.id == file_id).execute()


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


def add_rejects(rejects: Iterable[tuple[int, RejectedRow]]) -> None:
    """Keep rows that were rejected, with their raw text."""
    rows = [
        (file_id, row.line, row.reason, row.raw.encode("utf-8", "surrogatepass"), row.retryable)
        for file_id, row in rejects
    ]
    fields = [Reject.file, Reject.line, Reject.reason, Reject.raw, Reject.retryable]
    for start in range(0, len(rows), 500):
        Reject.insert_many(rows[start : start + 500], fields=fields).execute()


def note_unknown(site: str, seen: Mapping[tuple[str, str], list[int]]) -> None:
    """Count line-side numbers that nobody holds: (partition, number) → starts (epoch seconds)."""
    key = (UnknownNumber.site, UnknownNumber.partition, UnknownNumber.number)
    for (partition, number), starts in seen.items():
        UnknownNumber.insert(
            site=site,
            partition=partition,
            number=number,
            first_seen=min(starts),
            last_seen=max(starts),
            records=len(starts),
        ).on_conflict(
            conflict_target=key,
            update={
                UnknownNumber.first_seen: fn.MIN(UnknownNumber.first_seen, min(starts)),
                UnknownNumber.last_seen: fn.MAX(UnknownNumber.last_seen, max(starts)),
                UnknownNumber.records: UnknownNumber.records + len(starts),
            },
        ).execute()


def note_unknown_trunks(pbx: int, seen: Mapping[str, list[int]]) -> None:
    """Count trunk-side devices that no section lists: device → starts (epoch seconds)."""
    for device, starts in seen.items():
        UnknownTrunk.insert(
            pbx_id=pbx,
            device=device,
            first_seen=min(starts),
            last_seen=max(starts),
            records=len(starts),
        ).on_conflict(
            conflict_target=(UnknownTrunk.pbx_id, UnknownTrunk.device),
            update={
                UnknownTrunk.first_seen: fn.MIN(UnknownTrunk.first_seen, min(starts)),
                UnknownTrunk.last_seen: fn.MAX(UnknownTrunk.last_seen, max(starts)),
                UnknownTrunk.records: UnknownTrunk.records + len(starts),
            },
        ).execute()
