"""The pipeline as a Scrapy component: wrapped here once, so that no step knows Scrapy."""

from __future__ import annotations

import asyncio
from typing import Any, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler

from crawlers.pipeline_process import PipelineProcess
from crawlers.pipeline_server import Setup
from pipeline.record import Sighting


class PipelineStep:
    """Sighting -> rows: all of `pipeline.STEPS`. An item counts as scraped only when its transaction is committed.

    One component, since every component costs an item a walk through Scrapy. It passes notices on to the pipeline of
    the crawl; a spider that was started by itself has one of its own.
    """

    def __init__(self, crawler: Crawler, process: PipelineProcess, *, is_own: bool) -> None:
        self._crawler = crawler
        self._process = process
        self._is_own = is_own

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises ConfigurationError for a lexicon or court codes that can't be used."""
        spider: Any = crawler.spider
        process = spider.pipeline
        if process is None:
            leases = crawler.settings.getlist("IPRWATCH_LEASES")
            process = PipelineProcess(Setup.of(spider.configuration, leases))
        step = cls(crawler, process, is_own=spider.pipeline is None)
        crawler.signals.connect(step._expect, signals.request_scheduled)
        return step

    def _expect(self, request: Request) -> None:
        if not request.meta.get("is_list"):
            self._process.expect()

    async def process_item(self, item: Sighting) -> Sighting:
        """Raises PipelineError when the notice was not stored."""
        written = await self._process.take(item)
        spider: Any = self._crawler.spider
        watch = spider.watches[item.context.source_key]
        if item.context.recheck:
            watch.count("recheck edited" if written.outcome == "edited" else "recheck unchanged")
        else:
            watch.count(written.outcome)
        watch.count("alerts", written.deliveries)
        watch.coverage.update(written.filled)
        return item

    async def close_spider(self) -> None:
        if self._is_own:
            await asyncio.to_thread(self._process.close)
