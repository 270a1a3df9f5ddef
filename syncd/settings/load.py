"""From INI files to Settings, with every problem at once."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from syncd.domain.errors import ConfigurationError, Problem
from syncd.settings import checks
from syncd.settings.build import build
from syncd.settings.model import Settings
from syncd.settings.parsed import parse
from syncd.settings.reader import RawSection, read
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
) -> Settings:
    """Return the settings of an INI file and of the ``conf.d/*.ini`` beside it.

    ``sources`` and ``drivers`` are the names of the installed plug-ins. Raises ConfigurationError
    with every problem; what only deserves a warning is in ``Settings.warnings``.
    """
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
        raise _wrong(path, problems)
    main = path.absolute()
    parsed, wrong = parse(raw_sections, main)
    problems += wrong
    problems += checks.problems(parsed, sources, drivers)
    if not all(problem.warning for problem in problems):
        raise _wrong(path, [problem for problem in problems if not problem.warning])
    return build(parsed, main, tuple(problems))


def _wrong(path: Path, problems: list[Problem]) -> ConfigurationError:
    """Return the error that shows the problems in the order of the files."""
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    problems.sort(key=lambda problem: (problem.file != str(path), problem.file, problem.line))
    return ConfigurationError(f"{path}: {count} in the configuration", problems=problems)
