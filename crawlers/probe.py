"""A polite live look at sources: does each still look as its reader expects? Stores no item.

Per source one list page and one article. With a folder to save into, each page becomes a sample case
(`<reader>/<source>_<what>/page.*` with `page.json`), from which a maintainer can mend the reader.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from scrapy import Request, Spider, signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.http import Response
from sqlalchemy import Engine, insert, select
from twisted.python.failure import Failure

from configuration import Configuration
from crawlers.answers import CHALLENGE_STATUS, hours_of, to_page
from crawlers.errors import Blocked, Gone, LayoutChanged, PageError, describe_error
from crawlers.fetching import build_looking_settings
from crawlers.gate import OutsideHours
from crawlers.listing import read_complete, read_listing
from crawlers.log_format import shorten_twisted
from crawlers.notice import ListEntry
from crawlers.page import Page
from crawlers.permissions import suggest_permission
from crawlers.readers import reader_for
from crawlers.replay import NotRecorded, write_recording
from crawlers.robots import ClosedByRobots, RobotsUnreachable
from crawlers.source import INBOX_READER, WECHAT_BACKEND, Source
from crawlers.transport import group_sources, send_by
from errors import ConfigurationError
from pipeline.normalize import identify_url
from pipeline.store.tables import Probe

EXPECTED = "as expected"
VERDICTS = (
    EXPECTED,
    "changed",
    "blocked",
    "gone",
    "slow",
    "down",
    "closed by robots",
    "outside hours",
    "not recorded",
)
SLOW = 20.0  # seconds for one page


@dataclass(slots=True)
class Probed:
    """What the look found: one of VERDICTS, in words what, and the seconds of the slower page; why it wasn't saved."""

    source: Source
    verdict: str
    detail: str
    seconds: float
    unsaved: str | None = None


class ProbeSpider(Spider):
    """Asks for the list of each source and for its first article."""

    name = "probe"

    def __init__(self, sources: Iterable[Source], save: Path | None) -> None:
        super().__init__()
        self.sources = tuple(sources)
        self.save = save
        self.found: dict[str, Probed] = {}
        self.lists: dict[str, Probed] = {}
        self.unsaved: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **arguments: Any) -> Self:
        spider = cls(crawler.settings["IPRWATCH_PROBE_SOURCES"], crawler.settings["IPRWATCH_PROBE_SAVE"])
        spider._set_crawler(crawler)
        crawler.signals.connect(spider.break_off, signals.spider_error)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """The list of each source."""
        for source in self.sources:
            yield Request(
                source.url,
                headers={"Referer": source.referer} if source.referer else None,
                callback=self.look_at_list,
                errback=self.fail,
                cb_kwargs={"source": source},
                meta={"hours": hours_of(source)},
                dont_filter=True,
            )

    async def look_at_list(self, response: Response, source: Source) -> AsyncIterator[Request]:
        """Judge the list page; ask for its first article when it is one and doesn't bring that article whole."""
        page = to_page(response)
        self._save(page, source, "list")
        try:
            listing = read_listing(page, source, 1)
            complete = read_complete(page, source)
        except PageError as error:
            self._settle(source, *judge_page(error, page), response)
            return
        number = len(listing.entries)
        counted = "1 entry" if number == 1 else f"{number} entries"
        self.lists[source.key] = Probed(source, EXPECTED, counted, _seconds(response))
        entry = next(iter(listing.entries), None)
        if entry is None:
            self._settle(source, EXPECTED, counted, response)
        elif notice := complete.get(entry.identity or identify_url(entry.url)):
            self._settle(source, EXPECTED, f"{counted}; read {notice.title!r}", response)
        else:
            yield Request(
                entry.url,
                callback=self.look_at_article,
                errback=self.fail,
                cb_kwargs={"source": source, "entry": entry},
                meta={"hours": hours_of(source)},
                dont_filter=True,
            )

    def look_at_article(self, response: Response, source: Source, entry: ListEntry) -> None:
        """Judge the article page."""
        page = to_page(response)
        self._save(page, source, "article")
        listed = self.lists[source.key].detail
        try:
            notice = reader_for(page)[1].read_article(page, entry)
        except PageError as error:
            self._settle(source, *judge_page(error, page), response)
            return
        self._settle(source, EXPECTED, f"{listed}; read {notice.title!r}", response)

    def fail(self, failure: Failure) -> None:
        """No page came."""
        request: Request = failure.request  # type: ignore[attr-defined]
        source: Source = request.cb_kwargs["source"]
        known = {
            RobotsUnreachable: "down",
            ClosedByRobots: "closed by robots",
            OutsideHours: "outside hours",
            NotRecorded: "not recorded",
        }
        verdict = next((word for kind, word in known.items() if isinstance(failure.value, kind)), "down")
        assert failure.value is not None
        detail = describe_error(failure.value)
        if verdict == "down" and not detail.startswith(request.url):
            detail = f"{request.url}: {detail}"
        elif verdict == "closed by robots":
            detail += f". {suggest_permission(request.url)}"
        self.found[source.key] = Probed(source, verdict, detail, 0.0)

    def break_off(self, failure: Failure, response: Response) -> None:
        """A reader failed on a page: that is no page as it expects them."""
        source: Source = response.cb_kwargs["source"]
        kind = failure.type.__name__ if failure.type else "error"
        detail = f"{response.url}: its reader failed ({kind}: {failure.getErrorMessage()}); see crawl.log"
        self._settle(source, "changed", detail, response)

    def _settle(self, source: Source, verdict: str, detail: str, response: Response) -> None:
        before = self.lists.get(source.key)
        seconds = max(_seconds(response), before.seconds if before else 0.0)
        if verdict == EXPECTED and seconds > SLOW:
            verdict = "slow"
        self.found[source.key] = Probed(source, verdict, detail, seconds)

    def _save(self, page: Page, source: Source, what: str) -> None:
        if self.save is None:
            return
        folder = self.save / source.reader / f"{source.key}_{what}"
        try:
            write_recording(page, folder)
        except OSError as error:
            # What the page is can be told all the same.
            self.unsaved[source.key] = f"{folder}: the page can't be saved there ({error.strerror})."


