"""Connecting to one LDAP server: reached, secured and bound, or a reason why not.

ldap3 verifies nothing unless told to, remembers a failed server for 5 s in its Server object and
fails over only on refused ports, so that each attempt here has objects of its own and the order of
servers is ours.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import ldap3
import structlog
from ldap3.core.exceptions import LDAPException

from syncd.directory.sources.ber import read_entries_of
from syncd.directory.sources.ldapsearch import ldapsearch
from syncd.domain.errors import ConfigurationError, Problem
from syncd.settings.model import DirectorySettings

_LOCAL = re.compile(r"ldapi://([^\s/?]+)/?")
_URL = re.compile(r"(ldaps?)://(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+)(?::(\d{1,5}))?/?")
SEARCH_RESULT_ENTRY = 4
EXTERNAL = "external"
_PORTS = {"ldap": 389, "ldaps": 636}


class Address(NamedTuple):
    """A server and how the connection to it is secured."""

    url: str
    host: str
    port: int
    tls: str
    """``ldaps | starttls | none``."""

    @property
    def local(self) -> bool:
        """Whether it is a socket of this machine: no network lies in between."""
        return self.url.startswith("ldapi:")


class ServerFailed(Exception):
    """A server could not be reached, secured or bound: the message says why."""


def addresses(settings: DirectorySettings) -> list[Address]:
    """Return the servers of a section in their order.

    Raises ConfigurationError naming every address that cannot work.
    """
    found: list[Address] = []
    problems: list[Problem] = []
    option = f"[directory:{settings.name}]"
    for url in settings.servers:
        local = _LOCAL.fullmatch(url)
        if local:
            found.append(Address(url, local[1], 0, "none"))
            continue
        match = _URL.fullmatch(url)
        if not match:
            what, hint = f"{url!r} is not a server", "such as ldaps://ldap.example.com"
            problems.append(Problem("", 0, f"{option} servers", what, hint))
            continue
        scheme, host, port = match.groups()
        tls = settings.tls or {"ldap": "starttls", "ldaps": "ldaps"}[scheme]
        if scheme == "ldaps" and tls != "ldaps":
            what, hint = f"{url} is secured from the start, tls = {tls} is not", "tls = ldaps"
            problems.append(Problem("", 0, f"{option} tls", what, hint))
        if tls == "none" and not settings.allow_plaintext_bind:
            what = f"what syncd and {url} say would cross the network in the clear"
            hint = "tls = starttls or ldaps; or allow_plaintext_bind = yes"
            problems.append(Problem("", 0, f"{option} tls", what, hint))
        usual = _PORTS["ldaps" if tls == "ldaps" else "ldap"]
        found.append(Address(url, host.strip("[]"), int(port or usual), tls))
    if not settings.servers:
        hint = "such as ldaps://ldap.example.com"
        problems.append(Problem("", 0, f"{option} servers", "there is no server", hint))
    if problems:
        message = f"the directory {settings.name} cannot be asked"
        raise ConfigurationError(message, problems=problems)
    return found


def _raw_entries(connection: ldap3.Connection) -> None:
    """Make a connection read entries as raw bytes alone.

    Stock ldap3 decodes every value twice and guesses an encoding for those that are not UTF-8.
    What comes with controls is taken apart by ldap3 still, the rest is not: see ``ber``.
    """
    strategy = connection.strategy
    stock = strategy.decode_response_fast

    def decode(message: dict[str, Any]) -> Any:
        if message["protocolOp"] != SEARCH_RESULT_ENTRY:
            return stock(message)
        name, attributes = message["payload"]
        return {
            "type": "searchResEntry",
            "dn": name[3].decode("utf-8", "surrogateescape"),
            "raw_attributes": {
                pair[3][0][3].decode("ascii", "replace").lower(): [
                    value[3] for value in pair[3][1][3] or ()
                ]
                for pair in attributes[3]
            },
        }

    strategy.decode_response_fast = decode
    strategy.socket_size = 65536
    read_entries_of(strategy)


class _VerifiedTls(ldap3.Tls):
    """TLS as Python secures it by default: certificate, host name and SNI.

    ldap3's own verifies nothing unless told to, and leaves its socket open where the name is wrong.
    """

    def __init__(
        self, host: str, authorities: Path | None, certificate: Path | None, key: Path | None
    ) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._host = host
        try:
            self._context = ssl.create_default_context(cafile=authorities)
        except (OSError, ssl.SSLError) as error:
            raise ServerFailed(
                f"the certificates in {authorities} cannot be read: {error}"
            ) from error
        if certificate is not None:
            try:
                # Without a password for the key nobody is asked for one on a terminal.
                self._context.load_cert_chain(certificate, key, password="")
            except (OSError, ssl.SSLError) as error:
                what = f"the certificate {certificate} cannot be shown to it"
                raise ServerFailed(f"{what}: {error}") from error

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=self._host)


def _close_failed_sockets(connection: ldap3.Connection) -> None:
    """Make a connection close the sockets of addresses that it tried in vain."""
    strategy = connection.strategy
    stock = strategy._open_socket

    def open_socket(*arguments: Any, **options: Any) -> None:
        try:
            stock(*arguments, **options)
        except BaseException:
            if connection.socket is not None:
                connection.socket.close()
            raise

    strategy._open_socket = open_socket


@contextlib.contextmanager
def connected(
    settings: DirectorySettings, address: Address, password: str, deadline: Deadline
) -> Iterator[ldap3.Connection]:
    """A bound connection to a server, for the block; at the deadline its socket is cut.

    Raises ServerFailed before the block begins, never in it.
    """
    try:
        connection = _connection(settings, address, password)
    except (LDAPException, OSError) as error:
        raise ServerFailed(_reason(error)) from error
    with deadline.cuts(connection):
        try:
            try:
                _bind(connection, address)
            except (LDAPException, OSError) as error:
                raise ServerFailed(_reason(error)) from error
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                # What ldap3 makes of bytes that are no LDAP.
                raise ServerFailed(f"its answer is no LDAP: {_reason(error)}") from error
            yield connection
        finally:
            _close(connection)


class Deadline:
    """The moment by which a whole snapshot must have been read.

    A timeout of a socket is only that of one read: a server that sends a byte now and then would
    keep the sync for ever.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until then, never below 0."""
        return max(0.0, self._end - time.monotonic())

    @contextlib.contextmanager
    def cuts(self, connection: ldap3.Connection) -> Iterator[None]:
        """Cut a connection's socket at the deadline, if the block is not over by then."""

        def cut() -> None:
            with contextlib.suppress(OSError, AttributeError):
                connection.socket.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self.left, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _connection(settings: DirectorySettings, address: Address, password: str) -> ldap3.Connection:
    tls = None
    if address.tls != "none":
        tls = _VerifiedTls(
            address.host, settings.ca_file, settings.client_certificate, settings.client_key
        )
    external = settings.sasl == EXTERNAL
    server = ldap3.Server(
        address.url if address.local else address.host,
        port=None if address.local else address.port,
        use_ssl=address.tls == "ldaps",
        tls=tls,
        get_info=ldap3.NONE,
        # Without a receive_timeout it stays the socket's timeout for the handshake and the bind.
        connect_timeout=settings.connect_timeout,
    )
    connection = ldap3.Connection(
        server,
        user=settings.bind_dn or None,
        password=password or None,
        authentication=ldap3.SASL
        if external
        else ldap3.SIMPLE
        if settings.bind_dn
        else ldap3.ANONYMOUS,
        sasl_mechanism=ldap3.EXTERNAL if external else None,
        sasl_credentials="" if external else None,
        client_strategy=ldap3.SYNC,
        auto_referrals=False,
        auto_range=False,
        check_names=False,
        return_empty_attributes=False,
        read_only=True,
        raise_exceptions=False,
    )
    _raw_entries(connection)
    _close_failed_sockets(connection)
    _log_searches(connection, settings, address)
    return connection


