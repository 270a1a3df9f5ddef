"""What a source said last, as a number: the same answer on the same store needs no planning.

A directory mostly says what it said before. Comparing a digest of the mapped fields costs a
hundredth of comparing everything with everything, and holds nothing in memory.
"""

from __future__ import annotations

import marshal
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from syncd.directory.claims import SiteNumbers
from syncd.domain.party import PartyState
from syncd.settings.model import DirectorySettings
from syncd.store.models import Party, SourceDigest

_MODULUS = 1 << 128
_PLAIN = 0
"""The marshal format in which equal values give equal bytes."""


class Digest:
    """A digest of what a directory says of everybody, in whatever order it says it."""

    def __init__(self) -> None:
        self._total = 0

    def add(self, state: PartyState) -> None:
        """Take in what is said of one."""
        said = marshal.dumps((state.external_id, state.kind, *state.fields.items()), _PLAIN)
        self._total += int.from_bytes(blake2b(said, digest_size=16).digest(), "big")

    @property
    def value(self) -> int:
        return self._total % _MODULUS


def fingerprint(
    states: int,
    settings: DirectorySettings,
    sites: Sequence[SiteNumbers],
    locks: Mapping[str, Mapping[str, str]],
    rest: object,
) -> str:
    """Return the digest of all from which a plan is made, but for what is stored: the digest of the
    states, the settings that matter, the sites, the locks of fields, and the rest, by its repr."""
    plans = [repr(site) for site in sites]
    held = sorted((owner, *sorted(fields)) for owner, fields in locks.items())
    said = repr((states, settings.site, settings.grace, plans, held, rest))
    return blake2b(said.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def said_before(source: str, digest: str, directory_version: int) -> bool:
    """Whether a source said the same last time, nothing was left to do or to tell then, and nobody
    has changed the directory since."""
    found = SourceDigest.get_or_none(SourceDigest.source == source)
    return found is not None and (found.digest, found.directory_version) == (
        digest,
        directory_version,
    )


def keep(source: str, digest: str, directory_version: int) -> None:
    """Note what a source said, unless time alone will bring something to do: a grace that ends."""
    waiting = Party.select().where(
        (Party.source == source)
        & Party.departed_at.is_null(is_null=False)
        & Party.closed_at.is_null()
    )
    if not waiting.exists():
        SourceDigest.insert(
            source=source, digest=digest, directory_version=directory_version
        ).on_conflict(
            conflict_target=[SourceDigest.source],
            preserve=[SourceDigest.digest, SourceDigest.directory_version],
        ).execute()
