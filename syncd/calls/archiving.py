"""Where a file goes that was taken, and what is said of one that could not be moved there."""

from __future__ import annotations

from pathlib import Path

from syncd.calls.context import IntakeContext
from syncd.calls.intake_outcome import FileOutcome, IngestOutcome
from syncd.cdr import spool
from syncd.cdr.spool import Content
from syncd.domain.codes import FileState


def target(context: IntakeContext, content: Content, now: int) -> str:
    """Return the path in the archive for a file that was taken, empty where none is kept."""
    if context.archive is None:
        return ""
    return str(context.archive / spool.archive_name(content, context.source, now))


def set_aside(context: IntakeContext, content: Content) -> Path:
    """Return the path for a file that is not a CDR file."""
    return context.set_aside / context.source / spool.kept_name(content)


def move(content: Content, path: str) -> None:
    """Move a file out of its folder (no path: only remove it). Raises OSError."""
    try:
        if path:
            spool.keep(content, Path(path))
        spool.remove(content)
    finally:
        content.close()


def not_moved(content: Content, error: OSError, outcome: IngestOutcome) -> None:
    """Say of a file that it was stored and is still in its folder; it is moved at another poll."""
    reason = f"stored, but not moved to the archive: {error.strerror or error}"
    for file in outcome.files:
        if file.name == content.candidate.name:
            file.reason = reason
            return
    outcome.files.append(FileOutcome(content.candidate.name, FileState.DONE, reason))
