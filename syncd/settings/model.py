"""The settings after loading: typed, checked, frozen.

The attributes are named like the options of ``schema.py``; times are seconds, paths absolute.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncd.domain.bands import Span, parse_spans
from syncd.domain.charging import NO_POLICY, Charging, Parts
from syncd.domain.codes import NumberClass, TrunkRole
from syncd.domain.errors import Problem
from syncd.domain.rate import Adjustment, Rounding
from syncd.settings.decks import DeckSettings
from syncd.settings.finance import FinanceSettings
from syncd.settings.mailing import MailingSettings
from syncd.settings.retention import RetentionSettings
from syncd.settings.schedule import Schedule
from syncd.settings.secret import Secret

SQLITE = "sqlite:///"
PLACES = "places"
"""The type of the directory that a ``[places:NAME]`` stands for."""


class Percent(int):
    """A whole number of percent, 0–100; ``str`` gives ``10%``."""

    def __str__(self) -> str:
        return f"{int(self)}%"


class Origin(NamedTuple):
    """Where an option was written, and its raw text (comments and continuation marks gone)."""

    file: str
    line: int
    text: str


class Address(NamedTuple):
    """Where to listen; port 0 lets the system choose one."""

    host: str
    port: int


class NumberRule(NamedTuple):
    """A site's own rule: numbers that begin with ``prefix`` (E.164 with ``+``, or digits as dialled
    after the access code; X = a digit) are of this class."""

    name: str
    prefix: str
    number_class: NumberClass


class OwnNumbers(NamedTuple):
    """A range of the company's public numbers, X = a digit, and the extension that each reaches: its
    X are the last digits of the number; empty: it is not said."""

    pattern: str
    extension: str


class TariffFile(NamedTuple):
    """A rate deck, valid from a day to a day (exclusive; None: until the next version begins)."""

    version: str
    file: Path
    valid_from: date
    valid_to: date | None
    site: str = ""
    trunk: str = ""


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """A group of ``[groups:NAME]`` and what it grants to those in it."""

    name: str
    entry_dn: str
    permission_level: int | None = None
    """None: it says nothing about levels."""
    bill_first_extension: bool = False
    bill_fax: bool = False
    bill_voicemail: bool = False
    additional_departments: tuple[str, ...] = ()
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class DirectorySettings:
    """``[directory:NAME]`` with its ``[map:NAME]``."""

    name: str
    type: str
    servers: tuple[str, ...]
    """LDAP URLs, tried in order."""
    tls: str
    """``ldaps | starttls | none``."""
    allow_plaintext_bind: bool
    bind_dn: str
    bind_password_file: Path | None
    bind_credential: str
    """Name of a systemd credential under $CREDENTIALS_DIRECTORY, empty for none."""
    ca_file: Path | None
    base: str
    filter: str
    scope: str
    """``subtree | one | base``."""
    page_size: int
    connect_timeout: int
    timeout: int
    """Seconds for the whole snapshot."""
    file: Path | None
    id: str
    """Attribute by which an entry is known, empty for the server's own."""
    site: str
    """Site of the people who have none mapped, empty for none."""
    schedule: Schedule
    max_departures: Percent
    max_changes: Percent
    grace: int
    """Seconds between a departure and the closing of assignments and profile."""
    full_schedule: Schedule | None = None
    """When everything is read; at other times what changed is enough. None: always."""
    changed_since: bool = False
    """Whether ``schedule`` may read by time stamps, which do not tell who left."""
    follow: bool = False
    """Whether the daemon keeps a search open and synchronises as soon as something changes."""
    bill: bool = True
    """Of ``[places:NAME]``: whether numbers are billed for which the list does not say."""
    mapping: dict[str, str] = field(default_factory=dict)
    """Raw text by party field."""
    mapping_lines: dict[str, int] = field(default_factory=dict)
    mapping_files: dict[str, str] = field(default_factory=dict)
    groups: tuple[GroupSettings, ...] = ()
    account_status: bool = True
    """Whether ``enabled`` follows the account's status in the directory where it is not mapped."""
    sasl: str = ""
    """``external``, or empty for a simple bind."""
    client_certificate: Path | None = None
    client_key: Path | None = None
    delimiter: str = ""
    """``comma | semicolon | tab``, empty: as the header tells."""

    @property
    def section(self) -> str:
        """The header of its section, for messages."""
        return f"{'places' if self.type == PLACES else 'directory'}:{self.name}"


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """``[site:NAME]``."""

    name: str
    country: str
    """ISO 3166, two capital letters."""
    area_code: str
    access_code: str
    international_code: str
    """Empty: the country's own."""
    timezone: ZoneInfo
    internal_numbers: tuple[str, ...]
    """Patterns, X = a digit."""
    number_rules: tuple[NumberRule, ...]
    """In the order of the file; the first that fits decides, before the country's plan."""
    trunk_code: str = ""
    """Empty: the country's own."""
    network_prefix: str = ""
    """Dialled at other sites before an internal number of this one."""
    short_codes: tuple[tuple[str, str], ...] = ()
    """(code, number that it calls)."""
    dids: tuple[OwnNumbers, ...] = ()
    charge_forwarded: Parts = ()
    charge_transferred: Parts = ()
    charge_conference: Parts = ()
    charge_mobile: Parts = ()
    charge_account_code: Parts = ()
    private_prefix: str = ""
    private_codes: tuple[str, ...] = ()
    working_hours: tuple[Span, ...] = ()
    """Empty, as the two that follow: those of ``[reports]``."""
    holidays: tuple[str, ...] = ()
    holiday_list: Path | None = None

    @property
    def charging(self) -> Charging:
        """Who pays for what. Where nothing is said it is always the same object, which tells so
        quickest."""
        policy = Charging(
            self.charge_forwarded,
            self.charge_transferred,
            self.charge_conference,
            self.charge_mobile,
            self.charge_account_code,
            self.private_codes,
        )
        return NO_POLICY if policy == NO_POLICY else policy


