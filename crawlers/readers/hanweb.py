"""Sites made with Hanweb (大汉版通): www.cnipa.gov.cn and many provincial and city governments.

URL forms
    column   /col/col<N>/index.html
    records  /module/web/jpage/dataproxy.jsp?page=1&webid=1&columnid=<N>&unitid=<N>&perpage=100
             (without `web/` it is 404)
    article  /art/<year>/<month>/<day>/art_<column>_<id>.html, month and day without zeros. On CNIPA the id
             is global: art_53_1 and art_57_1 are one article.

History
    2016-    article: the comments `<!--<$[标题]>begin-->`, `<!--<$[信息来源]>…`, `<!--<$[信息内容]>…` stand
             in every skin; the classes around them don't. `Maketime` is when the page was last built.
    2023-    list: the first page's records are XML inside `<script type="text/xml">`; records behind
             dataproxy.jsp are the same XML, on some sites wrapped in JSON. Some sites encrypt the parameters
             of `nextgroup`, so the address of the next records is built from columnid and unitid instead.
    2026     CNIPA: the landing page of the news (col4) has plain links only. Records have hrefs with a
             stray /col/col<N> before the path (404 unless stripped), direct PDFs, and public letters
             (/jact/…, no news). Many announcements have their full text in a PDF only.
"""

from __future__ import annotations

import json
import logging
import re
from html import unescape
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from bs4 import BeautifulSoup, Tag
from lxml import etree, html

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers.body import Body, absolute, read_body
from crawlers.readers.markup import (
    date_shaped,
    first,
    folded,
    labelled,
    labelled_date,
    metas,
    names_a_site,
    one_line,
    text_outside,
    tree,
    with_class,
)
from crawlers.readers.page_metadata import printed_beside
from crawlers.readers.refusals import note_empty_body, refuse_blocked
from crawlers.readers.wholeness import only, only_meta, refuse_cut_off, refuse_overrun
from pipeline.normalize.identity import site_identity

logger = logging.getLogger(__name__)

CNIPA = "www.cnipa.gov.cn"
_ARTICLE_PATH = re.compile(r"/art/(\d{4}/\d{1,2}/\d{1,2})/art_\d+_(\d+)\.html$")
_COLUMN_PATH = re.compile(r"^/col/col(\d+)/(?:index\.html)?$")
_RECORDS_PATH = "/module/web/jpage/dataproxy.jsp"
_STRAY_COLUMN = re.compile(r"^/col/col\d+(?=/)(?!/(?:index\.html)?$)")
_XML_SCRIPT = re.compile(r"<script\b[^>]*type\s*=\s*[\"']text/xml[\"'][^>]*>(.*?)</script>", re.S | re.I)
_MARKER = "<!--<$[{}]>{}-->"
_CONTENT_START = re.compile(r"<(?:meta\b[^>]*name\s*=\s*[\"']?|!--\s*)ContentStart\b[^>]*>", re.I)
_CONTENT_END = re.compile(r"<(?:meta\b[^>]*name\s*=\s*[\"']?|!--\s*)ContentEnd\b", re.I)
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.S)
_LETTERS = "/jact/"  # letters of the public, and the answers to them
_HEAD = 6000  # characters of source above the body that can hold its title and date
_SHORT = 500  # characters below which a CNIPA notice was seen to have its text in the attachment


def recognises(page: Page) -> bool:
    """By the path, which no other system shares, or by CNIPA's host; a page without URL by its markers."""
    if page.url:
        parts = urlsplit(page.url)
        known = _ARTICLE_PATH.search(parts.path) or _COLUMN_PATH.match(parts.path)
        return parts.hostname == CNIPA or known is not None or parts.path == _RECORDS_PATH
    return _MARKER.format("信息内容", "begin") in page.text or "<datastore" in page.text


def kind_of(page: Page) -> Literal["list", "article"]:
    """Raises Blocked, Gone, or LayoutChanged for a page that is neither."""
    refuse_blocked(page)
    path = urlsplit(page.url).path
    if path.startswith(_LETTERS):
        raise LayoutChanged(url=page.url, expected="news", found="a public letter")
    if _ARTICLE_PATH.search(path):
        return "article"
    if _COLUMN_PATH.match(path) or path == _RECORDS_PATH or "<datastore" in page.text:
        return "list"
    if _MARKER.format("信息内容", "begin") in page.text:
        return "article"
    raise LayoutChanged(
        url=page.url, expected="a column, its records or an article", found=f"{len(page.body)} other bytes"
    )


