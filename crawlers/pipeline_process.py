"""The pipeline beside the crawl: in a thread while there is little to do, then in a process of its own.

Interpreting and storing cost as much as fetching and reading do; in one process they would take turns.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from crawlers.pipeline_server import Server, Setup, has_processor, launch_server
from errors import IprwatchError
from pipeline.record import Record, Sighting
from pipeline.store.write import Written

_FEW = 50  # notices; a crawl of no more is done before another process could be of use
_LOGGER = logging.getLogger(__name__)
_MOST = 100  # notices in one transaction; what comes while one goes on waits for the next
_HANDFUL = 5  # notices that this process interprets at a time; so long at most the other one waits for it
_PAUSE = 0.05  # seconds in which more must come for a transaction that isn't full to wait on
_MOST_PAUSES = 4


class PipelineError(IprwatchError):
    """A notice was not stored. Raised by `PipelineProcess.take`; the message says what refused it, or that the process
    has ended."""


@dataclass(slots=True)
class _Taken:
    """A notice that waits, as it came or interpreted already, and what is told of it in the end."""

    notice: Sighting | Record
    written: asyncio.Future[Written]

    def tell(self, result: Written | str) -> None:
        if self.written.cancelled():
            return
        if isinstance(result, Written):
            self.written.set_result(result)
        else:
            self.written.set_exception(PipelineError(result))


class PipelineProcess:
    """Takes the notices of all spiders of a crawl through all steps, in about the order in which they come; used from
    one event loop.

    The few notices of a small crawl, and all of them on a machine with one processor or where no process can be
    started, are processed in this process. The other one, which is `forked` ahead or started when it is needed, ends
    with `close`, and with this process, however that ends. Where it falls behind, this one interprets what it will be
    given.
    """

    def __init__(self, setup: Setup, forked: Server | None = None, *, few: int = _FEW) -> None:
        """Raises ConfigurationError for a lexicon or court codes that can't be used, StoreError for the database."""
        self._setup = setup
        self._forked = forked
        self._tools = setup.open()
        self._left = few if has_processor() else None
        self._waiting: list[_Taken] = []
        self._expected = 0
        self._turns: asyncio.Task[None] | None = None
        self._starter = ThreadPoolExecutor(1)
        self._starting: Future[Server] | None = None
        self._server: Server | None = None

    def expect(self) -> None:
        """One more notice is likely to come: where they are more than a few, the other process is made ready."""
        self._expected += 1
        if self._left:
            self._left -= 1
        elif self._left == 0 and self._starting is None:
            self._starting = self._starter.submit(self._start)

    async def take(self, sighting: Sighting) -> Written:
        """What became of a notice, once that is committed. Raises PipelineError."""
        taken = _Taken(sighting, asyncio.get_running_loop().create_future())
        self._waiting.append(taken)
        self._expected -= 1
        if self._turns is None or self._turns.done():
            self._turns = asyncio.create_task(self._take_turns())
        return await taken.written

    def close(self) -> None:
        """End the other process, if there is one. Nothing is taken any more."""
        self._starter.shutdown()
        if self._starting is not None and self._starting.exception() is None:
            self._starting.result().end()
        self._tools.engine.dispose()

    def _start(self) -> Server:
        server = self._forked or launch_server()
        try:
            server.begin(self._setup)
        except Exception:
            server.end()
            raise
        return server

    async def _take_over(self) -> None:
        """Wait for the other process if it is being started; without it, this one goes on."""
        if self._server is not None or self._starting is None:
            return
        try:
            self._server = await asyncio.wrap_future(self._starting)
        except Exception as error:  # noqa: BLE001 - whatever it is, no notice may wait for it
            _LOGGER.warning("The pipeline's own process did not start (%r); this one goes on alone.", error)
            self._starting, self._left = None, None

    async def _take_turns(self) -> None:
        while self._waiting:
            await self._take_over()
            if self._server is not None:
                await self._gather()
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            processing = asyncio.create_task(
                asyncio.to_thread(self._process, [taken.notice for taken in batch])
            )
            while not processing.done():
                if self._server is None or not await self._lend_hand():
                    await asyncio.wait([processing], timeout=_PAUSE)
            for taken, result in zip(batch, processing.result(), strict=True):
                taken.tell(result)

    def _process(self, notices: list[Sighting | Record]) -> Sequence[Written | str]:
        if self._server is None:
            return self._tools.process(notices)
        try:
            results: list[Written | str] = self._server.ask(notices)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            return [f"the process of the pipeline has ended ({type(error).__name__})"] * len(notices)
        return results

    async def _gather(self) -> None:
        """Let notices come together while they keep coming: a transaction costs as much as two of them do."""
        for _ in range(_MOST_PAUSES):
            before = len(self._waiting)
            if before >= _MOST:
                return
            await asyncio.sleep(_PAUSE)
            if len(self._waiting) == before:
                return

    async def _lend_hand(self) -> bool:
        """Interpret some of what waits, where it is more than the next transaction takes or nothing more is expected;
        whether there was any."""
        raw = [taken for taken in self._waiting if isinstance(taken.notice, Sighting)]
        if not raw or (self._expected > 0 and len(raw) <= _MOST):
            return False
        some = raw[:_HANDFUL]
        results = await asyncio.to_thread(self._tools.interpret, [taken.notice for taken in some])
        for taken, result in zip(some, results, strict=True):
            if isinstance(result, Record):
                taken.notice = result
            else:
                self._waiting.remove(taken)
                taken.tell(result)
        return True
