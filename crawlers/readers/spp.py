"""www.spp.gov.cn, the site of the Supreme People's Procuratorate (TRS templates of its own).

URL forms
    list     /spp/<channel>/index.shtml, /xwfbh/<channel>/index.shtml, next pages index_2.shtml …
             (the second page is `_2`, not TRS's usual `_1`)
    article  /spp/<channel>/YYYYMM/tYYYYMMDD_<id>.shtml, also below /xwfbh/ and directly below /

History
    2018-    list: `ul.li_line`; hrefs relative, root-relative and absolute mixed, some with doubled slashes
             or `#1`. Next pages exist in the call `createPageHTML('page_div', pages, current, 'index',
             'shtml', n)` only. /spp/qwfb/ has `.ul_list.active` with `span.title` and `span.data`.
    2018-    article: `div.detail_tit`, `div.detail_extend1`, `#fontzoom`. /wsfbt/:
             `div.wsfbh_detail_con` with `h2` and `.time`. /sfjs/: these two stand inside `#fontzoom`.
    2025-    pages whose first printed date is months later than the day in their URL (t20250221_684846 read
             2025-12-24 in 2026): a template or update date. So the list and the URL are believed first.
"""

from __future__ import annotations

import logging
import re
from typing import Literal
from urllib.parse import urljoin, urlsplit, urlunsplit

from lxml import html

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers.body import absolute, read_body
from crawlers.readers.markup import (
    cut_from,
    date_shaped,
    empty,
    first,
    folded,
    has_class,
    labelled_date,
    metas,
    named,
    one_line,
    tree,
    with_class,
)
from crawlers.readers.refusals import note_empty_body, refuse_blocked
from crawlers.readers.wholeness import only, refuse_cut_off, refuse_headline, refuse_overrun
from pipeline.normalize.identity import site_identity

logger = logging.getLogger(__name__)

HOSTS = ("www.spp.gov.cn", "spp.gov.cn")
_HOME = "https://www.spp.gov.cn/"
_ARTICLE_PATH = re.compile(r"/t(\d{8})_(\d+)\.s?html?$")
_LIST_PATH = re.compile(r"/(?:index(?:_(\d+))?\.s?html?)?$")
_PAGER = re.compile(
    r"createPageHTML\(\s*['\"][\w-]+['\"]\s*,\s*(\d+)\s*,\s*\d+\s*,\s*['\"](\w+)['\"]\s*,\s*['\"](\w+)['\"]"
)
_BODY_ENDS = ("pageBreak", "xgxw")


def recognises(page: Page) -> bool:
    """By host; a page without URL by the name in its title together with one of the site's own blocks."""
    if page.url:
        return urlsplit(page.url).hostname in HOSTS
    named = re.search(r"<title>[^<]*最高人民检察院(?:门户网)?\s*</title>", page.text)
    blocks = ("commonList_con", "detail_tit", "wsfbh_detail_con", "fontzoom", "ul_list")
    return named is not None and any(block in page.text for block in blocks)


def kind_of(page: Page) -> Literal["list", "article"]:
    """Raises Blocked, Gone, or LayoutChanged for a page that is neither."""
    refuse_blocked(page)
    if page.url:
        path = urlsplit(page.url).path
        if _ARTICLE_PATH.search(path):
            return "article"
        if _LIST_PATH.search(path):
            return "list"
    root = tree(page)
    if _rows(root):
        return "list"
    if _container(page, root) is not None:
        return "article"
    raise LayoutChanged(
        url=page.url,
        expected="ul.li_line, .ul_list.active, #fontzoom or div.wsfbh_detail_con",
        found=f"none of them in {len(page.body)} bytes",
    )


def identity_of(url: str) -> str | None:
    """The article's number, whichever channel shows it: `spp:725750`."""
    return site_identity(url, "spp")


