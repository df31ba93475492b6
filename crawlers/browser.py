"""Renders the pages of sources with `render = true`, whose content is written by scripts.

The browser is the system's Chromium, and it has no network of its own: every name and address leads nowhere in
it, and what a page asks for is fetched by Scrapy's downloader and handed in. So robots.txt, pauses, guard, sizes
and the user agent hold for scripts and data as for any other request, and there is no second look-up of a name
that could lead elsewhere. No cookie is kept or sent, a page can't lead the browser to another one, and pages
known as challenges are not rendered: none is solved.

Settings: `IPRWATCH_CHROMIUM`, the program. Needs the extra `browser`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.http import HtmlResponse, Request, Response
from scrapy.http.request import NO_CALLBACK
from scrapy.settings import Settings

from chromium import find_chromium, launch_chromium
from crawlers.errors import Blocked, PageError
from crawlers.page import Page
from crawlers.readers.refusals import refuse_blocked
from errors import IprwatchError
from outgoing import show_url

if TYPE_CHECKING:
    from playwright.async_api import Browser, Playwright, Route
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

PAGE_SECONDS = 180.0
"""How long a page may take until it is at rest: its scripts wait for their turn at the host, too."""
PAGE_REQUESTS = 100
SHARED_BYTES = 32 * 1024 * 1024
"""Scripts and styles that are kept for the other pages of the same crawl."""
_AT_ONCE = 4  # requests of a page that wait in the downloader; the others can still be taken back

_WANTED = frozenset(("script", "stylesheet", "xhr", "fetch"))  # in Playwright's words
_SHARED = frozenset(("script", "stylesheet"))
# A navigation that has begun ends the loading of the scripts that stand in the page, even if it is aborted.
_STAY = (
    "navigation.addEventListener('navigate', go => { if (!go.destination.sameDocument) go.preventDefault() })"
)
# The downloader's own matter, or about the browser instead of the page.
_OWN_HEADERS = frozenset(("user-agent", "accept-encoding", "host", "content-length", "connection", "cookie"))
# They describe the bytes on the wire, or would make the browser remember something.
_WIRE_HEADERS = frozenset(("content-encoding", "content-length", "transfer-encoding", "set-cookie"))
# They speak of the page before its scripts ran.
_OUTDATED_HEADERS = _WIRE_HEADERS | {"etag", "last-modified", "content-type"}

Fetch = Callable[[Request], Awaitable[Response]]


_BETWEEN_STATES = 0.1  # seconds
_BETWEEN_LOOKS = 1.0  # seconds
_MOST_LOOKS = 5  # a page with a clock on it never looks the same twice


class RenderingFailed(IprwatchError):
    """Chromium gave no page: it didn't start, broke down, or the page didn't come to rest. The source is down."""


def add_browser(settings: Settings, chromium: Path | None) -> None:
    """Let a crawl with these settings render. `chromium` is the operator's choice of a program.

    Raises ConfigurationError where the extra or the program is missing.
    """
    program = find_chromium(chromium, "A source with `render = true`")
    settings.set("IPRWATCH_CHROMIUM", str(program), priority="cmdline")
    # After decompression and redirects, also those by a meta element: what they leave is the page.
    settings.set_in_component_priority_dict("DOWNLOADER_MIDDLEWARES", RenderMiddleware, 575)


class RenderMiddleware:
    """Replaces the HTML page of a request with `meta["render"]` by what its scripts make of it."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._largest = crawler.settings.getint("DOWNLOAD_MAXSIZE")
        self._chromium = Chromium(
            Path(crawler.settings["IPRWATCH_CHROMIUM"]), crawler.settings["USER_AGENT"], self._fetch
        )

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        middleware = cls(crawler)
        crawler.signals.connect(middleware._close, signal=signals.spider_closed)
        return middleware

    async def process_response(self, request: Request, response: Response) -> Response:
        """The rendered page; as it came what is no page (a file, a refusal, a challenge).

        Raises RenderingFailed.
        """
        if not request.meta.get("render") or response.status != 200 or not isinstance(response, HtmlResponse):
            return response
        if _is_refusal(response):
            return response
        body = await self._chromium.render(response)
        if len(body) > self._largest:
            raise RenderingFailed(
                f"{show_url(response.url)}: the rendered page is larger than {self._largest} bytes."
            )
        headers = {
            **_headers(response, without=_OUTDATED_HEADERS),
            "Content-Type": "text/html; charset=utf-8",
        }
        return response.replace(body=body, headers=headers, encoding="utf-8")

    async def _fetch(self, request: Request) -> Response:
        assert self._crawler.engine
        return await self._crawler.engine.download_async(request)

    async def _close(self) -> None:
        await self._chromium.close()


