"""sousuo.www.gov.cn, the search of www.gov.cn over policy documents: lists only, its hits are read by gov_cn.

URL forms
    list     /search-gov/data?t=zhengcelibrary_gw&q=<words>&timetype=timeqb&mintime=&maxtime=&sort=pubtime
             &sortType=1&searchfield=title&p=1&n=20
             `t` is zhengcelibrary_gw (State Council) or zhengcelibrary_bm (its departments); `p` the page.

History
    2026-10  `searchVO.listVO[]`: `pubtime` (published) and `ptime` (signed) are milliseconds since 1970 UTC;
             `ptime` is a day, as its midnight in Beijing. `pubtime` can be 0, and then `pubtimeStr`
             ("2026.09.30") is missing. Titles and summaries mark the words searched for with <em>.
             `catMap.gongwen.listVO` repeats the hits.
             From abroad the list was seen empty.
"""

from __future__ import annotations

import json
import logging
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers.body import absolute, read_body
from crawlers.readers.gov_cn import identity_of
from crawlers.readers.markup import date_shaped, folded
from crawlers.readers.refusals import refuse_blocked

logger = logging.getLogger(__name__)

HOST = "sousuo.www.gov.cn"


def recognises(page: Page) -> bool:
    """By host; a page without URL by the key that holds everything."""
    if page.url:
        return urlsplit(page.url).hostname == HOST
    return page.text.lstrip("\ufeff \r\n\t").startswith("{") and '"searchVO"' in page.text


def kind_of(page: Page) -> Literal["list"]:
    """Always `list`. Raises Blocked, Gone."""
    refuse_blocked(page)
    return "list"


def read_list(page: Page) -> ListPage:
    """One page of hits.

    Raises LayoutChanged when the answer is no success, has no list, or counts hits of which none can be
    read; Blocked, Gone.
    """
    refuse_blocked(page)
    found = _answer(page)
    rows = found.get("listVO")
    total, pages = (found.get(key) for key in ("totalCount", "totalpage"))
    if not isinstance(rows, list) or not isinstance(total, int) or not isinstance(pages, int):
        raise LayoutChanged(
            url=page.url,
            expected="listVO, totalCount and totalpage in searchVO",
            found=f"{type(rows).__name__}, {total!r}, {pages!r}",
        )
    entries: dict[str, ListEntry] = {}
    for position, row in enumerate(rows):
        entry = _read_entry(row, page, position)
        if entry is None:
            logger.warning("Skipped hit %d of %r: it has no link with a title.", position + 1, page.url)
        else:
            entries.setdefault(entry.identity or entry.url, entry)
    if (rows or total) and not any(entry.date for entry in entries.values()):
        raise LayoutChanged(
            url=page.url,
            expected="hits with url, title and pubtime",
            found=f"{len(rows)} hits of {total}, {len(entries)} with a link, none with a date",
        )
    return ListPage(tuple(entries.values()), _next_url(page, pages), total)


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """Raises LayoutChanged: a search shows no article. Blocked, Gone."""
    refuse_blocked(page)
    raise LayoutChanged(url=page.url, expected="an article", found="search results")


def _answer(page: Page) -> dict[str, object]:
    try:
        whole = json.loads(page.text.lstrip("\ufeff"))
    except ValueError as error:
        raise LayoutChanged(url=page.url, expected="JSON with searchVO", found=str(error)) from error
    found = whole.get("searchVO") if isinstance(whole, dict) else None
    if not isinstance(found, dict):
        stated = {key: whole.get(key) for key in ("code", "msg")} if isinstance(whole, dict) else whole
        raise LayoutChanged(url=page.url, expected="JSON with searchVO", found=repr(stated)[:200])
    if whole.get("code") != 200:
        raise LayoutChanged(
            url=page.url, expected="code 200", found=f"code {whole.get('code')!r}, {whole.get('msg')!r}"
        )
    return found


def _read_entry(row: object, page: Page, position: int) -> ListEntry | None:
    if not isinstance(row, dict) or not isinstance(row.get("title"), str):
        return None
    href = row.get("url")
    url = absolute(href, page.url) if isinstance(href, str) else None
    title = folded(read_body(row["title"], "").text)
    if url is None or not title:
        return None
    return ListEntry(url, title, _read_date(row), position, identity_of(url))


def _read_date(row: dict[str, object]) -> PrintedDate | None:
    """When the hit was published: the printed day, the moment; else the day it was signed, as issued."""
    printed = row.get("pubtimeStr")
    raw = date_shaped(printed) if isinstance(printed, str) else None
    if raw:
        return PrintedDate(raw, "list entry")
    if moment := _milliseconds(row.get("pubtime")):
        return PrintedDate(moment, "list entry pubtime", form="unix")
    if moment := _milliseconds(row.get("ptime")):
        return PrintedDate(moment, "list entry ptime", meaning="issued", form="unix-day")
    return None


def _milliseconds(value: object) -> str | None:
    """The number as printed; 0 stands for unknown."""
    return str(value) if type(value) is int and value != 0 else None


def _next_url(page: Page, pages: int) -> str | None:
    parts = urlsplit(page.url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    number = query.get("p", "")
    if not number.isdecimal() or int(number) >= pages:
        return None
    return urlunsplit(parts._replace(query=urlencode(query | {"p": str(int(number) + 1)})))
