"""What every verb is given: the settings and the database, opened when they are first needed."""

from __future__ import annotations

import argparse
import time
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import peewee

    from syncd.settings.model import Settings


def common_options() -> argparse.ArgumentParser:
    """Return a parent parser with the options that stand before or after any verb.

    Nothing is set when they are absent: a default after the verb would overwrite what stood before.
    """
    parser = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="the INI file (default: $SYNCD_CONFIG, ./syncd.ini, /etc/syncd/syncd.ini)",
    )
    parser.add_argument("--json", action="store_true", help="short for --format json")
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="log on stderr what is done, each LDAP search as the command that repeats it",
    )
    return parser


class Context:
    """The settings and the database of one command; a context manager that closes the latter."""

    def __init__(
        self, config: Path | None = None, *, json: bool = False, verbose: bool = False
    ) -> None:
        self.config = config
        self.json = json
        self.verbose = verbose
        self._database: peewee.Database | None = None
        self._account: str | None = None

    @cached_property
    def config_file(self) -> Path:
        """The INI file. Raises ConfigurationError when there is none."""
        from syncd.settings.load import find

        return self.config if self.config is not None else find()

    @cached_property
    def settings(self) -> Settings:
        """The loaded settings; root becomes the owner of the state directory once they are known.
        Raises ConfigurationError with every problem at once."""
        from syncd.application.account import account_name, become_owner
        from syncd.application.plugins import load_settings
        from syncd.observe.logs import configure

        settings = load_settings(self.config_file)
        self._account = account_name()  # root is not root any more afterwards
        # A command says itself what it did; the log tells what went wrong on the way.
        everything = self.verbose or settings.logging.level == "debug"
        configure("debug" if everything else "warning")
        become_owner(settings.state_directory)
        return settings

    @cached_property
    def plain_settings(self) -> Settings:
        """The loaded settings for who reads and writes files of the configuration, which belong to who
        edits them: root stays root. Raises ConfigurationError."""
        from syncd.application.plugins import load_settings

        return load_settings(self.config_file)

    def database(self) -> peewee.Database:
        """Open the database (once), brought up to date and bound to the models."""
        if self._database is None:
            from syncd.application.state_directory import make_state_directory
            from syncd.store.database import open_configured
            from syncd.store.locks import hold

            settings = self.settings
            make_state_directory(settings)
            # Two processes must not bring the tables up to date side by side.
            with hold(settings.state_directory, "schema", "syncd"):
                self._database = open_configured(settings)
        return self._database

    @property
    def database_opened(self) -> bool:
        """Whether the command needed the database."""
        return self._database is not None

    @property
    def account(self) -> str:
        """The account of the operating system from which the command was given."""
        from syncd.application.account import account_name

        return account_name() if self._account is None else self._account

    def now(self) -> int:
        """Return the time as epoch seconds UTC."""
        return int(time.time())

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
