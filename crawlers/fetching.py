"""One page, fetched as politely and as guarded as any crawl does; the settings of all fetching that stores no item."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.http import Response
from scrapy.settings import Settings
from twisted.python.failure import Failure

from configuration import Configuration
from crawlers.answers import to_page
from crawlers.crawl import build_settings, make_data_folder
from crawlers.errors import describe_error
from crawlers.log_format import shorten_twisted
from crawlers.page import Page
from crawlers.permissions import allowed_prefixes, suggest_permission
from crawlers.robots import ClosedByRobots, RobotsUnreachable
from errors import IprwatchError
from pipeline.store.session import open_engine


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
        try:
            request = Request(self.url, callback=self.take, errback=self.fail, dont_filter=True)
        except ValueError:
            self.reason = "it is no http(s) URL"
            return
        yield request

    def take(self, response: Response) -> None:
        self.page = to_page(response)

    def fail(self, failure: Failure) -> None:
        error = failure.value
        assert error is not None
        self.reason = describe_error(error)
        if isinstance(error, ClosedByRobots) and not isinstance(error, RobotsUnreachable):
            request: Request = failure.request  # type: ignore[attr-defined]
            self.reason += f". {suggest_permission(request.url)}"


def fetch_page(configuration: Configuration, url: str) -> Page:
    """Fetch one URL. Runs once in a process.

    Raises FetchError, ConfigurationError without a contact, and StoreError as `build_looking_settings` does.
    """
    process = AsyncCrawlerProcess(build_looking_settings(configuration, None))
    shorten_twisted()
    crawler = process.create_crawler(_PageSpider)
    process.crawl(crawler, url=url)
    process.start()
    spider: Any = crawler.spider
    if spider is None or spider.page is None:
        reason = spider.reason if spider else "the fetch did not start"
        raise FetchError(f"{url} could not be fetched: {reason}. A saved copy can be given with --file.")
    page: Page = spider.page
    return page


def build_looking_settings(configuration: Configuration, replay: Path | None) -> Settings:
    """The settings of a crawl without its pipelines and run rows; permissions on record hold here too.

    Raises ConfigurationError as `build_settings` does, and when the data folder, which holds the log, can't be made;
    StoreError when the database, which knows whose turn it is at a host, can't be opened.
    """
    settings = build_settings(configuration, replay)
    settings.setdict({"ITEM_PIPELINES": {}, "EXTENSIONS": {}}, priority="cmdline")
    make_data_folder(configuration)
    if replay is None:
        engine = open_engine(configuration.database_url)
        settings["IPRWATCH_ROBOTS_ALLOWED"].extend(allowed_prefixes(engine))
        engine.dispose()
    return settings
