"""Mail from the outbox to a real server: none lost, none twice."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest

from syncd.application import mail
from syncd.application.composition import Application
from syncd.application.mail import send_mail
from syncd.domain.errors import ConfigurationError, TryAgainError, UsageError
from syncd.reports.mail import Attachment, compose
from syncd.settings.load import load
from syncd.store.database import open_database, write_transaction
from syncd.store.models import Outbox, database
from syncd.store.outbox import listed, post
from tests.support.mail_server import MailServer

NOW = 1_780_000_000
SENDER = "Telefonate è <syncd@example.com>"


class Office:
    """An outbox and the settings of its server."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.now = NOW
        open_database("sqlite:///x.db", home / "state")

    def use(self, port: int, **options: str) -> None:
        path = self.home / "syncd.ini"
        given = {"server": "127.0.0.1", "port": str(port), "tls": "none", "from": SENDER, **options}
        lines = [f"{name} = {value}" for name, value in given.items()]
        path.write_text(
            "[syncd]\ntimezone = UTC\ncurrency = EUR\n[mail]\n" + "\n".join(lines), "utf-8"
        )
        self.application = Application(
            load(path), database.obj, command="test", clock=lambda: self.now
        )

    def write(self, *recipients: str, reference: str = "r") -> None:
        with write_transaction():
            for recipient in recipients:
                message = compose(
                    "test",
                    reference,
                    sender=SENDER,
                    recipient=recipient,
                    subject="Prüfung €",
                    text=f"für {recipient}\n",
                    now=self.now,
                    attachments=(Attachment("a.csv", "text/csv", b"x;y\n"),),
                )
                post("test", reference, recipient, message.subject, message.content, self.now)

    def send(self) -> tuple[int, int, int, int]:
        done = send_mail(self.application)
        return done.sent, done.deferred, done.failed, done.waiting

    @staticmethod
    def states() -> dict[str, tuple[str, str]]:
        return {row.recipient: (row.state, row.reason) for row in Outbox.select()}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    yield Office(tmp_path)
    database.obj.close()


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


def test_a_message_arrives_as_it_was_composed(office: Office, server: MailServer) -> None:
    office.use(server.port)
    office.write("anna@example.com", "bert@example.com")
    assert office.send() == (2, 0, 0, 0)
    assert office.send() == (0, 0, 0, 0)
    assert server.taken == ["anna@example.com", "bert@example.com"]
    message = server.handler.messages[0][1]
    assert message["Subject"] == "Prüfung €"
    assert message["From"] == SENDER
    assert message["To"] == "anna@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_body().get_content().replace("\r\n", "\n") == "für anna@example.com\n"
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == "a.csv"
    identities = {one["Message-ID"] for _, one in server.handler.messages}
    assert len(identities) == 2


def test_the_same_is_written_once_to_each(office: Office, server: MailServer) -> None:
    office.use(server.port)
    office.write("anna@example.com")
    office.send()
    office.write("anna@example.com", "bert@example.com")
    assert office.send()[0] == 1
    assert server.taken == ["anna@example.com", "bert@example.com"]


def test_what_is_put_off_comes_later_and_holds_up_nobody(
    office: Office, server: MailServer
) -> None:
    office.use(server.port)
    server.handler.recipients["anna@example.com"] = ["451 try later", "452 full"]
    office.write("anna@example.com", "bert@example.com")
    assert office.send() == (1, 1, 0, 1)
    assert office.states()["anna@example.com"] == ("waiting", "451 try later")
    assert office.send() == (0, 0, 0, 1)
    office.now += 60
    assert office.send() == (0, 1, 0, 1)
    office.now += 60
    assert office.send() == (0, 0, 0, 1)
    office.now += 240
    assert office.send() == (1, 0, 0, 0)
    assert server.taken == ["bert@example.com", "anna@example.com"]


def test_a_refused_recipient_fails_alone(office: Office, server: MailServer) -> None:
    office.use(server.port)
    server.handler.recipients["gone@example.com"] = ["550 no such user"] * 2
    office.write("gone@example.com", "anna@example.com")
    assert office.send() == (1, 0, 1, 0)
    assert office.states()["gone@example.com"] == ("failed", "550 no such user")
    assert [row["state"] for row in listed(10)] == ["sent", "failed"]
    office.now += 86_400
    assert office.send() == (0, 0, 0, 0)


def test_what_is_put_off_for_too_long_is_given_up(office: Office, server: MailServer) -> None:
    office.use(server.port, give_up_after="2 hours")
    server.handler.recipients["anna@example.com"] = ["451 later"] * 50
    office.write("anna@example.com")
    for _ in range(20):
        office.send()
        office.now += 3600
    assert office.states()["anna@example.com"] == ("failed", "451 later")


def test_a_message_that_is_refused_by_its_content(office: Office, server: MailServer) -> None:
    office.use(server.port)
    server.handler.data = ["554 spam", "451 busy"]
    office.write("anna@example.com", "bert@example.com", "carl@example.com")
    assert office.send() == (1, 1, 1, 1)


def test_without_the_server_everything_waits(office: Office, server: MailServer) -> None:
    with MailServer() as gone:
        office.use(gone.port)
    office.write("anna@example.com")
    for _ in range(3):
        with pytest.raises(TryAgainError, match="cannot be used"):
            send_mail(office.application)
        office.now += 100 * 86_400
    assert office.states()["anna@example.com"] == ("waiting", "")
    office.use(server.port)
    assert office.send() == (1, 0, 0, 0)


