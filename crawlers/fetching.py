"""One page, fetched as politely and as guarded as any crawl does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Self

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from configuration import Configuration
from crawlers.crawl import build_settings
from crawlers.page import Page
from crawlers.spider import to_page
from errors import IprwatchError


class FetchError(IprwatchError):
    """A page could not be fetched. Raised by `fetch_page`; says why and what else can be done."""


class _PageSpider(Spider):
    name = "page"

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.page: Page | None = None
        self.reason = "no answer came"

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **arguments: Any) -> Self:
        spider = cls(arguments["url"])
        spider._set_crawler(crawler)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        yield Request(self.url, callback=self.take, errback=self.fail, dont_filter=True)

    def take(self, response: Response) -> None:
        self.page = to_page(response)

    def fail(self, failure: Failure) -> None:
        self.reason = failure.getErrorMessage()


def fetch_page(configuration: Configuration, url: str) -> Page:
    """Fetch one URL. Runs once in a process. Raises FetchError, and ConfigurationError without a contact."""
    settings = build_settings(configuration, None)
    settings.setdict({"ITEM_PIPELINES": {}, "EXTENSIONS": {}}, priority="cmdline")
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(_PageSpider)
    process.crawl(crawler, url=url)
    process.start()
    spider: Any = crawler.spider
    if spider is None or spider.page is None:
        reason = spider.reason if spider else "the fetch did not start"
        raise FetchError(f"{url} could not be fetched: {reason}. A saved copy can be given with --file.")
    page: Page = spider.page
    return page
