"""What is written to a file, sent while it is written: as much is in memory as the client has yet to take."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Callable, Generator
from typing import Any, BinaryIO, cast

_CHUNK = 64 * 1024
_WAITING = 8  # chunks
_PATIENCE = 60  # seconds that a client may take none


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
            pass  # nobody is there to hear of it

    def take(self) -> bytes | None:
        """The next chunk; None at the end. Raises what the writing raised."""
        taken = self._chunks.get()
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
                self._chunks.put(what, timeout=1)
            except queue.Full:
                continue
            return
        raise ConnectionError("The client takes nothing any more.")
