"""What a page costs from the socket to the committed row, step by step, beside what one would write instead.

    python -m benchmarks.throughput [--pages 2000] [--rounds 1]

`benchmarks.loopback_site` runs in a process of its own; three crawls, each in a new
process, ask it for the same articles of www.court.gov.cn, 60 KB each:

- *iprwatch*: `crawlers.crawl.crawl` as the command calls it, every step on: guard, robots.txt, lists (20
  articles a page), archive with sync, reading, dates, facts, two alert rules, the write transaction on an SQLite
  file with synchronous=FULL, outbox rows, run rows. `delay` is 0 and the site has two host names, so the work
  is measured and not the pauses of politeness.
- *trivial*: the same Scrapy settings, guard and robots.txt; no lists, a callback that does nothing.
- *naive*: Scrapy's defaults; the same lists and articles, each page whole through BeautifulSoup(lxml),
  `dateparser.parse` on the printed date, and for every item an ORM select, add and commit on an SQLite file. It keeps
  no bytes, versions or facts.

pages/s is by the wall clock from the first answer (robots.txt) to the end of the spider, so imports don't
count; CPU is that of the crawling process from then to its end, threads and kernel included, and all of that of the
processes which interpret and store for it, their start too. Of several rounds, the one with the least CPU counts. The
ratio is pages/s against naive.

The steps are then timed one by one, in one thread, over the same pages: the CPU of each step's own function.
`fetch + Scrapy` is the trivial crawl; `wiring` is what the whole crawl costs beyond the steps (items between
components, threads, lists). A crawl that doesn't account for every page ends the benchmark.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import dateparser
import scrapy
from bs4 import BeautifulSoup
from rich.console import Console
from rich.table import Table
from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response
from scrapy.settings import Settings
from sqlalchemy import String, Text, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.loopback_site import ENTRIES, HOSTS, Site, lead_to_loopback, serve
from configuration import Configuration
from crawlers.archive import Archive
from crawlers.crawl import build_settings, crawl
from crawlers.notice import ListEntry, Notice, PrintedDate
from crawlers.page import Page
from crawlers.pipeline_server import forked_server
from crawlers.readers import reader_for
from crawlers.runs import open_watch
from crawlers.spider import FamilySpider
from pipeline import ENRICHING
from pipeline.alerts.rules import Recipient, Rule, Rules
from pipeline.normalize import normalize
from pipeline.record import Context, Record
from pipeline.store.session import open_engine
from pipeline.store.write import write_records

SPAWN = multiprocessing.get_context("spawn")
BATCH = 100  # records a transaction, as `crawlers.pipeline_process` stores them
LIST = "http://www.court.gov.cn:{port}/fabu/gengduo/16.html"
SOURCE = f"""
[court_benchmark]
reader = "court_gov"
url = "{LIST}"
name_zh = "最高人民法院 司法解释"
name_en = "SPC judicial interpretations"
publisher_zh = "最高人民法院"
publisher_en = "Supreme People's Court"
topics = ["law", "court"]
crontab = "20 8,12,17 * * mon-fri"
least = 5
depth = 100
proven = true
"""
LOG = (Recipient(channel="log"),)
RULES = (
    Rule(name="Trademarks", words=("商标", "trademark"), send=LOG),
    Rule(name="Law", words=("司法解释", "办法", "规定", "公告"), topics=("law",), send=LOG),
)

Value = TypeVar("Value")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Order:
    """What a measuring process needs: the site's port, an empty folder, and the number of pages."""

    port: int
    folder: Path
    pages: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall clock and of CPU for `pages` pages."""

    wall: float
    cpu: float
    pages: int

    @property
    def rate(self) -> float:
        """Pages a second of wall clock."""
        return self.pages / self.wall

    @property
    def milliseconds(self) -> float:
        """Of CPU, a page."""
        return 1000 * self.cpu / self.pages


class Stopwatch:
    """Measures from the first reading of the clock to the last."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._last = 0.0

    def read(self, *_: object) -> None:
        self._last = time.perf_counter()
        self._first = self._first or (self._last, _cpu())

    def cost(self, pages: int) -> Cost:
        """Of what lay between, and the CPU until now: to ask for it at every page would itself cost a twentieth of
        what is measured."""
        assert self._first
        return Cost(self._last - self._first[0], _cpu() - self._first[1], pages)


def _cpu() -> float:
    """Seconds of this process and of those that it has waited for."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


# --- The crawls: each of these runs in a process of its own, since a reactor can't restart ---


def run_iprwatch(order: Order) -> Cost:
    """The whole product. Raises RuntimeError when the run isn't ok with every page new."""
    lead_to_loopback()
    configuration = _configure(order)
    watch = Stopwatch()
    sources = configuration.load_sources().values()
    with forked_server() as server:
        outcome, *_ = crawl(configuration, sources, alert_baseline=True, progress=watch.read, server=server)
    if (outcome.state, outcome.counts.get("new")) != ("ok", order.pages):
        raise RuntimeError(f"{outcome.state}: {outcome.reason}; {outcome.counts}")
    return watch.cost(order.pages)


