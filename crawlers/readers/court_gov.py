"""www.court.gov.cn, the site of the Supreme People's Court.

URL forms
    list     /fabu/gengduo/16.html, next pages 16_2.html …; same for /shenpan/, /zixun/, /xinshidai/
    search   /search.html?content=<words>&page=<n>
    article  /fabu/xiangqing/436481.html; the same number under /zixun/ and /shenpan/ is the same article

History
    2019     article: `div.title > span` and `#zoom`; a `<title>` of its own. Dashed URLs
             (/fabu-xiangqing-155292.html, /xinshidai-gengduo-762.html) still circulate.
    2024     article: `div.detail`, `ul.message`, `div.txt_txt`; `<title>` is the name of the channel.
    2026-10  list: the anchor's text is cut with `...` where `@title` is whole; on the first page a hidden
             "previous" link leads to the page itself. Search: the reverse, `@title` holds escaped HTML and
             the text is clean; its dates have a 12-hour clock without AM or PM (06:44:47 for 18:44:47).
             After `</html>` follows `<div id="md5">` with a value that changes without an edit; so do the
             `?t=` stamps of the assets. Neither is part of anything that is read here.
"""

from __future__ import annotations

import logging
import re
from typing import Literal
from urllib.parse import urlsplit

from lxml import html

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers.body import absolute, read_body
from crawlers.readers.markup import (
    date_shaped,
    first,
    folded,
    has_class,
    labelled_date,
    named,
    one_line,
    tree,
    tree_from,
    with_class,
)
from crawlers.readers.refusals import note_empty_body, refuse_blocked
from crawlers.readers.wholeness import (
    only,
    refuse_cut_off,
    refuse_headline,
    refuse_overrun,
    refuse_unbalanced,
)
from pipeline.normalize.identity import site_identity

logger = logging.getLogger(__name__)

HOSTS = ("www.court.gov.cn", "court.gov.cn")
_HOME = "https://www.court.gov.cn/"
_ARTICLE_PATH = re.compile(r"^/[a-z]+[/-]xiangqing[/-](\d+)\.html$")
_CONTENT = '<div class="detail">'
_CONTENT_NAMES = ("detail", "txt_txt", "zoom")
_LIST_PATH = re.compile(r"^/(?:[a-z]+[/-]gengduo[/-]\d+(?:_\d+)?|search)\.html$")


def recognises(page: Page) -> bool:
    """By host; a page without URL by the site's own assets and name."""
    if page.url:
        return urlsplit(page.url).hostname in HOSTS
    return "/style/system/js/jquery.chinacourtUI.js" in page.text and "最高人民法院</title>" in page.text


def kind_of(page: Page) -> Literal["list", "article"]:
    """Raises Blocked, Gone, or LayoutChanged for a page that is neither."""
    refuse_blocked(page)
    path = urlsplit(page.url).path
    if _LIST_PATH.match(path):
        return "list"
    if _ARTICLE_PATH.match(path):
        return "article"
    root = tree(page)
    if with_class(root, "sec_list", "div") or with_class(root, "search_list", "div"):
        return "list"
    if with_class(root, "detail", "div"):
        return "article"
    raise LayoutChanged(
        url=page.url,
        expected="div.sec_list, div.search_list or div.detail",
        found=f"none of them in {len(page.body)} bytes",
    )


def identity_of(url: str) -> str | None:
    """The article's number, whichever channel shows it: `court.gov.cn:436481`."""
    return site_identity(url, "court.gov.cn")


def read_list(page: Page) -> ListPage:
    """A channel's list or a page of search results.

    Raises LayoutChanged when no entry can be read and the page doesn't say that it has none; Blocked,
    Gone.
    """
    refuse_blocked(page)
    root = tree(page)
    search = only(page, with_class(root, "search_list", "div"), "list (div.search_list)")
    block = (
        search
        if search is not None
        else only(page, with_class(root, "sec_list", "div"), "list (div.sec_list)")
    )
    if block is None:
        raise LayoutChanged(
            url=page.url,
            expected="div.sec_list or div.search_list",
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
            expected="li with a[href] and i.date",
            found=f"{len(rows)} rows, {len(entries)} with a link, none with a date",
        )
    refuse_cut_off(page, block)
    return ListPage(tuple(entries), _next_url(block, page), total)


