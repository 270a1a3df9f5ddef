"""What a unit of intake did."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncd.calls.batch import BatchResult
from syncd.cdr.arrivals import Watched
from syncd.domain.codes import FileState


@dataclass(slots=True)
class FileOutcome:
    """What became of one file."""

    name: str
    state: FileState
    reason: str = ""
    read: int = 0
    stored: int = 0
    duplicate: int = 0
    excluded: int = 0
    not_billed: int = 0
    rejected: int = 0
    calls: int = 0


@dataclass(slots=True)
class IngestOutcome:
    """What a unit of intake did."""

    source: str
    files: list[FileOutcome] = field(default_factory=list)
    waiting: int = 0
    """Files that have not been still for the settle time."""
    oldest_waiting: int | None = None
    """Age of the oldest of them in seconds."""
    records: int = 0
    calls: int = 0
    withheld: int = 0
    unrated: int = 0
    released: int = 0
    seconds: float = 0.0
    watched: Watched = field(default_factory=Watched)
    """What is missing in the folder, and whether it has gone quiet."""

    def include(self, result: BatchResult) -> None:
        """Count what a transaction stored."""
        self.records += result.records
        self.calls += result.calls
        self.withheld += result.withheld
        self.unrated += result.unrated

    @property
    def failed(self) -> bool:
        """Whether a whole file could not be taken."""
        return any(file.state in (FileState.FAILED, FileState.SET_ASIDE) for file in self.files)
