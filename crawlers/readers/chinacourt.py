"""China Court (www.chinacourt.cn, formerly www.chinacourt.org) and the courts whose sites it builds.

The same templates serve local courts under many hosts: `*.chinacourt.org`, `*.bjcourt.gov.cn`,
`*.hebeicourt.gov.cn`, `*.lncourt.gov.cn`, `*.tjcourt.gov.cn`, `*.jxfy.gov.cn`, `*.e-court.gov.cn` … So a page is
known by its path, not by its host. The electronic edition of the People's Court Daily (rmfyb.chinacourt.org/paper/…)
is another system; only its pages of the form below are read here.

URL forms
    list     /article/index/id/<base64>.shtml, next pages /article/index/id/<base64>/page/2.shtml; the `=` that
             ends the base64 is written `%3D`, `=` or left out
    article  /article/detail/YYYY/MM/id/<N>.shtml. Nobody has shown that N is one series for all courts, so the
             host is part of a local court's identity.

History
    2017-    local list: `.font14` (an `ul`, a `div` around one, or `#list`) with `span.left a`, `span.right`.
    2018-    main list: `#articleList ul li`, `@title` whole, `span.right` the day; `.paginationControl` below.
    2018-    article: `.detail_bigtitle`, `.detail_thr` with `.source`, `.writer`, `.time`, then `.detail_txt`
             (`.detail_txt.detail_general` for hearing notices, which may have `发布时间：` and no spans).
    2026     www.chinacourt.org has an expired certificate and redirects to www.chinacourt.cn. A firewall
             answers with `<title>449</title>` or `<title>455</title>`, or asks for the cookie `https_waf_cookie`.
"""

from __future__ import annotations

import logging
import re
from typing import Literal
from urllib.parse import urlsplit

from lxml import html

from crawlers.errors import Blocked, LayoutChanged
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
    with_class,
)
from crawlers.readers.refusals import note_empty_body, refuse_blocked
from crawlers.readers.wholeness import only, refuse_cut_off, refuse_headline, refuse_overrun
from pipeline.normalize.identity import site_identity

logger = logging.getLogger(__name__)

_HOME = "https://www.chinacourt.cn/"
_ARTICLE_PATH = re.compile(r"/article/detail/\d{4}/\d{2}/id/(\d+)\.shtml$")
_LIST_PATH = re.compile(r"/article/index/id/[^/]+?(?:/page/(\d+))?\.shtml$")
_WAF = re.compile(r"<title>\s*(449|455)\s*</title>", re.I)
_BLOCKS = ("detail_txt", "articleList", "font14")


def recognises(page: Page) -> bool:
    """By the path, which no other system shares; a page without URL by the template's own names."""
    if page.url:
        path = urlsplit(page.url).path
        return _ARTICLE_PATH.search(path) is not None or _LIST_PATH.search(path) is not None
    article = "detail_bigtitle" in page.text and "detail_txt" in page.text
    return article or ("paginationControl" in page.text and "/article/detail/" in page.text)


def kind_of(page: Page) -> Literal["list", "article"]:
    """Raises Blocked, Gone, or LayoutChanged for a page that is neither."""
    _refuse(page)
    path = urlsplit(page.url).path
    if _LIST_PATH.search(path):
        return "list"
    if _ARTICLE_PATH.search(path):
        return "article"
    root = tree(page)
    if with_class(root, "detail_bigtitle"):
        return "article"
    if _rows(page, root):
        return "list"
    raise LayoutChanged(
        url=page.url,
        expected=".detail_bigtitle, #articleList or .font14",
        found=f"none of them in {len(page.body)} bytes",
    )


def _refuse(page: Page) -> None:
    refuse_blocked(page)
    waf = _WAF.search(page.text)
    if waf and not any(name in page.text for name in _BLOCKS):
        raise Blocked(url=page.url, reason="verification", evidence=f"firewall page {waf[1]}")


def identity_of(url: str) -> str | None:
    """`chinacourt:7171637` under both names of the main site, `chinacourt:<host>:<N>` for a local court."""
    return site_identity(url, "chinacourt")


