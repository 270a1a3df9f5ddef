"""What follows from a conversation's records: the drafts of its call rows and what becomes of each
record, with the reasons (values only; ``sides`` makes them)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from syncd.calls.attribution import Found, Holder, Holders
from syncd.calls.conversation import OutsideLeg
from syncd.calls.trunks import Endpoints
from syncd.domain.charging import NO_POLICY, Charging
from syncd.domain.codes import (
    Direction,
    Disposition,
    NumberClass,
    Outcome,
    RecordOutcome,
    Side,
)
from syncd.domain.party import Line
from syncd.domain.rate import NormalisedNumber

HUNT_MEMBER = "member of the hunt group, by user id or device"

BILLING_OFF = "billing is off for the number"
NOT_CONFIGURED = "nobody is configured for the number"
NOT_INTERNAL = "nobody holds the number and no internal pattern names it"
NO_DEVICE = "nobody holds the number and no device was reached"
SHARED_PILOT = "a shared voicemail pilot is held by nobody"
TO_VOICEMAIL_ONLY = "a voicemail number is billed for calls to it only"
NO_LINE = "no line of ours takes part"
INTERNAL_RULE = "internal calls are not imported"
RECORDER_RULE = "recorder trunk"


class Numbering(Protocol):
    """What the rules ask of a site's numbering plan."""

    def is_internal(self, number: str) -> bool: ...

    def outgoing(self, number: str, pattern: str = "") -> NormalisedNumber: ...

    def incoming(self, number: str) -> NormalisedNumber: ...


UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Rules:
    """One source's configuration and directory, as the rules need them."""

    numbering: Numbering
    endpoints: Endpoints
    holders: Holders
    site: str
    partitions: bool
    acquisition: bool
    import_internal: bool
    charging: Charging = NO_POLICY
    zone: ZoneInfo = UTC
    """By whose clocks the site has its time bands."""


class Unknown(NamedTuple):
    """A line-side number that nobody holds, in the record ``at``."""

    at: int
    partition: str
    number: str
    acquirable: bool
    """Automatic acquisition would document it."""
    hunt: bool
    """The record shows it as a hunt number."""


class Draft(NamedTuple):
    """A call row before licence and price. ``holder`` is None for an anonymous ``line``; both are
    set when a person was found by user id or device on a number that nobody holds."""

    at: int
    """Index of the record in the conversation."""
    side: Side
    holder: Holder | None
    line: Line | None
    hunt: bool
    direction: Direction
    number_class: NumberClass
    disposition: Disposition
    ring: int
    talk: int
    other: str
    other_outside: int
    outside: OutsideLeg | None
    trunk: str
    pilot: str


class Verdict(NamedTuple):
    """What becomes of a record."""

    outcome: RecordOutcome
    reason: str
    provisional: int


SETTLED = Verdict(RecordOutcome.STORED, "", 0)
PROVISIONAL = Verdict(RecordOutcome.STORED, "", 1)


class Analysis:
    """All that follows from a conversation's records."""

    __slots__ = (
        "counting",
        "drafts",
        "found",
        "legs",
        "payers",
        "policies",
        "private",
        "splits",
        "unknown",
        "unknown_trunks",
        "verdicts",
    )

    def __init__(self, *, explain: bool = False) -> None:
        self.drafts: list[Draft] = []
        self.counting: list[tuple[int, Outcome]] = []
        """(counted, outcome) of each draft."""
        self.legs: Collection[OutsideLeg] = ()
        self.payers: dict[int, int] = {}
        """Record index → index of the draft that is charged for its outside seconds; of several,
        of the one that is charged for most. It may be a draft of an earlier record."""
        self.splits: dict[int, tuple[tuple[int, int], ...]] = {}
        """Record index → (draft or -1, weight) of several who share its outside seconds."""
        self.policies: dict[int, tuple[str, tuple[tuple[str, int], ...]]] = {}
        """Record index → the kind of record and the parts of the policy that decided who pays."""
        self.private: dict[int, int] = {}
        """Record index → index of the draft of who made the private call that it is part of, -1
        where that is nobody who is billed."""
        self.verdicts: list[Verdict] = []
        self.found: list[tuple[int, Side, str, Found]] | None = [] if explain else None
        """(record index, side, number, answer) of every attribution, where ``explain`` asked."""
        self.unknown: list[Unknown] = []
        self.unknown_trunks: list[tuple[int, str]] = []

    def paying(self, at: int) -> tuple[tuple[int, int], ...]:
        """Return (draft, weight) of each who is charged for a record's outside seconds; a draft of
        -1 stands for somebody without a row."""
        shared = self.splits.get(at)
        if shared is not None:
            return shared
        payer = self.payers.get(at)
        return () if payer is None else ((payer, 1),)
