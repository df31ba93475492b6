"""The two processes that work beside the crawl, one behind the other: the first interprets, the second stores.

Where they can be, they are forked from the crawl before that has threads or an open database: what was imported needn't
be imported again, which would cost as much as some hundred notices do.
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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from sqlalchemy import Engine

from crawlers.archive import Archive
from pipeline.alerts.rules import Rules
from pipeline.batch import interpret_each, store_each
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

    def open_interpreter(self) -> Interpreter:
        """Raises ConfigurationError for a lexicon or court codes that can't be used."""
        extend_court_codes(self.court_codes)
        return Interpreter(load_lexicon(self.lexicon), Archive(self.archive))

    def open_store(self) -> Store:
        """Raises ConfigurationError for court codes that can't be used, StoreError for the database."""
        extend_court_codes(self.court_codes)
        engine = open_engine(self.database_url, create=False)
        fence(engine, self.leases)
        return Store(engine, self.rules)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What it takes to keep and to interpret notices."""

    lexicon: Lexicon
    archive: Archive

    def interpret(self, notices: Sequence[Sighting]) -> list[Record | str]:
        """As `pipeline.batch.interpret_each` does."""
        return interpret_each(notices, self.lexicon, self.archive.keep)


@dataclass(frozen=True, slots=True)
class Store:
    """What it takes to store records."""

    engine: Engine
    rules: Rules

    def store(self, interpreted: Sequence[Record | str]) -> list[Written | str]:
        """As `pipeline.batch.store_each` does."""
        return store_each(self.engine, interpreted, self.rules)


class Server:
    """Processes that answer their setup with None, and then each list of notices with what became of them, in turn.

    They end with their questions, and so with the process that started them, however that ends.
    """

    def __init__(
        self,
        processes: Sequence[subprocess.Popen[bytes] | BaseProcess],
        questions: IO[bytes],
        answers: IO[bytes],
    ) -> None:
        self._processes = processes
        self._questions = questions
        self._answers = answers
        self._asking = threading.Lock()
        self._hearing = threading.Lock()

    def begin(self, setup: Setup) -> None:
        """Have it ready for notices. Raises OSError, EOFError or UnpicklingError where it has ended."""
        # By the pipe, since everybody on the machine can read arguments, and a database's URL may hold a password.
        self.ask(setup)

    def ask(self, question: object) -> Any:
        """Its answer, waited for. Raises OSError, EOFError or UnpicklingError where it has ended.

        A second thread may ask before the first has its answer; a third one waits to ask.
        """
        with self._asking:
            _send(question, self._questions)
            self._hearing.acquire()  # before anybody else can ask: answers come in the order of the questions
        try:
            return pickle.load(self._answers)  # noqa: S301 - our own
        finally:
            self._hearing.release()

    def end(self) -> list[int | None]:
        """Let it do what it was given whole, and wait for its end; the exit codes. Again: nothing more."""
        with contextlib.suppress(BrokenPipeError):
            self._questions.close()
        with self._hearing:
            if not self._answers.closed:
                self._answers.read()
                self._answers.close()
        return [_wait(process) for process in self._processes]


def _wait(process: subprocess.Popen[bytes] | BaseProcess) -> int | None:
    if isinstance(process, BaseProcess):
        process.join()
        return process.exitcode
    return process.wait()


@contextlib.contextmanager
def forked_server() -> Iterator[Server | None]:
    """Two copies of this process that wait for their setup, until the end of the block; None where there can be none.

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
    """Whether there is a processor for it: with only one, the processes would take turns."""
    return (os.cpu_count() or 1) > 1


def _may_fork() -> bool:
    # Only Linux: libraries of macOS don't bear it (https://github.com/python/cpython/issues/77906).
    return sys.platform == "linux" and has_processor() and threading.active_count() == 1


