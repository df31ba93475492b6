"""The pipeline beside the crawl: in a thread while there is little to do, then in two processes of its own.

Fetching and reading, interpreting, and storing cost about the same; in one process they would take turns.
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
from pipeline.record import Sighting
from pipeline.store.write import Written

_FEW = 50  # notices; a crawl of no more is done before other processes could be of use
_LOGGER = logging.getLogger(__name__)
_MOST = 100  # notices in one transaction; what comes while one goes on waits for the next
_TURNS = 2  # transactions under way: one is interpreted while the other is stored
_PAUSE = 0.05  # seconds in which more must come for a transaction that isn't full to wait on
_MOST_PAUSES = 4


class PipelineError(IprwatchError):
    """A notice was not stored. Raised by `PipelineProcess.take`; the message says what refused it, or that a process
    has ended."""


@dataclass(slots=True)
class _Taken:
    """A notice that waits, and what is told of it in the end."""

    notice: Sighting
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
    started, are processed in this process. The other ones, which are `forked` ahead or started when they are needed,
    end with `close`, and with this process, however that ends.
    """

    def __init__(self, setup: Setup, forked: Server | None = None, *, few: int = _FEW) -> None:
        """Raises ConfigurationError for a lexicon or court codes that can't be used, StoreError for the database."""
        self._setup = setup
        self._forked = forked
        self._interpreter = setup.open_interpreter()
        self._store = setup.open_store()
        self._left = few if has_processor() else None
        self._waiting: list[_Taken] = []
        self._expected = 0
        self._turns: asyncio.Task[None] | None = None
        self._starter = ThreadPoolExecutor(1)
        self._starting: Future[Server] | None = None
        self._server: Server | None = None

    def expect(self) -> None:
        """One more notice is likely to come: where they are more than a few, the other processes are made ready."""
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
        """End the other processes, if there are any. Nothing is taken any more."""
        self._starter.shutdown()
        if self._starting is not None and self._starting.exception() is None:
            self._starting.result().end()
        self._store.engine.dispose()

    def _start(self) -> Server:
        server = self._forked or launch_server()
        try:
            server.begin(self._setup)
        except Exception:
            server.end()
            raise
        return server

    async def _take_over(self) -> None:
        """Wait for the other processes if they are being started; without them, this one goes on."""
        if self._server is not None or self._starting is None:
            return
        try:
            self._server = await asyncio.wrap_future(self._starting)
        except Exception as error:  # noqa: BLE001 - whatever it is, no notice may wait for it
            _LOGGER.warning("The pipeline's own processes did not start (%r); this one goes on alone.", error)
            self._starting, self._left = None, None

    async def _take_turns(self) -> None:
        under_way: list[asyncio.Task[None]] = []
        while self._waiting or under_way:
            if not under_way:
                await self._take_over()
                if self._server is not None:
                    await self._gather()
            if self._may_begin(len(under_way)):
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                under_way.append(asyncio.create_task(self._process(batch)))
            else:
                await asyncio.wait(under_way, timeout=_PAUSE, return_when=asyncio.FIRST_COMPLETED)
            under_way = [turn for turn in under_way if not turn.done()]

    def _may_begin(self, under_way: int) -> bool:
        """Whether what waits is to become a transaction now, with so many under way."""
        if not under_way:
            return True
        if self._server is None or under_way == _TURNS:
            return False
        return len(self._waiting) >= _MOST or (bool(self._waiting) and self._expected <= 0)

    async def _process(self, batch: list[_Taken]) -> None:
        results: Sequence[Written | str]
        try:
            results = await asyncio.to_thread(self._ask, [taken.notice for taken in batch])
            if len(results) != len(batch):
                raise ValueError(f"{len(results)} results for {len(batch)} notices")
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            results = [f"a process of the pipeline has ended ({type(error).__name__})"] * len(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, no notice may wait for ever
            results = [f"the pipeline failed: {error!r}"] * len(batch)
        for taken, result in zip(batch, results, strict=True):
            taken.tell(result)

    def _ask(self, notices: list[Sighting]) -> list[Written | str]:
        if self._server is None:
            return self._store.store(self._interpreter.interpret(notices))
        results: list[Written | str] = self._server.ask(notices)
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
