"""Drivers and directory sources by entry point: an installed package can add its own."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncd.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from syncd.domain.errors import Problem
    from syncd.settings.model import Settings
    from syncd.settings.option import Option

DRIVERS = "syncd.cdr_drivers"
SOURCES = "syncd.directory_sources"


def plugin_names(group: str) -> list[str]:
    """Return the names of the installed plug-ins of a group, sorted."""
    return sorted(entry_points(group=group).names)


def load_plugin(group: str, name: str) -> Any:
    """Return the object behind a plug-in's name.

    Raises ConfigurationError when there is none, or when it cannot be imported.
    """
    found = entry_points(group=group, name=name)
    if not found:
        known = ", ".join(plugin_names(group)) or "none: is the package installed?"
        raise ConfigurationError(f"{name!r} is not installed", f"known are {known}")
    try:
        return next(iter(found)).load()
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"the plug-in {name!r} cannot be loaded: {error}") from error


def driver_options(name: str) -> tuple[Option, ...]:
    """Return the options that a driver declares; none for one that does not exist."""
    try:
        options: tuple[Option, ...] = getattr(load_plugin(DRIVERS, name), "options", ())
    except ConfigurationError:
        return ()
    return options


def load_settings(path: Path) -> Settings:
    """Return the settings of an INI file, with the names of the installed plug-ins known.

    Raises ConfigurationError with every problem.
    """
    from syncd.settings.load import load
    from syncd.settings.schema import BUILT_IN_DRIVERS, BUILT_IN_SOURCES

    return load(
        path,
        sources={*BUILT_IN_SOURCES, *plugin_names(SOURCES)},
        drivers={*BUILT_IN_DRIVERS, *plugin_names(DRIVERS)},
        driver_options=driver_options,
    )


def survey_settings(path: Path) -> tuple[Settings | None, list[Problem]]:
    """Return the mistakes of an INI file, and what is sound of it, to look for more mistakes in."""
    from syncd.settings.load import survey
    from syncd.settings.schema import BUILT_IN_DRIVERS, BUILT_IN_SOURCES

    return survey(
        path,
        sources={*BUILT_IN_SOURCES, *plugin_names(SOURCES)},
        drivers={*BUILT_IN_DRIVERS, *plugin_names(DRIVERS)},
        driver_options=driver_options,
    )