def _fork() -> Server | None:
    pipes = questions, records, answers = os.pipe(), os.pipe(), os.pipe()
    for pipe in (questions, records):
        with contextlib.suppress(OSError):  # the system may allow less
            fcntl.fcntl(pipe[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    # What all have is left as it is, and so stays one copy.
    gc.freeze()
    context = multiprocessing.get_context("fork")
    ends = [end for pipe in pipes for end in pipe]
    processes = [
        context.Process(target=_serve_forked, args=(_interpret_all, questions[0], records[1], ends)),
        context.Process(target=_serve_forked, args=(_store_all, records[0], answers[1], ends)),
    ]
    started = []
    try:
        for process in processes:
            process.start()
            started.append(process)
    except OSError:  # no room for one more: the crawl tries again when it needs them
        for end in ends:
            os.close(end)
        for process in started:
            process.join()
        return None
    for end in (questions[0], *records, answers[1]):
        os.close(end)
    return Server(processes, os.fdopen(questions[1], "wb"), os.fdopen(answers[0], "rb"))


_Serve = Callable[[IO[bytes], IO[bytes]], None]


def _serve_forked(serve: _Serve, asked: int, answered: int, ends: Iterable[int]) -> None:
    for end in ends:
        if end not in (asked, answered):
            os.close(end)  # the process behind a pipe ends when nobody holds the end before it
    with os.fdopen(asked, "rb") as questions, os.fdopen(answered, "wb") as answers:
        _serve(serve, questions, answers)


def launch_server() -> Server:
    """One with interpreters of its own. Raises OSError where it can't be started."""
    interpreting = _launch("interpret", subprocess.PIPE)
    assert interpreting.stdin is not None
    assert interpreting.stdout is not None
    try:
        storing = _launch("store", interpreting.stdout)
    except OSError:
        interpreting.communicate()
        raise
    interpreting.stdout.close()
    assert storing.stdout is not None
    return Server([interpreting, storing], interpreting.stdin, storing.stdout)


def _launch(task: str, questions: int | IO[bytes]) -> subprocess.Popen[bytes]:
    # Not by `multiprocessing`, which would import the whole command into it. -P: the same modules as here,
    # whatever the working folder holds. What is imported stays: nothing for the collector of cycles to look through.
    script = f"import gc; gc.disable(); from crawlers.pipeline_server import serve; serve({task!r})"
    return subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-P", "-c", script],
        stdin=questions,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


def serve(task: str) -> None:
    """Answer on standard output what is asked on standard input; the task is to `interpret` or to `store`."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    _serve({"interpret": _interpret_all, "store": _store_all}[task], sys.stdin.buffer, answers)


def _serve(serve: _Serve, questions: IO[bytes], answers: IO[bytes]) -> None:
    # Ctrl-C reaches every process of a terminal, and SIGTERM may reach every process of a service; what was fetched is
    # still to be stored after it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Nobody asks any more, or nobody hears: the crawl has ended or was killed, or the process behind this one was.
    with contextlib.suppress(EOFError, pickle.UnpicklingError, BrokenPipeError):
        serve(questions, answers)
    try:
        answers.flush()
    except BrokenPipeError:
        os._exit(0)  # closing them would fail again


def _interpret_all(questions: IO[bytes], answers: IO[bytes]) -> None:
    setup: Setup = pickle.load(questions)  # noqa: S301 - of our own parent
    interpreter = setup.open_interpreter()
    spare_collector()
    _send(setup, answers)
    while True:
        notices = pickle.load(questions)  # noqa: S301
        _send(interpreter.interpret(notices), answers)


def _store_all(questions: IO[bytes], answers: IO[bytes]) -> None:
    setup: Setup = pickle.load(questions)  # noqa: S301
    store = setup.open_store()
    spare_collector()
    _send(None, answers)
    is_heard = True
    try:
        while True:
            written = store.store(pickle.load(questions))  # noqa: S301
            if is_heard:
                try:
                    _send(written, answers)
                except BrokenPipeError:
                    is_heard = False  # the crawl was killed; what it had given whole is still stored
    finally:
        store.engine.dispose()


def _send(values: object, stream: IO[bytes]) -> None:
    # Made whole first: of what can't be pickled, nothing is sent.
    stream.write(pickle.dumps(values, pickle.HIGHEST_PROTOCOL))
    stream.flush()


def spare_collector() -> None:
    """Keep the collector of cycles from walking again and again through what stands until the end of the crawl."""
    # Not even once: of all that was imported, a few hundred small objects are garbage.
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()
