"""www.gov.cn, the portal of the State Council: policy lists and articles.

URL forms
    list     /zhengce/zuixin/ZUIXINZHENGCE.json (latest policies), /zhengce/jiedu/ZCJD_QZ.json (explanations),
             /yaowen/liebiao/YAOWENLIEBIAO.json (news), /gongbao/zuixin/gongbao.json (gazette)
    article  /zhengce/content/202607/content_7077199.htm, /zhengce/zhengceku/202605/content_7069081.htm,
             /zhengce/202604/content_7065494.htm, /lianbo/bumen/202507/content_7032499.htm,
             /gongbao/2026/issue_12766/202605/content_7070596.html, /zhengce/2021-06/25/content_5723642.htm.
             The number is the article. One document stands under two or three of these with different
             numbers: those are different articles with the same text.

History
    2011-    article: `.pages_content`, `.pages-date` with the source; from 2016 `#UCAP-CONTENT`.
    2023-    the columns' HTML is empty until a script has read the JSON beside it (/zhengce/zuixin/home.htm
             is 404 since); the JSON is one array of everything, about 1,100 entries, newest first.
             `zhengceku/` answers some clients with 403.
    2024-    document: `table.bd1` with labels spread by full-width spaces, repeated for mobile phones as
             `h2` and `p` in `div.pchide`; body `#UCAP-CONTENT > div.trs_editor_view`. Long texts are split
             into pages by a script only. `author` is the page's editor, no author.
    2026-07  `firstpublishedtime` has a hyphen before the clock: 2024-09-30-17:00:00.
"""

from __future__ import annotations

import json
import logging
import re
from typing import Literal
from urllib.parse import urlsplit

from lxml import html

from crawlers.errors import LayoutChanged
from crawlers.notice import DateMeaning, ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers import document_table
from crawlers.readers.body import Body, absolute, read_body
from crawlers.readers.markup import (
    date_shaped,
    empty,
    first,
    folded,
    metas,
    named,
    one_line,
    tree,
    with_class,
)
from crawlers.readers.refusals import note_empty_body, refuse_blocked
from crawlers.readers.wholeness import only, refuse_cut_off, refuse_overrun
from pipeline.normalize.identity import site_identity

logger = logging.getLogger(__name__)

HOSTS = ("www.gov.cn", "gov.cn")
_HOME = "https://www.gov.cn/"
_ARTICLE_PATH = re.compile(r"/content_(\d+)\.html?$")
_SITE_IN_TITLE = re.compile(r"(?:_[^_]*)?_中国政府网$")
_SITE_NAMES = ("中国政府网", "中华人民共和国中央人民政府", "中央政府门户网站")
_ORDER: tuple[DateMeaning, ...] = ("published", "issued", "effective", "decided", "modified")


def recognises(page: Page) -> bool:
    """By host; a page without URL by the site's name in its title, or by the keys of its lists."""
    if page.url:
        return urlsplit(page.url).hostname in HOSTS
    source = page.text.lstrip("\ufeff \r\n\t")
    return "_中国政府网</title>" in source or (source[:1] == "[" and '"DOCRELPUBTIME"' in source[:2000])


def kind_of(page: Page) -> Literal["list", "article"]:
    """Raises Blocked, Gone, or LayoutChanged for a page that is neither."""
    refuse_blocked(page)
    path = urlsplit(page.url).path
    if path.endswith(".json"):
        return "list"
    if _ARTICLE_PATH.search(path):
        return "article"
    if page.text.lstrip("\ufeff \r\n\t").startswith("["):
        return "list"
    if _body_block(page, tree(page)) is not None:
        return "article"
    raise LayoutChanged(
        url=page.url,
        expected="a JSON array, #UCAP-CONTENT or .pages_content",
        found=f"none of them in {len(page.body)} bytes",
    )


def identity_of(url: str) -> str | None:
    """The article's number, whatever path shows it: `gov.cn:7077199`."""
    return site_identity(url, "gov.cn")


def read_list(page: Page) -> ListPage:
    """A policy list: a JSON array of {TITLE, SUB_TITLE, URL, DOCRELPUBTIME}, all of it, as ordered there.

    Raises LayoutChanged when it is no such array or no entry can be read; Blocked, Gone.
    """
    refuse_blocked(page)
    try:
        rows = json.loads(page.text.lstrip("\ufeff"))
    except ValueError as error:
        raise LayoutChanged(url=page.url, expected="a JSON array of entries", found=str(error)) from error
    if not isinstance(rows, list):
        raise LayoutChanged(url=page.url, expected="a JSON array of entries", found=type(rows).__name__)
    entries: dict[str, ListEntry] = {}
    for position, row in enumerate(rows):
        entry = _read_entry(row, page, position)
        if entry is None:
            logger.warning("Skipped entry %d of %r: it has no link with a title.", position + 1, page.url)
        else:
            entries.setdefault(entry.identity or entry.url, entry)
    if not any(entry.date for entry in entries.values()):
        raise LayoutChanged(
            url=page.url,
            expected="entries with TITLE, URL and DOCRELPUBTIME",
            found=f"{len(rows)} rows, {len(entries)} with a link, none with a date",
        )
    return ListPage(tuple(entries.values()), total=len(rows))


