"""Look at the directories: which there are, and what the mapping makes of one entry."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from syncd.cli.context import Context, common_options
from syncd.domain.errors import EXIT_OK, UsageError, UserError

if TYPE_CHECKING:
    from syncd.directory.lookup import Found
    from syncd.directory.mapping import Given, PartyMapping
    from syncd.settings.model import DirectorySettings

_PRINTED = 200
"""Characters of a raw value in a table."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``list`` and ``test``; without either it is ``list``."""
    common = common_options()
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    actions.add_parser(
        "list", help="list the directories and their last syncs (the default)", parents=[common]
    )
    test = actions.add_parser(
        "test", help="show one entry as it is, and which rule fills which field", parents=[common]
    )
    test.add_argument("name", help="a [directory:NAME]")
    test.add_argument(
        "--entry",
        required=True,
        metavar="X",
        help="entry DN, username, mail address or external id, exactly",
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print what was asked for. Returns the exit code."""
    if arguments.action == "test":
        return _test(arguments, context)
    return _list(context)


# --- list ----------------------------------------------------------------------------------------


def _list(context: Context) -> int:
    from syncd.cli.output import print_list
    from syncd.domain.clock import iso
    from syncd.reports.render.table import Column
    from syncd.store.models import SyncRun

    context.database()
    rows = []
    for name, directory in context.settings.directories.items():
        query = SyncRun.select().where(SyncRun.source == name).order_by(SyncRun.id.desc())
        last = query.first()
        rows.append(
            {
                "name": name,
                "type": directory.type,
                "where": " ".join(directory.servers) or str(directory.file or ""),
                "base": directory.base or None,
                "groups": len(directory.groups),
                "schedule": str(directory.schedule),
                "last_sync": iso(last.started_at, context.settings.timezone) if last else None,
                "outcome": last.outcome if last else None,
            }
        )
    columns = {
        "name": Column("Name"),
        "type": Column("Type"),
        "where": Column("Where"),
        "base": Column("Base"),
        "groups": Column("Groups", right=True),
        "schedule": Column("Schedule"),
        "last_sync": Column("Last sync"),
        "outcome": Column("Outcome"),
    }
    print_list(rows, columns, as_json=context.json, empty="no directory is configured")
    return EXIT_OK


# --- test ----------------------------------------------------------------------------------------


def _test(arguments: argparse.Namespace, context: Context) -> int:
    from syncd.directory.lookup import find
    from syncd.directory.mapping import mapping_of, naming_attributes
    from syncd.directory.sources.open import open_source

    directory = _directory(arguments.name, context)
    sites = tuple(context.settings.sites.values())
    mapping = mapping_of(directory, sites, context.now())
    naming = naming_attributes(mapping, directory.id)
    found = find(open_source(directory), arguments.entry, naming)
    if not found:
        names = ", ".join(naming)
        raise UserError(
            f"the directory {directory.name} has no entry {arguments.entry!r}",
            f"an entry DN, an external id, or a value of {names}, exactly",
        )
    if context.json:
        from syncd.cli.output import print_json

        print_json([_as_dict(one, mapping) for one in found])
    else:
        for one in found:
            _print(one, mapping)
    return EXIT_OK


def _directory(name: str, context: Context) -> DirectorySettings:
    directories = context.settings.directories
    if name not in directories:
        known = ", ".join(directories) or "none is configured"
        raise UsageError(f"there is no [directory:{name}]", f"known: {known}")
    return directories[name]


def _attributes(found: Found) -> dict[str, list[str]]:
    from syncd.directory.lookup import shown_value

    return {
        name: [shown_value(name, value) for value in values]
        for name, values in sorted(found.raw.items())
    }


def _value(given: Given) -> Any:
    return list(given.value) if isinstance(given.value, tuple) else given.value


def _as_dict(found: Found, mapping: PartyMapping) -> dict[str, Any]:
    from syncd.directory.groups import MEMBERSHIP

    return {
        "entry_dn": found.entry_dn,
        "external_id": found.entry.external_id or None,
        "read": not found.why_not,
        "why_not": found.why_not or None,
        "groups": found.entry.attributes.get(MEMBERSHIP, []),
        "attributes": _attributes(found),
        "fields": [
            {
                "field": given.field,
                "value": _value(given),
                "set_aside": given.value is None,
                "rule": given.rule,
                "from": given.origin or None,
                "warnings": list(given.warnings),
            }
            for given in mapping.explain(found.entry)
        ],
    }


def _print(found: Found, mapping: PartyMapping) -> None:
    import sys

    from syncd.cli.output import print_table, say
    from syncd.directory.groups import MEMBERSHIP
    from syncd.directory.plan import shown
    from syncd.reports.render.table import Column

    sys.stdout.write(f"{found.entry_dn}\n")
    sys.stdout.write(f"external id: {found.entry.external_id or '(none: it is set aside)'}\n")
    groups = found.entry.attributes.get(MEMBERSHIP)
    if groups is not None:
        sys.stdout.write(f"groups: {', '.join(groups) or '(none)'}\n")
    if found.why_not:
        say(f"a sync does not read this entry: {found.why_not}")
    sys.stdout.write("\n")
    rows = [(name, v[:_PRINTED]) for name, values in _attributes(found).items() for v in values]
    print_table([Column("Attribute"), Column("Value")], rows)
    sys.stdout.write("\n")
    given_fields = mapping.explain(found.entry)
    print_table(
        [Column("Field"), Column("Value"), Column("From"), Column("Rule")],
        [
            (
                given.field,
                "(set aside)" if given.value is None else shown(given.value),
                given.origin,
                given.rule,
            )
            for given in given_fields
        ],
    )
    for given in given_fields:
        for warning in given.warnings:
            say(f"warning: {warning}")
