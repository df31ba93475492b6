"""A list entry that leads straight to a file: a PDF instead of a page.

CNIPA lists link some notices directly to their PDF. The file says nothing that can be read as title or date, so
both come from the list entry; without one the file is refused. Its text becomes the body, where it has any.
"""

from __future__ import annotations

from typing import Literal

from crawlers.errors import LayoutChanged
from crawlers.notice import Attachment, ListEntry, ListPage, Notice
from crawlers.page import Page
from crawlers.readers.pdf_text import read_pdf_text

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
    """A notice with the entry's title and date, the file's text, and the file as attachment.

    The body is empty for a scan and for a broken or encrypted file; `body_note` says so. Raises LayoutChanged
    without an entry or for one without a title (sitemaps have such).
    """
    return read_file(page, entry, reader="document")


def read_file(
    page: Page,
    entry: ListEntry | None,
    *,
    reader: str,
    publisher: str | None = None,
    identity: str | None = None,
) -> Notice:
    """What `read_article` does, for any reader whose list entries lead to PDFs.

    `identity` is what the file's URL tells; the entry's own goes before it.
    """
    if entry is None or not entry.title:
        raise LayoutChanged(
            url=page.url,
            expected="a list entry with a title that led to the file",
            found="none" if entry is None else "one without a title",
        )
    text = read_pdf_text(page.body)
    return Notice(
        reader=reader,
        url=page.url,
        title=entry.title,
        publisher=publisher,
        author=None,
        dates=(entry.date,) if entry.date else (),
        body=text or "",
        links=(),
        attachments=(Attachment(page.url, entry.title),),
        identity=entry.identity or identity,
        entry=entry,
        fetched_at=page.fetched_at,
        sha256=page.sha256,
        body_note=None if text else "full text in attachment",
    )
