"""A source's list as its reader sees it: the entries, and the articles that it brings whole."""

from __future__ import annotations

from crawlers.errors import LayoutChanged
from crawlers.notice import ListPage, Notice
from crawlers.page import Page
from crawlers.readers import READERS
from crawlers.source import Source
from pipeline.normalize import identify_url


def read_listing(page: Page, source: Source, number: int) -> ListPage:
    """Read a source's list by its reader; fewer entries than the source's least are not believed.

    Raises LayoutChanged, Blocked, Gone.
    """
    reader = READERS[source.reader]
    kind = reader.kind_of(page)
    if kind != "list":
        raise LayoutChanged(url=page.url, expected="a list page", found=f"an {kind}")
    listing = reader.read_list(page)
    if number == 1 and len(listing.entries) < source.least:
        raise LayoutChanged(
            url=page.url, expected=f"at least {source.least} entries", found=f"{len(listing.entries)}"
        )
    return listing


def read_complete(page: Page, source: Source) -> dict[str, Notice]:
    """The articles that a list page brings whole, by the address of their entry."""
    read_notices = getattr(READERS[source.reader], "read_notices", None)
    if read_notices is None:
        return {}
    return {notice.identity or identify_url(notice.url): notice for notice in read_notices(page)}
