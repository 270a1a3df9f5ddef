"""The bind password: from a systemd credential, or from a file that nobody else may write."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from syncd.domain.errors import ConfigurationError, Problem
from syncd.settings.model import DirectorySettings


def bind_password(settings: DirectorySettings) -> str:
    """Return the password with which to bind; empty when the bind is anonymous.

    Raises ConfigurationError when there is none, or it cannot be read, or others may write it: a
    bind with an empty password succeeds as nobody (RFC 4513, 5.1.2) and shows less than there is.
    """
    if not settings.bind_dn:
        return ""
    if settings.bind_credential:
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise _wrong(
                settings,
                "bind_credential",
                f"systemd gave no credential {settings.bind_credential!r} ($CREDENTIALS_DIRECTORY"
                " is not set)",
                "LoadCredential= in the unit, or bind_password_file",
            )
        return _read(settings, "bind_credential", Path(folder) / settings.bind_credential)
    if settings.bind_password_file is None:
        raise _wrong(
            settings,
            "bind_password_file",
            f"there is no password for {settings.bind_dn}",
            "bind_password_file or bind_credential",
        )
    path = settings.bind_password_file
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise _unreadable(settings, "bind_password_file", path, error) from error
    if mode & 0o022:
        raise _wrong(
            settings,
            "bind_password_file",
            f"others than its owner may write {path} (mode {mode:04o})",
            f"chmod 600 {path}",
        )
    return _read(settings, "bind_password_file", path)


def _read(settings: DirectorySettings, option: str, path: Path) -> str:
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise _wrong(settings, option, f"{path} is not UTF-8 text", "") from error
    except OSError as error:
        raise _unreadable(settings, option, path, error) from error
    if not lines or not lines[0]:
        raise _wrong(settings, option, f"{path} is empty", "the password is its first line")
    return lines[0]


def _unreadable(
    settings: DirectorySettings, option: str, path: Path, error: OSError
) -> ConfigurationError:
    return _wrong(settings, option, f"{path} cannot be read: {error.strerror}", "")


def _wrong(settings: DirectorySettings, option: str, what: str, hint: str) -> ConfigurationError:
    problem = Problem("", 0, f"[directory:{settings.name}] {option}", what, hint)
    return ConfigurationError(f"the directory {settings.name} cannot be asked", problems=[problem])
