"""Whose title and whose date: a site's name, a menu and another article stand above a headline, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from crawlers.errors import LayoutChanged
from crawlers.notice import PrintedDate
from crawlers.page import Page
from crawlers.readers import gov_cn, hanweb, spp, trs

Recorded = Callable[[str], Page]
MENU = "<ul><li>一次培训的通知 发布时间：{} 来源：某某晚报 作者：某某</li></ul>"


def changed(page: Page, old: str, new: str) -> Page:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


# TRS

HEADING = '<h2 class="title">通化：检察建议护航人参地理标志</h2>'
LINE = "时间：2026-11-18　作者：宋禾　新闻来源：检察日报"


def test_what_a_menu_says_is_no_articles_of_trs(recorded: Recorded) -> None:
    page = changed(recorded("trs/article_jcy"), HEADING, MENU.format("2026-11-02") + HEADING)
    notice = trs.read_article(page)
    assert (notice.publisher, notice.author) == ("检察日报", "宋禾")
    assert notice.dates[0] == PrintedDate("2026-11-18", "labelled text")
    alone = trs.read_article(changed(page, LINE, ""))
    assert (alone.publisher, alone.author) == (None, None)
    assert alone.dates == (PrintedDate("20261119", "url"),)


@pytest.mark.parametrize("printed", ["2026-11-19 08:30", "2026年11月19日"])
def test_a_date_above_the_headline_counts_where_another_is_of_the_day(
    recorded: Recorded, printed: str
) -> None:
    page = changed(recorded("trs/article_jcy"), LINE, "")
    page = changed(page, HEADING, MENU.format(printed) + HEADING)
    assert trs.read_article(page).dates[0] == PrintedDate(printed, "labelled text")


@pytest.mark.parametrize("name", ["SiteName", "ColumnName"])
def test_metadata_that_repeat_the_site_give_no_title(recorded: Recorded, name: str) -> None:
    metas = f'<meta name="{name}" content="某某之窗"><meta name="ArticleTitle" content="某某之窗">'
    page = changed(recorded("trs/article_jcy"), "<title>", f"{metas}<title>")
    assert trs.read_article(page).title == "通化：检察建议护航人参地理标志"


@pytest.mark.parametrize(("heading", "read"), [("吉林省人民检察院", False), ("省长调研省人民检察院", True)])
def test_a_heading_that_is_all_of_the_title_is_none_where_it_names_a_site(
    recorded: Recorded, heading: str, read: bool
) -> None:
    page = changed(recorded("trs/article_jcy"), HEADING, f'<h2 class="title">{heading}</h2>')
    page = changed(page, "通化：检察建议护航人参地理标志_吉林省人民检察院", heading)
    if read:
        assert trs.read_article(page).title == heading
    else:
        with pytest.raises(LayoutChanged, match="no title"):
            trs.read_article(page)


# Hanweb

NOTICE = "国家知识产权局办公室关于做好专利开放许可年度工作的通知"


def without_fields(page: Page, heading: str) -> Page:
    """The notice with neither the CMS's fields for its title nor the block, but with a heading."""
    for field in ("ArticleTitle", "$[标题]", "article-title"):
        page = changed(page, field, "x")
    return changed(page, f">{NOTICE}<", f">{heading}<") if f">{NOTICE}<" in page.text else page


def test_what_a_menu_says_is_no_articles_of_hanweb(recorded: Recorded) -> None:
    page = recorded("cnipa/article_75_209322")
    title = '<h1 class="article-title">'
    without_line = changed(page, "article-info", "x")
    menu = changed(without_line, title, MENU.format("2026-11-02") + title)
    assert PrintedDate("2026-11-13", "labelled text") in hanweb.read_article(menu).dates
    alone = changed(menu, "<span>发布时间：2026-11-13</span>", "")
    assert "labelled text" not in {date.place for date in hanweb.read_article(alone).dates}
    confirmed = changed(alone, "2026-11-02", "2026-11-13 10:00")
    assert PrintedDate("2026-11-13 10:00", "labelled text") in hanweb.read_article(confirmed).dates


def test_a_title_of_hanweb_is_not_the_sites_name(recorded: Recorded) -> None:
    page = recorded("cnipa/article_75_209322")
    named = changed(page, f'"ArticleTitle" content="{NOTICE}"', '"ArticleTitle" content="国家知识产权局"')
    assert hanweb.read_article(named).title == NOTICE


def test_the_block_of_the_title_stands_in_for_the_fields(recorded: Recorded) -> None:
    page = recorded("cnipa/article_75_209322")
    for field in ("ArticleTitle", "$[标题]"):
        page = changed(page, field, "x")
    page = changed(changed(page, '<h1 class="article-title">', '<p class="article-title">'), "</h1>", "</p>")
    assert hanweb.read_article(page).title == NOTICE


@pytest.mark.parametrize("other", ["国家知识产权局", "首页要闻"])
def test_a_heading_of_hanweb_is_the_one_that_the_title_element_repeats(
    recorded: Recorded, other: str
) -> None:
    page = without_fields(recorded("cnipa/article_75_209322"), NOTICE)
    more = changed(changed(page, '"SiteName"', '"x"'), "<body>", f"<body><h1>{other}</h1>")
    assert hanweb.read_article(more).title == NOTICE
    with pytest.raises(LayoutChanged, match="no title"):
        hanweb.read_article(changed(more, '<h1 class="x">', '<h4 class="x">'))


def test_a_public_letter_is_no_article(recorded: Recorded) -> None:
    url = "https://www.cnipa.gov.cn/jact/front/mailpubdetail.do?transactId=1&sysid=13"
    with pytest.raises(LayoutChanged, match="public letter"):
        hanweb.kind_of(replace(recorded("cnipa/article_75_209322"), url=url))


# www.spp.gov.cn

SPP_TITLE = "最高人民检察院关于办理侵犯著作权刑事案件若干问题的解释"


def test_a_heading_of_the_text_is_no_title(recorded: Recorded) -> None:
    page = changed(recorded("spp/sfjs_740251"), 'class="time"', 'class="x"')
    assert spp.read_article(page).title == SPP_TITLE
    with pytest.raises(LayoutChanged, match="no title"):
        spp.read_article(changed(page, f"<h2>{SPP_TITLE}</h2>", ""))


def test_a_title_in_two_lines_is_found_in_the_title_element(recorded: Recorded) -> None:
    page = changed(recorded("spp/sfjs_740251"), 'class="time"', 'class="x"')
    page = changed(page, f"<h2>{SPP_TITLE}</h2>", f"<h2>{SPP_TITLE[:7]}<br>{SPP_TITLE[7:]}</h2>")
    assert spp.read_article(page).title == f"{SPP_TITLE[:7]} {SPP_TITLE[7:]}"


# www.gov.cn


def test_the_sites_name_in_large_type_is_neither_a_title_nor_a_second_one(recorded: Recorded) -> None:
    page = recorded("gov_cn/article_7091044_news")
    named = changed(page, "<!--header-->", "<h1>中国政府网</h1>")
    assert gov_cn.read_article(named).title == "知识产权公共服务机构覆盖全部地级市"
    gazette = changed(recorded("gov_cn/article_7090912_gazette"), "<body>", "<body><h1>中国政府网</h1>")
    assert gov_cn.read_article(gazette).title == "商标代理监督管理规定"
