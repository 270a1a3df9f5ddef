"""The closed lists of the domain, as small integers in the database and as words everywhere else."""

from __future__ import annotations

from enum import IntEnum


class Word(IntEnum):
    """An integer with a word: ``NO_ANSWER.word`` is ``no-answer``."""

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")

    @classmethod
    def words(cls) -> list[str]:
        return [member.word for member in cls]

    @classmethod
    def of(cls, word: str) -> Word:
        """Return the member with this word. Raises ValueError when there is none."""
        for member in cls:
            if member.word == word:
                return member
        raise ValueError(f"{word!r} is none of {', '.join(cls.words())}")


class Role(Word):
    """What a line is to a party; the order is that of claims on slots and of "the first role wins"."""

    NONE = 0
    FIRST = 1
    OTHER = 2
    FAX = 3
    VOICEMAIL = 4
    ALIAS = 5
    OFFNET_FAX = 6
    USER_ID = 7
    DEVICE = 8
    MOBILE = 9
    ACQUIRED = 10


class Side(Word):
    """Whose side of a record a call row is; the order decides which row of a participation counts."""

    CALLING = 0
    CALLED = 1
    FIRST_REDIRECTING = 2
    REDIRECTING = 3
    PILOT = 4


class Direction(Word):
    """Which way a record goes, seen from the company."""

    INTERNAL = 0
    OUTGOING = 1
    INCOMING = 2
    TRANSIT = 3
    ON_NET = 4


class NumberClass(Word):
    """What kind of number is at the other end."""

    UNCLASSIFIED = 0
    INTERNAL = 1
    ON_NET = 2
    LOCAL = 3
    NATIONAL = 4
    MOBILE = 5
    INTERNATIONAL = 6
    TOLL_FREE = 7
    PREMIUM = 8
    SHARED_COST = 9
    EMERGENCY = 10
    SPECIAL = 11


class Disposition(Word):
    """How one record ended; describes a single row and is never summed."""

    ANSWERED = 0
    NO_ANSWER = 1
    BUSY = 2
    CANCELLED = 3
    FAILED = 4
    FORWARDED = 5
    TRANSFERRED = 6


class Outcome(Word):
    """How a participation ended; stands on its counted row alone, NONE on the others."""

    NONE = 0
    ANSWERED = 1
    MISSED = 2
    UNANSWERED = 3


class State(Word):
    """Whether a row has a price: ``free`` costs 0, ``unrated`` has no price and a reason."""

    FREE = 0
    RATED = 1
    UNRATED = 2


class Purpose(Word):
    """Whether somebody made a call for the company or, by a prefix, a code or a trunk, for
    themselves."""

    BUSINESS = 0
    PRIVATE = 1


class RecordOutcome(Word):
    """What became of a record that is kept (duplicates and rejects are not records)."""

    STORED = 0
    EXCLUDED = 1
    NOT_BILLED = 2


class FileState(Word):
    """What became of a file of a drop folder."""

    WAITING = 0
    DONE = 1
    FAILED = 2
    SET_ASIDE = 3
    IGNORED = 4
    GROWING = 5
    PARTLY = 6
    """Of a large file, what stands before a place; it goes on there."""


class TrunkRole(Word):
    """What lies behind a trunk."""

    PSTN = 0
    TIE = 1
    VOICEMAIL = 2
    FAX = 3
    RECORDER = 4
    CONTACT_CENTRE = 5


LEVELS = {
    0: "no access",
    2: "view personal calls",
    6: "view calls of users",
    8: "view all calls",
    10: "complete management",
}
"""The permission levels; other numbers are refused."""
