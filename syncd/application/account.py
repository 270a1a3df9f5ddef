"""As whom syncd works."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from syncd.domain.errors import UserError


def account_name() -> str:
    """Return the account from which this process was started: for who became root by sudo, their
    own. Empty where it has no name."""
    if os.getuid() == 0 and (before := os.environ.get("SUDO_USER")):
        return before
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""


def become_owner(state_directory: Path) -> bool:
    """Let root work as the account to which the state directory belongs, from here on.

    Files that root left in the database's folder or in the archive would lock the daemon out.
    Returns whether the account changed; nothing does for others, where root is the owner, and where
    the owner cannot even read this installation.
    Raises UserError when the account does not exist any more.
    """
    if os.geteuid() != 0 or not state_directory.exists():
        return False
    status = state_directory.stat()
    if status.st_uid == 0:
        return False
    try:
        account = pwd.getpwuid(status.st_uid)
    except KeyError as error:
        raise UserError(
            f"{state_directory} belongs to account {status.st_uid}, which does not exist",
            f"chown -R syncd: {state_directory}",
        ) from error
    if not _could_work_as(account):
        return False
    _become(account)
    return True


def _become(account: pwd.struct_passwd) -> None:
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def _could_work_as(account: pwd.struct_passwd) -> bool:
    """Say whether an account can read Python's and our own modules, most of which are imported
    late. Only a process that has become the account knows for sure."""
    child = os.fork()
    if child == 0:
        try:
            _become(account)
            for module in (os.__file__, __file__):
                list(Path(module).parent.iterdir())
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
