"""What a user can do wrong, said so that the user can mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Exit codes of every verb (sysexits where one fits).
EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_DIFFERENT = 3
EXIT_REFUSED = 4
EXIT_TRY_AGAIN = 75
EXIT_BAD_CONFIGURATION = 78


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is (file, line, option), what is wrong, and how to mend it.

    ``line`` counts from 1, 0 when it is not known. ``option`` is ``[section] name``, an entry or a
    row. ``hint`` is the mend, empty where there is none. ``warning`` problems never stop anything.
    """

    file: str
    line: int
    option: str
    what: str
    hint: str = ""
    warning: bool = False

    def __str__(self) -> str:
        place = ":".join(part for part in (self.file, str(self.line or "")) if part)
        head = ": ".join(part for part in (place, self.option, self.what) if part)
        return f"{head} ({self.hint})" if self.hint else head


class UserError(Exception):
    """A mistake of the user's: shown without a traceback, ends with ``exit_code``."""

    exit_code = EXIT_FAILED

    def __init__(self, message: str, hint: str = "", problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [f"{self.message} ({self.hint})" if self.hint else self.message]
        # A message about a single mistake may have said it.
        lines += [f"  {problem}" for problem in self.problems if str(problem) not in lines[0]]
        return "\n".join(lines)


class UsageError(UserError):
    """The command line cannot be understood."""

    exit_code = EXIT_USAGE


class ConfigurationError(UserError):
    """The configuration, or a file that it names, is wrong; ``problems`` holds all of it."""

    exit_code = EXIT_BAD_CONFIGURATION


class TryAgainError(UserError):
    """Nothing is wrong with the request: the same command may succeed later."""

    exit_code = EXIT_TRY_AGAIN


class RefusedError(UserError):
    """Refused to act on an incomplete answer or beyond a guard's limit; nothing was changed."""

    exit_code = EXIT_REFUSED
