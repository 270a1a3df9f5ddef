"""The folder of the database, the archive and the locks: made when it is first needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from syncd.domain.errors import ConfigurationError, Problem
from syncd.settings.model import Settings


def make_state_directory(settings: Settings) -> None:
    """Make the state directory where it is not there. Raises ConfigurationError."""
    try:
        settings.state_directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        what = f"{settings.state_directory} cannot be made: {error.strerror}"
        raise ConfigurationError(
            "there is no place for the database and the archive",
            problems=[_problem(settings, what)],
        ) from error


def state_problems(settings: Settings) -> Iterator[Problem]:
    """Say why the state directory cannot be used by the account that asks."""
    state = settings.state_directory
    place = next((one for one in (state, *state.parents) if os.path.lexists(one)), Path("/"))
    if not place.is_dir():
        yield _problem(settings, f"{place} is not a folder")
    elif not os.access(place, os.W_OK | os.X_OK):
        missing = "written to" if place == state else "made"
        yield _problem(settings, f"{state} cannot be {missing}: {place} cannot be written to")


def _problem(settings: Settings, what: str) -> Problem:
    hint = "a folder that belongs to the account that runs syncd"
    return settings.problem("syncd", "state_directory", what, hint)
