"""What the spiders of all families share: read lists, fetch what is new, yield what was read. No interpretation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Any, Self

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from sqlalchemy import Engine
from twisted.python.failure import Failure

from configuration import Configuration, load_configuration
from crawlers.answers import NOT_MODIFIED, hours_of, request_meta, run_state, to_page
from crawlers.archive import Archive, ArchiveError
from crawlers.attachments import allow_size, fetch_attachments
from crawlers.conditional import conditions, describe_watching, was_conditional
from crawlers.errors import Blocked, Gone, PageError
from crawlers.evidence import describe_no_answer, describe_refused_page
from crawlers.failures import judge_failure
from crawlers.gate import HostGateMiddleware, OutsideHours
from crawlers.listing import read_complete, read_listing
from crawlers.notice import ListEntry
from crawlers.page import Page
from crawlers.page_keeper import PageKeeper
from crawlers.pipeline_process import PipelineProcess
from crawlers.readers import reader_for
from crawlers.rechecks import Rechecks
from crawlers.replay import NotRecorded
from crawlers.runs import Watch, open_watch
from crawlers.second_source import tell_second_source
from crawlers.source import Source
from crawlers.walk import MOST_PAGES, Walk, restore_entry
from errors import ConfigurationError
from pipeline.alerts.rules import Rules
from pipeline.dates import SHANGHAI, choose
from pipeline.normalize import identify_url
from pipeline.record import Context, Sighting
from pipeline.store.frontier import Left, Met, join_head, note_page, open_walk
from pipeline.store.lease import fence
from pipeline.store.listed import Shown, Standing, first_read, mark_gone, remember_list
from pipeline.store.session import StoreError, open_engine
from pipeline.store.unread import read_unread

MOST_AGAIN = 20
"""Articles that earlier crawls could not read, and that one crawl asks for even if its list shows them no more."""


class FamilySpider(Spider):
    """Crawls the sources of one family. A source that fails stops no other.

    Arguments: `sources` (keys, all of the family by default), `since` (a date: read lists back to it and take
    nothing older), `alert_baseline` (alert also for what a source shows when first read).
    """

    # Scrapy starts as many tasks for every answer (100 by itself cost as much as fetching a page). An article is
    # one item; a feed's articles wait for their commit ten at a time.
    custom_settings = {"CONCURRENT_ITEMS": 10}  # noqa: RUF012 (Scrapy's name and type)

    configuration: Configuration
    engine: Engine
    pipeline: PipelineProcess | None = None  # what the spiders of a crawl have in common

    def __init__(
        self,
        configuration: Configuration,
        sources: Iterable[Source],
        *,
        since: date | None = None,
        alert_baseline: bool = False,
    ) -> None:
        super().__init__()
        self.configuration = configuration
        self.sources = tuple(sources)
        self.since = since
        self.alert_baseline = alert_baseline
        self.engine = open_engine(configuration.database_url)
        self.archive = Archive(configuration.archive)
        self.pages = PageKeeper(self.engine, self.archive)
        self.watches: dict[str, Watch] = {}
        self.rechecks = Rechecks(self)
        self.failure: str | None = None  # why it ended before its last source
        self._walks: dict[str, Walk] = {}
        self._asked: set[str] = set()
        # Else the pages of a long list would wait to write in every thread there is.
        self._noting = asyncio.Lock()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **arguments: Any) -> Self:
        """Raises ConfigurationError for unknown sources and StoreError when the database can't be opened."""
        configuration = crawler.settings.get("IPRWATCH_CONFIGURATION") or load_configuration()
        known = {
            key: source for key, source in configuration.load_sources().items() if source.family == cls.name
        }
        wanted = str(arguments.pop("sources", "")).replace(",", " ").split() or list(known)
        if unknown := [key for key in wanted if key not in known]:
            raise ConfigurationError(f"The family {cls.name} has no source {unknown[0]!r}.")
        since = arguments.pop("since", None)
        spider = cls(
            configuration,
            [known[key] for key in wanted],
            since=date.fromisoformat(since) if since else None,
            alert_baseline=bool(arguments.pop("alert_baseline", False)),
        )
        spider.pipeline = arguments.pop("pipeline", None)
        spider._set_crawler(crawler)
        fence(spider.engine, crawler.settings.getlist("IPRWATCH_LEASES"))
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """A request for the list of each source."""
        for source in self.sources:
            known = await asyncio.to_thread(first_read, self.engine, source.key)
            try:
                watch = await asyncio.to_thread(open_watch, self.engine, source, baseline=known is None)
            except StoreError as error:
                self.failure = str(error)
                raise
            if self.since is None:
                unread = await asyncio.to_thread(read_unread, self.engine, source.key)
                watch.unread = {article.address: article for article in unread}
            watch.first_read = known.astimezone(SHANGHAI).date() if known else None
            self.watches[source.key] = watch
            if refusal := await self.refuse_before(source):
                watch.lists_open += 1
                watch.refuse(*refusal)
                continue
            if self.since is not None:
                async for request in self._go_on(watch):
                    yield request
            yield await self._list_request(watch, source.url, number=1)

    async def _go_on(self, watch: Watch) -> AsyncIterator[Request]:
        """Requests for what an unfinished walk through the archive has left."""
        source = watch.source
        stopped = await asyncio.to_thread(
            open_walk, self.engine, source.key, source.url, only_ip=source.only_ip
        )
        watch.walks = True
        self._walks[source.key] = walk = Walk(stopped)
        for left in walk.left:
            self._asked.add(left.address)
            watch.count("asked")
            entry = restore_entry(left, datetime.now(UTC))
            yield self._article_request(watch, entry, left.address, baseline=left.baseline)

    async def _list_request(self, watch: Watch, url: str, *, number: int) -> Request:
        watch.lists_open += 1
        return Request(
            self.secret_url(watch.source, url),
            headers=await self._headers(watch, url),
            callback=self.parse_list,
            errback=self.fail_list,
            cb_kwargs={"watch": watch, "number": number},
            meta={**request_meta(watch.source), "is_list": True, "shown_url": url},
            # A walk back fetches the articles of a page before it goes on to the next.
            priority=100 if self.since is None else -100,
            dont_filter=True,
        )

    async def _headers(self, watch: Watch, url: str) -> dict[str, str]:
        source = watch.source
        # A walk back must see the entries themselves; a rendered list can change where its page doesn't.
        whole = self.since or source.render
        headers = {} if whole else await asyncio.to_thread(conditions, self.engine, watch, url)
        referer = {"Referer": source.referer} if source.referer else {}
        return {**headers, **referer, **self.secret_headers(source)}

    async def refuse_before(self, source: Source) -> tuple[str, str] | None:
        """State and reason where a source can't be asked at all (a family's own matter)."""
        return None

    def secret_url(self, source: Source, url: str) -> str:
        """The URL as it is sent; the one without secrets is what is shown and kept."""
        return url

    def secret_headers(self, source: Source) -> dict[str, str]:
        """Headers that prove who asks; they are kept nowhere."""
        return {}

    async def list_refused(self, watch: Watch, error: PageError) -> str | None:
        """Act on a list that was refused; the run's state where it is a family's own."""
        return None

    async def parse_list(
        self, response: Response, watch: Watch, number: int
    ) -> AsyncIterator[Request | Sighting]:
        """Requests for the articles that are new, and for the next page of the list.

        An article that the list brings whole (a feed with full texts) is taken from it and not asked for.
        """
        page = to_page(response)
        if page.status == NOT_MODIFIED and was_conditional(response):
            watch.count("list_pages")
            watch.count("lists not modified")
            async for request in self.rechecks.begin(watch, page):
                yield request
            watch.lists_open -= 1
            return
        await self.pages.keep(page)
        try:
            listing = read_listing(page, watch.source, number)
            complete = read_complete(page, watch.source)
        except PageError as error:
            await self.pages.note(page, watch, error.kind, str(error))
            await self.tell_gate(response, error)
            state = await self.list_refused(watch, error) or run_state(error, page)
            watch.refuse(state, str(error), describe_refused_page(error, page, response))
            return
        await self.tell_gate(response)
        if self.since is None and number < watch.source.depth and listing.next_url:
            # Not after what this page shows was noted: that waits for its turn to write.
            yield await self._list_request(watch, listing.next_url, number=number + 1)
        watch.count("list_pages")
        watch.count("links", len(listing.entries))
        addresses = {entry: entry.identity or identify_url(entry.url) for entry in listing.entries}
        async with self._noting:
            standings = await asyncio.to_thread(
                remember_list,
                self.engine,
                watch.source.key,
                [
                    Shown(address, entry.url, entry.title, _day(entry, page))
                    for entry, address in addresses.items()
                ],
                baseline=watch.baseline,
                now=page.fetched_at,
                evidence=self.pages.describe(page, watch, "list", describe_watching(watch.source)),
            )
        if number == 1:
            watch.count("fresh", sum(standing.fresh for standing in standings.values()))
        if self.since is not None:
            watch.count("walked pages")
        watched = listing.entries[: watch.source.most]
        wanted = [entry for entry in watched if not self._is_before(entry, page, self.since)]
        if inserted := sum(standing.inserted for standing in standings.values()):
            watch.count("inserted later", inserted)
        watch.count("older", len(listing.entries) - len(wanted))
        chosen = await self._choose(watch, page, number, wanted, addresses, standings)
        following = None
        if self.since is not None:
            met = [
                Met(
                    address, entry.url, entry in chosen,
                    None if address in complete else asdict(entry), chosen.get(entry, False),
                )
                for entry, address in addresses.items()
            ]  # fmt: skip
            place = number, response.meta["shown_url"], page.fetched_at
            following = await self._walk_on(watch, place, met, listing.next_url, is_older=not wanted)
        for entry, baseline in chosen.items():
            if (notice := complete.get(addresses[entry])) is not None:
                context = self.context_of(watch, page, baseline=baseline)
                yield Sighting(notice, replace(context, own_page=False), None)
                continue
            yield self._article_request(watch, entry, addresses[entry], baseline=baseline)
        if number == 1:
            for request in self._ask_again(watch, page):
                yield request
        async for request in self.rechecks.begin(watch, page):
            yield request
        if following and following[1]:
            yield await self._list_request(watch, following[1], number=following[0])
        watch.lists_open -= 1

    async def _choose(
        self,
        watch: Watch,
        page: Page,
        number: int,
        wanted: Iterable[ListEntry],
        addresses: Mapping[ListEntry, str],
        standings: Mapping[str, Standing],
    ) -> dict[ListEntry, bool]:
        """The entries whose articles are not here yet, and whether each is baseline."""
        chosen: dict[ListEntry, bool] = {}
        for entry in wanted:
            address = addresses[entry]
            standing = standings[address]
            filtered = standing.filtered and watch.source.only_ip
            if standing.untold and not watch.baseline:
                await self._tell_second_source(watch, address)
            if standing.stored or filtered or standing.gone or address in self._asked:
                watch.count("known links")
                continue
            if (unread := (watch.unread or {}).get(address)) is not None and unread.is_set_aside:
                watch.count("set aside")
                continue
            self._asked.add(address)
            watch.count("asked")
            # A list that is read deeper than before shows old entries for the first time.
            chosen[entry] = standing.baseline or (
                number > 1 and self._is_before(entry, page, watch.first_read)
            )
        return chosen

    def _ask_again(self, watch: Watch, page: Page) -> Iterator[Request]:
        """Requests for what earlier crawls could not read, whether the list still shows it or not."""
        waiting = [
            article
            for article in (watch.unread or {}).values()
            if article.entry is not None and not article.is_set_aside and article.address not in self._asked
        ]
        for article in waiting[:MOST_AGAIN]:
            assert article.entry is not None
            self._asked.add(article.address)
            watch.count("asked")
            left = Left(article.address, article.entry, article.baseline, article.tried_at)
            entry = restore_entry(left, page.fetched_at)
            yield self._article_request(watch, entry, article.address, baseline=article.baseline)

    async def _walk_on(
        self,
        watch: Watch,
        place: tuple[int, str, datetime],
        met: list[Met],
        next_url: str | None,
        *,
        is_older: bool,
    ) -> tuple[int, str] | None:
        number, url, now = place
        key, walk = watch.source.key, self._walks[watch.source.key]
        known = await asyncio.to_thread(
            note_page, self.engine, key, number, url, met, joined=walk.is_joined, now=now
        )
        shown = [article.address for article in met]
        following = walk.next_page(number, url, next_url, known=known, shown=shown, is_older=is_older)
        if walk.joins:
            await asyncio.to_thread(join_head, self.engine, key)
        if following and walk.is_long:
            watch.lists_open += 1
            watch.refuse("incomplete", f"{MOST_PAGES} list pages were read; the same command goes on")
            return None
        return following

    def _is_before(self, entry: ListEntry, page: Page, limit: date | None) -> bool:
        day = _day(entry, page)
        return limit is not None and day is not None and day < limit

    async def _tell_second_source(self, watch: Watch, address: str) -> None:
        rules = Rules(self.configuration.all_rules())
        try:
            rows = await asyncio.to_thread(
                tell_second_source, self.engine, self.archive, rules, watch.source, address
            )
        except (ArchiveError, PageError) as error:
            # The alert is owed; the run must not look well until it was written.
            watch.count("asked")
            watch.note("error", f"{address}: rules of this source could not be asked: {error}")
        else:
            watch.count("alerts", rows)

    def _article_request(self, watch: Watch, entry: ListEntry, address: str, *, baseline: bool) -> Request:
        return Request(
            entry.url,
            callback=self.parse_article,
            errback=self.fail_article,
            cb_kwargs={"watch": watch, "entry": entry, "address": address, "baseline": baseline},
            meta={**request_meta(watch.source), **allow_size(entry.url)},
            dont_filter=True,
        )

    async def parse_article(
        self, response: Response, watch: Watch, entry: ListEntry, address: str, baseline: bool
    ) -> AsyncIterator[Sighting]:
        """The notice that the page holds, or the evidence that it holds none."""
        page = to_page(response)
        try:
            notice = reader_for(page)[1].read_article(page, entry)
        except Exception as error:
            await self.pages.keep(page)  # what was read is kept with what it is stored with
            if not isinstance(error, PageError):
                raise
            await self.pages.note(page, watch, error.kind, str(error), entry)
            await self.tell_gate(response, error)
            ending = "gone" if isinstance(error, Gone) else run_state(error, page)
            watch.fail(
                ending, str(error), entry, address,
                baseline=baseline, evidence=describe_refused_page(error, page, response),
            )  # fmt: skip
            await self.article_refused(watch, address, error, page)
            return
        await self.tell_gate(response)
        self.rechecks.note_working(page)
        try:
            notice = await fetch_attachments(self.crawler, self.archive, notice, page, hours_of(watch.source))
        except OutsideHours as error:
            watch.note("held", str(error))
            return
        yield Sighting(notice, self.context_of(watch, page, baseline=baseline), page.body)

    async def article_refused(self, watch: Watch, address: str, error: PageError, page: Page) -> None:
        """Remember a tombstone, so that it isn't asked for with every crawl."""
        if isinstance(error, Gone):
            key, now = watch.source.key, page.fetched_at
            await asyncio.to_thread(mark_gone, self.engine, key, address, error.kind, now)

    def context_of(self, watch: Watch, page: Page, *, baseline: bool) -> Context:
        return Context(
            source_key=watch.source.key,
            publisher_zh=watch.source.publisher_zh,
            publisher_en=watch.source.publisher_en,
            topics=watch.source.topics,
            run_id=watch.run_id,
            baseline=baseline and not self.alert_baseline,
            status=page.status,
            headers=page.headers,
            only_ip=watch.source.only_ip,
        )

    def fail_list(self, failure: Failure) -> None:
        """No page came for a list: count why. A page that a recorded web lacks ends the list quietly."""
        watch, number = _told(failure, "watch", "number")
        if isinstance(failure.value, NotRecorded) and number > 1:
            watch.count("lists not recorded")
            watch.lists_open -= 1
        else:
            state, _, message = judge_failure(failure)
            watch.refuse(state, message, describe_no_answer(failure))

    def fail_article(self, failure: Failure) -> None:
        """No page came for an article: count why."""
        watch, entry, address, baseline = _told(failure, "watch", "entry", "address", "baseline")
        _, ending, message = judge_failure(failure)
        watch.fail(ending, message, entry, address, baseline=baseline)

    async def tell_gate(self, response: Response, error: PageError | None = None) -> None:
        """Whether a host answers with pages or turns us away can't be seen from a status alone."""
        gate = self.crawler.get_downloader_middleware(HostGateMiddleware)
        if gate is None:
            return
        if isinstance(error, Blocked):
            await gate.page_refused(response.url, f"Blocked: {error.reason}")
        else:
            gate.page_read(response.url)


def _told(failure: Failure, *names: str) -> tuple[Any, ...]:
    request: Request = failure.request  # type: ignore[attr-defined]
    return tuple(request.cb_kwargs[name] for name in names)


def _day(entry: ListEntry, page: Page) -> date | None:
    best = choose([entry.date], page.fetched_at).best if entry.date is not None else None
    return best.day if best is not None else None
