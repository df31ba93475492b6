"""Sitemaps (sitemaps.org 0.9) and news sitemaps, read as lists: where a site has no feed.

A plain sitemap states neither titles nor the time of publication: its entries have an empty title and the date
of the last change. A news sitemap (`news:title`, `news:publication_date`) states both.
"""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

from lxml import etree

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, ListPage, PrintedDate
from crawlers.page import Page
from crawlers.readers.body import absolute
from crawlers.readers.markup import folded
from crawlers.readers.xml_tree import child, local_name, root_name, text_in, xml_tree

MOST_ENTRIES = 200

_EXPECTED = "a sitemap (urlset)"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# A sitemap lists a site's images and files as pages, too.
_NO_PAGE = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|mp4|mp3|css|js|xml|zip)(?:$|\?)", re.I)

logger = logging.getLogger(__name__)


def is_sitemap(page: Page) -> bool:
    """Whether the page begins like a sitemap or an index of them. Nothing is parsed."""
    return root_name(page) in ("urlset", "sitemapindex")


def read_sitemap(page: Page, articles: re.Pattern[str] | None = None) -> ListPage:
    """The 200 newest entries, newest first; those without a date come last. `total` counts all.

    `articles` matches the paths that are taken; all when it is None. A sitemap holds up to 50,000 URLs in any order,
    so its top says nothing. Raises LayoutChanged for an index of sitemaps (one of them is to be watched instead), for
    broken XML, where no entry has a URL, and where there are entries but none is an article.
    """
    root = xml_tree(page, _EXPECTED)
    if local_name(root) == "sitemapindex":
        named = [folded(text_in(child(node, "loc"))) for node in root]
        raise LayoutChanged(
            url=page.url,
            expected=_EXPECTED,
            found=f"an index of {len(named)} sitemaps; watch one of them, such as {', '.join(named[:3])}",
        )
    if local_name(root) != "urlset":
        raise LayoutChanged(url=page.url, expected=_EXPECTED, found=f"XML with the root {local_name(root)!r}")
    nodes = [node for node in root if local_name(node) == "url"]
    entries = [entry for position, node in enumerate(nodes) if (entry := _entry(node, position, page))]
    if nodes and not entries:
        raise LayoutChanged(url=page.url, expected="url > loc", found=f"{len(nodes)} entries that lack it")
    if articles is not None:
        kept = [entry for entry in entries if articles.search(urlsplit(entry.url).path)]
        if entries and not kept:
            raise LayoutChanged(
                url=page.url,
                expected=f"addresses of articles ({articles.pattern})",
                found=f"{len(entries)} entries of another form, such as {entries[0].url}",
            )
        entries = kept
    entries.sort(key=_day, reverse=True)
    if len(entries) > MOST_ENTRIES:
        logger.info("Took the %d newest of %d entries of %r.", MOST_ENTRIES, len(entries), page.url)
    return ListPage(tuple(entries[:MOST_ENTRIES]), None, len(entries))


def _entry(node: etree._Element, position: int, page: Page) -> ListEntry | None:
    url = absolute(text_in(child(node, "loc")), page.url)
    if url is None or _NO_PAGE.search(url):
        return None
    news = child(node, "news:news")
    title = published = ""
    if news is not None:
        title = folded(text_in(child(news, "news:title")))
        published = folded(text_in(child(news, "news:publication_date")))
    modified = folded(text_in(child(node, "lastmod")))
    date = None
    if published:
        date = PrintedDate(published, "sitemap publication_date")
    elif modified:
        date = PrintedDate(modified, "sitemap lastmod", "modified")
    return ListEntry(url, title, date, position)


def _day(entry: ListEntry) -> str:
    found = _DAY.match(entry.date.raw) if entry.date else None
    return found[0] if found else ""
