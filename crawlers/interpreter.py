"""The interpreting steps of a crawl, beside the crawl: in a process of their own as soon as there is much to do."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from errors import IprwatchError
from pipeline import interpret
from pipeline.legal.court_codes import extend_court_codes
from pipeline.record import Record, Sighting
from pipeline.topics import Lexicon, load_lexicon

_FEW = 50  # notices; a crawl of no more is done before another process has started
_CHUNK = 25  # notices sent at once; what comes while the process is busy waits for the next turn


class InterpretingError(IprwatchError):
    """A notice could not be interpreted. Raised by `Interpreter.interpret`; the message says what a step refused, or
    that the interpreting process has ended."""


class Interpreter:
    """Interprets notices in the order in which they come; used from one event loop.

    The first few notices, and all of them on a machine with one processor, are interpreted where they are. The
    process that takes over ends with `close`, and with the process that started it, however that ends.
    """

    def __init__(
        self, lexicon: Path | None = None, court_codes: Path | None = None, *, few: int = _FEW
    ) -> None:
        """Raises ConfigurationError for a lexicon or court codes that can't be used."""
        self._paths = (lexicon, court_codes)
        self._lexicon = load_lexicon(lexicon)
        extend_court_codes(court_codes)
        self._left = few if (os.cpu_count() or 1) > 1 else None
        self._waiting: list[tuple[Sighting, asyncio.Future[Record]]] = []
        self._turns: asyncio.Task[None] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def interpret(self, sighting: Sighting) -> Record:
        """The record of a notice. Raises ValueError for a notice without a title, and InterpretingError."""
        if self._left is None or self._left > 0:
            self._left = self._left and self._left - 1
            return interpret(sighting.notice, sighting.context, self._lexicon)
        future: asyncio.Future[Record] = asyncio.get_running_loop().create_future()
        self._waiting.append((sighting, future))
        if self._turns is None or self._turns.done():
            self._turns = asyncio.create_task(self._take_turns())
        return await future

    async def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            await asyncio.to_thread(self._process.communicate)

    async def _take_turns(self) -> None:
        while self._waiting:
            chunk, self._waiting = self._waiting[:_CHUNK], self._waiting[_CHUNK:]
            try:
                results = await asyncio.to_thread(self._ask, [sighting for sighting, _ in chunk])
            except (OSError, EOFError, pickle.UnpicklingError) as error:
                results = [f"the interpreting process has ended ({type(error).__name__})"] * len(chunk)
            for (_, future), result in zip(chunk, results, strict=True):
                if future.cancelled():
                    continue
                if isinstance(result, Record):
                    future.set_result(result)
                else:
                    future.set_exception(InterpretingError(result))

    def _ask(self, sightings: list[Sighting]) -> Sequence[Record | str]:
        if self._process is None:
            self._process = _start(*self._paths)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        _send(sightings, self._process.stdin)
        results: list[Record | str] = pickle.load(self._process.stdout)  # noqa: S301 - our own
        return results


def _start(lexicon: Path | None, court_codes: Path | None) -> subprocess.Popen[bytes]:
    # Not by `multiprocessing`, which would import the whole command into it. -P: the same modules as here,
    # whatever the working folder holds.
    command = [sys.executable, "-P", "-c", "from crawlers.interpreter import serve; serve()"]
    return subprocess.Popen(  # noqa: S603 - nothing in it comes from a page
        [*command, str(lexicon or ""), str(court_codes or "")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


def _send(values: object, stream: IO[bytes]) -> None:
    pickle.dump(values, stream, pickle.HIGHEST_PROTOCOL)
    stream.flush()


def serve() -> None:
    """Answer each list of sightings on standard input with as many records or messages, until the input ends."""
    # Ctrl-C reaches every process of a terminal; what was fetched is still to be stored after it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    words, court_codes = (Path(name) if name else None for name in sys.argv[1:])
    lexicon = load_lexicon(words)
    extend_court_codes(court_codes)
    while True:
        try:
            sightings = pickle.load(sys.stdin.buffer)  # noqa: S301 - of our own parent
        except EOFError:
            return
        _send([_answer(sighting, lexicon) for sighting in sightings], answers)


def _answer(sighting: Sighting, lexicon: Lexicon) -> Record | str:
    try:
        return interpret(sighting.notice, sighting.context, lexicon)
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to that one notice
        return f"{type(error).__name__}: {error}"
