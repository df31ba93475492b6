"""Planned rechecks in a crawl: stored articles are asked for again, for edits and deletions, and counted apart.

They come after a list of their source was read well, so that a site in trouble is left alone, and one after the other:
an answer that says that the site is in trouble, or does not want us, ends them for this run.

What the answer tells: an article that says what it said, or something else (a new version); a page that is gone, which
counts only with another page of the same host that was read well in this crawl; a redirect to something else, which
says that the article has moved and not that it is gone; or nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response
from sqlalchemy import select
from twisted.python.failure import Failure

from crawlers.answers import NOT_MODIFIED, hours_of, request_meta, run_state, to_page
from crawlers.attachments import allow_size, fetch_attachments
from crawlers.conditional import condition_headers, was_conditional
from crawlers.errors import Gone, PageError
from crawlers.failures import judge_failure
from crawlers.gate import OutsideHours
from crawlers.notice import ListEntry, Notice
from crawlers.page import Page
from crawlers.readers import reader_for
from crawlers.reparse import reparse_item
from crawlers.runs import Watch
from crawlers.withdrawn import withdrawal_rows
from pipeline.alerts.operators import tell_operators
from pipeline.alerts.rules import Rules
from pipeline.dates import SHANGHAI
from pipeline.normalize import identify_url, normalize
from pipeline.record import Sighting
from pipeline.store.rechecks import (
    Due,
    note_outcome,
    note_unchanged,
    postpone,
    read_validators,
    release,
    take_due,
)
from pipeline.store.tables import Item
from pipeline.store.versions import find_edit
from pipeline.store.withdrawals import KINDS, MANY, Absence, note_absence

if TYPE_CHECKING:
    from crawlers.spider import FamilySpider

_PRIORITY = -10  # new articles go first


@dataclass(slots=True)
class _Round:
    """The rechecks of one source in one crawl. `started_at` is when its list was read: the now of the plan."""

    watch: Watch
    started_at: datetime
    waiting: deque[Due]
    absent: list[tuple[Due, Gone, Page]] = field(default_factory=list)

    def count(self, ending: str) -> None:
        self.watch.count(f"recheck {ending}")


class Rechecks:
    """All rechecks of a spider's crawl."""

    def __init__(self, spider: FamilySpider) -> None:
        self._spider = spider
        self._begun: set[str] = set()
        self._control: dict[str, str] = {}

    def note_working(self, page: Page) -> None:
        """A page was read well: its host is up, and shows what it has. The first one of a host, its list, is named."""
        self._control.setdefault(urlsplit(page.url).hostname or "", page.url)

    async def begin(self, watch: Watch, page: Page) -> AsyncIterator[Request]:
        """The first request of a source's rechecks, once a crawl, after this page of its list was read well."""
        self.note_working(page)
        async for request in self.begin_at(watch, page.fetched_at):
            yield request

    async def begin_at(self, watch: Watch, now: datetime) -> AsyncIterator[Request]:
        """The first request of what is due by now; each answer leads to the next."""
        most = self._spider.configuration.rechecks
        if watch.source.key in self._begun or not most:
            return
        self._begun.add(watch.source.key)
        due = await asyncio.to_thread(take_due, self._spider.engine, watch.source.key, now, most)
        if due:
            watch.count("rechecks", len(due))
        async for request in self._go_on(_Round(watch, now, deque(due))):
            yield request

    async def _go_on(self, turn: _Round) -> AsyncIterator[Request]:
        if not turn.waiting:
            await self._settle_absences(turn)
            return
        due = turn.waiting.popleft()
        yield Request(
            due.url,
            headers=condition_headers(due.etag, due.last_modified),
            callback=self.parse,
            errback=self.fail,
            cb_kwargs={"turn": turn, "due": due},
            meta={**request_meta(turn.watch.source), **allow_size(due.url), "is_recheck": True},
            priority=_PRIORITY,
            dont_filter=True,
        )

    async def parse(self, response: Response, turn: _Round, due: Due) -> AsyncIterator[Request | Sighting]:
        """An answer to a recheck: a sighting where the text has changed, and the next request."""
        page = to_page(response)
        if page.status == NOT_MODIFIED and was_conditional(response):
            self.note_working(page)
            await self._note_unchanged(turn, due, page)
        else:
            async for sighting in self._read(response, page, turn, due):
                yield sighting
        async for request in self._go_on(turn):
            yield request

    async def fail(self, failure: Failure) -> AsyncIterator[Request]:
        """No page came: count why, and go on unless the host is in trouble."""
        request: Request = failure.request  # type: ignore[attr-defined]
        turn, due = request.cb_kwargs["turn"], request.cb_kwargs["due"]
        _, ending, message = judge_failure(failure)
        if ending == "not recorded":
            turn.count(ending)
            await asyncio.to_thread(release, self._spider.engine, due)
        elif ending == "robots":
            await self._note(turn, due, turn.started_at, ending, message)
        else:
            await self._stop(turn, due, turn.started_at, ending, message)
        async for following in self._go_on(turn):
            yield following

    async def _read(self, response: Response, page: Page, turn: _Round, due: Due) -> AsyncIterator[Sighting]:
        try:
            entry = ListEntry.from_json(due.entry) if due.entry is not None else None
            notice = reader_for(page)[1].read_article(page, entry)
        except PageError as error:
            await self._spider.tell_gate(response, error)
            await self._refused(page, turn, due, error)
            return
        await self._spider.tell_gate(response)
        if due.addresses.isdisjoint(key for key in (notice.identity, identify_url(notice.url)) if key):
            await self._moved(page, turn, due)
            return
        self.note_working(page)
        if not await self._is_edited(notice, page, turn, due):
            await self._note_unchanged(turn, due, page)
            return
        await self._spider.pages.keep(page)
        try:
            notice = await fetch_attachments(
                self._spider.crawler, self._spider.archive, notice, page, hours_of(turn.watch.source)
            )
        except OutsideHours as error:
            await self._stop(turn, due, self._moment(page, turn), "held", str(error))
            return
        context = self._spider.context_of(turn.watch, page, baseline=False)
        yield Sighting(notice, replace(context, recheck=True), None)

    async def _is_edited(self, notice: Notice, page: Page, turn: _Round, due: Due) -> bool:
        record = normalize(notice, self._spider.context_of(turn.watch, page, baseline=False))
        if find_edit(due.title, due.body, due.reader, record) is None:
            return False
        # What a reader that was mended since reads otherwise is no edit of the page.
        again = await asyncio.to_thread(reparse_item, self._spider.engine, self._spider.archive, due.item_id)
        if again.outcome != "corrected":
            return True
        title, body = await asyncio.to_thread(self._stored_text, due.item_id)
        return find_edit(title, body, due.reader, record) is not None

    def _stored_text(self, item_id: int) -> tuple[str, str]:
        with self._spider.engine.connect().execution_options(read_only=True) as connection:
            row: Any = connection.execute(select(Item.title, Item.body).where(Item.id == item_id)).one()
        return row.title, row.body

    async def _refused(self, page: Page, turn: _Round, due: Due, error: PageError) -> None:
        redirected = identify_url(page.url) not in due.addresses | {identify_url(due.url)}
        if isinstance(error, Gone) and error.kind in KINDS:
            await self._spider.pages.keep(page)
            await self._spider.pages.note(page, turn.watch, error.kind, str(error))
            turn.absent.append((due, error, page))
            return
        if isinstance(error, Gone):
            ending = error.kind
        elif redirected and (ending := run_state(error, page)) == "changed":
            await self._moved(page, turn, due)
            return
        else:
            ending = run_state(error, page)
        await self._spider.pages.keep(page)
        await self._spider.pages.note(page, turn.watch, error.kind, str(error))
        if ending in ("blocked", "down"):
            await self._stop(turn, due, self._moment(page, turn), ending, str(error))
        else:
            await self._note(turn, due, self._moment(page, turn), ending, str(error))

    async def _moved(self, page: Page, turn: _Round, due: Due) -> None:
        detail = f"redirected to {page.url}"
        await self._spider.pages.keep(page)
        await self._spider.pages.note(page, turn.watch, "moved", detail)
        await self._note(turn, due, self._moment(page, turn), "moved", detail)

    async def _note_unchanged(self, turn: _Round, due: Due, page: Page) -> None:
        turn.count("unchanged")
        # An answer that says "not modified" need not repeat the validators.
        validators = None if page.status == NOT_MODIFIED else read_validators(page.headers)
        now = self._moment(page, turn)
        await asyncio.to_thread(note_unchanged, self._spider.engine, due, now, validators)

    async def _note(self, turn: _Round, due: Due, now: datetime, ending: str, detail: str) -> None:
        turn.count(ending)
        await asyncio.to_thread(note_outcome, self._spider.engine, due, now, ending, detail)

    async def _stop(self, turn: _Round, due: Due, now: datetime, ending: str, detail: str) -> None:
        """Leave the site alone for this run: what was not asked for comes due again."""
        turn.watch.note(f"recheck {ending}", detail)
        await asyncio.to_thread(postpone, self._spider.engine, due, now, ending, detail)
        turn.watch.count("rechecks", -len(turn.waiting))
        for waiting in turn.waiting:
            await asyncio.to_thread(release, self._spider.engine, waiting)
        turn.waiting.clear()

    async def _settle_absences(self, turn: _Round) -> None:
        """At the end of the round, when all that was read well is known: believe what is gone, or don't."""
        rules = Rules(self._spider.configuration.all_rules())
        held: list[Due] = []
        for due, error, page in turn.absent:
            control = self._control.get(urlsplit(due.url).hostname or "")
            if control is None:
                detail = f"{error} Nothing else of this host was read well in this crawl."
                await self._note(turn, due, self._moment(page, turn), "unproven", detail)
                continue
            absence = Absence(error.kind, str(error), page.sha256, self._moment(page, turn), control)
            standing, alerts = await asyncio.to_thread(
                note_absence, self._spider.engine, due, absence, partial(withdrawal_rows, rules, due.item_id)
            )
            turn.count("gone")
            if standing in ("confirmed", "held"):
                turn.watch.count("withdrawn")
                turn.watch.count("alerts", alerts)
            if standing == "held":
                held.append(due)
        turn.absent.clear()
        if held:
            turn.watch.count("withdrawn at once", len(held))
            await asyncio.to_thread(self._tell_of_many, turn, held)

    def _tell_of_many(self, turn: _Round, held: list[Due]) -> None:
        """Once a source and day in China: a column that was deleted or moved is news for who runs the monitor."""
        source, day = turn.watch.source, turn.started_at.astimezone(SHANGHAI).date()
        shown = "; ".join(f"{due.title} {due.url}" for due in held[:MANY])
        tell_operators(
            self._spider.engine,
            self._spider.configuration.operators,
            "many gone",
            f"{source.key}: more than {MANY} stored pages are gone at once",
            "The site may have deleted or moved a whole column. The items are marked as withdrawn, and no alert was "
            f"sent for any of them. Some of those confirmed in run {turn.watch.run_id} ({len(held)}): {shown}. "
            f"All of them: iprwatch withdrawals list --open --source {source.key}; iprwatch withdrawals confirm sends "
            "their alerts, iprwatch withdrawals dismiss marks the items as there.",
            about=f"{source.key} {day}",
        )

    def _moment(self, page: Page, turn: _Round) -> datetime:
        # A recorded page may be older than the list that led to it.
        return max(page.fetched_at, turn.started_at)
