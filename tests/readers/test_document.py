"""A PDF in the place of an article: title and date are the list's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, PrintedDate
from crawlers.page import Page
from crawlers.readers import document, reader_for

FETCHED = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
PAGE = Page("https://www.cnipa.gov.cn/attach/708.pdf", b"%PDF-1.7\n", FETCHED)


def test_a_pdf_is_read_whatever_site_it_comes_from() -> None:
    assert reader_for(PAGE)[0] == "document"


def test_a_pdf_takes_title_and_date_from_its_entry() -> None:
    entry = ListEntry(PAGE.url, "国家知识产权局公告", PrintedDate("2026-11-10", "list entry"), 0)
    notice = document.read_article(PAGE, entry)
    assert (notice.title, notice.dates, notice.body) == (entry.title, (entry.date,), "")
    assert notice.attachments[0].url == PAGE.url
    assert notice.body_note == "full text in attachment"


def test_a_pdf_without_an_entry_is_refused() -> None:
    with pytest.raises(LayoutChanged, match="list entry"):
        document.read_article(PAGE)