def normal_url(href: str, base_url: str) -> str | None:
    """The one URL behind the forms that the lists write; None for a link that leads nowhere."""
    href = href.strip()
    if href.startswith("//") and "." not in href[2:].split("/", 1)[0]:
        href = href[1:]  # a doubled slash before a path, not before a host
    url = absolute(href, base_url)
    if url is None:
        return None
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, re.sub(r"/{2,}", "/", parts.path), parts.query, ""))


def read_list(page: Page) -> ListPage:
    """A channel's list. Links that differ in their fragment only are one entry.

    Raises LayoutChanged when there are no rows, or none with a link, or none with a date; Blocked, Gone.
    """
    refuse_blocked(page)
    rows = _rows(tree(page))
    entries: dict[str, ListEntry] = {}
    for position, row in enumerate(rows):
        entry = _read_entry(row, page, position)
        if entry is None:
            logger.warning("Skipped entry %d of %r: it has no link with a title.", position + 1, page.url)
        else:
            entries.setdefault(entry.url, entry)
    if not any(entry.date for entry in entries.values()):
        raise LayoutChanged(
            url=page.url,
            expected="div.commonList_con ul.li_line > li (or .ul_list.active li) with a link and a date",
            found=f"{len(rows)} rows, {len(entries)} with a link, none with a date",
        )
    refuse_cut_off(page, rows[-1])
    return ListPage(tuple(entries.values()), _next_url(page))


def _rows(root: html.HtmlElement) -> list[html.HtmlElement]:
    common = [ul for ul in with_class(root, "li_line", "ul") if _inside(ul, "commonList_con")]
    active = [ul for ul in with_class(root, "ul_list") if has_class(ul, "active")]
    return [row for block in common or active for row in block.iter("li")]


def _inside(node: html.HtmlElement, name: str) -> bool:
    return any(has_class(above, name) for above in node.iterancestors("div"))


def _read_entry(row: html.HtmlElement, page: Page, position: int) -> ListEntry | None:
    anchor = first(row.iter("a"))
    if anchor is None:
        return None
    url = normal_url(anchor.get("href") or "", page.url or _HOME)
    named = first(with_class(anchor, "title", "span"))
    title = one_line(anchor if named is None else named)
    if named is None and (inside := date_shaped(title)):
        title = title.removesuffix(inside).strip()
    if title.endswith(("...", "…")):
        title = folded(anchor.get("title")) or title
    if url is None or not title:
        return None
    spans = with_class(row, "data", "span") or list(row.iterchildren("span"))
    raw = next((raw for span in spans if (raw := date_shaped(one_line(span)))), None)
    date = PrintedDate(raw, "list entry") if raw else None
    return ListEntry(url, title, date, position, identity_of(url))


