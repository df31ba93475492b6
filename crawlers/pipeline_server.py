"""The process that stores beside the crawl: how it begins, and what it does until its questions end.

Where it can be, it is forked from the crawl before that has threads or an open database: what was imported needn't be
imported again, which would cost as much as some hundred notices do.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from sqlalchemy import Engine

from crawlers.archive import Archive
from pipeline.alerts.rules import Rules
from pipeline.batch import interpret_each, process_batch
from pipeline.legal.court_codes import extend_court_codes
from pipeline.record import Record, Sighting
from pipeline.store.lease import Lease, fence
from pipeline.store.session import open_engine
from pipeline.store.write import Written
from pipeline.topics import Lexicon, load_lexicon

if TYPE_CHECKING:
    from configuration import Configuration

_PIPE_BYTES = 1 << 20  # some twenty pages pass at a time; by the usual 64 KB, each would wake both sides


@dataclass(frozen=True, slots=True)
class Setup:
    """What the steps need beside the notices. `leases` are those that the crawl may write under."""

    database_url: str
    leases: tuple[Lease, ...]
    rules: Rules
    lexicon: Path | None
    court_codes: Path | None
    archive: Path

    @classmethod
    def of(cls, configuration: Configuration, leases: Iterable[Lease]) -> Self:
        """Raises ConfigurationError for rules that can't be used."""
        return cls(
            database_url=configuration.database_url,
            leases=tuple(leases),
            rules=Rules(configuration.all_rules()),
            lexicon=configuration.lexicon,
            court_codes=configuration.court_codes,
            archive=configuration.archive,
        )

    def open(self) -> Tools:
        """Raises ConfigurationError for a lexicon or court codes that can't be used, StoreError for the database."""
        extend_court_codes(self.court_codes)
        lexicon = load_lexicon(self.lexicon)
        engine = open_engine(self.database_url, create=False)
        fence(engine, self.leases)
        return Tools(engine, self.rules, lexicon, Archive(self.archive))


@dataclass(frozen=True, slots=True)
class Tools:
    """What a setup opens: all that it takes to interpret notices and to store them."""

    engine: Engine
    rules: Rules
    lexicon: Lexicon
    archive: Archive

    def interpret(self, notices: Sequence[Sighting | Record]) -> list[Record | str]:
        """As `pipeline.batch.interpret_each` does."""
        return interpret_each(notices, self.lexicon, self.archive.keep)

    def process(self, notices: Sequence[Sighting | Record]) -> list[Written | str]:
        """As `pipeline.batch.process_batch` does."""
        return process_batch(self.engine, notices, self.rules, self.lexicon, self.archive.keep)


class Server:
    """A process that answers its setup with None, and then each list of notices with what became of them, in turn.

    It ends with its questions, and so with the process that started it, however that ends.
    """

    def __init__(
        self, process: subprocess.Popen[bytes] | BaseProcess, questions: IO[bytes], answers: IO[bytes]
    ) -> None:
        self._process = process
        self._questions = questions
        self._answers = answers

    def begin(self, setup: Setup) -> None:
        """Have it ready for notices. Raises OSError, EOFError or UnpicklingError where it has ended."""
        # By the pipe, since everybody on the machine can read arguments, and a database's URL may hold a password.
        self.ask(setup)

    def ask(self, question: object) -> Any:
        """Its answer, waited for. Raises OSError, EOFError or UnpicklingError where it has ended."""
        _send(question, self._questions)
        return pickle.load(self._answers)  # noqa: S301 - our own

    def end(self) -> int | None:
        """Let it do what it was given whole, and wait for its end; its exit code. Again: nothing more."""
        with contextlib.suppress(BrokenPipeError):
            self._questions.close()
        if not self._answers.closed:
            self._answers.read()
            self._answers.close()
        if isinstance(self._process, BaseProcess):
            self._process.join()
            return self._process.exitcode
        return self._process.wait()


@contextlib.contextmanager
def forked_server() -> Iterator[Server | None]:
    """A copy of this process that waits for its setup, until the end of the block; None where there can be none.

    To be called before anything is opened and any thread is started: a copy has neither the threads nor, safely, an
    SQLite database (https://sqlite.org/howtocorrupt.html, 2.6).
    """
    server = _fork() if _may_fork() else None
    try:
        yield server
    finally:
        if server is not None:
            server.end()


def has_processor() -> bool:
    """Whether there is a processor for it: with only one, two processes would take turns."""
    return (os.cpu_count() or 1) > 1


def _may_fork() -> bool:
    # Only Linux: libraries of macOS don't bear it (https://github.com/python/cpython/issues/77906).
    return sys.platform == "linux" and has_processor() and threading.active_count() == 1


def _fork() -> Server | None:
    questions, answers = os.pipe(), os.pipe()
    with contextlib.suppress(OSError):  # the system may allow less
        fcntl.fcntl(questions[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    # What both have is left as it is, and so stays one copy.
    gc.freeze()
    process = multiprocessing.get_context("fork").Process(target=_serve_forked, args=(questions, answers))
    try:
        process.start()
    except OSError:  # no room for one more: the crawl goes on alone
        for descriptor in (*questions, *answers):
            os.close(descriptor)
        return None
    os.close(questions[0])
    os.close(answers[1])
    return Server(process, os.fdopen(questions[1], "wb"), os.fdopen(answers[0], "rb"))


def _serve_forked(questions: tuple[int, int], answers: tuple[int, int]) -> None:
    os.close(questions[1])
    os.close(answers[0])
    with os.fdopen(questions[0], "rb") as asked, os.fdopen(answers[1], "wb") as answered:
        _serve(asked, answered)


def launch_server() -> Server:
    """One with an interpreter of its own. Raises OSError where it can't be started."""
    # Not by `multiprocessing`, which would import the whole command into it. -P: the same modules as here,
    # whatever the working folder holds. What is imported stays: nothing for the collector of cycles to look through.
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-c",
            "import gc; gc.disable(); from crawlers.pipeline_server import serve; serve()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    return Server(process, process.stdin, process.stdout)


def serve() -> None:
    """Answer on standard output what is asked on standard input."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    _serve(sys.stdin.buffer, answers)


def _serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    # Ctrl-C reaches every process of a terminal, and SIGTERM may reach every process of a service; what was fetched is
    # still to be stored after it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        setup: Setup = pickle.load(questions)  # noqa: S301 - of our own parent
    except (EOFError, pickle.UnpicklingError):
        return  # the crawl needed nobody, or was killed before it had said what to do
    tools = setup.open()
    spare_collector()
    try:
        _send(None, answers)
        while True:
            notices = pickle.load(questions)  # noqa: S301
            _send(tools.process(notices), answers)
    except (EOFError, pickle.UnpicklingError):  # the second where the crawl was killed amid a list
        tools.engine.dispose()
    except BrokenPipeError:
        # The crawl was killed while this process started or stored its notices: nobody is left to be told.
        tools.engine.dispose()
        os._exit(0)


def _send(values: object, stream: IO[bytes]) -> None:
    pickle.dump(values, stream, pickle.HIGHEST_PROTOCOL)
    stream.flush()


def spare_collector() -> None:
    """Keep the collector of cycles from walking again and again through what stands until the end of the crawl."""
    # Not even once: of all that was imported, a few hundred small objects are garbage.
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()
