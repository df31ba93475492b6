"""The guard of every crawl: only http(s), only public addresses, checked when the connection is made.

Settings: `TWISTED_DNS_RESOLVER = "crawlers.guard.PublicResolver"` (works only process-wide, not in a spider's
custom_settings); GuardMiddleware after HttpProxyMiddleware, so that the proxy is checked too;
`IPRWATCH_ALLOWED_PRIVATE`, the "host:port" pairs of private servers that the operator allows.

What it can't see: with a proxy, names are resolved by the proxy; then only literal addresses in URLs, and the
proxy itself, are checked. Download handlers that aren't Twisted's ignore the resolver.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import CannotResolveHostError, IgnoreRequest
from scrapy.http import Request, Response
from scrapy.resolver import CachingHostnameResolver
from scrapy.utils.datatypes import LocalCache
from scrapy.utils.url import add_http_if_no_scheme
from twisted.internet.interfaces import IAddress, IHostResolution, IResolutionReceiver
from twisted.python.failure import Failure
from twisted.web._newclient import BODY

from errors import ConfigurationError
from outgoing import NOBODY, Pairs, Refused, check_address, check_url, read_allowed_private, show_url

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from twisted.internet.base import ReactorBase

logger = logging.getLogger(__name__)

LARGEST_HEAD = 256 * 1024
"""Bytes of status lines and headers that an answer may have; usual ones have a few KiB."""


class RefusedRequest(Refused, IgnoreRequest):
    """`Refused` inside a crawl: raised by GuardMiddleware, counted as `guard/refused`."""


class TooLarge(IgnoreRequest):
    """A body that is larger than DOWNLOAD_MAXSIZE when it is unpacked. Raised by UnpackingMiddleware."""


class UnpackingMiddleware(HttpCompressionMiddleware):
    """Unpacks bodies up to DOWNLOAD_MAXSIZE, and lets go of what it had unpacked of a larger one.

    The library's own refusal holds on to it through its traceback, as long as the failed request is remembered.
    """

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Raises TooLarge."""
        try:
            return super().process_response(request, response)
        except IgnoreRequest:
            size = len(response.body)
        raise TooLarge(f"{show_url(request.url)}: its {size} bytes unpack to more than a page may have")


class HeadTooLarge(Exception):
    """An answer whose headers don't end. Raised by BoundedHandler; Scrapy makes a failed download of it."""


class BoundedHandler(HTTP11DownloadHandler):
    """Scrapy's handler, with a bound on an answer's head: Twisted keeps every header line that comes, and
    DOWNLOAD_MAXSIZE counts the body only.

    Neither has a hook that sees a head before its end, so names of theirs are used that another version may change
    (Scrapy 2.19, Twisted 26.10): the range in pyproject.toml is that narrow for it.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = _BoundedFactory


class _BoundedFactory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: IAddress | None) -> _BoundedProtocol:  # noqa: N802 (Twisted's name)
        return _BoundedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class _BoundedProtocol(_LenientHTTP11ClientProtocol):
    _head = 0

    def request(self, request: Any) -> Any:
        self._head = 0
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if self._parser is not None and self._parser.state != BODY:
            self._head += len(data)
        if self._head > LARGEST_HEAD:
            reason = Failure(HeadTooLarge(f"headers of more than {LARGEST_HEAD} bytes"))  # type: ignore[no-untyped-call]
            self._giveUp(reason)  # type: ignore[no-untyped-call]
        else:
            super().dataReceived(data)  # type: ignore[no-untyped-call]


class PublicResolver(CachingHostnameResolver):
    """Resolves names for Scrapy's Twisted handlers and hands out public addresses only.

    It is asked for every connection, also for literal addresses, so a name that changes its address
    between two look-ups gains nothing. `refusals` keeps, by host, why the last look-up was refused.
    """

    def __init__(self, reactor: ReactorBase, cache_size: int) -> None:
        super().__init__(reactor, cache_size)
        self.allowed_private: Pairs = NOBODY
        self.refusals: LocalCache[str, str] = LocalCache(1000)

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: ReactorBase) -> Self:
        resolver = super().from_crawler(crawler, reactor)
        resolver.allowed_private = _allowed_private(crawler)
        return resolver

    def resolveHostName(  # noqa: N802 (Twisted's name)
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        receiver = _PublicOnly(resolutionReceiver, hostName, portNumber, self.allowed_private, self.refusals)
        return super().resolveHostName(
            cast("IResolutionReceiver", receiver), hostName, portNumber, addressTypes, transportSemantics
        )


class _PublicOnly:
    """Stands before a Twisted IResolutionReceiver."""

    def __init__(
        self,
        receiver: Any,  # zope's interfaces are no types
        host: str,
        port: int,
        allowed_private: Pairs,
        refusals: LocalCache[str, str],
    ) -> None:
        self._receiver = receiver
        self._host = host
        self._port = port
        self._allowed_private = allowed_private
        self._refusals = refusals

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:  # noqa: N802, N803
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        try:
            check_address(self._host, address.host, self._port, self._allowed_private)
        except Refused as refused:
            self._refusals[self._host] = refused.rule
        else:
            self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        self._receiver.resolutionComplete()


class GuardMiddleware:
    """Refuses requests that `check_url` refuses, and names the reason where the resolver refused a host.

    Redirects, meta refreshes and retries are new requests and pass here again.
    """

    def __init__(self, crawler: Crawler, allowed_private: Pairs) -> None:
        self._crawler = crawler
        self._allowed_private = allowed_private

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, _allowed_private(crawler))

    async def process_request(self, request: Request) -> None:
        """Raises RefusedRequest, and ConfigurationError when the process resolves names by another way."""
        _running_resolver()
        proxy: str | None = request.meta.get("proxy")
        try:
            check_url(request.url, self._allowed_private)
            if proxy:
                check_url(add_http_if_no_scheme(proxy), self._allowed_private)
        except Refused as refused:
            raise self._refuse(refused.rule, request) from refused

    async def process_exception(self, request: Request, exception: Exception) -> None:
        """Raises RefusedRequest for a look-up that found an address, but none that may be contacted."""
        if isinstance(exception, CannotResolveHostError):
            rule = _running_resolver().refusals.get(urlsplit(request.url).hostname or "")
            if rule:
                raise self._refuse(rule, request) from exception

    def _refuse(self, rule: str, request: Request) -> RefusedRequest:
        count(self._crawler, "guard/refused")
        refused = RefusedRequest(rule, request.url)
        logger.warning("%s", refused)
        return refused


def _running_resolver() -> PublicResolver:
    from twisted.internet import reactor  # importing it any earlier would install one

    resolver = getattr(reactor, "nameResolver", None)
    if not isinstance(resolver, PublicResolver):
        raise ConfigurationError(
            "TWISTED_DNS_RESOLVER must be crawlers.guard.PublicResolver in the process-wide settings of Scrapy: "
            "nothing is fetched without it."
        )
    return resolver


def _allowed_private(crawler: Crawler) -> Pairs:
    return read_allowed_private(crawler.settings.getlist("IPRWATCH_ALLOWED_PRIVATE"))


def count(crawler: Crawler, stat: str) -> None:
    """Add one to a stat of the crawl."""
    if crawler.stats:
        crawler.stats.inc_value(stat)
