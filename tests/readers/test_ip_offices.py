"""Intellectual-property offices that are read by the standard metadata of government websites."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.notice import ListEntry, PrintedDate
from crawlers.page import Page
from crawlers.readers import ip_offices

Recorded = Callable[[str], Page]
FETCHED = datetime(2026, 11, 20, 9, tzinfo=UTC)
ID = "5a6f0b7cde814c2f9b1e30d47a88c912"


def changed(page: Page, old: str, new: str) -> Page:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        (f"https://sipa.sh.gov.cn/tzgg/20261117/{ID}.html", f"sipa:{ID}"),
        (f"https://sipa.sh.gov.cn/zwgk_zxxxgk/20260716/{ID}.html", f"sipa:{ID}"),
        (f"https://sipa.sh.gov.cn/2020mtjd/20210628/{ID}.html", f"sipa:{ID}"),
        (f"https://sipa.sh.gov.cn/tzgg/{ID}.html", None),
        ("https://zscqj.beijing.gov.cn/zscqj/zwgk/mtfb/743662423/index.html", "zscqj.beijing:743662423"),
        ("https://zscqj.beijing.gov.cn/zscqj/zwgk/zcjd90/543343408/index.html", "zscqj.beijing:543343408"),
        ("https://zscqj.beijing.gov.cn/zscqj/zwgk/zcjd90/index.html", None),
        ("https://ipr.mofcom.gov.cn/article/gnxw/dlbz/202607/1996842.html", "ipr.mofcom:1996842"),
        ("https://ipr.mofcom.gov.cn/article/gnxw/zfbm/zfbmdf/bj/202302/1976447.html", "ipr.mofcom:1976447"),
        ("https://ipr.mofcom.gov.cn/zhuanti/PCT/PCT_index.html", None),
        (f"https://www.example.com/tzgg/20261117/{ID}.html", None),
    ],
)
def test_an_article_is_known_by_its_path(url: str, identity: str | None) -> None:
    assert ip_offices.identity_of(url) == identity
    kind = ip_offices.kind_of(Page(url, "<p>通知</p>".encode(), FETCHED))
    assert kind == ("article" if identity else "list")


def test_a_list_of_shanghai_has_whole_titles_and_dotted_dates(recorded: Recorded) -> None:
    entries = ip_offices.read_list(recorded("ip_offices/sipa_list_tzgg")).entries
    assert entries[0] == ListEntry(
        f"https://sipa.sh.gov.cn/tzgg/20261117/{ID}.html",
        "关于组织申报2027年度上海市专利导航项目的通知",
        PrintedDate("2026.11.17", "list entry"),
        0,
        f"sipa:{ID}",
    )
    assert [entry.identity is None for entry in entries] == [False] * 4 + [True]


@pytest.mark.parametrize(("old", "new"), [("<li>", "<tr><td>"), ("<li>", "<li>\n ")])
def test_a_list_of_beijing_is_read_in_both_forms_of_its_rows(recorded: Recorded, old: str, new: str) -> None:
    page = changed(recorded("ip_offices/beijing_list_tpxw"), old, new)
    entries = ip_offices.read_list(page).entries
    assert [entry.identity for entry in entries] == [
        "zscqj.beijing:744310266",
        "zscqj.beijing:744301871",
        "zscqj.beijing:744299020",
    ]
    assert [entry.date and entry.date.raw for entry in entries] == ["2026-11-16", "2026-11-12", "2026-11-10"]


def test_one_bad_row_is_skipped_with_a_warning(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    page = changed(recorded("ip_offices/sipa_list_tzgg"), f'href="/tzgg/20261117/{ID}.html"', 'href="#"')
    with caplog.at_level(logging.WARNING):
        assert len(ip_offices.read_list(page).entries) == 4
    assert "Skipped entry 1" in caplog.text


@pytest.mark.parametrize(
    ("case", "old"),
    [
        ("ip_offices/sipa_list_tzgg", "list-date"),
        ("ip_offices/sipa_list_tzgg", "2026."),
        ("ip_offices/beijing_list_tpxw", "subpageCon-conList"),
    ],
)
def test_a_list_without_its_block_or_any_date_is_refused(recorded: Recorded, case: str, old: str) -> None:
    with pytest.raises(LayoutChanged):
        ip_offices.read_list(changed(recorded(case), old, "x"))


@pytest.mark.parametrize("url", ["https://ipr.mofcom.gov.cn/list/gnxw/1/cateinfo.html", ""])
def test_a_site_whose_lists_are_unknown_is_refused(recorded: Recorded, url: str) -> None:
    page = replace(recorded("ip_offices/sipa_list_tzgg"), url=url)
    with pytest.raises(LayoutChanged, match="lists are known"):
        ip_offices.read_list(page)


def test_an_article_of_shanghai_is_read_by_its_metadata(recorded: Recorded) -> None:
    notice = ip_offices.read_article(recorded("ip_offices/sipa_article"))
    assert notice.title == "关于组织申报2027年度上海市专利导航项目的通知"
    assert notice.publisher == "上海市知识产权局"
    assert notice.dates == (
        PrintedDate("2026-11-17 10:20:00", "metadata PubDate"),
        PrintedDate("20261117", "url"),
    )
    assert [file.name for file in notice.attachments] == ["申报书.docx"]
    assert notice.body.endswith("上海市知识产权局\n2026年11月16日")


def test_an_article_of_beijing_is_read_by_its_metadata(recorded: Recorded) -> None:
    notice = ip_offices.read_article(recorded("ip_offices/beijing_article"))
    assert notice.identity == "zscqj.beijing:744310266"
    assert notice.dates == (PrintedDate("2026-11-16 14:05", "metadata PubDate"),)
    assert notice.body.startswith("11月14日至15日")


def test_markup_in_the_title_of_the_metadata_is_no_text(recorded: Recorded) -> None:
    notice = ip_offices.read_article(recorded("ip_offices/mofcom_article"))
    assert notice.title == "海牙协定在华适用四周年：外观设计国际注册稳步增长 ——企业出海新选择"
    assert notice.dates == (PrintedDate("2026-11-13 08:30:00", "metadata publishdate"),)


def test_the_date_of_the_list_is_believed_first(recorded: Recorded) -> None:
    page = recorded("ip_offices/beijing_article")
    date = PrintedDate("2026-11-15", "list entry")
    notice = ip_offices.read_article(page, ListEntry(page.url, "题", date, 0))
    assert [date.place for date in notice.dates] == ["list entry", "metadata PubDate"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<meta name="PubDate" content=', "<meta  data-x='1' name='pubdate'  content="),
        ('class="Article_content" id="ivs_content"', "id='ivs_content'"),
        ('class="Article_content" id="ivs_content"', 'class="ivs_content text"'),
    ],
)
def test_spelling_and_the_order_of_attributes_change_nothing(recorded: Recorded, old: str, new: str) -> None:
    page = recorded("ip_offices/sipa_article")
    expected = ip_offices.read_article(page)
    read = ip_offices.read_article(changed(page, old, new))
    assert (read.title, read.body) == (expected.title, expected.body)
    assert [date.raw for date in read.dates] == [date.raw for date in expected.dates]


@pytest.mark.parametrize(
    ("old", "found"),
    [("ArticleTitle", "no title, a date"), ("PubDate", "a title, no date"), ("ivs_content", "no body")],
)
def test_an_article_without_standard_metadata_or_known_body_is_refused(
    recorded: Recorded, old: str, found: str
) -> None:
    with pytest.raises(LayoutChanged, match=found):
        ip_offices.read_article(changed(recorded("ip_offices/sipa_article"), old, "x"))


def test_pages_that_are_no_content_are_refused_before_reading(recorded: Recorded) -> None:
    for case, error in (("blocked_challenge", Blocked), ("not_found", Gone)):
        page = recorded(f"ip_offices/{case}")
        for read in (ip_offices.kind_of, ip_offices.read_list, ip_offices.read_article):
            with pytest.raises(error):
                read(page)
    for case in ("layout_changed", "layout_changed_body"):
        with pytest.raises(LayoutChanged):
            ip_offices.read_article(recorded(f"ip_offices/{case}"))


def test_only_the_hosts_make_a_page_one_of_these(recorded: Recorded) -> None:
    page = recorded("ip_offices/sipa_article")
    assert ip_offices.recognises(page)
    assert not ip_offices.recognises(replace(page, url=""))
    assert not ip_offices.recognises(replace(page, url="https://www.shanghai.gov.cn/tzgg/"))
