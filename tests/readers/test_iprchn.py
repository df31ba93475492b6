"""iprchn.com and cnipa-ipdrc.org.cn: articles read by position, refused when in doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.notice import ListEntry, PrintedDate
from crawlers.page import Page
from crawlers.readers import iprchn

Recorded = Callable[[str], Page]
TITLE = "动力电池隔膜专利无效案在苏州巡回审理"


def changed(page: Page, old: str, new: str) -> Page:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("https://www.iprchn.com/cipnews/news_content.aspx?newsId=147888", "iprchn:147888"),
        ("https://www.iprchn.com/Index_NewsContent.aspx?newsId=147888", "iprchn:147888"),
        ("https://iprchn.com/Index_NewsContent.aspx?NewsId=147888&from=x", "iprchn:147888"),
        ("https://cnipa-ipdrc.org.cn/news_content.aspx?newsId=482", "ipdrc:482"),
        ("https://www.cnipa-ipdrc.org.cn/news_content.aspx?newsId=482", "ipdrc:482"),
        ("https://www.iprchn.com/cipnews/news_content.aspx?newsId=", None),
        ("https://www.iprchn.com/cipnews/news_list.aspx?newsId=147888", None),
        ("https://www.example.com/cipnews/news_content.aspx?newsId=147888", None),
    ],
)
def test_one_number_is_one_article_under_either_path(url: str, identity: str | None) -> None:
    assert iprchn.identity_of(url) == identity


def test_the_list_gives_every_article_once_under_its_fullest_title(recorded: Recorded) -> None:
    entries = iprchn.read_list(recorded("iprchn/list_index")).entries
    assert [(entry.identity, entry.title, entry.position) for entry in entries] == [
        ("iprchn:151906", TITLE, 0),
        ("iprchn:151909", "专利开放许可的定价：从试点到制度", 1),
        ("iprchn:151903", "商标使用管理的新要求", 2),
        ("iprchn:151897", "地标速览（2026年11月12日）", 3),
        ("iprchn:151895", "版权风向标（2026年11月12日）", 4),
    ]
    assert not any(entry.date for entry in entries)


def test_a_page_without_links_to_articles_is_no_list(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged):
        iprchn.read_list(changed(recorded("iprchn/list_index"), "newsId=", "id="))


def test_an_article_is_its_headline_the_first_date_and_the_text_behind(recorded: Recorded) -> None:
    notice = iprchn.read_article(recorded("iprchn/article_cipnews"))
    assert notice.title == TITLE
    assert notice.dates == (PrintedDate("2026/11/13 9:05:00", "first date of the page"),)
    lines = notice.body.split("\n")
    assert lines[0].startswith("本报讯 11月12日")
    assert lines[-1].endswith("平均审理周期5.2个月。")
    assert len(lines) == 4


def test_both_addresses_give_the_same_article(recorded: Recorded) -> None:
    one = iprchn.read_article(recorded("iprchn/article_cipnews"))
    other = iprchn.read_article(recorded("iprchn/article_index_twin"))
    assert (one.identity, one.title, one.body) == (other.identity, other.title, other.body)
    assert one.url != other.url


def test_the_research_centre_is_read_the_same_way(recorded: Recorded) -> None:
    notice = iprchn.read_article(recorded("iprchn/article_ipdrc"))
    assert (notice.identity, notice.title) == ("ipdrc:512", "《2026年知识产权保护水平评估报告》发布")
    assert notice.dates[0].raw == "2026/11/11"


def test_with_a_general_page_title_the_headline_of_the_list_finds_the_article(recorded: Recorded) -> None:
    page = changed(recorded("iprchn/article_index_twin"), f"<title>{TITLE}", "<title>中国知识产权资讯网")
    with pytest.raises(LayoutChanged, match="headline"):
        iprchn.read_article(page)
    entry = ListEntry(page.url, TITLE, None, 0, "iprchn:151906")
    assert iprchn.read_article(page, entry).title == TITLE


def test_a_date_above_the_headline_counts_too(recorded: Recorded) -> None:
    page = recorded("iprchn/article_cipnews")
    above = changed(
        changed(page, "2026/11/13 9:05:00", ""), '<div class="head">', '<div class="head">2026/11/13 '
    )
    notice = iprchn.read_article(above)
    assert notice.dates[0].raw == "2026/11/13"
    assert notice.body.endswith("平均审理周期5.2个月。")


def test_a_first_date_far_from_the_headline_is_not_the_articles(recorded: Recorded) -> None:
    page = changed(recorded("iprchn/article_cipnews"), "首页</a> <a", f"2026/11/20{'首页' * 200}</a> <a")
    with pytest.raises(LayoutChanged, match="no such headline near 2026/11/20"):
        iprchn.read_article(page)


def test_a_link_with_the_headlines_words_is_not_the_headline(recorded: Recorded) -> None:
    page = changed(
        recorded("iprchn/article_cipnews"), f'<span id="lblTitle">{TITLE}</span>', f"<a>{TITLE}</a>"
    )
    page = changed(page, "<h1><a>", "<h1>要闻<a>")
    with pytest.raises(LayoutChanged, match="headline"):
        iprchn.read_article(page)


def test_lists_of_links_and_the_footer_are_no_text(recorded: Recorded) -> None:
    body = iprchn.read_article(recorded("iprchn/article_cipnews")).body
    assert "上一篇" not in body
    assert "ICP备" not in body


def test_an_article_without_text_does_not_take_the_pages_other_text(recorded: Recorded) -> None:
    page = recorded("iprchn/article_cipnews")
    start = page.text.index('<div class="text"')
    end = page.text.index('<div class="more"')
    bare = replace(page, body=(page.text[:start] + page.text[end:]).encode())
    with pytest.raises(LayoutChanged, match="0 characters"):
        iprchn.read_article(bare)


def test_paragraphs_beside_the_headline_are_the_text_as_well(recorded: Recorded) -> None:
    page = recorded("iprchn/article_cipnews")
    flat = changed(page, '<div class="text" id="content">', "")
    assert iprchn.read_article(flat).body == iprchn.read_article(page).body


def test_pages_that_are_no_content_are_refused_before_reading(recorded: Recorded) -> None:
    for case, error in (("blocked_frequency", Blocked), ("not_found", Gone)):
        page = recorded(f"iprchn/{case}")
        for read in (iprchn.kind_of, iprchn.read_list, iprchn.read_article):
            with pytest.raises(error):
                read(page)
    with pytest.raises(LayoutChanged):
        iprchn.read_article(recorded("iprchn/layout_changed"))


def test_kind_and_site_are_told_by_the_url(recorded: Recorded) -> None:
    article, listed = recorded("iprchn/article_ipdrc"), recorded("iprchn/list_index")
    assert (iprchn.kind_of(article), iprchn.kind_of(listed)) == ("article", "list")
    assert iprchn.recognises(article)
    assert not iprchn.recognises(replace(article, url=""))
