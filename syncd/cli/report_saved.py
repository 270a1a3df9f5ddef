"""Saved reports on the command line: save, list, run, delete."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from syncd.cli.access import list_format, policy
from syncd.cli.context import Context
from syncd.cli.report_selection import request_of
from syncd.domain.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from syncd.domain.viewer import Viewer
    from syncd.reports.request import Request


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Save a report, or list or delete saved ones."""
    viewer = _viewer(arguments, context)
    if arguments.save_as is not None:
        return _save(arguments, context, viewer)
    if arguments.name == "delete":
        return _delete(arguments, context, viewer)
    return _list(arguments, context, viewer)


def requested(arguments: argparse.Namespace, context: Context) -> Request:
    """Return what the saved report that is named asks for, with what stands beside on the command
    line in place of its own."""
    from syncd.reports.request_text import over
    from syncd.reports.saved import find_saved

    name, *conditions = _named(arguments)
    saved = find_saved(_viewer(arguments, context), name, context.settings.reports.saved)
    return over(saved, request_of(arguments, saved.report, *conditions))


def _viewer(arguments: argparse.Namespace, context: Context) -> Viewer:
    from syncd.domain.viewer import LOCAL_ADMINISTRATOR
    from syncd.reports.scope import resolve_viewer

    context.database()
    if arguments.viewer is None:
        return LOCAL_ADMINISTRATOR
    return resolve_viewer(arguments.viewer, policy(context).level6_basis)


def _named(arguments: argparse.Namespace) -> list[str]:
    if not arguments.conditions:
        raise UsageError(
            f"{arguments.name} which saved report?", f"syncd report {arguments.name} SAVED"
        )
    return list(arguments.conditions)


def _save(arguments: argparse.Namespace, context: Context, viewer: Viewer) -> int:
    from syncd.application.reports import environment
    from syncd.cli.output import say
    from syncd.reports.permissions import may_open
    from syncd.reports.saved import save

    request = (
        requested(arguments, context)
        if arguments.name == "run"
        else request_of(arguments, arguments.name, *arguments.conditions)
    )
    there = environment(context.settings, context.now())
    if not may_open(viewer, request.report, policy(context).levels):
        from syncd.domain.errors import UserError

        raise UserError(f"The report {request.report} is not available to {viewer.name}.")
    replaced = save(viewer, arguments.save_as, request, there, shared=arguments.shared)
    say(
        f"{'saved in place of the old one' if replaced else 'saved'}:"
        f" syncd report run {_quoted(arguments.save_as)}"
    )
    return EXIT_OK


def _delete(arguments: argparse.Namespace, context: Context, viewer: Viewer) -> int:
    from syncd.cli.output import say
    from syncd.reports.saved import delete_saved

    name, *more = _named(arguments)
    if more:
        raise UsageError(f"{more[0]!r} is one too many", "one saved report at a time")
    delete_saved(viewer, name, context.settings.reports.saved)
    say(f"deleted: {name}")
    return EXIT_OK


def _list(arguments: argparse.Namespace, context: Context, viewer: Viewer) -> int:
    from syncd.cli.output import print_list
    from syncd.domain.clock import iso
    from syncd.reports.masking import mask_asked
    from syncd.reports.render.table import Column
    from syncd.reports.saved import saved_reports

    print_list(
        [
            {
                "name": one.name,
                "owner": one.owner or viewer.name,
                "shared": one.shared,
                # What others filter by is masked as what the reader gets by it.
                "request": mask_asked(one.request, viewer.masked_digits)
                if one.owner
                else one.request,
                "changed_at": None
                if one.changed_at is None
                else iso(one.changed_at, context.settings.timezone),
            }
            for one in saved_reports(viewer, context.settings.reports.saved)
        ],
        {
            "name": Column("Saved report"),
            "owner": Column("Owner"),
            "shared": Column("Shared"),
            "request": Column("What it asks"),
        },
        as_json=list_format(arguments, context) == "json",
        empty="no saved report: syncd report NAME … --save-as SAVED saves one",
    )
    return EXIT_OK


def _quoted(name: str) -> str:
    from shlex import quote

    return quote(name)
