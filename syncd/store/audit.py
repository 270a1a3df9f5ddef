"""What people changed by hand: written in the transaction of the change, or after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from syncd.store.models import AuditEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: as which viewer, and from which account of the operating system."""

    name: str
    party_id: int = 0
    """0: the local administrator."""
    account: str = ""


DAEMON = Actor("daemon")


class Changed(NamedTuple):
    """One change, of a party (its id) or of a subject that is none (party 0)."""

    party_id: int
    field: str
    old: str
    new: str
    subject: str = ""


def enter(actor: Actor, action: str, changes: Iterable[Changed], at: int, reason: str = "") -> int:
    """Enter changes of one action at a time (epoch seconds). Returns how many there were."""
    entered = 0
    for change in changes:
        AuditEntry.create(
            at=at,
            actor=actor.name,
            actor_party=actor.party_id or None,
            account=actor.account,
            action=action,
            party=change.party_id or None,
            subject=change.subject,
            field=change.field,
            old=change.old,
            new=change.new,
            reason=reason,
        )
        entered += 1
    return entered
