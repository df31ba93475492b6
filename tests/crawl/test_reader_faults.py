"""A page that a reader stumbles over: kept as evidence whatever stopped the reader."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse

from crawlers.court import CourtSpider
from crawlers.page import Page


class Pages:
    """Remembers what it is given to keep."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    async def keep(self, page: Page) -> None:
        self.kept.append(page.body)


def test_a_page_is_kept_when_a_reader_fails_by_its_own_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Page) -> Any:
        raise KeyError("zoom")

    async def read() -> None:
        async for _ in spider.parse_article(response, watch, entry, "court.gov.cn:1", baseline=False):
            pytest.fail("something was read")

    monkeypatch.setattr("crawlers.spider.reader_for", fail)
    spider = CourtSpider.__new__(CourtSpider)
    pages: Any = Pages()
    spider.pages = pages
    watch: Any = None
    entry: Any = None
    request = Request("https://www.court.gov.cn/fabu/xiangqing/1.html")
    response = HtmlResponse(request.url, body=b"<p>a page</p>", request=request)
    with pytest.raises(KeyError):
        asyncio.run(read())
    assert pages.kept == [b"<p>a page</p>"]
