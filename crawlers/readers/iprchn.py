"""iprchn.com (中国知识产权资讯网, the newspaper of CNIPA) and cnipa-ipdrc.org.cn (CNIPA's development research centre).

URL forms
    list     https://www.iprchn.com/index.html: its links to articles
    article  /cipnews/news_content.aspx?newsId=147888, /Index_NewsContent.aspx?newsId=147888 (one number, one
             article, though the headline can differ); the research centre: /news_content.aspx?newsId=482.
             The parameter is also spelled NewsId.

History
    2019-    neither classes nor metadata of the articles are known. The first date of the form 2026/8/14 on a
             page was the day of publication (one description, 2026-08).

So an article is read by position and refused when in doubt: the headline (the list's, or the page's <title>)
must stand in the page, the first date of that form close to it, and a text of some length in the block that
holds both or right behind that block. No real page has been read.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

from lxml import html

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers.body import Body, absolute, read_body
from crawlers.readers.markup import date_shaped, folded, one_line, tree
from crawlers.readers.refusals import refuse_blocked
from crawlers.readers.wholeness import refuse_cut_off, refuse_no_article, refuse_overrun
from pipeline.normalize.identity import site_identity

logger = logging.getLogger(__name__)

HOSTS = ("www.iprchn.com", "iprchn.com", "www.cnipa-ipdrc.org.cn", "cnipa-ipdrc.org.cn")
_DATE = re.compile(r"(?<!\d)20\d\d/\d{1,2}/\d{1,2}(?!\d)")
_SITE_NAMES = frozenset(("中国知识产权资讯网", "中国知识产权报", "国家知识产权局知识产权发展研究中心"))
_SITE_NAME_AFTER = re.compile(rf"\s*[-_|—]+\s*(?:{'|'.join(_SITE_NAMES)})$")
_TEXT = "//body//text()[not(ancestor::script or ancestor::style or ancestor::noscript)]"
_FOOTER = re.compile(r"ICP备|ICP证|公网安备")
_NEAR = 300  # characters between headline and date
_SHORTEST_BODY = 150  # characters; the line with source, author and counters is shorter


def recognises(page: Page) -> bool:
    """By host only: nothing else is particular to these sites."""
    return urlsplit(page.url).hostname in HOSTS


def kind_of(page: Page) -> Literal["list", "article"]:
    """By the path. Raises Blocked, Gone."""
    refuse_blocked(page)
    return "article" if identity_of(page.url) else "list"


def identity_of(url: str) -> str | None:
    """The article's number under either path: `iprchn:147888`, `ipdrc:482`."""
    return site_identity(url, "iprchn", "ipdrc")


def read_list(page: Page) -> ListPage:
    """Whatever leads to an article, once, under the fullest title that it is given; without dates.

    Raises LayoutChanged when nothing does; Blocked, Gone.
    """
    refuse_blocked(page)
    entries: dict[str, ListEntry] = {}
    for anchor in tree(page).iter("a"):
        url = absolute(anchor.get("href") or "", page.url)
        identity = identity_of(url) if url else None
        title = folded(anchor.get("title")) or one_line(anchor)
        if url is None or identity is None or not title:
            continue
        known = entries.get(identity)
        if known is None:
            entries[identity] = ListEntry(url, title, None, len(entries), identity)
        elif len(title) > len(known.title):
            entries[identity] = ListEntry(known.url, title, None, known.position, identity)
    if not entries:
        raise LayoutChanged(
            url=page.url,
            expected="links to news_content.aspx?newsId= or Index_NewsContent.aspx?newsId=",
            found=f"none in {len(page.body)} bytes",
        )
    refuse_cut_off(page, None)
    return ListPage(tuple(entries.values()))


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """An article by the position of its parts.

    Raises LayoutChanged when headline, date or text isn't where it is known to stand; Blocked, Gone.
    """
    refuse_blocked(page)
    root = tree(page)
    pieces = root.xpath(_TEXT)
    dated, printed = next(
        ((piece, found) for piece in pieces if (found := _DATE.search(piece))), (None, None)
    )
    if dated is None or printed is None:
        raise LayoutChanged(url=page.url, expected="a date like 2026/8/14", found="none on the page")
    headline = _headline(pieces, dated, _expected_titles(root, entry))
    if headline is None:
        raise LayoutChanged(
            url=page.url,
            expected=f"the headline within {_NEAR} characters of the first date",
            found=f"no such headline near {printed[0]}",
        )
    body = _read_text(headline, _holder(dated), page)
    refuse_no_article(page, body)
    if len(body.text) < _SHORTEST_BODY:
        raise LayoutChanged(
            url=page.url,
            expected=f"a text of {_SHORTEST_BODY} characters behind headline and date",
            found=f"{len(body.text)} characters",
        )
    return Notice(
        reader="iprchn",
        url=page.url,
        title=one_line(headline),
        publisher=None,
        author=None,
        dates=(PrintedDate(date_shaped(dated[printed.start() :]) or printed[0], "first date of the page"),),
        body=body.text,
        links=body.links,
        attachments=body.attachments,
        identity=identity_of(page.url) or (entry.identity if entry else None),
        entry=entry,
        fetched_at=page.fetched_at,
        sha256=page.sha256,
        images=body.images,
    )


