"""The pipeline as a Scrapy component: wrapped here once, so that no step knows Scrapy."""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler

from crawlers.pipeline_process import PipelineProcess, Setup
from pipeline.alerts.rules import Rules
from pipeline.record import Sighting


class PipelineStep:
    """Sighting -> rows: all of `pipeline.STEPS`. An item counts as scraped only when its transaction is committed.

    One component, since every component costs an item a walk through Scrapy.
    """

    def __init__(self, crawler: Crawler, process: PipelineProcess) -> None:
        self._crawler = crawler
        self._process = process

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises ConfigurationError for a lexicon or court codes that can't be used."""
        spider: Any = crawler.spider
        configuration = spider.configuration
        setup = Setup(
            database_url=configuration.database_url,
            leases=tuple(crawler.settings.getlist("IPRWATCH_LEASES")),
            rules=Rules(configuration.all_rules()),
            lexicon=configuration.lexicon,
            court_codes=configuration.court_codes,
        )
        return cls(crawler, PipelineProcess(setup, spider.engine))

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
        await self._process.close()