@dataclass(frozen=True, slots=True)
class TrunkSettings:
    """``[trunk:NAME]``. With ``patterns``, ``partitions`` or ``numbers`` it applies only to records
    that match each of those that are set."""

    name: str
    site: str
    devices: tuple[str, ...]
    """Globs, for fnmatchcase."""
    role: TrunkRole
    carrier: str
    """Empty: nobody bills it."""
    patterns: tuple[str, ...]
    """Route patterns, as the record names them."""
    partitions: tuple[str, ...]
    numbers: tuple[str, ...]
    """Digit patterns, X = a digit."""
    private: bool = False
    """Calls by it are private."""

    @property
    def narrow(self) -> bool:
        return bool(self.patterns or self.partitions or self.numbers)


@dataclass(frozen=True, slots=True)
class CarrierSettings:
    """``[carrier:NAME]``; tariffs in the order of their first day."""

    name: str
    tariffs: tuple[TariffFile, ...]
    rounding: Rounding
    incoming: tuple[TariffFile, ...] = ()
    """Of incoming legs, by one's own number that was called."""
    bands: str = ""
    """Name of the set; empty: none."""
    band_change: str = "split"
    """``split``: each increment by the band in which it begins; ``start``: all by the first."""
    surcharges: tuple[Adjustment, ...] = ()
    discounts: tuple[Adjustment, ...] = ()
    currency: str = ""
    """Empty: that of ``[syncd]``."""
    vat: int = 0
    """Shown beside prices, in millionths of a percent."""
    price_jump: int = 25
    """Percent by which a price may differ from the version before without a warning."""


@dataclass(frozen=True, slots=True)
class BandSettings:
    """``[bands:NAME]``; the first band that has a moment counts."""

    name: str
    bands: tuple[tuple[str, tuple[Span, ...]], ...]
    holidays: tuple[str, ...]
    """Countries (``IT``) and parts of them (``DE-BY``)."""
    holiday_list: Path | None


@dataclass(frozen=True, slots=True)
class CdrSettings:
    """``[cdr:NAME]``."""

    name: str
    driver: str
    folder: Path
    site: str
    schedule: Schedule
    settle: int
    """Seconds for which size and modification time must have been still."""
    pbx: str
    """Identity; folders of one PBX share it."""
    files: str
    """Glob of the names that are taken."""
    import_internal: bool
    excluded_numbers: tuple[str, ...]
    attribution: tuple[str, ...]
    """``number`` and ``user`` in the order in which they are asked."""
    archive: Path | None
    """Where taken files go; None: they are deleted."""
    hold: int
    """Seconds during which late legs are expected."""
    growing: str = "driver"
    """``yes``, ``no``, or ``driver``: as the driver says."""
    host: str = ""
    """The only machine that has the folder; empty: any that has it."""
    quality: bool = True
    """Whether call quality files are read, where the driver knows them."""
    quiet_after: int = 0
    """Seconds without a file after which a folder is reported as quiet; 0: never."""
    options: dict[str, Any] = field(default_factory=dict)
    """Values of the options that the driver declares."""


