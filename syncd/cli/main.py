"""The command line's frame: the verbs, the options that all of them have, and the exit codes.

A verb's module is imported when it is the one that is asked for, so that ``syncd --help`` costs
nothing but the standard library. A module offers ``add_arguments(parser)`` and
``run(arguments, context) -> exit code``.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from syncd.cli.admission import admit, audit
from syncd.cli.context import Context, common_options
from syncd.domain.errors import EXIT_FAILED, EXIT_TRY_AGAIN, EXIT_USAGE, UserError

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
"""What a shell gives a program that an interrupt or a closed pipe ended."""


class Verb(NamedTuple):
    """A verb, its module in this package and its line in ``syncd --help``."""

    name: str
    module: str
    summary: str


VERBS = (
    Verb("run", "run", "run the daemon"),
    Verb("demo", "demo", "show syncd at work with a simulated company"),
    Verb("check-config", "check_config", "check the configuration and all that it names"),
    Verb("sync", "sync", "bring people and lines up to date with a directory"),
    Verb(
        "directory", "directory", "list directories, and show what the mapping makes of one entry"
    ),
    Verb("ingest", "ingest", "take the CDR files that are ready"),
    Verb("call", "call", "list calls, or show a conversation leg by leg"),
    Verb("report", "report", "print a report as a viewer may see it"),
    Verb("licence", "licence", "show who holds the slots of the licence, and who waits"),
    Verb("person", "person", "list, show and change people, also for an earlier time"),
    Verb("department", "department", "let two names of a department, cost center or office be one"),
    Verb("access", "access_rights", "say who may see what and why, set it, and who looked"),
    Verb("cdr", "cdr", "list the drivers for call records, or try one on a file"),
    Verb("files", "files", "list the CDR files and what became of their rows"),
    Verb("rejects", "rejects", "list, show, retry and drop the rows that could not be read"),
    Verb("reprocess", "reprocess", "read and decide taken files again, after a mend"),
    Verb("rerate", "rerate", "rate stored calls again, with the decks as they are now"),
    Verb("period", "period", "list posting periods, and close a month"),
    Verb("unknown", "unknown", "list numbers that nobody holds and trunks that are not configured"),
    Verb("tariff", "tariff", "list, check, load, compare and try the rate decks of carriers"),
    Verb("explain", "explain", "explain a call: person, licence, number, tariff, price"),
    Verb("budget", "budget", "show budgets and what was spent of them"),
    Verb("invoice", "invoice", "compare a carrier's itemised bill with the calls"),
    Verb("charge-back", "charge_back", "write a month's cost by cost center for the ledger"),
    Verb("schedule", "schedule", "have reports sent again and again, and see what was sent"),
    Verb("alarm", "alarm", "show alarms and what they told whom, and try one"),
    Verb("mail", "mail", "show the mail that waits, and send it"),
    Verb("retention", "retention", "say what is older than it is kept, and remove it"),
    Verb("db", "db", "status, verify, backup, restore, migrate"),
    Verb("completion", "completion", "print the completion script of a shell"),
)


class VerbParser(argparse.ArgumentParser):
    """The parser of a verb, which asks the verb's module for its arguments on first use."""

    module = ""
    intermixed = False
    """Positional words may stand between and after options."""

    def load(self) -> None:
        """Let the verb's module add its arguments, once."""
        if self.module:
            module = importlib.import_module(self.module)
            self.module = ""
            self.description = self.description or module.__doc__
            module.add_arguments(self)

    # Typed as argparse's own stubs leave it: the overloads say nothing that is used here.
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.load()
        if not self.intermixed:
            return super().parse_known_args(args, namespace)
        self.intermixed = False  # it parses in two passes, each of which comes back here
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.intermixed = True


def available(verb: Verb) -> bool:
    """Say whether a verb's module is part of this installation."""
    return importlib.util.find_spec(f"syncd.cli.{verb.module}") is not None


def build_parser(*, complete: bool = False) -> argparse.ArgumentParser:
    """Return the parser; ``complete`` has every verb add its arguments at once, for the manual page
    and for completion."""
    common = common_options()
    parser = argparse.ArgumentParser(
        prog="syncd",
        description="Turns a directory and call detail records into calls with a person, "
        "a department and a price.",
        parents=[common],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    verbs: argparse._SubParsersAction[Any] = parser.add_subparsers(
        dest="verb", metavar="VERB", title="verbs", parser_class=VerbParser
    )
    for verb in VERBS:
        if available(verb):
            sub: VerbParser = verbs.add_parser(
                verb.name, help=verb.summary, parents=[common], allow_abbrev=False
            )
            sub.module = f"syncd.cli.{verb.module}"
            sub.set_defaults(verb_module=sub.module)
            if complete:
                sub.load()
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (default: that of the process). Returns the exit code."""
    parser = build_parser()
    try:
        parsed = parser.parse_args(arguments)
        if parsed.version:
            return _print_version()
        if not parsed.verb:
            parser.print_help(sys.stderr)
            return EXIT_USAGE
        module = importlib.import_module(parsed.verb_module)
        with Context(
            config=getattr(parsed, "config", None),
            json=getattr(parsed, "json", False),
            verbose=getattr(parsed, "verbose", False),
        ) as context:
            admit(parsed, context)
            code: int = module.run(parsed, context)
            audit(parsed, context, code)
        sys.stdout.flush()
        return code
    except SystemExit as leaving:  # argparse: --help and usage errors
        return leaving.code if isinstance(leaving.code, int) else EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; what is still buffered must not fail again when Python ends.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except UserError as error:
        return _complain(str(error), error.exit_code)
    except OSError as error:
        return _complain(_said(error), EXIT_FAILED)
    except Exception as error:
        if told := _unfit_argument(error, sys.argv[1:] if arguments is None else arguments):
            return _complain(told, EXIT_USAGE)
        if _is_database_trouble(error):
            return _complain(f"the database refused: {error}", EXIT_TRY_AGAIN)
        raise


def _print_version() -> int:
    from importlib.metadata import version

    sys.stdout.write(f"syncd {version('syncd')}\n")
    return 0


def _said(error: OSError) -> str:
    """Return what went wrong with a file, without the number of the error."""
    if not isinstance(error.filename, str | bytes) or not error.strerror:
        return error.strerror or str(error)
    return f"{os.fsdecode(error.filename)}: {error.strerror}"


def _complain(message: str, code: int) -> int:
    """Print a message on stderr, its first line marked as ours. Returns the code."""
    sys.stderr.write(f"syncd: {message}\n")
    return code


def _unfit_argument(error: Exception, arguments: Sequence[str]) -> str:
    """Return what is wrong with an argument that no database can hold, empty when the error is of
    something else: a letter that is not UTF-8, a number of more digits than any that is stored."""
    if isinstance(error, UnicodeEncodeError):
        unfit = [text for text in arguments if not _is_text(text)]
        return f"{unfit[0]!a} is not UTF-8 text" if unfit else ""
    if isinstance(error, OverflowError) or type(error).__name__ == "DataError":
        unfit = [text for text in arguments if re.search(r"[0-9]{10}", text)]
        return f"{unfit[0]!r} is beyond all numbers that are stored" if unfit else ""
    return ""


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_database_trouble(error: Exception) -> bool:
    """Say whether the database was busy, full or gone, without importing peewee for it."""
    if "peewee" not in sys.modules:
        return False
    from syncd.store.database import is_database_trouble

    return is_database_trouble(error)
