"""The bind password: from a systemd credential, or from a file that nobody else may write."""

from __future__ import annotations

from syncd.settings.model import DirectorySettings
from syncd.settings.secret import Secret


def bind_password(settings: DirectorySettings) -> str:
    """Return the password with which to bind; empty when the bind is anonymous.

    Raises ConfigurationError when there is none, or it cannot be read, or others may write it: a
    bind with an empty password succeeds as nobody (RFC 4513, 5.1.2) and shows less than there is.
    """
    if not settings.bind_dn:
        return ""
    secret = Secret(
        section=f"directory:{settings.name}",
        file=settings.bind_password_file,
        credential=settings.bind_credential,
        file_option="bind_password_file",
        credential_option="bind_credential",
        complaint=f"the directory {settings.name} cannot be asked",
    )
    if not secret.credential and secret.file is None:
        what = f"there is no password for {settings.bind_dn}"
        raise secret.wrong(secret.file_option, what, "bind_password_file or bind_credential")
    return secret.read()
