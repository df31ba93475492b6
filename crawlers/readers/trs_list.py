"""The list of a TRS channel: the one block of dated links that the page is about.

TRS has no classes of its own for lists: each site's skin names them. What they share is rows of a link and a day,
addresses of the form tYYYYMMDD_<id>, and the call that writes the pager: `createPageHTML(<pages>, <current>,
"index", "shtml")`, where the page after the first is `index_1`. (The form with the name of an element first
belongs to sites that number otherwise, such as www.spp.gov.cn; no next page is derived from it.)
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from lxml import html

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, ListPage, PrintedDate
from crawlers.page import Page
from crawlers.readers.body import absolute
from crawlers.readers.markup import date_shaped, first, folded, one_line, text_outside
from crawlers.readers.wholeness import refuse_cut_off

logger = logging.getLogger(__name__)

ARTICLE_PATH = re.compile(r"/t(\d{8})_(\d+)\.s?html?$")
LIST_PATH = re.compile(r"/(?:index(?:_\d+)?\.s?html?)?$")
_PAGER = re.compile(r"createPageHTML\(\s*(?:['\"][\w-]+['\"]\s*,\s*)?\d+\s*,")
_NUMBERED = re.compile(
    r"createPageHTML\(\s*(\d+)\s*,\s*(\d+)\s*,\s*['\"]([\w-]+)['\"]\s*,\s*['\"](s?html?)['\"]"
)
_ARTICLE_LINK = re.compile(r"""href\s*=\s*["']\s*[^"'\s]*/t\d{8}_\d+\.s?html?\s*(?:#[^"']*)?["']""")
_REDIRECT = re.compile(r"location(?:\.href)?\s*=\s*['\"]([^'\"]+)['\"]")
_LEAST = 3  # dated links that make a block of rows a list


def looks_like_list(page: Page) -> bool:
    """A TRS pager, or the address of a list with enough links to TRS articles. Reads nothing yet."""
    if _PAGER.search(page.text):
        return True
    of_list = page.url and LIST_PATH.search(urlsplit(page.url).path)
    return bool(of_list) and len(_ARTICLE_LINK.findall(page.text)) >= _LEAST


def find_block(root: html.HtmlElement, url: str = "") -> list[html.HtmlElement]:
    """The rows of the list that the page is about, with those that have no date; none where it is unclear.

    Something in it must lead below the first folder of the page's own URL, where one is known: a page whose list is
    missing still has the lists of other channels at its side. Neighbouring `<ul>` under one
    parent are one list (skins break the rows into groups of five).
    """
    blocks = [rows for rows in _blocks(root) if _is_list(rows)]
    near = _around_pager(root, blocks)
    if near:
        blocks = [max(near, key=lambda rows: sum(_is_dated(row) for row in rows))]
    if len(blocks) != 1 or (url and not any(_is_of_section(row, url) for row in blocks[0])):
        return []
    return blocks[0]


def _is_of_section(row: html.HtmlElement, url: str) -> bool:
    """Whether a row leads below the first folder of the page's own URL."""
    anchor = _anchor(row)
    target = absolute(anchor.get("href"), url) if anchor is not None else None
    return target is not None and _section(target) == _section(url)


def _section(url: str) -> str:
    return urlsplit(url).path.lstrip("/").split("/", 1)[0]


def read_rows(page: Page, root: html.HtmlElement, identity_of: Callable[[str], str | None]) -> ListPage:
    """Entries and next page of the list on the page. Raises LayoutChanged where there is no such list."""
    rows = find_block(root, page.url)
    if not rows:
        lists = sum(_is_list(rows) for rows in _blocks(root))
        raise LayoutChanged(
            url=page.url,
            expected=f"one block of at least {_LEAST} links with dates, tYYYYMMDD_<id> among them",
            found=_elsewhere(page) or f"{lists} such blocks",
        )
    entries: dict[str, ListEntry] = {}
    for position, row in enumerate(rows):
        entry = _read_entry(row, page, position, identity_of)
        if entry is None:
            logger.warning("Skipped entry %d of %r: it has no link with a title.", position + 1, page.url)
        else:
            entries.setdefault(entry.url, entry)
    if not any(entry.date for entry in entries.values()):
        raise LayoutChanged(
            url=page.url,
            expected="links with dates that lead somewhere",
            found=f"{len(rows)} rows, none with an address (relative ones need the page's own)",
        )
    refuse_cut_off(page, rows[-1])
    return ListPage(tuple(entries.values()), _next_url(page))


