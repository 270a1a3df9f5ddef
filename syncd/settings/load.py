"""From INI files to Settings, with every problem at once."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from syncd.domain.errors import ConfigurationError, Problem
from syncd.settings import checks
from syncd.settings.build import build
from syncd.settings.model import Settings
from syncd.settings.parsed import DriverOptions, Parsed, parse
from syncd.settings.reader import RawSection, read
from syncd.settings.salvage import salvage
from syncd.settings.schema import BUILT_IN_DRIVERS, BUILT_IN_SOURCES

SYSTEM_FILE = Path("/etc/syncd/syncd.ini")


def find() -> Path:
    """Return the INI file that is used when none is named: $SYNCD_CONFIG, ./syncd.ini,
    /etc/syncd/syncd.ini. Raises ConfigurationError when there is none."""
    named = os.environ.get("SYNCD_CONFIG")
    if named:
        return Path(named)
    for path in (Path("syncd.ini"), SYSTEM_FILE):
        if path.is_file():
            return path
    raise ConfigurationError(
        f"there is no ./syncd.ini, no {SYSTEM_FILE}, and $SYNCD_CONFIG is not set",
        "name the file with --config FILE",
    )


def load(
    path: Path,
    *,
    sources: Collection[str] = BUILT_IN_SOURCES,
    drivers: Collection[str] = BUILT_IN_DRIVERS,
    driver_options: DriverOptions = lambda driver: (),
) -> Settings:
    """Return the settings of an INI file and of the ``conf.d/*.ini`` beside it.

    ``sources`` and ``drivers`` are the names of the installed plug-ins, ``driver_options`` gives the
    options that a driver declares. Raises ConfigurationError with every problem; what only deserves
    a warning is in ``Settings.warnings``.
    """
    main = path.absolute()
    parsed, problems = _parse_files(path, sources, drivers, driver_options)
    if parsed is None or not all(problem.warning for problem in problems):
        raise _wrong(path, [problem for problem in problems if not problem.warning])
    return build(parsed, main, tuple(problems))


def survey(
    path: Path,
    *,
    sources: Collection[str] = BUILT_IN_SOURCES,
    drivers: Collection[str] = BUILT_IN_DRIVERS,
    driver_options: DriverOptions = lambda driver: (),
) -> tuple[Settings | None, list[Problem]]:
    """Return every mistake that ``load`` would complain about, and settings to look for more in:
    without the options that have one; None where nothing could be read."""
    parsed, problems = _parse_files(path, sources, drivers, driver_options)
    wrong = [problem for problem in problems if not problem.warning]
    return salvage(parsed, wrong, path.absolute()) if parsed else None, wrong


def _parse_files(
    path: Path,
    sources: Collection[str],
    drivers: Collection[str],
    driver_options: DriverOptions,
) -> tuple[Parsed | None, list[Problem]]:
    """Return the typed sections, None where nothing could be read, and every problem."""
    raw_sections: dict[str, RawSection] = {}
    problems: list[Problem] = []
    for file in (path, *sorted((path.parent / "conf.d").glob("*.ini"))):
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except OSError as error:
            problems.append(Problem(str(file), 0, "", f"cannot be read: {error.strerror}"))
            continue
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            problems.append(Problem(str(file), line, "", "is not UTF-8 text", "save it as UTF-8"))
            continue
        sections, wrong = read(text, str(file))
        problems += wrong
        for header, section in sections.items():
            raw_sections.setdefault(header, section).options.update(section.options)
    if problems and not raw_sections:
        return None, problems
    parsed, wrong = parse(raw_sections, path.absolute(), driver_options)
    return parsed, problems + wrong + checks.problems(parsed, sources, drivers)


def _wrong(path: Path, problems: list[Problem]) -> ConfigurationError:
    """Return the error that shows the problems in the order of the files."""
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    problems.sort(key=lambda problem: (problem.file != str(path), problem.file, problem.line))
    return ConfigurationError(f"{path}: {count} in the configuration", problems=problems)
