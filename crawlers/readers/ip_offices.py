"""Sites of intellectual-property offices whose articles carry the standard metadata of government websites.

Sites and URL forms
    sipa.sh.gov.cn (Shanghai)          list /tzgg/, /zwgk_zxxxgk/
                                       article /<channel>/YYYYMMDD/<32 hex>.html
    zscqj.beijing.gov.cn (Beijing)     article /zscqj/<section>/<channel>/<id>/index.html
    ipr.mofcom.gov.cn (中国保护知识产权网, Ministry of Commerce)
                                       article /article/<section>/<topic>/YYYYMM/<id>.html; its lists come by
                                       POST and are not read

ArticleTitle, PubDate and ContentSource are prescribed for every article of a government website (政府网站发展指引,
国办发〔2017〕47号, annex on page design). A page without title and date there is refused.

History
    2019     Shanghai list: `ul.list-date > li` with `a[title]` and a date with dots. Beijing list:
             `ul.subpageCon-conList`, rows `li` or `tr`; article body `div.article-word`. Ministry of Commerce:
             body `section.artCon`.
    2020-    sites of the Shanghai government: body `#ivs_content`, `pubdate` spelled small or large.
    2026     the URL forms above. No real page has been read: what is known of bodies and lists comes from
             descriptions, so anything else is refused.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
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
    metas,
    one_line,
    text_outside,
    tree,
    with_class,
)
from crawlers.readers.refusals import note_empty_body, refuse_blocked
from crawlers.readers.wholeness import only, only_meta, refuse_cut_off, refuse_overrun
from pipeline.normalize.identity import site_identity

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Office:
    """One site: the paths of its articles, the classes of its lists.

    `article` has the group `day` where the path states the day.
    """

    article: re.Pattern[str]
    lists: tuple[str, ...]


OFFICES = {
    "sipa.sh.gov.cn": _Office(re.compile(r"^/[\w-]+/(?P<day>\d{8})/[0-9a-f]{32}\.html$"), ("list-date",)),
    "zscqj.beijing.gov.cn": _Office(
        re.compile(r"^/zscqj/(?:[\w-]+/)+\d+/index\.html$"), ("subpageCon-conList",)
    ),
    "ipr.mofcom.gov.cn": _Office(re.compile(r"^/article/(?:\w+/)+\d{6}/\d+\.html$"), ()),
}
_BODIES = ("ivs_content", "article-word", "artCon")
_META_PUBLISHED = ("pubdate", "publishdate")


def recognises(page: Page) -> bool:
    """By host only: nothing else is particular to these sites."""
    return urlsplit(page.url).hostname in OFFICES


def kind_of(page: Page) -> Literal["list", "article"]:
    """By the path. Raises Blocked, Gone."""
    refuse_blocked(page)
    return "article" if identity_of(page.url) else "list"


def identity_of(url: str) -> str | None:
    """The article's id with its site: `sipa:<32 hex>`, `zscqj.beijing:743662423`, `ipr.mofcom:1996842`."""
    return site_identity(url, "sipa", "zscqj.beijing", "ipr.mofcom")


def read_list(page: Page) -> ListPage:
    """A channel's list. Some rows lead to other sites (CNIPA, WeChat).

    Raises LayoutChanged when the site's lists are unknown, or no row has a link and a date; Blocked, Gone.
    """
    refuse_blocked(page)
    office = OFFICES.get(urlsplit(page.url).hostname or "")
    if office is None or not office.lists:
        raise LayoutChanged(url=page.url, expected="a site whose lists are known", found="none of them")
    root = tree(page)
    rows = [
        row
        for name in office.lists
        if (block := only(page, with_class(root, name, "ul"), f"list (ul.{name})")) is not None
        for row in block.iter("li", "tr")
    ]
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
            expected=f"rows in ul.{' or ul.'.join(office.lists)}, with a date",
            found=f"{len(rows)} rows, {len(entries)} with a link, none with a date",
        )
    refuse_cut_off(page, rows[-1])
    return ListPage(tuple(entries.values()))


def _read_entry(row: html.HtmlElement, page: Page, position: int) -> ListEntry | None:
    anchor = first(row.iter("a"))
    url = absolute(anchor.get("href") or "", page.url) if anchor is not None else None
    title = (folded(anchor.get("title")) or one_line(anchor)) if anchor is not None else ""
    if url is None or not title:
        return None
    raw = date_shaped(text_outside(row, anchor))
    date = PrintedDate(raw, "list entry") if raw else None
    return ListEntry(url, title, date, position, identity_of(url))


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """An article by its standard metadata.

    Raises LayoutChanged when ArticleTitle, PubDate or a known body is missing; Blocked, Gone.
    """
    refuse_blocked(page)
    root = tree(page)
    described = metas(root)
    title = folded(read_body(folded(only_meta(page, root, "ArticleTitle")), "").text)
    published = next((described[name] for name in _META_PUBLISHED if name in described), None)
    block = _body_block(page, root)
    if not title or published is None or block is None:
        raise LayoutChanged(
            url=page.url,
            expected=f"metadata ArticleTitle and PubDate, and a body ({', '.join(_BODIES)})",
            found=f"{'a' if title else 'no'} title, {'no' if published is None else 'a'} date, "
            f"{'no' if block is None else 'a'} body",
        )
    refuse_cut_off(page, block)
    refuse_overrun(page, block)
    body = read_body(block, page.url)
    return Notice(
        reader="ip_offices",
        url=page.url,
        title=title,
        publisher=described.get("contentsource", ("", ""))[1] or None,
        author=described.get("author", ("", ""))[1] or None,
        dates=_dates(page, entry, published),
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


def _body_block(page: Page, root: html.HtmlElement) -> html.HtmlElement | None:
    marked = (
        node
        for node in root.iter("div", "section", "article", "td")
        if any(node.get("id") == name or has_class(node, name) for name in _BODIES)
    )
    return only(page, marked, f"body ({', '.join(_BODIES)})")


def _dates(page: Page, entry: ListEntry | None, published: tuple[str, str]) -> tuple[PrintedDate, ...]:
    dates = [entry.date] if entry and entry.date else []
    name, content = published
    dates.append(PrintedDate(content, f"metadata {name}"))
    parts = urlsplit(page.url)
    office = OFFICES.get(parts.hostname or "")
    in_url = office.article.match(parts.path) if office else None
    if in_url and "day" in in_url.groupdict():
        dates.append(PrintedDate(in_url["day"], "url"))
    return tuple(dates)
