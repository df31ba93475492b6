"""Certificates are verified, but for the hosts of sources with `verify_certificate = false`."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from OpenSSL import SSL
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.exceptions import DownloadFailedError
from scrapy.http import Request, Response
from scrapy.settings import Settings
from service_identity import VerificationError

from crawlers.guard import BoundedHandler
from crawlers.source import Source

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class CertificateRefused(DownloadFailedError):
    """The certificate of a host can't be trusted, or is another host's. Raised by the download handlers for https."""


@contextmanager
def explain_refusals(request: Request) -> Iterator[None]:
    """Say in words where a download failed for a certificate. Raises CertificateRefused."""
    try:
        yield
    except DownloadFailedError as error:
        causes = [failure.value for failure in getattr(error.__cause__, "reasons", ())]
        host = urlsplit(request.url).hostname
        if any(isinstance(cause, VerificationError) for cause in causes):
            raise CertificateRefused(f"the certificate of {host} is another host's") from error
        for cause in causes:
            if isinstance(cause, SSL.Error) and "certificate" in str(cause):
                # OpenSSL's words are the last of each triple: library, function, reason.
                words = cause.args[0][0][-1] if cause.args and cause.args[0] else str(cause)
                raise CertificateRefused(f"the certificate of {host} is refused: {words}") from error
        raise


class HttpsHandler(BaseDownloadHandler):
    """The download handler for https. Reads the setting IPRWATCH_UNVERIFIED_HOSTS, a list of host names.

    An exception ends at its host: where that leads to another one, the other's certificate is verified.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._verifying = BoundedHandler(crawler)
        self._exceptions = frozenset(crawler.settings.getlist("IPRWATCH_UNVERIFIED_HOSTS"))
        # Whether to verify is a setting of all of a handler's requests, so the exceptions have one of their own.
        # A copy of frozen settings would be frozen too.
        lenient = copy.copy(crawler)
        lenient.settings = Settings(crawler.settings)
        lenient.settings.set("DOWNLOAD_VERIFY_CERTIFICATES", False, priority="cmdline")
        self._trusting = BoundedHandler(lenient) if self._exceptions else None

    async def download_request(self, request: Request) -> Response:
        """The answer; raises what Scrapy's handler raises, and CertificateRefused."""
        if self._trusting is not None and urlsplit(request.url).hostname in self._exceptions:
            return await self._trusting.download_request(request)
        with explain_refusals(request):
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
