"""www.spp.gov.cn: lists, and articles in the three layouts; the list and the URL date a page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from crawlers.errors import Blocked, LayoutChanged
from crawlers.notice import ListEntry, PrintedDate
from crawlers.page import Page
from crawlers.readers import spp

Recorded = Callable[[str], Page]


def changed(page: Page, old: str, new: str) -> Page:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("./202611/t20261118_1.shtml", "https://www.spp.gov.cn/spp/zdgz/202611/t20261118_1.shtml"),
        ("/spp/llyj/202611/t20261118_1.shtml#1", "https://www.spp.gov.cn/spp/llyj/202611/t20261118_1.shtml"),
        (
            "https://www.spp.gov.cn//xwfbh//a/t20261118_1.shtml",
            "https://www.spp.gov.cn/xwfbh/a/t20261118_1.shtml",
        ),
        ("//spp/zdgz/t20261118_1.shtml", "https://www.spp.gov.cn/spp/zdgz/t20261118_1.shtml"),
        ("//www.spp.gov.cn/spp/t20261118_1.shtml", "https://www.spp.gov.cn/spp/t20261118_1.shtml"),
        ("javascript:void(0)", None),
        ("#1", None),
    ],
)
def test_every_form_of_a_link_is_one_url(href: str, url: str | None) -> None:
    assert spp.normal_url(href, "https://www.spp.gov.cn/spp/zdgz/index.shtml") == url


def test_links_that_differ_in_the_fragment_are_one_entry(recorded: Recorded) -> None:
    page = recorded("spp/list_wsfbt")
    assert page.text.count("t20261119_741006.shtml") == 2
    urls = [entry.url for entry in spp.read_list(page).entries]
    assert urls.count("https://www.spp.gov.cn/xwfbh/wsfbt/202611/t20261119_741006.shtml") == 1


def test_entries_carry_date_and_identity(recorded: Recorded) -> None:
    entry = spp.read_list(recorded("spp/list_zdgz")).entries[0]
    assert entry == ListEntry(
        "https://www.spp.gov.cn/spp/zdgz/202611/t20261118_740911.shtml",
        "最高检与国家知识产权局会签意见 强化专利领域行刑衔接",
        PrintedDate("2026-11-18", "list entry"),
        0,
        "spp:740911",
    )


@pytest.mark.parametrize(
    ("path", "pages", "expected"),
    [
        ("", 5, "index_2.shtml"),
        ("index.shtml", 5, "index_2.shtml"),
        ("index_2.shtml", 5, "index_3.shtml"),
        ("index_5.shtml", 5, None),
        ("index.shtml", 1, None),
    ],
)
def test_the_next_page_follows_from_the_own_number_and_the_count(
    recorded: Recorded, path: str, pages: int, expected: str | None
) -> None:
    base = "https://www.spp.gov.cn/spp/zdgz/"
    page = changed(recorded("spp/list_zdgz"), "'page_div', 2,", f"'page_div', {pages},")
    next_url = spp.read_list(replace(page, url=base + path)).next_url
    assert next_url == (expected and base + expected)


def test_the_variant_of_qwfb_shows_its_active_tab_only(recorded: Recorded) -> None:
    entries = spp.read_list(recorded("spp/list_qwfb")).entries
    assert [entry.date and entry.date.raw for entry in entries] == [
        "2026-11-19", "2026-11-10", "2026-11-05", "2026-10-29", "2026-10-21",
    ]  # fmt: skip
    assert entries[1].title == "最高人民检察院关于办理侵犯著作权刑事案件若干问题的解释"


def test_one_bad_row_is_skipped_with_a_warning(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    page = changed(recorded("spp/list_zdgz"), 'href="/spp/zdgz/202611/t20261117_740802.shtml"', "")
    with caplog.at_level(logging.WARNING):
        assert len(spp.read_list(page).entries) == 5
    assert "Skipped entry 2" in caplog.text


@pytest.mark.parametrize("old", ['class="li_line"', 'class="commonList_con"'])
def test_a_list_without_its_block_is_refused(recorded: Recorded, old: str) -> None:
    with pytest.raises(LayoutChanged, match="commonList_con"):
        spp.read_list(changed(recorded("spp/list_zdgz"), old, 'class="x"'))


def test_a_list_in_which_no_row_has_a_date_is_refused(recorded: Recorded) -> None:
    page = changed(recorded("spp/list_zdgz"), "<span>2026-11-", "<span>11-")
    with pytest.raises(LayoutChanged, match="none with a date"):
        spp.read_list(page)


def test_the_standard_layout(recorded: Recorded) -> None:
    notice = spp.read_article(recorded("spp/zdgz_740911"))
    assert notice.title == "最高检与国家知识产权局会签意见 强化专利领域行刑衔接"
    assert (notice.publisher, notice.author) == ("高检网", "程予安")
    assert notice.identity == "spp:740911"
    assert [(date.raw, date.place) for date in notice.dates] == [
        ("20261118", "url"),
        ("2026-11-18 17:36", "labelled text"),
        ("2026-11-18-17:36:20", "metadata firstpublishedtime"),
    ]
    assert notice.body.endswith("覆盖机械、电子、生物医药等八个领域。")


def test_related_news_and_footer_are_no_part_of_the_body(recorded: Recorded) -> None:
    page = recorded("spp/zdgz_740911")
    assert "相关新闻" in page.text
    notice = spp.read_article(page)
    assert "相关新闻" not in notice.body
    assert notice.links == ()


def test_wsfbt_has_its_title_in_two_lines_and_its_date_in_words(recorded: Recorded) -> None:
    notice = spp.read_article(recorded("spp/wsfbt_741006"))
    assert (
        notice.title
        == "全链条打击制假售假 守护消费者“舌尖安全” 最高检发布检察机关依法惩治侵犯商标权犯罪典型案例"
    )
    assert PrintedDate("2026年11月19日", "labelled text") in notice.dates
    assert notice.body.startswith("11月19日，最高人民检察院发布")
    assert "版权所有" not in notice.body


def test_title_and_date_inside_the_body_of_sfjs_are_no_part_of_it(recorded: Recorded) -> None:
    notice = spp.read_article(recorded("spp/sfjs_740251"))
    assert notice.title == "最高人民检察院关于办理侵犯著作权刑事案件若干问题的解释"
    assert notice.publisher == "最高人民检察院"
    assert notice.body.startswith("（2026年10月20日最高人民检察院")
    assert "发布时间" not in notice.body
    assert "附：有关问题说明" in notice.body


def test_a_later_date_in_the_page_never_comes_before_list_and_url(recorded: Recorded) -> None:
    page = recorded("spp/date_trap")
    entry = next(
        entry for entry in spp.read_list(recorded("spp/list_zdgz_page_2")).entries if entry.url == page.url
    )
    assert [(date.raw, date.place) for date in spp.read_article(page, entry).dates] == [
        ("2026-09-12", "list entry"),
        ("20260912", "url"),
        ("2026-11-18 14:02", "labelled text"),
        ("2026-09-12-11:30:00", "metadata firstpublishedtime"),
    ]


def test_dates_in_the_text_are_never_taken(recorded: Recorded) -> None:
    page = changed(recorded("spp/date_trap"), "2026-11-18 14:02　来源", "来源")
    page = changed(page, 'name="firstpublishedtime"', 'name="x"')
    assert [date.place for date in spp.read_article(page).dates] == ["url"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<div class="detail_tit">', "<div  id='t'\n class='detail_tit'>\n  "),
        ('class="detail_extend1 fl"', 'class="fl  detail_extend1"'),
        ('<div id="fontzoom" class="TRS_Editor">', "<div class='TRS_Editor'  id='fontzoom'>\n\n"),
        ("<p>　　", "<p>\n　 "),
    ],
)
def test_spaces_and_the_order_of_attributes_change_nothing(recorded: Recorded, old: str, new: str) -> None:
    page = recorded("spp/zdgz_740911")
    expected = spp.read_article(page)
    read = spp.read_article(changed(page, old, new))
    assert replace(read, sha256=expected.sha256) == expected


@pytest.mark.parametrize(
    ("case", "old", "new"),
    [
        ("zdgz_740911", 'class="detail_tit"', 'class="x"'),
        ("zdgz_740911", 'id="fontzoom" class="TRS_Editor"', 'id="x"'),
        ("wsfbt_740688", "wsfbh_detail_con", "x"),
        ("wsfbt_740688", "h2>", "h5>"),
        ("sfjs_740251", 'id="fontzoom"', 'id="x"'),
    ],
)
def test_an_article_without_a_mandatory_part_is_refused(
    recorded: Recorded, case: str, old: str, new: str
) -> None:
    with pytest.raises(LayoutChanged):
        spp.read_article(changed(recorded(f"spp/{case}"), old, new))


def test_pages_that_are_no_content_are_refused_before_reading(recorded: Recorded) -> None:
    page = recorded("spp/blocked_521")
    for read in (spp.kind_of, spp.read_list, spp.read_article):
        with pytest.raises(Blocked, match="http 521"):
            read(page)
    with pytest.raises(LayoutChanged):
        spp.read_list(recorded("spp/layout_changed"))


def test_a_saved_page_without_url_is_known_by_its_content(recorded: Recorded) -> None:
    for case, kind in (("list_zdgz", "list"), ("zdgz_740911", "article"), ("wsfbt_740688", "article")):
        page = replace(recorded(f"spp/{case}"), url="")
        assert spp.recognises(page)
        assert spp.kind_of(page) == kind
    assert not spp.recognises(replace(recorded("court_gov/list_16"), url=""))
