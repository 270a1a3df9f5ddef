"""What intake needs to know of one CDR source; the composition root builds it from the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from syncd.billing.account_codes import NO_CODES, AccountCodes
from syncd.billing.numbering import Numbering
from syncd.billing.tariff import Carrier
from syncd.calls.trunks import TrunkRule
from syncd.domain.charging import NO_POLICY, Charging
from syncd.domain.leg import CdrDriver
from syncd.domain.quality import QualityReader


@dataclass(frozen=True, slots=True)
class IntakeContext:
    """One ``[cdr:NAME]`` section with everything that it refers to."""

    source: str
    """Name of the section."""
    pbx: str
    """Identity that the folders of one PBX share."""
    driver: CdrDriver
    folder: Path
    files: str
    """Glob of the names that are taken."""
    settle: int
    """Seconds for which a file must have been still."""
    hold: int
    """Seconds within which late legs are tied."""
    archive: Path | None
    """Folder for taken files; None: they are deleted."""
    set_aside: Path
    """Folder for files that are not CDR files."""
    state_directory: Path
    site: str
    only_site: bool
    """There is no other site, so people without one belong here."""
    numbering: Numbering
    trunks: tuple[TrunkRule, ...]
    """Of this site (or of none), in the order of the INI."""
    carriers: Mapping[str, Carrier]
    attribution: tuple[str, ...]
    """``number`` and ``user`` in the order in which they are asked."""
    import_internal: bool
    excluded_numbers: frozenset[str]
    slots: int | None
    acquisition: bool
    zone: ZoneInfo
    """Of days and months in reports, and of posting periods."""
    site_zone: ZoneInfo | None = None
    """By whose clocks the site has its time bands; None: ``zone``."""
    growing: bool = False
    """Files are read as they grow, and stay where they are."""
    quality: QualityReader | None = None
    """Reads the call quality files of the folder; None: there are none, or they are not wanted."""
    charging: Charging = NO_POLICY
    """Who pays for calls that several people have to do with, and which are private."""
    account_codes: AccountCodes = NO_CODES
    """What the account codes of records stand for."""
