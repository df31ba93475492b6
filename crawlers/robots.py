"""robots.txt, as RFC 9309 says: who may fetch what, and how slowly.

Settings: `IPRWATCH_ROBOTS_AGENT`, the name that robots.txt is searched for; `IPRWATCH_ROBOTS_ALLOWED`,
"host/path-prefix" strings that the operator allows in spite of robots.txt.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from protego import Protego
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Request
from scrapy.http.request import NO_CALLBACK
from twisted.internet.error import ConnectError, ConnectionClosed
from w3lib.encoding import read_bom

from crawlers.errors import describe_error
from crawlers.gate import HostGateMiddleware, HostHeld
from crawlers.guard import count
from crawlers.permissions import covers
from errors import ConfigurationError
from outgoing import LONGEST_RETRY_AFTER, show_url
from pipeline.store.hosts import ROBOTS_AGE, recall_robots, remember_robots

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

ROBOTS_LIMIT = 500 * 1024
"""Bytes of a robots.txt that are parsed: https://www.rfc-editor.org/rfc/rfc9309#section-2.5"""
UNREAD_AGE = 600.0
"""Seconds after which a robots.txt that couldn't be read is asked for again."""


class ClosedByRobots(IgnoreRequest):
    """robots.txt forbids the URL, or couldn't be read. Raised by RobotsMiddleware, `robots/refused`."""


class RobotsUnreachable(ClosedByRobots):
    """robots.txt could not be read (no answer, 5xx): the host counts as closed, and as down."""


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


CLOSED_HOSTS = frozenset(("mp.weixin.qq.com",))
"""Hosts that are reported to forbid crawlers: nothing is fetched from them but what the operator has allowed, whatever
their robots.txt answers to us."""
_CLOSED_TO_ALL = Protego.parse("User-agent: *\nDisallow: /\n")


@dataclass(frozen=True, slots=True)
class _Rules:
    """A server's robots.txt; `closed` says why nothing may be fetched."""

    parser: Protego
    closed: str | None = None


@dataclass(frozen=True, slots=True)
class _Loading:
    """Rules that are loaded or being loaded, since when (monotonic)."""

    task: asyncio.Task[_Rules]
    since: float

    @property
    def is_over(self) -> bool:
        """True when it must be loaded again."""
        age = time.monotonic() - self.since
        if age > ROBOTS_AGE.total_seconds():
            return True
        if not self.task.done():
            return False
        return self.task.exception() is not None or (
            self.task.result().closed is not None and age > UNREAD_AGE
        )


class RobotsMiddleware:
    """Obeys robots.txt and tells the gate of Crawl-delay.

    All first requests to a server wait for one shared answer: 4xx means open, 5xx and no answer mean closed (429
    too: a server that asks for less is no invitation). Up to five redirects are followed, also to another host. What
    was read is used for a day at most, by all processes of the installation.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._agent: str = settings.get("IPRWATCH_ROBOTS_AGENT", "iprwatch")
        self._allowed: list[str] = settings.getlist("IPRWATCH_ROBOTS_ALLOWED")
        self._is_recorded = settings.get("IPRWATCH_REPLAY") is not None
        self._rules: dict[str, _Loading] = {}
        for entry in self._allowed:
            if "/" not in entry.lstrip("/") or "//" in entry:
                raise ConfigurationError(f"IPRWATCH_ROBOTS_ALLOWED: {entry!r} isn't of the form host/path.")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Return when the request may be sent as far as robots.txt and the operator tell.

        Raises ClosedByRobots, and what the gate raises where robots.txt itself has to wait too long.
        """
        if request.meta.get(_ROBOTS_REQUEST):
            return
        parts = urlsplit(request.url)
        if parts.hostname in CLOSED_HOSTS and not self._is_recorded:
            # Before its robots.txt, which then isn't asked for either.
            self._check(request, _Rules(_CLOSED_TO_ALL))
        gate = self._crawler.get_downloader_middleware(HostGateMiddleware)
        if gate is not None:
            gate.check_hours(request)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        loading = self._rules.get(origin)
        if loading is None or loading.is_over:
            task = asyncio.ensure_future(self._load(origin, request, gate))
            loading = self._rules[origin] = _Loading(task, time.monotonic())
        self._check(request, await loading.task)

    async def _load(self, origin: str, cause: Request, gate: HostGateMiddleware | None) -> _Rules:
        engine = gate.engine if gate is not None else None
        known = None
        if engine is not None:
            known = await asyncio.to_thread(recall_robots, engine, origin, datetime.now(UTC))
        if known is not None:
            status, text = known
        else:
            try:
                status, text = await self._fetch(origin, cause)
            except HostHeld:
                raise
            except _NO_ANSWER as error:
                return _closed(
                    f"robots.txt couldn't be fetched ({type(error).__name__}: {describe_error(error)})"
                )
            if status == 429 or not (200 <= status < 300 or 400 <= status < 500):
                return _closed(f"robots.txt answered {status}")
            if engine is not None:
                now = datetime.now(UTC)
                await asyncio.to_thread(remember_robots, engine, origin, status, text, now)
        rules = _Rules(Protego.parse(text))
        delay = rules.parser.crawl_delay(self._agent) or 0.0
        if gate is not None and math.isfinite(delay):
            await gate.keep_gap(origin, min(delay, LONGEST_RETRY_AFTER), just_asked=known is None)
        return rules

    async def _fetch(self, origin: str, cause: Request) -> tuple[int, str]:
        request = Request(
            f"{origin}/robots.txt", callback=NO_CALLBACK, dont_filter=True, meta={_ROBOTS_REQUEST: True}
        )
        if "proxy" in cause.meta:
            request.meta["proxy"] = cause.meta["proxy"]
            if password := cause.headers.get("Proxy-Authorization"):
                request.headers["Proxy-Authorization"] = password
        assert self._crawler.engine
        response = await self._crawler.engine.download_async(request)
        if not 200 <= response.status < 300:
            return response.status, ""
        # UTF-8 it should be; editors on Windows also save as UTF-16, with its mark.
        encoding, mark = read_bom(response.body)
        text = response.body[:ROBOTS_LIMIT].removeprefix(mark or b"")
        return response.status, text.decode(encoding or "utf-8", errors="replace")

    def _check(self, request: Request, rules: _Rules) -> None:
        if any(covers(entry, request.url) for entry in self._allowed):
            return
        reason = rules.closed
        if reason is None and not rules.parser.can_fetch(request.url, self._agent):
            reason = f"robots.txt forbids it for {self._agent}"
        if reason:
            count(self._crawler, "robots/refused")
            logger.info("Not fetched: %s: %s", show_url(request.url), reason)
            refusal = ClosedByRobots if rules.closed is None else RobotsUnreachable
            raise refusal(f"{show_url(request.url)}: {reason}")


def _closed(reason: str) -> _Rules:
    return _Rules(Protego.parse(""), reason)
