"""Whose turn it is at a host: one request at a time, a pause after each, and an end to asking hosts that fail.

The turn is kept in the database (`pipeline.store.hosts`), for all processes of an installation. Every request
passes: pages, robots.txt, attachments, what rendered pages ask for, retries and redirects.

Settings: `DOWNLOAD_DELAY`, and with the prefix IPRWATCH_ the keys of the configuration `JITTER`, `LONGEST_WAIT`,
`BREAKER_FAILURES`, `BREAKER_PAUSE`, `BUDGET_REQUESTS`, `BUDGET_BYTES`; `IPRWATCH_DATABASE`, the URL of the store
(without one the turn is kept in this process only). `request.meta["hours"]` are the hours of the source.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
import uuid
import weakref
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from scrapy import signals
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Request, Response
from sqlalchemy import Engine

from crawlers.guard import count
from crawlers.hours import Hours
from outgoing import read_retry_after, show_url
from pipeline.store.hosts import Turn, claim_host, look_at_host, release_host
from pipeline.store.session import open_engine

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

LONGEST_BACK_OFF = 300.0
"""Seconds: the longest pause after a failure, until the circuit opens."""
BREAKER_DOUBLINGS = 3
"""How often the pause of an open circuit doubles: by default 10, 20, 40, then always 80 minutes."""

_CHALLENGE = 521  # how one firewall hands out its challenge; its reader says whether it is one
_NAP = 1.0  # seconds: short, so that a stopped crawl ends
_LOOK = 0.25  # seconds between looks at a host that another process is asking
_LOOK_AGAIN = 1.0  # seconds between looks where no pause has to be kept
_SPARE = 5.0  # seconds by which a claim outlasts the longest download


class HostHeld(IgnoreRequest):
    """A request that this run does not send. Raised by HostGateMiddleware, counted as `gate/held`.

    The host asks for a longer wait than a run may take, or the crawl was stopped. `state` is what becomes of the
    run of a source whose list is held.
    """

    def __init__(self, message: str, state: str = "down") -> None:
        super().__init__(message)
        self.state = state


class CircuitOpen(HostHeld):
    """So many requests to the host failed in a row that it is left alone for a while."""


class BudgetSpent(HostHeld):
    """The host was asked for as much as one run may ask for."""


class OutsideHours(HostHeld):
    """The source may be asked at other hours only."""


class _Host:
    """One host as this process knows it, and what this run has had from it. Moments are monotonic."""

    def __init__(self, name: str, gap: float) -> None:
        self.name = name
        self.turn = asyncio.Lock()
        self.gap = gap
        self.next_at = 0.0
        self.looked_at: float | None = None
        self.claimed = False
        self.failures = 0
        self.reason: str | None = None
        self.refusals = 0
        self.shut_until = 0.0
        self.requests = 0
        self.bytes = 0


# All crawls of a process take turns together: two families may watch one host.
_HOSTS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Host]] = weakref.WeakKeyDictionary()


class HostGateMiddleware:
    """Lets a request out when its host's turn has come.

    The pause runs from the end of one request to the start of the next: DOWNLOAD_DELAY or Crawl-delay, whichever is
    longer, and a random part of it more. After a failure it is twice as long with every further one, and as long as
    Retry-After asks. After so many failures in a row the circuit is open: nothing is sent until its pause is over;
    then one request tries, and closes it or leaves the host alone for longer. With no pause to keep (a delay of 0),
    processes don't wait for each other's requests, only for what a host has asked or failed.
    """

    def __init__(self, crawler: Crawler, engine: Engine | None) -> None:
        settings = crawler.settings
        self.engine = engine
        self._crawler = crawler
        self._holder = uuid.uuid4().hex
        self._gap = settings.getfloat("DOWNLOAD_DELAY")
        self._jitter = settings.getfloat("IPRWATCH_JITTER", 0.25)
        self._timeout = settings.getfloat("DOWNLOAD_TIMEOUT")
        self._longest_wait = settings.getfloat("IPRWATCH_LONGEST_WAIT", 600.0)
        self._breaker_failures = settings.getint("IPRWATCH_BREAKER_FAILURES", 5)
        self._breaker_pause = settings.getfloat("IPRWATCH_BREAKER_PAUSE", 600.0)
        self._budget_requests = settings.getint("IPRWATCH_BUDGET_REQUESTS", 2000)
        self._budget_bytes = settings.getint("IPRWATCH_BUDGET_BYTES", 1_000_000_000)
        self._sending: dict[Request, _Host] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises StoreError when the database can't be opened."""
        url = crawler.settings.get("IPRWATCH_DATABASE")
        middleware = cls(crawler, open_engine(url) if url else None)
        crawler.signals.connect(middleware._close, signal=signals.spider_closed)
        return middleware

    # --- What others know of a host ---

    async def keep_gap(self, url: str, seconds: float, *, just_asked: bool) -> None:
        """The host wants at least so many seconds between requests (Crawl-delay), from now on.

        `just_asked`: that was learned from an answer a moment ago, so the longer pause holds at once, for all
        processes. Raises StoreError.
        """
        host = self._host(url)
        if seconds > host.gap:
            host.gap = seconds
            if just_asked:
                host.next_at = time.monotonic() + seconds
                await self._note(host, seconds)

    def check_hours(self, request: Request) -> None:
        """Raises OutsideHours when the request's source may not be asked now."""
        hours: Hours | None = request.meta.get("hours")
        if hours is not None and not hours.hold(datetime.now(UTC)):
            raise self._hold(request, OutsideHours, f"asked only at {hours} (Asia/Shanghai)", "outside hours")

    def page_read(self, url: str) -> None:
        """A page of this host was one: refusals in a row are counted from here."""
        self._host(url).refusals = 0

    async def page_refused(self, url: str, reason: str) -> None:
        """A page of this host was a challenge or a login. As many in a row as failures may be open the circuit.

        Raises StoreError.
        """
        host = self._host(url)
        host.refusals += 1
        if host.refusals < self._breaker_failures:
            return
        pause = self._breaker_pause
        host.refusals, host.failures, host.reason = 0, self._breaker_failures, reason
        host.shut_until = host.next_at = time.monotonic() + pause
        self._say_open(host, pause)
        await self._note(host, pause)

    # --- The turn ---

    async def process_request(self, request: Request) -> None:
        """Return when the request may be sent. Raises HostHeld and its kinds, and StoreError."""
        host = self._host(request.url)
        await host.turn.acquire()
        with contextlib.ExitStack() as unless_sent:
            unless_sent.callback(host.turn.release)
            while True:
                self._check_bounds(request, host)
                turn = await self._ask(request, host)
                if turn.wait <= 0:
                    break
                self._check_wait(request, host, turn)
                await asyncio.sleep(min(turn.wait, _LOOK if turn.busy else _NAP))
            unless_sent.pop_all()
        host.requests += 1
        self._sending[request] = host

    async def process_response(self, request: Request, response: Response) -> Response:
        """Hand the turn on; as the innermost middleware, this one sees the answer as it came."""
        host = self._sending.pop(request, None)
        if host is not None:
            host.bytes += len(response.body)
            failure, asked = None, 0.0
            if response.status == 429 or (response.status >= 500 and response.status != _CHALLENGE):
                failure = f"HTTP {response.status}"
                value = (response.headers.get("Retry-After") or b"").decode("latin-1")
                if response.status in (429, 503):
                    asked = read_retry_after(value, datetime.now(UTC)) or 0.0
            await self._end_turn(host, failure, asked)
        return response

    async def process_exception(self, request: Request, exception: Exception) -> None:
        """Hand the turn on. What was refused or broken off on our side is no failure of the host."""
        host = self._sending.pop(request, None)
        if host is not None:
            ours = isinstance(exception, (IgnoreRequest, DownloadCancelledError))
            await self._end_turn(host, None if ours else f"{type(exception).__name__}: {exception}")

    def _host(self, url: str) -> _Host:
        hosts = _HOSTS.setdefault(asyncio.get_running_loop(), {})
        name = urlsplit(url).hostname or ""
        return hosts.setdefault(name, _Host(name, self._gap))

    async def _ask(self, request: Request, host: _Host) -> Turn:
        now = time.monotonic()
        if (wait := host.next_at - now) > 0:
            return Turn(wait, failures=host.failures, reason=host.reason)
        if self.engine is None:
            return Turn(0.0)
        if host.gap > 0:
            longest = float(request.meta.get("download_timeout") or self._timeout) + _SPARE
            turn = await asyncio.to_thread(claim_host, self.engine, host.name, self._holder, longest)
            host.claimed = turn.wait <= 0
        elif host.looked_at is not None and now - host.looked_at < _LOOK_AGAIN:
            return Turn(0.0)
        else:
            turn = await asyncio.to_thread(look_at_host, self.engine, host.name)
            host.looked_at = now
        host.failures, host.reason = turn.failures, turn.reason
        if not turn.busy:
            # Until then nobody else can have a turn either.
            host.next_at = now + turn.wait
        return turn

    async def _end_turn(self, host: _Host, failure: str | None, asked: float = 0.0) -> None:
        try:
            now = time.monotonic()
            pause = host.gap * (1 + random.random() * self._jitter)  # noqa: S311
            before = host.failures
            if failure:
                host.failures, host.reason = before + 1, failure
                pause = max(pause, self._back_off(host), asked)
            elif now < host.shut_until:
                pause = host.shut_until - now  # sent before its pages were known to be refusals
            else:
                host.failures, host.reason = 0, None
            host.next_at = now + pause
            if host.failures == self._breaker_failures and failure:
                self._say_open(host, pause)
            if host.claimed or before or failure:
                await self._note(host, pause)
        finally:
            host.claimed = False
            host.turn.release()

    def _back_off(self, host: _Host) -> float:
        over = host.failures - self._breaker_failures
        if over >= 0:
            return self._breaker_pause * 2.0 ** min(over, BREAKER_DOUBLINGS)
        return min(host.gap * 2.0**host.failures, LONGEST_BACK_OFF)

    async def _note(self, host: _Host, pause: float) -> None:
        if self.engine is not None:
            await asyncio.to_thread(
                release_host, self.engine, host.name, self._holder, pause,
                failures=host.failures, reason=host.reason,
            )  # fmt: skip

    def _check_bounds(self, request: Request, host: _Host) -> None:
        self.check_hours(request)
        if host.requests >= self._budget_requests or host.bytes >= self._budget_bytes:
            spent = f"{host.requests} requests and {host.bytes} bytes"
            message = f"this run has had {spent} of {host.name}, as much as one run may; the next one goes on"
            raise self._hold(request, BudgetSpent, message, "incomplete")

    def _check_wait(self, request: Request, host: _Host, turn: Turn) -> None:
        if turn.failures >= self._breaker_failures and not turn.busy:
            message = f"{host.name} is left alone for {turn.wait:.0f} s more, after {turn.failures} failures in a row"
            raise self._hold(request, CircuitOpen, f"{message} ({turn.reason})", _state(turn))
        if turn.wait > self._longest_wait and not turn.busy:
            asked = f"{host.name} asks to wait for {turn.wait:.0f} s more"
            raise self._hold(
                request, HostHeld, f"{asked} ({turn.reason})" if turn.reason else asked, _state(turn)
            )
        if not (self._crawler.engine and self._crawler.engine.running):
            raise self._hold(request, HostHeld, "the crawl was stopped before its turn", "incomplete")

    def _hold(self, request: Request, kind: type[HostHeld], message: str, state: str) -> HostHeld:
        count(self._crawler, "gate/held")
        return kind(f"{show_url(request.url)}: {message}", state)

    def _say_open(self, host: _Host, pause: float) -> None:
        logger.warning("%s failed too often (%s): left alone for %.0f s.", host.name, host.reason, pause)

    def _close(self) -> None:
        if self.engine is not None:
            self.engine.dispose()


def _state(turn: Turn) -> str:
    """What a list is that is held after what its host said last."""
    refused = (turn.reason or "").startswith(("HTTP 429", "Blocked"))
    return "blocked" if refused else "down"
