"""A real SMTP server in the test, which takes, puts off and refuses what it is told to."""

from __future__ import annotations

import email
import socket
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

TAKEN = "250 OK"


class Handler:
    """Answers by what tests put into it."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, EmailMessage]] = []
        """(recipient, message) of what was taken."""
        self.senders: dict[str, str] = {}
        """Answer by sender."""
        self.recipients: dict[str, list[str]] = {}
        """Answers by recipient, one for each attempt, then it is taken."""
        self.data: list[str] = []
        """Answers to messages, one for each, then they are taken; ``cut`` breaks the connection
        before, ``cut after`` behind the moment in which the message is taken."""

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        answer = self.senders.get(address, TAKEN)
        if answer == TAKEN:
            envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        waiting = self.recipients.get(address, [])
        answer = waiting.pop(0) if waiting else TAKEN
        if answer == TAKEN:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.data.pop(0) if self.data else TAKEN
        if answer in (TAKEN, "cut after"):
            content = envelope.content
            assert isinstance(content, bytes)
            for recipient in envelope.rcpt_tos:
                parsed = email.message_from_bytes(content, policy=default)
                assert isinstance(parsed, EmailMessage)
                self.messages.append((recipient, parsed))
        if answer.startswith("cut"):
            assert server.transport is not None
            server.transport.abort()
        return answer


class MailServer:
    """The server while the block runs; ``port`` and ``handler`` are its own."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        password: str = "",
    ) -> None:
        self.handler = Handler()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        more: dict[str, Any] = {}
        if password:
            more = {
                "authenticator": _only(password),
                "auth_required": True,
                "auth_require_tls": starttls is not None,
            }
        self._controller = Controller(
            self.handler,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=tls,
            tls_context=starttls,
            require_starttls=starttls is not None,
            **more,
        )

    def __enter__(self) -> MailServer:
        self._controller.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._controller.stop()

    @property
    def taken(self) -> list[str]:
        """Whom the messages were for that were taken, in order."""
        return [recipient for recipient, _ in self.handler.messages]


def _only(password: str) -> Callable[..., AuthResult]:
    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        right = isinstance(given, LoginPassword) and given.password == password.encode()
        return AuthResult(success=right, handled=False)

    return authenticate