@dataclass(frozen=True, slots=True)
class LicensingSettings:
    """``[licensing]``."""

    slots: int | None
    """None: unlimited."""
    automatic_acquisition: bool


WORKING_HOURS = parse_spans("Mon-Fri 08:00-18:00")


@dataclass(frozen=True, slots=True)
class SavedReportSettings:
    """``[saved-report:NAME]``."""

    name: str
    report: str
    """In the words of the command line."""
    shared: bool


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """``[reports]`` and the ``[report:NAME]`` sections."""

    level6_basis: str = "department"
    levels: dict[str, int] = field(default_factory=dict)
    """Required level by report name, where it was changed."""
    saved: dict[str, SavedReportSettings] = field(default_factory=dict)
    private_numbers: str = "person"
    """Who is shown the numbers of private calls: ``person`` or ``management``, level 10 too."""
    numbers: str = "1234.56"
    """How numbers are written for people."""
    days: str = "yyyy-mm-dd"
    """How days are written for people."""
    logo: Path | None = None
    """A PNG or JPEG on PDF and HTML."""
    fonts: tuple[Path, ...] = ()
    """Fonts of PDF for what the usual ones have not."""
    working_hours: tuple[Span, ...] = WORKING_HOURS
    holidays: tuple[str, ...] = ()
    """Countries (``IT``) and parts of them (``DE-BY``)."""
    holiday_list: Path | None = None
    answer_within: int = 20
    """Seconds, as all that follow."""
    abandoned_after: int = 5
    call_back_within: int = 86_400
    short_call: int = 5


INTAKE, SCHEDULER = "intake", "scheduler"
ROLES = (INTAKE, SCHEDULER)
"""What one of several daemons on a database may do: take records, and all the rest."""


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """``[daemon]``."""

    metrics: Address | None
    """Where /metrics, /healthz and /readyz are, on loopback; None: nowhere."""
    rollups: Schedule
    """When dirty days are rebuilt."""
    lock_wait: int
    """Seconds to wait for another process's unit of work."""
    roles: tuple[str, ...] = (INTAKE, SCHEDULER)
    """What the daemon does, beside others on the same database."""


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """``[logging]``."""

    level: str
    """``debug | info | warning | error``."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it."""

    file: Path
    state_directory: Path
    timezone: ZoneInfo
    currency: str
    database_url: str
    """A SQLite file is given by its absolute path: ``sqlite:////var/lib/syncd/syncd.db``; or
    ``postgresql://…``, without a password."""
    directories: dict[str, DirectorySettings]
    sites: dict[str, SiteSettings]
    trunks: tuple[TrunkSettings, ...]
    """Narrow ones first, then in the order of the file: the first that matches counts."""
    carriers: dict[str, CarrierSettings]
    cdr: dict[str, CdrSettings]
    licensing: LicensingSettings
    reports: ReportSettings
    account_codes: Path | None
    """The list of ``[account-codes]``; None: codes are kept and charge nothing."""
    custom_fields: dict[str, str]
    """Label by field name, in the order of the fields; only these exist for anyone."""
    daemon: DaemonSettings
    logging: LoggingSettings
    finance: FinanceSettings = field(default_factory=FinanceSettings)
    """Mail, budgets, carriers' bills and charge-back."""
    mailing: MailingSettings = field(default_factory=MailingSettings)
    """Scheduled reports and alarms."""
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    decks: dict[str, DeckSettings] = field(default_factory=dict)
    bands: dict[str, BandSettings] = field(default_factory=dict)
    database_password: Secret | None = None
    """Where the password for the database is; None: it needs none."""
    exchange: Path | None = None
    """The list of ``[exchange]``."""
    origins: dict[tuple[str, str], Origin] = field(default_factory=dict)
    """By (section, option), of what was written; the rest are defaults."""
    warnings: tuple[Problem, ...] = ()

    def problem(self, section: str, option: str, what: str, hint: str = "") -> Problem:
        """Return a problem of an option, with the place where it is written."""
        name = f"[{section}] {option}".strip()
        return Problem(*self.place(section, option), name, what, hint)

    def place(self, section: str, option: str) -> tuple[str, int]:
        """Return file and line of an option; of what is a default, the file."""
        origin = self.origins.get((section, option))
        return (origin.file, origin.line) if origin else (str(self.file), 0)

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, None for another database and for ``:memory:``."""
        name = self.database_url.removeprefix(SQLITE)
        if name == self.database_url or name == ":memory:":
            return None
        return Path(name)
