"""The pipeline's steps as Scrapy components: wrapped here once, so that no step knows Scrapy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Self

from scrapy.crawler import Crawler

from pipeline import ENRICHING, STEPS, add_topics
from pipeline.alerts.rules import Rules
from pipeline.normalize import normalize
from pipeline.record import Record, Sighting
from pipeline.store.batch import BatchWriter
from pipeline.store.write import write_records
from pipeline.topics import Lexicon, load_lexicon


class NormalizeStep:
    """Sighting -> Record."""

    def process_item(self, item: Sighting) -> Record:
        """Raises ValueError for a notice without a title."""
        return normalize(item.notice, item.context)


class TopicsStep:
    """Judges topics by the operator's lexicon where the configuration names one."""

    def __init__(self, lexicon: Lexicon | None) -> None:
        self._lexicon = lexicon

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises ConfigurationError for a lexicon that can't be used."""
        path = crawler.settings["IPRWATCH_CONFIGURATION"].lexicon
        return cls(load_lexicon(path) if path else None)

    def process_item(self, item: Record) -> Record:
        return add_topics(item, self._lexicon)


class StoreStep:
    """Record -> rows. An item counts as scraped only when its transaction has been committed.

    `dedupe` and `store` are one component, since known, edited or new is decided inside the transaction.
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
        spider.watches[item.context.source_key].count(written.outcome)
        spider.watches[item.context.source_key].count("alerts", written.deliveries)
        return item

    async def close_spider(self) -> None:
        if self._writer is not None:
            await asyncio.to_thread(self._writer.close)


def item_pipelines() -> dict[type, int]:
    """ITEM_PIPELINES in the order of STEPS."""
    classes: dict[str, type] = {name: _wrap(name, function) for name, function in ENRICHING.items()}
    classes |= {"normalize": NormalizeStep, "topics": TopicsStep, "store": StoreStep}
    return {classes[name]: 100 * place for place, name in enumerate(STEPS, start=1) if name != "dedupe"}


def _wrap(name: str, function: Callable[[Record], Record]) -> type:
    def process_item(_self: object, item: Record) -> Record:
        return function(item)

    return type(f"{name.title()}Step", (), {"process_item": process_item, "__module__": __name__})
