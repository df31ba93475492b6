"""A PDF in the place of an article: title and date are the list's, the text is the file's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pdf_files import make_pdf

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, PrintedDate
from crawlers.page import Page
from crawlers.readers import document, reader_for

FETCHED = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
LINES = ["国家知识产权局公告", "现将修改后的审查收费标准予以公布，自公布之日起施行。"]
PAGE = Page("https://www.cnipa.gov.cn/attach/708.pdf", make_pdf(LINES), FETCHED)
EMPTY = Page("https://www.cnipa.gov.cn/attach/709.pdf", b"%PDF-1.7\n", FETCHED)
ENTRY = ListEntry(PAGE.url, "国家知识产权局公告", PrintedDate("2026-11-10", "list entry"), 0)


def test_a_pdf_is_read_whatever_site_it_comes_from() -> None:
    assert reader_for(PAGE)[0] == "document"


def test_a_pdf_takes_title_and_date_from_its_entry() -> None:
    notice = document.read_article(PAGE, ENTRY)
    assert (notice.title, notice.dates) == (ENTRY.title, (ENTRY.date,))
    assert notice.attachments[0].url == PAGE.url


def test_the_text_of_a_pdf_is_the_body() -> None:
    notice = document.read_article(PAGE, ENTRY)
    assert notice.body.split("\n") == LINES
    assert notice.body_note is None


def test_a_pdf_without_text_says_where_the_text_is() -> None:
    notice = document.read_article(EMPTY, ENTRY)
    assert (notice.body, notice.body_note) == ("", "full text in attachment")


def test_a_pdf_without_an_entry_is_refused() -> None:
    with pytest.raises(LayoutChanged, match="list entry"):
        document.read_article(PAGE)


def test_a_pdf_whose_entry_has_no_title_is_refused() -> None:
    with pytest.raises(LayoutChanged, match="without a title"):
        document.read_article(PAGE, ListEntry(PAGE.url, "", None, 0))