def judge_page(error: PageError, page: Page) -> tuple[str, str]:
    """The verdict and its words for a page that could not be read as what it should be."""
    if page.status >= 500 and page.status != CHALLENGE_STATUS:
        return "down", str(error)
    if isinstance(error, Gone):
        return "gone", str(error)
    if isinstance(error, Blocked):
        return "blocked", str(error)
    assert isinstance(error, LayoutChanged)
    return "changed", str(error)


def probe_sources(
    configuration: Configuration, sources: Iterable[Source], *, replay: Path | None, save: Path | None
) -> list[Probed]:
    """Look at each source once. Runs once in a process.

    Raises ConfigurationError without a contact, for a source that `can_be_probed` denies, and for a folder
    that nothing can be saved into.
    """
    wanted = list(sources)
    for source in wanted:
        if not can_be_probed(source):
            raise ConfigurationError(
                f"{source.key} shows no page without a person's links or session: crawl it instead."
            )
    if save is not None:
        try:
            save.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"{save}: pages can't be saved there ({error.strerror}).") from None
    process = AsyncCrawlerProcess(build_looking_settings(configuration, replay))
    shorten_twisted()
    probes = []
    for transport, travelling in group_sources(wanted).items():
        crawler = process.create_crawler(
            send_by(transport, ProbeSpider, IPRWATCH_PROBE_SOURCES=travelling, IPRWATCH_PROBE_SAVE=save)
        )
        process.crawl(crawler)
        probes.append(crawler)
    process.start()
    found: dict[str, Probed] = {}
    for crawler in probes:
        spider: Any = crawler.spider
        found |= spider.found
        for key in spider.unsaved.keys() & spider.found.keys():
            found[key].unsaved = spider.unsaved[key]
    missing = "the probe ended before its answer came"
    return [found.get(source.key) or Probed(source, "down", missing, 0.0) for source in wanted]


def can_be_probed(source: Source) -> bool:
    """False where there is no page to look at: the inbox, and accounts that only a session shows."""
    return source.reader not in (INBOX_READER, WECHAT_BACKEND)


def record_probes(engine: Engine, probed: Iterable[Probed], now: datetime) -> None:
    """Keep what was found, as of `now` (UTC); a source whose newest probe was as expected counts as proven."""
    rows = [
        {
            "source_key": found.source.key,
            "verdict": found.verdict,
            "detail": found.detail,
            "seconds": found.seconds,
            "probed_at": now,
        }
        for found in probed
    ]
    with engine.begin() as connection:
        connection.execute(insert(Probe), rows)


def confirmed_sources(engine: Engine) -> set[str]:
    """Keys of the sources whose newest probe found them as expected (or slow)."""
    newest: dict[str, str] = {}
    query = select(Probe.source_key, Probe.verdict).order_by(Probe.id)
    with engine.connect().execution_options(read_only=True) as connection:
        for row in connection.execute(query):
            newest[row.source_key] = row.verdict
    return {key for key, verdict in newest.items() if verdict in (EXPECTED, "slow")}


def _seconds(response: Response) -> float:
    return float(response.meta.get("download_latency", 0.0))
