"""Which troubles of a database pass by themselves: the same work can be done again at once."""

from __future__ import annotations

from collections.abc import Iterator

from syncd.store.database import is_database_trouble

_CLASSES = ("08", "40", "57P")
"""How the SQLSTATE begins of a lost connection, of a transaction that was rolled back for the sake of
others (deadlock, serialization), and of a server that stops, starts or restarts (PostgreSQL,
appendix A)."""


def passes(error: BaseException) -> bool:
    """Say whether a transaction was rolled back as a whole, or never begun, for a reason that is gone
    soon: a deadlock, a lost connection, a server that restarts. SQLite waits by itself where
    waiting helps, so none of its troubles is one."""
    if not is_database_trouble(error):
        return False
    states = [_state(cause) for cause in _causes(error) if _of_psycopg(cause)]
    told = [state for state in states if state]
    # Without a state the error is the client's own: there is no connection, or none any more.
    return all(state.startswith(_CLASSES) for state in told) if told else bool(states)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came of, which may have come of itself."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _of_psycopg(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] == "psycopg"


def _state(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", None) or "")
