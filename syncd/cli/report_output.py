"""Where a report goes: the terminal, standard output or a file, and as what."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from syncd.cli.context import Context
from syncd.domain.errors import UsageError, UserError

if TYPE_CHECKING:
    from syncd.reports.render.options import OutputOptions
    from syncd.reports.render.outputs import Output
    from syncd.reports.result import Result
    from syncd.reports.specification import Specification

FORMATS = ("csv", "xlsx", "pdf", "html")
"""What a report can be beside a table and JSON."""
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
DECIMALS = {"point": ".", "comma": ","}
STANDARD_OUTPUT = "-"
WIDE = 140
"""Columns of a terminal that has room for all that a table shows by itself."""
MODE = 0o666
"""Of a new file, less what the umask takes."""


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add where to and as what. Nothing has a default of its own: an action of a verb that has them
    too must not forget what stands before it."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--output",
        metavar="FILE",
        help="write a file, whole or not at all; its ending says the format unless --format does; a"
        " folder gets a file named after report and days; - is standard output",
    )
    group.add_argument(
        "--chart", action="store_true", help="bars beside the figures of a table, or a map of them"
    )
    group.add_argument("--title", metavar="TEXT", help="what stands above it in a file")
    group.add_argument(
        "--bom", action="store_true", help="CSV begins with a byte order mark, as Excel likes it"
    )
    group.add_argument(
        "--delimiter", choices=tuple(DELIMITERS), help="between cells of a CSV (default: comma)"
    )
    group.add_argument(
        "--decimal",
        choices=tuple(DECIMALS),
        help="decimal separator of a CSV (default: point)",
    )


def chosen_output(arguments: argparse.Namespace, context: Context) -> Output:
    """Return the output that is asked for. Raises UsageError when the name of a file does not say
    it, and for bytes that would go to a terminal."""
    from syncd.reports.render.outputs import OUTPUTS, output_for_file, output_named

    target = _target(arguments)
    if arguments.format:
        output = output_named(arguments.format)
    elif context.json:
        output = OUTPUTS["json"]
    elif target is None or target.is_dir():
        output = OUTPUTS["table"]
    else:
        found = output_for_file(target.name)
        if found is None:
            endings = " ".join(output.endings[0] for output in OUTPUTS.values())
            raise UsageError(
                f"{target}: the name does not say what the file is to be",
                f"end it with one of {endings}, or give --format",
            )
        output = found
    if target is None and not output.text and sys.stdout.isatty():
        raise UsageError(
            f"a terminal cannot show {output.name}", f"--output FILE{output.endings[0]}"
        )
    return output


def _target(arguments: argparse.Namespace) -> Path | None:
    """Return the file or folder to write to, None for standard output."""
    name = getattr(arguments, "output", None)
    return None if name in (None, STANDARD_OUTPUT) else Path(name)


def _options(arguments: argparse.Namespace, context: Context) -> OutputOptions:
    from dataclasses import replace

    from syncd.application.reports import output_options

    return replace(
        output_options(context.settings, context.now()),
        title=arguments.title or "",
        chart=arguments.chart,
        wide=_target(arguments) is not None
        or not sys.stdout.isatty()
        or shutil.get_terminal_size().columns >= WIDE,
        bom=arguments.bom,
        delimiter=DELIMITERS[arguments.delimiter or "comma"],
        decimal=DECIMALS[arguments.decimal or "point"],
    )


def deliver(
    result: Result, output: Output, arguments: argparse.Namespace, context: Context
) -> None:
    """Write a report where it is to go. Raises UserError when a file cannot be written."""
    target, options = _target(arguments), _options(arguments, context)
    if target is None and output.name == "table":
        _show(result, options)
    elif target is None:
        sys.stdout.flush()
        output.write(result, sys.stdout.buffer, options)
        sys.stdout.buffer.flush()
    else:
        from syncd.cli.output import say

        path = _file(target, result.specification, output)
        with new_file(path) as stream:
            output.write(result, stream, options)
        say(f"written: {path}")


def _file(target: Path, specification: Specification, output: Output) -> Path:
    from syncd.reports.render.outputs import file_name

    return target / file_name(specification, output) if target.is_dir() else target


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its place when all of it has been written; what is no file, like a
    pipe, is written to directly. Raises UserError when that cannot be."""
    direct = path.exists() and not path.is_file()
    unfinished = path if direct else path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY if direct else os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        handle = os.open(unfinished, flags, MODE)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}", "name another file"
        ) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            if not direct:
                stream.flush()
                os.fsync(stream.fileno())
        if not direct:
            unfinished.replace(path)
    except BaseException as error:
        if not direct:
            with contextlib.suppress(OSError):
                unfinished.unlink()
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise UserError(f"{path} cannot be written: {error.strerror}", "") from error
        raise


def _show(result: Result, options: OutputOptions) -> None:
    """Print the rows as a table, and what is not data on stderr."""
    from dataclasses import replace

    from syncd.cli.output import is_unicode, print_table, say
    from syncd.reports.render.screen import laid_out, remarks, summary

    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    table = laid_out(result, replace(options, plain=not is_unicode(), room=room))
    say(summary(result))
    if table.rows or table.total is not None:
        print_table(table.columns, table.rows, table.total)
    if table.map:
        sys.stdout.write("".join(f"{line}\n" for line in table.map))
    for remark in remarks(result, empty=not table.rows):
        say(remark)
