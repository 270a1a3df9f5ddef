"""What reports need of the settings."""

from __future__ import annotations

from syncd.application.preparation import known_codes
from syncd.reports.environment import Environment
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
    )
