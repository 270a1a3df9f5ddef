"""Reads the passwords that the settings point to; they never become part of the settings."""

from __future__ import annotations

import os
from pathlib import Path

from syncd.domain.errors import ConfigurationError, Problem
from syncd.settings.model import DirectorySettings


def bind_password(directory: DirectorySettings) -> str:
    """Return the first line of the password file or systemd credential, empty when there is none.

    Raises ConfigurationError when it cannot be read.
    """
    file = directory.bind_password_file
    option = f"[directory:{directory.name}] bind_password_file"
    if directory.bind_credential:
        option = f"[directory:{directory.name}] bind_credential"
        file = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/run/credentials"))
        file /= directory.bind_credential
    if file is None:
        return ""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        what = f"cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}"
        problem = Problem(str(file), 0, option, what)
        raise ConfigurationError("a password cannot be read", problems=[problem]) from None
    return lines[0] if lines else ""
