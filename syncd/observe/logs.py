"""The log: events in the past tense with fields, one a line, to stderr."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""Syslog priorities, see sd-daemon(3)."""


def under_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Say whether a stream goes straight to the journal: systemd.exec(5) has $JOURNAL_STREAM name
    the device and inode of the stream that it connected."""
    named = environment.get("JOURNAL_STREAM", "")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{status.st_dev}:{status.st_ino}"


class JournalRenderer:
    """Renders JSON with the ``<N>`` prefix from which the journal takes the priority."""

    def __init__(self) -> None:
        self._json = structlog.processors.JSONRenderer(ensure_ascii=False)

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        priority = PRIORITIES.get(str(event.get("level")), 6)
        rendered = self._json(logger, method, event)
        text = rendered.decode() if isinstance(rendered, bytes) else rendered
        return f"<{priority}>{text}"


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send events of at least ``level`` (``debug | info | warning | error``) to stderr.

    Under the journal as JSON with a priority, on a terminal in colours (not with $NO_COLOR), else
    as JSON with a time stamp. What libraries log through ``logging`` goes the same way.
    """
    stream = stream or sys.stderr
    journal = under_journal(stream, os.environ)
    terminal = not journal and stream.isatty()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
    ]
    if not journal:
        form = "%H:%M:%S" if terminal else "iso"
        shared.append(structlog.processors.TimeStamper(fmt=form, utc=not terminal))
    last: list[Any]
    if terminal:
        # The default shows the values of local variables, passwords among them.
        last = [
            structlog.dev.ConsoleRenderer(
                colors="NO_COLOR" not in os.environ,
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    else:
        json = structlog.processors.JSONRenderer(ensure_ascii=False)
        last = [structlog.processors.format_exc_info, JournalRenderer() if journal else json]
    threshold = getattr(logging, level.upper())
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    # Libraries chatter at info: from them only warnings are of interest, unless all is wanted.
    everything = threshold <= logging.DEBUG
    root = threshold if everything else max(threshold, logging.WARNING)
    logging.basicConfig(handlers=[handler], level=root, force=True)
    # At debug it says every statement with its values: people and numbers do not belong in a log.
    logging.getLogger("peewee").setLevel(logging.WARNING)