def read_list(page: Page) -> ListPage:
    """A column's list, of the main site or of a local court.

    Raises LayoutChanged when there are no rows, or none with a link, or none with a date; Blocked, Gone.
    """
    _refuse(page)
    root = tree(page)
    rows = _rows(page, root)
    entries = []
    for position, row in enumerate(rows):
        entry = _read_entry(row, page, position)
        if entry is None:
            logger.warning("Skipped entry %d of %r: it has no link with a title.", position + 1, page.url)
        else:
            entries.append(entry)
    if not any(entry.date for entry in entries):
        raise LayoutChanged(
            url=page.url,
            expected="#articleList li (local courts: .font14 li) with a[href] and span.right",
            found=f"{len(rows)} rows, {len(entries)} with a link, none with a date",
        )
    refuse_cut_off(page, None)
    return ListPage(tuple(entries), _next_url(root, page))


def _rows(page: Page, root: html.HtmlElement) -> list[html.HtmlElement]:
    main = only(page, root.xpath("//*[@id='articleList']"), "list (#articleList)")
    if main is not None:
        return [row for row in main.iter("li") if not _in_pager(row)]
    # `.font14` also sets the type of menus, whose rows have no day.
    rows = dict.fromkeys(row for block in with_class(root, "font14", "ul", "div") for row in block.iter("li"))
    return [row for row in rows if with_class(row, "right", "span") and not _in_pager(row)]


def _in_pager(row: html.HtmlElement) -> bool:
    return any(has_class(above, "paginationControl") for above in row.iterancestors())


def _read_entry(row: html.HtmlElement, page: Page, position: int) -> ListEntry | None:
    anchor = first(node for node in row.iter("a") if one_line(node) or node.get("title"))
    url = absolute(anchor.get("href") or "", page.url or _HOME) if anchor is not None else None
    if anchor is None or url is None:
        return None
    raw = next(
        (raw for span in with_class(row, "right", "span") if (raw := date_shaped(one_line(span)))), None
    )
    return ListEntry(
        url,
        folded(anchor.get("title")) or one_line(anchor),
        PrintedDate(raw, "list entry") if raw else None,
        position,
        identity_of(url),
    )


def _next_url(root: html.HtmlElement, page: Page) -> str | None:
    """The pager's link to the page after this one; whatever its label says."""
    own = _LIST_PATH.search(urlsplit(page.url).path)
    following = int(own[1] or 1) + 1 if own else 2
    for pager in with_class(root, "paginationControl"):
        for anchor in pager.iter("a"):
            url = absolute(anchor.get("href") or "", page.url or _HOME)
            number = _LIST_PATH.search(urlsplit(url).path) if url else None
            if number and number[1] == str(following):
                return url
    return None


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """Raises LayoutChanged when the title, every date or the body is missing; Blocked, Gone."""
    _refuse(page)
    root = tree(page)
    title = one_line(only(page, with_class(root, "detail_bigtitle"), "title (.detail_bigtitle)"))
    text = only(page, with_class(root, "detail_txt"), "body (.detail_txt)")
    if not title or text is None:
        raise LayoutChanged(
            url=page.url,
            expected=".detail_bigtitle and .detail_txt",
            found=f"{'a' if title else 'no'} title, {'no' if text is None else 'a'} body",
        )
    head = first(with_class(root, "detail_thr"))
    refuse_headline(page, title)
    dates = _dates(head, entry)
    if not dates:
        raise LayoutChanged(
            url=page.url, expected="a date in .detail_thr", found=f"none in {one_line(head)[:80]!r}"
        )
    refuse_cut_off(page, text)
    refuse_overrun(page, text, "detail_bigtitle", "detail_thr", "side")
    body = read_body(text, page.url or _HOME)
    return Notice(
        reader="chinacourt",
        url=page.url,
        title=title,
        publisher=_named(head, "source", "来源"),
        author=_named(head, "writer", "作者"),
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


def _named(head: html.HtmlElement | None, name: str, label: str) -> str | None:
    """The value of a span of the head line, or of the label where the head has no spans."""
    if head is None:
        return None
    span = first(with_class(head, name))
    return (named(one_line(head if span is None else span), label) or "").strip(" |｜") or None


def _dates(head: html.HtmlElement | None, entry: ListEntry | None) -> tuple[PrintedDate, ...]:
    dates = [entry.date] if entry and entry.date else []
    if head is not None:
        time = first(with_class(head, "time"))
        raw = date_shaped(one_line(time)) if time is not None else labelled_date(one_line(head), "发布时间")
        if raw:
            dates.append(PrintedDate(raw, "labelled text"))
    return tuple(dates)