def _in_pager(row: html.HtmlElement) -> bool:
    return any(has_class(above, "yiiPager") for above in row.iterancestors("ul"))


def _read_entry(row: html.HtmlElement, page: Page, position: int, *, of_search: bool) -> ListEntry | None:
    anchor = first(row.iter("a"))
    url = absolute(anchor.get("href") or "", page.url or _HOME) if anchor is not None else None
    attribute = folded(anchor.get("title")) if anchor is not None else ""
    title = one_line(anchor) if of_search or not attribute or "<" in attribute else attribute
    if url is None or not title or _LIST_PATH.match(urlsplit(url).path):
        return None
    raw = date_shaped(one_line(first(with_class(row, "date", "i"))))
    form: Literal["printed", "twelve-hour"] = "twelve-hour" if of_search else "printed"
    date = PrintedDate(raw, "list entry", form=form) if raw else None
    return ListEntry(url, title, date, position, identity_of(url))


def _total(block: html.HtmlElement) -> int | None:
    number = one_line(first(with_class(block, "num", "span")))
    return int(number) if number.isdecimal() else None


def _next_url(block: html.HtmlElement, page: Page) -> str | None:
    for item in with_class(block, "next", "li"):
        anchor = first(item.iter("a"))
        if anchor is not None and not has_class(item, "hidden"):
            return absolute(anchor.get("href") or "", page.url or _HOME)
    return None


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """Raises LayoutChanged when the title, every date or the body is missing; Blocked, Gone."""
    refuse_blocked(page)
    root = tree_from(page, _CONTENT, _CONTENT_NAMES)
    root = tree(page) if root is None else root
    detail = first(node for node in root.iter("div") if has_class(node, "detail"))
    block = root if detail is None else detail
    title = _title(page, block, of_2019=detail is None)
    of_2019 = root.xpath("//*[@id='zoom']") if "zoom" in page.text else []
    text = only(page, of_2019 + with_class(root, "txt_txt", "div"), "body (div.txt_txt, #zoom)")
    if not title or text is None:
        raise LayoutChanged(
            url=page.url,
            expected="div.detail > div.title and div.txt_txt (2019: div.title > span and #zoom)",
            found=f"{'a' if title else 'no'} title, {'no' if text is None else 'a'} body",
        )
    head = _head(block, text)
    refuse_headline(page, title)
    dates = _dates(head, entry)
    if not dates:
        raise LayoutChanged(
            url=page.url, expected="发布时间 above the body", found=f"no date in {head[:80]!r}"
        )
    refuse_unbalanced(page)
    refuse_cut_off(page, text)
    refuse_overrun(page, text, "title", "message", "txt_etr", "share", "links")
    body = read_body(text, page.url or _HOME)
    return Notice(
        reader="court_gov",
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


def _title(page: Page, block: html.HtmlElement, *, of_2019: bool) -> str:
    nodes = with_class(block, "title", "div")
    if of_2019:
        nodes = [span for node in nodes for span in node.iterchildren("span")]
    return one_line(only(page, nodes, "title (div.title)"))


def _head(block: html.HtmlElement, text: html.HtmlElement) -> str:
    """What is printed between title and body: `来源：… 发布时间：…`."""
    message = first(with_class(block, "message", "ul"))
    if message is not None:
        return one_line(message)
    pieces = []
    for node in block.iter("li", "span", "p"):
        if node is text or any(above is text for above in node.iterancestors()):
            break
        line = one_line(node)
        if re.match(r"(?:来源|作者|发布时间|发布日期)\s*[：:]", line):
            pieces.append(line)
    return " ".join(pieces)


def _dates(head: str, entry: ListEntry | None) -> tuple[PrintedDate, ...]:
    """The list's date first, unless it came from a search, whose clock is the poorer one."""
    raw = labelled_date(head, "发布时间", "发布日期")
    dates = [PrintedDate(raw, "labelled text")] if raw else []
    if entry and entry.date:
        dates.insert(len(dates) if entry.date.form == "twelve-hour" else 0, entry.date)
    return tuple(dates)
