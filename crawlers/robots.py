"""Manners of every crawl: robots.txt, Crawl-delay, Retry-After, one request at a time per host.

Settings: `IPRWATCH_ROBOTS_AGENT`, the name that robots.txt is searched for; `IPRWATCH_ROBOTS_ALLOWED`,
"host/path-prefix" strings that the operator allows in spite of robots.txt; `IPRWATCH_LONGEST_WAIT`, the seconds
that a host may make a run wait (600); a host that asks for more is not asked again in this run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

from protego import Protego
from scrapy import signals
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Request, Response
from scrapy.http.request import NO_CALLBACK
from twisted.internet.error import ConnectError, ConnectionClosed

from crawlers.guard import count
from errors import ConfigurationError
from outgoing import read_retry_after, show_url

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

ROBOTS_LIMIT = 500 * 1024
"""Bytes of a robots.txt that are parsed: https://www.rfc-editor.org/rfc/rfc9309#section-2.5"""


class ClosedByRobots(IgnoreRequest):
    """robots.txt forbids the URL, or couldn't be read. Raised by RobotsMiddleware, `robots/refused`."""


class RobotsUnreachable(ClosedByRobots):
    """robots.txt could not be read (no answer, 5xx): the host counts as closed, and as down."""


class HostHeld(IgnoreRequest):
    """A request whose turn doesn't come in this run. Raised by RobotsMiddleware.

    The host asks for a longer wait than the run may take (`robots/held`), or the crawl was stopped.
    """


_ROBOTS_REQUEST = "iprwatch_robots"
_NO_ANSWER = (
    IgnoreRequest,
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    ConnectError,
    ConnectionClosed,
    OSError,
)


@dataclass(frozen=True, slots=True)
class _Rules:
    """A host's robots.txt; `closed` says why nothing may be fetched."""

    parser: Protego
    closed: str | None = None


class _Host:
    """Whose turn it is at one host: one request at a time, `gap` seconds after the last one's end."""

    def __init__(self, gap: float) -> None:
        self.turn = asyncio.Lock()
        self.gap = gap
        self.next_at = 0.0

    def hold(self, seconds: float) -> None:
        self.next_at = max(self.next_at, time.monotonic() + seconds)


# All crawls of a process take turns together: two families may watch one host.
_HOSTS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Host]] = weakref.WeakKeyDictionary()


