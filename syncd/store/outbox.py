"""Mail that waits to be sent: written with what it speaks of, settled when the server took it."""

from __future__ import annotations

from typing import Any, NamedTuple

from syncd.store.database import write_transaction
from syncd.store.models import Outbox

WAITING, SENT, FAILED = "waiting", "sent", "failed"


class Waiting(NamedTuple):
    """A message that is due."""

    id: int
    recipient: str
    message: bytes
    created_at: int
    attempts: int
    kind: str = ""
    reference: str = ""


def post(kind: str, reference: str, recipient: str, subject: str, message: bytes, now: int) -> bool:
    """Write a message into the outbox, within the caller's transaction. Returns False when the
    recipient has one of this kind and reference already."""
    written = (
        Outbox.insert(
            kind=kind,
            reference=reference,
            recipient=recipient,
            subject=subject,
            message=message,
            created_at=now,
            state=WAITING,
            next_at=now,
        )
        .on_conflict_ignore()
        .as_rowcount()
        .execute()
    )
    return bool(written)


def due(now: int, limit: int) -> list[Waiting]:
    """Return messages that are to be sent now, the oldest first."""
    rows = (
        Outbox.select(
            Outbox.id,
            Outbox.recipient,
            Outbox.message,
            Outbox.created_at,
            Outbox.attempts,
            Outbox.kind,
            Outbox.reference,
        )
        .where(Outbox.state == WAITING, Outbox.next_at <= now)
        .order_by(Outbox.id)
        .limit(limit)
        .tuples()
    )
    return [Waiting(row[0], row[1], bytes(row[2]), *row[3:7]) for row in rows]


def settle(message: int, state: str, now: int, reason: str = "") -> None:
    """Remember that a message was sent, or that it is given up. What it told is not kept."""
    with write_transaction():
        Outbox.update(
            state=state, settled_at=now, reason=reason, message=b"", attempts=Outbox.attempts + 1
        ).where(Outbox.id == message, Outbox.state == WAITING).execute()


def defer(message: int, next_at: int, reason: str) -> None:
    """Remember that the server did not take a message yet, and when to try again."""
    with write_transaction():
        Outbox.update(next_at=next_at, reason=reason, attempts=Outbox.attempts + 1).where(
            Outbox.id == message, Outbox.state == WAITING
        ).execute()


def waiting() -> int:
    """Return how many messages wait."""
    return int(Outbox.select().where(Outbox.state == WAITING).count())


def listed(limit: int) -> list[dict[str, Any]]:
    """Return the newest messages without their text."""
    fields = (
        Outbox.id,
        Outbox.kind,
        Outbox.recipient,
        Outbox.subject,
        Outbox.state,
        Outbox.attempts,
        Outbox.created_at,
        Outbox.next_at,
        Outbox.settled_at,
        Outbox.reason,
    )
    return list(Outbox.select(*fields).order_by(Outbox.id.desc()).limit(limit).dicts())
