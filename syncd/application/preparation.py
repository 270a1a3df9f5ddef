"""What intake needs beside the settings: drivers, numbering plans and tariffs, read and checked."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from syncd.application.plugins import DRIVERS, load_plugin
from syncd.application.tariffs import load_tariffs, open_hours
from syncd.application.working_times import working_time_problems
from syncd.billing.account_codes import NO_CODES, AccountCodes, load_account_codes
from syncd.billing.numbering import Numbering, NumberingPlan
from syncd.billing.tariff import Carrier, class_differences
from syncd.cdr.driver_options import DriverWithOptions, OptionsError
from syncd.domain.errors import ConfigurationError, Problem
from syncd.domain.leg import CdrDriver
from syncd.settings.model import CdrSettings, DirectorySettings, Settings, SiteSettings


@dataclass(slots=True)
class Preparation:
    """Drivers, numberings and tariffs by the name of their section, and what is wrong with them.

    What has problems is missing; ``problems`` holds warnings too.
    """

    drivers: dict[str, CdrDriver] = field(default_factory=dict)
    """By the name of the CDR source, with the options of its section."""
    plans: dict[str, NumberingPlan] = field(default_factory=dict)
    carriers: dict[str, Carrier] = field(default_factory=dict)
    account_codes: AccountCodes = NO_CODES
    problems: list[Problem] = field(default_factory=list)

    def check(self, settings: Settings) -> None:
        """Raise ConfigurationError when anything is wrong."""
        wrong = [problem for problem in self.problems if not problem.warning]
        if wrong:
            raise ConfigurationError(
                f"{settings.file}: {len(wrong)} problem{'s' if len(wrong) > 1 else ''}"
                " in what the configuration names",
                problems=wrong,
            )


def numbering_plan(site: SiteSettings, sites: Iterable[SiteSettings] = ()) -> NumberingPlan:
    """Return a site's numbering plan, given all sites of the company."""
    others = [other for other in sites if other.name != site.name]
    return NumberingPlan(
        country=site.country,
        area_code=site.area_code,
        access_code=site.access_code,
        international_code=site.international_code,
        internal_numbers=site.internal_numbers,
        rules=tuple((rule.prefix, rule.number_class) for rule in site.number_rules),
        trunk_code=site.trunk_code,
        private_prefix=site.private_prefix,
        short_codes=site.short_codes,
        dids=tuple((own.pattern, own.extension) for own in site.dids),
        company_dids=tuple(own.pattern for other in others for own in other.dids),
        networks=tuple(
            (other.network_prefix, other.internal_numbers)
            for other in others
            if other.network_prefix
        ),
    )


def prepare(settings: Settings) -> Preparation:
    """Load everything that the settings name; raises nothing for a user's mistake."""
    prepared = Preparation()
    numberings: dict[str, Numbering] = {}
    for name, site in settings.sites.items():
        plan = numbering_plan(site, settings.sites.values())
        try:
            numberings[name] = Numbering(plan)
            prepared.plans[name] = plan
        except ValueError as error:
            prepared.problems.append(settings.problem(f"site:{name}", "country", str(error)))
    for source in settings.cdr.values():
        try:
            found = load_plugin(DRIVERS, source.driver)
            if isinstance(found, DriverWithOptions):
                place = settings.sites.get(source.site)
                zone = place.timezone if place else settings.timezone
                found = found.configure(source.options, zone)
            prepared.drivers[source.name] = found
        except ConfigurationError as error:
            prepared.problems.append(
                settings.problem(f"cdr:{source.name}", "driver", error.message, hint=error.hint)
            )
        except OptionsError as error:
            prepared.problems += [
                settings.problem(f"cdr:{source.name}", one.option, one.what, hint=one.hint)
                for one in error.problems
            ]
    tariffs = load_tariffs(settings, settings.problem)
    prepared.carriers = tariffs.carriers
    prepared.problems += tariffs.problems
    prepared.problems += working_time_problems(settings)
    if settings.account_codes is not None:
        codes, wrong = load_account_codes(settings.account_codes, settings.timezone)
        prepared.account_codes = codes
        prepared.problems += wrong
    return prepared


def known_codes(settings: Settings) -> AccountCodes:
    """Return the list of account codes for who only shows them: a list with a mistake names none."""
    if settings.account_codes is None:
        return NO_CODES
    return load_account_codes(settings.account_codes, settings.timezone)[0]


def tariff_warnings(settings: Settings, prepared: Preparation) -> Iterator[Problem]:
    """Yield which hours no time band has, and where a rate deck's class is not that of the numbering
    plan; takes its time, so only who checks the configuration asks."""
    yield from open_hours(settings, settings.problem)
    pairs = {
        (trunk.carrier, trunk.site)
        for trunk in settings.trunks
        if trunk.carrier in prepared.carriers and trunk.site in prepared.plans
    }
    numberings = {site: Numbering(prepared.plans[site]) for _, site in pairs}
    for carrier, site in sorted(pairs):
        for tariff in prepared.carriers[carrier].versions:
            yield from class_differences(numberings[site], tariff)


def is_here(source: CdrSettings) -> bool:
    """Say whether a drop folder is to be read on this machine."""
    return source.host in ("", *_own_names())


def _own_names() -> tuple[str, str]:
    host = socket.gethostname()
    return host, host.partition(".")[0]


def host_problems(settings: Settings, source: CdrSettings) -> Iterator[Problem]:
    """Say that a drop folder is not to be read on this machine."""
    if not is_here(source):
        what = f"the folder is one of {source.host}, where its daemon reads it"
        yield settings.problem(f"cdr:{source.name}", "host", what, f"this is {_own_names()[0]}")


def folder_problems(settings: Settings, source: CdrSettings) -> Iterator[Problem]:
    """Say what is wrong with a drop folder. A mount that is late stops intake, not the reports."""
    section, folder = f"cdr:{source.name}", source.folder
    if not is_here(source):
        return
    if not folder.is_dir():
        what, hint = f"{folder} is not a folder", f"mkdir -p {folder}"
        yield settings.problem(section, "folder", what, hint)
    elif not os.access(folder, os.R_OK | os.X_OK):
        yield settings.problem(section, "folder", f"{folder} cannot be read")


def list_problems(settings: Settings, directory: DirectorySettings) -> Iterator[Problem]:
    """Say what is wrong with the file of an LDIF, CSV or places source. One that is written anew at
    this moment, or whose mount is late, stops its sync, not intake and reports."""
    if directory.file is None or directory.servers:
        return
    try:
        with directory.file.open("rb"):
            pass
    except OSError as error:
        what = f"{directory.file} cannot be read: {error.strerror}"
        yield settings.problem(directory.section, "file", what)
