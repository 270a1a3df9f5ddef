"""From the numbers of a site's records to E.164 and a class: what was dialled, and what was shown.

A site's plan says in which country and area it is, what is dialled for an outside line and which
numbers are inside. Everything else comes from the country's own numbering plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from syncd.billing.country import (
    KINDS,
    SERVICE_CODES,
    SHORT_KINDS,
    CallingCodes,
    Country,
    parse,
)
from syncd.billing.plan import NumberingPlan as NumberingPlan
from syncd.billing.plan import clean, digit_patterns, pattern_text
from syncd.domain.codes import NumberClass
from syncd.domain.rate import NormalisedNumber

REMEMBERED = 50_000
"""Numbers that a plan keeps in each memory; a full memory is emptied."""

LONGEST_EXTENSION = 7
"""Digits beyond which a number is taken for an outside one where a site names no patterns."""

LONGEST_SHORT_NUMBER = 8

SHORTEST_E164 = 7
"""Digits that a number has at least, calling code included, anywhere in the world."""

NOTHING = NormalisedNumber("", NumberClass.UNCLASSIFIED, "no number")
NOT_DIGITS = NormalisedNumber("", NumberClass.UNCLASSIFIED, "not a telephone number")
INSIDE = NormalisedNumber("", NumberClass.INTERNAL, "internal numbers of the site")

# Numbers of the company's own network: what they would be in the public one is an accident.
_PRIVATE = (NumberClass.INTERNAL, NumberClass.ON_NET)

CALLING_CODE = "calling code"
OWN_NUMBER = "public number of the company"

# Digits that make a whole number of a prefix: any that makes one in use will do.
_FILLINGS = ("123456789012345", "000000000000000", "555555555555555", "234567890123456")

_OPEN_PATTERN = re.compile(r"(?:[0-9*#X]|\[[0-9^-]+\])+")


class _Reading(NamedTuple):
    """A number as it is understood, and whether it is one in use by the country's patterns."""

    number: NormalisedNumber
    in_use: bool


class _OwnRule(NamedTuple):
    of_e164: bool
    fits: Callable[[str], object]
    number_class: NumberClass
    text: str