def _read_entry(row: object, page: Page, position: int) -> ListEntry | None:
    if not isinstance(row, dict):
        return None
    title, href, printed = (row.get(key) for key in ("TITLE", "URL", "DOCRELPUBTIME"))
    if not isinstance(title, str) or not isinstance(href, str):
        return None
    url = absolute(href, page.url or _HOME)
    plain = folded(read_body(title, "").text)
    if url is None or not plain:
        return None
    raw = date_shaped(printed) if isinstance(printed, str) else None
    date = PrintedDate(raw, "list entry") if raw else None
    return ListEntry(url, plain, date, position, identity_of(url))


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """A document or a news item. The rows of a document's table that its body lacks are its first lines.

    Raises LayoutChanged when the title, every date or the body is missing; Blocked, Gone.
    """
    refuse_blocked(page)
    root = tree(page)
    table = _read_table(root)
    title = table.get(document_table.TITLE) or _title(page, root)
    block = _body_block(page, root)
    if not title or block is None:
        raise LayoutChanged(
            url=page.url,
            expected="标题 in table.bd1, h1 or <title>, and #UCAP-CONTENT or .pages_content",
            found=f"{'a' if title else 'no'} title, {'no' if block is None else 'a'} body",
        )
    whole = folded(root.findtext(".//head/title"))
    if _SITE_IN_TITLE.search(whole) and "".join(title.split()) not in "".join(whole.split()):
        raise LayoutChanged(
            url=page.url, expected=f"the title that <title> states ({whole[:80]!r})", found=repr(title)
        )
    head = one_line(first(with_class(root, "pages-date")))
    dates = _dates(entry, table, head, metas(root))
    if not dates:
        raise LayoutChanged(
            url=page.url, expected="发布日期, .pages-date or firstpublishedtime", found="none of them"
        )
    only(page, with_class(block, "trs_editor_view"), "text (.trs_editor_view)")
    if not table and document_table.is_shown(root):
        raise LayoutChanged(url=page.url, expected="table.bd1", found="a document's table that isn't known")
    refuse_cut_off(page, block)
    refuse_overrun(page, block, "bd1", "pagination", "jiedu-blk", "editor", "share-title", "pages-date")
    body = _read_text(block, page)
    note = note_empty_body(page, body)
    return Notice(
        reader="gov_cn",
        url=page.url,
        title=title,
        publisher=next((table[name] for name in document_table.ISSUERS if name in table), None)
        or named(head, "来源"),
        author=None,
        dates=dates,
        body=document_table.put_before(table, body.text),
        links=body.links,
        attachments=body.attachments,
        identity=identity_of(page.url) or (entry.identity if entry else None),
        entry=entry,
        fetched_at=page.fetched_at,
        sha256=page.sha256,
        body_note=note,
        images=body.images,
    )


def _read_table(root: html.HtmlElement) -> dict[str, str]:
    """The document's table, from the copy for wide screens or, without that one, from the mobile copy."""
    wide = first(with_class(root, "bd1", "table"))
    if wide is not None:
        table: dict[str, str] = {}
        for row in wide.iter("tr"):  # a value never stands in another row than its label
            cells = (one_line(cell) for cell in row.iterchildren("td", "th"))
            table |= {
                label: value
                for label, value in document_table.read_cells(cells).items()
                if label not in table
            }
        return table
    mobile = first(with_class(root, "pchide", "div"))
    if mobile is None:
        return {}
    return document_table.read_cells(one_line(cell) for cell in mobile.iter("h2", "p"))


def _title(page: Page, root: html.HtmlElement) -> str:
    headings = (heading for heading in root.iter("h1") if one_line(heading) not in _SITE_NAMES)
    if title := one_line(only(page, headings, "title (h1)")):
        return title
    whole = folded(root.findtext(".//head/title"))
    return _SITE_IN_TITLE.sub("", whole) if _SITE_IN_TITLE.search(whole) else ""


def _body_block(page: Page, root: html.HtmlElement) -> html.HtmlElement | None:
    # The table around the whole document carries the class of the body, too: the innermost one is the body.
    blocks = with_class(root, "pages_content")
    marked: list[html.HtmlElement] = root.xpath("//*[@id='UCAP-CONTENT']")
    only(page, marked + blocks, "body (#UCAP-CONTENT, .pages_content)")
    if marked:
        return marked[0]
    around = {above for block in blocks for above in block.iterancestors()}
    block = only(
        page,
        (block for block in blocks if block not in around and not block.find_class("bd1")),
        "body (.pages_content)",
    )
    if block is not None and block.tag == "table":
        only(page, block.xpath("./tr/td | ./tbody/tr/td"), "cell of the body (.pages_content)")
    return block


def _read_text(block: html.HtmlElement, page: Page) -> Body:
    for copy in with_class(block, "pchide"):
        empty(copy)
    return read_body(block, page.url or _HOME)


def _dates(
    entry: ListEntry | None, table: dict[str, str], head: str, described: dict[str, tuple[str, str]]
) -> tuple[PrintedDate, ...]:
    """When it was put on the site, then when it was issued, then when the page was changed."""
    dates = [entry.date] if entry and entry.date else []
    dates += document_table.read_dates(table)
    raw = date_shaped(head)
    if raw:
        dates.append(PrintedDate(raw, "labelled text"))
    if "firstpublishedtime" in described:
        name, content = described["firstpublishedtime"]
        dates.append(PrintedDate(content, f"metadata {name}"))
    if dates and "lastmodifiedtime" in described:
        name, content = described["lastmodifiedtime"]
        dates.append(PrintedDate(content, f"metadata {name}", meaning="modified"))
    return tuple(sorted(dates, key=lambda date: _ORDER.index(date.meaning)))
