"""The mapping of a directory's attributes to the fields of a party: compiled once, then pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from syncd.directory.field_values import SetAside, field_value
from syncd.directory.mapping_grammar import MappingError, Rule, parse_rule
from syncd.directory.protocol import Entry
from syncd.domain.errors import ConfigurationError, Problem
from syncd.domain.party import LIST_FIELDS, PARTY_FIELDS, FieldValue, PartyState
from syncd.settings.model import DirectorySettings

_LISTS = frozenset(LIST_FIELDS)


@dataclass(frozen=True, slots=True)
class PartyMapping:
    """The rules of one ``[map:NAME]``; a field without a rule is local and never written."""

    name: str
    rules: tuple[Rule, ...]
    sites: frozenset[str] | None = None
    """The names that the field ``site`` may have; None: not checked."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The mapped fields."""
        return tuple(rule.field for rule in self.rules)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that the rules need, by lower-cased name."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.attributes))

    def apply(self, entry: Entry) -> tuple[PartyState, list[Problem]]:
        """Return what an entry says of its party, and warnings.

        A field whose value is bad is set aside: it is left out of the state, so that what is stored
        of it stays. An absent value is in the state, as the field's default: it was emptied.
        """
        fields: dict[str, FieldValue] = {}
        warnings: list[Problem] = []
        attributes = entry.attributes
        for rule in self.rules:
            if rule.constant is not None:
                fields[rule.field] = rule.constant
                continue
            try:
                fields[rule.field] = self._value(rule, attributes, entry, warnings)
            except SetAside as error:
                hint = "the field keeps what it had"
                warnings.append(_warning(entry, f"{rule.field}: {error}", hint))
        return PartyState(entry.external_id, fields, entry.where), warnings

    def _value(
        self,
        rule: Rule,
        attributes: dict[str, list[str]],
        entry: Entry,
        warnings: list[Problem],
    ) -> FieldValue:
        if rule.equal is not None:
            return _equals(rule, attributes)
        texts = _texts(rule, attributes)
        if len(texts) > 1 and rule.field not in _LISTS:
            what = f"{rule.field}: there are {len(texts)} values, the first ({texts[0]!r}) counts"
            warnings.append(_warning(entry, what))
        value = field_value(rule.field, texts)
        if rule.field == "site" and value and self.sites is not None and value not in self.sites:
            raise SetAside(f"there is no [site:{value}]")
        return value


def _warning(entry: Entry, what: str, hint: str = "") -> Problem:
    return Problem(entry.where, 0, "", what, hint, warning=True)


def _equals(rule: Rule, attributes: dict[str, list[str]]) -> bool:
    return any(
        " ".join(text.casefold().split()) == rule.equal
        for name in rule.attributes
        for text in attributes.get(name, ())
    )


def _texts(rule: Rule, attributes: dict[str, list[str]]) -> list[str]:
    """Return the values of the first attribute that gives something."""
    for name in rule.attributes:
        texts = attributes.get(name)
        if not texts:
            continue
        if rule.pattern is not None:
            found = (rule.pattern.search(text) for text in texts)
            texts = [match[1] for match in found if match and match[1]]
        texts = [text for text in texts if text and not text.isspace()]
        if texts:
            return texts
    return []


def compile_mapping(
    name: str,
    mapping: Mapping[str, str],
    lines: Mapping[str, int] | None = None,
    files: Mapping[str, str] | None = None,
    sites: Collection[str] | None = None,
) -> PartyMapping:
    """Return the mapping of ``[map:NAME]``: raw text by field, with the line and file of each.

    Raises ConfigurationError with every mistake in it.
    """
    rules: list[Rule] = []
    problems: list[Problem] = []
    for field, text in mapping.items():
        place = (
            (files or {}).get(field, ""),
            (lines or {}).get(field, 0),
            f"[map:{name}] {field}",
        )
        if field not in PARTY_FIELDS:
            problems.append(Problem(*place, "there is no such field"))
        elif text.strip():
            try:
                rules.append(parse_rule(field, text))
            except MappingError as error:
                problems.append(Problem(*place, error.what, error.hint))
    if problems:
        raise ConfigurationError(f"[map:{name}] cannot be used", problems=problems)
    return PartyMapping(name, tuple(rules), None if sites is None else frozenset(sites))


def mapping_of(settings: DirectorySettings, sites: Collection[str] | None = None) -> PartyMapping:
    """Return the mapping of a directory section. Raises ConfigurationError."""
    return compile_mapping(
        settings.name, settings.mapping, settings.mapping_lines, settings.mapping_files, sites
    )