class Chromium:
    """One browser without a network or a profile; one page at a time, each in a context of its own.

    `fetch` answers what pages ask for, `page_seconds` is how long one may take. The browser is started with the
    first page, and again after a page that hung.
    """

    def __init__(
        self, program: Path, user_agent: str, fetch: Fetch, *, page_seconds: float = PAGE_SECONDS
    ) -> None:
        self._program = program
        self._user_agent = user_agent
        self._fetch = fetch
        self.page_seconds = page_seconds
        self._turn = asyncio.Lock()
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._shared: dict[str, Response] = {}

    async def render(self, response: Response) -> bytes:
        """The document, in UTF-8, when all it asked for was answered and it rests. Raises RenderingFailed."""
        from playwright.async_api import Error

        place = show_url(response.url)
        async with self._turn:
            try:
                async with asyncio.timeout(self.page_seconds):
                    return await self._visit(response)
            except TimeoutError:
                await self.close()
                raise RenderingFailed(
                    f"{place}: the page did not come to rest within {self.page_seconds:.0f} s."
                ) from None
            except Error as error:
                await self.close()
                raise RenderingFailed(f"{place}: Chromium failed: {error.message.splitlines()[0]}") from error

    async def close(self) -> None:
        """End the browser, if it runs."""
        playwright, self._playwright, self._browser = self._playwright, None, None
        if playwright is not None:
            await playwright.stop()

    async def _visit(self, response: Response) -> bytes:
        browser = self._browser or await self._launch()
        context = await browser.new_context(
            user_agent=self._user_agent,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            service_workers="block",
            accept_downloads=False,
        )
        visit = _Visit(response, self._fetch, self._shared)
        try:
            await context.route("**/*", visit.answer)
            await context.add_init_script(_STAY)
            page = await context.new_page()
            await page.goto(response.url, wait_until="commit", timeout=0)
            # Until then scripts that stand in the page itself are still to come, however quiet it is.
            while await page.evaluate("document.readyState") != "complete":
                await asyncio.sleep(_BETWEEN_STATES)
            asked, markup = await visit.all_answered(), await page.content()
            # A page is at rest when two looks agree, and what it asked for before the first was answered.
            for _ in range(_MOST_LOOKS):
                await asyncio.sleep(_BETWEEN_LOOKS)
                before = asked, markup
                asked, markup = await visit.all_answered(), await page.content()
                if (asked, markup) == before:
                    break
            return markup.encode("utf-8", errors="replace")
        finally:
            visit.over = True
            await context.close()

    async def _launch(self) -> Browser:
        from playwright.async_api import async_playwright

        self._playwright = await async_playwright().start()
        self._browser = await launch_chromium(self._playwright, self._program)
        return self._browser


class _Visit:
    """Answers what one page asks for: itself, then its scripts, styles and data."""

    def __init__(self, document: Response, fetch: Fetch, shared: dict[str, Response]) -> None:
        self._document: Response | None = document
        self._url = document.url
        self._fetch = fetch
        self._shared = shared
        self._asked = 0
        self._waiting = asyncio.Semaphore(_AT_ONCE)
        self._open = 0
        self._none_open = asyncio.Event()
        self._none_open.set()
        self.over = False

    async def all_answered(self) -> int:
        """Wait until the page waits for nothing; how much it has asked for by then."""
        await self._none_open.wait()
        return self._asked

    async def answer(self, route: Route) -> None:
        kind = route.request.resource_type
        if kind == "document" and self._document is not None:
            document, self._document = self._document, None
            if b"html" not in (document.headers.get("Content-Type") or b"").lower():
                # The browser would show text, or save a file, where the bytes were found to be HTML.
                document.headers["Content-Type"] = "text/html"
            await _hand_in(route, document)
            return
        if kind not in _WANTED or self._asked >= PAGE_REQUESTS:
            # Another page, a frame, an image. "aborted" leaves the browser where it is.
            await route.abort("aborted")
            return
        self._asked += 1
        self._open += 1
        self._none_open.clear()
        try:
            await self._answer_wanted(route)
        finally:
            self._open -= 1
            if not self._open:
                self._none_open.set()

    async def _answer_wanted(self, route: Route) -> None:
        async with self._waiting:
            response = None if self.over else await self._ask(route)
        if self.over:
            return
        if response is None:
            await route.abort()
        else:
            await _hand_in(route, response)

    async def _ask(self, route: Route) -> Response | None:
        asked = route.request
        if (known := self._shared.get(asked.url)) is not None and asked.method == "GET":
            return known
        request = Request(
            asked.url,
            method=asked.method,
            headers={
                name: value
                for name, value in asked.headers.items()
                if name not in _OWN_HEADERS and not name.startswith("sec-")
            },
            body=asked.post_data_buffer or b"",
            callback=NO_CALLBACK,
            meta={"dont_retry": True},
            dont_filter=True,
        )
        # Whatever failed, the page goes without, as in any browser; its reader says whether it is whole.
        (answer,) = await asyncio.gather(self._fetch(request), return_exceptions=True)
        if isinstance(answer, BaseException):
            logger.warning(
                "%s goes without %s: %s: %s",
                show_url(self._url), show_url(asked.url), type(answer).__name__, answer,
            )  # fmt: skip
            return None
        if asked.resource_type in _SHARED and asked.method == "GET" and answer.status == 200:
            kept = sum(len(response.body) for response in self._shared.values())
            if kept + len(answer.body) <= SHARED_BYTES:
                self._shared[asked.url] = answer
        return answer


async def _hand_in(route: Route, response: Response) -> None:
    await route.fulfill(
        status=response.status, headers=_headers(response, without=_WIRE_HEADERS), body=response.body
    )


def _headers(response: Response, *, without: frozenset[str]) -> dict[str, str]:
    return {
        name.decode("latin-1"): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
        if name.decode("latin-1").lower() not in without
    }


def _is_refusal(response: Response) -> bool:
    headers = {name.lower(): value for name, value in _headers(response, without=frozenset()).items()}
    try:
        refuse_blocked(Page(response.url, response.body, datetime.now(UTC), response.status, headers))
    except Blocked as error:
        # A word that scripts are needed is what rendering is for.
        return "JavaScript" not in error.evidence
    except PageError:
        return True
    return False
