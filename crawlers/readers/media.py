"""News media and law firms: one reader for the sites of `SITES`, whose pages differ and change too often for one each.

The body is what trafilatura takes for it. Everything else is what the page itself states and confirms: the
headline by two witnesses (h1, og:title, JSON-LD, title element, list entry), the date of publication by metadata
or a label beside the headline, and by no other date that contradicts it. An extractor's guess is never taken:
on real pages they gave a footer's date and one out of a statute's name.

Lists are feeds and sitemaps; a list in HTML is refused.

Sites, as described by public tools until 2026; no real page has been read:
    chinadaily.com.cn           /a/202611/12/WS….html; meta publishdate (day); "Updated: 2026-11-12 09:30" under
                                the headline is a change, not the publication; body #Content
    iprdaily.cn                 /article1_38977_20261112.html, /article_15947.html, /news_41609.html
    chinaiplawupdate.com        WordPress: /2026/11/<words>/, feed at /feed/ with the full text
    chinajusticeobserver.com    /a/<words>, /law/x/<words>
    rouse.com                   /insights/<kind>/<year>/<words>
    bakermckenzie.com           insightplus.bakermckenzie.com/bm/<practice>/<words>
    the others                  only their hosts are known

A sitemap lists a site's offices and people as well. Where the form of an article's address is known, only such
entries are taken from it.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from lxml import etree, html

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, ListPage, Notice
from crawlers.page import Page
from crawlers.readers import feed
from crawlers.readers.body import Body, read_body
from crawlers.readers.markup import folded, tree
from crawlers.readers.page_metadata import Described, describe, is_date_line, other_headlines
from crawlers.readers.refusals import refuse_blocked
from crawlers.readers.sitemap import is_sitemap, read_sitemap
from crawlers.readers.wholeness import only, refuse_cut_off, refuse_no_article, refuse_overrun

if TYPE_CHECKING:
    from lxml.etree import _Element

NAME = "media"


@dataclass(frozen=True, slots=True)
class Site:
    """One medium: its own names, none of which is a headline; the id of its body and its articles' paths, if known."""

    names: tuple[str, ...]
    body_id: str | None = None
    articles: re.Pattern[str] | None = None


# By host, with all hosts below it; the first that fits.
SITES: dict[str, Site] = {
    "chinadaily.com.cn": Site(("China Daily", "Chinadaily.com.cn", "中国日报网"), "Content"),
    "chinajusticeobserver.com": Site(
        ("China Justice Observer", "CJO"), articles=re.compile(r"^/(?:a|law/x)/[^/]+/?$")
    ),
    "chinaiplawupdate.com": Site(("China IP Law Update",)),
    "rouse.com": Site(("Rouse",), articles=re.compile(r"^/insights/[\w-]+/20\d\d/[^/]+/?$")),
    "insightplus.bakermckenzie.com": Site(
        ("Baker McKenzie", "Baker McKenzie InsightPlus", "Insight Plus"),
        articles=re.compile(r"^/bm/[\w-]+/[^/.]+/?$"),
    ),
    "bakermckenzie.com": Site(("Baker McKenzie", "Baker McKenzie InsightPlus", "Insight Plus")),
    "iprdaily.cn": Site(("IPRdaily", "IPRdaily中文网")),
    "chinaipr.gov.cn": Site(("中国保护知识产权网", "Intellectual Property Protection in China")),
}
LEAST_TEXT = 200  # characters without white space; less is a teaser, a video page or a failed extraction
_ENDS = 15  # characters by which a text is found again
_PART = 0.3  # of its length, from which on a block counts
_ALIKE = 0.6  # of a text, from which on another one is like it
_GRAM = 6  # characters

_AROUND_TAGS = ("nav", "footer", "aside")
# What such elements are called where they are none of these; `no-sidebar` and `content-sidebar` are around articles.
_AROUND = re.compile(
    r"(?:^|\s)(?:(?:site|page|main|top)[_-])?(?:cookies?|consent|footer|nav|navbar|menu|sidebar)(?:$|[\s_-])",
    re.I,
)
_OF_ARTICLES = ("h1", "main", "article")

