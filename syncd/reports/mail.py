"""Messages: composed for one recipient each, ready for the outbox."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import NamedTuple

from syncd.reports.render.table import cell_text

LONGEST_SUBJECT = 200


class Attachment(NamedTuple):
    """A file that goes with a message."""

    name: str
    type: str
    """Such as ``text/csv``."""
    content: bytes


class Message(NamedTuple):
    """What the outbox holds: whom it is for, what it speaks of, and the whole of it."""

    recipient: str
    reference: str
    subject: str
    content: bytes

    def save(self, folder: Path) -> Path:
        """Write the message as a file that a mail program opens. Returns its path; the same
        message gets the same name."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_digest(self.reference, self.recipient)[:16]}.eml"
        path.write_bytes(self.content)
        return path


def compose(
    kind: str,
    reference: str,
    *,
    sender: str,
    recipient: str,
    subject: str,
    text: str,
    now: int,
    html: str = "",
    attachments: tuple[Attachment, ...] = (),
) -> Message:
    """Return a message for one recipient; ``html`` is the text once more, for who reads that.

    Its Message-ID follows from kind, reference and recipient: should the server get it twice, because
    the connection broke after it was taken, every mail system knows it again.
    """
    message = EmailMessage(policy=SMTP)
    subject = cell_text(subject)[:LONGEST_SUBJECT]
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{_digest(kind, reference, recipient)[:32]}@{domain}>"
    # Nobody answers to a program, out of office or not (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    for attachment in attachments:
        main, _, sub = attachment.type.partition("/")
        message.add_attachment(
            attachment.content, maintype=main, subtype=sub, filename=cell_text(attachment.name)
        )
    return Message(recipient, reference, subject, message.as_bytes())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
