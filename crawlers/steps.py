"""The pipeline's steps as Scrapy components: wrapped here once, so that no step knows Scrapy."""

from __future__ import annotations

import asyncio
from typing import Any, Self

from scrapy.crawler import Crawler

from crawlers.interpreter import Interpreter
from pipeline import ENRICHING, STEPS
from pipeline.alerts.rules import Rules
from pipeline.record import Record, Sighting
from pipeline.store.batch import BatchWriter
from pipeline.store.write import write_records


class InterpretStep:
    """Sighting -> Record: all steps that need no database, as `pipeline.interpret` takes them in order.

    One component, since every component costs an item a walk through Scrapy.
    """

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises ConfigurationError for a lexicon or court codes that can't be used."""
        configuration = crawler.settings["IPRWATCH_CONFIGURATION"]
        return cls(Interpreter(configuration.lexicon, configuration.court_codes))

    async def process_item(self, item: Sighting) -> Record:
        """Raises ValueError for a notice without a title, and InterpretingError."""
        return await self._interpreter.interpret(item)

    async def close_spider(self) -> None:
        await self._interpreter.close()


class StoreStep:
    """Record -> rows. An item counts as scraped only when its transaction has been committed.

    Known, edited or new, and the story, are decided inside the transaction.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._writer: BatchWriter | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def open_spider(self) -> None:
        spider: Any = self._crawler.spider
        rules = Rules(spider.configuration.rules)
        self._writer = BatchWriter(lambda records: write_records(spider.engine, records, rules))

    async def process_item(self, item: Record) -> Record:
        """Raises StoreError when the record could not be stored."""
        assert self._writer is not None
        written = await asyncio.wrap_future(self._writer.submit(item))
        spider: Any = self._crawler.spider
        watch = spider.watches[item.context.source_key]
        if item.context.recheck:
            watch.count("recheck edited" if written.outcome == "edited" else "recheck unchanged")
        else:
            watch.count(written.outcome)
        watch.count("alerts", written.deliveries)
        return item

    async def close_spider(self) -> None:
        if self._writer is not None:
            await asyncio.to_thread(self._writer.close)


# The component that takes each step of STEPS.
COMPONENTS: dict[str, type] = dict.fromkeys(("normalize", *ENRICHING), InterpretStep) | {"store": StoreStep}


def item_pipelines() -> dict[type, int]:
    """ITEM_PIPELINES in the order of STEPS."""
    components = dict.fromkeys(COMPONENTS[name] for name in STEPS)
    return {component: 100 * place for place, component in enumerate(components, start=1)}
