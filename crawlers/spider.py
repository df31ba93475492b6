"""What the spiders of all families share: read lists, fetch what is new, yield what was read. No interpretation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from sqlalchemy import Engine, insert, select
from twisted.python.failure import Failure

from configuration import Configuration, load_configuration
from crawlers.archive import Archive, ArchiveError
from crawlers.attachments import fetch_attachments
from crawlers.errors import Blocked, Gone, LayoutChanged, PageError
from crawlers.evidence import describe_no_answer, describe_refused_page
from crawlers.notice import ListEntry, ListPage, Notice
from crawlers.page import Page
from crawlers.readers import READERS, reader_for
from crawlers.replay import NotRecorded
from crawlers.robots import ClosedByRobots, RobotsUnreachable
from crawlers.runs import Watch, open_watch
from crawlers.second_source import tell_second_source
from crawlers.source import Source
from errors import ConfigurationError
from pipeline.alerts.rules import Rules
from pipeline.dates import SHANGHAI, choose
from pipeline.normalize import identify_url
from pipeline.record import Context, Sighting
from pipeline.store.lease import fence
from pipeline.store.listed import Shown, first_read, mark_gone, remember_list
from pipeline.store.runs import OK
from pipeline.store.session import open_engine
from pipeline.store.tables import Run, Snapshot

CHALLENGE_STATUS = 521
NOT_MODIFIED = 304
_LONGEST_WALK = 1000  # list pages that a crawl with --since follows before it stops


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
        self.watches: dict[str, Watch] = {}
        self._asked: set[str] = set()

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
        spider._set_crawler(crawler)
        fence(spider.engine, crawler.settings.getlist("IPRWATCH_LEASES"))
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """A request for the list of each source."""
        for source in self.sources:
            known = await asyncio.to_thread(first_read, self.engine, source.key)
            watch = await asyncio.to_thread(open_watch, self.engine, source, baseline=known is None)
            watch.first_read = known.astimezone(SHANGHAI).date() if known else None
            self.watches[source.key] = watch
            if refusal := await self.refuse_before(source):
                watch.lists_open += 1
                watch.refuse(*refusal)
                continue
            yield await self._list_request(watch, source.url, number=1)

    async def _list_request(self, watch: Watch, url: str, *, number: int) -> Request:
        watch.lists_open += 1
        return Request(
            self.secret_url(watch.source, url),
            headers=await self._headers(watch, url),
            callback=self.parse_list,
            errback=self.fail_list,
            cb_kwargs={"watch": watch, "number": number},
            meta={**_meta(watch.source), "is_list": True, "shown_url": url},
            priority=100,
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
            watch.lists_open -= 1
            return
        await self._keep(page)
        try:
            listing = read_listing(page, watch.source, number)
            complete = read_complete(page, watch.source)
        except PageError as error:
            await self._note_snapshot(page, watch, error.kind, str(error))
            state = await self.list_refused(watch, error) or _run_state(error, page)
            watch.refuse(state, str(error), describe_refused_page(error, page, response))
            return
        await self._note_snapshot(page, watch, "list", describe_watching(watch.source))
        watch.count("list_pages")
        watch.count("links", len(listing.entries))
        addresses = {entry: entry.identity or identify_url(entry.url) for entry in listing.entries}
        standings = await asyncio.to_thread(
            remember_list,
            self.engine,
            watch.source.key,
            [Shown(address, entry.url, entry.title) for entry, address in addresses.items()],
            baseline=watch.baseline,
            now=page.fetched_at,
        )
        watch.count("fresh", sum(standing.fresh for standing in standings.values()))
        watched = listing.entries[: watch.source.most]
        wanted = [entry for entry in watched if not self._is_older(entry, page)]
        watch.count("older", len(listing.entries) - len(wanted))
        for entry in wanted:
            address = addresses[entry]
            standing = standings[address]
            filtered = standing.filtered and watch.source.only_ip
            if standing.untold and not watch.baseline:
                await self._tell_second_source(watch, address)
            if standing.stored or filtered or standing.gone or address in self._asked:
                watch.count("known links")
                continue
            self._asked.add(address)
            watch.count("asked")
            # A list that is read deeper than before shows old entries for the first time.
            baseline = standing.baseline or (number > 1 and self._is_before(entry, page, watch.first_read))
            if (notice := complete.get(address)) is not None:
                yield Sighting(notice, self._context(watch, page, baseline=baseline))
                continue
            yield self._article_request(watch, entry, address, baseline=baseline)
        if listing.next_url and self._goes_on(listing, wanted, number, watch.source):
            yield await self._list_request(watch, listing.next_url, number=number + 1)
        watch.lists_open -= 1

    def _goes_on(self, listing: ListPage, wanted: list[ListEntry], number: int, source: Source) -> bool:
        if self.since is None:
            return number < source.depth
        # A pinned old entry on top must not end the walk; a page on which everything is older does.
        return bool(wanted) and number < _LONGEST_WALK and bool(listing.entries)

    def _is_older(self, entry: ListEntry, page: Page) -> bool:
        return self._is_before(entry, page, self.since)

    def _is_before(self, entry: ListEntry, page: Page, limit: date | None) -> bool:
        if limit is None or entry.date is None:
            return False
        best = choose([entry.date], page.fetched_at).best
        return best is not None and best.day is not None and best.day < limit

    async def _tell_second_source(self, watch: Watch, address: str) -> None:
        rules = Rules(self.configuration.rules)
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
            meta=_meta(watch.source),
            dont_filter=True,
        )

    async def parse_article(
        self, response: Response, watch: Watch, entry: ListEntry, address: str, baseline: bool
    ) -> AsyncIterator[Sighting]:
        """The notice that the page holds, or the evidence that it holds none."""
        page = to_page(response)
        await self._keep(page)
        try:
            notice = reader_for(page)[1].read_article(page, entry)
        except PageError as error:
            await self._note_snapshot(page, watch, error.kind, str(error), entry)
            ending = "gone" if isinstance(error, Gone) else _run_state(error, page)
            watch.note(ending, str(error), describe_refused_page(error, page, response))
            await self.article_refused(watch, address, error)
            return
        notice = await fetch_attachments(self.crawler, self.archive, notice, page)
        yield Sighting(notice, self._context(watch, page, baseline=baseline))

    async def article_refused(self, watch: Watch, address: str, error: PageError) -> None:
        """Remember a tombstone, so that it isn't asked for with every crawl."""
        if isinstance(error, Gone):
            await asyncio.to_thread(mark_gone, self.engine, watch.source.key, address, error.kind)

    def _context(self, watch: Watch, page: Page, *, baseline: bool) -> Context:
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
        elif isinstance(failure.value, NotRecorded):
            watch.refuse("not recorded", failure.getErrorMessage())
        elif isinstance(failure.value, ClosedByRobots) and not isinstance(failure.value, RobotsUnreachable):
            watch.refuse("closed by robots", _hint_permission(failure), describe_no_answer(failure))
        else:
            watch.refuse("down", _describe(failure), describe_no_answer(failure))

    def fail_article(self, failure: Failure) -> None:
        """No page came for an article: count why."""
        (watch,) = _told(failure, "watch")
        if isinstance(failure.value, NotRecorded):
            watch.note("not recorded", failure.getErrorMessage())
        elif isinstance(failure.value, ClosedByRobots) and not isinstance(failure.value, RobotsUnreachable):
            watch.note("robots", _hint_permission(failure))
        else:
            watch.note("down", _describe(failure))

    async def _keep(self, page: Page) -> None:
        await asyncio.to_thread(self.archive.keep, page.sha256, page.body)

    async def _note_snapshot(
        self, page: Page, watch: Watch, kind: str, detail: str | None, entry: ListEntry | None = None
    ) -> None:
        row = {
            "sha256": page.sha256,
            "url": page.url,
            "source_key": watch.source.key,
            "kind": kind,
            "status": page.status,
            "headers": dict(page.headers),
            "entry": asdict(entry) if entry else None,
            "detail": detail,
            "fetched_at": page.fetched_at,
            "run_id": watch.run_id,
        }

        def write() -> None:
            with self.engine.begin() as connection:
                connection.execute(insert(Snapshot).values(row))

        await asyncio.to_thread(write)