def run_trivial(order: Order) -> Cost:
    """Fetching alone. Raises RuntimeError when a page is missing."""
    lead_to_loopback()
    configuration = _configure(order)
    configuration.data.mkdir()
    settings = build_settings(configuration, None)
    settings.setdict(
        {**FamilySpider.custom_settings, "ITEM_PIPELINES": {}, "EXTENSIONS": {}}, priority="cmdline"
    )
    return _crawl(settings, TrivialSpider, order, Site(order.pages, order.port).article_urls, order.pages)


def run_naive(order: Order) -> Cost:
    """What one would write. Raises RuntimeError when an item is missing."""
    lead_to_loopback()
    settings = Settings(
        {
            "ROBOTSTXT_OBEY": True,
            "LOG_LEVEL": "WARNING",
            "TELNETCONSOLE_ENABLED": False,
            "REMOTE_CONTROL_ENABLED": False,
            "TWISTED_DNS_RESOLVER": "scrapy.resolver.CachingHostnameResolver",
            "ITEM_PIPELINES": {NaivePipeline: 300},
            "NAIVE_DATABASE": f"sqlite:///{order.folder / 'naive.db'}",
        }
    )
    lists = -(-order.pages // ENTRIES)
    cost = _crawl(settings, NaiveSpider, order, [LIST.format(port=order.port)], lists + order.pages)
    with Session(create_engine(settings["NAIVE_DATABASE"])) as session:
        stored = len(session.scalars(select(NaiveItem.url)).all())
    if stored != order.pages:
        raise RuntimeError(f"The naive crawl stored {stored} of {order.pages} pages.")
    return cost


def _configure(order: Order) -> Configuration:
    sources = order.folder / "sources.toml"
    sources.write_text(SOURCE.format(port=order.port), encoding="utf-8")
    return Configuration(
        data=order.folder / "data",
        contact="benchmark@example.org",
        delay=0,
        built_in_sources=False,
        source_files=(sources,),
        allowed_private=tuple(f"{host}:{order.port}" for host in HOSTS),
        channels={"log": {"kind": "file", "path": str(order.folder / "alerts.jsonl")}},
        rules=RULES,
    )


def _crawl(
    settings: Settings, spider: type[TrivialSpider], order: Order, urls: Sequence[str], pages: int
) -> Cost:
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(spider)
    watch = Stopwatch()
    crawler.signals.connect(watch.read, signals.response_received, weak=False)
    crawler.signals.connect(watch.read, signals.spider_closed, weak=False)
    process.crawl(crawler, urls=urls)
    process.start()
    answered = crawler.stats.get_value("response_received_count") if crawler.stats else 0
    if answered != pages + 2:
        raise RuntimeError(f"{spider.name}: {answered} answers for {pages} pages and 2 robots.txt.")
    return watch.cost(order.pages)


class TrivialSpider(scrapy.Spider):
    """Asks for every URL and does nothing with the answers."""

    name = "trivial"

    def __init__(self, urls: Sequence[str]) -> None:
        super().__init__()
        self.urls = urls

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for url in self.urls:
            yield scrapy.Request(url)

    def parse(self, response: Response) -> Iterator[Any]:
        yield from ()


class NaiveSpider(TrivialSpider):
    """Reads pages as tutorials show it, without a thought for what may be missing."""

    name = "naive"

    def parse(self, response: Response) -> Iterator[Any]:
        soup = BeautifulSoup(response.body, "lxml")
        for link in soup.select("div.sec_list > ul > li > a, li.next:not(.hidden) > a"):
            read = self.parse if link.parent.get("class") else self.parse_article  # type: ignore[union-attr]
            yield response.follow(link["href"], read)  # type: ignore[attr-defined]

    def parse_article(self, response: Response) -> Iterator[Any]:
        soup = BeautifulSoup(response.body, "lxml")
        publisher, published = (item.get_text() for item in soup.select("ul.message li"))
        yield {
            "url": response.url,
            "title": soup.select_one("div.detail div.title").get_text(strip=True),  # type: ignore[union-attr]
            "publisher": publisher.removeprefix("来源："),
            "published": dateparser.parse(published.removeprefix("发布时间：")),
            "body": soup.select_one("div.txt_txt").get_text("\n", strip=True),  # type: ignore[union-attr]
        }


class NaiveBase(DeclarativeBase):
    """The tables of the naive crawl."""


class NaiveItem(NaiveBase):
    """An article of the naive crawl."""

    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(String(700), unique=True)
    title: Mapped[str] = mapped_column(Text)
    publisher: Mapped[str] = mapped_column(Text)
    published: Mapped[datetime | None]
    body: Mapped[str] = mapped_column(Text)


class NaivePipeline:
    """Select, add and commit for every item."""

    def __init__(self, database: str) -> None:
        self._engine = create_engine(database)
        NaiveBase.metadata.create_all(self._engine)

    @classmethod
    def from_crawler(cls, crawler: Any) -> NaivePipeline:
        return cls(crawler.settings["NAIVE_DATABASE"])

    def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        with Session(self._engine) as session:
            if session.scalar(select(NaiveItem).where(NaiveItem.url == item["url"])) is None:
                session.add(NaiveItem(**item))
                session.commit()
        return item


# --- The steps one by one ---


def time_steps(order: Order) -> dict[str, Cost]:
    """The cost of each step's function over all pages, in the order in which a page passes them."""
    configuration = _configure(order)
    engine = open_engine(configuration.database_url)
    (source,) = configuration.load_sources().values()
    run_id = open_watch(engine, source, baseline=False).run_id
    archive, rules = Archive(configuration.archive), Rules(configuration.all_rules())
    site = Site(order.pages, order.port)
    costs: dict[str, Cost] = {}

    def each(name: str, step: Callable[[Value], Result], values: Sequence[Value]) -> list[Result]:
        watch = Stopwatch()
        watch.read()
        results = [step(value) for value in values]
        watch.read()
        costs[name] = watch.cost(order.pages)
        return results

    def read(page: Page) -> Notice:
        entry = ListEntry(page.url, "", PrintedDate("2026-11-20", "list entry"), 0)
        return reader_for(page)[1].read_article(page, entry)

    def place(notice: Notice) -> Record:
        context = Context(
            source.key, source.publisher_zh, source.publisher_en, source.topics, run_id, False, 200, headers
        )
        return normalize(notice, context)

    headers = {"content-type": "text/html; charset=utf-8", "server": "loopback"}
    now = datetime.now(UTC)
    pages = [Page(url, site.open_page(url) or b"", now, 200, headers) for url in site.article_urls]
    each("archive", lambda page: archive.keep(page.sha256, page.body), pages)
    notices = each("reading", read, pages)
    records = each("normalize", place, notices)
    for name, enrich in ENRICHING.items():
        records = each(name, enrich, records)
    batches = [records[start : start + BATCH] for start in range(0, len(records), BATCH)]
    each("store", lambda batch: write_records(engine, batch, rules), batches)
    return costs


# --- The whole benchmark ---


@contextmanager
def open_site(pages: int) -> Iterator[int]:
    """The port of a site that is up."""
    ours, theirs = SPAWN.Pipe()
    server = SPAWN.Process(target=serve, args=(pages, theirs), daemon=True)
    server.start()
    try:
        yield ours.recv()
    finally:
        server.kill()
        server.join()


def measure(run: Callable[[Order], Result], port: int, pages: int) -> Result:
    """Run in a new process and an empty folder."""
    with (
        tempfile.TemporaryDirectory(prefix="iprwatch-throughput-") as folder,
        ProcessPoolExecutor(1, mp_context=SPAWN) as process,
    ):
        return process.submit(run, Order(port, Path(folder), pages)).result()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--pages", type=int, default=2000)
    arguments.add_argument("--rounds", type=int, default=1)
    order = arguments.parse_args()
    runs = {"iprwatch, every step": run_iprwatch, "trivial callback": run_trivial, "naive": run_naive}
    with open_site(order.pages) as port:
        rounds = [
            {name: measure(run, port, order.pages) for name, run in runs.items()} for _ in range(order.rounds)
        ]
        steps = measure(time_steps, port, order.pages)
    best = {name: min((costs[name] for costs in rounds), key=lambda cost: cost.cpu) for name in runs}
    naive, whole = best["naive"], best["iprwatch, every step"]
    console = Console()
    console.print(_compare(best, naive, f"{order.pages} articles of 60 KB on loopback"))
    costs = {"fetch + Scrapy": best["trivial callback"].milliseconds}
    costs |= {name: cost.milliseconds for name, cost in steps.items()}
    costs["wiring"] = whole.milliseconds - sum(costs.values())
    table = Table("step", title="CPU of a page, every step on")
    for column in ("ms", "share"):
        table.add_column(column, justify="right")
    for name, milliseconds in costs.items():
        table.add_row(name, f"{milliseconds:.2f}", f"{milliseconds / whole.milliseconds:.0%}")
    table.add_section()
    table.add_row("in all", f"{whole.milliseconds:.2f}", "100%")
    console.print(table)


def _compare(best: dict[str, Cost], naive: Cost, title: str) -> Table:
    table = Table("crawl", title=title)
    for column in ("pages/s", "ratio", "CPU ms a page", "CPU ratio"):
        table.add_column(column, justify="right")
    for name, cost in best.items():
        table.add_row(
            name,
            f"{cost.rate:.0f}",
            f"{cost.rate / naive.rate:.1f}x",
            f"{cost.milliseconds:.1f}",
            f"{naive.cpu / cost.cpu:.1f}x",
        )
    return table


if __name__ == "__main__":
    main()
