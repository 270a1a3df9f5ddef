"""Of what alarms told whom, and what they found when they were last looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from peewee import JOIN, fn

from syncd.store.database import write_transaction
from syncd.store.models import AlarmState, AlarmTold, Outbox


def state_of(alarm: str) -> tuple[str, int | None]:
    """Return the digest of what was found at the last look, and when to look again anyhow."""
    row = AlarmState.get_or_none(AlarmState.alarm == alarm)
    return ("", None) if row is None else (str(row.digest), row.again_at)


def looked(alarm: str, digest: str, again_at: int | None) -> None:
    """Remember what was found at a look."""
    with write_transaction():
        AlarmState.insert(alarm=alarm, digest=digest, again_at=again_at).on_conflict(
            conflict_target=[AlarmState.alarm],
            update={AlarmState.digest: digest, AlarmState.again_at: again_at},
        ).execute()


def known_to(alarm: str, recipient_key: str, since: int, now: int) -> tuple[frozenset[str], int]:
    """Return the events that a recipient was told of since a moment (epoch seconds), and when the
    last message by now was written; a clock that was ahead may have written some that are later."""
    rows = list(
        AlarmTold.select(AlarmTold.event, AlarmTold.at)
        .where(
            AlarmTold.alarm == alarm,
            AlarmTold.recipient_key == recipient_key,
            AlarmTold.at >= since,
        )
        .tuples()
    )
    return frozenset(event for event, _ in rows), max(
        (at for _, at in rows if at <= now), default=0
    )


def enter(
    alarm: str,
    events: Iterable[str],
    recipient_key: str,
    recipient: str,
    reference: str,
    rights: str,
    at: int,
) -> bool:
    """Enter what a message tells, within the caller's transaction. Returns False where all of it
    was told already."""
    fresh = 0
    for event in events:
        fresh += (
            AlarmTold.insert(
                alarm=alarm,
                event=event,
                recipient_key=recipient_key,
                recipient=recipient,
                at=at,
                reference=reference,
                rights=rights,
            )
            .on_conflict_ignore()
            .as_rowcount()
            .execute()
        )
    return bool(fresh)


def last_told() -> dict[str, int]:
    """Return when each alarm wrote to somebody last."""
    rows = AlarmTold.select(AlarmTold.alarm, fn.MAX(AlarmTold.at)).group_by(AlarmTold.alarm)
    return dict(rows.tuples())


def messages(alarm: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the newest messages of alarms: to whom, of how many events, what became of them."""
    query = (
        AlarmTold.select(
            AlarmTold.at,
            AlarmTold.alarm,
            AlarmTold.recipient,
            fn.COUNT(AlarmTold.event),
            fn.MAX(Outbox.state),
            fn.MAX(Outbox.reason),
        )
        .join(
            Outbox,
            JOIN.LEFT_OUTER,
            on=((Outbox.kind == "alarm") & (Outbox.reference == AlarmTold.reference)),
        )
        .group_by(AlarmTold.at, AlarmTold.alarm, AlarmTold.recipient, AlarmTold.reference)
        .order_by(AlarmTold.at.desc(), AlarmTold.alarm, AlarmTold.recipient)
        .limit(limit)
    )
    if alarm is not None:
        query = query.where(AlarmTold.alarm == alarm)
    names = ("at", "alarm", "recipient", "events", "state", "reason")
    rows = [dict(zip(names, row, strict=True)) for row in query.tuples()]
    for row in rows:
        row["state"] = {"waiting": "waits", None: ""}.get(row["state"], row["state"])
        row["reason"] = row["reason"] or ""
    return rows
