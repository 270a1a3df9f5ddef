"""Loads the directory's history as attribution needs it, again only when it has changed."""

from __future__ import annotations

from syncd.calls.analysis import Rules
from syncd.calls.attribution import Holder, Holders, ProfileSpan
from syncd.calls.context import IntakeContext
from syncd.calls.trunks import Endpoints
from syncd.licensing.slots import slot_key
from syncd.store.assignments import assignments
from syncd.store.assignments import directory_version as directory_version
from syncd.store.models import Profile


def load_holders(context: IntakeContext) -> Holders:
    """Return all assignments and profiles, for one source's site and manner of matching."""
    holders = [
        Holder(
            held.party,
            held.role,
            held.line,
            held.line_id,
            held.site,
            held.partition,
            held.number,
            held.billed,
            held.shared,
            held.since,
            held.until,
            slot_key(held.party, held.role, held.line),
        )
        for held in assignments()
    ]
    profiles: dict[int, list[ProfileSpan]] = {}
    for party, profile, org, since, until in (
        Profile.select(Profile.party, Profile.id, Profile.org, Profile.valid_from, Profile.valid_to)
        .where(Profile.id != 0)
        .order_by(Profile.party, Profile.valid_from)
        .tuples()
    ):
        profiles.setdefault(party, []).append(ProfileSpan(profile, org, since, until))
    return Holders(
        holders,
        profiles,
        site=context.site,
        plan=context.numbering,
        partitions=context.driver.partitions,
        only_site=context.only_site,
        order=context.attribution,
    )


def rules_of(context: IntakeContext) -> Rules:
    """Return the rules of one source, with the directory as it is now."""
    return Rules(
        numbering=context.numbering,
        endpoints=Endpoints(context.trunks),
        holders=load_holders(context),
        site=context.site,
        partitions=context.driver.partitions,
        acquisition=context.acquisition,
        import_internal=context.import_internal,
        charging=context.charging,
        zone=context.site_zone or context.zone,
    )
