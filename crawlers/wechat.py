"""Spider of WeChat official accounts: by album, by feed, or by the backend with the user's own session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, date, datetime

from configuration import Configuration
from crawlers.errors import Blocked, PageError
from crawlers.runs import Watch
from crawlers.source import Source
from crawlers.spider import FamilySpider
from crawlers.wechat_session import WechatSession, due_warning, mark_dead, refuse_session, with_token
from pipeline.alerts.operators import tell_operators

BACKEND = "wechat_backend"


class WechatSpider(FamilySpider):
    """Crawls the sources whose keys start with `wechat_`.

    Sources of the backend are asked only while the session lives; the first refusal ends its use.
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
        super().__init__(configuration, sources, since=since, alert_baseline=alert_baseline)
        self.session = configuration.wechat_session()

    async def refuse_before(self, source: Source) -> tuple[str, str] | None:
        """`login expired` for a source of the backend whose session can't be used."""
        if source.reader != BACKEND:
            return None
        now = datetime.now(UTC)
        if self.session is not None:
            await self._count_down(self.session, now)
        reason = await asyncio.to_thread(refuse_session, self.engine, self.session, now)
        return ("login expired", reason) if reason else None

    async def _count_down(self, session: WechatSession, now: datetime) -> None:
        if (due := due_warning(session, now)) is not None:
            title = "The WeChat session " + ("has ended" if due == "over" else f"ends in less than {due}")
            await self._tell(session, due, title)

    async def _tell(self, session: WechatSession, what: str, title: str) -> None:
        summary = f"It was to end on {session.expires_at:%Y-%m-%d %H:%M %z}. Log in again and configure the new one."
        await asyncio.to_thread(
            tell_operators,
            self.engine,
            self.configuration.operators,
            f"session {session.fingerprint} {what}",
            title,
            summary,
        )

    def secret_url(self, source: Source, url: str) -> str:
        """The backend wants its token in the URL."""
        if source.reader != BACKEND or self.session is None:
            return url
        return with_token(url, self.session.token)

    def secret_headers(self, source: Source) -> dict[str, str]:
        """The backend wants the session's cookie."""
        return {"Cookie": self.session.cookie} if source.reader == BACKEND and self.session else {}

    async def list_refused(self, watch: Watch, error: PageError) -> str | None:
        """A session that the server no longer knows is dead for all sources."""
        if watch.source.reader != BACKEND or not isinstance(error, Blocked) or error.reason != "login":
            return None
        if self.session is not None:
            await asyncio.to_thread(mark_dead, self.engine, self.session, datetime.now(UTC))
            await self._tell(self.session, "refused", "The WeChat session was refused by the server")
        return "login expired"
