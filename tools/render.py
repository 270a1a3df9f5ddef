"""Writes the files that come from the schema of options and from the command line's parser.

``render.py`` writes them; ``render.py --check`` exits 1 and names those that are not current.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from syncd.reports.catalogue.entry import (  # noqa: E402
    PARTICIPATIONS_RULE,
    CatalogueEntry,
    Group,
)
from syncd.reports.catalogue.standard import ENTRIES  # noqa: E402
from syncd.reports.catalogue.sums import by_custom_field  # noqa: E402
from syncd.reports.classification import (  # noqa: E402
    JOBS,
    OUTPUTS,
    PAGES,
    VERBS,
    Changes,
    Needs,
    Way,
)
from syncd.settings import render  # noqa: E402

PERMISSIONS = "docs/permissions.md"
CATALOGUE = "docs/catalogue.md"
CLASSIFIED = {"verbs": VERBS, "jobs": JOBS, "outputs": OUTPUTS, "pages": PAGES}

ENDINGS = (
    ("0", "done"),
    ("1", "failed"),
    ("2", "the command line cannot be understood"),
    ("3", "differences found (--check)"),
    ("4", "refused: an incomplete answer, or beyond the guard's limits; nothing was changed"),
    ("75", "try again later"),
    ("78", "the configuration is wrong"),
)


def parser() -> argparse.ArgumentParser | None:
    """Return the command line's parser, None while there is none."""
    if find_spec("syncd.cli.main") is None:
        return None
    from syncd.cli.main import build_parser

    return build_parser(complete=True)


def verbs(
    command: argparse.ArgumentParser, common: frozenset[str], prefix: str = ""
) -> Iterator[str]:
    """Yield the roff of every verb: what it does, its options without the ``common`` ones."""
    roff = render.roff
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, child in action.choices.items():
                yield f".SS {roff(f'{prefix}{name}')}"
                yield roff(helps.get(name, "") or child.description or "")
                yield from options(child, common)
                yield from verbs(child, common, f"{prefix}{name} ")


def options(command: argparse.ArgumentParser, common: frozenset[str]) -> Iterator[str]:
    """Yield the roff of a parser's arguments that are not ``common``."""
    formatter = command._get_formatter()
    for action in command._actions:
        hidden = action.help in (None, argparse.SUPPRESS) or common & set(action.option_strings)
        if hidden or isinstance(action, argparse._SubParsersAction | argparse._HelpAction):
            continue
        value = formatter._format_args(action, action.metavar or action.dest.upper())
        names = ", ".join(action.option_strings)
        yield ".TP"
        yield f"\\fB{render.roff(' '.join(part for part in (names, value) if part))}\\fR"
        yield render.roff(formatter._expand_help(action))


def manual() -> str:
    """Return man/syncd.1."""
    command = parser()
    metadata = ConfigParser(interpolation=None)
    metadata.read(ROOT / "setup.cfg", encoding="utf-8")
    version = metadata["metadata"]["version"]
    lines = [
        '.\\" Written by make render.',
        f'.TH SYNCD 1 "" "syncd {version}" "User Commands"',
        ".SH NAME",
        "syncd \\- calls with a person, a department and a price",
        ".SH SYNOPSIS",
        "\\fBsyncd\\fR [\\fB\\-\\-config\\fR \\fIFILE\\fR] \\fIVERB\\fR ...",
        ".SH DESCRIPTION",
        "Turns a directory and the call detail records of a telephone system into calls with a",
        "person, a department and a price, visible only to those who may see them.",
    ]
    if command is not None:
        common = frozenset(name for action in command._actions for name in action.option_strings)
        lines += [".SH OPTIONS", *options(command, frozenset())]
        lines += [".SH VERBS", *verbs(command, common)]
    lines += [".SH EXIT STATUS"]
    for code, meaning in ENDINGS:
        lines += [".TP", f"\\fB{code}\\fR", render.roff(meaning)]
    lines += [
        ".SH FILES",
        "\\fI./syncd.ini\\fR, \\fI/etc/syncd/syncd.ini\\fR, \\fIconf.d/*.ini\\fR beside it",
        ".SH ENVIRONMENT",
        "\\fBSYNCD_CONFIG\\fR names the configuration file; \\fBNO_COLOR\\fR turns colours off.",
    ]
    return "\n".join(lines) + "\n" + render.manual_options()


def permissions(text: str) -> str:
    """Return the manual of permissions with the tables of what the program classifies."""
    for name, ways in CLASSIFIED.items():
        mark = f"<!-- classified: {name} -->\n"
        before, _, after = text.partition(mark)
        rest = after.lstrip("\n").split("\n")
        while rest and rest[0].startswith("|"):
            rest.pop(0)
        text = f"{before}{mark}\n{table(ways)}\n" + "\n".join(rest)
    return text


def catalogue(text: str) -> str:
    """Return the manual of the catalogue with the tables of the reports that there are."""
    mark = "<!-- catalogue -->\n"
    before, _, after = text.partition(mark)
    end = after.find("\n## Lists,")
    rule = f"\nWhere nothing else is said, {PARTICIPATIONS_RULE}.\n"
    tables = "".join(f"\n**{group.value}**\n\n{reports(group)}" for group in Group)
    return f"{before}{mark}{rule}{tables}{after[end:]}"


def reports(group: Group) -> str:
    """Return a table of the reports of a group."""
    lines = ["| report | says | counts | days | level |", "|---|---|---|---|---|"]
    entries = [entry for entry in ENTRIES if entry.group is group]
    if group is Group.WHO:
        entries.append(by_custom_field("custom1", "a custom field that has a label"))
    lines += [_report(entry) for entry in entries]
    return "\n".join(lines) + "\n"


def _report(entry: CatalogueEntry) -> str:
    counts = "" if entry.counting == PARTICIPATIONS_RULE else entry.counting
    cells = (f"`{entry.name}`", entry.summary, counts, f"`{entry.period}`", entry.level)
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def table(ways: tuple[Way, ...]) -> str:
    """Return a table of ways in and out."""
    lines = ["| what | needs | shows | changes |", "|---|---|---|---|"]
    for way in ways:
        needs = way.needs.value if isinstance(way.needs, Needs) else f"level {way.level}"
        changes = "" if way.changes is Changes.NOTHING else way.changes.value
        lines.append(f"| `{way.name}` | {needs} | {way.shows.value} | {changes} |")
    return "\n".join(lines)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="change nothing")
    check = arguments.parse_args().check
    written = {
        "config/syncd.ini": render.sample_ini(),
        "docs/configuration.md": render.documentation(),
        "man/syncd.1": manual(),
        PERMISSIONS: permissions((ROOT / PERMISSIONS).read_text(encoding="utf-8")),
        CATALOGUE: catalogue((ROOT / CATALOGUE).read_text(encoding="utf-8")),
    }
    stale = 0
    for name, text in written.items():
        path = ROOT / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if check:
            print(f"{name} is not current: make render", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