class RobotsMiddleware:
    """Obeys robots.txt, Crawl-delay and Retry-After; one request at a time per host.

    All first requests to a server wait for one shared answer. robots.txt is read as RFC 9309 says: 4xx
    means open, 5xx and no answer mean closed (429 too: a server that asks for less is no invitation).
    The gap, DOWNLOAD_DELAY or Crawl-delay, whichever is longer, runs from the end of one request to the
    start of the next.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._agent: str = settings.get("IPRWATCH_ROBOTS_AGENT", "iprwatch")
        self._allowed: list[str] = settings.getlist("IPRWATCH_ROBOTS_ALLOWED")
        self._longest_wait = settings.getfloat("IPRWATCH_LONGEST_WAIT", 600.0)
        self._delay = settings.getfloat("DOWNLOAD_DELAY")
        self._rules: dict[str, asyncio.Task[_Rules]] = {}
        self._sending: dict[Request, _Host] = {}
        for entry in self._allowed:
            if "/" not in entry.lstrip("/") or "//" in entry:
                raise ConfigurationError(f"IPRWATCH_ROBOTS_ALLOWED: {entry!r} isn't of the form host/path.")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        middleware = cls(crawler)
        crawler.signals.connect(middleware._read_answer, signal=signals.response_downloaded)
        crawler.signals.connect(middleware._end_turn, signal=signals.request_left_downloader)
        return middleware

    async def process_request(self, request: Request) -> None:
        """Return when the request may be sent. Raises ClosedByRobots and HostHeld."""
        parts = urlsplit(request.url)
        hosts = _HOSTS.setdefault(asyncio.get_running_loop(), {})
        host = hosts.setdefault(parts.hostname or "", _Host(self._delay))
        if not request.meta.get(_ROBOTS_REQUEST):
            origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
            if origin not in self._rules:
                self._rules[origin] = asyncio.ensure_future(self._load(origin, request, host))
            self._check(request, await self._rules[origin])
        await self._take_turn(request, host)

    async def process_exception(self, request: Request, exception: Exception) -> None:
        """Pass the turn on when a later component refused the request."""
        self._end_turn(request)

    async def _load(self, origin: str, cause: Request, host: _Host) -> _Rules:
        request = Request(
            f"{origin}/robots.txt", callback=NO_CALLBACK, dont_filter=True, meta={_ROBOTS_REQUEST: True}
        )
        if "proxy" in cause.meta:
            request.meta["proxy"] = cause.meta["proxy"]
            if password := cause.headers.get("Proxy-Authorization"):
                request.headers["Proxy-Authorization"] = password
        assert self._crawler.engine
        text = ""
        closed: str | None = None
        try:
            response = await self._crawler.engine.download_async(request)
        except _NO_ANSWER as error:
            closed = f"robots.txt couldn't be fetched ({type(error).__name__}: {error})"
        else:
            if 200 <= response.status < 300:
                text = response.body[:ROBOTS_LIMIT].decode("utf-8-sig", errors="replace")
            elif not 400 <= response.status < 500 or response.status == 429:
                closed = f"robots.txt answered {response.status}"
        rules = _Rules(Protego.parse(text), closed)
        delay = rules.parser.crawl_delay(self._agent) or 0.0
        if math.isfinite(delay):
            host.gap = max(host.gap, delay)
        host.hold(host.gap)
        return rules

    def _check(self, request: Request, rules: _Rules) -> None:
        if self._is_allowed_by_operator(request.url):
            return
        reason = rules.closed
        if reason is None and not rules.parser.can_fetch(request.url, self._agent):
            reason = f"robots.txt forbids it for {self._agent}"
        if reason:
            count(self._crawler, "robots/refused")
            logger.info("Not fetched: %s: %s", show_url(request.url), reason)
            refusal = ClosedByRobots if rules.closed is None else RobotsUnreachable
            raise refusal(f"{show_url(request.url)}: {reason}")

    def _is_allowed_by_operator(self, url: str) -> bool:
        parts = urlsplit(url)
        if "/../" in f"{unquote(parts.path)}/":
            return False
        path = parts.path or "/"
        places = (f"{parts.hostname}{path}", f"{parts.netloc}{path}")
        return any(place.startswith(entry) for entry in self._allowed for place in places)

    async def _take_turn(self, request: Request, host: _Host) -> None:
        await host.turn.acquire()
        with contextlib.ExitStack() as unless_sent:
            unless_sent.callback(host.turn.release)
            while (wait := host.next_at - time.monotonic()) > 0:
                if wait > self._longest_wait:
                    count(self._crawler, "robots/held")
                    raise HostHeld(f"{show_url(request.url)}: the host asks to wait for {wait:.0f} s more")
                if not (self._crawler.engine and self._crawler.engine.running):
                    raise HostHeld(f"{show_url(request.url)}: the crawl was stopped before its turn")
                await asyncio.sleep(min(wait, 1.0))  # short naps, so that a stopped crawl ends
            unless_sent.pop_all()
        self._sending[request] = host

    def _read_answer(self, response: Response, request: Request) -> None:
        if response.status in (429, 503) and request in self._sending:
            value = (response.headers.get("Retry-After") or b"").decode("latin-1")
            self._sending[request].hold(read_retry_after(value, datetime.now(UTC)) or 0.0)

    def _end_turn(self, request: Request) -> None:
        host = self._sending.pop(request, None)
        if host:
            host.hold(host.gap)
            host.turn.release()
