"""The grammar of ``[map:NAME]``: what fills one field (docs/rules.md 3.2).

yes | no                         a flag that is the same for everybody
"text"  'text'                   a constant
"{a} {b, c}"                     a template: each {} the first of its attributes that gives something
attribute == text                a test, for flags: any value equals, whatever its case; != none does
… == … and … != … or …           tests joined; ``and`` binds first
a | b, c d                       attributes, the first that gives something counts
first(a) last(a, b) longest(a)   which of several values counts
attributes =~ regular expression of their values, the first group of what it finds
attributes last 4                the last digits of a number
extension(attributes)            the internal part of a number, by the plan of the person's site
… default "text"                 where all that gives nothing; before =~ it needs ( ) around the rest
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from syncd.directory.field_values import PHONE_FIELDS, SetAside, field_value
from syncd.domain.party import FLAG_FIELDS, NUMBER_FIELDS, FieldValue

FLAG_WORDS = {"yes": True, "true": True, "no": False, "false": False}
CHOICES = ("first", "last", "longest")
EXTENSION = "extension"
MOST_LAST_DIGITS = 15

_ATTRIBUTE = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)(?:;[A-Za-z0-9-]+)*")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_OPERATOR = re.compile(r"=~|==|!=")
_DEFAULT = re.compile(r"(.*\S)\s+default\s+(\"[^\"]*\"|'[^']*')", re.DOTALL)
_LAST_DIGITS = re.compile(r"(.*\S)\s+last\s+(\d+)", re.DOTALL)
_CALL = re.compile(r"([A-Za-z]+)\s*\((.*)\)", re.DOTALL)
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NEXT_TEST = re.compile(r"\s+(and|or)\s+(?=[A-Za-z0-9](?:(?!\s(?:and|or)\s)[\w.;|,\s-])*(?:==|!=))")
_TEST = re.compile(r"\s*([^=!\"']*?)\s*(==|!=)\s*")

_FORMS = 'attribute names, "a constant", attribute == text, or attribute =~ pattern'


class MappingError(ValueError):
    """A mapping that cannot be understood: what is wrong, what would be right, and ``near`` which
    words of the text."""

    def __init__(self, what: str, hint: str = "", near: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.near = near


@dataclass(frozen=True, slots=True)
class Template:
    """A text with attributes in it: its parts are texts, and tuples of lower-cased names of which
    the first that gives something counts."""

    parts: tuple[str | tuple[str, ...], ...]

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(name for part in self.parts if not isinstance(part, str) for name in part)


@dataclass(frozen=True, slots=True)
class Test:
    """Whether a value of the attributes is a text (casefolded, blanks collapsed), or none is."""

    attributes: tuple[str, ...]
    equal: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What fills one field: a ``constant``; a ``template``; one text that attributes must ``equal``
    or several ``tests`` (any of the tuples, all within one); or ``attributes`` (lower-cased names),
    of whose values a ``pattern`` takes a part, ``choice`` one, and ``digits`` or ``extension`` the
    end. ``default`` is for when they give nothing."""

    field: str
    constant: FieldValue | None = None
    attributes: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    equal: str | None = None
    tests: tuple[tuple[Test, ...], ...] = ()
    template: Template | None = None
    choice: str = ""
    digits: int = 0
    extension: bool = False
    default: Template | None = None
    text: str = ""
    """As it was written."""
    plain: bool = False
    """Attributes and nothing else: most rules are, and a directory has many entries."""


def parse_rule(field: str, text: str) -> Rule:
    """Return the rule that a text means for a field. Raises MappingError."""
    text = text.strip()
    try:
        rule = _rule(field, text)
        return replace(rule, text=text, plain=rule == Rule(field, attributes=rule.attributes))
    except MappingError as error:
        place = text.find(error.near) if error.near else -1
        if place < 0:
            raise
        what = f"{error.what}, at character {place + 1}"
        raise MappingError(what, error.hint, error.near) from error


def _rule(field: str, text: str) -> Rule:
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return _quoted(field, quoted[1] or quoted[2] or "")
    if text.lower() in FLAG_WORDS:
        if field not in FLAG_FIELDS:
            raise MappingError(f"{text} is for flags, and {field} is none", f'a text: "{text}"')
        return Rule(field, constant=FLAG_WORDS[text.lower()])
    if field in NUMBER_FIELDS and text.isascii() and text.isdigit():
        return Rule(field, constant=_constant(field, text))
    with_default = _with_default(field, text)
    if with_default is not None:
        return with_default
    operator = _OPERATOR.search(text)
    if operator is None:
        return _values(field, text)
    if operator[0] == "=~":
        return replace(
            _values(field, text[: operator.start()]), pattern=_pattern(text[operator.end() :])
        )
    return _tests(field, text)


def _quoted(field: str, text: str) -> Rule:
    template = _template(text)
    if not template.attributes:
        return Rule(field, constant=_constant(field, "".join(map(str, template.parts))))
    return Rule(field, attributes=tuple(dict.fromkeys(template.attributes)), template=template)


def _with_default(field: str, text: str) -> Rule | None:
    """Return the rule of ``… default "text"``, None where the text is not of this form: what
    follows =~ or == is part of it, unless the whole stands in ( )."""
    found = _DEFAULT.fullmatch(text)
    if found is None:
        return None
    body, written = found[1], found[2][1:-1]
    if body.startswith("(") and body.endswith(")"):
        body = body[1:-1].strip()
    elif _OPERATOR.search(body) and not _QUOTED.fullmatch(body):
        return None
    rule = _rule(field, body)
    if rule.constant is not None or rule.equal is not None or rule.tests or rule.default:
        raise MappingError("a default is for attributes and templates", near="default")
    default = _template(written)
    if not default.attributes:
        _constant(field, "".join(map(str, default.parts)))
    names = dict.fromkeys((*rule.attributes, *default.attributes))
    # A rule looks for values in its own attributes only: those of the default are the template's.
    return replace(rule, attributes=tuple(names), default=default, template=_own(rule))


