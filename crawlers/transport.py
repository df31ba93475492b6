"""How requests travel: through a proxy, or with the TLS of older servers.

Both hold for all that a source asks for (robots.txt, lists, articles, files, and what they are redirected to). So
sources that travel alike have a crawler of their own, and its settings say how.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from scrapy import Spider
from scrapy.http import Request, Response
from twisted.internet.ssl import AcceptableCiphers, optionsForClientTLS
from twisted.web.client import BrowserLikePolicyForHTTPS

import crawlers.settings
from crawlers.certificates import explain_refusals
from crawlers.guard import BoundedHandler
from crawlers.source import Source

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from configuration import Configuration

SpiderType = TypeVar("SpiderType", bound=Spider)


@dataclass(frozen=True, slots=True)
class Transport:
    """What a source states of its way: the name of a proxy (`direct`: none; "": that of all sources), its TLS."""

    proxy: str
    legacy_tls: bool


def group_sources(sources: Iterable[Source]) -> dict[Transport, list[Source]]:
    """The sources by how they travel, in their order."""
    groups: dict[Transport, list[Source]] = {}
    for source in sources:
        groups.setdefault(Transport(source.proxy, source.legacy_tls), []).append(source)
    return groups


def send_by(transport: Transport, spider: type[SpiderType], **settings: object) -> type[SpiderType]:
    """The spider with a crawler's settings for this way; `settings` are further ones for the crawler."""
    handlers = {**crawlers.settings.DOWNLOAD_HANDLERS, "https": "crawlers.transport.LegacyTlsHandler"}
    ours = {
        **(spider.custom_settings or {}),
        **settings,
        **({"IPRWATCH_PROXY": transport.proxy} if transport.proxy else {}),
        **({"DOWNLOAD_HANDLERS": handlers} if transport.legacy_tls else {}),
    }
    return type(spider.__name__, (spider,), {"custom_settings": ours, "__module__": spider.__module__})


class ProxyMiddleware:
    """Sends requests through the proxy that the crawler's settings name, else through that of the configuration.

    Without either nothing is changed: Scrapy then reads `http_proxy` and the like from the environment.
    """

    def __init__(self, configuration: Configuration, name: str) -> None:
        self._chosen = bool(name)
        self._url = configuration.proxy_url(name) if name else None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises ConfigurationError for a proxy whose address can't be read."""
        configuration: Configuration = crawler.settings["IPRWATCH_CONFIGURATION"]
        recorded = crawler.settings.get("IPRWATCH_REPLAY") is not None
        name = crawler.settings.get("IPRWATCH_PROXY") or configuration.proxy
        return cls(configuration, "" if recorded else name)

    def process_request(self, request: Request) -> None:
        if self._chosen:
            request.meta.setdefault("proxy", self._url)


class LegacyTlsHandler(BoundedHandler):
    """Scrapy's handler for https with OpenSSL's security level 1; certificates are verified as ever.

    OpenSSL's own level is 2. Level 1 also takes keys of 1024 bits and signatures with SHA-1, which some
    government servers still have. Scrapy's setting of ciphers can't say so: Twisted reads only their names out of it.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        if not hasattr(self, "_contextFactory"):
            raise TypeError(
                "Scrapy's handler takes its policy for TLS from elsewhere; `legacy_tls` has no effect."
            )
        self._contextFactory = cast(Any, _LevelOne())  # type: ignore[no-untyped-call]

    async def download_request(self, request: Request) -> Response:
        """The answer; raises what Scrapy's handler raises, and CertificateRefused."""
        with explain_refusals(request):
            return await super().download_request(request)


class _LevelOne(BrowserLikePolicyForHTTPS):
    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:  # noqa: N802 (Twisted's name)
        return optionsForClientTLS(
            hostname.decode("ascii"), extraCertificateOptions={"acceptableCiphers": _LeveledCiphers()}
        )


class _Level:
    """Twisted's ICipher."""

    fullName = "@SECLEVEL=1"  # noqa: N815 (Twisted's name)


class _LeveledCiphers:
    """Twisted's IAcceptableCiphers: OpenSSL's default ciphers, and the level as the last word of their list."""

    def selectCiphers(self, availableCiphers: Sequence[Any]) -> tuple[Any, ...]:  # noqa: N802, N803
        known: Any = AcceptableCiphers.fromOpenSSLCipherString("DEFAULT:@SECLEVEL=1")  # type: ignore[no-untyped-call]
        return (*known.selectCiphers(availableCiphers), _Level())
