"""The interpreting steps of a crawl, beside the crawl: in a process of their own as soon as there is much to do."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from errors import IprwatchError
from pipeline import interpret
from pipeline.record import Record, Sighting
from pipeline.topics import load_lexicon

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

    def __init__(self, lexicon: Path | None = None, *, few: int = _FEW) -> None:
        """Raises ConfigurationError for a lexicon that can't be used."""
        self._path = lexicon
        self._lexicon = load_lexicon(lexicon)
        self._left = few if (os.cpu_count() or 1) > 1 else None
        self._waiting: list[tuple[Sighting, asyncio.Future[Record]]] = []
        self._turns: asyncio.Task[None] | None = None
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

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
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            await asyncio.to_thread(self._process.join)

    async def _take_turns(self) -> None:
        while self._waiting:
            chunk, self._waiting = self._waiting[:_CHUNK], self._waiting[_CHUNK:]
            try:
                results = await asyncio.to_thread(self._ask, [sighting for sighting, _ in chunk])
            except (OSError, EOFError):
                code = self._process.exitcode if self._process is not None else None
                results = [f"the interpreting process has ended (exit code {code})"] * len(chunk)
            for (_, future), result in zip(chunk, results, strict=True):
                if future.cancelled():
                    continue
                if isinstance(result, Record):
                    future.set_result(result)
                else:
                    future.set_exception(InterpretingError(result))

    def _ask(self, sightings: list[Sighting]) -> Sequence[Record | str]:
        if self._connection is None:
            self._connection = self._start()
        self._connection.send(sightings)
        results: list[Record | str] = self._connection.recv()
        return results

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._path), name="interpreter", daemon=True
        )
        self._process.start()
        theirs.close()  # the process has its own; without ours its end shows as the end of what is read
        return ours


def _serve(connection: Connection, lexicon_path: Path | None) -> None:
    # Ctrl-C reaches every process of a terminal; what was fetched is still to be stored after it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lexicon = load_lexicon(lexicon_path)

    def answer(sighting: Sighting) -> Record | str:
        try:
            return interpret(sighting.notice, sighting.context, lexicon)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to that one notice
            return f"{type(error).__name__}: {error}"

    while True:
        try:
            sightings = connection.recv()
        except EOFError:
            return
        connection.send([answer(sighting) for sighting in sightings])
