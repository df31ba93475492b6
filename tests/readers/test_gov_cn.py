"""www.gov.cn: policy lists, documents, news and the gazette."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.notice import ListEntry, PrintedDate
from crawlers.page import Page
from crawlers.readers import gov_cn
from pipeline.dates import choose

Recorded = Callable[[str], Page]
FETCHED = datetime(2026, 11, 20, 9, tzinfo=UTC)
LIST = "https://www.gov.cn/zhengce/zuixin/ZUIXINZHENGCE.json"


def changed(page: Page, old: str, new: str) -> Page:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


def listing(*rows: object) -> Page:
    return Page(LIST, json.dumps(rows).encode(), FETCHED)


def row(number: int, **other: object) -> dict[str, object]:
    url = f"https://www.gov.cn/zhengce/content/202611/content_{number}.htm"
    return {"TITLE": f"文件{number}", "SUB_TITLE": "", "URL": url, "DOCRELPUBTIME": "2026-11-18"} | other


@pytest.fixture
def captured(captures: Path) -> Page:
    return Page(
        "https://www.gov.cn/zhengce/zhengceku/202409/content_6977767.htm",
        (captures / "gov" / "www_gov_cn_content_6977767_abridged.html").read_bytes(),
        datetime(2026, 7, 31, 15, tzinfo=UTC),
    )


def test_a_real_document_is_read_with_issued_and_published_apart(captured: Page) -> None:
    notice = gov_cn.read_article(captured)
    assert notice.title == "网络数据安全管理条例"
    assert notice.publisher == "国务院"
    assert notice.identity == "gov.cn:6977767"
    assert notice.author is None
    published = choose(notice.dates, captured.fetched_at).best
    issued = choose(notice.dates, captured.fetched_at, "issued").best
    assert published
    assert published.value == datetime.fromisoformat("2024-09-30T17:00:00+08:00")
    assert issued
    assert issued.value == date(2024, 9, 24)


def test_a_real_document_keeps_its_number_once_and_its_body_whole(captured: Page) -> None:
    lines = gov_cn.read_article(captured).body.split("\n")
    assert lines.count("发文字号：国令第790号") == 1
    assert sum("000014349/2024-00078" in line for line in lines) == 1
    assert lines[7] == "中华人民共和国国务院令"
    assert lines[-1] == "第六十四条 本条例自2025年1月1日起施行。"


def test_a_real_page_without_url_is_known_by_its_content(captured: Page) -> None:
    page = replace(captured, url="")
    assert gov_cn.recognises(page)
    assert gov_cn.kind_of(page) == "article"


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("https://www.gov.cn/zhengce/content/202607/content_7077199.htm", "gov.cn:7077199"),
        ("https://www.gov.cn/zhengce/zhengceku/202605/content_7069081.htm", "gov.cn:7069081"),
        ("https://www.gov.cn/zhengce/202604/content_7065494.htm", "gov.cn:7065494"),
        ("http://www.gov.cn/lianbo/bumen/202507/content_7032499.htm", "gov.cn:7032499"),
        ("https://www.gov.cn/gongbao/2026/issue_12766/202605/content_7070596.html", "gov.cn:7070596"),
        ("https://www.gov.cn/zhengce/2021-06/25/content_5723642.htm", "gov.cn:5723642"),
        ("https://www.gov.cn/zhengce/zuixin/", None),
        ("https://www.example.gov.cn/a/content_1.htm", None),
    ],
)
def test_the_number_is_the_article_in_every_url_form(url: str, identity: str | None) -> None:
    assert gov_cn.identity_of(url) == identity


def test_a_policy_list_is_read_whole_and_in_order(recorded: Recorded) -> None:
    listed = gov_cn.read_list(recorded("gov_cn/list_zuixin"))
    assert (len(listed.entries), listed.total, listed.next_url) == (8, 8, None)
    assert [entry.position for entry in listed.entries] == list(range(8))
    assert listed.entries[0] == ListEntry(
        "https://www.gov.cn/zhengce/content/202611/content_7091180.htm",
        "国务院关于修改《专利法实施细则》的决定",
        PrintedDate("2026-11-18", "list entry"),
        0,
        "gov.cn:7091180",
    )


def test_a_list_of_a_thousand_entries_comes_whole() -> None:
    assert len(gov_cn.read_list(listing(*map(row, range(1, 1095)))).entries) == 1094


def test_markup_in_a_title_and_relative_links_are_resolved(recorded: Recorded) -> None:
    entry = gov_cn.read_list(recorded("gov_cn/list_yaowen")).entries[3]
    assert entry.title == "一图看懂 地理标志产品保护新规"
    assert entry.url == "https://www.gov.cn/yaowen/tupian/202611/content_7090877.htm"


def test_one_article_listed_twice_is_one_entry() -> None:
    again = row(1, URL="https://www.gov.cn/zhengce/202611/content_1.htm")
    assert len(gov_cn.read_list(listing(row(1), again)).entries) == 1


@pytest.mark.parametrize(
    "bad", [None, "x", {}, row(2, URL="javascript:;"), row(2, TITLE=""), row(2, TITLE=None), row(2, URL=5)]
)
def test_one_bad_entry_is_skipped_with_a_warning(bad: object, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        listed = gov_cn.read_list(listing(bad, row(1)))
    assert [entry.position for entry in listed.entries] == [1]
    assert "Skipped entry 1" in caplog.text


@pytest.mark.parametrize("printed", ["", "昨天", None, 20261118])
def test_an_entry_whose_date_cannot_be_read_has_none(printed: object) -> None:
    entries = gov_cn.read_list(listing(row(1, DOCRELPUBTIME=printed), row(2))).entries
    assert entries[0].date is None


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"data": []}', "[{", "<html></html>", '[{"title": "文件", "url": "/a.htm"}]', "[1"],
)
def test_what_is_no_policy_list_is_refused(body: str) -> None:
    with pytest.raises(LayoutChanged):
        gov_cn.read_list(Page(LIST, body.encode(), FETCHED))


def test_the_mobile_copy_of_the_table_stands_in_for_a_missing_one(recorded: Recorded) -> None:
    page = recorded("gov_cn/article_7091180_order")
    expected = gov_cn.read_article(page)
    read = gov_cn.read_article(changed(page, 'class="bd1"', 'class="bd9"'))
    assert replace(read, sha256=expected.sha256) == expected


def test_a_mobile_copy_inside_the_body_is_not_doubled(recorded: Recorded) -> None:
    page = recorded("gov_cn/article_7091180_order")
    inside = changed(
        page,
        '<div class="trs_editor_view TRS_UEDITOR trs_paper_default trs_web">',
        '<div class="pchide"><h2>发文字号：</h2><p>国令第853号</p></div>'
        '<div class="trs_editor_view TRS_UEDITOR trs_paper_default trs_web">',
    )
    assert gov_cn.read_article(inside).body == gov_cn.read_article(page).body


def test_a_document_number_is_visible_though_the_text_lacks_it(recorded: Recorded) -> None:
    notice = gov_cn.read_article(recorded("gov_cn/article_7091180_order"))
    assert "国令第853号" in notice.body
    assert notice.body.count("发文字号") == 1


def test_a_change_of_the_page_is_no_publication(recorded: Recorded) -> None:
    notice = gov_cn.read_article(recorded("gov_cn/article_7091166_notice"))
    assert notice.dates[-1] == PrintedDate("2026-11-17-14:02:11", "metadata lastmodifiedtime", "modified")
    assert [file.name for file in notice.attachments] == ["数据知识产权登记工作指引.pdf"]


def test_news_have_a_headline_a_source_and_no_table(recorded: Recorded) -> None:
    notice = gov_cn.read_article(recorded("gov_cn/article_7091044_news"))
    assert notice.title == "知识产权公共服务机构覆盖全部地级市"
    assert notice.publisher == "国家知识产权局网站"
    assert notice.dates[0] == PrintedDate("2026-11-17 10:05", "labelled text")
    assert notice.body.startswith("11月16日，国家知识产权局举行新闻发布会。")
    assert "责任编辑" not in notice.body


def test_the_gazette_has_its_title_in_the_head_only(recorded: Recorded) -> None:
    notice = gov_cn.read_article(recorded("gov_cn/article_7090912_gazette"))
    assert notice.title == "商标代理监督管理规定"
    assert notice.body.startswith("国家市场监督管理总局令\n第131号\n")


@pytest.mark.parametrize(("meaning", "form"), [("published", "printed"), ("issued", "unix")])
def test_what_the_list_states_comes_first_among_dates_of_its_meaning(
    recorded: Recorded, meaning: str, form: str
) -> None:
    page = recorded("gov_cn/article_7091180_order")
    date = PrintedDate("1794000000000", "list entry", meaning, form)  # type: ignore[arg-type]
    notice = gov_cn.read_article(page, ListEntry(page.url, "题", date, 0))
    ranked = [listed for listed in notice.dates if listed.meaning == meaning]
    assert ranked[0] == date
    assert notice.dates[0].meaning == "published"


@pytest.mark.parametrize(
    ("case", "old", "new"),
    [
        ("gov_cn/article_7091044_news", "UCAP-CONTENT", "x"),
        ("gov_cn/article_7091180_order", "索 引 号", "索引号"),
        ("gov_cn/article_7091180_order", "<td>国务院</td>", "<td >\n  国务院\n</td>"),
    ],
)
def test_a_missing_id_spaces_and_attributes_change_nothing(
    recorded: Recorded, case: str, old: str, new: str
) -> None:
    page = recorded(case)
    expected = gov_cn.read_article(page)
    read = gov_cn.read_article(changed(page, old, new))
    assert replace(read, sha256=expected.sha256) == expected


def test_a_document_without_any_date_is_refused(recorded: Recorded) -> None:
    page = changed(recorded("gov_cn/article_7090912_gazette"), "firstpublishedtime", "x")
    with pytest.raises(LayoutChanged, match="发布日期"):
        gov_cn.read_article(page)


def test_a_document_without_any_title_is_refused(recorded: Recorded) -> None:
    page = changed(recorded("gov_cn/article_7090912_gazette"), "_中国政府网</title>", "</title>")
    with pytest.raises(LayoutChanged, match="no title"):
        gov_cn.read_article(page)


def test_pages_that_are_no_content_are_refused_before_reading(recorded: Recorded) -> None:
    for case, error in (("blocked_403", Blocked), ("not_found", Gone)):
        page = recorded(f"gov_cn/{case}")
        for read in (gov_cn.kind_of, gov_cn.read_list, gov_cn.read_article):
            with pytest.raises(error):
                read(page)
    with pytest.raises(LayoutChanged, match="7090659"):
        gov_cn.read_article(recorded("gov_cn/layout_changed"))


def test_a_list_without_url_is_known_by_its_keys(recorded: Recorded) -> None:
    page = replace(recorded("gov_cn/list_zuixin"), url="")
    assert gov_cn.recognises(page)
    assert gov_cn.kind_of(page) == "list"
    assert gov_cn.read_list(page).entries[0].identity == "gov.cn:7091180"


@pytest.mark.parametrize(
    "url", ["https://sousuo.www.gov.cn/search-gov/data?q=x", "https://www.court.gov.cn/fabu/gengduo/16.html"]
)
def test_other_sites_are_left_to_their_readers(url: str) -> None:
    assert not gov_cn.recognises(Page(url, b"", FETCHED))


def test_a_page_of_the_site_that_is_neither_is_refused() -> None:
    page = Page("https://www.gov.cn/fuwu/", b"<html><p>\xe6\x9c\x8d\xe5\x8a\xa1</p></html>", FETCHED)
    with pytest.raises(LayoutChanged):
        gov_cn.kind_of(page)