_DAY_IN_URL = re.compile(r"/a/(?P<a>20\d{4})/(?P<b>\d{2})/WS|/article\d*_\d+_(?P<whole>20\d{6})\.html?$")
# The extractor's element names, as HTML has them.
_AS_HTML = {
    "head": "h3",
    "item": "li",
    "list": "ul",
    "row": "tr",
    "cell": "td",
    "lb": "br",
    "quote": "blockquote",
}


def recognises(page: Page) -> bool:
    """By host alone: nothing else tells one medium's page from a stranger's."""
    return _site(page.url) is not None


def kind_of(page: Page) -> Literal["list", "article"]:
    """Feeds and sitemaps are lists, every other page is taken for an article. Raises Blocked, Gone."""
    if feed.recognises(page) or is_sitemap(page):
        return "list"
    refuse_blocked(page)
    return "article"


def read_list(page: Page) -> ListPage:
    """A feed or a sitemap. Raises LayoutChanged for another page, and as those do; Blocked, Gone."""
    if feed.recognises(page):
        return feed.read_list(page)
    if page.status == 200 and is_sitemap(page):
        site = _site(page.url)
        return read_sitemap(page, site.articles if site else None)
    refuse_blocked(page)
    raise LayoutChanged(url=page.url, expected="a feed or a sitemap", found="a page of another kind")


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """Read an article. It may come without any date, when none is confirmed.

    Raises LayoutChanged for a site's front page, where no headline is confirmed or there are two, for a page that is
    cut off, and for less than 200 characters of text; Blocked, Gone.
    """
    refuse_blocked(page)
    if urlsplit(page.url).path in ("", "/"):
        raise LayoutChanged(url=page.url, expected="an article", found="the front page of a site")
    root = tree(page)
    site = _site(page.url) or Site(())
    said = describe(root, entry, _day_in(page.url), site.names)
    if not said.title:
        raise LayoutChanged(
            url=page.url,
            expected="a headline that two of h1, og:title, JSON-LD, title element and list entry agree on",
            found="none",
        )
    if others := other_headlines(root, said.title, site.names):
        raise LayoutChanged(url=page.url, expected="one headline", found=f"another one: {others[0][:80]!r}")
    refuse_cut_off(page, None)
    body = _without_head(_body(root, page, site), said)
    refuse_no_article(page, body)
    _refuse_repetition(page, body)
    length = len(_squeezed(body.text))
    if length < LEAST_TEXT:
        raise LayoutChanged(
            url=page.url, expected=f"a text of {LEAST_TEXT} characters", found=f"{length} characters"
        )
    return Notice(
        reader=NAME,
        url=page.url,
        title=said.title,
        publisher=said.site or None,
        author=said.author or None,
        dates=said.dates,
        body=body.text,
        links=body.links,
        attachments=body.attachments,
        identity=entry.identity if entry else None,
        entry=entry,
        fetched_at=page.fetched_at,
        sha256=page.sha256,
        images=body.images,
    )


def _site(url: str) -> Site | None:
    host = urlsplit(url).hostname or ""
    return next((site for name, site in SITES.items() if host == name or host.endswith(f".{name}")), None)


def _day_in(url: str) -> str | None:
    found = _DAY_IN_URL.search(urlsplit(url).path)
    if found is None:
        return None
    digits = found["whole"] or found["a"] + found["b"]
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def _body(root: html.HtmlElement, page: Page, site: Site) -> Body:
    if site.body_id:
        known = only(page, root.xpath("//*[@id=$id]", id=site.body_id), f"body (#{site.body_id})")
        if known is None:
            raise LayoutChanged(url=page.url, expected=f"#{site.body_id}", found="none")
        refuse_cut_off(page, known)
        refuse_overrun(page, known)
        return read_body(known, page.url)
    from trafilatura import bare_extraction  # takes a second to import; only these sites need it

    # It loses the text behind a comment, and changes the tree that it is given.
    etree.strip_tags(root, etree.Comment)
    whole = deepcopy(root)
    found = bare_extraction(
        root,
        url=page.url,
        include_comments=False,
        include_tables=True,
        include_images=True,
        include_links=True,
    )
    content: _Element | None = getattr(found, "body", None)
    if content is None:
        return Body("", (), (), ())
    for node in content.iter("ref", "graphic", *_AS_HTML):
        if node.tag == "ref":
            node.tag = "a"
            node.set("href", node.get("target") or "")
        elif node.tag == "graphic":
            node.tag = "img"
        else:
            node.tag = _AS_HTML[node.tag]
    body = read_body(content, page.url)
    _refuse_menu(page, whole, body)
    _refuse_second_text(page, whole, _squeezed(body.text))
    return body


