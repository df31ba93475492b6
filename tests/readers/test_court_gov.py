"""www.court.gov.cn: lists, search and articles of both layouts."""

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
from crawlers.readers import court_gov

Recorded = Callable[[str], Page]
FETCHED = datetime(2026, 11, 20, 9, tzinfo=UTC)


def changed(page: Page, old: str, new: str) -> Page:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


def captured(captures: Path, name: str, url: str) -> Page:
    return Page(url, (captures / "court" / name).read_bytes(), FETCHED)


def test_a_real_list_is_read_whole(captures: Path) -> None:
    page = captured(
        captures, "court_gov_cn_list_fabu_gengduo_16.html", "https://www.court.gov.cn/fabu/gengduo/16.html"
    )
    listed = court_gov.read_list(page)
    assert (len(listed.entries), listed.total) == (20, 401)
    assert listed.next_url == "https://www.court.gov.cn/fabu/gengduo/16_2.html"
    assert not any("..." in entry.title for entry in listed.entries)
    assert listed.entries[0].url == "https://www.court.gov.cn/fabu/xiangqing/512441.html"
    assert [entry.date and entry.date.raw for entry in listed.entries[:3]] == [
        "2026-09-21",
        "2026-08-06",
        "2026-08-06",
    ]


def test_real_search_results_have_clean_titles_and_a_twelve_hour_clock(captures: Path) -> None:
    page = captured(
        captures,
        "court_gov_cn_search_gongsifa.html",
        "https://www.court.gov.cn/search.html?content=%E5%85%AC%E5%8F%B8%E6%B3%95",
    )
    listed = court_gov.read_list(page)
    assert (len(listed.entries), listed.total) == (20, 36)
    assert listed.next_url == "https://www.court.gov.cn/search.html?content=公司法&page=2"
    assert not any(set("<>&") & set(entry.title) for entry in listed.entries)
    by_identity = {entry.identity: entry for entry in listed.entries}
    assert by_identity["court.gov.cn:57552"].title == "最高人民法院发布公司法司法解释（四）"
    assert by_identity["court.gov.cn:436481"].date == PrintedDate(
        "2024-06-30 06:44:47", "list entry", form="twelve-hour"
    )


def test_a_real_article_is_read_whole(captures: Path) -> None:
    page = captured(
        captures, "court_gov_cn_detail_436481.html", "https://www.court.gov.cn/fabu/xiangqing/436481.html"
    )
    notice = court_gov.read_article(page)
    assert notice.title == "最高人民法院出台适用公司法时间效力司法解释"
    assert notice.publisher == "最高人民法院新闻局"
    assert notice.dates == (PrintedDate("2024-06-30 18:44:47", "labelled text"),)
    assert notice.identity == "court.gov.cn:436481"
    lines = notice.body.split("\n")
    assert lines[0].startswith("2023年12月29日第十四届全国人大常委会")
    assert lines[-1] == "第八条 本规定自2024年7月1日起施行。"
    assert "责任编辑" not in notice.body
    assert notice.author is None


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("https://www.court.gov.cn/fabu/xiangqing/497911.html", "court.gov.cn:497911"),
        ("https://www.court.gov.cn/zixun/xiangqing/497911.html", "court.gov.cn:497911"),
        ("http://www.court.gov.cn/shenpan/xiangqing/497911.html", "court.gov.cn:497911"),
        ("https://www.court.gov.cn/fabu-xiangqing-497911.html", "court.gov.cn:497911"),
        ("https://www.court.gov.cn/fabu/gengduo/16.html", None),
        ("https://www.example.com/fabu/xiangqing/497911.html", None),
    ],
)
def test_one_number_is_one_article_under_every_path(url: str, identity: str | None) -> None:
    assert court_gov.identity_of(url) == identity


def test_titles_cut_in_the_text_are_whole(recorded: Recorded) -> None:
    page = recorded("court_gov/list_16")
    assert "..." in page.text
    assert all(not entry.title.endswith("...") for entry in court_gov.read_list(page).entries)


def test_the_last_page_has_no_next_page_though_it_has_a_hidden_link(recorded: Recorded) -> None:
    assert court_gov.read_list(recorded("court_gov/list_16")).next_url is not None
    assert court_gov.read_list(recorded("court_gov/list_16_page_2")).next_url is None


