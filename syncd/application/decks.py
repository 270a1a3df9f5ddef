"""From the settings to the layouts of carriers' decks, and what is odd about decks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from syncd.application.preparation import numbering_plan
from syncd.billing.deck import Deck, load_deck
from syncd.billing.deck_changes import changes, jump_warnings
from syncd.billing.deck_map import (
    CarrierDeck,
    DeckMap,
    headings_of,
    map_problems,
    read_carrier_deck,
)
from syncd.billing.deck_reach import unreachable_warning
from syncd.billing.deck_rows import COLUMNS
from syncd.billing.numbering import Numbering
from syncd.billing.sheets import EXCEL, Form
from syncd.billing.tariff import Tariff, class_differences, day_start
from syncd.domain.clock import FOREVER
from syncd.domain.errors import ConfigurationError, Problem, UsageError
from syncd.domain.rate import Rate
from syncd.settings.decks import DeckSettings
from syncd.settings.model import CarrierSettings, Settings, TariffFile
from syncd.settings.values import nearest

OWN_HEADER = frozenset(COLUMNS[:4])
"""Columns by which a deck of our own is known."""


@dataclass(frozen=True, slots=True)
class ReadDeck:
    """A deck of whatever layout: its rates, and, where a layout was needed, how it was taken."""

    file: Path
    deck: Deck
    taken: CarrierDeck | None = None

    @property
    def label(self) -> str:
        return str(self.file) if self.taken is None else self.taken.label


@dataclass(frozen=True, slots=True)
class Checked:
    """A version of a carrier's tariff, or a file, with what is wrong with it and odd about it."""

    carrier: str
    version: str
    file: Path
    read: ReadDeck | None
    problems: list[Problem] = field(default_factory=list)
    incoming: bool = False
    """Whether it prices incoming legs."""

    @property
    def wrong(self) -> bool:
        return any(not problem.warning for problem in self.problems)


def find_carrier(settings: Settings, name: str) -> CarrierSettings:
    """Return a carrier's settings. Raises UsageError."""
    if name not in settings.carriers:
        hint = nearest(name, sorted(settings.carriers)) or "there is no [carrier:NAME] at all"
        raise UsageError(f"there is no [carrier:{name}]", hint)
    return settings.carriers[name]


def layout(settings: Settings, name: str, carrier: CarrierSettings | None = None) -> DeckMap:
    """Return the layout of ``[deck:NAME]``. Raises UsageError when there is none, and
    ConfigurationError when it cannot be used."""
    if name not in settings.decks:
        hint = nearest(name, sorted(settings.decks)) or "there is no [deck:NAME] at all"
        raise UsageError(f"there is no [deck:{name}]", hint)
    one = settings.decks[name]
    problems = list(layout_problems(settings, one, empty=True))
    if problems:
        raise ConfigurationError(f"[deck:{name}] cannot be used", problems=problems)
    return _layout(settings, one, carrier)


def _layout(
    settings: Settings, one: DeckSettings, carrier: CarrierSettings | None = None
) -> DeckMap:
    return DeckMap(
        name=one.name,
        columns={name: headings_of(text) for name, text in one.columns},
        values=dict(one.constants),
        form=Form(one.sheet, one.delimiter, one.encoding),
        decimal=one.decimal,
        cents=one.amounts == "cents",
        ranges=one.ranges,
        currency=one.currency or (carrier.currency if carrier else "") or settings.currency,
    )


def layout_problems(
    settings: Settings, one: DeckSettings, *, empty: bool = False
) -> Iterator[Problem]:
    """Yield what is wrong with a layout; one that says nothing at all is not used, unless it is
    (``empty``)."""
    if not (one.columns or one.constants) and not empty:
        return
    section = f"deck:{one.name}"
    for option, what, hint in map_problems(_layout(settings, one)):
        yield settings.problem(section, option, what, hint)


def deck_problems(settings: Settings) -> list[Problem]:
    """Return what is wrong with all layouts."""
    return [found for one in settings.decks.values() for found in layout_problems(settings, one)]


def is_own(path: Path) -> bool:
    """Return whether a file has the header of a deck of our own."""
    if path.suffix.lower() in EXCEL:
        return False
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for line in stream:
                if line.strip() and not line.startswith("#"):
                    return {cell.strip().lower() for cell in line.split(",")} >= OWN_HEADER
    except (OSError, UnicodeDecodeError):
        return False
    return False