def _log_searches(
    connection: ldap3.Connection, settings: DirectorySettings, address: Address
) -> None:
    """Make a connection log each search as the command that repeats it; the pages of one are one
    search."""
    stock = connection.search
    log = structlog.get_logger()

    def search(search_base: str, search_filter: str, **options: Any) -> Any:
        # Where no log was set up for it there is none: what a command prints is for programs.
        wanted = logging.getLogger().isEnabledFor(logging.DEBUG)
        if wanted and not options.get("paged_cookie"):
            command = ldapsearch(
                address.url,
                base=search_base,
                scope=options.get("search_scope", "SUBTREE"),
                filter_text=search_filter,
                attributes=options.get("attributes") or (),
                starttls=address.tls == "starttls",
                bind_dn=settings.bind_dn,
                external=settings.sasl == EXTERNAL,
                ca_file=settings.ca_file,
                client_certificate=settings.client_certificate,
                client_key=settings.client_key,
                page_size=options.get("paged_size"),
                controls=options.get("controls") or (),
            )
            log.debug("directory_searched", directory=settings.name, command=command)
        return stock(search_base, search_filter, **options)

    vars(connection)["search"] = search


def _bind(connection: ldap3.Connection, address: Address) -> None:
    connection.open(read_server_info=False)
    if address.tls == "starttls" and not connection.start_tls(read_server_info=False):
        raise ServerFailed("StartTLS was refused")
    if not connection.bind(read_server_info=False):
        result = connection.result or {}
        detail = ": ".join(
            str(part) for part in (result.get("description"), result.get("message")) if part
        )
        raise ServerFailed(f"the bind as {connection.user or 'nobody'} was refused: {detail}")


def _close(connection: ldap3.Connection) -> None:
    with contextlib.suppress(LDAPException, OSError, AttributeError):
        connection.unbind()
    if connection.socket is not None:
        connection.socket.close()


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    another = re.search(r"mismatch, (certificate is not valid for [^ ]+)", text)
    if another:
        said = another[1].replace("\\", "").rstrip(".")
        return f"its certificate is for another host: {said} (name the server as it does)"
    untrusted = re.search(r"CERTIFICATE_VERIFY_FAILED\] (.*?)(?: \(_ssl|$)", text)
    if untrusted:
        return (
            f"its certificate is not trusted: {untrusted[1]} (name the file of the authority that"
            " signed it in ca_file)"
        )
    return text or type(error).__name__
