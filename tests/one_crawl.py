"""One real crawl in a process of its own: JSON in (urls, settings), JSON out (outcomes, stats)."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response
from twisted.python.failure import Failure

ORDER = json.load(sys.stdin)
OUTCOMES: dict[str, str] = {}


class Walker(scrapy.Spider):
    """Fetches the URLs and follows every link that it finds; writes down what became of each."""

    name = "walker"

    async def start(self) -> AsyncIterator[Any]:
        for url in ORDER["urls"]:
            yield self.ask(url)

    def ask(self, url: str) -> scrapy.Request:
        return scrapy.Request(
            url, callback=self.parse, errback=self.note, dont_filter=True, cb_kwargs={"asked": url}
        )

    def parse(self, response: Response, asked: str) -> Iterator[scrapy.Request]:
        OUTCOMES[asked] = str(response.status)
        for link in response.css("a::attr(href)").getall():
            yield self.ask(response.urljoin(link))

    def note(self, failure: Failure) -> None:
        asked = failure.request.cb_kwargs["asked"]
        OUTCOMES[asked] = f"{type(failure.value).__name__}: {failure.value}"


process = AsyncCrawlerProcess(ORDER["settings"])
crawler = process.create_crawler(Walker)
process.crawl(crawler)
process.start()
json.dump({"outcomes": OUTCOMES, "stats": crawler.stats.get_stats()}, sys.stdout, default=str)
