"""From settings to what one CDR source's intake needs."""

from __future__ import annotations

import re

from syncd.application.preparation import Preparation
from syncd.billing.numbering import Numbering
from syncd.calls.context import IntakeContext
from syncd.calls.trunk_counting import EndpointsOf
from syncd.calls.trunks import Endpoints, TrunkRule
from syncd.cdr.parts import traits
from syncd.settings.model import CdrSettings, Settings, TrunkSettings

ARCHIVE = "archive"
SET_ASIDE = "set-aside"


def trunk_rule(trunk: TrunkSettings) -> TrunkRule:
    """Return a trunk section as a rule; in number patterns X stands for a digit."""
    return TrunkRule(
        name=trunk.name,
        role=trunk.role,
        carrier=trunk.carrier,
        devices=trunk.devices,
        patterns=trunk.patterns,
        partitions=trunk.partitions,
        numbers=tuple(
            re.compile(re.escape(number).replace("X", "[0-9]")) for number in trunk.numbers
        ),
        private=trunk.private,
    )


def intake_context(settings: Settings, prepared: Preparation, source: CdrSettings) -> IntakeContext:
    """Return a source with everything that it refers to.

    The numbering is the context's own, since it belongs to one thread at a time.
    """
    # Intake keeps a folder for each source below these two.
    archive = source.archive
    if archive == settings.state_directory / ARCHIVE / source.name:
        archive = archive.parent
    return IntakeContext(
        source=source.name,
        pbx=source.pbx,
        driver=prepared.drivers[source.name],
        folder=source.folder,
        files=source.files,
        settle=source.settle,
        hold=source.hold,
        archive=archive,
        set_aside=settings.state_directory / SET_ASIDE,
        state_directory=settings.state_directory,
        site=source.site,
        only_site=len(settings.sites) == 1,
        numbering=Numbering(prepared.plans[source.site]),
        trunks=tuple(
            trunk_rule(trunk) for trunk in settings.trunks if trunk.site in ("", source.site)
        ),
        carriers=prepared.carriers,
        attribution=source.attribution,
        import_internal=source.import_internal,
        charging=settings.sites[source.site].charging,
        excluded_numbers=frozenset(source.excluded_numbers),
        slots=settings.licensing.slots,
        acquisition=settings.licensing.automatic_acquisition,
        zone=settings.timezone,
        site_zone=settings.sites[source.site].timezone,
        account_codes=prepared.account_codes,
        quality=getattr(prepared.drivers[source.name], "quality", None) if source.quality else None,
        growing=_grows(prepared, source),
    )


def _grows(prepared: Preparation, source: CdrSettings) -> bool:
    """Tell whether a source's files are read as they grow."""
    if source.growing == "driver":
        return traits(prepared.drivers[source.name]).grows
    return source.growing == "yes"


def endpoints_of(settings: Settings) -> EndpointsOf:
    """Return what tells the devices of a source apart; of one that is no longer configured by
    another folder of its PBX, or without any trunk."""
    made: dict[str, Endpoints] = {}

    def of(source: str, pbx: str) -> Endpoints:
        found = settings.cdr.get(source) or next(
            (one for one in settings.cdr.values() if one.pbx == pbx), None
        )
        site = found.site if found is not None else ""
        if site not in made:
            rules = [trunk_rule(one) for one in settings.trunks if one.site in ("", site)]
            made[site] = Endpoints(rules)
        return made[site]

    return of
