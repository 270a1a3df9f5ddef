"""A real 389 Directory Server of the test session: as root, without systemd, in half a minute."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ldap3

SUFFIX = "dc=example,dc=com"
PEOPLE = f"ou=people,{SUFFIX}"
READER = f"uid=syncd,{SUFFIX}"
PASSWORD = "reader's secret"
ADMIN = "cn=Directory Manager"
ADMIN_PASSWORD = "Admin.secret.1"
SYSTEM_PYTHON = "/usr/bin/python3"
"""lib389 is a package of the system, not of the virtual environment."""

MAKE = """
import logging, sys
from lib389 import paths
paths.Paths.with_systemd = property(lambda self: False)
from lib389.instance.setup import SetupDs
SetupDs(verbose=True, dryrun=False, log=logging.getLogger()).create_from_inf(sys.argv[1])
"""

INSTANCE = """
[general]
full_machine_name = localhost.localdomain
strict_host_checking = False
selinux = False
start = True

[slapd]
instance_name = {name}
port = {port}
secure_port = {tls_port}
root_password = {password}
ldapi = {home}/ldapi.socket
db_dir = {home}/db
db_home_dir = {home}/db
backup_dir = {home}/backup
ldif_dir = {home}/ldif
log_dir = {home}/log

[backend-userroot]
suffix = {suffix}
create_suffix_entry = True
"""

READABLE = (
    '(targetattr="*")(version 3.0; acl "read"; allow (read,search,compare) userdn="ldap:///all";)'
)
ON = {"nsslapd-pluginEnabled": "on"}
PLUGINS: dict[str, dict[str, str]] = {
    "Retro Changelog Plugin": ON | {"nsslapd-attribute": "nsuniqueid:targetUniqueId"},
    "Content Synchronization": ON,
}


def steady_ports() -> tuple[int, int]:
    """Return two free ports below those that clients get: the server is stopped and started while
    it is made, and none of its ports may go to somebody else in between."""
    free = []
    for port in range(21_389, 22_389):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("", port))
            free.append(port)
            if len(free) == 2:
                return free[0], free[1]
    raise AssertionError("there are no free ports")


class Ds389:
    """A running server with an empty ``ou=people``; ``admin`` writes to it."""

    def __init__(self, find: Callable[[str], str], home: Path) -> None:
        self._program = find("ns-slapd")
        self.name = f"syncdtest{os.getpid()}"
        self.home = home
        self.settings = Path(f"/etc/dirsrv/slapd-{self.name}")
        self._pid_file = Path(f"/run/dirsrv/slapd-{self.name}.pid")
        self.port, tls_port = steady_ports()
        self.url = f"ldap://127.0.0.1:{self.port}"
        home.chmod(0o755)  # the server runs as dirsrv
        account = pwd.getpwnam("dirsrv")
        os.chown(home, account.pw_uid, account.pw_gid)
        (home / "instance.inf").write_text(
            INSTANCE.format(
                name=self.name,
                port=self.port,
                tls_port=tls_port,
                password=ADMIN_PASSWORD,
                home=home,
                suffix=SUFFIX,
            )
        )
        made = subprocess.run(
            [SYSTEM_PYTHON, "-c", MAKE, str(home / "instance.inf")],
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        self._connect()
        for plugin, values in PLUGINS.items():
            changes = {name: [(ldap3.MODIFY_REPLACE, [text])] for name, text in values.items()}
            self._check(self.admin.modify(f"cn={plugin},cn=plugins,cn=config", changes))
        self._check(
            self.admin.modify(SUFFIX, {"aci": [(ldap3.MODIFY_ADD, [READABLE])]}),
        )
        self._check(self.admin.add(PEOPLE, "organizationalUnit"))
        reader = {"cn": "syncd", "sn": "syncd", "userPassword": PASSWORD}
        self._check(self.admin.add(READER, "inetOrgPerson", reader))
        self.restart()

    def _connect(self) -> None:
        self.admin = ldap3.Connection(
            ldap3.Server(self.url, get_info=ldap3.NONE), ADMIN, ADMIN_PASSWORD, auto_bind=True
        )

    def _check(self, done: bool) -> None:
        assert done, self.admin.result

    def _end(self) -> None:
        self.admin.unbind()
        process = int(self._pid_file.read_text())
        os.kill(process, signal.SIGTERM)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)
        raise AssertionError("the server does not stop")

    def restart(self) -> None:
        """Stop it and start it again, on the same port."""
        self._end()
        command = [self._program, "-D", str(self.settings), "-i", str(self._pid_file)]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        end = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                break
            assert time.monotonic() < end
            time.sleep(0.02)
        self._connect()

    def stop(self) -> None:
        """Stop it and remove what it left outside its folder."""
        self._end()
        shutil.rmtree(self.settings, ignore_errors=True)
        for place in ("/var/lib/dirsrv", "/var/lock/dirsrv", "/var/log/dirsrv", "/run/dirsrv"):
            shutil.rmtree(Path(place) / f"slapd-{self.name}", ignore_errors=True)

    def add(self, uid: str, **attributes: Any) -> None:
        """Add a person to ``ou=people``."""
        values = {"cn": uid.title(), "sn": uid.title()} | attributes
        self._check(self.admin.add(f"uid={uid},{PEOPLE}", "inetOrgPerson", values))

    def modify(self, uid: str, **attributes: Any) -> None:
        """Replace attributes of a person; None removes one."""
        changes = {
            name: [(ldap3.MODIFY_REPLACE, [] if value is None else value)]
            for name, value in attributes.items()
        }
        self._check(self.admin.modify(f"uid={uid},{PEOPLE}", changes))

    def rename(self, uid: str, new_uid: str) -> None:
        """Rename a person."""
        self._check(self.admin.modify_dn(f"uid={uid},{PEOPLE}", f"uid={new_uid}"))

    def delete(self, uid: str) -> None:
        """Remove a person."""
        self._check(self.admin.delete(f"uid={uid},{PEOPLE}"))

    def clear(self) -> None:
        """Remove everybody."""
        self.admin.search(PEOPLE, "(objectClass=inetOrgPerson)", attributes=None)
        for entry in self.admin.response:
            self._check(self.admin.delete(entry["dn"]))
