"""Tariffs: which rate deck of a carrier is in force when, and what is odd about it.

A carrier's tariff has versions. One begins at midnight, in the zone of ``[syncd]``, of the day that
it is valid from, and ends where its own last day says or where the next begins: at any moment the
version with the latest beginning counts, of those that have begun and not ended. One that is for a
site or a trunk goes before those that are for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from syncd.billing.bands import Bands
from syncd.billing.deck import Deck, load_deck
from syncd.billing.exchange import ExchangeRates
from syncd.billing.numbering import Numbering
from syncd.domain.clock import FOREVER
from syncd.domain.codes import NumberClass
from syncd.domain.errors import ConfigurationError, Problem
from syncd.domain.rate import Adjustment, Rate, Rounding

__all__ = [
    "Carrier",
    "Deck",
    "Tariff",
    "TariffFile",
    "TariffTerms",
    "class_differences",
    "day_start",
    "load_carrier",
    "load_deck",
    "load_tariff",
    "open_ends",
]


class TariffFile(Protocol):
    """What the configuration says of one version; ``valid_to`` is the first day without it."""

    @property
    def version(self) -> str: ...
    @property
    def file(self) -> Path: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_to(self) -> date | None: ...
    @property
    def site(self) -> str: ...
    @property
    def trunk(self) -> str: ...


@dataclass(frozen=True, slots=True)
class TariffTerms:
    """What a carrier says beside its rate decks."""

    bands: Bands | None = None
    by_start: bool = False
    """The band at the beginning of a leg counts to its end; else it is split where a band ends."""
    adjustments: tuple[Adjustment, ...] = ()
    currency: str = ""
    """Empty: the reporting currency."""
    exchange: ExchangeRates = field(default_factory=ExchangeRates)
    vat: int = 0
    """Shown beside prices, in millionths of a percent; no part of them."""
    _percents: dict[tuple[NumberClass, str], int] = field(default_factory=dict, compare=False)

    @property
    def plain(self) -> bool:
        return not (self.bands or self.adjustments or self.currency or self.vat)

    def percent(self, number_class: NumberClass, destination: str) -> int:
        """Return what is added to a leg's price, in millionths of a percent: all the surcharges and
        discounts that fit, each of the same amount."""
        found = self._percents.get((number_class, destination))
        if found is None:
            name = destination.casefold()
            found = self._percents[number_class, destination] = sum(
                one.millionths
                for one in self.adjustments
                if one.number_class in (None, number_class)
                and (not one.destination or fnmatchcase(name, one.destination))
            )
        return found


@dataclass(frozen=True, slots=True)
class Tariff:
    """One version of a carrier's tariff, in force from … to (epoch seconds, to exclusive)."""

    carrier: str
    version: str
    valid_from: int
    valid_to: int
    deck: Deck
    rounding: Rounding
    file: str = ""
    terms: TariffTerms | None = None
    """None: nothing but the rows of the deck counts."""
    site: str = ""
    """Empty: of all sites."""
    trunk: str = ""
    """Empty: of all trunks."""
    plain: bool = field(init=False, default=False)
    """There is nothing but plain rows, and legs are rounded."""

    def __post_init__(self) -> None:
        plain = self.terms is None and self.rounding.per == "leg" and self.deck.plain
        object.__setattr__(self, "plain", plain)

    @property
    def rates(self) -> tuple[Rate, ...]:
        return self.deck.rates


class Carrier:
    """A carrier's tariff versions, and those of its incoming legs, if it prices them.

    Raises ConfigurationError naming both of two versions that begin at the same moment for the same
    site and trunk, and each version that ends before it begins.
    """

    __slots__ = ("_latest_first", "_special", "incoming", "latest", "name", "versions")

    def __init__(
        self,
        name: str,
        versions: Iterable[Tariff],
        *,
        incoming: Carrier | None = None,
    ) -> None:
        self.name = name
        self.incoming = incoming
        self.versions = tuple(sorted(versions, key=lambda tariff: tariff.valid_from))
        found: dict[tuple[str, str], list[Tariff]] = {}
        for tariff in reversed(self.versions):
            found.setdefault((tariff.site, tariff.trunk), []).append(tariff)
        self._latest_first = tuple(found.pop(("", ""), ()))
        self._special = found
        self.latest = self._latest_first[0] if self._latest_first and not found else None
        """The version that counts whenever it holds; None where a site or trunk has its own."""
        problems = [
            Problem(
                tariff.file,
                0,
                f"[carrier:{name}] tariff.{tariff.version}",
                "the tariff ends before it begins",
                "the day after 'to' is the first day on which it no longer holds",
            )
            for tariff in self.versions
            if tariff.valid_to <= tariff.valid_from
        ]
        problems += [
            Problem(
                later.file,
                0,
                f"[carrier:{name}] tariff.{later.version}",
                f"it is valid from the same day as tariff.{earlier.version} ({earlier.file})",
                "give each version a day of its own",
            )
            for alike in (self._latest_first, *found.values())
            for later, earlier in pairwise(alike)
            if earlier.valid_from == later.valid_from
        ]
        if problems:
            raise ConfigurationError(f"The tariffs of {name} are wrong", problems=problems)

    def at(self, epoch: int, site: str = "", trunk: str = "") -> Tariff | None:
        """Return the version in force at a moment (epoch seconds), or None.

        A version for site and trunk goes first, then one for the trunk, for the site, and for all.
        """
        if self._special:
            for key in ((site, trunk), ("", trunk), (site, "")):
                for tariff in self._special.get(key, ()):
                    if tariff.valid_from <= epoch < tariff.valid_to:
                        return tariff
        for tariff in self._latest_first:
            if tariff.valid_from <= epoch < tariff.valid_to:
                return tariff
        return None


