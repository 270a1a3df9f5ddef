"""What may be wrong with [database] as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from syncd.domain.errors import Problem
from syncd.settings.model import SQLITE
from syncd.settings.parsed import Parsed, ParsedSection

Readable = Callable[[ParsedSection, str, Path | None], Iterator[Problem]]


def database_problems(parsed: Parsed, readable: Readable) -> Iterator[Problem]:
    """Yield what is wrong; ``readable`` yields the problem of a file that cannot be read."""
    section = parsed.one("database")
    url = section.get("url")
    if not url:
        return
    file, credential = section.get("password_file"), section.get("password_credential")
    if file and credential:
        yield section.problem("password_credential", "password_file is set too", "remove one")
    if url.startswith(SQLITE):
        if file or credential:
            option = "password_file" if file else "password_credential"
            yield section.problem(option, "is of no use with SQLite", "remove it")
    elif find_spec("psycopg") is None:
        hint = "pip install 'syncd[postgresql]'"
        yield section.problem("url", "needs the package psycopg, which is not installed", hint)
    yield from readable(section, "password_file", file)