def _own(rule: Rule) -> Template:
    """Return what a rule takes its values from, apart from its default."""
    return rule.template or Template((rule.attributes,))


def _values(field: str, text: str) -> Rule:
    """Return the rule of attributes, with which of their values and which part of those."""
    text = text.strip()
    found = _LAST_DIGITS.fullmatch(text)
    digits = 0
    if found is not None:
        text, digits = found[1], int(found[2])
        if not 0 < digits <= MOST_LAST_DIGITS:
            what = f"last {found[2]} is no number of digits"
            raise MappingError(what, f"from 1 to {MOST_LAST_DIGITS}", f"last {found[2]}")
    extension = False
    choice = ""
    while (call := _CALL.fullmatch(text)) is not None:
        name = call[1].lower()
        if name == EXTENSION and not extension and not choice:
            extension = True
        elif name in CHOICES and not choice:
            choice = name
        else:
            what = f"{call[1]}( ) cannot stand here"
            raise MappingError(what, f"{', '.join(CHOICES)} or {EXTENSION}", call[1])
        text = call[2].strip()
    if (digits or extension) and field in (*FLAG_FIELDS, *NUMBER_FIELDS):
        what = "last digits" if digits else EXTENSION
        raise MappingError(f"{what} are for numbers, and {field} is none", near="last")
    if digits and extension:
        raise MappingError("an extension is whole: it has no last digits", near=EXTENSION)
    if extension and field not in PHONE_FIELDS:
        raise MappingError(f"{EXTENSION}( ) is for numbers, and {field} is none", near=EXTENSION)
    return Rule(
        field, attributes=_attributes(text), choice=choice, digits=digits, extension=extension
    )


def _attributes(text: str) -> tuple[str, ...]:
    names = [name for name in re.split(r"[|,\s]+", text.strip()) if name]
    if not names:
        raise MappingError("it names no attribute", "such as telephoneNumber")
    for name in names:
        if not _ATTRIBUTE.fullmatch(name):
            raise MappingError(f"{name!r} is not the name of an attribute", _FORMS, name)
    return tuple(dict.fromkeys(name.lower() for name in names))


def _template(text: str) -> Template:
    parts: list[str | tuple[str, ...]] = []
    end = 0
    for match in _BRACES.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        if match[0] in ("{{", "}}"):
            parts.append(match[0][0])
        elif match[1] is None:
            hint = "{{ and }} are braces that mean nothing"
            raise MappingError(f"a {match[0]} without its other half", hint, match[0])
        else:
            parts.append(_attributes(match[1]))
    parts.append(text[end:])
    return Template(tuple(part for part in parts if part))


def _tests(field: str, text: str) -> Rule:
    if field not in FLAG_FIELDS:
        raise MappingError(
            f"a test (==) says yes or no, and {field} is no flag", "attribute names, or a constant"
        )
    any_of: list[tuple[Test, ...]] = []
    all_of: list[Test] = []
    position = 0
    while True:
        test, position, joined = _test(text, position)
        all_of.append(test)
        if joined != "and":
            any_of.append(tuple(all_of))
            all_of = []
        if not joined:
            break
    names = tuple(dict.fromkeys(name for tests in any_of for t in tests for name in t.attributes))
    [first, *_], *_ = any_of
    if names == first.attributes and len(any_of) == len(any_of[0]) == 1 and not first.negated:
        return Rule(field, attributes=names, equal=first.equal)
    return Rule(field, attributes=names, tests=tuple(any_of))


def _test(text: str, position: int) -> tuple[Test, int, str]:
    """Return the test at a position, where the next begins, and by which word it is joined."""
    match = _TEST.match(text, position)
    if match is None:
        rest = text[position:].strip()
        raise MappingError(f"{rest!r} is no test", "attribute == text", rest)
    names = _attributes(match[1])
    quoted = _QUOTED.match(text, match.end())
    following = _NEXT_TEST.match(text, quoted.end()) if quoted else None
    if quoted and (following or not text[quoted.end() :].strip()):
        equal = quoted[1] or quoted[2] or ""
        end = quoted.end()
    else:
        following = _NEXT_TEST.search(text, match.end())
        end = following.start() if following else len(text)
        equal = text[match.end() : end]
    if not equal.strip():
        hint = "such as employeeType == staff"
        raise MappingError(f"a test needs a text after {match[2]}", hint, match[2])
    test = Test(names, " ".join(equal.casefold().split()), match[2] == "!=")
    return test, following.end() if following else end, following[1] if following else ""


def _pattern(text: str) -> re.Pattern[str]:
    text = text.strip()
    if not text:
        raise MappingError("a regular expression is missing after =~", r"such as =~ (\d{4})$", "=~")
    try:
        pattern = re.compile(text)
    except re.error as error:
        what = f"the regular expression {text!r} is wrong: {error}"
        raise MappingError(what, near=text) from error
    if not pattern.groups:
        raise MappingError(
            f"the regular expression {text!r} has no group, and its first group is what is taken",
            f"({text})",
            text,
        )
    return pattern


def _constant(field: str, text: str) -> FieldValue:
    try:
        return field_value(field, [text])
    except SetAside as error:
        raise MappingError(str(error), near=text) from error
