"""Compressed files: gzip and Zstandard, known by their first bytes, read as a stream."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from typing import BinaryIO, Final

import zstandard

GZIP: Final = b"\x1f\x8b"
ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
SUFFIXES = (".gz", ".zst")

GREATEST_RATIO = 200
"""Call records become about ten times as large. A file that grows more than this is a bomb."""

UNSUSPICIOUS = 64 * 1024 * 1024
"""Bytes up to which the ratio does not matter."""

WINDOW = 32 * 1024 * 1024
"""Bytes that Zstandard may look back; what zstd writes without --ultra or --long needs a quarter."""

_STEP = 512
"""Bytes read at a time: Zstandard makes 16 MB of them at worst."""


class DamagedError(OSError):
    """A compressed file cannot be read to its end; the message says why."""


def plain_name(name: str) -> str:
    """Return a file's name without what says that it is compressed."""
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def is_compressed(beginning: bytes) -> bool:
    """Tell from its first four bytes whether a file is compressed."""
    return beginning.startswith((GZIP, ZSTANDARD))


def expanded(stream: BinaryIO, beginning: bytes, size: int) -> BinaryIO:
    """Return the content of a stream of ``size`` bytes that begins with ``beginning``; one that is
    not compressed is returned as it is.

    Reading raises DamagedError for what is damaged, cut short, or a bomb.
    """
    if beginning.startswith(GZIP):
        source: io.RawIOBase = _Guarded(gzip.GzipFile(fileobj=stream, mode="rb"), size)
    elif beginning.startswith(ZSTANDARD):
        source = _Guarded(_Zstandard(stream), size)
    else:
        return stream
    return io.BufferedReader(source, 256 * 1024)


class _Guarded(io.RawIOBase):
    """Turns the faults of a decompressor into DamagedError, and ends a bomb."""

    def __init__(self, source: gzip.GzipFile | io.RawIOBase, size: int) -> None:
        self._read: Callable[[int], bytes | None] = source.read
        self._limit = max(UNSUSPICIOUS, size * GREATEST_RATIO)
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._read(len(buffer)) or b""
        except EOFError as error:
            raise DamagedError("the compressed file is cut short") from error
        except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
            raise DamagedError(f"the compressed file is damaged: {error}") from error
        self._given += len(data)
        if self._given > self._limit:
            raise DamagedError(
                f"the compressed file becomes more than {GREATEST_RATIO} times as large"
            )
        buffer[: len(data)] = data
        return len(data)


class _Zstandard(io.RawIOBase):
    """The content of all frames of a Zstandard file; EOFError where the last one is cut short."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW)
        self._frame = self._decompressor.decompressobj()
        self._begun = False
        """Some of the frame was read."""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            data = self._stream.read(_STEP)
            if not data:
                if self._begun:
                    raise EOFError
                return 0
            ready = bytearray()
            while data:
                self._begun = True
                ready += self._frame.decompress(data)
                data = b""
                if self._frame.eof:
                    data = self._frame.unused_data
                    self._frame = self._decompressor.decompressobj()
                    self._begun = False
            self._ready = memoryview(bytes(ready))
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
