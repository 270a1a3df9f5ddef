"""From the settings to carriers with their tariffs, and what is wrong with what they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from syncd.billing.bands import Bands
from syncd.billing.exchange import ExchangeRates, load_exchange_rates
from syncd.billing.holidays import HolidayCalendar, country_problem, load_holidays
from syncd.billing.tariff import Carrier, TariffTerms, load_carrier, open_ends
from syncd.domain.errors import ConfigurationError, Problem
from syncd.settings.model import BandSettings, CarrierSettings, Settings

PlaceProblem = Callable[[str, str, str, str], Problem]
"""Makes a problem of a section, an option, what is wrong and how to mend it."""


@dataclass(slots=True)
class Tariffs:
    """Carriers by name, with what is wrong; a carrier with problems is missing."""

    carriers: dict[str, Carrier] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def load_tariffs(settings: Settings, problem: PlaceProblem) -> Tariffs:
    """Load every carrier with what it refers to; raises nothing for a user's mistake."""
    found = Tariffs()
    exchange = ExchangeRates()
    if settings.exchange is not None:
        exchange, wrong = load_exchange_rates(settings.exchange, settings.timezone)
        found.problems += wrong
    bands = {
        name: _bands(one, problem, found.problems)
        for name, one in settings.bands.items()
        if any(carrier.bands == name for carrier in settings.carriers.values())
    }
    for carrier in settings.carriers.values():
        try:
            terms = _terms(carrier, settings, bands, exchange)
            loaded = load_carrier(
                carrier.name,
                carrier.tariffs,
                carrier.rounding,
                settings.timezone,
                terms,
                incoming=carrier.incoming,
            )
        except ConfigurationError as error:
            found.problems += error.problems or [
                problem(f"carrier:{carrier.name}", "", error.message, "")
            ]
            continue
        found.carriers[carrier.name] = loaded
        found.problems += open_ends(loaded, settings.timezone)
        if terms.currency and terms.currency not in exchange:
            what = f"{settings.exchange} has no rate of {terms.currency}: its calls are unrated"
            found.problems.append(problem(f"carrier:{carrier.name}", "currency", what, ""))
    return found


def _terms(
    carrier: CarrierSettings,
    settings: Settings,
    bands: dict[str, Bands],
    exchange: ExchangeRates,
) -> TariffTerms:
    foreign = carrier.currency not in ("", settings.currency)
    return TariffTerms(
        bands=bands.get(carrier.bands),
        by_start=carrier.band_change == "start",
        adjustments=carrier.surcharges + carrier.discounts,
        currency=carrier.currency if foreign else "",
        exchange=exchange,
        vat=carrier.vat,
    )


def _bands(one: BandSettings, problem: PlaceProblem, problems: list[Problem]) -> Bands:
    """Return a set of bands, and add what is wrong with its holidays."""
    section = f"bands:{one.name}"
    countries = []
    for country in one.holidays:
        what, hint = country_problem(country)
        if what:
            problems.append(problem(section, "holidays", what, hint))
        else:
            countries.append(country)
    calendar = HolidayCalendar(countries)
    if one.holiday_list is not None:
        days, yearly, wrong = load_holidays(one.holiday_list)
        problems += wrong
        calendar = HolidayCalendar(countries, days, yearly)
    holidays = calendar if countries or one.holiday_list is not None else ()
    return Bands(one.name, {name.lower(): spans for name, spans in one.bands}, holidays)


def open_hours(settings: Settings, problem: PlaceProblem) -> Iterator[Problem]:
    """Yield a warning for each set of bands that a carrier uses and that leaves hours open."""
    for one in settings.bands.values():
        users = [name for name, carrier in settings.carriers.items() if carrier.bands == one.name]
        bands = _bands(one, problem, [])
        hours = bands.open_hours() if users else []
        if not one.holidays and one.holiday_list is None:
            hours = [text for text in hours if not text.startswith("holiday")]
        if hours:
            what = f"no band has {', '.join(hours)}"
            hint = "there only the rows without a band count"
            yield replace(problem(f"bands:{one.name}", "", what, hint), warning=True)