def to_page(response: Response) -> Page:
    """What was fetched, as readers take it. The clock is asked here, once, unless the page is a recorded one."""
    headers = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
    }
    fetched_at = response.meta.get("recorded_at") or datetime.now(UTC)
    return Page(_shown_url(response), response.body, fetched_at, response.status, headers)


def _shown_url(response: Response) -> str:
    # A URL with a token in it is replaced by the one without; after a redirect there is none to replace.
    request = response.request
    shown = response.meta.get("shown_url")
    return str(shown) if shown and request is not None and request.url == response.url else response.url


def _meta(source: Source) -> dict[str, Any]:
    return {"source_key": source.key, "render": source.render}


def read_listing(page: Page, source: Source, number: int) -> ListPage:
    """Read a source's list by its reader; fewer entries than the source's least are not believed.

    Raises LayoutChanged, Blocked, Gone.
    """
    reader = READERS[source.reader]
    kind = reader.kind_of(page)
    if kind != "list":
        raise LayoutChanged(url=page.url, expected="a list page", found=f"an {kind}")
    listing = reader.read_list(page)
    if number == 1 and len(listing.entries) < source.least:
        raise LayoutChanged(
            url=page.url, expected=f"at least {source.least} entries", found=f"{len(listing.entries)}"
        )
    return listing


