"""One module a page system. A reader is pure: bytes in, entries or a Notice out, or a named refusal.

Every module offers `recognises(page)`, `kind_of(page)`, `read_list(page)` and `read_article(page, entry)`;
what a page system doesn't have, its reader refuses with LayoutChanged.
"""

from __future__ import annotations

from typing import Literal, Protocol, cast

from crawlers.errors import LayoutChanged, PageError
from crawlers.notice import Account, ListEntry, ListPage, Notice
from crawlers.page import Page
from crawlers.readers import (
    album,
    chinacourt,
    court_gov,
    disclosure,
    document,
    feed,
    gov_cn,
    gov_search,
    hanweb,
    ip_offices,
    ipc_court,
    iprchn,
    media,
    samr,
    spp,
    trs,
    wechat,
    wechat_backend,
)
from crawlers.readers.refusals import refuse_blocked

Kind = Literal["list", "article", "account"]


class Reader(Protocol):
    """What every module of this package is."""

    def recognises(self, page: Page) -> bool:
        """True where this reader is the one to read the page: by URL, or by content when the URL is empty."""

    def kind_of(self, page: Page) -> Kind:
        """What the page is. Raises Gone, Blocked or LayoutChanged for a page that is no content."""

    def read_list(self, page: Page) -> ListPage:
        """Raises LayoutChanged, Blocked."""

    def read_article(self, page: Page, entry: ListEntry | None = None) -> Notice:
        """Raises LayoutChanged, Blocked, Gone."""


# In order of asking: those that know their hosts first, `trs` last, since it takes any page with the standard
# metas of Chinese government sites.
READERS: dict[str, Reader] = {
    name: cast(Reader, module)
    for name, module in {
        "disclosure": disclosure,
        "document": document,
        "wechat_backend": wechat_backend,
        "album": album,
        "feed": feed,
        "wechat": wechat,
        "court_gov": court_gov,
        "ipc_court": ipc_court,
        "chinacourt": chinacourt,
        "spp": spp,
        "gov_cn": gov_cn,
        "gov_search": gov_search,
        "samr": samr,
        "ip_offices": ip_offices,
        "iprchn": iprchn,
        "hanweb": hanweb,
        "media": media,
        "trs": trs,
    }.items()
}


def reader_for(page: Page) -> tuple[str, Reader]:
    """The reader that recognises the page, by name.

    Raises LayoutChanged when none does, Blocked or Gone where such a page is none at all.
    A page whose URL nobody knows may carry the marks of several systems: the first that can read it counts.
    """
    claims = ((name, reader) for name, reader in READERS.items() if reader.recognises(page))
    if page.url:
        found = next(claims, None)
        if found is not None:
            return found
    refusal: PageError | None = None
    for name, reader in claims:
        try:
            kind = reader.kind_of(page)
            if kind != "account":
                _ = reader.read_list(page) if kind == "list" else reader.read_article(page)
        except LayoutChanged as error:
            refusal = refusal or error
        except PageError:
            return name, reader
        else:
            return name, reader
    refuse_blocked(page)
    raise refusal or LayoutChanged(
        url=page.url,
        expected="a page of a site that a reader knows",
        found=f"one that none of them recognises ({len(page.body)} bytes)",
    )


def read(page: Page, entry: ListEntry | None = None) -> ListPage | Notice | tuple[Account, ...]:
    """Read a page by whichever reader recognises it.

    Raises LayoutChanged, Blocked or Gone.
    """
    name, reader = reader_for(page)
    kind = reader.kind_of(page)
    if kind == "list":
        return reader.read_list(page)
    if kind == "account":
        return (
            wechat_backend.read_accounts(page) if name == "wechat_backend" else (wechat.read_account(page),)
        )
    return reader.read_article(page, entry)
