"""A process that has imported the command once and is copied for each run of it: `tests.command` starts and asks it.

Importing the command takes longer than most of what it is asked to do. A copy (fork) is a process of its own, with its
folder, environment, streams and exit code, and runs `python -m cli` to its end.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import sys
import threading
import time

ROOMS = ("crawlers", "pipeline", "query")
# What the command imports only when it comes to that.
LATE = (
    "alembic.command",
    "psycopg",
    "queuelib",
    "requests",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.core.engine",
    "scrapy.extensions.remote_control",
    "scrapy.extensions.telnet",
    "scrapy.extensions.throttle",
    "scrapy.spidermiddlewares.referer",
    "sqlite3",
    "tldextract",
    "trafilatura",
    "twisted.internet.endpoints",
)


ENDED: list[int] = []
"""The exit code of a copy."""


def leave() -> None:
    """Spare a copy the taking apart of all that was imported, which costs more than the copy itself."""
    if ENDED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ENDED[0])


def serve() -> None:
    """For each order (a line of JSON) run a module in a copy; answer with its process id, then its exit code."""
    for name in ("cli", *LATE):
        importlib.import_module(name)
    for room in ROOMS:
        for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            if "migrations" not in module.name:
                importlib.import_module(module.name)
    # A reactor can't be taken along, and a thread would not be there in the copy.
    assert "twisted.internet.reactor" not in sys.modules
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()
    while line := sys.stdin.readline():
        copy = os.fork()
        if copy == 0:
            order = json.loads(line)
            module, first = order.pop("module"), order.pop("first")
            become(**order)
            exec(first, {})
            try:
                runpy.run_module(module, run_name="__main__", alter_sys=True)
            except SystemExit as end:
                if isinstance(end.code, int):
                    ENDED.append(end.code)
                raise
            ENDED.append(0)
            return
        print(copy, flush=True)
        _, status = os.waitpid(copy, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def become(arguments: list[str], cwd: str, env: dict[str, str], streams: list[str]) -> None:
    """Make this process one that was started with these; `streams` are files for the three standard ones."""
    # A shell has what it begins in the background ignore Ctrl-C, and the tests may have been begun so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    for number, path in enumerate(streams):
        stream = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY)
        os.dup2(stream, number)
        os.close(stream)
    sys.argv = ["iprwatch", *arguments]


if __name__ == "__main__":
    atexit.register(leave)  # the first to come is the last to be called
    serve()
