"""Tariffs: which rate deck of a carrier is in force when, and what is odd about it.

A carrier's tariff has versions. One begins at midnight, in the zone of ``[syncd]``, of the day that
it is valid from, and ends where its own last day says or where the next begins: at any moment the
version with the latest beginning counts, of those that have begun and not ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from syncd.billing.deck import Deck, load_deck
from syncd.billing.numbering import Numbering
from syncd.domain.clock import FOREVER
from syncd.domain.codes import NumberClass
from syncd.domain.errors import ConfigurationError, Problem
from syncd.domain.rate import Rate, Rounding

__all__ = [
    "Carrier",
    "Deck",
    "Tariff",
    "TariffFile",
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

    @property
    def rates(self) -> tuple[Rate, ...]:
        return self.deck.rates


class Carrier:
    """A carrier's tariff versions.

    Raises ConfigurationError naming both of two versions that begin at the same moment, and each
    version that ends before it begins.
    """

    __slots__ = ("_latest_first", "name", "versions")

    def __init__(self, name: str, versions: Iterable[Tariff]) -> None:
        self.name = name
        self.versions = tuple(sorted(versions, key=lambda tariff: tariff.valid_from))
        self._latest_first = self.versions[::-1]
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
            for earlier, later in zip(self.versions, self.versions[1:], strict=False)
            if earlier.valid_from == later.valid_from
        ]
        if problems:
            raise ConfigurationError(f"The tariffs of {name} are wrong", problems=problems)

    def at(self, epoch: int) -> Tariff | None:
        """Return the version in force at a moment (epoch seconds), or None."""
        for tariff in self._latest_first:
            if tariff.valid_from <= epoch < tariff.valid_to:
                return tariff
        return None


def day_start(day: date, zone: ZoneInfo) -> int:
    """Return the epoch seconds at which a day begins in a zone."""
    return int(datetime.combine(day, time(), zone).timestamp())


def load_tariff(carrier: str, source: TariffFile, rounding: Rounding, zone: ZoneInfo) -> Tariff:
    """Read one version. Raises ConfigurationError for its rate deck, as ``load_deck`` does."""
    return Tariff(
        carrier=carrier,
        version=source.version,
        valid_from=day_start(source.valid_from, zone),
        valid_to=FOREVER if source.valid_to is None else day_start(source.valid_to, zone),
        deck=Deck(load_deck(source.file)),
        rounding=rounding,
        file=str(source.file),
    )


def load_carrier(
    name: str, sources: Sequence[TariffFile], rounding: Rounding, zone: ZoneInfo
) -> Carrier:
    """Read all versions of a carrier's tariff; days are days of ``zone``.

    Raises ConfigurationError with the problems of all its decks together.
    """
    tariffs: list[Tariff] = []
    problems: list[Problem] = []
    for source in sources:
        try:
            tariffs.append(load_tariff(name, source, rounding, zone))
        except ConfigurationError as error:
            problems += error.problems
    try:
        carrier = Carrier(name, tariffs)
    except ConfigurationError as error:
        raise ConfigurationError(error.message, problems=[*problems, *error.problems]) from None
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
