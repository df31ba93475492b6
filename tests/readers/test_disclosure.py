"""Announcements of listed companies: both services' lists, and the files they lead to."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pdf_files import make_pdf

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.notice import ListEntry, ListPage, PrintedDate
from crawlers.page import Page
from crawlers.readers import disclosure
from pipeline.dates import choose

Recorded = Callable[[str], Page]
FETCHED = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
SEARCH = "https://www.cninfo.com.cn/new/fulltextSearch/full?searchkey=x&pageNum=1"
FILE = "https://static.cninfo.com.cn/finalpage/2026-11-12/1299000009.PDF"


def edited(page: Page, edit: Callable[[dict[str, Any]], object]) -> Page:
    answer = json.loads(page.body)
    edit(answer)
    return replace(page, body=json.dumps(answer).encode())


def entry_for(page: Page) -> ListEntry:
    return ListEntry(
        page.url, "青峰电子：关于公司涉及专利诉讼的公告", PrintedDate("2026-11-12", "list entry"), 0
    )


@pytest.mark.parametrize("case", ["list_cninfo", "list_sse", "list_sse_new", "empty"])
def test_a_list_is_recognised_by_its_url_and_without_it(recorded: Recorded, case: str) -> None:
    page = recorded(f"disclosure/{case}")
    assert disclosure.recognises(page)
    assert disclosure.recognises(replace(page, url=""))
    assert disclosure.kind_of(page) == "list"


def test_rows_without_any_company_are_a_change(recorded: Recorded) -> None:
    def rename(answer: dict[str, Any]) -> None:
        for row in answer["announcements"]:
            row["secNames"] = row.pop("secName")

    with pytest.raises(LayoutChanged, match="secName"):
        disclosure.read_list(edited(recorded("disclosure/list_cninfo"), rename))


@pytest.mark.parametrize(
    "url",
    [
        FILE,
        "https://static.sse.com.cn/disclosure/listedinfo/announcement/c/new/2026-11-13/609901_1.pdf",
        "https://pdf.dfcfw.com/pdf/H2_AN202611121234567890_1.pdf",
    ],
)
def test_a_file_is_recognised_on_its_hosts(url: str) -> None:
    page = Page(url, make_pdf(["公告"]), FETCHED)
    assert disclosure.recognises(page)
    assert disclosure.kind_of(page) == "article"


def test_a_file_from_elsewhere_is_not_recognised() -> None:
    page = Page("https://www.cnipa.gov.cn/attach/1.pdf", make_pdf(["公告"]), FETCHED)
    assert not disclosure.recognises(page)
    assert not disclosure.recognises(replace(page, url=""))


def test_a_cninfo_entry_has_company_title_file_day_and_identity(recorded: Recorded) -> None:
    listed = disclosure.read_list(recorded("disclosure/list_cninfo"))
    assert [entry.position for entry in listed.entries] == [0, 1, 2, 3]
    entry = listed.entries[0]
    assert entry.title == "青峰电子：关于公司涉及专利诉讼的公告"
    assert entry.url == "https://static.cninfo.com.cn/finalpage/2026-11-12/1299000001.PDF"
    assert entry.identity == "cninfo:1299000001"
    assert listed.total == 6


def test_midnight_in_beijing_is_a_day_and_no_time(recorded: Recorded) -> None:
    entry = disclosure.read_list(recorded("disclosure/list_cninfo")).entries[0]
    assert entry.date is not None
    best = choose([entry.date], FETCHED).best
    assert best is not None
    assert (best.value, best.precision) == (date(2026, 11, 12), "day")


def test_another_time_is_read_to_the_second(recorded: Recorded) -> None:
    entry = disclosure.read_list(recorded("disclosure/list_cninfo")).entries[1]
    assert entry.date is not None
    best = choose([entry.date], FETCHED).best
    assert best is not None
    assert best.value == datetime(2026, 11, 11, 10, 42, 10, tzinfo=UTC)


def test_without_a_time_the_day_is_that_of_the_file(recorded: Recorded) -> None:
    page = edited(
        recorded("disclosure/list_cninfo"), lambda answer: answer["announcements"][0].pop("announcementTime")
    )
    assert disclosure.read_list(page).entries[0].date == PrintedDate("2026-11-12", "list entry adjunctUrl")


def test_a_company_that_the_title_names_is_not_named_twice(recorded: Recorded) -> None:
    entry = disclosure.read_list(recorded("disclosure/list_cninfo")).entries[1]
    assert entry.title == "北川股份：关于收到《民事判决书》的公告"


def test_the_next_page_of_a_search_is_followed_while_there_is_more(recorded: Recorded) -> None:
    assert disclosure.read_list(recorded("disclosure/list_cninfo")).next_url == (
        recorded("disclosure/list_cninfo_end").url
    )
    assert disclosure.read_list(recorded("disclosure/list_cninfo_end")).next_url is None


def test_an_answer_to_a_post_names_no_next_page(recorded: Recorded) -> None:
    page = replace(
        recorded("disclosure/list_cninfo"), url="https://www.cninfo.com.cn/new/hisAnnouncement/query"
    )
    assert disclosure.read_list(page).next_url is None


def test_nothing_found_is_an_empty_list(recorded: Recorded) -> None:
    assert disclosure.read_list(recorded("disclosure/empty")) == ListPage((), None, 0)


def test_announcements_that_are_counted_but_missing_are_a_change(recorded: Recorded) -> None:
    page = edited(recorded("disclosure/empty"), lambda answer: answer.update(totalAnnouncement=7))
    with pytest.raises(LayoutChanged, match="totals"):
        disclosure.read_list(page)


def test_an_sse_answer_is_taken_out_of_its_wrapping(recorded: Recorded) -> None:
    page = recorded("disclosure/list_sse")
    assert page.body.startswith(b"jsonpCallback4711(")
    entry = disclosure.read_list(page).entries[0]
    assert entry.url == (
        "https://static.sse.com.cn/disclosure/listedinfo/announcement/c/new/2026-11-13/609901_20261113_AB12.pdf"
    )
    assert entry.title == "松原重工股份有限公司关于诉讼进展的公告"
    assert entry.date == PrintedDate("2026-11-12 18:05:33", "list entry")
    assert entry.identity == "sse:609901_20261113_AB12.pdf"


def test_the_next_page_of_sse_counts_three_numbers_up(recorded: Recorded) -> None:
    url = disclosure.read_list(recorded("disclosure/list_sse")).next_url
    assert url is not None
    for key in ("pageNo", "beginPage", "endPage"):
        assert f"pageHelp.{key}=2" in url


def test_rows_of_several_are_read_one_by_one(recorded: Recorded) -> None:
    listed = disclosure.read_list(recorded("disclosure/list_sse_new"))
    assert [entry.identity for entry in listed.entries] == [
        "sse:609902_20261114_EF56.pdf",
        "sse:609902_20261113_GH78.pdf",
        "sse:609902_20261113_IJ90.pdf",
    ]
    assert listed.entries[0].date == PrintedDate("2026-11-14", "list entry")
    assert listed.next_url is None


@pytest.mark.parametrize("missing", ["announcementTitle", "adjunctUrl"])
def test_a_row_without_title_or_file_is_skipped_with_a_warning(
    recorded: Recorded, missing: str, caplog: pytest.LogCaptureFixture
) -> None:
    page = edited(recorded("disclosure/list_cninfo"), lambda answer: answer["announcements"][1].pop(missing))
    with caplog.at_level(logging.WARNING):
        listed = disclosure.read_list(page)
    assert [entry.position for entry in listed.entries] == [0, 2, 3]
    assert "Skipped 1 of 4" in caplog.text


def test_rows_that_can_not_be_read_are_a_change(recorded: Recorded) -> None:
    page = recorded("disclosure/list_cninfo")
    with pytest.raises(LayoutChanged, match="4 rows"):
        disclosure.read_list(replace(page, body=page.body.replace(b"announcementTitle", b"headline")))


@pytest.mark.parametrize("body", ["{}", "[]", "3", "", "<html></html>", '{"pageHelp": null, "result": null}'])
def test_an_answer_of_another_shape_is_refused(body: str) -> None:
    with pytest.raises(LayoutChanged):
        disclosure.read_list(Page(SEARCH, body.encode(), FETCHED))


def test_another_envelope_is_a_change(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="success"):
        disclosure.kind_of(recorded("disclosure/layout_changed"))


def test_a_refusal_is_blocked(recorded: Recorded) -> None:
    for read in (disclosure.kind_of, disclosure.read_list):
        with pytest.raises(Blocked, match="http 403"):
            read(recorded("disclosure/blocked"))


def test_the_announcement_is_the_text_of_the_file(recorded: Recorded) -> None:
    page = recorded("disclosure/pdf_text")
    notice = disclosure.read_article(page, entry_for(page))
    assert notice.body.split("\n")[:4] == [
        "青峰电子股份有限公司",
        "关于公司涉及专利诉讼的公告",
        "本公司及董事会全体成员保证信息披露的内容真实、准确、完整，没有虚假记载、误导性陈述或重大遗漏。",
        "一、本次诉讼的基本情况",
    ]
    assert notice.body_note is None


def test_a_paragraph_goes_on_over_the_end_of_a_page(recorded: Recorded) -> None:
    page = recorded("disclosure/pdf_text")
    body = disclosure.read_article(page, entry_for(page)).body
    assert "请求判令停止侵害并赔偿经济损失人民币3,200万元。\n" in body
    assert "页" not in body


def test_title_date_and_identity_are_those_of_entry_and_url(recorded: Recorded) -> None:
    page = recorded("disclosure/pdf_text")
    entry = entry_for(page)
    notice = disclosure.read_article(page, entry)
    assert (notice.reader, notice.title, notice.dates) == ("disclosure", entry.title, (entry.date,))
    assert notice.identity == "cninfo:1299000001"
    assert notice.attachments[0].url == page.url


def test_the_entry_of_a_copy_knows_the_identity() -> None:
    page = Page("https://pdf.dfcfw.com/pdf/H2_AN202611121234567890_1.pdf", make_pdf(["公告"]), FETCHED)
    entry = replace(entry_for(page), identity="cninfo:1299000001")
    assert disclosure.read_article(page, entry).identity == "cninfo:1299000001"


@pytest.mark.parametrize("case", ["pdf_scan", "pdf_encrypted", "pdf_broken"])
def test_a_file_whose_text_can_not_be_had_says_so(recorded: Recorded, case: str) -> None:
    page = recorded(f"disclosure/{case}")
    notice = disclosure.read_article(page, entry_for(page))
    assert (notice.body, notice.body_note) == ("", "full text in attachment")
    assert notice.attachments[0].url == page.url


def test_a_file_without_an_entry_is_refused(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="list entry"):
        disclosure.read_article(recorded("disclosure/pdf_text"))


def test_a_copy_handed_in_alone_is_refused_with_what_to_do() -> None:
    page = Page("https://pdf.dfcfw.com/pdf/H2_AN202611121234567890_1.pdf", make_pdf(["公告"]), FETCHED)
    handed_in = ListEntry(page.url, "", None, 0)
    with pytest.raises(LayoutChanged, match="watch a search of .* .`iprwatch sources add`"):
        disclosure.read_article(page, handed_in)


def test_a_page_in_place_of_a_file_is_refused() -> None:
    page = Page(FILE, b"<html><body>PDF</body></html>", FETCHED)
    with pytest.raises(LayoutChanged, match="a PDF file"):
        disclosure.read_article(page, entry_for(page))
    with pytest.raises(Gone):
        disclosure.read_article(replace(page, status=404), entry_for(page))


def test_every_listed_file_of_the_first_page_is_recorded(recorded: Recorded) -> None:
    files = {
        recorded(f"disclosure/{case}").url for case in ("pdf_text", "pdf_scan", "pdf_encrypted", "pdf_broken")
    }
    assert {entry.url for entry in disclosure.read_list(recorded("disclosure/list_cninfo")).entries} == files
