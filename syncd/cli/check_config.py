"""Check the configuration and everything that it names, and say what is configured."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from syncd.cli.context import Context
from syncd.domain.errors import (
    EXIT_BAD_CONFIGURATION,
    EXIT_OK,
    ConfigurationError,
    Problem,
    UsageError,
)

if TYPE_CHECKING:
    from syncd.settings.model import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whether to print every option in force."""
    parser.add_argument("--show", action="store_true", help="print every option in force")
    parser.add_argument(
        "--origin", action="store_true", help="with --show: say where each option comes from"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """List every problem and return 78; without any say what is configured and return 0."""
    from syncd.application.composition import all_problems, problems
    from syncd.application.plugins import load_settings
    from syncd.cli.output import print_json, say

    if arguments.origin and not arguments.show:
        raise UsageError("--origin goes with --show")
    file = context.config_file
    settings = None
    try:
        settings = load_settings(file)
        found = problems(settings)
    except ConfigurationError as error:
        found = all_problems(file) or [Problem(str(file), 0, "", error.message, error.hint)]
    wrong = [problem for problem in found if not problem.warning]
    if settings is not None and not wrong and arguments.show:
        _show(settings, context, origin=arguments.origin)
    elif context.json:
        print_json(
            {
                "file": str(file),
                "ok": not wrong,
                "problems": [asdict(problem) for problem in found],
                "configured": _configured(settings) if settings and not wrong else None,
            }
        )
    elif settings is not None and not wrong:
        _say_configured(settings)
    if not context.json:
        for problem in found:
            say(f"warning: {problem}" if problem.warning else str(problem))
        if wrong:
            count = f"{len(wrong)} problem{'s' if len(wrong) > 1 else ''}"
            say(f"syncd: {file}: {count}")
    return EXIT_BAD_CONFIGURATION if wrong else EXIT_OK


def _configured(settings: Settings) -> dict[str, Any]:
    """Return what is configured, briefly."""
    licensing = settings.licensing
    return {
        "directories": {
            name: {
                "type": directory.type,
                "from": list(directory.servers) or [str(directory.file)],
                "schedule": str(directory.schedule),
            }
            for name, directory in settings.directories.items()
        },
        "folders": {
            name: {
                "driver": source.driver,
                "folder": str(source.folder),
                "site": source.site,
                "schedule": str(source.schedule),
            }
            for name, source in settings.cdr.items()
        },
        "sites": list(settings.sites),
        "trunks": [trunk.name for trunk in settings.trunks],
        "carriers": {
            name: [tariff.version for tariff in carrier.tariffs]
            for name, carrier in settings.carriers.items()
        },
        "slots": licensing.slots,
        "automatic_acquisition": licensing.automatic_acquisition,
        "custom_fields": settings.custom_fields,
        "database": _database(settings),
        "timezone": str(settings.timezone),
        "currency": settings.currency,
    }


def _database(settings: Settings) -> str:
    from syncd.settings.values import hidden_password

    return hidden_password(settings.database_url)


def _say_configured(settings: Settings) -> None:
    """Print what is configured, a line for each thing."""
    from syncd.cli.output import print_table
    from syncd.reports.render.table import Column

    configured = _configured(settings)
    rows = [
        ("configuration", str(settings.file), "right"),
        ("database", configured["database"], str(settings.timezone)),
    ]
    for name, directory in configured["directories"].items():
        place = f"{directory['type']} {' '.join(directory['from'])}"
        rows.append((f"directory {name}", place, directory["schedule"]))
    for name, folder in configured["folders"].items():
        place = f"{folder['driver']} {folder['folder']}"
        rows.append((f"folder {name}", place, folder["schedule"]))
    rows += [
        (f"trunk {trunk.name}", " ".join(trunk.devices), trunk.role.word)
        for trunk in settings.trunks
    ]
    rows += [
        (
            f"carrier {name}",
            " ".join(versions),
            settings.carriers[name].currency or settings.currency,
        )
        for name, versions in configured["carriers"].items()
    ]
    slots = configured["slots"]
    acquisition = "on" if configured["automatic_acquisition"] else "off"
    rows.append(
        (
            "licence",
            "unlimited" if slots is None else f"{slots} slots",
            f"acquisition {acquisition}",
        )
    )
    print_table([Column("What"), Column("Where"), Column("How")], rows)


def _show(settings: Settings, context: Context, *, origin: bool) -> None:
    """Print every option in force, as an INI that says the same."""
    import sys

    from syncd.cli.output import print_json
    from syncd.settings.shown import shown

    options = list(shown(settings))
    if context.json:
        print_json([option._asdict() for option in options])
        return
    lines: list[str] = []
    section = ""
    for option in options:
        if option.section != section:
            section = option.section
            lines.append(f"{chr(10) if lines else ''}[{section}]")
        end = f" ; {option.origin}" if origin else ""
        value = option.value.replace(";", "\\;")
        lines.append(f"{option.option} = {value}{end}")
    sys.stdout.write("\n".join(lines) + "\n")
