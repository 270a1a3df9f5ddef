"""From the texts of a directory to the values of a party's fields."""

from __future__ import annotations

import re
from collections.abc import Sequence

from syncd.domain.codes import LEVELS
from syncd.domain.party import (
    FLAG_FIELDS,
    LIST_FIELDS,
    NUMBER_FIELDS,
    FieldValue,
    clean_number,
    default_value,
    name_key,
)

MOST_MASKED_DIGITS = 20
LONGEST_VALUE = 255
"""Characters of a field; of a list, of each of its values."""
LEVEL6_BASES = ("department", "cost_center", "office_location")

PHONE_FIELDS = frozenset(
    (
        "first_extension",
        "other_extensions",
        "extension_alias",
        "voicemail_number",
        "fax_number",
        "offnet_fax_number",
        "mobile_number",
    )
)
_LISTS = frozenset(LIST_FIELDS)
_FLAGS = frozenset(FLAG_FIELDS)
_NUMBERS = frozenset(NUMBER_FIELDS)
_FLAG_WORDS = {
    "yes": True,
    "true": True,
    "1": True,
    "on": True,
    "no": False,
    "false": False,
    "0": False,
    "off": False,
}
_UNFIT = re.compile("[\x00\udc80-\udcff]")


class SetAside(ValueError):
    """A value that a field cannot have; the field keeps what it had."""


def field_value(field: str, texts: Sequence[str]) -> FieldValue:
    """Return the value of a field of these texts, only list fields use more than one.

    No text gives the field's default. Raises SetAside.
    """
    cleaned = [text for text in map(_clean_text, texts) if text]
    if field in _LISTS:
        return _list(field, cleaned)
    if not cleaned:
        return default_value(field)
    text = _short(cleaned[0])
    if field in PHONE_FIELDS:
        return _phone_number(text)
    if field in _NUMBERS:
        return _number(field, text)
    if field in _FLAGS:
        return _flag(text)
    if field == "level6_basis":
        return _basis(text)
    return text


def _clean_text(text: str) -> str:
    if not text.isascii() or "\x00" in text:
        unfit = _UNFIT.search(text)
        if unfit:
            reason = "holds a NUL" if unfit[0] == "\x00" else "is not UTF-8 text"
            raise SetAside(f"{text.encode('utf-8', 'surrogateescape')!r} {reason}")
    return " ".join(text.split())


def _short(text: str) -> str:
    """Return a value that every database can index."""
    if len(text) > LONGEST_VALUE:
        raise SetAside(f"{text[:20]!r}… has {len(text)} characters, more than {LONGEST_VALUE}")
    return text


def _phone_number(text: str) -> str:
    try:
        return clean_number(text)
    except ValueError as error:
        raise SetAside(str(error)) from error


def _list(field: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Return all values, also those behind a ``;`` within one; the same one counts once."""
    found: dict[str, str] = {}
    for text in texts:
        for part in text.split(";"):
            value = _short(part.strip())
            if field in PHONE_FIELDS:
                value = _phone_number(value)
            if value:
                found.setdefault(name_key(value), value)
    return tuple(found.values())


def _number(field: str, text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if field == "permission_level":
        if number not in LEVELS:
            levels = ", ".join(map(str, LEVELS))
            raise SetAside(f"{text!r} is not a permission level: only {levels} are")
    elif not 0 <= number <= MOST_MASKED_DIGITS:
        raise SetAside(f"{text!r} is not a number of digits from 0 to {MOST_MASKED_DIGITS}")
    return number


def _flag(text: str) -> bool:
    try:
        return _FLAG_WORDS[text.casefold()]
    except KeyError:
        raise SetAside(f"{text!r} is neither yes nor no") from None


def _basis(text: str) -> str:
    basis = text.casefold().replace(" ", "_").replace("-", "_")
    if basis not in LEVEL6_BASES:
        raise SetAside(f"{text!r} is none of {', '.join(LEVEL6_BASES)}")
    return basis