def identity_of(url: str) -> str | None:
    """`cnipa:207729`, the same in every column; `hanweb:<host>:<id>` elsewhere."""
    return site_identity(url, "cnipa", "hanweb")


def normal_url(href: str, base_url: str) -> str | None:
    """The link without a stray `/col/col<N>`; None for a link that leads nowhere or to a public letter."""
    url = absolute(href, base_url)
    if url is None:
        return None
    parts = urlsplit(url)
    path = _STRAY_COLUMN.sub("", parts.path)
    return None if path.startswith(_LETTERS) else urlunsplit(parts._replace(path=path, fragment=""))


def read_list(page: Page) -> ListPage:
    """A column's page, its landing page, or the records behind it (XML, or XML in JSON).

    Raises LayoutChanged when there is no record and the page doesn't say that there is none; Blocked, Gone.
    """
    refuse_blocked(page)
    source = page.text.strip().lstrip("\ufeff")
    if source.startswith("{"):
        source = _xml_in_json(source, page)
    embedded = [script[1] for script in _XML_SCRIPT.finditer(source)]
    if embedded:
        filled = next((script for script in embedded if "<record>" in script), embedded[0])
        return _read_records(filled, page, embedded_in=source)
    if source.startswith(("<?xml", "<datastore", "<recordset")):
        return _read_records(source, page, embedded_in=None)
    return _read_links(page)


def _xml_in_json(source: str, page: Page) -> str:
    try:
        wrapped = json.loads(source)
    except json.JSONDecodeError as error:
        raise LayoutChanged(url=page.url, expected="JSON around <datastore>", found=str(error)) from error
    for value in wrapped.values():
        if isinstance(value, str) and "<datastore" in value:
            return value.strip()
    raise LayoutChanged(url=page.url, expected="JSON around <datastore>", found=f"keys {sorted(wrapped)}")


