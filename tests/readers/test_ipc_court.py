"""The SPC's Intellectual Property Court: lists, search, articles and hearing notices on two hosts."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.notice import ListEntry, PrintedDate
from crawlers.page import Page
from crawlers.readers import ipc_court

Recorded = Callable[[str], Page]
SITE = "https://ipc.court.gov.cn"
FETCHED = datetime(2026, 11, 20, 9, tzinfo=UTC)


def changed(page: Page, old: str, new: str) -> Page:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


def captured(captures: Path, name: str, path: str) -> Page:
    return Page(SITE + path, (captures / "court" / name).read_bytes(), FETCHED)


def test_a_real_list_fragment_is_read(captures: Path) -> None:
    page = captured(captures, "ipc_court_list_more-4-15_fragment.html", "/zh-cn/news/more-4-15.html")
    listed = ipc_court.read_list(page)
    assert listed.entries == (
        ListEntry(
            SITE + "/zh-cn/news/view-5999.html",
            "最高人民法院知识产权法庭2026年8月21日开庭公告",
            PrintedDate("2026-08-19", "list entry"),
            0,
            "ipc.court.gov.cn:5999",
        ),
    )
    assert listed.next_url == SITE + "/zh-cn/news/more-4-15.html?page=2"


def test_a_real_search_fragment_has_a_twelve_hour_clock(captures: Path) -> None:
    page = captured(captures, "ipc_court_search_fragment.html", "/zh-cn/search.html?content=芯片")
    listed = ipc_court.read_list(page)
    assert [entry.identity for entry in listed.entries] == ["ipc.court.gov.cn:5143"]
    assert listed.entries[0].title == "“锂电池保护芯片”集成电路布图设计侵权案"
    assert listed.entries[0].date == PrintedDate("2025-12-23 04:28:05", "list entry", form="twelve-hour")
    assert (listed.total, listed.next_url) == (12, SITE + "/zh-cn/search.html?content=芯片&page=2")


def test_a_real_hearing_notice_is_dated_by_its_posting(captures: Path) -> None:
    page = captured(captures, "ipc_court_detail_view-5999_fragment.html", "/zh-cn/news/view-5999.html")
    notice = ipc_court.read_article(page)
    assert notice.title == "最高人民法院知识产权法庭2026年8月21日开庭公告"
    assert notice.dates == (PrintedDate("2026-08-19 16:05:44", "labelled text"),)
    assert notice.publisher == "最高人民法院知识产权法庭"
    assert "二〇二六年八月二十一日上午九时" in notice.body
    assert notice.body.endswith("\n特此公告。")


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        (SITE + "/zh-cn/news/view-5331.html", "ipc.court.gov.cn:5331"),
        ("https://enipc.court.gov.cn/zh-cn/news/view-5331.html", "ipc.court.gov.cn:5331"),
        (SITE + "/zh-cn/news/more-12-12.html", None),
        ("https://www.court.gov.cn/zh-cn/news/view-5331.html", None),
    ],
)
def test_one_number_is_one_article_on_both_hosts(url: str, identity: str | None) -> None:
    assert ipc_court.identity_of(url) == identity


def test_the_twin_hosts_show_the_same_article(recorded: Recorded) -> None:
    one = ipc_court.read_article(recorded("ipc_court/article_6212"))
    other = ipc_court.read_article(recorded("ipc_court/article_6212_twin"))
    assert (one.identity, one.title, one.body, one.dates) == (
        other.identity,
        other.title,
        other.body,
        other.dates,
    )
    assert one.url != other.url


@pytest.mark.parametrize(
    ("case", "next_url"),
    [
        ("list_12_12", SITE + "/zh-cn/news/more-12-12.html?page=2"),
        ("list_4_15", SITE + "/zh-cn/news/more-4-15.html?page=2"),
        ("list_4_15_page_2", None),
        ("search_zhongzi", SITE + "/zh-cn/search.html?content=%E7%A7%8D%E5%AD%90&page=2"),
    ],
)
def test_the_next_page_is_the_one_after_the_pages_own_number(
    recorded: Recorded, case: str, next_url: str | None
) -> None:
    assert ipc_court.read_list(recorded(f"ipc_court/{case}")).next_url == next_url


def test_search_results_have_the_clean_text_of_the_link_as_title(recorded: Recorded) -> None:
    page = recorded("ipc_court/search_zhongzi")
    assert "&lt;span" in page.text
    listed = ipc_court.read_list(page)
    assert [entry.title for entry in listed.entries] == [
        "最高人民法院知识产权法庭发布种业知识产权司法保护典型案例",
        "“绿穗6号”玉米植物新品种权侵权案",
        "涉水稻种子假冒授权品种案",
    ]
    assert listed.total == 5


def test_a_search_without_hits_is_an_empty_list(recorded: Recorded) -> None:
    page = recorded("ipc_court/search_zhongzi")
    head, rows, rest = re.split(r"(<ul class=\"list\">.*?</ul>)", page.text, flags=re.S)
    assert "view-6212" in rows
    rest = rest.replace('<span class="num">5</span>', '<span class="num">0</span>')
    assert ipc_court.read_list(replace(page, body=(head + rest).encode())).entries == ()


def test_one_bad_row_is_skipped_with_a_warning(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    page = changed(recorded("ipc_court/list_12_12"), 'href="/zh-cn/news/view-6204.html"', 'href="#"')
    with caplog.at_level(logging.WARNING):
        entries = ipc_court.read_list(page).entries
    assert len(entries) == 4
    assert "Skipped entry 2" in caplog.text


@pytest.mark.parametrize(
    ("old", "new"), [('class="listing"', 'class="rows"'), ('class="right"', 'class="r"')]
)
def test_a_list_without_its_block_or_any_date_is_refused(recorded: Recorded, old: str, new: str) -> None:
    with pytest.raises(LayoutChanged):
        ipc_court.read_list(changed(recorded("ipc_court/list_12_12"), old, new))


def test_an_article_is_read_whole(recorded: Recorded) -> None:
    notice = ipc_court.read_article(recorded("ipc_court/article_6212"))
    assert notice.body.startswith("11月19日，最高人民法院知识产权法庭发布六件")
    assert len(notice.body.split("\n")) == 4
    assert notice.images == (SITE + "/upload/20261119/zhongye.jpg",)
    assert [attachment.url for attachment in notice.attachments] == [SITE + "/upload/20261119/zhongye.docx"]


@pytest.mark.parametrize(
    ("form", "places"),
    [("printed", ["list entry", "labelled text"]), ("twelve-hour", ["labelled text", "list entry"])],
)
def test_the_list_is_believed_first_unless_its_clock_is_the_poorer(
    recorded: Recorded, form: str, places: list[str]
) -> None:
    page = recorded("ipc_court/article_6212")
    date = PrintedDate("2026-11-19 04:12:33", "list entry", form=form)  # type: ignore[arg-type]
    notice = ipc_court.read_article(page, ListEntry(page.url, "题", date, 0))
    assert [date.place for date in notice.dates] == places


@pytest.mark.parametrize(
    ("old", "new"), [("<h2>", "<h4>"), ('class="txt"', 'class="text"'), ("发布时间：", "时间：")]
)
def test_an_article_without_a_mandatory_part_is_refused(recorded: Recorded, old: str, new: str) -> None:
    with pytest.raises(LayoutChanged, match="6204"):
        ipc_court.read_article(changed(recorded("ipc_court/article_6204"), old, new))


def test_pages_that_are_no_content_are_refused_before_reading(recorded: Recorded) -> None:
    for case, error in (("blocked_412", Blocked), ("not_found", Gone)):
        for read in (ipc_court.kind_of, ipc_court.read_list, ipc_court.read_article):
            with pytest.raises(error):
                read(recorded(f"ipc_court/{case}"))
    with pytest.raises(LayoutChanged):
        ipc_court.read_article(recorded("ipc_court/layout_changed"))


def test_a_saved_page_without_url_is_known_by_its_content(recorded: Recorded) -> None:
    article = replace(recorded("ipc_court/hearing_6215"), url="")
    listed = replace(recorded("ipc_court/list_12_12"), url="")
    assert ipc_court.recognises(article)
    assert ipc_court.recognises(listed)
    assert (ipc_court.kind_of(article), ipc_court.kind_of(listed)) == ("article", "list")
    assert not ipc_court.recognises(replace(recorded("court_gov/list_16"), url=""))
