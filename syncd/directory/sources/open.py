"""Which kind of source a ``[directory:NAME]`` is."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import cast

from syncd.directory import places
from syncd.directory.protocol import DirectorySource
from syncd.domain.errors import ConfigurationError
from syncd.settings.model import PLACES, DirectorySettings

GROUP = "syncd.directory_sources"


def source_types() -> list[str]:
    """Return the kinds of sources that are installed."""
    return sorted(point.name for point in entry_points(group=GROUP))


def open_source(settings: DirectorySettings) -> DirectorySource:
    """Return the source that a section names; nothing is read yet.

    Raises ConfigurationError when there is no such kind, or the settings cannot work.
    """
    if settings.type == PLACES:
        return places.open_source(settings)
    points = entry_points(group=GROUP, name=settings.type)
    if not points:
        raise ConfigurationError(
            f"[directory:{settings.name}] type: there is no kind of directory {settings.type!r}",
            f"one of {', '.join(source_types())}",
        )
    opener = cast(Callable[[DirectorySettings], DirectorySource], next(iter(points)).load())
    return opener(settings)