def _next_url(page: Page) -> str | None:
    """From the page's own number (in its URL) and the number of pages (in the script); there is no link."""
    pager = _PAGER.search(page.text)
    own = _LIST_PATH.search(urlsplit(page.url).path)
    if not page.url or pager is None or own is None:
        return None
    number = int(own[1] or 1)
    return urljoin(page.url, f"{pager[2]}_{number + 1}.{pager[3]}") if number < int(pager[1]) else None


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """Raises LayoutChanged when the title, every date or the body is missing; Blocked, Gone."""
    refuse_blocked(page)
    root = tree(page)
    container = _container(page, root)
    title_node = _title_node(page, root, container)
    if container is None or title_node is None:
        raise LayoutChanged(
            url=page.url,
            expected="div.detail_tit or h2, and #fontzoom, .wsfbh_detail_con, .article_body or .TRS_Editor",
            found=f"{'no' if title_node is None else 'a'} title, {'no' if container is None else 'a'} body",
        )
    title = one_line(title_node)
    head = " ".join(one_line(node) for node in _head_nodes(root, container, title_node))
    described = metas(root)
    refuse_headline(page, title)
    dates = _dates(page, entry, head, described)
    if not dates:
        raise LayoutChanged(
            url=page.url,
            expected="a date in the list, the URL or above the body",
            found=f"no date in {head[:80]!r}",
        )
    refuse_cut_off(page, container)
    _keep_body_only(page, container, title_node)
    refuse_overrun(page, container, "detail_tit", "detail_extend1", "float_bar", "share_box")
    body = read_body(container, page.url or _HOME)
    return Notice(
        reader="spp",
        url=page.url,
        title=title,
        publisher=named(head, "来源"),
        author=named(head, "作者") or described.get("author", ("", ""))[1] or None,
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


def _container(page: Page, root: html.HtmlElement) -> html.HtmlElement | None:
    """The block that holds the body (and, in two layouts, title and date above it)."""
    found: list[html.HtmlElement] = root.xpath("//*[@id='fontzoom']")
    for name in ("wsfbh_detail_con", "article_body", "TRS_Editor"):
        found += with_class(root, name)
    only(page, found, "body (#fontzoom, .wsfbh_detail_con, .article_body, .TRS_Editor)")
    return first(found)


def _title_node(
    page: Page, root: html.HtmlElement, container: html.HtmlElement | None
) -> html.HtmlElement | None:
    """The title's own block, else the `h2` above the date, or one that `<title>` repeats: others are the text's."""
    found = only(page, with_class(root, "detail_tit", "div"), "title (div.detail_tit)")
    for block in (first(with_class(root, "wsfbh_detail_con")), container):
        if found is None and block is not None:
            below = with_class(block, "time")
            found = (
                only(
                    page,
                    (node for node in block.iter("h2") if not below or _stands_before(node, below[0])),
                    "title (h2)",
                )
                if below
                else first(node for node in block.iter("h2") if _begins_title(root, node))
            )
    return found if one_line(found) else None


def _begins_title(root: html.HtmlElement, node: html.HtmlElement) -> bool:
    heading, title = ("".join(text.split()) for text in (one_line(node), root.findtext(".//title") or ""))
    return bool(heading) and title.startswith(heading)


def _stands_before(node: html.HtmlElement, other: html.HtmlElement) -> bool:
    return any(found is other for found in node.itersiblings())


def _head_nodes(
    root: html.HtmlElement, container: html.HtmlElement, title_node: html.HtmlElement
) -> list[html.HtmlElement]:
    """Where date, source and author are printed: the line under the title, in whichever layout."""
    standard = with_class(root, "detail_extend1")
    if standard:
        return standard
    outer = first(above for above in title_node.iterancestors("div") if has_class(above, "wsfbh_detail_con"))
    return with_class(container if outer is None else outer, "time")


def _dates(
    page: Page, entry: ListEntry | None, head: str, described: dict[str, tuple[str, str]]
) -> tuple[PrintedDate, ...]:
    dates = [entry.date] if entry and entry.date else []
    in_url = _ARTICLE_PATH.search(urlsplit(page.url).path)
    if in_url:
        dates.append(PrintedDate(in_url[1], "url"))
    printed = labelled_date(head, "发布时间", "发布日期") or date_shaped(head)
    if printed:
        dates.append(PrintedDate(printed, "labelled text"))
    if "firstpublishedtime" in described:
        name, content = described["firstpublishedtime"]
        dates.append(PrintedDate(content, f"metadata {name}"))
    return tuple(dates)


def _keep_body_only(page: Page, container: html.HtmlElement, title_node: html.HtmlElement) -> None:
    ends = [node for node in container.iter() if node.get("id") in _BODY_ENDS or _is_footer(node)]
    if ends:
        cut_from(container, ends[0])
    if any(above is container for above in title_node.iterancestors()):
        only(page, with_class(container, "time"), "line with the date (.time)")
        only(page, with_class(container, "con", "div"), "text (.con)")
        title = one_line(title_node)
        copies = [node for node in container.iter("h2") if one_line(node) == title]
        for node in [*with_class(container, "time"), *copies]:
            empty(node)


def _is_footer(node: html.HtmlElement) -> bool:
    return node.tag == "div" and has_class(node, "footer")
