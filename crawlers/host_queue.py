"""The requests that wait to be sent, host by host, so that a slow host holds up no other.

In Scrapy's own queue a host that has to be waited for fills the downloader with its requests, and all others stand
behind them. Here a host has at most two there: one that is sent, and one that waits for its turn.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from typing import TYPE_CHECKING, Self

from scrapy.core.scheduler import BaseScheduler
from scrapy.http import Request
from scrapy.utils.httpobj import urlparse_cached

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

AHEAD = 2


class HostQueue(BaseScheduler):
    """Hands out the hosts' requests in turn; of one host the highest priority first, then as they came.

    Nothing is filtered: the spiders know what they asked for.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._waiting: dict[str, list[tuple[int, int, Request]]] = {}
        self._number = itertools.count()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def has_pending_requests(self) -> bool:
        return bool(self._waiting)

    def enqueue_request(self, request: Request) -> bool:
        waiting = self._waiting.setdefault(_host(request), [])
        heapq.heappush(waiting, (-request.priority, next(self._number), request))
        return True

    def next_request(self) -> Request | None:
        """None where every host that has requests is busy; the engine asks again when one of them has ended."""
        assert self._crawler.engine
        busy = Counter(map(_host, self._crawler.engine.downloader.active))
        host = next((host for host in self._waiting if busy[host] < AHEAD), None)
        if host is None:
            return None
        waiting = self._waiting.pop(host)
        request = heapq.heappop(waiting)[-1]
        if waiting:
            self._waiting[host] = waiting  # behind the others
        return request


def _host(request: Request) -> str:
    return urlparse_cached(request).hostname or ""
