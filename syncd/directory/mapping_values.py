"""What a rule of the mapping takes out of an entry's attributes (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from syncd.directory.field_values import SetAside
from syncd.directory.mapping_grammar import Rule, Template, Test
from syncd.domain.party import clean_number

Attributes = Mapping[str, Sequence[str]]


class Taken(NamedTuple):
    """The texts that a rule found, and from which attribute; ``default`` where there was none."""

    texts: list[str]
    origin: str = ""


NOTHING = Taken([])
DEFAULT = "default"


def equals(rule: Rule, attributes: Attributes) -> bool:
    """Whether an entry passes the test or the tests of a rule."""
    if rule.tests:
        return any(all(_passes(test, attributes) for test in tests) for tests in rule.tests)
    return any(
        " ".join(text.casefold().split()) == rule.equal
        for name in rule.attributes
        for text in attributes.get(name, ())
    )


def _passes(test: Test, attributes: Attributes) -> bool:
    found = any(
        " ".join(text.casefold().split()) == test.equal
        for name in test.attributes
        for text in attributes.get(name, ())
    )
    return found is not test.negated


def taken(rule: Rule, attributes: Attributes, *, whole: bool = False) -> Taken:
    """Return what a rule that is no constant and no test finds, its default included.

    With ``whole`` a template in which something is missing gives nothing, as half a number would be
    another one; else what is missing is left out, as long as there is anything. Raises SetAside.
    """
    found = NOTHING
    own = rule.template
    if own is None:
        found = _values(rule, rule.attributes, attributes)
    elif len(own.parts) == 1 and not isinstance(own.parts[0], str):
        found = _values(rule, own.parts[0], attributes)
    else:
        found = _filled(own, attributes, whole=whole)
    if not found.texts and rule.default is not None:
        if not rule.default.attributes:
            return Taken(["".join(map(str, rule.default.parts))], DEFAULT)
        found = _filled(rule.default, attributes, whole=whole)._replace(origin=DEFAULT)
    return found


def plain_texts(rule: Rule, attributes: Attributes) -> Sequence[str]:
    """Return what ``taken`` does of a plain rule, faster."""
    for name in rule.attributes:
        texts = attributes.get(name)
        if texts:
            if len(texts) == 1:
                if texts[0] and not texts[0].isspace():
                    return texts
            elif found := [text for text in texts if text and not text.isspace()]:
                return found
    return ()


def _values(rule: Rule, names: Sequence[str], attributes: Attributes) -> Taken:
    """Return the values of the first attribute that gives something."""
    for name in names:
        texts = list(attributes.get(name) or ())
        if not texts:
            continue
        if rule.pattern is not None:
            found = (rule.pattern.search(text) for text in texts)
            texts = [match[1] for match in found if match and match[1]]
        if rule.digits:
            texts = [_last_digits(text, rule.digits) for text in texts]
        texts = [text for text in texts if text and not text.isspace()]
        if texts:
            return Taken(_chosen(rule.choice, texts) if rule.choice else texts, name)
    return NOTHING


def _chosen(choice: str, texts: list[str]) -> list[str]:
    if choice == "longest":
        return [max(texts, key=len)]
    return [texts[0 if choice == "first" else -1]]


def _last_digits(text: str, count: int) -> str:
    """Return the last digits of a number, empty when it has fewer. Raises SetAside."""
    try:
        digits = clean_number(text).removeprefix("+")
    except ValueError as error:
        raise SetAside(str(error)) from error
    return digits[-count:] if len(digits) >= count else ""


def _filled(template: Template, attributes: Attributes, *, whole: bool) -> Taken:
    parts: list[str] = []
    origins: list[str] = []
    for part in template.parts:
        if isinstance(part, str):
            parts.append(part)
            continue
        for name in part:
            text = next((text for text in attributes.get(name, ()) if text.strip()), "")
            if text:
                parts.append(text)
                origins.append(name)
                break
        else:
            if whole:
                return NOTHING
    if not origins:
        return NOTHING
    return Taken(["".join(parts)], ", ".join(dict.fromkeys(origins)))
