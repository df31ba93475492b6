"""www.samr.gov.cn, the site of the State Administration for Market Regulation (Hanweb's JPaaS).

URL forms
    list     /api-gateway/jpaas-publish-server/front/page/build/unit?parseType=bulidstatic&webId=…&tplSetId=…
             &pageType=column&tagId=内容区域&pageId=<32 hex>&paramJson={"pageNo":1,"pageSize":20}
             (`bulidstatic` is spelled so; the page number counts only inside `paramJson`)
    article  /<column>/art/<year>/art_<32 hex>.html, the same on port 1935

History
    2023-    a column's page is an empty shell; its rows come as HTML inside JSON (`data.html`): one `ul` a
             row with `li.nav04Left02_content > a[title]` and `li.nav04Left02_contenttime`; the count is an
             attribute of `.pagination`. Some rows lead to www.gov.cn.
    2024-    article: metas ArticleTitle, PubDate, ContentSource; table of pairs in `.Three_xilan01_01`; body
             `div.Three_xilan_07`; attachments listed below it in `ul.contentLeft0102box`, of which the page
             has an empty one, too.
    2026     titles in metas and in `@title` are broken over lines in the middle of words. Columns that invite
             comments (/hd/zjdc/) have other rows, with a period instead of a date: not read here.
             Known from descriptions only.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lxml import html

from crawlers.errors import LayoutChanged
from crawlers.notice import Attachment, ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers import document_table
from crawlers.readers.body import Body, absolute, read_body
from crawlers.readers.markup import date_shaped, first, folded, has_class, metas, one_line, tree, with_class
from crawlers.readers.refusals import note_empty_body, refuse_blocked
from crawlers.readers.wholeness import only, only_meta, refuse_cut_off, refuse_no_article, refuse_overrun
from pipeline.normalize.identity import site_identity

logger = logging.getLogger(__name__)

HOSTS = ("www.samr.gov.cn", "samr.gov.cn")
_HOME = "https://www.samr.gov.cn/"
_ARTICLE_PATH = re.compile(r"/art/\d{4}/(?:\d{1,2}/)*art_([0-9a-f]{32})\.html$")
_LIST_PATH = "/api-gateway/jpaas-publish-server/front/page/build/unit"
_LINE_BREAK = re.compile(r"\s*[\r\n]\s*")


def recognises(page: Page) -> bool:
    """By host, whatever the port; a page without URL by the class of its body or of its rows."""
    if page.url:
        return urlsplit(page.url).hostname in HOSTS
    return "Three_xilan_07" in page.text or "nav04Left02_contenttime" in page.text


def kind_of(page: Page) -> Literal["list", "article"]:
    """Raises Blocked, Gone, or LayoutChanged for a page that is neither."""
    refuse_blocked(page)
    path = urlsplit(page.url).path
    if path == _LIST_PATH:
        return "list"
    if _ARTICLE_PATH.search(path):
        return "article"
    if page.text.lstrip("\ufeff \r\n\t").startswith("{"):
        return "list"
    if with_class(tree(page), "Three_xilan_07", "div"):
        return "article"
    raise LayoutChanged(
        url=page.url,
        expected="JSON with data.html, or div.Three_xilan_07",
        found=f"neither in {len(page.body)} bytes",
    )


def identity_of(url: str) -> str | None:
    """The article's id, whatever column and port show it: `samr:<32 hex>`."""
    return site_identity(url, "samr")


def normal_url(href: str, base_url: str) -> str | None:
    """The link without SAMR's second port; None for a link that leads nowhere."""
    url = absolute(href, base_url)
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.hostname in HOSTS:
        parts = parts._replace(netloc=parts.netloc.removesuffix(":1935"))
    return urlunsplit(parts._replace(fragment=""))


def read_list(page: Page) -> ListPage:
    """The rows of a column, out of the HTML inside the JSON.

    Raises LayoutChanged when the answer is no success, has no HTML, or no row has a link and a date; Blocked,
    Gone.
    """
    refuse_blocked(page)
    root = tree(_inside(page))
    rows = with_class(root, "nav04Left02_content", "li")
    entries: dict[str, ListEntry] = {}
    for position, row in enumerate(rows):
        entry = _read_entry(row, page, position)
        if entry is None:
            logger.warning("Skipped entry %d of %r: it has no link with a title.", position + 1, page.url)
        else:
            entries.setdefault(entry.identity or entry.url, entry)
    total = _total(root)
    if (rows or total != 0) and not any(entry.date for entry in entries.values()):
        raise LayoutChanged(
            url=page.url,
            expected="li.nav04Left02_content with a link, li.nav04Left02_contenttime with a date",
            found=f"{len(rows)} rows, {len(entries)} with a link, none with a date",
        )
    return ListPage(tuple(entries.values()), _next_url(page, total), total)


