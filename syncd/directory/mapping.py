"""The mapping of a directory's attributes to the fields of a party: compiled once, then pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from syncd.directory.account_status import STATUS_ATTRIBUTES, account_in_use
from syncd.directory.field_values import PHONE_FIELDS, SetAside, field_value
from syncd.directory.groups import MEMBER_OF, MEMBERSHIP, grant, granted_fields
from syncd.directory.mapping_grammar import MappingError, Rule, parse_rule
from syncd.directory.mapping_numbers import SitePlan, internal_part
from syncd.directory.mapping_values import Taken, equals, plain_texts, taken
from syncd.directory.protocol import Entry
from syncd.domain.errors import ConfigurationError, Problem
from syncd.domain.party import (
    LIST_FIELDS,
    PARTY_FIELDS,
    FieldValue,
    PartyState,
    default_value,
)
from syncd.settings.model import PLACES, DirectorySettings, GroupSettings

ENABLED = "enabled"
WITHOUT_ACCOUNTS = ("csv", PLACES)
"""Kinds of directories whose entries are no accounts: what nothing is said of stays local."""
_LISTS = frozenset(LIST_FIELDS)


class Given(NamedTuple):
    """Why a field has its value: the rule as it was written, and what of the entry gave it."""

    field: str
    value: FieldValue | None
    """None: the field was set aside and keeps what it had."""
    rule: str
    origin: str
    """Attributes, ``constant``, ``default``, groups; empty where nothing gave anything."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PartyMapping:
    """The rules of one ``[map:NAME]``; a field without a rule is local and never written."""

    name: str
    rules: tuple[Rule, ...]
    sites: frozenset[str] | None = None
    """The names that the field ``site`` may have; None: not checked."""
    plans: tuple[SitePlan, ...] = ()
    """The sites by whose plans a number has an internal part."""
    default_site: str = ""
    groups: tuple[GroupSettings, ...] = ()
    """What these groups say comes on top of the rules."""
    account_status: bool = False
    """Whether ``enabled``, which has no rule then, follows the account's status."""
    now: int = 0
    """Epoch seconds, for accounts that expire."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the directory fills."""
        names = [rule.field for rule in self.rules]
        names += granted_fields(self.groups)
        if self.account_status:
            names.append(ENABLED)
        return tuple(dict.fromkeys(names))

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that all that needs, by lower-cased name."""
        names = [name for rule in self.rules for name in rule.attributes]
        if self.groups:
            names.append(MEMBER_OF)
        if self.account_status:
            names += STATUS_ATTRIBUTES
        return tuple(dict.fromkeys(names))

    def apply(self, entry: Entry) -> tuple[PartyState, list[Problem]]:
        """Return what an entry says of its party, and warnings.

        A field whose value is bad is set aside: it is left out of the state, so that what is stored
        of it stays. An absent value is in the state, as the field's default: it was emptied. What
        groups grant is left out too, where it is not known in which the entry is.
        """
        fields: dict[str, FieldValue] = {}
        warnings: list[Problem] = []
        attributes = entry.attributes
        for rule in self.rules:
            if rule.constant is not None:
                fields[rule.field] = rule.constant
                continue
            try:
                fields[rule.field] = self._value(rule, attributes, fields, entry, warnings)
            except SetAside as error:
                hint = "the field keeps what it had"
                warnings.append(_warning(entry, f"{rule.field}: {error}", hint))
        if self.groups:
            self._grant(fields, attributes)
        if self.account_status:
            fields[ENABLED] = account_in_use(attributes, self.now)[0]
        return PartyState(entry.external_id, fields, entry.where), warnings

    def explain(self, entry: Entry) -> list[Given]:
        """Return where each field of an entry comes from, in the order of the rules."""
        state, warnings = self.apply(entry)
        told: dict[str, list[str]] = {}
        for warning in warnings:
            told.setdefault(warning.what.partition(":")[0], []).append(str(warning.what))
        rules = {rule.field: rule for rule in self.rules}
        found = []
        for name in self.fields:
            rule = rules.get(name)
            origins = [self._origin(rule, entry)] if rule else []
            if name in granted_fields(self.groups):
                origins += self._givers(name, rule, entry)
            if rule is None and name == ENABLED:
                origins.append(account_in_use(entry.attributes, self.now)[1])
            written = rule.text if rule else "account_status" if name == ENABLED else "groups"
            found.append(
                Given(
                    name,
                    state.fields.get(name),
                    written,
                    ", ".join(filter(None, origins)),
                    tuple(told.get(name, ())),
                )
            )
        return found

    def _origin(self, rule: Rule, entry: Entry) -> str:
        if rule.constant is not None:
            return "constant"
        if rule.equal is not None or rule.tests:
            return ", ".join(name for name in rule.attributes if entry.attributes.get(name))
        try:
            return self._taken(rule, entry.attributes).origin
        except SetAside:
            return ""

    def _givers(self, name: str, rule: Rule | None, entry: Entry) -> list[str]:
        alone = PartyMapping(self.name, (rule,) if rule else (), self.sites, self.plans)
        mapped = alone.apply(entry)[0].fields.get(name, default_value(name))
        groups = {group.name: group for group in self.groups}
        member_of = entry.attributes.get(MEMBERSHIP, ())
        return [f"group {giver}" for giver in grant(name, mapped, groups, member_of)[1]]

    def _grant(
        self, fields: dict[str, FieldValue], attributes: Mapping[str, Sequence[str]]
    ) -> None:
        member_of = attributes.get(MEMBERSHIP)
        groups = {group.name: group for group in self.groups} if member_of else {}
        mapped = {rule.field for rule in self.rules}
        for name in granted_fields(self.groups):
            if member_of is None or (name in mapped and name not in fields):
                fields.pop(name, None)  # not known, or set aside: it keeps what it had
            else:
                value = fields.get(name, default_value(name))
                fields[name] = grant(name, value, groups, member_of)[0]

    def _value(
        self,
        rule: Rule,
        attributes: dict[str, list[str]],
        fields: Mapping[str, FieldValue],
        entry: Entry,
        warnings: list[Problem],
    ) -> FieldValue:
        if rule.equal is not None or rule.tests:
            return equals(rule, attributes)
        texts = plain_texts(rule, attributes) if rule.plain else self._taken(rule, attributes).texts
        if len(texts) > 1 and rule.field not in _LISTS:
            what = f"{rule.field}: there are {len(texts)} values, the first ({texts[0]!r}) counts"
            warnings.append(_warning(entry, what))
            texts = texts[:1]
        if rule.extension:
            plans = self._plans(str(fields.get("site") or self.default_site))
            texts = [internal_part(text, plans) for text in texts]
        value = field_value(rule.field, texts)
        if rule.field == "site" and value and self.sites is not None and value not in self.sites:
            raise SetAside(f"there is no [site:{value}]")
        return value

    def _taken(self, rule: Rule, attributes: Mapping[str, Sequence[str]]) -> Taken:
        return taken(rule, attributes, whole=rule.field in PHONE_FIELDS)

    def _plans(self, site: str) -> tuple[SitePlan, ...]:
        return tuple(plan for plan in self.plans if plan.name == site) if site else self.plans


def naming_attributes(mapping: PartyMapping, identity: str = "") -> tuple[str, ...]:
    """Return the lower-cased attributes by whose values an entry is called: those of username and
    mail, and the one by which entries are known."""
    names = [
        name
        for rule in mapping.rules
        if rule.field in ("username", "mail")
        for name in rule.attributes
    ]
    if identity:
        names.append(identity.lower())
    return tuple(dict.fromkeys((*names, "entryuuid"))) if names else ("uid", "entryuuid")


def _warning(entry: Entry, what: str, hint: str = "") -> Problem:
    return Problem(entry.where, 0, "", what, hint, warning=True)


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
    if any(rule.extension for rule in rules):
        rules.sort(key=lambda rule: rule.field != "site")  # by whose plan the others are read
    return PartyMapping(name, tuple(rules), None if sites is None else frozenset(sites))


def mapping_of(
    settings: DirectorySettings, sites: Sequence[SitePlan] | None = None, now: int = 0
) -> PartyMapping:
    """Return the mapping of a directory section, with what its groups grant.

    ``sites`` are those of the configuration, ``now`` is the moment of the sync (epoch seconds).
    Raises ConfigurationError.
    """
    names = None if sites is None else [site.name for site in sites]
    compiled = compile_mapping(
        settings.name, settings.mapping, settings.mapping_lines, settings.mapping_files, names
    )
    mapped = {rule.field for rule in compiled.rules}
    return PartyMapping(
        compiled.name,
        compiled.rules,
        compiled.sites,
        tuple(sites or ()),
        settings.site,
        settings.groups,
        settings.account_status and settings.type not in WITHOUT_ACCOUNTS and ENABLED not in mapped,
        now,
    )
