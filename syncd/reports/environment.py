"""What a report needs beside its specification: the installation's settings and the time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from syncd.billing.account_codes import NO_CODES, AccountCodes
from syncd.reports.working_times import Place, WorkingTimes
from syncd.settings.finance import BudgetSettings
from syncd.settings.model import ReportSettings


def _nobody(_: date) -> None:
    """Nobody waits."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The same for every report of a moment, whoever it is for."""

    zone: ZoneInfo
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    """Label by name, of the custom fields that exist for anyone."""
    now: int = 0
    """Epoch seconds UTC."""
    currency: str = ""
    account_codes: AccountCodes = NO_CODES
    vat: Mapping[str, int] = field(default_factory=dict)
    """The tax that is shown beside costs by the name of a carrier, millionths of a percent."""
    budgets: Mapping[str, BudgetSettings] = field(default_factory=dict)
    reports: ReportSettings = field(default_factory=ReportSettings)
    slots: int | None = None
    """Of the licence; None: unlimited."""
    acquisition: bool = False
    working: WorkingTimes | None = None
    """When people work; None: as ``reports`` says, without holidays."""
    source_sites: Mapping[str, str] = field(default_factory=dict)
    """The site of each drop folder, by the name of its section."""
    named: Mapping[str, Collection[str]] = field(default_factory=dict)
    """The carriers, trunks and sites of the settings, by dimension: no call need have one yet."""

    by_month: bool = False
    """Whether something is booked by the month, beside the calls: allowances, flat charges or lines
    of an invoice."""

    looked: Callable[[date], None] = _nobody
    """Told how far back rows were looked at, where a filter is answered by no index."""

    @property
    def working_times(self) -> WorkingTimes:
        """When people work."""
        return self.working or WorkingTimes(Place(self.reports.working_hours, self.zone))

    @property
    def day(self) -> date:
        """Today."""
        return datetime.fromtimestamp(self.now, self.zone).date()
