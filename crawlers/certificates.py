"""Certificates are verified, but for the hosts of sources with `verify_certificate = false`."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Request, Response
from scrapy.settings import Settings

from crawlers.source import Source

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class HttpsHandler(BaseDownloadHandler):
    """The download handler for https. Reads the setting IPRWATCH_UNVERIFIED_HOSTS, a list of host names.

    An exception ends at its host: where that leads to another one, the other's certificate is verified.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._verifying = HTTP11DownloadHandler(crawler)
        self._exceptions = frozenset(crawler.settings.getlist("IPRWATCH_UNVERIFIED_HOSTS"))
        # Whether to verify is a setting of all of a handler's requests, so the exceptions have one of their own.
        # A copy of frozen settings would be frozen too.
        lenient = copy.copy(crawler)
        lenient.settings = Settings(crawler.settings)
        lenient.settings.set("DOWNLOAD_VERIFY_CERTIFICATES", False, priority="cmdline")
        self._trusting = HTTP11DownloadHandler(lenient) if self._exceptions else None

    async def download_request(self, request: Request) -> Response:
        """The answer; raises what Scrapy's handler raises, DownloadFailedError for a certificate that is refused."""
        if self._trusting is not None and urlsplit(request.url).hostname in self._exceptions:
            return await self._trusting.download_request(request)
        return await self._verifying.download_request(request)

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._verifying.close()
        if self._trusting is not None:
            await self._trusting.close()


def unverified_hosts(sources: Iterable[Source]) -> list[str]:
    """The hosts whose certificates are not verified, as sources say."""
    hosts = (urlsplit(source.url).hostname for source in sources if not source.verify_certificate)
    return sorted({host for host in hosts if host})