class Numbering:
    """Normalises the numbers of one site. Raises ValueError for a country that does not exist.

    Answers are remembered, so an instance belongs to one thread at a time.
    """

    __slots__ = (
        "_area_code",
        "_codes",
        "_company",
        "_country",
        "_extensions",
        "_incoming",
        "_internal",
        "_kind_rules",
        "_longest_internal",
        "_networks",
        "_outgoing",
        "_own_rules",
        "_pre_dots",
        "_short_codes",
        "plan",
    )

    def __init__(self, plan: NumberingPlan) -> None:
        country = Country(plan.country)
        self.plan = plan
        self._country = country
        self._codes = CallingCodes()
        area_code = plan.area_code
        trunk_prefix = country.trunk_prefix
        self._area_code = area_code.removeprefix(trunk_prefix) if trunk_prefix else area_code
        self._internal = digit_patterns(plan.internal_numbers).fullmatch
        self._longest_internal = max(map(len, plan.internal_numbers), default=LONGEST_EXTENSION)
        self._own_rules = tuple(
            _OwnRule(
                prefix.startswith("+"),
                digit_patterns((prefix,)).match,
                number_class,
                f"own rule {prefix}",
            )
            for prefix, number_class in plan.rules
        )
        own = tuple(pattern for pattern, _ in plan.dids)
        self._company = digit_patterns((*own, *plan.company_dids)).fullmatch
        self._extensions = tuple(
            (digit_patterns((pattern,)).fullmatch, extension)
            for pattern, extension in plan.dids
            if extension
        )
        self._networks = tuple(
            (prefix, digit_patterns(patterns).fullmatch) for prefix, patterns in plan.networks
        )
        self._short_codes = dict(plan.short_codes)
        # Texts are made once: one is needed for every number.
        self._kind_rules = {
            kind: (number_class, f"country {plan.country}: {text} pattern")
            for kind, (number_class, text) in KINDS.items()
        }
        self._pre_dots: dict[str, Callable[[str], int]] = {}
        self._outgoing: dict[tuple[str, str], NormalisedNumber] = {}
        self._incoming: dict[str, NormalisedNumber] = {}

    def __reduce__(self) -> tuple[type[Numbering], tuple[NumberingPlan]]:
        """What is remembered stays behind when it is handed to another process."""
        return Numbering, (self.plan,)

    def is_internal(self, number: str) -> bool:
        """Return whether the site's patterns name a number."""
        return self._internal(number) is not None

    def outgoing(self, number: str, pattern: str = "") -> NormalisedNumber:
        """Return what a number dialled towards the outside is.

        ``number`` is as in the record, ``pattern`` the route pattern that it matched (``0.!``) or
        empty. A trailing # is an "end of dialling". The access code comes off once: the pattern's
        digits before its dot when the number begins with them, else the site's access code.
        """
        key = (number, pattern)
        known = self._outgoing.get(key)
        if known is None:
            known = self._read_outgoing(number, pattern)
            if len(self._outgoing) >= REMEMBERED:
                self._outgoing.clear()
            self._outgoing[key] = known
        return known

    def incoming(self, number: str) -> NormalisedNumber:
        """Return what a caller's number is as the gateway gives it: +E.164, national with or
        without the trunk prefix, international with its prefix, or any of them behind the access
        code when only that makes a number of it. Without E.164 when it cannot be used."""
        known = self._incoming.get(number)
        if known is None:
            known = self._read_incoming(number)
            if len(self._incoming) >= REMEMBERED:
                self._incoming.clear()
            self._incoming[number] = known
        return known

    def same(self, number: str) -> str:
        """Return the E.164 by which a directory's and a record's spelling of a number are the same,
        empty for a number that is compared as it is written.

        E.164 counts where a number begins with + or the access code or is longer than the site's
        internal patterns, and is not itself one of them.
        """
        access_code = self.plan.access_code
        if self.is_internal(number) or not (
            number.startswith("+")
            or len(number) > self._longest_internal
            or (access_code and number.startswith(access_code))
        ):
            return ""
        known = self.outgoing(number)
        return known.e164 if known.number_class != NumberClass.UNCLASSIFIED else ""

    def extension(self, number: str) -> str:
        """Return the extension that one of the site's own public numbers reaches, empty where the
        number is none or it is not said."""
        if not self._extensions or self.is_internal(number):
            return ""
        e164 = self.incoming(number).e164
        for fits, extension in self._extensions:
            if e164 and fits(e164):
                digits = e164[len(e164) - extension.count("X") :]
                return extension.partition("X")[0] + digits
        return ""

    def classes_below(self, prefix: str) -> set[NumberClass]:
        """Return the classes of some numbers that begin with a prefix (E.164 without ``+``).

        Found by filling the prefix up to the lengths that the country's numbers have; empty when
        that makes no number in use, or the prefix lies in several countries.
        """
        code = self._country.calling_code
        if not prefix.startswith(code):
            parsed = self._codes.split(prefix + "0" * len(_FILLINGS[0]))
            if parsed is None or not prefix.startswith(parsed.calling_code):
                return set()
            reading = self._read_abroad(prefix.ljust(8, "0"), "+" + prefix, CALLING_CODE)
            return {reading.number.number_class}
        national = prefix[len(code) :]
        readings = [
            self._home(national + filling[: length - len(national)], "+" + prefix, "")
            for length in self._country.lengths
            if length >= len(national)
            for filling in _FILLINGS
        ]
        return {reading.number.number_class for reading in readings if reading.in_use}

    def _read_outgoing(self, number: str, pattern: str) -> NormalisedNumber:
        dialled = (clean(number) or self._behind_access_code(number)).rstrip("#")
        if not dialled:
            return NOT_DIGITS if number else NOTHING
        if len(dialled) <= LONGEST_SHORT_NUMBER and (
            self._country.short_kind(dialled) == "emergency"
        ):
            return self._short(dialled, "emergency").number
        if self.plan.private_prefix:
            behind, pattern = self._behind_private_prefix(dialled, pattern)
            if behind:
                found = self._read_company(behind, pattern)
                # Who calls for help does so for everybody.
                return found._replace(private=found.number_class != NumberClass.EMERGENCY)
        return self._read_company(dialled, pattern)

    def _behind_access_code(self, number: str) -> str:
        """Return the E.164 number that was dialled with its + behind the access code (``0+44 20 …``),
        empty where it is none."""
        before, plus, digits = number.partition("+")
        access_code = self.plan.access_code
        return clean(plus + digits) if access_code and clean(before) == access_code else ""

    def _behind_private_prefix(self, dialled: str, pattern: str) -> tuple[str, str]:
        """Return what was dialled behind the prefix for private calls, and the pattern behind it;
        empty when it was not dialled: behind it comes the access code, where there is one."""
        prefix, access_code = self.plan.private_prefix, self.plan.access_code
        if not dialled.startswith(prefix) or self.is_internal(dialled):
            return "", pattern
        behind = dialled[len(prefix) :]
        pre_dot, dot, rest = pattern.partition(".")
        beyond = pre_dot.removeprefix(prefix)
        if dot and beyond != pre_dot and (not beyond or beyond.startswith(access_code)):
            return behind, f"{beyond}.{rest}" if beyond else rest
        emergency = self._country.short_kind(behind) == "emergency"
        if behind and (behind.startswith(access_code) or emergency):
            return behind, pattern
        return "", pattern

    def _read_company(self, dialled: str, pattern: str) -> NormalisedNumber:
        """Read a dialled number, the short codes and the private network of the company first."""
        if len(dialled) <= LONGEST_SHORT_NUMBER and (
            self._country.short_kind(dialled) == "emergency"
        ):
            return self._short(dialled, "emergency").number
        target = self._short_codes.get(dialled)
        if target is not None:
            number = self._read(target, shown=False).number
            return number._replace(rule=f"short code {dialled}: {number.rule}")
        if self._networks and not self.is_internal(dialled):
            for prefix, fits in self._networks:
                if dialled.startswith(prefix) and fits(dialled[len(prefix) :]):
                    rule = f"private network: prefix {prefix}"
                    return self._decide("", dialled, NumberClass.ON_NET, rule).number
        return self._read_outside(dialled, pattern)

    def _read_outside(self, dialled: str, pattern: str) -> NormalisedNumber:
        stripped = self._pre_dot(pattern)(dialled) if "." in pattern else 0
        if stripped:
            return self._read(dialled[stripped:], shown=False).number
        if self.is_internal(dialled):
            return self._decide("", dialled, INSIDE.number_class, INSIDE.rule).number
        access_code = self.plan.access_code
        if not (access_code and dialled.startswith(access_code)):
            return self._read(dialled, shown=False).number
        reading = self._read(dialled[len(access_code) :], shown=False)
        if not reading.in_use:
            # Some gateways' records lack the access code, and in Italy a number may begin with it.
            national = self._read_national(dialled, shown=True)
            if national.in_use:
                return national.number
        return reading.number

    def _read_incoming(self, number: str) -> NormalisedNumber:
        shown = clean(number)
        if not shown:
            return NOT_DIGITS if number else NOTHING
        if self.is_internal(shown):
            return INSIDE
        access_code = self.plan.access_code
        if access_code and shown.startswith(access_code):
            # Most callers from abroad; asking the library what else it could be is slow.
            country, rest = self._country, shown[len(access_code) :]
            if country.after_international_prefix(rest) and not country.after_international_prefix(
                shown
            ):
                reading = self._read(rest, shown=True)
                if reading.in_use:
                    return reading.number
        reading = self._read(shown, shown=True)
        if not (access_code and shown.startswith(access_code)):
            return self._usable(reading)
        abroad = reading.number.number_class == NumberClass.INTERNATIONAL
        if reading.in_use and not abroad:
            return reading.number
        behind = self._read(shown[len(access_code) :], shown=True)
        if behind.in_use and not (abroad and self._codes.in_use(reading.number.e164[1:])):
            return behind.number
        return self._usable(reading)

    def _usable(self, reading: _Reading) -> NormalisedNumber:
        """A caller's number that no number of the country can be is not one to call back."""
        number = reading.number
        unknown = number.number_class == NumberClass.UNCLASSIFIED and not reading.in_use
        if not (unknown or len(number.e164) <= SHORTEST_E164) or not number.e164:
            return number
        return NormalisedNumber("", NumberClass.UNCLASSIFIED, number.rule)

    def _read(self, number: str, *, shown: bool) -> _Reading:
        """Read a number without access code; ``shown`` by a caller, else dialled."""
        if number[:1] == "+":
            return self._read_abroad(number[1:], number, CALLING_CODE)
        if len(number) <= LONGEST_SHORT_NUMBER:
            kind = self._country.short_kind(number)
            # Some countries' ordinary numbers look like short ones of the same length.
            if kind == "emergency" or (kind and not self._in_use(number)):
                return self._short(number, kind)
        own_prefix = self.plan.international_code
        if own_prefix:
            end = len(own_prefix) if number.startswith(own_prefix) else 0
        else:
            end = self._country.after_international_prefix(number)
        if end:
            return self._read_abroad(number[end:], number, f"international prefix {number[:end]},")
        trunk_code = self.plan.trunk_code
        if trunk_code and not shown and number.startswith(trunk_code):
            number = self._country.trunk_prefix + number[len(trunk_code) :]
        return self._read_national(number, shown=shown)

    def _read_abroad(self, digits: str, dialled: str, how: str) -> _Reading:
        if not digits.isdigit():
            return self._unreadable(dialled)
        parsed = self._codes.split(digits)
        if parsed is None:
            rule = f"{how} no country has a number +{digits[:4]}… of this length"
            return _Reading(NormalisedNumber("", NumberClass.UNCLASSIFIED, rule), in_use=False)
        code, national = parsed
        if code == self._country.calling_code:
            return self._home(national, dialled, "")
        number_class = SERVICE_CODES.get(code, NumberClass.INTERNATIONAL)
        rule = f"calling code {code}" if how == CALLING_CODE else f"{how} calling code {code}"
        return self._decide(f"+{code}{national}", dialled, number_class, rule)

    def _read_national(self, number: str, *, shown: bool) -> _Reading:
        if not number.isdigit():
            return self._unreadable(number)
        country = self._country
        national = country.national(number)
        if (
            self._area_code
            and country.trunk_prefix
            and not country.begins_with_trunk_prefix(number)
            and not country.is_bare(number)
        ):
            # Dialled without the trunk prefix it is a number of the own area, except where the
            # prefix may be left out (North America); a gateway shows national ones without it.
            local_first = not shown and country.calling_code != "1"
            in_use = bool(national and country.kind(national))
            if local_first or not in_use:
                local = self._area_code + number
                kind = country.kind(local)
                # In Brazil a mobile phone of the own area is called without the area code, too.
                if kind in ("fixed_line", "voip") or (kind == "mobile" and not in_use):
                    return self._home(local, number, f"area code {self._area_code} added; ")
        if national:
            return self._home(national, number, "")
        parsed = parse(number, country.region) if len(number) >= 3 else None
        if parsed is None:
            return self._unreadable(number)
        if parsed.calling_code == country.calling_code:
            return self._home(parsed.national, number, "")
        return self._decide(
            f"+{parsed.calling_code}{parsed.national}",
            number,
            NumberClass.INTERNATIONAL,
            f"calling code {parsed.calling_code}",
        )

    def _home(self, national: str, dialled: str, how: str) -> _Reading:
        """Classify a national number of the site's own calling code."""
        country = self._country
        e164 = f"+{country.calling_code}{national}"
        kind = country.kind(national)
        if kind:
            number_class, rule = self._kind_rules[kind]
            if kind == "fixed_line" and self._area_code and national.startswith(self._area_code):
                number_class = NumberClass.LOCAL
                rule = f"country {country.region}: area code {self._area_code}"
            return self._decide(e164, dialled, number_class, how + rule)
        sibling = country.sibling(national)
        if sibling:
            rule = f"country {sibling}, which shares calling code {country.calling_code}"
            return self._decide(e164, dialled, NumberClass.INTERNATIONAL, rule)
        # Numbering plans change faster than metadata: a call there may well have been made.
        if not country.possible(national):
            number_class = NumberClass.UNCLASSIFIED
            rule = f"country {country.region}: no number has {len(national)} digits"
        elif self._area_code and national.startswith(self._area_code):
            number_class = NumberClass.LOCAL
            rule = f"country {country.region}: area code {self._area_code}, not a known number"
        else:
            number_class = NumberClass.NATIONAL
            rule = f"country {country.region}: not a known number, its length is possible"
        return self._decide(e164, dialled, number_class, rule, in_use=False)

    def _short(self, number: str, kind: str) -> _Reading:
        number_class, text = SHORT_KINDS[kind]
        country = self._country
        rule = f"country {country.region}: {text}"
        decided = self._decide("", number, number_class, rule).number
        return _Reading(decided._replace(short_number=country.calling_code + number), in_use=True)

    def _unreadable(self, number: str) -> _Reading:
        return self._decide("", number, NOT_DIGITS.number_class, NOT_DIGITS.rule, in_use=False)

    def _in_use(self, number: str) -> bool:
        national = self._country.national(number)
        return bool(national and self._country.kind(national))

    def _decide(
        self, e164: str, dialled: str, number_class: NumberClass, rule: str, *, in_use: bool = True
    ) -> _Reading:
        """Let the site's own rules have the first word."""
        for own in self._own_rules:
            if own.fits(e164 if own.of_e164 else dialled):
                if not in_use and own.number_class in _PRIVATE:
                    e164 = ""
                return _Reading(NormalisedNumber(e164, own.number_class, own.text), in_use=True)
        if e164 and self._company(e164):
            return _Reading(NormalisedNumber(e164, NumberClass.ON_NET, OWN_NUMBER), in_use=True)
        return _Reading(NormalisedNumber(e164, number_class, rule), in_use)

    def _pre_dot(self, pattern: str) -> Callable[[str], int]:
        """Return the function that says how many digits a pattern takes off a number."""
        known = self._pre_dots.get(pattern)
        if known is None:
            known = self._pre_dots[pattern] = self._make_pre_dot(pattern.partition(".")[0])
        return known

    def _make_pre_dot(self, pre_dot: str) -> Callable[[str], int]:
        access_code = self.plan.access_code
        behind = pre_dot.removeprefix(access_code)
        international = self.plan.international_code
        if access_code and pre_dot != behind != "" and behind.isdigit():
            # A pattern such as 000.! or 00.! takes off the prefix for calls abroad or the trunk
            # prefix too, and the gateway gets the kind of number apart. Here they are still needed.
            abroad = (
                international == behind
                if international
                else self._country.after_international_prefix(behind + "1") == len(behind)
            )
            if abroad or behind == self._country.trunk_prefix:
                pre_dot = access_code
        if not _OPEN_PATTERN.fullmatch(pre_dot):
            return lambda _number: 0
        match = re.compile(pattern_text(pre_dot)).match

        def length(number: str) -> int:
            found = match(number)
            return found.end() if found is not None and found.end() < len(number) else 0

        return length