def test_one_bad_row_is_skipped_with_a_warning(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    page = changed(recorded("court_gov/list_16"), 'href="/fabu/xiangqing/512961.html"', 'href="javascript:;"')
    with caplog.at_level(logging.WARNING):
        entries = court_gov.read_list(page).entries
    assert len(entries) == 7
    assert "Skipped entry 2" in caplog.text


@pytest.mark.parametrize(
    ("old", "new"), [('class="sec_list"', 'class="rows"'), ('class="date"', 'class="d"')]
)
def test_a_list_without_its_block_or_any_date_is_refused(recorded: Recorded, old: str, new: str) -> None:
    with pytest.raises(LayoutChanged):
        court_gov.read_list(changed(recorded("court_gov/list_16"), old, new))


def test_a_search_without_hits_is_an_empty_list(recorded: Recorded) -> None:
    page = recorded("court_gov/search_shangbiao")
    text = re.sub(r"<li>\s*<a title=.*?</li>", "", page.text, flags=re.S)
    text = text.replace('<span class="num">4</span>', '<span class="num">0</span>')
    assert court_gov.read_list(replace(page, body=text.encode())).entries == ()


@pytest.mark.parametrize(
    "broken", ['<a href="/', "<textarea", "<table><tr><td><p>", "</div></div></div>", "<title>"]
)
def test_what_is_broken_above_an_article_costs_nothing_of_it(recorded: Recorded, broken: str) -> None:
    page = recorded("court_gov/article_512261")
    head, tag, content = page.text.partition('<div class="header">')
    assert tag
    broken_page = replace(page, body=f"{head}{broken}</div>{tag}{content}".encode())
    as_whole, as_broken = court_gov.read_article(page), court_gov.read_article(broken_page)
    assert replace(as_broken, sha256=as_whole.sha256) == as_whole


def test_an_article_under_two_paths_is_the_same_article(recorded: Recorded) -> None:
    one = court_gov.read_article(recorded("court_gov/article_512961"))
    other = court_gov.read_article(recorded("court_gov/article_512961_zixun"))
    assert (one.identity, one.title, one.body) == (other.identity, other.title, other.body)
    assert one.url != other.url


def test_the_layout_of_2019_is_read(recorded: Recorded) -> None:
    notice = court_gov.read_article(recorded("court_gov/article_2019_layout"))
    assert notice.title == "最高人民法院关于知识产权法庭受理案件范围有关问题的通知"
    assert notice.dates == (PrintedDate("2019-05-06 09:12:40", "labelled text"),)
    assert notice.publisher == "最高人民法院"
    assert notice.body.startswith("各省、自治区")
    assert "责任编辑" not in notice.body


@pytest.mark.parametrize(
    ("form", "places"),
    [("printed", ["list entry", "labelled text"]), ("twelve-hour", ["labelled text", "list entry"])],
)
def test_the_list_is_believed_first_unless_its_clock_is_the_poorer(
    recorded: Recorded, form: str, places: list[str]
) -> None:
    page = recorded("court_gov/article_512961")
    date = PrintedDate("2026-11-18 04:42:05", "list entry", form=form)  # type: ignore[arg-type]
    notice = court_gov.read_article(page, ListEntry(page.url, "题", date, 0))
    assert [date.place for date in notice.dates] == places


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('class="detail"', 'class="detail "'),
        ('<li class="fl">来源', "<li  id='x'\n class='fl'>  来源"),
        ("</html>\n<div style", "</html>\n\n\n<div  style"),
        ("?t=2026112001", "?t=2027010101"),
    ],
)
def test_spaces_stamps_and_the_order_of_attributes_change_nothing(
    recorded: Recorded, old: str, new: str
) -> None:
    page = recorded("court_gov/article_512841")
    expected = court_gov.read_article(page)
    read = court_gov.read_article(changed(page, old, new))
    assert replace(read, sha256=expected.sha256) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<div class="title">最高法', '<div class="headline">最高法'),
        ('class="txt_txt"', 'class="text"'),
        ("发布时间：", "时间："),
    ],
)
def test_an_article_without_a_mandatory_part_is_refused(recorded: Recorded, old: str, new: str) -> None:
    with pytest.raises(LayoutChanged, match="512841"):
        court_gov.read_article(changed(recorded("court_gov/article_512841"), old, new))


def test_pages_that_are_no_content_are_refused_before_reading(recorded: Recorded) -> None:
    for case, error in (("blocked_412", Blocked), ("not_found", Gone)):
        page = recorded(f"court_gov/{case}")
        for read in (court_gov.kind_of, court_gov.read_list, court_gov.read_article):
            with pytest.raises(error):
                read(page)
    with pytest.raises(LayoutChanged):
        court_gov.read_article(recorded("court_gov/layout_changed"))


def test_a_saved_page_without_url_is_known_by_its_content(recorded: Recorded) -> None:
    article = replace(recorded("court_gov/article_512961"), url="")
    listed = replace(recorded("court_gov/list_16"), url="")
    assert court_gov.recognises(article)
    assert court_gov.recognises(listed)
    assert (court_gov.kind_of(article), court_gov.kind_of(listed)) == ("article", "list")
    assert court_gov.read_list(listed).entries[0].url == "https://www.court.gov.cn/fabu/xiangqing/513021.html"
    assert not court_gov.recognises(replace(recorded("spp/list_zdgz"), url=""))
