"""ipc.court.gov.cn, the Intellectual Property Court of the Supreme People's Court, and its twin enipc.court.gov.cn.

Both hosts serve the same articles under the same numbers.

URL forms
    list     /zh-cn/news/more-12-12.html (news), more-4-15.html (hearing notices), more-5-20.html (case analysis),
             more-5-25.html (selected judgments), more-5-32.html (gist of judgments); next pages `?page=2`
    search   /zh-cn/search.html?content=<words>&page=<n>
    article  /zh-cn/news/view-<N>.html

History
    2024-    list: `div.listing` with `span.left a` and `span.right`; `div.pagination` below. Article:
             `div.detail` with `h2`, `div.message span` and `div.txt`.
    2025-    search: `div.search_list ul.list` with `i.date`. The system is that of www.court.gov.cn, whose search
             has a 12-hour clock without AM or PM: the hours (04:28:05) aren't believed here either.
    2026     hearing notices carry the day of their posting; the day of the hearing stands in Chinese numerals
             in the text.
"""

from __future__ import annotations

import logging
import re
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from lxml import html

from crawlers.errors import LayoutChanged
from crawlers.notice import DateForm, ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers.body import absolute, read_body
from crawlers.readers.markup import (
    date_shaped,
    first,
    has_class,
    labelled_date,
    named,
    one_line,
    tree,
    with_class,
)
from crawlers.readers.refusals import note_empty_body, refuse_blocked
from crawlers.readers.wholeness import only, refuse_cut_off, refuse_headline, refuse_overrun
from pipeline.normalize.identity import site_identity

logger = logging.getLogger(__name__)

HOSTS = ("ipc.court.gov.cn", "enipc.court.gov.cn")
_HOME = "https://ipc.court.gov.cn/"
_ARTICLE_PATH = re.compile(r"^/zh-cn/news/view-(\d+)\.html$")
_LIST_PATH = re.compile(r"^/zh-cn/(?:news/more-\d+-\d+|search)\.html$")
_OWN_LINK = re.compile(r"href\s*=\s*[\"']/zh-cn/news/(?:more-\d+-\d+|view-\d+)\.html")


def recognises(page: Page) -> bool:
    """By host; a page without URL by the site's own links."""
    if page.url:
        return urlsplit(page.url).hostname in HOSTS
    return _OWN_LINK.search(page.text) is not None


def kind_of(page: Page) -> Literal["list", "article"]:
    """Raises Blocked, Gone, or LayoutChanged for a page that is neither."""
    refuse_blocked(page)
    path = urlsplit(page.url).path
    if _LIST_PATH.match(path):
        return "list"
    if _ARTICLE_PATH.match(path):
        return "article"
    root = tree(page)
    if with_class(root, "listing", "div") or with_class(root, "search_list", "div"):
        return "list"
    if with_class(root, "detail", "div"):
        return "article"
    raise LayoutChanged(
        url=page.url,
        expected="div.listing, div.search_list or div.detail",
        found=f"none of them in {len(page.body)} bytes",
    )


def identity_of(url: str) -> str | None:
    """The article's number, whichever host shows it: `ipc.court.gov.cn:5999`."""
    return site_identity(url, "ipc.court.gov.cn")


def read_list(page: Page) -> ListPage:
    """A column's list or a page of search results.

    Raises LayoutChanged when no entry can be read and the page doesn't say that it has none; Blocked, Gone.
    """
    refuse_blocked(page)
    root = tree(page)
    search = only(page, with_class(root, "search_list", "div"), "list (div.search_list)")
    block = (
        search if search is not None else only(page, with_class(root, "listing", "div"), "list (div.listing)")
    )
    if block is None:
        raise LayoutChanged(
            url=page.url,
            expected="div.listing or div.search_list",
            found=f"neither in {len(page.body)} bytes",
        )
    rows = [row for row in block.iter("li") if not _in_pager(row)]
    entries = []
    for position, row in enumerate(rows):
        entry = _read_entry(row, page, position, of_search=search is not None)
        if entry is None:
            logger.warning("Skipped entry %d of %r: it has no link with a title.", position + 1, page.url)
        else:
            entries.append(entry)
    total = _total(block)
    if total != 0 and not any(entry.date for entry in entries):
        raise LayoutChanged(
            url=page.url,
            expected="li with a[href] and span.right (search: i.date)",
            found=f"{len(rows)} rows, {len(entries)} with a link, none with a date",
        )
    refuse_cut_off(page, block)
    return ListPage(tuple(entries), _next_url(root, page), total)


