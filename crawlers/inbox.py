"""Spider of the inbox: single articles that people handed in (see `crawlers.inbox_links`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from scrapy import Request

from crawlers.answers import run_state
from crawlers.errors import Gone, PageError
from crawlers.inbox_links import InboxError, read_folder, settle_link, waiting_links
from crawlers.notice import ListEntry
from crawlers.page import Page
from crawlers.runs import Watch, open_watch
from crawlers.spider import FamilySpider


class InboxSpider(FamilySpider):
    """Asks for every link that waits. What was handed in is never baseline: whoever did wants to know.

    A link whose article was refused is settled as gone or failed; one that was not reached, or whose server was in
    trouble, waits on.
    """

    name = "inbox"

    async def start(self) -> AsyncIterator[Request]:
        """The articles of all waiting links, those of the inbox folder included."""
        for source in self.sources:
            watch = await asyncio.to_thread(open_watch, self.engine, source, baseline=False)
            self.watches[source.key] = watch
            folder = self.configuration.inbox_folder
            if folder is not None:
                try:
                    await asyncio.to_thread(read_folder, self.engine, folder)
                except InboxError as error:
                    watch.note("error", str(error))
            links = await asyncio.to_thread(waiting_links, self.engine)
            watch.count("list_pages")
            watch.count("links", len(links))
            watch.count("asked", len(links) + watch.counts["error"])
            for position, (address, url) in enumerate(links):
                entry = ListEntry(url=url, title="", date=None, position=position)
                yield self._article_request(watch, entry, address, baseline=False)
            # A recorded web has no time of its own here: no list of it was read.
            if not self.settings.get("IPRWATCH_REPLAY"):
                async for request in self.rechecks.begin_at(watch, datetime.now(UTC)):
                    yield request

    async def article_refused(self, watch: Watch, address: str, error: PageError, page: Page) -> None:
        """Settle the link, so that it isn't asked for again; a server that failed may have it another time."""
        if run_state(error, page) == "down":
            return
        state = "gone" if isinstance(error, Gone) else "failed"
        await asyncio.to_thread(settle_link, self.engine, address, state, str(error))
