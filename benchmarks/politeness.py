"""Are hosts asked as they wish, by all processes together?  python -m benchmarks.politeness

Hosts on loopback keep an access log of their own: when each request came, and when its answer was gone. Crawling
processes share one database, as those of an installation do, and ask with all the concurrency that Scrapy has; what
is counted are requests that came too early, or at all. A clock of a database has milliseconds, so a gap may be 10 ms
short.

- *delay*: several processes ask one host at once, with a delay and no robots.txt.
- *Crawl-delay*: the same where robots.txt asks for a longer gap than the configuration.
- *Retry-After*: the host answers 429 and 503 in between, with seconds and with a date; nobody may ask before.
- *forbidden*: robots.txt is slow and says `Disallow: /`; every process has 50 requests ready before it came.
- *closed*: the same where robots.txt answers 503.

`early` are gaps that were too short, `at once` requests that came before another one's answer was gone, `pages` what a
host was asked for but robots.txt. Exit code 1 when a host was asked too early, or for a page that it forbids.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.table import Table

from crawlers import settings
from pipeline.store.session import open_engine
from tests.fault_site import Asked, Behaviour, Site, Writer, send, serve_site

CLOCK = 0.01
DELAY = 0.2
CRAWL_DELAY = 0.4
RETRY_SECONDS = 2
FIRST_REQUESTS = 50
PAGE = b"<html><body><p>text</p></body></html>"

Gap = Callable[[Asked, bool], float]
"""Of a request, and whether it was the first one for its path: seconds that must follow it."""
WAITS = {"/0/1": (429, False), "/1/1": (429, True), "/2/1": (503, False), "/3/1": (503, True)}
"""What is asked to come back later, by path: the status, and whether Retry-After is a date."""


@dataclass(frozen=True)
class Case:
    """A host, what it answers, how many pages each process asks it for, and the gap that must follow a request."""

    name: str
    behave: Behaviour
    pages: int
    gap: Gap
    forbidden: bool = False


@dataclass(frozen=True)
class Found:
    """What a host's own log says."""

    requests: int
    pages: int
    early: int
    at_once: int
    shortest: float


def answering(robots: bytes | None, *, status: int = 200, slow: float = 0.0) -> Behaviour:
    """A host with this robots.txt (None: it has none), whose answer to that takes `slow` seconds."""

    async def behave(path: str, number: int, writer: Writer) -> None:
        if path == "/robots.txt":
            await asyncio.sleep(slow)
            await send(
                writer, 404 if robots is None else status, robots or b"", {"Content-Type": "text/plain"}
            )
        else:
            await send(writer, 200, PAGE)

    return behave


async def ask_to_wait(path: str, number: int, writer: Writer) -> None:
    """Four paths ask once to come back later: with 429 and 503, in seconds and by a date."""
    if path == "/robots.txt":
        await send(writer, 404)
    elif (wait := WAITS.get(path)) and number == 1:
        status, by_date = wait
        later = datetime.now(UTC) + timedelta(seconds=RETRY_SECONDS + 1)
        value = format_datetime(later, usegmt=True) if by_date else str(RETRY_SECONDS)
        await send(writer, status, b"later", {"Retry-After": value})
    else:
        await send(writer, 200, PAGE)


def cases() -> list[Case]:
    """All hosts, each with its own wish."""
    wish = f"User-agent: *\nCrawl-delay: {CRAWL_DELAY}\n".encode()

    def after_wait(asked: Asked, first: bool) -> float:
        # A date has whole seconds: one that is three seconds away is more than two away.
        return float(RETRY_SECONDS) if first and asked.path in WAITS else DELAY

    return [
        Case("delay", answering(None), 6, lambda *_: DELAY),
        # Who fetches robots.txt doesn't know of the Crawl-delay yet.
        Case("Crawl-delay", answering(wish), 5, lambda asked, _: DELAY if asked.path == "/robots.txt" else CRAWL_DELAY),
        Case("Retry-After", ask_to_wait, 5, after_wait),
        Case(
            "forbidden", answering(b"User-agent: *\nDisallow: /\n", slow=1.0), FIRST_REQUESTS,
            lambda *_: DELAY, forbidden=True,
        ),
        Case("closed", answering(b"", status=503, slow=1.0), FIRST_REQUESTS, lambda *_: DELAY, forbidden=True),
    ]  # fmt: skip


