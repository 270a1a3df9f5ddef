"""A process that reads and decides files ahead of the one that writes them, for a long backlog.

It is given what it needs once (driver, rules, tariffs), then one content after the other; of each it
answers the rows, and for each record that stands alone what becomes of it (``calls.alone``). It
touches no file and no database. Frames on its standard input and output: eight bytes of length, then
the bytes; an answer is marshalled, which takes plain values alone and is quick.
"""

from __future__ import annotations

import fcntl
import io
import marshal
import pickle
import signal
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
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

PIPE_BYTES = 1024 * 1024
"""What an ordinary user may ask for."""

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
        for pipe in (self._process.stdin, self._process.stdout):
            _widen(pipe)
        # One hands over while the other collects: the next file lies in the pipe when the process
        # has done with one.
        self._giving = ThreadPoolExecutor(1, "reading-giving")
        self._taking = ThreadPoolExecutor(1, "reading-taking")
        self._equipped = self._giving.submit(self._send, equipment)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def read(self, data: bytes, name: str) -> Future[bytes]:
        """Have a content read; the answer is for ``rows_of``. A file that is waiting for its turn
        can be cancelled."""
        answer: Future[bytes] = Future()
        self._giving.submit(self._hand_over, answer, data, name)
        return answer

    def close(self) -> None:
        """End the process and wait for it."""
        for threads in (self._giving, self._taking):
            threads.shutdown(wait=False, cancel_futures=True)
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._giving.shutdown()
        self._taking.shutdown()
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

    def _hand_over(self, answer: Future[bytes], data: bytes, name: str) -> None:
        if not answer.set_running_or_notify_cancel():
            return
        try:
            self._send(name.encode("utf-8", "surrogatepass"))
            self._send(data)
            self._taking.submit(self._collect, answer)
        except (LostProcessError, RuntimeError):  # the latter: it is being closed
            answer.set_exception(LostProcessError())

    def _collect(self, answer: Future[bytes]) -> None:
        try:
            found = _receive(self._process.stdout)
        except (OSError, ValueError):
            found = b""
        if found:
            answer.set_result(found)
        else:
            answer.set_exception(LostProcessError())

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


def decided(rows: Iterable[Row], rules: Rules, pricer: Pricer) -> dict[int, Alone]:
    """Return what becomes of the records of rows that stand alone, by line."""
    return {
        line: decide_alone(item, rules, pricer)
        for line, item in rows
        if isinstance(item, Leg) and stands_alone(item)
    }


def stands_alone(leg: Leg) -> bool:
    """Say whether what becomes of a record can be known without the store."""
    return not (leg.tied or leg.authorization_code or leg.matter_code)


def _answer(given: Equipment, pricer: Pricer, data: bytes, name: str) -> Iterator[tuple[Any, ...]]:
    rules = given.rules
    for line, item in given.driver.rows(io.BytesIO(data), name):
        if isinstance(item, Leg):
            alone = tuple(decide_alone(item, rules, pricer)) if stands_alone(item) else None
            yield line, LEG, tuple(item), alone
        elif isinstance(item, Exclusion):
            yield line, EXCLUSION, tuple(item.leg), item.rule
        else:
            yield line, REJECT, (item.line, item.reason, item.raw, item.retryable), None


def _widen(pipe: Any) -> None:
    """Let a pipe hold a whole file where the system permits it: a thread that has to go on with the
    rest waits each time until the writer's thread lets it."""
    try:
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        return


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
