"""A real OpenLDAP server of the test session: any user may start one, in a few hundredths of a
second, on a free port of the loopback."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ldap3

SUFFIX = "dc=example,dc=com"
PEOPLE = f"ou=people,{SUFFIX}"
READER = f"uid=syncd,{SUFFIX}"
LIMITED = f"uid=limited,{SUFFIX}"
BLIND = f"uid=blind,{SUFFIX}"
PASSWORD = "reader's secret"
ADMIN = f"cn=admin,{SUFFIX}"
ADMIN_PASSWORD = "admin"
LIMIT = 5
"""How many entries LIMITED may see."""

CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload syncprov
pidfile {home}/slapd.pid
argsfile {home}/slapd.args
TLSCACertificateFile {home}/ca.pem
TLSCertificateFile {home}/server.pem
TLSCertificateKeyFile {home}/server.key
TLSVerifyClient try
authz-regexp "gidNumber=.*,cn=peercred,cn=external,cn=auth" "{reader}"
authz-regexp "cn=syncd client" "{reader}"
sizelimit 500
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {admin_password}
directory {home}/data
dbnosync
maxsize 268435456
limits dn.exact="{reader}" size=unlimited time=unlimited
limits dn.exact="{limited}" size.soft={limit} size.hard={limit} size.prtotal={limit}
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=people,{suffix}" by dn.exact="{blind}" search by users read by * none
access to * by users read by anonymous auth
overlay memberof
{overlays}
"""

SYNCPROV = """
index entryUUID,entryCSN eq
overlay syncprov
syncprov-checkpoint 100 10
syncprov-sessionlog 1000
"""
"""Lines that make it a provider of content synchronisation (RFC 4533)."""

TREE = f"""dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people
""" + "".join(
    f"""
dn: {entry_dn}
objectClass: account
objectClass: simpleSecurityObject
uid: {entry_dn.split(",")[0].partition("=")[2]}
userPassword: {PASSWORD}
"""
    for entry_dn in (READER, LIMITED, BLIND)
)


