"""The settings of mail, budgets, invoices and charge-back after loading: typed, checked, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from syncd.domain.allowance import Allowance, FlatCharge
from syncd.settings.schedule import Every, Schedule


class MemberAmount(NamedTuple):
    """What a budget gives to one member: micros, and the member's name."""

    amount: int
    member: str


class LedgerColumn(NamedTuple):
    """A column of a charge-back file: a field or a constant, with its width where it is fixed."""

    text: str
    """Name of a field, or the constant."""
    constant: bool
    width: int
    """Characters; 0 in a delimited file."""
    align: str
    """``left | right | zero``: which side is filled, and with what."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """``[mail]``."""

    server: str = ""
    """Empty: no mail is sent."""
    port: int = 587
    tls: str = "starttls"
    """``starttls | tls | none``."""
    user: str = ""
    password_file: Path | None = None
    password_credential: str = ""
    ca_file: Path | None = None
    sender: str = ""
    """Address, or ``Name <address>``."""
    timeout: int = 30
    give_up_after: int = 259_200
    """Seconds for which a message is tried again."""
    schedule: Schedule = field(default_factory=lambda: Every(60))


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """``[budget:NAME]``."""

    name: str
    of: str
    """``person | department | cost_center``."""
    mode: str
    """``cumulative | same | each``."""
    period: str
    """``day | week | month``."""
    amount: int | None
    """Micros; None with mode ``each``."""
    members: tuple[str, ...]
    """Usernames, departments or cost centers; empty: everybody, or every one."""
    departments: tuple[str, ...]
    """Of people: those of these departments."""
    cost_centers: tuple[str, ...]
    amounts: tuple[MemberAmount, ...]
    """Of mode ``each``."""
    carry_over: bool
    thresholds: tuple[int, ...]
    """Percent, ascending."""
    notify: tuple[str, ...]
    """``person``, ``manager`` and addresses."""


@dataclass(frozen=True, slots=True)
class InvoiceSettings:
    """``[invoice:NAME]``: how a carrier's itemised bill is read and compared."""

    name: str
    site: str
    """Whose numbering plan reads the numbers of the bill."""
    delimiter: str
    encoding: str
    sheet: str
    number: str
    """The headers of the columns, empty for one that is not there."""
    start: str
    date: str
    time: str
    duration: str
    price: str
    calling: str
    start_format: str
    date_format: str
    time_format: str
    timezone: ZoneInfo
    duration_format: str
    """``seconds | clock | minutes``."""
    decimal: str
    """``comma | point``."""
    own_numbers: tuple[str, ...]
    """Calling numbers and trunks that are ours, with ``*`` and ``?``; empty: all of the bill."""
    time_tolerance: int
    """Seconds."""
    duration_tolerance: int
    price_tolerance: int
    """Micros."""


@dataclass(frozen=True, slots=True)
class ChargeBackSettings:
    """``[charge-back:NAME]``: the layout of the files for the ledger."""

    name: str
    form: str
    """``delimited | fixed-width``."""
    by: tuple[str, ...]
    """Dimensions: a line for each, within each cost center."""
    columns: tuple[LedgerColumn, ...]
    header: tuple[str, ...]
    trailer: tuple[str, ...]
    delimiter: str
    decimal: str
    """``comma | point | none``: without one, an amount is a whole number of cents."""
    decimals: int
    file: str
    """Name of each file; with ``{cost_center}`` one for each."""
    encoding: str
    line_end: str
    """``unix | windows``."""
    date_format: str
    month_format: str


@dataclass(frozen=True, slots=True)
class FinanceSettings:
    """All of this module's sections."""

    mail: MailSettings = field(default_factory=MailSettings)
    budgets: dict[str, BudgetSettings] = field(default_factory=dict)
    budget_schedule: Schedule = field(default_factory=lambda: Every(900))
    invoices: dict[str, InvoiceSettings] = field(default_factory=dict)
    charge_backs: dict[str, ChargeBackSettings] = field(default_factory=dict)
    allowances: tuple[Allowance, ...] = ()
    """In their order."""
    flat_charges: tuple[FlatCharge, ...] = ()
