"""A TCP proxy of the tests' own, in front of a server that listens on a socket: it cuts connections,
holds them back and closes one half of them."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Self

_LINGER = struct.pack("ii", 1, 0)
"""Let a socket be closed by a reset: what was not sent is lost, as with a pulled cable."""


class TcpProxy:
    """Listens on loopback and hands everything on to a server's Unix socket, or to a
    (host, port)."""

    def __init__(self, server: str | tuple[str, int]) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        """That were made so far."""
        self.cuts = 0
        """That were made so far by ``cut_after``."""
        self._refusing = False
        self._flows = threading.Event()
        self._flows.set()
        self.passed = 0
        """Bytes that were handed on so far."""
        self._left: list[int] = []
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cut(self) -> None:
        """Break every connection that there is; new ones are let through."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            _reset(pair)

    def cut_after(self, *sizes: int) -> None:
        """Break every connection once so many more bytes have passed, both ways together, and again
        after so many more; without a size not at all."""
        with self._lock:
            self._left = list(sizes)

    def refuse(self, refusing: bool = True) -> None:
        """Break what there is and close new connections at once, until told otherwise."""
        self._refusing = refusing
        if refusing:
            self.cut()

    def stall(self, stalled: bool = True) -> None:
        """Hold back whatever comes, both ways, until told otherwise; nobody is told."""
        if stalled:
            self._flows.clear()
        else:
            self._flows.set()

    def half_close(self) -> None:
        """Let the server hear that its clients will say nothing more; the clients hear nothing."""
        with self._lock:
            pairs = set(self._pairs)
        for _, server in pairs:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._refusing = True
        self._flows.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._refusing:
                    raise ConnectionRefusedError
                server = self._connect()
            except OSError:
                client.close()
                continue
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
                self.connections += 1
            for source, target in (pair, pair[::-1]):
                threading.Thread(
                    target=self._pass_on, args=(source, target, pair), daemon=True
                ).start()

    def _connect(self) -> socket.socket:
        if isinstance(self._server, tuple):
            return socket.create_connection(self._server)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.connect(self._server)
        return server

    def _pass_on(
        self,
        source: socket.socket,
        target: socket.socket,
        pair: tuple[socket.socket, socket.socket],
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                if self._spent(len(data)):
                    self.cut()
                    return
                target.sendall(data)
        with self._lock:
            self._pairs.discard(pair)
        for one in pair:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _spent(self, size: int) -> bool:
        """Say whether the connections are to be cut now, before what came is handed on."""
        with self._lock:
            if self._left:
                self._left[0] -= size
                if self._left[0] <= 0:
                    self._left.pop(0)
                    self.cuts += 1
                    return True
            self.passed += size
            return False


def _reset(pair: tuple[socket.socket, socket.socket]) -> None:
    for one in pair:
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        with contextlib.suppress(OSError):
            # Who waits in recv notices at once.
            one.shutdown(socket.SHUT_RD)
        one.close()
