"""Waiting mail is given to the server: none is lost, and none is given twice to a server that says
what became of it."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from typing import TYPE_CHECKING

from syncd.application.composition import NEVER, Application, Stop
from syncd.application.repeating import repeated
from syncd.domain.errors import ConfigurationError, TryAgainError, UsageError
from syncd.reports.budget_mail import KIND as BUDGET
from syncd.reports.recipients import NO_ACCESS, addressee_now
from syncd.settings.secret import Secret
from syncd.store import outbox
from syncd.store.schedules import rights_of, withdraw

if TYPE_CHECKING:
    from syncd.settings.finance import MailSettings

LOCK = "mail"
AT_ONCE = 100
FIRST_DELAY, LONGEST_DELAY = 60, 4 * 3600
"""Seconds until a message is tried again: four times as long after each attempt."""
TEMPORARY = range(400, 500)
TOO_LARGE = 552
NO_ANSWER = 400
"""Stands for a connection that broke."""


@dataclass(slots=True)
class MailOutcome:
    """What became of the messages that were due."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    withdrawn: int = 0
    """Messages to who may not see any more what is in them."""
    waiting: int = 0
    """Messages that are left, those that are not due yet included."""


class _Answer(Exception):
    """The server would not take one message."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def send_mail(application: Application, *, stop: Stop = NEVER) -> MailOutcome:
    """Give the messages that are due to the server, the oldest first.

    A message that the server puts off is tried again later; one that it will never take fails with
    its answer. Raises UsageError without a server, TryAgainError when it cannot be reached, would
    not let us in or another process sends: nothing is lost then. ConfigurationError when the
    password cannot be read.
    """
    settings = application.settings.finance.mail
    if not settings.server:
        raise UsageError("no mail can be sent", "[mail] server = smtp.example.com")
    outcome = MailOutcome()
    with application.locked(LOCK, stop), application.connected():
        # A message that is put off is not due again, so each round has new ones.
        while not stop.is_set() and (messages := outbox.due(application.clock(), AT_ONCE)):
            with connection(settings) as server:
                for message in messages:
                    if stop.is_set():
                        break
                    if _withdrawn(message, application):
                        outcome.withdrawn += 1
                        continue
                    if not _send(server, settings, message, application, outcome):
                        # The lock went with the connection: what is left is for the next run.
                        outcome.waiting = outbox.waiting()
                        return outcome
        outcome.waiting = outbox.waiting()
    return outcome


def _withdrawn(message: outbox.Waiting, application: Application) -> bool:
    """Take a message back whose recipient left, or sees something else since it was written."""
    written = rights_of(message.kind, message.reference)
    if written is None:
        return False
    key, rights = written
    one = addressee_now(key, application.settings.reports.level6_basis)
    # That a threshold was passed is told, without figures, to members of level 0, too.
    told = one.refusal == NO_ACCESS and message.kind == BUDGET
    if one.rights == rights and (told or not one.refusal):
        return False
    again = told or not one.refusal
    reason = "what they may see has changed" if again else one.refusal
    withdraw(message, f"withdrawn: {reason}", application.clock(), again=again)
    return True


def _send(
    server: smtplib.SMTP,
    settings: MailSettings,
    message: outbox.Waiting,
    application: Application,
    outcome: MailOutcome,
) -> bool:
    """Send one message. Returns False where the database was lost meanwhile, and is there again."""
    try:
        _give(server, settings, message)
    except _Answer as answer:
        _put_off(message, answer, settings, application.clock(), outcome)
    except TryAgainError as error:
        # Were it due again at once, a message that the connection breaks at would hold up the others.
        broken = _Answer(NO_ANSWER, error.message)
        _put_off(message, broken, settings, application.clock(), outcome)
        raise
    else:
        # The server has it: were that not remembered, it would be sent a second time.
        before = application.database.connection()
        repeated(
            lambda: outbox.settle(message.id, outbox.SENT, application.clock()),
            application.database,
            LOCK,
        )
        outcome.sent += 1
        return application.database.connection() is before
    return True


def _put_off(
    message: outbox.Waiting,
    answer: _Answer,
    settings: MailSettings,
    now: int,
    outcome: MailOutcome,
) -> None:
    """Remember when to try a message again, or that it is given up."""
    reason = answer.text if answer.code == NO_ANSWER else f"{answer.code} {answer.text}".strip()
    if answer.code in TEMPORARY and now - message.created_at < settings.give_up_after:
        delay = min(FIRST_DELAY * 4 ** min(message.attempts, 9), LONGEST_DELAY)
        outbox.defer(message.id, now + delay, reason)
        outcome.deferred += 1
    else:
        outbox.settle(message.id, outbox.FAILED, now, reason)
        outcome.failed += 1


def _give(server: smtplib.SMTP, settings: MailSettings, message: outbox.Waiting) -> None:
    """Give one message to the server. Raises _Answer when it does not take this one, TryAgainError
    when it is about all of them."""
    sender = parseaddr(settings.sender)[1]
    try:
        server.sendmail(sender, [message.recipient], message.message)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = error.recipients[message.recipient]
        raise _Answer(code, _text(text)) from error
    except smtplib.SMTPSenderRefused as error:
        if error.smtp_code in (*TEMPORARY, TOO_LARGE):
            raise _Answer(error.smtp_code, _text(error.smtp_error)) from error
        raise _unreachable(settings, error) from error
    except smtplib.SMTPResponseException as error:
        raise _Answer(error.smtp_code, _text(error.smtp_error)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise _unreachable(settings, error) from error


@contextlib.contextmanager
def connection(settings: MailSettings) -> Iterator[smtplib.SMTP]:
    """Have a connection, secured and logged in. Raises TryAgainError, ConfigurationError."""
    password = _password(settings)
    try:
        server = _open(settings, password)
    except (smtplib.SMTPException, OSError) as error:
        raise _unreachable(settings, error) from error
    try:
        yield server
    finally:
        # What it took, it took: how it says good-bye does not matter.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            server.quit()
        server.close()


def _open(settings: MailSettings, password: str) -> smtplib.SMTP:
    address = (settings.server, settings.port)
    if settings.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            *address, timeout=settings.timeout, context=_trust(settings)
        )
    else:
        server = smtplib.SMTP(*address, timeout=settings.timeout)
    try:
        if settings.tls == "starttls":
            server.starttls(context=_trust(settings))
        if settings.user:
            server.login(settings.user, password)
    except BaseException:
        server.close()
        raise
    return server


def _trust(settings: MailSettings) -> ssl.SSLContext:
    cafile = None if settings.ca_file is None else str(settings.ca_file)
    return ssl.create_default_context(cafile=cafile)


def _password(settings: MailSettings) -> str:
    if not settings.user:
        return ""
    secret = Secret(
        section="mail",
        file=settings.password_file,
        credential=settings.password_credential,
        file_option="password_file",
        credential_option="password_credential",
        complaint=f"the mail server {settings.server} cannot be asked",
    )
    return secret.read()


def _unreachable(settings: MailSettings, error: Exception) -> TryAgainError | ConfigurationError:
    """Return the error about the server itself."""
    if isinstance(error, smtplib.SMTPResponseException):
        reason = f"{error.smtp_code} {_text(error.smtp_error)}"
    else:
        reason = str(error) or type(error).__name__
    where = f"{settings.server}:{settings.port}"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return ConfigurationError(
            f"the mail server {where} does not let {settings.user} in: {reason}",
            "[mail] user and password_file",
        )
    if isinstance(error, smtplib.SMTPSenderRefused):
        return ConfigurationError(
            f"the mail server {where} takes nothing from {error.sender}: {reason}", "[mail] from"
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return ConfigurationError(f"the mail server {where}: {reason}", "[mail] tls and user")
    return TryAgainError(f"the mail server {where} cannot be used: {reason}")


def _text(answer: bytes | str) -> str:
    """Return a server's answer as one line."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())