class Certificates:
    """A throw-away authority, a server certificate for ``localhost`` alone, and an authority that
    signed nothing."""

    def __init__(self, openssl: str, home: Path) -> None:
        self.home = home
        self.authority = home / "ca.pem"
        self.stranger = home / "stranger.pem"
        self._openssl = openssl
        self._authority("ca", "Test authority")
        self._authority("stranger", "Another authority")
        self._server()

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            [self._openssl, *arguments], cwd=self.home, check=True, capture_output=True, timeout=30
        )

    def _authority(self, name: str, subject: str) -> None:
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        uses = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self._run("req", "-x509", *new_key, *files, "-subj", f"/CN={subject}", "-days", "2", *uses)

    def client(self, name: str) -> Path:
        """Return the certificate of a client of this name; its key lies beside it (``.key``)."""
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        self._run(
            "req", *new_key, "-keyout", "client.key", "-out", "client.csr", "-subj", f"/CN={name}"
        )
        signer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
        self._run("x509", "-req", "-in", "client.csr", "-out", "client.pem", *signer, "-days", "2")
        return self.home / "client.pem"

    def _server(self) -> None:
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        files = ("-keyout", "server.key", "-out", "server.csr")
        self._run("req", *new_key, *files, "-subj", "/CN=localhost")
        extensions = "subjectAltName=DNS:localhost\nauthorityKeyIdentifier=keyid\n"
        (self.home / "server.ext").write_text(extensions)
        signer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
        files = ("-in", "server.csr", "-out", "server.pem", "-extfile", "server.ext")
        self._run("x509", "-req", *files, *signer, "-days", "2")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Slapd:
    """A running server with an empty ``ou=people``; ``admin`` writes to it."""

    def __init__(self, find: Callable[[str], str], home: Path, overlays: str = "") -> None:
        slapd, slapadd, openssl = find("slapd"), find("slapadd"), shutil.which("openssl")
        assert openssl, "openssl is part of every Debian that runs these tests"
        self.home = home
        self.certificates = Certificates(openssl, home)
        (home / "data").mkdir()
        (home / "slapd.conf").write_text(
            CONFIGURATION.format(
                home=home,
                suffix=SUFFIX,
                admin=ADMIN,
                admin_password=ADMIN_PASSWORD,
                reader=READER,
                limited=LIMITED,
                blind=BLIND,
                limit=LIMIT,
                overlays=overlays,
            )
        )
        (home / "tree.ldif").write_text(TREE)
        configuration = ("-f", str(home / "slapd.conf"))
        subprocess.run(
            [slapadd, "-q", *configuration, "-l", str(home / "tree.ldif")], check=True, timeout=30
        )
        self._command = [slapd, *configuration]
        self.start()
        self._connect()

    def _connect(self) -> None:
        self.admin = ldap3.Connection(
            ldap3.Server(self.url, get_info=ldap3.NONE), ADMIN, ADMIN_PASSWORD, auto_bind=True
        )

    def start(self) -> None:
        """Start it on free ports and wait until it answers."""
        self.port, self.tls_port = free_port(), free_port()
        self.url = f"ldap://127.0.0.1:{self.port}"
        self.tls_url = f"ldaps://localhost:{self.tls_port}"
        self.local_url = f"ldapi://{quote(str(self.home / 'ldapi'), safe='')}"
        self._launch()

    def restart(self) -> None:
        """Stop it and start it again, on the same ports."""
        self.stop()
        self._launch()
        self._connect()

    def _launch(self) -> None:
        urls = f"{self.url} ldaps://127.0.0.1:{self.tls_port} {self.local_url}"
        with (self.home / "slapd.log").open("ab") as log:
            self.process = subprocess.Popen([*self._command, "-h", urls, "-d", "0"], stderr=log)
        end = time.monotonic() + 20
        for port in (self.port, self.tls_port):
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError((self.home / "slapd.log").read_text())
                time.sleep(0.005)

    def stop(self) -> None:
        self.admin.unbind()
        self.process.terminate()
        self.process.wait(20)

    def _check(self, done: bool) -> None:
        assert done, self.admin.result

    def add(self, uid: str, **attributes: Any) -> str:
        """Add a person to ``ou=people``. Returns the entry DN."""
        entry_dn = f"uid={uid},{PEOPLE}"
        values = {"cn": uid.title(), "sn": uid.title()} | attributes
        self._check(self.admin.add(entry_dn, "inetOrgPerson", values))
        return entry_dn

    def modify(self, uid: str, **attributes: Any) -> None:
        """Replace attributes of a person; None removes one."""
        changes = {
            name: [(ldap3.MODIFY_REPLACE, [] if value is None else value)]
            for name, value in attributes.items()
        }
        self._check(self.admin.modify(f"uid={uid},{PEOPLE}", changes))

    def rename(self, uid: str, new_uid: str, superior: str | None = None) -> None:
        """Rename a person, and move the entry when ``superior`` is given."""
        self._check(
            self.admin.modify_dn(
                f"uid={uid},{PEOPLE}", f"uid={new_uid}", new_superior=superior or PEOPLE
            )
        )

    def delete(self, uid: str) -> None:
        """Remove a person."""
        self._check(self.admin.delete(f"uid={uid},{PEOPLE}"))

    def add_group(self, name: str, *member: str) -> str:
        """Add a group below ``ou=people``. Returns its entry DN."""
        entry_dn = f"cn={name},{PEOPLE}"
        self._check(self.admin.add(entry_dn, "groupOfNames", {"member": list(member)}))
        return entry_dn

    def add_unit(self, name: str) -> str:
        """Add an organisational unit below ``ou=people``. Returns its entry DN."""
        entry_dn = f"ou={name},{PEOPLE}"
        self._check(self.admin.add(entry_dn, "organizationalUnit"))
        return entry_dn

    def add_referral(self, name: str, target: str) -> None:
        """Add an entry that says that a part of the tree is elsewhere."""
        classes = ["referral", "extensibleObject"]
        self._check(self.admin.add(f"ou={name},{PEOPLE}", classes, {"ref": target, "ou": name}))

    def clear(self) -> None:
        """Remove everything below ``ou=people``."""
        manage = ("2.16.840.1.113730.3.4.2", True, None)  # referrals are entries to us
        self.admin.search(PEOPLE, "(objectClass=*)", attributes=None, controls=[manage])
        names = [entry["dn"] for entry in self.admin.response]
        for entry_dn in sorted(names, key=len, reverse=True):
            if entry_dn != PEOPLE:
                self._check(self.admin.delete(entry_dn, controls=[manage]))


class Last(bytes):
    """What a proxy's client gets at the end: after it the connection is cut."""


@contextlib.contextmanager
def proxy(
    port: int, answer: Callable[[bytes, int], bytes | None] = lambda data, sent: data
) -> Iterator[int]:
    """Stand between a client and the server at ``port``; gives the port of its own.

    ``answer`` gets each piece of what the server says and how many bytes have gone to the client
    before; it returns what the client gets, Last or None to cut the connection.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                server = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=ask, args=(client, server), daemon=True).start()
                threading.Thread(target=tell, args=(server, client), daemon=True).start()

        def ask(client: socket.socket, server: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := client.recv(65536):
                    server.sendall(data)
            end(server)

        def tell(server: socket.socket, client: socket.socket) -> None:
            sent = 0
            with contextlib.suppress(OSError), client, server:
                while data := server.recv(65536):
                    told = answer(data, sent)
                    if told is None:
                        break
                    client.sendall(told)
                    sent += len(told)
                    if isinstance(told, Last):
                        break
                end(client)

        def end(side: socket.socket) -> None:
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            end(listener)
            thread.join(5)
