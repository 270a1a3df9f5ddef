"""What the demonstration prints: with colours and a progress bar on a terminal, else plain lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

BAR_WIDTH = 30


class Screen:
    """Prints to stdout. Lines are never broken: a narrow terminal does that itself."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, soft_wrap=True)

    def title(self, text: str) -> None:
        self._print(Text(text, style="bold"))

    def heading(self, text: str) -> None:
        """Begin a part."""
        self._print(Text(f"\n{text}", style="bold cyan"))

    def line(self, text: str = "") -> None:
        self._print(Text(text))

    def step(self, text: str) -> None:
        """Say what has been done."""
        self._print(Text.assemble(("* ", "green"), text))

    def command(self, text: str) -> None:
        """Show a command line, above its output or to be tried."""
        self._print(Text.assemble(("  $ ", "dim"), (text, "bold")))

    def _print(self, text: Text) -> None:
        self._console.print(text)
        sys.stdout.flush()

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """Give a function that shows how many of ``total`` are done; nothing without a terminal."""
        if not self._console.is_terminal:
            yield lambda done: None
            return
        columns = (TextColumn("  {task.description}"), BarColumn(BAR_WIDTH), MofNCompleteColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(what, total=total)
            yield lambda done: progress.update(task, completed=done)