def _in_pager(row: html.HtmlElement) -> bool:
    return any(has_class(above, "pagination") for above in row.iterancestors())


def _read_entry(row: html.HtmlElement, page: Page, position: int, *, of_search: bool) -> ListEntry | None:
    anchor = first(row.iter("a"))
    url = absolute(anchor.get("href") or "", page.url or _HOME) if anchor is not None else None
    title = one_line(anchor)
    if url is None or not title or _LIST_PATH.match(urlsplit(url).path):
        return None
    form: DateForm = "twelve-hour" if of_search else "printed"
    spot = first(with_class(row, "date", "i") if of_search else with_class(row, "right", "span"))
    raw = date_shaped(one_line(spot))
    date = PrintedDate(raw, "list entry", form=form) if raw else None
    return ListEntry(url, title, date, position, identity_of(url))


def _total(block: html.HtmlElement) -> int | None:
    number = one_line(first(with_class(block, "num", "span")))
    return int(number) if number.isdecimal() else None


def _next_url(root: html.HtmlElement, page: Page) -> str | None:
    """The pager's link to the page after this one; the search's pager has numbers only."""
    following = _page_number(page.url) + 1
    for pager in with_class(root, "pagination", "div"):
        for anchor in pager.iter("a"):
            url = absolute(anchor.get("href") or "", page.url or _HOME)
            if url and _page_number(url) == following:
                return url
    return None


def _page_number(url: str) -> int:
    numbers = parse_qs(urlsplit(url).query).get("page", ["1"])
    return int(numbers[0]) if numbers[0].isdecimal() else 1


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """Raises LayoutChanged when the title, every date or the body is missing; Blocked, Gone."""
    refuse_blocked(page)
    detail = only(page, with_class(tree(page), "detail", "div"), "article (div.detail)")
    text = only(page, with_class(detail, "txt", "div"), "body (div.txt)") if detail is not None else None
    headings = (
        () if detail is None else (node for node in detail.iter("h2") if text not in node.iterancestors())
    )
    title = one_line(only(page, headings, "title (h2)"))
    if detail is None or not title or text is None:
        raise LayoutChanged(
            url=page.url,
            expected="div.detail with h2 and div.txt",
            found=f"{'no' if detail is None else 'a'} div.detail, {'a' if title else 'no'} title, "
            f"{'no' if text is None else 'a'} body",
        )
    head = one_line(first(with_class(detail, "message", "div")))
    refuse_headline(page, title)
    dates = _dates(head, entry)
    if not dates:
        raise LayoutChanged(
            url=page.url, expected="发布时间 above the body", found=f"no date in {head[:80]!r}"
        )
    refuse_cut_off(page, text)
    refuse_overrun(page, text, "message", "txt")
    body = read_body(text, page.url or _HOME)
    return Notice(
        reader="ipc_court",
        url=page.url,
        title=title,
        publisher=named(head, "来源"),
        author=named(head, "作者"),
        dates=dates,
        body=body.text,
        links=body.links,
        attachments=body.attachments,
        identity=identity_of(page.url) or (entry.identity if entry else None),
        entry=entry,
        fetched_at=page.fetched_at,
        sha256=page.sha256,
        body_note=note_empty_body(page, body),
        images=body.images,
    )


def _dates(head: str, entry: ListEntry | None) -> tuple[PrintedDate, ...]:
    """The list's date first, unless it came from a search, whose clock is the poorer one."""
    raw = labelled_date(head, "发布时间", "发布日期")
    dates = [PrintedDate(raw, "labelled text")] if raw else []
    if entry and entry.date:
        dates.insert(len(dates) if entry.date.form == "twelve-hour" else 0, entry.date)
    return tuple(dates)