def _expected_titles(root: html.HtmlElement, entry: ListEntry | None) -> list[str]:
    """What the headline may read, squeezed: the list's title, the page's <title> with or without a suffix."""
    whole = folded(root.findtext(".//head/title"))
    titles = (entry.title if entry else "", whole, _SITE_NAME_AFTER.sub("", whole))
    return [_squeezed(title) for title in titles if title and title not in _SITE_NAMES]


def _headline(pieces: Sequence[str], dated: str, expected: Sequence[str]) -> html.HtmlElement | None:
    """The element near the date whose text is the title; of several the nearest, the innermost one."""
    offsets: dict[html.HtmlElement, int] = {}
    offset = where = 0
    for piece in pieces:
        if piece is dated:
            where = offset
        node = _holder(piece)
        if piece.strip():
            for above in (node, *node.iterancestors()):
                offsets.setdefault(above, offset)
        offset += len(_squeezed(piece))
    near = {node: abs(start - where) for node, start in offsets.items() if abs(start - where) <= _NEAR}
    found = [node for node in near if node.tag != "a" and _squeezed(node.text_content()) in expected]
    return min(found, key=lambda node: (near[node], -sum(1 for _ in node.iterancestors())), default=None)


def _holder(piece: str) -> html.HtmlElement:
    """The element that a piece of text stands in."""
    parent = piece.getparent()  # type: ignore[attr-defined]
    return parent.getparent() if piece.is_tail else parent  # type: ignore[attr-defined]


def _read_text(headline: html.HtmlElement, dated: html.HtmlElement, page: Page) -> Body:
    """The text behind headline and date, from the innermost level that has enough of it.

    The search ends with what follows the smallest block that holds both: farther out are other articles.
    """
    both = next(
        above for above in (dated, *dated.iterancestors()) if above in (headline, *headline.iterancestors())
    )
    later = dated if _is_before(headline, dated) else headline
    body = Body("", (), (), ())
    for node in (later, *later.iterancestors()):
        body = _read_following(node, page)
        if len(body.text) >= _SHORTEST_BODY or node is both:
            break
    return body


def _is_before(node: html.HtmlElement, other: html.HtmlElement) -> bool:
    return any(found is other for found in node.xpath("following::* | descendant::*"))


def _read_following(node: html.HtmlElement, page: Page) -> Body:
    """What follows a node inside its parent, without blocks of links and without the footer."""
    found = [part for part in node.itersiblings() if _is_text(part)]
    marks = [part.get("id") for part in found if part.get("id")]
    if len(marks) > len(set(marks)):
        raise LayoutChanged(url=page.url, expected="one text", found=f"two with the same id ({marks[0]!r})")
    for part in found:
        refuse_cut_off(page, part)
        refuse_overrun(page, part)
    parts = [read_body(part, page.url) for part in found]
    return Body(
        "\n".join(part.text for part in parts if part.text),
        tuple(link for part in parts for link in part.links),
        tuple(file for part in parts for file in part.attachments),
        tuple(image for part in parts for image in part.images),
        sum(part.anchors for part in parts),
        sum(part.linked for part in parts),
    )


def _is_text(node: html.HtmlElement) -> bool:
    if not isinstance(node.tag, str):
        return False
    text = one_line(node)
    linked = sum(len(one_line(anchor)) for anchor in node.iter("a"))
    return not _FOOTER.search(text) and linked * 2 <= len(text)


def _squeezed(text: str) -> str:
    return "".join(text.split())
