"""Which slots a line held, for who asks why a call is shown or withheld."""

from __future__ import annotations

from typing import NamedTuple

from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.licensing.claims import hunt_lines, same_line
from syncd.licensing.slots import CLAIMING, SlotKey, slot_key
from syncd.store.models import Assignment, HuntListing, Line, Slot

UNLIMITED = "the licence is unlimited"
NOT_DOCUMENTED = "nobody claims a slot for the line"
HUNT = "a hunt number is documented without a slot"
PASSED = "the number was anonymous at the time of the call"
FULL = "no slot at the time of the call, and none now"
WAS_HUNT = "what was read while a list named it as a hunt number is shown"


class Standing(NamedTuple):
    """Whether a line's calls are shown: the slot that decides it, since when (epoch seconds), and
    the reason in words."""

    slot: bool
    since: int | None
    reason: str


class Span(NamedTuple):
    """A slot held since … until (epoch seconds, until exclusive)."""

    since: int
    until: int
    reason: str


def spans(key: SlotKey) -> list[Span]:
    """Return every slot that was ever held under a key, the first one first."""
    holder = Slot.party == key.party if key.party else Slot.party.is_null()
    rows = Slot.select().where(holder, Slot.role == int(key.role))
    if key.role in (Role.OTHER, Role.ACQUIRED):
        rows = rows.where(Slot.line == key.line)
    return [Span(slot.since, slot.until, slot.reason) for slot in rows.order_by(Slot.since)]


def standing(key: SlotKey, when: int, *, hunt: bool, unlimited: bool) -> Standing:
    """Return why a call of a moment (epoch seconds) is shown or withheld: it is withheld if and only
    if its line held no slot then and holds none now. ``hunt``: the record shows a hunt number."""
    if not key.party and (hunt or key.line in hunt_lines()):
        return Standing(slot=False, since=None, reason=HUNT)
    held = spans(key)
    now = next((span for span in held if span.until == FOREVER), None)
    then = next((span for span in held if span.since <= when < span.until), None)
    if then is not None:
        ended = "" if then.until == FOREVER else "; held at the time of the call, not any more"
        return Standing(slot=True, since=then.since, reason=then.reason + ended)
    if now is not None:
        return Standing(
            slot=True,
            since=now.since,
            reason=f"{now.reason}; held now, not yet at the time of the call",
        )
    heir = None if key.party else _heir(key.line)
    if heir is not None:
        return Standing(slot=True, since=heir.since, reason=f"{heir.reason}; {PASSED}")
    if unlimited:
        return Standing(slot=False, since=None, reason=f"{UNLIMITED}; {NOT_DOCUMENTED}")
    reason = FULL
    if not key.party and HuntListing.get_or_none(HuntListing.line_id == key.line) is not None:
        reason = f"{FULL}; {WAS_HUNT}"
    return Standing(slot=False, since=None, reason=reason)


def _heir(line: int) -> Span | None:
    """Return the slot that is held now by who has an acquired line configured, if it is one party."""
    own = Line.get_by_id(line)
    keys = {
        slot_key(held.party_id, Role(held.role), held.line_id)
        for held in Assignment.select().where(
            Assignment.number == own.number,
            Assignment.role << [int(role) for role in (*CLAIMING, Role.ALIAS, Role.OFFNET_FAX)],
            Assignment.billed,
            ~Assignment.shared,
            Assignment.valid_to == FOREVER,
        )
        if same_line(own.site, own.partition, held.site, held.partition)
    }
    if len({key.party for key in keys}) != 1:
        return None
    return next((span for span in spans(min(keys)) if span.until == FOREVER), None)
