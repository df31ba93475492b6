"""The pipeline beside the crawl: in a thread while there is little to do, then in a process of its own.

Interpreting and storing cost as much as fetching and reading do; in one process they would take turns.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import Engine

from errors import IprwatchError
from pipeline.alerts.rules import Rules
from pipeline.batch import process_batch
from pipeline.legal.court_codes import extend_court_codes
from pipeline.record import Sighting
from pipeline.store.lease import Lease, fence
from pipeline.store.session import open_engine
from pipeline.store.write import Written
from pipeline.topics import Lexicon, load_lexicon

_FEW = 50  # notices; a crawl of no more is done before another process has started
_LOGGER = logging.getLogger(__name__)
_MOST = 100  # notices in one transaction; what comes while one goes on waits for the next
_PAUSE = 0.05  # seconds in which more must come for a transaction that isn't full to wait on
_MOST_PAUSES = 4


class PipelineError(IprwatchError):
    """A notice was not stored. Raised by `PipelineProcess.take`; the message says what refused it, or that the process
    has ended."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the steps need beside the notices. `leases` are those that the crawl may write under."""

    database_url: str
    leases: tuple[Lease, ...]
    rules: Rules
    lexicon: Path | None
    court_codes: Path | None


class PipelineProcess:
    """Takes notices through all steps in the order in which they come; used from one event loop.

    The first few notices, those that come until the other process is ready, and all of them on a machine with one
    processor or where no process can be started, are processed in this process by `engine`. The one that takes over
    ends with `close`, and with the process that started it, however that ends.
    """

    def __init__(self, setup: Setup, engine: Engine, *, few: int = _FEW) -> None:
        """Raises ConfigurationError for a lexicon or court codes that can't be used."""
        self._setup = setup
        self._engine = engine
        self._lexicon = load_lexicon(setup.lexicon)
        extend_court_codes(setup.court_codes)
        self._left = few if (os.cpu_count() or 1) > 1 else None
        self._waiting: list[tuple[Sighting, asyncio.Future[Written]]] = []
        self._turns: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[subprocess.Popen[bytes]] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def take(self, sighting: Sighting) -> Written:
        """What became of a notice, once that is committed. Raises PipelineError."""
        future: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self._waiting.append((sighting, future))
        if self._turns is None or self._turns.done():
            self._turns = asyncio.create_task(self._take_turns())
        return await future

    async def start(self) -> None:
        """Have the other process ready for all notices from now on. Raises OSError or EOFError when there is none."""
        self._starting = self._starting or asyncio.create_task(asyncio.to_thread(_start, self._setup))
        self._process = await self._starting

    async def close(self) -> None:
        """End the process, if there is one."""
        if self._starting is not None:
            await asyncio.wait([self._starting])
            self._take_over()
        if self._process is not None:
            await asyncio.to_thread(self._process.communicate)

    def _take_over(self) -> None:
        """Let the other process go on once it is ready; without it, this one goes on."""
        if self._process is not None or self._starting is None or not self._starting.done():
            return
        if error := self._starting.exception():
            _LOGGER.warning("The pipeline's own process did not start (%r); this one goes on alone.", error)
            self._starting, self._left = None, None
        else:
            self._process = self._starting.result()

    async def _take_turns(self) -> None:
        while self._waiting:
            if self._left == 0 and self._starting is None:
                self._starting = asyncio.create_task(asyncio.to_thread(_start, self._setup))
            self._take_over()
            if self._process is not None:
                await self._gather()
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            results = await asyncio.to_thread(self._process_batch, [sighting for sighting, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                if future.cancelled():
                    continue
                if isinstance(result, Written):
                    future.set_result(result)
                else:
                    future.set_exception(PipelineError(result))

    async def _gather(self) -> None:
        """Let notices come together while they keep coming: a transaction costs as much as two of them do."""
        for _ in range(_MOST_PAUSES):
            before = len(self._waiting)
            if before >= _MOST:
                return
            await asyncio.sleep(_PAUSE)
            if len(self._waiting) == before:
                return

    def _process_batch(self, sightings: list[Sighting]) -> Sequence[Written | str]:
        if self._process is None:
            self._left = self._left and max(0, self._left - len(sightings))
            return process_batch(self._engine, sightings, self._setup.rules, self._lexicon)
        try:
            return _ask(self._process, sightings)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            return [f"the process of the pipeline has ended ({type(error).__name__})"] * len(sightings)


def _ask(process: subprocess.Popen[bytes], sightings: list[Sighting]) -> Sequence[Written | str]:
    assert process.stdin is not None
    assert process.stdout is not None
    _send(sightings, process.stdin)
    results: list[Written | str] = pickle.load(process.stdout)  # noqa: S301 - our own
    return results


def _start(setup: Setup) -> subprocess.Popen[bytes]:
    """A process that is ready. Raises OSError or EOFError when there is none."""
    process = _launch()
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        # By the pipe, since everybody on the machine can read arguments, and a database's URL may hold a password.
        _send(setup, process.stdin)
        pickle.load(process.stdout)  # noqa: S301 - our own
    except (OSError, EOFError):
        process.kill()
        process.communicate()
        raise
    return process


def _launch() -> subprocess.Popen[bytes]:
    # Not by `multiprocessing`, which would import the whole command into it. -P: the same modules as here,
    # whatever the working folder holds. What is imported stays: nothing for the collector of cycles to look through.
    return subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-c",
            "import gc; gc.disable(); from crawlers.pipeline_process import serve; serve()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


def _send(values: object, stream: IO[bytes]) -> None:
    pickle.dump(values, stream, pickle.HIGHEST_PROTOCOL)
    stream.flush()


def serve() -> None:
    """Answer each list of sightings on standard input with what became of them, until the input ends."""
    # Ctrl-C reaches every process of a terminal, and SIGTERM may reach every process of a service; what was fetched is
    # still to be stored after it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    try:
        setup: Setup = pickle.load(sys.stdin.buffer)  # noqa: S301 - of our own parent
    except (EOFError, pickle.UnpicklingError):  # the crawl was killed before it had said what to do
        return
    engine, lexicon = _open(setup)
    spare_collector()
    try:
        _send(None, answers)
        while True:
            sightings = pickle.load(sys.stdin.buffer)  # noqa: S301
            _send(process_batch(engine, sightings, setup.rules, lexicon), answers)
    except (EOFError, pickle.UnpicklingError):  # the second where the crawl was killed amid a list
        engine.dispose()
    except BrokenPipeError:
        # The crawl was killed while this process started or stored its notices: nobody is left to be told.
        engine.dispose()
        os._exit(0)


def spare_collector() -> None:
    """Keep the collector of cycles from walking again and again through what stands until the end of the crawl."""
    # Not even once: of all that was imported, a few hundred small objects are garbage.
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


def _open(setup: Setup) -> tuple[Engine, Lexicon]:
    engine = open_engine(setup.database_url, create=False)
    fence(engine, setup.leases)
    extend_court_codes(setup.court_codes)
    return engine, load_lexicon(setup.lexicon)
