"""Several processes on one database: what of the settings concerns them."""

from __future__ import annotations

import json
from hashlib import blake2b

from syncd.settings.model import Settings
from syncd.store.models import SyncRun

OWN_SECTIONS = frozenset(("daemon", "logging", "database"))
"""What may be another on each machine."""
OWN_OPTIONS = frozenset((("syncd", "state_directory"),))


def fingerprint(settings: Settings) -> str:
    """Return a text that is the same wherever the same is configured, machines' own options apart."""
    written = sorted(
        (section, name, origin.text)
        for (section, name), origin in settings.origins.items()
        if section not in OWN_SECTIONS and (section, name) not in OWN_OPTIONS
    )
    return blake2b(json.dumps(written).encode(), digest_size=8).hexdigest()


def systems_here(settings: Settings) -> frozenset[str]:
    """Return the phone systems all of whose drop folders this machine sees."""
    missing = {each.pbx for each in settings.cdr.values() if not each.folder.is_dir()}
    return frozenset(each.pbx for each in settings.cdr.values()) - missing


def directories_asked(settings: Settings) -> bool:
    """Say whether every directory was asked at least once, by whichever process."""
    asked = {row.source for row in SyncRun.select(SyncRun.source).distinct()}
    return asked >= settings.directories.keys()
