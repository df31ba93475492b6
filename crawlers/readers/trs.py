"""Sites made with TRS WCM (拓尔思) that have no reader of their own: local procuratorates, NCAC, the Trade Mark Office.

What is common to them is the address and the metadata that government sites must carry; the classes differ from
site to site. So the reader is strict: a page without a title or a known body is refused.

URL forms
    list     /<channel>/index.shtml or the folder alone, next pages index_1.shtml … (.html on many sites)
    article  /<channel>/YYYYMM/tYYYYMMDD_<id>.shtml (or .html): *.jcy.gov.cn, www.ncac.gov.cn/xxfb/…,
             sbj.cnipa.gov.cn/sbj/…, bureaus of provinces
    twin     the same with `_ext.json` for `.shtml` (*.jcy.gov.cn): a JSON array of one document
    files    ./P0<17 digits or more>.docx beside the article are its attachments, wherever the page links them

History
    2011-    article: metas SiteName, ColumnName, ArticleTitle, PubDate, ContentSource (rules for government
             sites of 2017: 国办发〔2017〕47号); before, `<title>` alone. PubDate is minute, second, or
             `00:00:00` where the hour is unknown. ArticleTitle may hold markup.
    2018     local procuratorates moved their pages: printed dates may be years before the day in the URL. So
             what is printed is believed before the URL.
    2020-    body: `.TRS_Editor`, then `.trs_editor_view` and `.TRS_UEDITOR`; older skins `.Custom_UnionStyle`.
             `#zoom` and `#fontzoom` may hold the whole sheet (index table, sharing), so they come last.
    2022     xxgk.jl.gov.cn: the index table (成文日期, 发布日期) stands above the body, twice.
    2026     NCAC: `ul.m2newsList > li.ellipsis`; the index of some channels is a script that leads elsewhere.

Lists are read by `trs_list`.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from typing import Literal
from urllib.parse import unquote, urlsplit

from lxml import html

from crawlers.errors import LayoutChanged
from crawlers.notice import Attachment, ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers import court_gov, hanweb, spp, trs_list
from crawlers.readers.body import Body, absolute, read_body
from crawlers.readers.markup import (
    behind_headline,
    date_shaped,
    empty,
    folded,
    labelled,
    labelled_date,
    metas,
    names_a_site,
    one_line,
    tree,
    with_class,
)
from crawlers.readers.page_metadata import printed_beside
from crawlers.readers.refusals import note_empty_body, refuse_blocked
from crawlers.readers.wholeness import only, only_meta, refuse_cut_off, refuse_no_article, refuse_overrun
from pipeline.normalize.identity import site_identity

_TWIN_PATH = re.compile(r"/t(\d{8})_(\d+)_ext\.json$")
_CLASSES = ("TRS_Editor", "trs_editor_view", "TRS_UEDITOR", "Custom_UnionStyle")
_IDS = ("UCAP-CONTENT", "fontzoom", "zoom")
_LAST_CLASSES = ("article-content", "pages_content")
_FURNITURE = ("pageSource", "prenextBox")
_HEADINGS = (
    "preceding::*[self::h1 or self::h2 or self::h3 or contains(@class, 'tit') or contains(@class, 'Tit')]"
)
_SEPARATOR = re.compile(r"\s*[_|｜—–-]")
_ATTACHMENT = re.compile(r"/P0\d{17,}\.\w{2,5}$")
_TAG = re.compile(r"<[^>]*>")
# 时间 and 日期 alone; 更新时间, 成文日期 and 截止日期 are other dates.
_BARE_LABEL = re.compile(r"(?<![\u4e00-\u9fff])(?:时间|日期)\s*[：:]\s*(.{0,30})")
_NO_NAME = re.compile(r"打印|关闭|分享|字[号体]|浏览|点击|阅读|\d")
_HEAD = 3000  # characters of text above the body in which its date and source are looked for
_METAS = ("pubdate", "publishdate", "firstpublishedtime")


def recognises(page: Page) -> bool:
    """By the form of the address, else by ArticleTitle or the look of a list, where no older reader knows the page."""
    path = urlsplit(page.url).path
    known = (
        trs_list.ARTICLE_PATH.search(path) is not None
        or _TWIN_PATH.search(path) is not None
        or _is_twin(page)
        or re.search(r"<meta\b[^>]*name\s*=\s*[\"']?ArticleTitle\b", page.text, re.I) is not None
        or trs_list.looks_like_list(page)
    )
    return known and not any(other.recognises(page) for other in (court_gov, spp, hanweb))


def kind_of(page: Page) -> Literal["list", "article"]:
    """Raises Blocked, Gone, or LayoutChanged for a page that is neither."""
    refuse_blocked(page)
    path = urlsplit(page.url).path
    if trs_list.ARTICLE_PATH.search(path) or _TWIN_PATH.search(path) or _is_twin(page):
        return "article"
    root = tree(page)
    if "articletitle" in metas(root):
        return "article"
    if trs_list.find_block(root, page.url) or trs_list.LIST_PATH.search(path):
        return "list"
    raise LayoutChanged(
        url=page.url,
        expected="an address tYYYYMMDD_<id>, metadata ArticleTitle or a list of dated links",
        found=f"none of them in {len(page.body)} bytes",
    )


def _is_twin(page: Page) -> bool:
    start = page.text[:4000].lstrip("\ufeff \r\n\t")
    return start.startswith("[") and '"doctitle"' in start


def identity_of(url: str) -> str | None:
    """`trs:<host>:<id>`; a page and its JSON twin are one article. None for www.spp.gov.cn, which `spp` reads."""
    return site_identity(url, "trs")


def read_list(page: Page) -> ListPage:
    """A channel's list.

    Raises LayoutChanged when there is no block of dated links, or two that could be meant; Blocked, Gone.
    """
    refuse_blocked(page)
    return trs_list.read_rows(page, tree(page), identity_of)


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """An article's page or its JSON twin.

    Raises LayoutChanged when the title, every date or the body is missing, and for JSON that is cut off;
    Blocked, Gone.
    """
    refuse_blocked(page)
    if _TWIN_PATH.search(urlsplit(page.url).path) or _is_twin(page):
        return _read_twin(page, entry)
    root = tree(page)
    described = metas(root)
    block = _body_block(root, page)
    title = _title(page, root, block, described)
    if not title or block is None:
        raise LayoutChanged(
            url=page.url,
            expected=f"ArticleTitle (or a heading that <title> repeats) and one of .{', .'.join(_CLASSES)}, "
            f"#{', #'.join(_IDS)}, .{', .'.join(_LAST_CLASSES)}",
            found=f"{'a' if title else 'no'} title, {'no' if block is None else 'a'} body",
        )
    head = _text_above(block)
    dates = _dates(page, entry, described, head, title)
    if not dates:
        raise LayoutChanged(
            url=page.url,
            expected="PubDate, 发布时间 or a date in the URL",
            found=f"no date in {head[-80:]!r}",
        )
    beside = behind_headline(head, title) or head
    attachments = _attachments(root, page)
    for name in _FURNITURE:
        for node in with_class(block, name):
            empty(node)
    refuse_cut_off(page, block)
    refuse_overrun(page, block)
    body = read_body(block, page.url)
    if body.text:
        refuse_no_article(page, body)
    body = replace(body, attachments=_merged(body.attachments, attachments))
    return _notice(
        page,
        entry,
        title,
        described.get("contentsource", ("", ""))[1]
        or _name(beside, "信息来源", "新闻来源", "文章来源", "稿件来源", "来源"),
        _name(beside, "作者") or described.get("author", ("", ""))[1] or None,
        dates,
        body,
    )


def _notice(
    page: Page,
    entry: ListEntry | None,
    title: str,
    publisher: str | None,
    author: str | None,
    dates: tuple[PrintedDate, ...],
    body: Body,
) -> Notice:
    return Notice(
        reader="trs",
        url=page.url,
        title=title,
        publisher=publisher,
        author=author,
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


def _read_twin(page: Page, entry: ListEntry | None) -> Notice:
    try:
        documents = json.loads(page.text.lstrip("\ufeff"), strict=False)
    except json.JSONDecodeError as error:
        raise LayoutChanged(
            url=page.url, expected="a whole JSON array of one document", found=f"broken JSON: {error}"
        ) from error
    document = documents[0] if isinstance(documents, list) and len(documents) == 1 else None
    fields = ("doctitle", "crtime", "dochtmlcon")
    if not isinstance(document, dict) or not all(isinstance(document.get(name), str) for name in fields):
        raise LayoutChanged(
            url=page.url,
            expected=f"one document with the texts {', '.join(fields)}",
            found=f"{len(documents) if isinstance(documents, list) else type(documents).__name__}: "
            f"{sorted(document) if isinstance(document, dict) else 'no document'}",
        )
    title = _plain(document["doctitle"])
    dates = [entry.date] if entry and entry.date else []
    if raw := date_shaped(document["crtime"]):
        dates.append(PrintedDate(raw, "field crtime"))
    if in_url := _TWIN_PATH.search(urlsplit(page.url).path):
        dates.append(PrintedDate(in_url[1], "url"))
    if not title or not dates:
        raise LayoutChanged(
            url=page.url, expected="a doctitle and a crtime", found=f"{title!r}, {document['crtime']!r}"
        )
    return _notice(
        page,
        entry,
        title,
        _stated(document, "docsource"),
        _stated(document, "docauthor"),
        tuple(dates),
        read_body(document["dochtmlcon"], page.url),
    )


def _stated(document: dict[str, object], name: str) -> str | None:
    value = document.get(name)
    return folded(value) or None if isinstance(value, str) else None


def _plain(title: str) -> str:
    """A title without the markup that editors leave in it; TRS itself joins the pieces without a space."""
    return folded(unescape(_TAG.sub("", title)))


def _title(
    page: Page, root: html.HtmlElement, block: html.HtmlElement | None, described: dict[str, tuple[str, str]]
) -> str:
    """ArticleTitle; without it, the last heading above the body that begins `<title>` and isn't the site's name."""
    names = [described[name][1] for name in ("sitename", "columnname") if name in described]
    title = _plain(folded(only_meta(page, root, "ArticleTitle")))
    if title and title not in names:
        return title
    whole = folded(root.findtext(".//title"))
    for node in reversed(block.xpath(_HEADINGS)) if block is not None else ():
        heading = one_line(node)
        rest = whole.removeprefix(heading)
        linked = node.find(".//a") is not None or next(node.iterancestors("a"), None) is not None
        if heading in names or linked or rest == whole or (not rest and names_a_site(heading)):
            continue
        if not rest or _SEPARATOR.match(rest):
            return heading
    return ""


def _body_block(root: html.HtmlElement, page: Page) -> html.HtmlElement | None:
    """The first of the known bodies that has content, the most exact names first."""
    # Editors fill footers with the same blocks (bynr.gov.cn).
    exact = [block for name in _CLASSES for block in with_class(root, name) if not _in_footer(block)]
    sheets = [block for name in _IDS for block in root.xpath("//*[@id=$name]", name=name)]
    expected = f"body (.{', .'.join(_CLASSES)}, #{', #'.join(_IDS)})"
    only(page, exact, expected, empty_too=True)
    for name in _CLASSES:
        only(page, (block for block in with_class(root, name) if not _in_footer(block)), f"body (.{name})")
    sheets += [block for name in _LAST_CLASSES for block in with_class(root, name)]
    only(page, exact + sheets, expected, empty_too=True)
    for block in exact + sheets:
        body = read_body(block, page.url)
        if body.text or body.attachments or body.images:
            if block in sheets and "索引号" in "".join(body.text[:_HEAD].split()):
                raise LayoutChanged(
                    url=page.url,
                    expected=f"a body inside the sheet (.{', .'.join(_CLASSES)})",
                    found="its table",
                )
            return block
    return (exact + sheets)[0] if exact or sheets else None


def _in_footer(block: html.HtmlElement) -> bool:
    marks = (
        f"{above.get('class') or ''} {above.get('id') or ''}"
        for above in block.iterancestors("div", "footer")
    )
    return any("foot" in mark.lower() for mark in marks)


def _text_above(block: html.HtmlElement) -> str:
    pieces = block.xpath("preceding::text()[not(parent::script or parent::style or parent::title)]")
    return folded(" ".join(pieces))[-_HEAD:]


def _name(head: str, *labels: str) -> str | None:
    """The word behind a label; what stands there where the field is empty (打印, 关闭) is no name."""
    word = (labelled(head, *labels) or "").split(" ", 1)[0]
    return word if word and not _NO_NAME.match(word) else None


def _dates(
    page: Page, entry: ListEntry | None, described: dict[str, tuple[str, str]], head: str, title: str
) -> tuple[PrintedDate, ...]:
    dates = [entry.date] if entry and entry.date else []
    others = [
        PrintedDate(described[name][1], f"metadata {described[name][0]}")
        for name in _METAS
        if name in described
    ]
    if in_url := trs_list.ARTICLE_PATH.search(urlsplit(page.url).path):
        others.append(PrintedDate(in_url[1], "url"))
    if raw := printed_beside(head, title, _printed_date, (*dates, *others)):
        dates.append(PrintedDate(raw, "labelled text"))
    dates += others
    if dates and (issued := labelled_date(head, "成文日期")):
        dates.append(PrintedDate(issued, "labelled text", meaning="issued"))
    return tuple(dates)


def _printed_date(text: str) -> str | None:
    bare = _BARE_LABEL.search(text)
    return labelled_date(text, "发布时间", "发布日期") or date_shaped(bare[1] if bare else "")


def _attachments(root: html.HtmlElement, page: Page) -> tuple[Attachment, ...]:
    """Files that the system itself named as appended to the document, wherever the skin puts their links."""
    found = []
    for anchor in root.iter("a"):
        url = absolute(anchor.get("href") or "", page.url)
        path = urlsplit(url).path if url else ""
        if url and _ATTACHMENT.search(path):
            found.append(Attachment(url, one_line(anchor) or unquote(path.rsplit("/", 1)[-1])))
    return tuple(found)


def _merged(in_body: tuple[Attachment, ...], appended: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    return tuple({attachment.url: attachment for attachment in (*in_body, *appended)}.values())
