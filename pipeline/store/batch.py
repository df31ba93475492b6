"""Batched writes that are still acknowledged one by one.

Whoever submits a record waits until its batch is committed, so a failed commit is that record's error, also at
the very end of a crawl.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from pipeline.record import Record
from pipeline.store.write import Written

WriteRecords = Callable[[Sequence[Record]], list[Written]]
_Job = tuple[Record, "Future[Written]"]


class BatchWriter:
    """One thread that stores what was submitted, up to `size` records a transaction.

    It waits `linger` seconds for company after the first record of a batch. A batch that fails is tried again
    record by record, so that one bad notice costs no other.
    """

    def __init__(self, write: WriteRecords, *, size: int = 100, linger: float = 0.25) -> None:
        self._write = write
        self._size = size
        self._linger = linger
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    def submit(self, record: Record) -> Future[Written]:
        """A future of what became of the record; raises StoreError when it could not be stored."""
        future: Future[Written] = Future()
        self._jobs.put((record, future))
        return future

    def close(self) -> None:
        """Store what is still waiting and end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        closing = False
        while not closing:
            job = self._jobs.get()
            if job is None:
                return
            batch = [job]
            deadline = time.monotonic() + self._linger
            while len(batch) < self._size:
                try:
                    job = self._jobs.get(timeout=max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    break
                if job is None:
                    closing = True
                    break
                batch.append(job)
            # A submitter that gave up is left out; from here on the others can't.
            self._store([job for job in batch if job[1].set_running_or_notify_cancel()])

    def _store(self, batch: list[_Job]) -> None:
        if not batch:
            return
        try:
            written = self._write([record for record, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the submitter
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            for job in batch:
                self._store([job])
            return
        for (_, future), result in zip(batch, written, strict=True):
            future.set_result(result)
