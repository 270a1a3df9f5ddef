"""The grammar of ``[map:NAME]``: what fills one field (docs/rules.md 3.2).

yes | no                         a flag that is the same for everybody
"text"  'text'                   a constant
attribute == text                a test, for flags: any value equals, whatever its case
a | b, c d                       attributes, the first that gives something counts
attributes =~ regular expression of their values, the first group of what it finds
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from syncd.directory.field_values import SetAside, field_value
from syncd.domain.party import FLAG_FIELDS, NUMBER_FIELDS, FieldValue

FLAG_WORDS = {"yes": True, "true": True, "no": False, "false": False}

_ATTRIBUTE = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)(?:;[A-Za-z0-9-]+)*")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")


class MappingError(ValueError):
    """A mapping that cannot be understood: what is wrong, and what would be right."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Rule:
    """What fills one field: a ``constant``, or ``attributes`` (lower-cased names) with either a
    ``pattern`` or a text that they must ``equal``."""

    field: str
    constant: FieldValue | None = None
    attributes: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    equal: str | None = None


def parse_rule(field: str, text: str) -> Rule:
    """Return the rule that a text means for a field. Raises MappingError."""
    text = text.strip()
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return Rule(field, constant=_constant(field, quoted[1] or quoted[2] or ""))
    if text.lower() in FLAG_WORDS:
        if field not in FLAG_FIELDS:
            raise MappingError(f"{text} is for flags, and {field} is none", f'a text: "{text}"')
        return Rule(field, constant=FLAG_WORDS[text.lower()])
    if field in NUMBER_FIELDS and text.isascii() and text.isdigit():
        return Rule(field, constant=_constant(field, text))
    operator = re.search(r"=~|==", text)
    names = _attributes(text[: operator.start()] if operator else text)
    if operator is None:
        return Rule(field, attributes=names)
    right = text[operator.end() :].strip()
    if operator[0] == "=~":
        return Rule(field, attributes=names, pattern=_pattern(right))
    if field not in FLAG_FIELDS:
        raise MappingError(
            f"a test (==) says yes or no, and {field} is no flag", "attribute names, or a constant"
        )
    quoted = _QUOTED.fullmatch(right)
    equal = (quoted[1] or quoted[2] or "") if quoted else right
    if not equal.strip():
        raise MappingError("a test needs a text after ==", "such as employeeType == staff")
    return Rule(field, attributes=names, equal=" ".join(equal.casefold().split()))


def _attributes(text: str) -> tuple[str, ...]:
    names = [name for name in re.split(r"[|,\s]+", text.strip()) if name]
    if not names:
        raise MappingError("it names no attribute", "such as telephoneNumber")
    for name in names:
        if not _ATTRIBUTE.fullmatch(name):
            raise MappingError(
                f"{name!r} is not the name of an attribute",
                'attribute names, "a constant", attribute == text, or attribute =~ pattern',
            )
    return tuple(dict.fromkeys(name.lower() for name in names))


def _pattern(text: str) -> re.Pattern[str]:
    if not text:
        raise MappingError("a regular expression is missing after =~", r"such as =~ (\d{4})$")
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise MappingError(f"the regular expression {text!r} is wrong: {error}") from error
    if not pattern.groups:
        raise MappingError(
            f"the regular expression {text!r} has no group, and its first group is what is taken",
            f"({text})",
        )
    return pattern


def _constant(field: str, text: str) -> FieldValue:
    try:
        return field_value(field, [text])
    except SetAside as error:
        raise MappingError(str(error)) from error
