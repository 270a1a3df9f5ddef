"""Show the outbox, send what is due, try the mail server: list, send, test."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from syncd.cli.access import add_viewer
from syncd.cli.administration import open_application
from syncd.cli.context import Context, common_options
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, UsageError

if TYPE_CHECKING:
    from syncd.reports.scope import Door

MOST = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    for name, what in (
        ("list", "list the newest messages and what became of them (the default)"),
        ("send", "give what is due to the server now"),
        ("test", "send a message to try the server"),
    ):
        action = actions.add_parser(name, help=what, parents=[common_options()])
        if name == "test":
            action.add_argument("address", metavar="ADDRESS", help="to whom")
        add_viewer(action, again=True)
    add_viewer(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """List, send or try."""
    from syncd.application.mail import send_mail
    from syncd.cli.output import say

    application, door = open_application(arguments, context, "mail")
    if arguments.action in (None, "list"):
        return _list(context, door)
    if arguments.action == "test":
        _post_test(arguments.address, context)
    outcome = send_mail(application)
    say(
        f"{outcome.sent} sent, {outcome.deferred} put off, {outcome.failed} failed,"
        f" {outcome.waiting} wait"
        + (f", {outcome.withdrawn} withdrawn" if outcome.withdrawn else "")
    )
    return EXIT_FAILED if outcome.failed or outcome.deferred else EXIT_OK


def _list(context: Context, door: Door) -> int:
    from syncd.cli.output import print_list
    from syncd.domain.clock import iso
    from syncd.reports.render.table import Column
    from syncd.store.outbox import listed

    rows = listed(MOST)
    door.note_rows(len(rows))
    for row in rows:
        for name in ("created_at", "next_at", "settled_at"):
            row[name] = None if row[name] is None else iso(row[name], context.settings.timezone)
        if row["state"] != "waiting":
            row["next_at"] = None
    columns = {
        "created_at": Column("Written"),
        "recipient": Column("To"),
        "subject": Column("Subject"),
        "state": Column("State"),
        "attempts": Column("Attempts", right=True),
        "next_at": Column("Again at"),
        "reason": Column("What the server said"),
    }
    print_list(rows, columns, as_json=context.json, empty="no mail was written yet")
    return EXIT_OK


def _post_test(address: str, context: Context) -> None:
    """Write a message to try the server with. Raises UsageError."""
    from syncd.reports.mail import compose
    from syncd.settings.values_finance import is_address
    from syncd.store.database import write_transaction
    from syncd.store.outbox import post

    mail, now = context.settings.finance.mail, context.now()
    if not is_address(address):
        raise UsageError(f"{address!r} is not a mail address")
    if not mail.server:
        raise UsageError("no mail can be sent", "[mail] server = smtp.example.com")
    message = compose(
        "test",
        str(now),
        sender=mail.sender,
        recipient=address,
        subject="syncd can send mail",
        text=f"syncd reaches you through {mail.server}.\n",
        now=now,
    )
    with write_transaction():
        post("test", message.reference, address, message.subject, message.content, now)
