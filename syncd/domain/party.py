"""Parties, lines, assignments and profiles, as the rules see them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple

from syncd.domain.codes import Role

CUSTOM_FIELDS = tuple(f"custom{n}" for n in range(1, 11))

TEXT_FIELDS = (
    "username",
    "display_name",
    "given_name",
    "family_name",
    "mail",
    "language",
    "first_extension",
    "voicemail_number",
    "fax_number",
    "offnet_fax_number",
    "mobile_number",
    "partition",
    "site",
    "cdr_user_id",
    "department",
    "cost_center",
    "office_location",
    "level6_basis",
    *CUSTOM_FIELDS,
)
LIST_FIELDS = ("other_extensions", "extension_alias", "devices", "additional_departments")
FLAG_FIELDS = ("enabled", "bill_first_extension", "bill_fax", "bill_voicemail")
NUMBER_FIELDS = ("permission_level", "masked_digits")
PARTY_FIELDS = (*TEXT_FIELDS, *LIST_FIELDS, *FLAG_FIELDS, *NUMBER_FIELDS)
"""Every field of a party, named alike in INI, JSON and database."""

PROFILE_FIELDS = ("display_name", "department", "cost_center", "office_location", *CUSTOM_FIELDS)
"""What a call snapshots about its party."""

FieldValue = str | bool | int | tuple[str, ...]


def default_value(name: str) -> FieldValue:
    """Return what a party has in a field that nothing set: text empty, lists empty, flags off
    (``enabled`` on), level 0, no masking."""
    if name in LIST_FIELDS:
        return ()
    if name in FLAG_FIELDS:
        return name == "enabled"
    if name in NUMBER_FIELDS:
        return 0
    return ""


def name_key(text: str) -> str:
    """Return the key by which names are compared: NFKC, casefold, blanks collapsed and trimmed."""
    if text.isascii():  # the same, and much faster
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


NUMBER_DROPPED = str.maketrans("", "", " \t\u00a0\u202f-./()")


def clean_number(text: str) -> str:
    """Return a number without blanks and ``-./()``.

    Raises ValueError when what is left is not digits, ``*``, ``#`` and a leading ``+``.
    """
    number = text.translate(NUMBER_DROPPED)
    if number and not all(character in "0123456789*#" for character in number.removeprefix("+")):
        raise ValueError(f"{text!r} is not a number: only digits, * and # and a leading + count")
    if number == "+":
        raise ValueError(f"{text!r} is not a number: it has no digits")
    return number


def line_identifier(partition: str, number: str) -> str:
    """Return the line id: ``<partition>.<number>`` where a partition is set, else the number."""
    return f"{partition}.{number}" if partition else number


class Line(NamedTuple):
    """A number at a site in a partition; ``site`` is empty for "every site that names it"."""

    site: str
    partition: str
    number: str

    @property
    def line_id(self) -> str:
        return line_identifier(self.partition, self.number)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A line (or a user id, or a device) held by a party in a role, from … to (epoch seconds, to
    exclusive). ``number`` holds the user id or device name for those two roles."""

    party_id: int
    role: Role
    line: Line
    billed: bool
    valid_from: int
    valid_to: int
    shared: bool = False
    """A voicemail number that several people name: a shared pilot, held by nobody."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One version of what a call snapshots about a party, from … to."""

    party_id: int
    values: tuple[str, ...]
    """In the order of PROFILE_FIELDS."""
    valid_from: int
    valid_to: int


@dataclass(frozen=True, slots=True)
class PartyState:
    """What a directory says, or the store holds, of one party: ``fields`` by name of PARTY_FIELDS."""

    external_id: str
    fields: dict[str, FieldValue] = field(default_factory=dict)
    where: str = ""
    """Entry DN, or file and line: for messages only."""
    kind: str = "person"
    """``person | place | pilot``; what a party is never changes."""

    def get(self, name: str) -> FieldValue:
        return self.fields.get(name, default_value(name))

    def text(self, name: str) -> str:
        return str(self.get(name))

    def flag(self, name: str) -> bool:
        return bool(self.get(name))

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.get(name)
        return value if isinstance(value, tuple) else ()
