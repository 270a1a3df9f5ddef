"""What an output is told beside the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from syncd.reports.render.texts import ISO, Style, clean
from syncd.reports.result import Result


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How a report is written; each output takes of it what concerns it."""

    zone: ZoneInfo | None = None
    """The zone of the installation; None: UTC."""
    generated_at: int = 0
    """Epoch seconds UTC."""
    title: str = ""
    """What stands above it; empty: the report's name."""
    style: Style = ISO
    logo: Path | None = None
    """A PNG or JPEG."""
    fonts: tuple[Path, ...] = ()
    """Fonts of a PDF for characters that its own have not, in the order of preference."""
    chart: bool = False
    """Whether a table for a terminal has bars; files have a picture wherever there is one."""
    wide: bool = True
    """Whether a table shows all its usual columns; else those that fit into 100 characters."""
    room: int | None = None
    """Characters across, None: as many as it takes."""
    plain: bool = False
    """Whether bars are made of ASCII alone."""
    bom: bool = False
    """Whether a CSV begins with a byte order mark."""
    delimiter: str = ","
    decimal: str = "."
    """The decimal separator of a CSV."""


def title_of(result: Result, options: OutputOptions) -> str:
    """Return what stands above a report."""
    return clean(options.title or result.title or result.report)


def moment(epoch: int, options: OutputOptions) -> datetime:
    """Return epoch seconds as the time on the clocks of the installation."""
    return datetime.fromtimestamp(epoch, options.zone or UTC)


def head_lines(result: Result, options: OutputOptions) -> list[tuple[str, str]]:
    """Return what a document says about itself: label and text, for whom, which days, how it was
    counted, when it was made."""
    specification, day = result.specification, options.style.day
    last = specification.end - timedelta(days=1)
    days = f"{specification.first.strftime(day)} to {last.strftime(day)}"
    if last == specification.first:
        days = last.strftime(day)
    made = moment(options.generated_at, options)
    lines = [
        ("Report", clean(result.report)),
        ("For", f"{clean(result.viewer)} (level {result.level})"),
        ("Period", days),
        ("Counted", counting_rule(result)),
        ("Asked for", clean(specification.text())),
    ]
    if result.currency:
        lines.append(("Currency", result.currency))
    return [*lines, ("Made", f"{made.strftime(day)} {made:%H:%M} {made:%Z}".rstrip())]


def counting_rule(result: Result) -> str:
    """Return what the figures are sums of."""
    if result.counting:
        return result.counting
    if result.specification.by == "posting":
        return "by posting period"
    return f"{result.specification.counts}, by the date of the call"