def _blocks(root: html.HtmlElement) -> list[list[html.HtmlElement]]:
    parents = dict.fromkeys(ul.getparent() for ul in root.iter("ul"))
    return [
        [row for ul in parent.iterchildren("ul") for row in ul.iterchildren("li")]
        for parent in parents
        if parent is not None
    ]


def _is_list(rows: list[html.HtmlElement]) -> bool:
    dated = [row for row in rows if _is_dated(row)]
    return len(dated) >= _LEAST and any(_leads_to_article(row) for row in dated)


def _is_dated(row: html.HtmlElement) -> bool:
    anchor = _anchor(row)
    return anchor is not None and _day(row, anchor) is not None


def _leads_to_article(row: html.HtmlElement) -> bool:
    anchor = _anchor(row)
    return anchor is not None and ARTICLE_PATH.search(urlsplit(anchor.get("href").strip()).path) is not None


def _anchor(row: html.HtmlElement) -> html.HtmlElement | None:
    return first(node for node in row.iter("a") if node.get("href"))


def _day(row: html.HtmlElement, anchor: html.HtmlElement) -> str | None:
    """The date beside the link, or in an element of its own inside it."""
    beside = date_shaped(text_outside(row, anchor))
    return beside or next((raw for node in _date_nodes(anchor) if (raw := date_shaped(one_line(node)))), None)


def _date_nodes(anchor: html.HtmlElement) -> list[html.HtmlElement]:
    return [node for node in anchor.iter("span", "i", "em", "b") if date_shaped(one_line(node))]


def _around_pager(
    root: html.HtmlElement, blocks: list[list[html.HtmlElement]]
) -> list[list[html.HtmlElement]]:
    """The lists in the smallest part of the page that has the pager in it."""
    script = first(node for node in root.iter("script") if _PAGER.search(node.text or ""))
    for above in script.iterancestors() if script is not None else ():
        near = [rows for rows in blocks if any(node is above for node in rows[0].iterancestors())]
        if near:
            return near
    return []


def _read_entry(
    row: html.HtmlElement, page: Page, position: int, identity_of: Callable[[str], str | None]
) -> ListEntry | None:
    anchor = _anchor(row)
    url = absolute(anchor.get("href"), page.url) if anchor is not None else None
    if anchor is None or url is None:
        return None
    raw = _day(row, anchor)
    title = _title(anchor)
    date = PrintedDate(raw, "list entry") if raw else None
    return ListEntry(url, title, date, position, identity_of(url)) if title else None


def _title(anchor: html.HtmlElement) -> str:
    """The link's text without a date inside it; `@title` where the text is cut."""
    text = one_line(anchor)
    for node in _date_nodes(anchor):
        text = folded(text.replace(one_line(node), ""))
    return (folded(anchor.get("title")) or text) if not text or text.endswith(("...", "…")) else text


def _next_url(page: Page) -> str | None:
    pager = _NUMBERED.search(page.text)
    if pager is None or int(pager[2]) + 1 >= int(pager[1]):
        return None
    return absolute(f"{pager[3]}_{int(pager[2]) + 1}.{pager[4]}", page.url)


def _elsewhere(page: Page) -> str | None:
    script = _REDIRECT.search(page.text) if len(page.body) < 2000 else None
    return f"a script that leads to {script[1]!r}: watch that address" if script else None
