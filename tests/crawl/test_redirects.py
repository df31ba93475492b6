"""A redirect to where the request has been already is handed over as it came, and asked once."""

from __future__ import annotations

from pathlib import Path

import pytest
from scrapy.http import HtmlResponse, Request, Response
from scrapy.utils.test import get_crawler

from crawlers.redirects import RedirectLoopMiddleware, RefreshMiddleware
from tests.crawl.test_live import RECORDS, answer, run, watched
from tests.loopback import Said

URL = "https://www.example.gov.cn/list.html?page=1"


@pytest.mark.parametrize(
    ("location", "stays"),
    [
        (URL, True),
        ("/list.html?page=1#top", True),
        ("//www.example.gov.cn/list.html?page=1", True),
        ("/first.html", True),
        ("/list.html?page=2", False),
        ("http://www.example.gov.cn/list.html?page=1", False),
    ],
)
def test_a_redirect_is_followed_to_new_places_only(location: str, stays: bool) -> None:
    request = Request(URL, meta={"redirect_urls": ["https://www.example.gov.cn/first.html"]})
    response = Response(URL, status=302, headers={"Location": location})
    assert RedirectLoopMiddleware().process_response(request, response) is response
    assert request.meta.get("dont_redirect", False) is stays


def refresh(markup: str, encoding: str = "utf-8") -> tuple[str | None, Request]:
    """Where a page with this markup leads, None where nowhere, and the request it answered."""
    request = Request(URL)
    page = HtmlResponse(URL, body=markup.encode(encoding), encoding=encoding)
    found = RefreshMiddleware.from_crawler(get_crawler()).process_response(request, page)
    return found.url if isinstance(found, Request) else None, request


def test_a_page_that_loads_itself_anew_is_read_as_it_is() -> None:
    target, request = refresh(f'<meta http-equiv="refresh" content="0; url={URL}">')
    assert target is None
    assert request.meta["dont_redirect"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("before", ["", "<title>" + "商标" * 1900 + "</title>"])
def test_a_page_that_loads_another_one_leads_there(before: str, encoding: str) -> None:
    target, request = refresh(f'{before}<META HTTP-EQUIV="Refresh" content="0; url=/new.html">', encoding)
    assert str(target).startswith("https://www.example.gov.cn/new.html")
    assert "dont_redirect" not in request.meta


def test_a_page_that_loads_nothing_is_read() -> None:
    assert refresh("<title>商标</title>")[0] is None


def test_a_server_that_wants_its_cookie_back_is_blocked_and_asked_once(tmp_path: Path) -> None:
    def demand(path: str, n: int) -> Said:
        if path == RECORDS:
            return Said(302, headers={"Location": RECORDS, "Set-Cookie": "CT6T=1; path=/"})
        return answer(path, n)

    with watched(tmp_path, demand) as server:
        _, source = run(tmp_path)
    assert source["state"] == "blocked"
    assert "verification (CT6T)" in str(source["reason"])
    assert len(server.pages()) == 1