def _read_records(source: str, page: Page, *, embedded_in: str | None) -> ListPage:
    parser = etree.XMLParser(encoding="utf-8", recover=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(source.strip().encode("utf-8", "replace"), parser=parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        raise LayoutChanged(url=page.url, expected="<datastore>", found=f"unreadable XML {source[:60]!r}")
    if len(re.findall(rf"</{root.tag}\s*>", source)) != 1:
        raise LayoutChanged(url=page.url, expected=f"one </{root.tag}> at the end", found="none or several")
    records = ["".join(node.itertext()) for node in root.iter("record")]
    total, pages = _number(root, "totalrecord"), _number(root, "totalpage")
    entries: dict[str, ListEntry] = {}
    letters = 0
    for position, record in enumerate(records):
        if _LETTERS in record:
            letters += 1
            continue
        entry = _read_record(record, page, position)
        if entry is None:
            logger.warning("Skipped record %d of %r: it has no link with a title.", position + 1, page.url)
        else:
            entries.setdefault(entry.identity or entry.url, entry)
    past_the_end = pages is not None and (_asked_page(page) or 0) > pages
    if not entries and total != 0 and not letters and not past_the_end:
        raise LayoutChanged(
            url=page.url,
            expected="<record> with a[href] and a title",
            found=f"{len(records)} records, none readable",
        )
    if embedded_in is None:
        next_url = _next_records(page, total, pages)
    else:
        next_url = _records_url(page, embedded_in) if total is None or total > len(records) else None
    return ListPage(tuple(entries.values()), next_url, total)


def _read_record(record: str, page: Page, position: int) -> ListEntry | None:
    """One CDATA fragment: `<li>` often unclosed, the date beside the link or inside it."""
    soup = BeautifulSoup(record, "lxml")
    anchor = next((node for node in soup.find_all("a") if isinstance(node, Tag) and node.get("href")), None)
    if anchor is None:
        return None
    url = normal_url(str(anchor["href"]), page.url)
    dates = [node for node in anchor.find_all(True) if _is_date_only(node.get_text())]
    for node in dates:
        node.extract()
    attribute = _TAG.sub("", str(anchor.get("title") or ""))
    title = folded(attribute) or folded(anchor.get_text())
    anchor.extract()
    raw = date_shaped(soup.get_text(" ")) or next((date_shaped(node.get_text(" ")) for node in dates), None)
    if url is None or not title:
        return None
    date = PrintedDate(raw, "list entry") if raw else None
    return ListEntry(url, title, date, position, identity_of(url))


def _is_date_only(text: str) -> bool:
    bare = text.strip().strip("[]()（）【】")
    raw = date_shaped(bare)
    return raw is not None and "".join(raw.split()) == "".join(bare.split())


def _number(root: etree._Element, name: str) -> int | None:
    text = (root.findtext(f".//{name}") or "").strip()
    return int(text) if text.isdecimal() else None


def _asked_page(page: Page) -> int | None:
    asked = dict(parse_qsl(urlsplit(page.url).query)).get("page", "")
    return int(asked) if asked.isdecimal() else None


def _next_records(page: Page, total: int | None, pages: int | None) -> str | None:
    """The same address with the next page, or the next range of records, as long as there is one."""
    parts = urlsplit(page.url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    number = _asked_page(page)
    if number is not None and pages is not None and number < pages:
        query["page"] = str(number + 1)
    elif _has_range(query) and total is not None and int(query["endrecord"]) < total:
        end = int(query["endrecord"])
        length = end - int(query["startrecord"]) + 1
        query |= {"startrecord": str(end + 1), "endrecord": str(min(end + length, total))}
    else:
        return None
    return urlunsplit(parts._replace(query=urlencode(query)))


def _has_range(query: dict[str, str]) -> bool:
    return all(query.get(name, "").isdecimal() for name in ("startrecord", "endrecord"))


def _records_url(page: Page, source: str) -> str | None:
    """Where a column's records are, from the ids in its source. It starts anew: pages there are longer."""
    column = _COLUMN_PATH.match(urlsplit(page.url).path)
    ids = {}
    for name in ("webid", "columnid", "unitid"):
        found = re.search(rf"\b{name}[\"']?\s*[=:]\s*[\"']?(\w+)", source, re.I)
        ids[name] = found[1] if found else None
    if column:
        ids["columnid"] = column[1]
    if not page.url or None in ids.values():
        return None
    return urljoin(page.url, f"{_RECORDS_PATH}?{urlencode({'page': 1, **ids, 'perpage': 100})}")


def _read_links(page: Page) -> ListPage:
    """A landing page: whatever leads to an article, once, under the fullest title it is given."""
    entries: dict[str, ListEntry] = {}
    for anchor in tree(page).iter("a"):
        url = normal_url(anchor.get("href") or "", page.url)
        identity = identity_of(url) if url else None
        if url is None or identity is None:
            continue
        title = folded(anchor.get("title")) or one_line(anchor)
        raw = _date_beside(anchor)
        date = PrintedDate(raw, "list entry") if raw else None
        known = entries.get(identity)
        if known:
            title, date = max(known.title, title, key=len), known.date or date
        if title:
            position = known.position if known else len(entries)
            entries[identity] = ListEntry(known.url if known else url, title, date, position, identity)
    if not entries:
        raise LayoutChanged(
            url=page.url,
            expected="<datastore>, <script type=text/xml> or links to /art/…/art_N_N.html",
            found=f"none of them in {len(page.body)} bytes",
        )
    refuse_cut_off(page, None)
    return ListPage(tuple(entries.values()))


def _date_beside(anchor: html.HtmlElement) -> str | None:
    row = first(anchor.iterancestors("li", "dd", "tr", "p"))
    alone = row is not None and sum(1 for _ in row.iter("a")) == 1
    return date_shaped(text_outside(row, anchor)) if alone else None


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """An article's page (a PDF that a list leads to directly is read by `document`).

    Raises LayoutChanged when the title, every date or the body is missing; Blocked, Gone.
    """
    refuse_blocked(page)
    root = tree(page)
    described = metas(root)
    title = _title(page, root, described)
    found = _body(page, root)
    if not title or found is None:
        raise LayoutChanged(
            url=page.url,
            expected="ArticleTitle, and <!--<$[信息内容]>begin-->, ContentStart or div.article-content",
            found=f"{'a' if title else 'no'} title, {'no' if found is None else 'a'} body",
        )
    body, above = found
    info = one_line(first(with_class(root, "article-info")))
    dates = _dates(page, entry, described, title, info, _head_text(above))
    if not dates:
        raise LayoutChanged(
            url=page.url, expected="发布时间, metadata PubDate or a date in the URL", found="none of them"
        )
    attachments = body.attachments
    note = note_empty_body(page, body) if not attachments else None
    if attachments and len(body.text) < _SHORT:
        note = "full text in attachment"
    return Notice(
        reader="hanweb",
        url=page.url,
        title=title,
        publisher=described.get("contentsource", ("", ""))[1]
        or _marked(page.text, "信息来源")
        or labelled(info, "来源"),
        author=described.get("author", ("", ""))[1] or None,
        dates=dates,
        body=body.text,
        links=body.links,
        attachments=attachments,
        identity=identity_of(page.url) or (entry.identity if entry else None),
        entry=entry,
        fetched_at=page.fetched_at,
        sha256=page.sha256,
        body_note=note,
        images=body.images,
    )


def _title(page: Page, root: html.HtmlElement, described: dict[str, tuple[str, str]]) -> str:
    """ArticleTitle, the CMS's own field, or the heading of the article: an h1 may be the site's name instead."""
    block = only(page, with_class(root, "article-title"), "title (.article-title)")
    whole = folded(root.findtext(".//title"))
    names = [described[name][1] for name in ("sitename", "columnname") if name in described]
    headings = (
        heading
        for node in root.iter("h1")
        if (heading := one_line(node)) and not names_a_site(heading) and (not whole or heading in whole)
    )
    stated = (
        folded(only_meta(page, root, "ArticleTitle")),
        _marked(page.text, "标题") or "",
        one_line(block),
        *headings,
    )
    return next((title for title in stated if title and title not in names), "")


def _marked(source: str, name: str) -> str | None:
    """The text between the CMS's own comments for a field."""
    _, begin, rest = source.partition(_MARKER.format(name, "begin"))
    inside, end, _ = rest.partition(_MARKER.format(name, "end"))
    return folded(read_body(inside, "").text) or None if begin and end else None


def _body(page: Page, root: html.HtmlElement) -> tuple[Body, str] | None:
    """The body and the source above it: by the CMS's comments, by ContentStart, or by known classes."""
    source = page.text
    found: tuple[Body, str] | None = None
    start = source.find(_MARKER.format("信息内容", "begin"))
    end = source.find(_MARKER.format("信息内容", "end"), start)
    if source.count(_MARKER.format("信息内容", "begin")) > 1:
        raise LayoutChanged(url=page.url, expected="one 信息内容", found="several")
    if 0 <= start < end:
        found = read_body(source[start:end], page.url), source[:start]
    opened = _CONTENT_START.search(source) if not _has_content(found) else None
    closed = _CONTENT_END.search(source, opened.end()) if opened else None
    if opened and closed:
        found = read_body(source[opened.end() : closed.start()], page.url), source[: opened.start()]
    for name in ("article-content", "TRS_Editor"):
        block = only(page, with_class(root, name), f"body (.{name})") if not _has_content(found) else None
        if block is not None:
            refuse_cut_off(page, block)
            refuse_overrun(page, block, "article-info", "article-tools")
            found = read_body(block, page.url), found[1] if found else ""
    return found


def _has_content(found: tuple[Body, str] | None) -> bool:
    return found is not None and bool(found[0].text or found[0].attachments or found[0].images)


def _head_text(source: str) -> str:
    """What is printed above the body, whatever the skin puts around it."""
    return folded(unescape(_TAG.sub(" ", source[-_HEAD:])))


def _printed_date(text: str) -> str | None:
    return labelled_date(text, "发布时间", "发布日期")


def _dates(
    page: Page,
    entry: ListEntry | None,
    described: dict[str, tuple[str, str]],
    title: str,
    info: str,
    head: str,
) -> tuple[PrintedDate, ...]:
    dates = [entry.date] if entry and entry.date else []
    others = []
    if "pubdate" in described:
        name, content = described["pubdate"]
        others.append(PrintedDate(content, f"metadata {name}"))
    in_url = _ARTICLE_PATH.search(urlsplit(page.url).path)
    if in_url:
        others.append(PrintedDate(in_url[1], "url"))
    raw = _printed_date(info) or printed_beside(head, title, _printed_date, (*dates, *others))
    if raw:
        dates.append(PrintedDate(raw, "labelled text"))
    dates += others
    if dates and "maketime" in described:
        name, content = described["maketime"]
        dates.append(PrintedDate(content, f"metadata {name}", meaning="modified"))
    return tuple(dates)