def day_start(day: date, zone: ZoneInfo) -> int:
    """Return the epoch seconds at which a day begins in a zone."""
    return int(datetime.combine(day, time(), zone).timestamp())


def load_tariff(
    carrier: str,
    source: TariffFile,
    rounding: Rounding,
    zone: ZoneInfo,
    terms: TariffTerms | None = None,
) -> Tariff:
    """Read one version. Raises ConfigurationError for its rate deck, as ``load_deck`` does, and
    where the deck names time bands that the carrier's set does not have."""
    deck = Deck(load_deck(source.file))
    if terms is not None and terms.plain:
        terms = None
    tariff = Tariff(
        carrier=carrier,
        version=source.version,
        valid_from=day_start(source.valid_from, zone),
        valid_to=FOREVER if source.valid_to is None else day_start(source.valid_to, zone),
        deck=deck,
        rounding=rounding,
        file=str(source.file),
        terms=terms,
        site=source.site,
        trunk=source.trunk,
    )
    bands = None if terms is None else terms.bands
    known = () if bands is None else tuple(bands.spans)
    unknown = [band for band in sorted(deck.bands) if band not in known]
    if unknown:
        name = f"[bands:{bands.name}]" if bands is not None else f"[carrier:{carrier}]"
        hint = f"known are {', '.join(known)}" if known else "name a set: bands = NAME"
        raise ConfigurationError(
            f"The rate deck {source.file.name} does not fit",
            problems=[
                Problem(tariff.file, 0, "band", f"{name} has no time band {band!r}", hint)
                for band in unknown
            ],
        )
    return tariff


def load_carrier(
    name: str,
    sources: Sequence[TariffFile],
    rounding: Rounding,
    zone: ZoneInfo,
    terms: TariffTerms | None = None,
    *,
    incoming: Sequence[TariffFile] = (),
) -> Carrier:
    """Read all versions of a carrier's tariff, and of that of its ``incoming`` legs; days are days
    of ``zone``.

    Raises ConfigurationError with the problems of all its decks together.
    """
    problems: list[Problem] = []

    def load(files: Sequence[TariffFile]) -> list[Tariff]:
        found: list[Tariff] = []
        for source in files:
            try:
                found.append(load_tariff(name, source, rounding, zone, terms))
            except ConfigurationError as error:
                problems.extend(error.problems)
        return found

    def made(versions: list[Tariff], its_incoming: Carrier | None) -> Carrier:
        try:
            return Carrier(name, versions, incoming=its_incoming)
        except ConfigurationError as error:
            problems.extend(error.problems)
            return Carrier(name, ())

    priced = made(load(incoming), None) if incoming else None
    carrier = made(load(sources), priced)
    if problems:
        raise ConfigurationError(f"The tariffs of {name} are wrong", problems=problems)
    return carrier


def open_ends(carrier: Carrier, zone: ZoneInfo) -> list[Problem]:
    """Return warnings: the times after a carrier's first day in which no version is in force, and
    the versions that begin before the one before them ends on a day of its own."""

    def day(epoch: int) -> str:
        return datetime.fromtimestamp(epoch, zone).date().isoformat()

    def warn(tariff: Tariff, what: str, hint: str) -> None:
        option = f"[carrier:{carrier.name}] tariff.{tariff.version}"
        warnings.append(Problem(tariff.file, 0, option, what, hint, warning=True))

    warnings: list[Problem] = []
    unrated = "calls of that time are unrated"
    previous: Tariff | None = None
    for tariff in carrier.versions:
        if previous is not None:
            end = previous.valid_to
            if tariff.valid_from > end:
                warn(tariff, f"none is valid from {day(end)} to {day(tariff.valid_from)}", unrated)
            elif tariff.valid_from < end < FOREVER:
                what = f"it begins before tariff.{previous.version} ends on {day(end)}"
                warn(tariff, what, "from then on the later one counts")
        if previous is None or tariff.valid_to > previous.valid_to:
            previous = tariff
    if previous is not None and previous.valid_to < FOREVER:
        warn(previous, f"none is valid from {day(previous.valid_to)} on", unrated)
    return warnings


_ALIKE = {NumberClass.LOCAL: NumberClass.NATIONAL}


def class_differences(numbering: Numbering, tariff: Tariff) -> list[Problem]:
    """Return warnings where a deck's class differs from that of the site's plan, which counts.

    One warning for each pair of classes, with the number of rows and the first of them. A prefix
    that no number in use seems to begin with is passed over. Local and national are taken as one,
    since a deck serves several sites.
    """
    differences: dict[tuple[NumberClass, NumberClass], list[str]] = {}
    for rate in tariff.rates:
        said = _ALIKE.get(rate.number_class, rate.number_class)
        if said == NumberClass.UNCLASSIFIED:
            continue
        found = {_ALIKE.get(found, found) for found in numbering.classes_below(rate.prefix)}
        if found and said not in found:
            differences.setdefault((rate.number_class, min(found)), []).append(rate.prefix)
    return [
        Problem(
            file=tariff.file,
            line=0,
            option="class",
            what=f"{len(prefixes)} row(s), the first with prefix {prefixes[0]}, say {said.word}, "
            f"the numbering plan of {numbering.plan.country} says {found.word}",
            hint="the plan's class counts; a rule of the site can change it",
            warning=True,
        )
        for (said, found), prefixes in differences.items()
    ]
