"""``/metrics``, ``/healthz`` and ``/readyz`` on loopback, from a thread of its own."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from syncd.domain.errors import TryAgainError
from syncd.settings.model import Address

READ_TIMEOUT = 5
"""Seconds after which a client that says nothing is let go."""


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    content_type: str
    body: bytes

    @classmethod
    def json(cls, status: int, value: Any) -> Answer:
        return cls(status, "application/json", json.dumps(value).encode() + b"\n")


class HealthServer:
    """Serves ``pages``, functions by path, at an address of this machine."""

    def __init__(self, address: Address, pages: Mapping[str, Callable[[], Answer]]) -> None:
        """Listen. Raises TryAgainError when the address is taken or not ours."""
        self.configured = address
        handler = type("PageHandler", (_Handler,), {"pages": dict(pages)})
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        server = type("PageServer", (_Server,), {"address_family": family})
        try:
            self._server: ThreadingHTTPServer = server(tuple(address), handler)
        except OSError as error:
            raise TryAgainError(
                f"cannot listen on {address.host}:{address.port}: {error.strerror}",
                "choose another address with [daemon] metrics",
            ) from error
        host = f"[{address.host}]" if family == socket.AF_INET6 else address.host
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="health", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no event."""


class _Handler(BaseHTTPRequestHandler):
    pages: Mapping[str, Callable[[], Answer]] = {}
    timeout = READ_TIMEOUT
    server_version = "syncd"
    sys_version = ""

    def do_GET(self) -> None:
        page = self.pages.get(self.path.partition("?")[0])
        if page is None:
            answer = Answer(404, "text/plain", b"not found\n")
        else:
            try:
                answer = page()
            except Exception as error:
                # The page says that something is wrong; what it is stands in the log.
                answer = Answer(500, "text/plain", f"{type(error).__name__}\n".encode())
        with contextlib.suppress(ConnectionError):
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Say nothing: a line a second would bury the log."""
