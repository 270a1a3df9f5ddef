"""Several processes on one database: what of the settings concerns them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from hashlib import blake2b
from pathlib import Path

from syncd.application.preparation import is_here
from syncd.settings.model import Settings
from syncd.store.models import SyncRun

OWN_SECTIONS = frozenset(("daemon", "logging", "database"))
"""What may be another on each machine."""
OWN_OPTIONS = frozenset((("syncd", "state_directory"),))


def fingerprint(settings: Settings) -> str:
    """Return a text that is the same wherever the same is configured, tariffs and lists with what is
    in them and machines' own options apart."""
    written = sorted(
        (section, name, origin.text)
        for (section, name), origin in settings.origins.items()
        if section not in OWN_SECTIONS and (section, name) not in OWN_OPTIONS
    )
    digest = blake2b(json.dumps(written).encode(), digest_size=8)
    for path in _lists(settings):
        # Checked when it was loaded; gone since, it is another one than the others have.
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def _lists(settings: Settings) -> Iterator[Path]:
    """Yield the files by which calls are priced."""
    for carrier in settings.carriers.values():
        for tariff in (*carrier.tariffs, *carrier.incoming):
            yield tariff.file
    lists = [settings.account_codes, settings.exchange]
    lists += [bands.holiday_list for bands in settings.bands.values()]
    yield from (path for path in lists if path is not None)


def systems(settings: Settings) -> frozenset[str]:
    """Return the phone systems that are configured."""
    return frozenset(source.pbx for source in settings.cdr.values())


def systems_here(settings: Settings) -> frozenset[str]:
    """Return the phone systems all of whose drop folders this machine sees."""
    return systems(settings) - {
        source.pbx
        for source in settings.cdr.values()
        if not is_here(source) or not source.folder.is_dir()
    }


def told_work(leads: bool, holds: Collection[str]) -> str:
    """Return in words what a process does of the work of all, empty when that is nothing."""
    does = ["schedules"] if leads else []
    if holds:
        does.append(f"intake of {', '.join(sorted(holds))}")
    return " and ".join(does)


def directories_asked(settings: Settings) -> bool:
    """Say whether every directory was asked at least once, by whichever process."""
    asked = {row.source for row in SyncRun.select(SyncRun.source).distinct()}
    return asked >= settings.directories.keys()