def _run_state(error: PageError, page: Page) -> str:
    # 521 is how one firewall hands out its challenge; any other 5xx is a server in trouble.
    if page.status >= 500 and page.status != CHALLENGE_STATUS:
        return "down"
    return "blocked" if isinstance(error, Blocked) else "changed"


def conditions(engine: Engine, watch: Watch, url: str) -> dict[str, str]:
    """Headers that ask for a list only if it has changed: the validators of its newest copy.

    Empty where the run before this one was not `ok` (killed, or with articles still to be fetched), and where
    the source is watched in another way than then.
    """
    key = watch.source.key
    with engine.connect().execution_options(read_only=True) as connection:
        last = connection.scalar(
            select(Run.state)
            .where(Run.source_key == key, Run.id < watch.run_id)
            .order_by(Run.id.desc())
            .limit(1)
        )
        copy = connection.execute(
            select(Snapshot.headers, Snapshot.detail)
            .where(Snapshot.source_key == key, Snapshot.url == url, Snapshot.kind == "list")
            .order_by(Snapshot.id.desc())
            .limit(1)
        ).first()
    if last != OK or copy is None or copy.detail != describe_watching(watch.source):
        return {}
    validators = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
    return {name: copy.headers[kept] for name, kept in validators.items() if kept in copy.headers}


def was_conditional(response: Response) -> bool:
    """True when the request asked for a changed page only: else a 304 is no answer to it."""
    asked = response.request.headers if response.request is not None else {}
    return "If-None-Match" in asked or "If-Modified-Since" in asked


def describe_watching(source: Source) -> str:
    """How much of a list is watched; kept with its copies, since a change of it makes old copies useless."""
    return f"depth {source.depth}, most {source.most}, only_ip {source.only_ip}"


def read_complete(page: Page, source: Source) -> dict[str, Notice]:
    """The articles that a list page brings whole, by the address of their entry."""
    read_notices = getattr(READERS[source.reader], "read_notices", None)
    if read_notices is None:
        return {}
    return {notice.identity or identify_url(notice.url): notice for notice in read_notices(page)}


def _hint_permission(failure: Failure) -> str:
    request: Request = failure.request  # type: ignore[attr-defined]
    host = urlsplit(request.url).hostname
    return (
        f"{failure.getErrorMessage()}. If you may fetch it all the same, put that on record: "
        f"iprwatch hosts allow {host} {urlsplit(request.url).path or '/'} --reason '…'"
    )


def _told(failure: Failure, *names: str) -> tuple[Any, ...]:
    request: Request = failure.request  # type: ignore[attr-defined]
    return tuple(request.cb_kwargs[name] for name in names)


def _describe(failure: Failure) -> str:
    request: Request = failure.request  # type: ignore[attr-defined]
    name = failure.type.__name__ if failure.type else "error"
    return f"{request.meta.get('shown_url', request.url)}: {name}: {failure.getErrorMessage()}"