def test_a_broken_connection_holds_up_nobody(office: Office, server: MailServer) -> None:
    office.use(server.port)
    server.handler.data = ["cut"]
    office.write("anna@example.com", "bert@example.com")
    with pytest.raises(TryAgainError):
        send_mail(office.application)
    assert office.send() == (1, 0, 0, 1)
    office.now += 60
    assert office.send() == (1, 0, 0, 0)
    assert server.taken == ["bert@example.com", "anna@example.com"]


def test_what_may_have_been_taken_comes_again_under_its_own_id(
    office: Office, server: MailServer
) -> None:
    office.use(server.port)
    server.handler.data = ["cut after"]
    office.write("anna@example.com")
    with pytest.raises(TryAgainError):
        send_mail(office.application)
    office.now += 60
    assert office.send() == (1, 0, 0, 0)
    first, second = (message["Message-ID"] for _, message in server.handler.messages)
    assert first == second


def test_killed_between_the_server_and_the_database(
    office: Office, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.use(server.port)
    office.write("anna@example.com", "bert@example.com")

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mail.outbox, "settle", killed)
        with pytest.raises(KeyboardInterrupt):
            send_mail(office.application)
    assert office.send() == (2, 0, 0, 0)
    assert len({message["Message-ID"] for _, message in server.handler.messages}) == 2


@pytest.mark.parametrize(("answer", "kind"), [("550 not you", ConfigurationError)])
def test_a_sender_whom_the_server_does_not_take(
    office: Office, server: MailServer, answer: str, kind: type[Exception]
) -> None:
    office.use(server.port)
    office.write("anna@example.com")
    server.handler.senders["syncd@example.com"] = answer
    with pytest.raises(kind, match="takes nothing from"):
        send_mail(office.application)
    server.handler.senders["syncd@example.com"] = "451 too many"
    assert office.send() == (0, 1, 0, 1)


def test_nobody_to_send_with(office: Office) -> None:
    office.use(25, server="")
    with pytest.raises(UsageError, match="no mail can be sent"):
        send_mail(office.application)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    folder = tmp_path_factory.mktemp("certificate")
    key, chain = folder / "key.pem", folder / "cert.pem"
    words = (
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    )
    names = ("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    files = ("-keyout", str(key), "-out", str(chain))
    subprocess.run(("openssl", *words, *names, *files), check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    return chain, context


def secret(office: Office, text: str) -> str:
    path = office.home / "mail.secret"
    path.write_text(f"{text}\n")
    path.chmod(0o600)
    return str(path)


def test_starttls_with_a_password(office: Office, certificate: tuple[Path, ssl.SSLContext]) -> None:
    chain, context = certificate
    office.write("anna@example.com")
    with MailServer(starttls=context, password="right") as server:
        options = {
            "server": "localhost",
            "tls": "starttls",
            "user": "syncd",
            "ca_file": str(chain),
        }
        office.use(server.port, password_file=secret(office, "wrong"), **options)
        with pytest.raises(ConfigurationError, match="does not let syncd in"):
            send_mail(office.application)
        office.use(server.port, password_file=secret(office, "right"), **options)
        assert office.send() == (1, 0, 0, 0)
        # A certificate that nothing vouches for is refused.
        del options["ca_file"]
        office.write("bert@example.com")
        office.use(server.port, password_file=secret(office, "right"), **options)
        with pytest.raises(TryAgainError, match="certificate verify failed"):
            send_mail(office.application)
        assert server.taken == ["anna@example.com"]


def test_tls_from_the_first_byte(office: Office, certificate: tuple[Path, ssl.SSLContext]) -> None:
    chain, context = certificate
    office.write("anna@example.com")
    with MailServer(tls=context) as server:
        office.use(server.port, tls="tls", ca_file=str(chain), server="localhost")
        assert office.send() == (1, 0, 0, 0)


def test_a_server_without_starttls_is_not_used_in_the_clear(
    office: Office, server: MailServer
) -> None:
    office.use(server.port, tls="starttls")
    office.write("anna@example.com")
    with pytest.raises(ConfigurationError, match="STARTTLS"):
        send_mail(office.application)
    assert server.taken == []


def test_a_subject_of_several_lines_is_one(office: Office) -> None:
    message = compose(
        "test",
        "r",
        sender=SENDER,
        recipient="a@example.com",
        subject="a\r\nBcc: x@y",
        text="",
        now=0,
    )
    assert message.subject == "a  Bcc: x@y"
    assert b"\r\nBcc:" not in message.content


@pytest.mark.postgresql("there is no connection to lose to a file")
def test_what_the_server_took_as_the_database_went_away_is_not_sent_twice(
    office: Office, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.use(server.port)
    office.write("anna@example.com", "bert@example.com", "carla@example.com")
    plain, lost = mail._give, ["bert@example.com"]

    def give(connection: object, settings: object, message: object) -> None:
        plain(connection, settings, message)  # type: ignore[arg-type]
        if message.recipient in lost:  # type: ignore[attr-defined]
            lost.clear()
            with pytest.raises(peewee.OperationalError):
                database.obj.execute_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(mail, "_give", give)
    assert office.send() == (2, 0, 0, 1)
    assert office.send() == (1, 0, 0, 0)
    assert server.taken == ["anna@example.com", "bert@example.com", "carla@example.com"]
