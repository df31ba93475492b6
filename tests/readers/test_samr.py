"""www.samr.gov.cn: lists out of JSON, articles, announcements with a table."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.notice import ListEntry, PrintedDate
from crawlers.page import Page
from crawlers.readers import samr

Recorded = Callable[[str], Page]
FETCHED = datetime(2026, 11, 20, 9, tzinfo=UTC)
UNIT = "https://www.samr.gov.cn/api-gateway/jpaas-publish-server/front/page/build/unit"
ID = "4be0a1c2d3e4f5061728394a5b6c7d8e"
ROW = (
    f'<ul><li class="nav04Left02_content"><a href="/xw/mtjj/art/2026/art_{ID}.html">题</a></li>'
    '<li class="nav04Left02_contenttime">2026-11-18</li></ul>'
)


def changed(page: Page, old: str, new: str) -> Page:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


def answer(html: str, url: str = UNIT, **other: object) -> Page:
    return Page(url, json.dumps({"success": True, "data": {"html": html}} | other).encode(), FETCHED)


def asking(parameters: object) -> str:
    return f"{UNIT}?pageId=1&paramJson={quote(json.dumps(parameters, separators=(',', ':')))}"


def test_a_list_is_read_out_of_its_json(recorded: Recorded) -> None:
    listed = samr.read_list(recorded("samr/list_mtjj"))
    assert (len(listed.entries), listed.total) == (5, 43)
    assert listed.entries[0] == ListEntry(
        f"https://www.samr.gov.cn/xw/mtjj/art/2026/art_{ID}.html",
        "商业秘密保护创新试点扩至百个园区",
        PrintedDate("2026-11-18", "list entry"),
        0,
        f"samr:{ID}",
    )
    assert listed.next_url
    assert "%22pageNo%22%3A2%2C%22pageSize%22%3A20" in listed.next_url


def test_a_title_cut_in_the_text_is_whole_and_the_second_port_gone(recorded: Recorded) -> None:
    entry = samr.read_list(recorded("samr/list_mtjj")).entries[1]
    assert entry.title == "打击侵权假冒专项行动查办案件1.2万件"
    assert entry.url.startswith("https://www.samr.gov.cn/xw/")


def test_rows_that_lead_to_other_sites_are_kept_without_identity(recorded: Recorded) -> None:
    entry = samr.read_list(recorded("samr/list_mtjj")).entries[2]
    assert entry.url == "https://www.gov.cn/lianbo/bumen/202611/content_7091044.htm"
    assert entry.identity is None


@pytest.mark.parametrize(
    ("parameters", "next_number"),
    [
        ({"pageNo": 1, "pageSize": 20}, 2),
        ({"pageNo": 2, "pageSize": 20}, 3),
        ({"pageNo": 3, "pageSize": 20}, None),
        ({"pageNo": "1", "pageSize": 20}, None),
        ({}, None),
        ([], None),
    ],
)
def test_the_next_page_follows_until_the_stated_total(parameters: object, next_number: int | None) -> None:
    page = answer(ROW + '<div class="pagination" count="43"></div>', asking(parameters))
    expected = asking({"pageNo": next_number, "pageSize": 20}) if next_number else None
    assert samr.read_list(page).next_url == expected


def test_without_a_total_or_a_page_number_no_page_follows() -> None:
    assert samr.read_list(answer(ROW, asking({"pageNo": 1, "pageSize": 20}))).next_url is None
    assert samr.read_list(answer(ROW + '<div class="pagination" count="43"></div>')).next_url is None


def test_one_bad_row_is_skipped_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        listed = samr.read_list(answer('<ul><li class="nav04Left02_content">标题</li></ul>' + ROW))
    assert [entry.position for entry in listed.entries] == [1]
    assert "Skipped entry 1" in caplog.text


def test_a_date_counts_only_in_its_own_cell() -> None:
    undated = ROW.replace("nav04Left02_contenttime", "x").replace(ID, "0" * 32)
    assert samr.read_list(answer(undated + ROW)).entries[0].date is None


def test_a_column_that_says_it_is_empty_is_an_empty_list() -> None:
    assert samr.read_list(answer('<div class="pagination" count="0"></div>')).entries == ()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"data": null}',
        '{"data": {"html": ""}}',
        '{"data": {"html": 5}}',
        "<html></html>",
        '{"data": {"html": "<div>没有列表</div>"}}',
        '{"data": {"html": "<!-- -->"}}',
    ],
)
def test_what_holds_no_rows_is_refused(body: str) -> None:
    with pytest.raises(LayoutChanged):
        samr.read_list(Page(UNIT, body.encode(), FETCHED))


def test_rows_with_a_period_instead_of_a_date_are_refused() -> None:
    rows = (
        '<li class="zjnav04Left02_content"><a href="/hd/a.html">题</a></li><div>2026-11-17至2026-12-17</div>'
    )
    with pytest.raises(LayoutChanged, match="0 rows"):
        samr.read_list(answer(rows))


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        (f"https://www.samr.gov.cn/xw/mtjj/art/2026/art_{ID}.html", f"samr:{ID}"),
        (f"https://www.samr.gov.cn:1935/xw/mtjj/art/2026/art_{ID}.html", f"samr:{ID}"),
        (f"http://www.samr.gov.cn/zt/ndzt/2024n/jzzdt/art/2024/art_{ID}.html", f"samr:{ID}"),
        (f"https://www.samr.gov.cn/xw/mtjj/art/2026/art_{ID[:-1]}.html", None),
        (f"https://www.example.com/xw/mtjj/art/2026/art_{ID}.html", None),
        (UNIT, None),
    ],
)
def test_the_id_is_the_article_under_every_column_and_port(url: str, identity: str | None) -> None:
    assert samr.identity_of(url) == identity


def test_an_article_on_the_second_port_is_the_same_article(recorded: Recorded) -> None:
    one = samr.read_article(recorded("samr/article_mtjj"))
    other = samr.read_article(recorded("samr/article_mtjj_port"))
    assert (one.identity, one.title, one.body) == (other.identity, other.title, other.body)
    assert samr.recognises(recorded("samr/article_mtjj_port"))


def test_a_title_broken_over_lines_is_whole_without_a_space(recorded: Recorded) -> None:
    page = recorded("samr/article_mtjj")
    assert "试点\n扩至" in page.text
    notice = samr.read_article(page)
    assert notice.title == "商业秘密保护创新试点扩至百个园区"
    assert notice.publisher == "经济参考报"
    assert notice.dates == (
        PrintedDate("2026-11-18 09:12:00", "metadata PubDate"),
        PrintedDate("2026-11-19 03:10:02", "metadata MakeTime", "modified"),
    )
    assert notice.body.endswith("立案查处侵犯商业秘密案件86件。")


def test_an_announcement_has_its_number_and_two_dates(recorded: Recorded) -> None:
    notice = samr.read_article(recorded("samr/article_zjwj_announcement"))
    assert notice.body.split("\n")[2] == "文号：市场监管总局公告2026年第44号"
    assert [(date.raw, date.meaning) for date in notice.dates[:3]] == [
        ("2026年11月16日", "published"),
        ("2026-11-16 10:00:00", "published"),
        ("2026年11月09日", "issued"),
    ]


def test_attachments_listed_below_the_body_are_found(recorded: Recorded) -> None:
    notice = samr.read_article(recorded("samr/article_zjwj_announcement"))
    assert [file.name for file in notice.attachments] == ["禁止滥用知识产权排除、限制竞争行为指南.pdf"]
    assert notice.body_note is None


@pytest.mark.parametrize(
    ("case", "old", "new"),
    [
        (
            "samr/article_mtjj",
            '<meta name="ArticleTitle" content=',
            "<meta  data-x='1' name='articletitle' content=",
        ),
        ("samr/article_mtjj", "Three_xilan_07 article-pagenation", "Three_xilan_07"),
        ("samr/article_zjwj_announcement", "文　　号：", "文号"),
    ],
)
def test_spaces_and_the_order_of_attributes_change_nothing(
    recorded: Recorded, case: str, old: str, new: str
) -> None:
    page = recorded(case)
    expected = samr.read_article(page)
    read = samr.read_article(changed(page, old, new))
    assert replace(read, sha256=expected.sha256) == expected


@pytest.mark.parametrize(
    ("old", "found"), [("ArticleTitle", "no title"), ("Three_xilan_07", "no body"), ("PubDate", "neither")]
)
def test_an_article_without_a_mandatory_part_is_refused(recorded: Recorded, old: str, found: str) -> None:
    with pytest.raises(LayoutChanged, match=found):
        samr.read_article(changed(recorded("samr/article_mtjj"), old, "x"))


def test_pages_that_are_no_content_are_refused_before_reading(recorded: Recorded) -> None:
    for case, error in (("blocked_412", Blocked), ("not_found", Gone)):
        page = recorded(f"samr/{case}")
        for read in (samr.kind_of, samr.read_list, samr.read_article):
            with pytest.raises(error):
                read(page)
    for case in ("list_failed", "list_layout_changed"):
        with pytest.raises(LayoutChanged):
            samr.read_list(recorded(f"samr/{case}"))
    with pytest.raises(LayoutChanged):
        samr.read_article(recorded("samr/layout_changed"))


def test_saved_pages_without_url_are_known_by_their_content(recorded: Recorded) -> None:
    article = replace(recorded("samr/article_mtjj"), url="")
    listed = replace(recorded("samr/list_mtjj"), url="")
    assert samr.recognises(article)
    assert samr.recognises(listed)
    assert (samr.kind_of(article), samr.kind_of(listed)) == ("article", "list")
    assert not samr.recognises(replace(recorded("gov_cn/article_7091044_news"), url=""))
