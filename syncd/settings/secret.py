"""Passwords: from a systemd credential, or from a file that nobody else may write."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from syncd.domain.errors import ConfigurationError, Problem


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a password is, and how its options are called in messages."""

    section: str
    file: Path | None
    credential: str
    file_option: str
    credential_option: str
    complaint: str
    """The sentence that a failure begins with, such as ``the directory x cannot be asked``."""

    def read(self) -> str:
        """Return the password, the first line. Raises ConfigurationError when there is none, it
        cannot be read, or others may write it."""
        if self.credential:
            option = self.credential_option
            folder = os.environ.get("CREDENTIALS_DIRECTORY")
            if not folder:
                what = (
                    f"systemd gave no credential {self.credential!r} ($CREDENTIALS_DIRECTORY is not"
                    " set)"
                )
                raise self.wrong(
                    option, what, f"LoadCredential= in the unit, or {self.file_option}"
                )
            return self._lines(option, Path(folder) / self.credential)
        assert self.file is not None  # who has neither is turned away before
        try:
            mode = stat.S_IMODE(self.file.stat().st_mode)
        except OSError as error:
            raise self._unreadable(self.file_option, self.file, error) from error
        if mode & 0o022:
            what = f"others than its owner may write {self.file} (mode {mode:04o})"
            raise self.wrong(self.file_option, what, f"chmod 600 {self.file}")
        return self._lines(self.file_option, self.file)

    def _lines(self, option: str, path: Path) -> str:
        try:
            lines = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise self.wrong(option, f"{path} is not UTF-8 text") from error
        except OSError as error:
            raise self._unreadable(option, path, error) from error
        if not lines or not lines[0]:
            raise self.wrong(option, f"{path} is empty", "the password is its first line")
        return lines[0]

    def _unreadable(self, option: str, path: Path, error: OSError) -> ConfigurationError:
        return self.wrong(option, f"{path} cannot be read: {error.strerror}")

    def wrong(self, option: str, what: str, hint: str = "") -> ConfigurationError:
        """Return the error that says what is wrong with an option."""
        problem = Problem("", 0, f"[{self.section}] {option}", what, hint)
        return ConfigurationError(self.complaint, problems=[problem])
