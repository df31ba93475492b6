"""What is written to a file, sent while it is written: as much is in memory as the client has yet to take."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Callable, Generator
from typing import Any, BinaryIO, cast

_CHUNK = 64 * 1024
_WAITING = 8  # chunks
_LOOK = 1.0  # seconds, after which who waits for the other end looks whether it is still there
_PATIENCE = 60  # looks during which a client may take nothing


def stream(write: Callable[[BinaryIO], object]) -> Generator[bytes, None, None]:
    """The bytes that `write` writes, which runs in a thread of its own.

    What it raises is raised here. Where the reader stops, or takes nothing for a minute, its next writing fails, so
    that a client that is gone doesn't hold a connection to the database.
    """
    sink = _Sink()

    def run() -> None:
        try:
            write(cast(BinaryIO, sink))
            sink.finish(None)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where somebody waits for it
            sink.finish(error)

    threading.Thread(target=run, name="export", daemon=True).start()
    try:
        while chunk := sink.take():
            yield chunk
    finally:
        sink.stop()


class _Sink(io.RawIOBase):
    """A file that can be written, and only tells how far; its chunks are taken out at the other end."""

    def __init__(self) -> None:
        self._chunks: queue.Queue[bytes | BaseException | None] = queue.Queue(_WAITING)
        self._buffer = bytearray()
        self._written = 0
        self._stopped = threading.Event()
        self._given_up = threading.Event()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: Any) -> int:
        self._buffer += data
        self._written += len(data)
        if len(self._buffer) >= _CHUNK:
            self._put(bytes(self._buffer))
            self._buffer.clear()
        return len(data)

    def finish(self, error: BaseException | None) -> None:
        """Hand out what is left, then the end or the error."""
        try:
            if error is None and self._buffer:
                self._put(bytes(self._buffer))
            self._put(error)
        except ConnectionError:
            # There was no room even for the end. Who takes again later, has less than the whole.
            self._given_up.set()

    def take(self) -> bytes | None:
        """The next chunk; None at the end. Raises what the writing raised; ConnectionError where that was given up."""
        while True:
            try:
                taken = self._chunks.get(timeout=_LOOK)
            except queue.Empty:
                if self._given_up.is_set():
                    raise ConnectionError("The client took nothing for too long.") from None
                continue
            if isinstance(taken, BaseException):
                raise taken
            return taken

    def stop(self) -> None:
        """Have every further writing fail."""
        self._stopped.set()

    def _put(self, what: bytes | BaseException | None) -> None:
        for _ in range(_PATIENCE):
            if self._stopped.is_set():
                raise ConnectionError("The client has gone.")
            try:
                self._chunks.put(what, timeout=_LOOK)
            except queue.Full:
                continue
            return
        raise ConnectionError("The client takes nothing any more.")
