"""A list entry that leads straight to a file: a PDF instead of a page.

CNIPA lists link some notices directly to their PDF. The file says nothing that can be read as title or date, so
both come from the list entry; without one the file is refused. The text of the file is not read.
"""

from __future__ import annotations

from typing import Literal

from crawlers.errors import LayoutChanged
from crawlers.notice import Attachment, ListEntry, ListPage, Notice
from crawlers.page import Page

_MAGIC = b"%PDF-"


def recognises(page: Page) -> bool:
    """True for a body that is a PDF, whatever its URL and content type."""
    return page.body.lstrip()[:5] == _MAGIC and page.status == 200


def kind_of(page: Page) -> Literal["article"]:
    """Always `article`."""
    return "article"


def read_list(page: Page) -> ListPage:
    """Raises LayoutChanged: a PDF is no list."""
    raise LayoutChanged(url=page.url, expected="a list page", found="a PDF file")


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """A notice with the entry's title and date and the file as attachment. Raises LayoutChanged without entry."""
    if entry is None:
        raise LayoutChanged(url=page.url, expected="the list entry that led to the file", found="none")
    return Notice(
        reader="document",
        url=page.url,
        title=entry.title,
        publisher=None,
        author=None,
        dates=(entry.date,) if entry.date else (),
        body="",
        links=(),
        attachments=(Attachment(page.url, entry.title),),
        identity=entry.identity,
        entry=entry,
        fetched_at=page.fetched_at,
        sha256=page.sha256,
        body_note="full text in attachment",
    )
