"""What reports need of the settings."""

from __future__ import annotations

from syncd.application.preparation import known_codes
from syncd.application.working_times import working_times
from syncd.reports.environment import Environment
from syncd.reports.render.options import OutputOptions
from syncd.reports.render.texts import style_of
from syncd.reports.scope import Policy
from syncd.settings.model import Settings


def environment(settings: Settings, now: int) -> Environment:
    """Return what every report of a moment (epoch UTC) has in common."""
    return Environment(
        settings.timezone,
        settings.custom_fields,
        now,
        settings.currency,
        known_codes(settings),
        {name: carrier.vat for name, carrier in settings.carriers.items()},
        settings.finance.budgets,
        settings.reports,
        settings.licensing.slots,
        settings.licensing.automatic_acquisition,
        working_times(settings),
        {name: source.site for name, source in settings.cdr.items()},
        {
            "carrier": settings.carriers,
            "trunk": [trunk.name for trunk in settings.trunks],
            "site": settings.sites,
        },
        books_by_month(settings),
    )


def books_by_month(settings: Settings) -> bool:
    """Say whether something is booked by the month, beside the calls."""
    finance = settings.finance
    return bool(finance.allowances or finance.flat_charges) or any(
        carrier.rounding.per == "invoice" for carrier in settings.carriers.values()
    )


def policy(settings: Settings) -> Policy:
    """Return what the settings say about who sees what."""
    reports = settings.reports
    return Policy(reports.level6_basis, reports.levels, reports.private_numbers == "management")


def output_options(settings: Settings, now: int) -> OutputOptions:
    """Return how every report of a moment (epoch UTC) is written, whatever it is written as."""
    reports = settings.reports
    return OutputOptions(
        settings.timezone,
        now,
        style=style_of(reports.numbers, reports.days),
        logo=reports.logo,
        fonts=reports.fonts,
    )