def read_deck(path: Path, mapped: DeckMap | None) -> ReadDeck:
    """Read a deck of our own, or one in a carrier's layout. Raises ConfigurationError with all that
    is wrong."""
    if mapped is None and path.suffix.lower() in EXCEL:
        what = "a workbook is read by a layout, and none was named"
        hint = "[deck:NAME] in the INI, and --map NAME"
        problem = Problem(str(path), 0, "", what, hint)
        raise ConfigurationError(f"{path.name} cannot be read", problems=[problem])
    if mapped is None or is_own(path):
        return ReadDeck(path, Deck(load_deck(path)))
    taken = read_carrier_deck(path, mapped)
    return ReadDeck(path, Deck(taken.rates), taken)


def chosen_layout(
    settings: Settings, wanted: str | None, carrier: CarrierSettings | None
) -> DeckMap | None:
    """Return the layout that is asked for, else the one that has the carrier's name, if any."""
    if wanted is not None:
        return layout(settings, wanted, carrier)
    if carrier is not None and carrier.name in settings.decks:
        one = settings.decks[carrier.name]
        if one.columns or one.constants:
            return layout(settings, carrier.name, carrier)
    return None


def version_before(versions: Sequence[TariffFile], one: TariffFile) -> TariffFile | None:
    """Return the version of the same site and trunk that holds until another begins."""
    earlier = [
        other
        for other in versions
        if (other.site, other.trunk) == (one.site, one.trunk) and other.valid_from < one.valid_from
    ]
    return max(earlier, key=lambda other: other.valid_from, default=None)


def oddities(
    settings: Settings, carrier: CarrierSettings | None, rates: tuple[Rate, ...], label: str
) -> Iterator[Problem]:
    """Yield warnings about prefixes that can never match, and about classes that are not those of
    the plans of the sites from which the carrier is called."""
    yield from unreachable_warning(label, rates)
    if carrier is None:
        return
    sites = {trunk.site for trunk in settings.trunks if trunk.carrier == carrier.name}
    for site in sorted(sites & settings.sites.keys()):
        try:
            numbering = Numbering(numbering_plan(settings.sites[site], settings.sites.values()))
        except ValueError:
            continue  # check-config says so
        made = Tariff(carrier.name, "", 0, FOREVER, Deck(rates), carrier.rounding, label)
        yield from class_differences(numbering, made)


def compared(
    carrier: CarrierSettings, read: ReadDeck, before: TariffFile | None
) -> Iterator[Problem]:
    """Yield warnings about prices that jump from the version before."""
    if before is None:
        return
    try:
        old = Deck(load_deck(before.file))
    except ConfigurationError:
        return  # said where that version is looked at
    found = changes(old, read.deck)
    than = f"tariff.{before.version}"
    yield from jump_warnings(read.label, found, carrier.price_jump, than)


def check_version(
    settings: Settings, carrier: CarrierSettings, one: TariffFile, *, incoming: bool = False
) -> Checked:
    """Look at one version of a carrier's tariff, or of that of its incoming legs."""
    checked = Checked(carrier.name, one.version, one.file, None, incoming=incoming)
    try:
        read = read_deck(one.file, None)
    except ConfigurationError as error:
        checked.problems.extend(error.problems)
        return checked
    versions = carrier.incoming if incoming else carrier.tariffs
    checked.problems.extend(oddities(settings, carrier, read.deck.rates, read.label))
    checked.problems.extend(compared(carrier, read, version_before(versions, one)))
    return replace(checked, read=read)


def check_file(
    settings: Settings, path: Path, mapped: DeckMap | None, carrier: CarrierSettings | None
) -> Checked:
    """Look at a file that no version names yet; with a carrier it is compared with its last one."""
    name = "" if carrier is None else carrier.name
    try:
        read = read_deck(path, mapped)
    except ConfigurationError as error:
        return Checked(name, "", path, None, list(error.problems))
    checked = Checked(name, "", path, read)
    checked.problems.extend(oddities(settings, carrier, read.deck.rates, read.label))
    if carrier is not None:
        checked.problems.extend(compared(carrier, read, last_version(carrier)))
    return checked


def last_version(carrier: CarrierSettings) -> TariffFile | None:
    """Return the version for all sites and trunks that begins last."""
    common = [one for one in carrier.tariffs if not one.site and not one.trunk]
    return max(common, key=lambda one: one.valid_from, default=None)


def state_of(settings: Settings, versions: Sequence[TariffFile], one: TariffFile, now: int) -> str:
    """Return whether one of several versions holds now (``in force``), ``later`` or no more
    (``past``)."""
    start = day_start(one.valid_from, settings.timezone)
    if now < start:
        return "later"
    ends = [
        day_start(other.valid_from, settings.timezone)
        for other in versions
        if (other.site, other.trunk) == (one.site, one.trunk) and other.valid_from > one.valid_from
    ]
    if one.valid_to is not None:
        ends.append(day_start(one.valid_to, settings.timezone))
    return "past" if any(end <= now for end in ends) else "in force"
