"""Spider of WeChat official accounts: by album, by feed, or by the backend with the user's own session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, date, datetime

from configuration import Configuration
from crawlers.errors import Blocked, PageError
from crawlers.runs import Watch
from crawlers.source import WECHAT_BACKEND, Source
from crawlers.spider import FamilySpider
from crawlers.wechat_session import announce_end, announce_refusal, refuse_session, with_token


class WechatSpider(FamilySpider):
    """Crawls the sources whose keys start with `wechat_`.

    Sources of the backend come last and one after the other: a session that the server refuses, or asks to be slower,
    is not used again in the run.
    """

    name = "wechat"

    def __init__(
        self,
        configuration: Configuration,
        sources: Iterable[Source],
        *,
        since: date | None = None,
        alert_baseline: bool = False,
    ) -> None:
        in_order = sorted(sources, key=lambda source: source.reader == WECHAT_BACKEND)
        super().__init__(configuration, in_order, since=since, alert_baseline=alert_baseline)
        self.session = configuration.wechat_session()
        self._asked_before: Watch | None = None
        self._stopped: tuple[str, str] | None = None

    async def refuse_before(self, source: Source) -> tuple[str, str] | None:
        """`login expired` for a source of the backend whose session can't be used, `blocked` where it was too fast."""
        if source.reader != WECHAT_BACKEND:
            return None
        while self._asked_before is not None and self._asked_before.lists_open and self._is_running():
            await asyncio.sleep(0.05)
        if self._stopped:
            return self._stopped
        now = datetime.now(UTC)
        reason = await asyncio.to_thread(refuse_session, self.engine, self.session, now)
        if self.session is not None:
            operators = self.configuration.operators
            await asyncio.to_thread(announce_end, self.engine, operators, self.session, now)
        if reason:
            return "login expired", reason
        self._asked_before = self.watches[source.key]
        return None

    def _is_running(self) -> bool:
        return self.crawler.engine is not None and self.crawler.engine.running

    def secret_url(self, source: Source, url: str) -> str:
        """The backend wants its token in the URL."""
        if source.reader != WECHAT_BACKEND or self.session is None:
            return url
        return with_token(url, self.session.token)

    def secret_headers(self, source: Source) -> dict[str, str]:
        """The backend wants the session's cookie."""
        return {"Cookie": self.session.cookie} if source.reader == WECHAT_BACKEND and self.session else {}

    async def list_refused(self, watch: Watch, error: PageError) -> str | None:
        """A session that the server no longer knows is dead for all sources; one that is too fast rests."""
        if watch.source.reader != WECHAT_BACKEND or not isinstance(error, Blocked) or self.session is None:
            return None
        if error.reason == "frequency":
            self._stopped = "blocked", f"not asked after {watch.source.key} was: {error}"
        if error.reason != "login":
            return None
        await asyncio.to_thread(
            announce_refusal, self.engine, self.configuration.operators, self.session, datetime.now(UTC)
        )
        return "login expired"