def _refuse_menu(page: Page, root: html.HtmlElement, body: Body) -> None:
    """Raise LayoutChanged where half of the text are labels of links, or where it stands in what surrounds an article.

    Of a page without an article the extractor takes the menu, and says no longer that it was links.
    """
    labels = (folded(piece) for anchor in root.iter("a") for piece in anchor.itertext())
    unlinked = f" {folded(body.text)} "
    for label in filter(None, labels):
        unlinked = unlinked.replace(f" {label} ", " ", 1)
    length = len(_squeezed(body.text))
    if length and 2 * len(_squeezed(unlinked)) <= length:
        raise LayoutChanged(url=page.url, expected="an article's text", found="the labels of links")
    blocks = root.iter(*_AROUND_TAGS, "div", "section", "ul")
    around = "\n".join(_squeezed(block.text_content()) for block in blocks if _surrounds(block))
    lines = [_squeezed(line) for line in body.text.split("\n")]
    if length and 2 * sum(len(line) for line in lines if line in around) >= length:
        raise LayoutChanged(
            url=page.url, expected="an article's text", found="a menu, a notice or the page's footer"
        )


def _surrounds(node: html.HtmlElement) -> bool:
    named = node.tag in _AROUND_TAGS or _AROUND.search(f"{node.get('class') or ''} {node.get('id') or ''}")
    return bool(named) and next(node.iter(*_OF_ARTICLES), None) is None


def _refuse_second_text(page: Page, root: html.HtmlElement, text: str) -> None:
    """Raise LayoutChanged where blocks of one kind hold different texts that could be meant: which, nothing tells.

    Two such blocks are a second article, as long as the text, or a second copy, most of which is the same.
    """
    blocks = [
        (block, inside)
        for block in root.iter("article", "div", "main", "section")
        if len(inside := _squeezed(block.text_content())) >= len(text) * _PART
    ]
    for (one, inside), (other, beside) in combinations(blocks, 2):
        of_one_kind = one.tag == other.tag and one.get("class") == other.get("class")
        if (
            not of_one_kind
            or inside == beside
            or one in other.iterancestors()
            or other in one.iterancestors()
        ):
            continue
        whole = any(text[:_ENDS] in held and text[-_ENDS:] in held for held in (inside, beside))
        if (whole and min(len(inside), len(beside)) >= len(text) * _ALIKE) or _is_copy(inside, beside):
            raise LayoutChanged(url=page.url, expected="one text", found="two blocks that differ")


def _is_copy(one: str, other: str) -> bool:
    grams, others = ({text[at : at + _GRAM] for at in range(len(text) - _GRAM)} for text in (one, other))
    return len(grams & others) >= _ALIKE * min(len(grams), len(others))


def _refuse_repetition(page: Page, body: Body) -> None:
    """Raise LayoutChanged for a text most of which stands there twice."""
    lines = body.text.split("\n")
    if sum(map(len, set(lines))) <= _ALIKE * sum(map(len, lines)) and len(lines) > 1:
        raise LayoutChanged(url=page.url, expected="one text", found="the same text twice")


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _without_head(body: Body, said: Described) -> Body:
    """The body without the headline and the date line, where the extractor took them for text."""
    lines = body.text.split("\n")
    while lines and lines[0] == said.title:
        del lines[0]
    if lines and is_date_line(lines[0]):
        del lines[0]
    return replace(body, text="\n".join(lines))