def _inside(page: Page) -> Page:
    """The HTML that the JSON carries, as a page of the same URL."""
    try:
        answer = json.loads(page.text.lstrip("\ufeff"))
    except ValueError as error:
        raise LayoutChanged(url=page.url, expected="JSON with data.html", found=str(error)) from error
    data = answer.get("data") if isinstance(answer, dict) else None
    fragment = data.get("html") if isinstance(data, dict) else None
    if not isinstance(fragment, str) or not fragment.strip():
        raise LayoutChanged(url=page.url, expected="JSON with data.html", found=repr(answer)[:200])
    if answer.get("success") is False:
        raise LayoutChanged(url=page.url, expected="success", found=repr(answer.get("message")))
    return Page(page.url, fragment.encode("utf-8", "replace"), page.fetched_at)


def _read_entry(row: html.HtmlElement, page: Page, position: int) -> ListEntry | None:
    anchor = first(row.iter("a"))
    if anchor is None:
        return None
    url = normal_url(anchor.get("href") or "", page.url or _HOME)
    title = one_line(anchor)
    if not title or title.endswith(("...", "…")):
        title = _unbroken(anchor.get("title")) or title
    if url is None or not title:
        return None
    beside = row.getnext()
    dated = beside is not None and has_class(beside, "nav04Left02_contenttime")
    raw = date_shaped(one_line(beside)) if dated else None
    date = PrintedDate(raw, "list entry") if raw else None
    return ListEntry(url, title, date, position, identity_of(url))


def _unbroken(text: str | None) -> str:
    """The text on one line: line breaks stand inside words here, so they leave no space."""
    return folded(_LINE_BREAK.sub("", (text or "").strip()))


def _total(root: html.HtmlElement) -> int | None:
    pager = first(with_class(root, "pagination"))
    count = (pager.get("count") or "") if pager is not None else ""
    return int(count) if count.isdecimal() else None


def _next_url(page: Page, total: int | None) -> str | None:
    """The same address with the next page number, where it has one and the total isn't reached."""
    parts = urlsplit(page.url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    try:
        asked = json.loads(query.get("paramJson", ""))
    except ValueError:
        return None
    if not isinstance(asked, dict) or total is None:
        return None
    number, size = asked.get("pageNo"), asked.get("pageSize")
    if type(number) is not int or type(size) is not int or number * size >= total:
        return None
    query["paramJson"] = json.dumps(asked | {"pageNo": number + 1}, separators=(",", ":"))
    return urlunsplit(parts._replace(query=urlencode(query)))


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """An article. The rows of its table that its body lacks are its first lines.

    Raises LayoutChanged when the title, every date or the body is missing; Blocked, Gone.
    """
    refuse_blocked(page)
    root = tree(page)
    described = metas(root)
    title = folded(read_body(_unbroken(only_meta(page, root, "ArticleTitle")), "").text)
    block = only(page, with_class(root, "Three_xilan_07", "div"), "body (div.Three_xilan_07)")
    if not title or block is None:
        raise LayoutChanged(
            url=page.url,
            expected="metadata ArticleTitle and div.Three_xilan_07",
            found=f"{'a' if title else 'no'} title, {'no' if block is None else 'a'} body",
        )
    table = document_table.read_cells(
        one_line(cell) for part in with_class(root, "Three_xilan01_01") for cell in part.iter("li")
    )
    if not table and document_table.is_shown(root):
        raise LayoutChanged(
            url=page.url, expected=".Three_xilan01_01", found="a document's table that isn't known"
        )
    dates = _dates(entry, table, described)
    if not dates:
        raise LayoutChanged(url=page.url, expected="metadata PubDate or 发布日期", found="neither")
    refuse_cut_off(page, block)
    refuse_overrun(page, block, "three_xilan_01", "three_xilan_08", "contentleft0102box")
    body = read_body(block, page.url or _HOME)
    refuse_no_article(page, body)
    attachments = _attachments(root, body, page)
    complete = replace(body, attachments=attachments)
    return Notice(
        reader="samr",
        url=page.url,
        title=title,
        publisher=described.get("contentsource", ("", ""))[1] or None,
        author=described.get("author", ("", ""))[1] or None,
        dates=dates,
        body=document_table.put_before(table, body.text),
        links=body.links,
        attachments=attachments,
        identity=identity_of(page.url) or (entry.identity if entry else None),
        entry=entry,
        fetched_at=page.fetched_at,
        sha256=page.sha256,
        body_note=note_empty_body(page, complete),
        images=body.images,
    )


def _dates(
    entry: ListEntry | None, table: dict[str, str], described: dict[str, tuple[str, str]]
) -> tuple[PrintedDate, ...]:
    dates = [entry.date] if entry and entry.date else []
    printed = document_table.read_dates(table)
    dates += [date for date in printed if date.meaning == "published"]
    if "pubdate" in described:
        name, content = described["pubdate"]
        dates.append(PrintedDate(content, f"metadata {name}"))
    dates += [date for date in printed if date.meaning != "published"]
    if dates and "maketime" in described:
        name, content = described["maketime"]
        dates.append(PrintedDate(content, f"metadata {name}", meaning="modified"))
    return tuple(dates)


def _attachments(root: html.HtmlElement, body: Body, page: Page) -> tuple[Attachment, ...]:
    """Those of the body and those listed below it, once."""
    found = {file.url: file for file in body.attachments}
    for block in with_class(root, "contentLeft0102box", "ul"):
        for file in read_body(block, page.url or _HOME).attachments:
            found.setdefault(file.url, file)
    return tuple(found.values())
