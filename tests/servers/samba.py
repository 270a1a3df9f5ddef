"""A real Active Directory of the test session: Samba as a domain controller, without systemd.

It must be root, for the ports of a domain controller are fixed; so there is one of it at a time, on
the loopback alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ldap3

from tests.integration.slapd import Certificates

SUFFIX = "DC=corp,DC=example,DC=com"
PEOPLE = f"OU=people,{SUFFIX}"
ELSEWHERE = f"OU=elsewhere,{SUFFIX}"
PASSWORD = "Passw0rd!"
ADMIN = f"CN=Administrator,CN=Users,{SUFFIX}"
READER = f"CN=syncd,CN=Users,{SUFFIX}"
"""May ask for changes (DirSync) and see tombstones."""
ORDINARY = f"CN=ordinary,CN=Users,{SUFFIX}"
"""Has the rights of every user."""
PORTS = (389, 636)
NORMAL_ACCOUNT = 544
"""userAccountControl: enabled, and no password needed."""
DISABLED_ACCOUNT = 546

CONFIGURATION = """[global]
netbios name = DC1
realm = CORP.EXAMPLE.COM
workgroup = CORP
server role = active directory domain controller
server services = ldap
interfaces = lo
bind interfaces only = yes
private dir = {home}/private
state directory = {home}/state
lock directory = {home}
cache directory = {home}/cache
binddns dir = {home}/bind-dns
pid directory = {home}/run
ncalrpc dir = {home}/run/ncalrpc
ntp signd socket directory = {home}/run/ntp
winbindd socket directory = {home}/run/winbindd
log file = {home}/samba.log
tls cafile = {certificates}/ca.pem
tls certfile = {certificates}/server.pem
tls keyfile = {certificates}/server.key
"""


def ports_taken() -> list[int]:
    """Return which of the ports of a domain controller somebody else has."""
    taken = []
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                taken.append(port)
    return taken


class Samba:
    """A running domain controller with an empty ``OU=people``; ``admin`` writes to it."""

    url = "ldaps://localhost"

    def __init__(self, find: Callable[[str], str], home: Path) -> None:
        self._samba, tool = find("samba"), find("samba-tool")
        openssl = shutil.which("openssl")
        assert openssl, "openssl is part of every Debian that runs these tests"
        self.home = home / "dc"
        signed = home / "certificates"
        signed.mkdir()
        self.certificates = Certificates(openssl, signed)
        (signed / "server.key").chmod(0o600)
        self._tool = tool
        self._configuration = self.home / "etc" / "smb.conf"
        self._provision()
        text = CONFIGURATION.format(home=self.home, certificates=signed)
        self._configuration.write_text(text)
        (self.home / "run").mkdir()
        try:
            self.start()
            self._fill()
        except BaseException:
            self._end()
            raise

    def _provision(self) -> None:
        options = [
            f"--targetdir={self.home}",
            "--realm=CORP.EXAMPLE.COM",
            "--domain=CORP",
            "--server-role=dc",
            "--dns-backend=SAMBA_INTERNAL",
            f"--adminpass={PASSWORD}",
            "--host-name=dc1",
            "--host-ip=127.0.0.1",
            "--option=interfaces=lo",
            "--option=bind interfaces only=yes",
            "--option=vfs objects=dfs_samba4 acl_xattr xattr_tdb",
        ]
        self.home.mkdir()
        done = subprocess.run(
            [self._tool, "domain", "provision", *options],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.home / "samba.out").open("ab") as log:
            self.process = subprocess.Popen(
                [self._samba, "-i", "-s", str(self._configuration), "--debug-stdout", "-d1"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 636)):
                break
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError((self.home / "samba.out").read_text(errors="replace"))
            time.sleep(0.05)
        self.admin = self.connect(ADMIN)

    def stop(self) -> None:
        """End it with all its processes."""
        self.admin.unbind()
        self._end()

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def connect(self, bind_dn: str) -> ldap3.Connection:
        """Return a connection bound as an account whose password is PASSWORD."""
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(self.certificates.authority))
        server = ldap3.Server("localhost", 636, use_ssl=True, tls=tls, get_info=ldap3.NONE)
        return ldap3.Connection(
            server, bind_dn, PASSWORD, auto_bind=True, auto_referrals=False, check_names=False
        )

    def _fill(self) -> None:
        for unit in (PEOPLE, ELSEWHERE):
            self._check(self.admin.add(unit, "organizationalUnit"))
        for account in (READER, ORDINARY):
            name = account.partition(",")[0].partition("=")[2]
            secret = f'"{PASSWORD}"'.encode("utf-16-le")
            self._check(
                self.admin.add(
                    account,
                    "user",
                    {"sAMAccountName": name, "unicodePwd": secret, "userAccountControl": 512},
                )
            )
        self._check(
            self.admin.modify(
                f"CN=Administrators,CN=Builtin,{SUFFIX}",
                {"member": [(ldap3.MODIFY_ADD, [READER])]},
            )
        )

    def _check(self, done: bool) -> None:
        assert done, self.admin.result

    def add(self, name: str, unit: str = PEOPLE, **attributes: Any) -> str:
        """Add a person of this ``cn``. Returns the entry DN."""
        entry_dn = f"CN={name},{unit}"
        values = {
            "sAMAccountName": attributes.get("uid", name.replace(" ", ".")),
            "userAccountControl": NORMAL_ACCOUNT,
        }
        self._check(self.admin.add(entry_dn, "inetOrgPerson", values | attributes))
        return entry_dn

    def add_unit(self, entry_dn: str) -> None:
        """Add an organisational unit."""
        self._check(self.admin.add(entry_dn, "organizationalUnit"))

    def add_group(self, name: str, *members: str) -> str:
        """Add a group. Returns the entry DN."""
        entry_dn = f"CN={name},{ELSEWHERE}"
        values = {"sAMAccountName": name, "member": list(members)}
        self._check(self.admin.add(entry_dn, "group", values))
        return entry_dn

    def modify(self, entry_dn: str, **attributes: Any) -> None:
        """Replace attributes of an entry; None removes one."""
        changes = {
            name: [(ldap3.MODIFY_REPLACE, [] if value is None else value)]
            for name, value in attributes.items()
        }
        self._check(self.admin.modify(entry_dn, changes))

    def move(self, entry_dn: str, name: str, unit: str) -> str:
        """Rename an entry and move it. Returns the entry DN that it has then."""
        kind = entry_dn.partition("=")[0]
        self._check(self.admin.modify_dn(entry_dn, f"{kind}={name}", new_superior=unit))
        return f"{kind}={name},{unit}"

    def delete(self, entry_dn: str) -> None:
        """Remove an entry, of which a tombstone stays."""
        self._check(self.admin.delete(entry_dn))

    def clear(self) -> None:
        """Remove everything below the two units."""
        for unit in (PEOPLE, ELSEWHERE):
            self.admin.search(unit, "(objectClass=*)", attributes=["1.1"])
            names = [row["dn"] for row in self.admin.response if row["type"] == "searchResEntry"]
            for entry_dn in sorted(names, key=len, reverse=True):
                if entry_dn.casefold() != unit.casefold():
                    self._check(self.admin.delete(entry_dn))
