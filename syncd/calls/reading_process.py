"""A process that reads and decides files ahead of the one that writes them, for a long backlog.

It is given what it needs once (driver, rules, tariffs), then one content after the other; of each it
answers the rows, and for each record that stands alone what becomes of it (``calls.alone``). It
touches no file and no database. Frames on its standard input and output: eight bytes of length, then
the bytes; an answer is marshalled, which takes plain values alone and is quick.
"""

from __future__ import annotations

import io
import marshal
import pickle
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from syncd.billing.tariff import Carrier
from syncd.calls.alone import Alone, decide_alone
from syncd.calls.analysis import Rules
from syncd.calls.pricing import Pricer
from syncd.domain.leg import CdrDriver, Exclusion, Leg, Reject

Row = tuple[int, Leg | Exclusion | Reject]

LEG, EXCLUSION, REJECT = 0, 1, 2

_LENGTH = struct.Struct("<Q")
_END_SECONDS = 5


class LostProcessError(Exception):
    """The process has gone or could not read what it was given: read it here."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What the process is given at its start."""

    driver: CdrDriver
    rules: Rules
    carriers: Mapping[str, Carrier]


class Read(NamedTuple):
    """A content that was read ahead."""

    rows: list[Row]
    alone: dict[int, Alone]
    """What becomes of records that stand alone, by line."""


class ReadingProcess:
    """The process and a thread that talks to it; a context manager that ends both."""

    def __init__(self, equipment: bytes) -> None:
        """``equipment`` is a pickled ``Equipment``. Raises OSError when there is no process to be
        had."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from syncd.calls.reading_process import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._thread = ThreadPoolExecutor(1, "reading")
        self._equipped = self._thread.submit(self._send, equipment)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def read(self, data: bytes, name: str) -> Future[bytes]:
        """Have a content read; the answer is for ``rows_of``. A file that is waiting for its turn
        can be cancelled."""
        return self._thread.submit(self._ask, data, name)

    def close(self) -> None:
        """End the process and wait for it."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.shutdown()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue

    def __enter__(self) -> ReadingProcess:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _ask(self, data: bytes, name: str) -> bytes:
        self._send(name.encode("utf-8", "surrogatepass"))
        self._send(data)
        answer = _receive(self._process.stdout)
        if not answer:
            raise LostProcessError
        return answer

    def _send(self, data: bytes) -> None:
        pipe = self._process.stdin
        try:
            if pipe is None:
                raise LostProcessError
            _write(pipe, data)
        except (OSError, ValueError) as error:
            raise LostProcessError from error


def equipment(driver: CdrDriver, rules: Rules, carriers: Mapping[str, Carrier]) -> bytes | None:
    """Return what a process is given, None where a driver cannot be handed over."""
    try:
        return pickle.dumps(Equipment(driver, rules, carriers), pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None


def rows_of(answer: bytes) -> Read:
    """Return what a process read. Raises LostProcessError when it could not."""
    found = marshal.loads(answer)
    if found is None:
        raise LostProcessError
    rows: list[Row] = []
    alone: dict[int, Alone] = {}
    for line, kind, values, more in found:
        if kind == LEG:
            rows.append((line, Leg._make(values)))
            if more is not None:
                alone[line] = Alone._make(more)
        elif kind == EXCLUSION:
            rows.append((line, Exclusion(Leg._make(values), more)))
        else:
            rows.append((line, Reject(*values)))
    return Read(rows, alone)


def serve() -> None:
    """Answer until there is nothing more to read: what the process does."""
    # An interrupt is for the writer, who ends this process when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    given = pickle.loads(_receive(source))
    if not isinstance(given, Equipment):
        raise TypeError(type(given))
    pricer = Pricer(given.carriers, given.rules)
    while name := _receive(source):
        text = name.decode("utf-8", "surrogatepass")
        data = _receive(source)
        try:
            answer = marshal.dumps(list(_answer(given, pricer, data, text)))
        except Exception:
            # Whatever it is, it comes to light again where it can be told with its file.
            answer = marshal.dumps(None)
        _write(target, answer)


def _answer(given: Equipment, pricer: Pricer, data: bytes, name: str) -> Iterator[tuple[Any, ...]]:
    rules = given.rules
    for line, item in given.driver.rows(io.BytesIO(data), name):
        if isinstance(item, Leg):
            alone = None
            if not (item.tied or item.authorization_code or item.matter_code):
                alone = tuple(decide_alone(item, rules, pricer))
            yield line, LEG, tuple(item), alone
        elif isinstance(item, Exclusion):
            yield line, EXCLUSION, tuple(item.leg), item.rule
        else:
            yield line, REJECT, (item.line, item.reason, item.raw, item.retryable), None


def _write(pipe: Any, data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: BinaryIO | Any) -> bytes:
    """Return the next frame, empty at the end."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return b""
    (length,) = _LENGTH.unpack(head)
    data: bytes = pipe.read(length)
    return data if len(data) == length else b""