def begin(site: Site, case: Case, process: int, database: str) -> subprocess.Popen[str]:
    """One process that asks one host for its pages, all at once."""
    order = {
        "urls": [f"{site.url(case.name)}/{process}/{page}" for page in range(case.pages)],
        "settings": {
            **{name: getattr(settings, name) for name in ("TWISTED_DNS_RESOLVER", "SCHEDULER")},
            "DOWNLOADER_MIDDLEWARES": settings.DOWNLOADER_MIDDLEWARES
            | {"crawlers.transport.ProxyMiddleware": None},
            "TELNETCONSOLE_ENABLED": False,
            "REMOTE_CONTROL_ENABLED": False,
            "CONCURRENT_REQUESTS": 64,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 64,
            "DOWNLOAD_DELAY": DELAY,
            "DOWNLOAD_DELAY_JITTER": 0,
            "IPRWATCH_JITTER": 0,
            "IPRWATCH_ALLOWED_PRIVATE": [site.place(name) for name in site.names],
            "IPRWATCH_DATABASE": database,
            "LOG_LEVEL": "ERROR",
        },
    }
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.one_crawl"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=dict(os.environ), text=True,
    )  # fmt: skip
    assert running.stdin is not None
    running.stdin.write(json.dumps(order))
    running.stdin.close()
    return running


def look(site: Site, case: Case) -> Found:
    """Count in the log of a host."""
    log = sorted(site.asked(case.name), key=lambda asked: asked.came)
    gaps = [(one, two.came - (one.left if one.left is not None else two.came)) for one, two in pairwise(log)]
    firsts: set[str] = set()
    early = 0
    for asked, gap in gaps:
        early += gap < case.gap(asked, asked.path not in firsts) - CLOCK
        firsts.add(asked.path)
    return Found(
        requests=len(log),
        pages=len(site.pages(case.name)),
        early=early,
        at_once=sum(one.left is None or two.came < one.left for one, two in pairwise(log)),
        shortest=min((gap for _, gap in gaps), default=0.0),
    )


def measure(processes: int, database: str, wanted: list[Case]) -> dict[str, Found]:
    """Let so many processes ask each of the hosts; what the hosts' logs say."""
    open_engine(database).dispose()
    with serve_site({case.name: case.behave for case in wanted}) as site:
        running = [begin(site, case, process, database) for process in range(processes) for case in wanted]
        if [code for crawl in running if (code := crawl.wait(300))]:
            raise RuntimeError("A crawl failed; its last words are above.")
        return {case.name: look(site, case) for case in wanted}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--processes", type=int, default=4)
    arguments.add_argument("--database", help="an empty database; else an SQLite file that is thrown away")
    order = arguments.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="iprwatch-politeness-") as folder:
        database = order.database or f"sqlite:///{Path(folder) / 'politeness.db'}"
        wanted = cases()
        found = measure(order.processes, database, wanted)
    took = time.monotonic() - began
    table = Table("host", title=f"{order.processes} processes a host, {took:.0f} s")
    for column in ("requests", "pages", "early", "at once", "shortest gap"):
        table.add_column(column, justify="right")
    wrong = False
    for case in wanted:
        one = found[case.name]
        table.add_row(
            case.name,
            str(one.requests),
            str(one.pages),
            str(one.early),
            str(one.at_once),
            f"{one.shortest:.3f} s",
        )
        asked_all = one.pages >= order.processes * case.pages
        wrong |= bool(one.early or one.at_once or (one.pages if case.forbidden else not asked_all))
    Console().print(table)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
