"""Sites made with TRS WCM: the list a page is about, articles by their metadata, JSON twins."""

from __future__ import annotations

import gzip
import json
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
from crawlers.readers import reader_for, trs
from pipeline.dates import choose
from pipeline.normalize import identify_url

Recorded = Callable[[str], Page]
FETCHED = datetime(2026, 11, 20, 9, tzinfo=UTC)
JILIN = "https://www.jl.jcy.gov.cn/gzdt/"


def changed(page: Page, old: str, new: str) -> Page:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


def with_text(page: Page, text: str) -> Page:
    return replace(page, body=text.encode())


def captured(captures: Path, name: str, url: str = "") -> Page:
    body = (captures / name).read_bytes()
    return Page(url, gzip.decompress(body) if name.endswith(".gz") else body, FETCHED)


def test_a_real_article_with_markup_in_its_title_is_read(captures: Path) -> None:
    page = captured(captures, "gov/bynr_gov_article.html")
    assert trs.recognises(page)
    assert trs.kind_of(page) == "article"
    notice = trs.read_article(page)
    assert notice.title == "为现代化巴彦淖尔建设凝聚强大智慧和力量——热烈祝贺市政协五届一次会议开幕"
    assert notice.publisher == "巴彦淖尔日报"
    assert notice.dates == (PrintedDate("2022-02-11 09:52", "metadata PubDate"),)
    lines = notice.body.split("\n")
    assert lines[0].startswith("新征程催人奋进")
    assert lines[-1] == "预祝大会圆满成功！"


def test_a_real_notice_below_an_index_table_is_read_without_the_table(captures: Path) -> None:
    page = captured(captures, "gov/jilin_gov_notice.html")
    assert trs.recognises(page)
    notice = trs.read_article(page)
    assert notice.title.startswith("吉林省人民政府关于禁止在吉林省嫩江干流")
    assert notice.dates == (
        PrintedDate("2022年01月28日", "labelled text"),
        PrintedDate("2022-01-28 00:00:00", "metadata PubDate"),
        PrintedDate("2022年01月27日", "labelled text", meaning="issued"),
    )
    lines = notice.body.split("\n")
    assert lines[0] == "吉林省人民政府关于禁止在"
    assert lines[-2:] == ["吉林省人民政府", "2022年1月27日"]
    assert "索 引 号" not in notice.body
    assert "微信" not in notice.body


def test_a_real_page_without_metadata_is_titled_by_the_heading_that_its_title_repeats(captures: Path) -> None:
    page = captured(
        captures,
        "gov/cmse_trs_press_conference.html.gz",
        "http://www.cmse.gov.cn/ztbd/xwfbh/201206/t20120624_43188.html",
    )
    assert trs.recognises(page)
    notice = trs.read_article(page)
    assert notice.title == "天宫一号与神舟九号载人交会对接任务第二场新闻发布会"
    assert notice.dates == (PrintedDate("2012-06-24", "labelled text"), PrintedDate("20120624", "url"))
    assert notice.identity == "trs:cmse.gov.cn:43188"
    assert notice.body.startswith("2012年6月24日\n中国载人航天工程新闻发言人")
    assert notice.body.endswith("下面，我愿意回答大家的提问。")


def test_a_real_json_twin_that_is_cut_off_is_refused(captures: Path) -> None:
    url = "http://www.ynmangshi.jcy.gov.cn/dxal/202604/t20260426_7702865_ext.json"
    page = captured(captures, "spp/jcy_ynmangshi_ext_json_fragment.txt", url)
    for saved in (page, replace(page, url="")):
        assert trs.recognises(saved)
        assert trs.kind_of(saved) == "article"
        with pytest.raises(LayoutChanged, match="broken JSON"):
            trs.read_article(saved)


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        (JILIN + "202404/t20240424_6432591.shtml", "trs:jl.jcy.gov.cn:6432591"),
        ("http://www.jl.jcy.gov.cn/gzdt/202404/t20240424_6432591_ext.json", "trs:jl.jcy.gov.cn:6432591"),
        ("https://www.ncac.gov.cn/xxfb/tzgg/202606/t20260630_996425.html", "trs:ncac.gov.cn:996425"),
        ("https://www.scio.gov.cn/zdgz/jj/202511/t20251110_938367.html", "trs:scio.gov.cn:938367"),
        ("https://www.spp.gov.cn/spp/zdgz/202611/t20261114_740570.shtml", None),
        (JILIN, None),
    ],
)
def test_the_number_is_the_sites_own_and_a_twin_has_the_same(url: str, identity: str | None) -> None:
    assert trs.identity_of(url) == identity


@pytest.mark.parametrize(
    "case",
    [
        "spp/list_zdgz",
        "spp/wsfbt_741006",
        "court_gov/list_16",
        "court_gov/article_512961",
        "cnipa/article_74_209413",
        "cnipa/column_53",
        "wechat/article_type_0_2026",
    ],
)
def test_pages_of_older_readers_are_not_taken(recorded: Recorded, case: str) -> None:
    assert not trs.recognises(recorded(case))


@pytest.mark.parametrize(
    "url",
    ["https://www.scio.gov.cn/zdgz/jj/", "https://www.scio.gov.cn/xwfb/gwyxwbgsxwfbh/index.html"],
)
def test_the_information_office_is_read_by_its_addresses_and_another_layout_is_refused(
    recorded: Recorded, url: str
) -> None:
    page = replace(recorded("trs/list_ncac"), url=url)
    assert reader_for(page)[1] is trs
    assert trs.read_list(page).entries[0].identity == "trs:scio.gov.cn:1003311"
    elsewhere = replace(page, body=page.body.replace(b"./202611/", b"/live/2026/202611/"))
    elsewhere = replace(elsewhere, body=elsewhere.body.replace(b"../flfg/", b"/live/flfg/"))
    with pytest.raises(LayoutChanged, match="links with dates"):
        trs.read_list(elsewhere)


def test_the_list_beside_the_pager_is_read_and_not_the_notices_in_the_side_column(recorded: Recorded) -> None:
    page = recorded("trs/list_jcy")
    assert page.text.index("司法救助公告") < page.text.index("人参地理标志")
    titles = [entry.title for entry in trs.read_list(page).entries]
    assert len(titles) == 6
    assert titles[0] == "通化：检察建议护航人参地理标志"
    assert "司法救助公告" not in titles


def test_rows_in_several_lists_under_one_parent_are_one_list(recorded: Recorded) -> None:
    page = recorded("trs/list_jcy")
    assert page.text.count("</ul>\n<ul>") == 1
    assert trs.read_list(page).entries[5].title == "延边：跨区划协作守护冰雪品牌"


def test_a_title_cut_in_the_text_is_whole(recorded: Recorded) -> None:
    entry = trs.read_list(recorded("trs/list_jcy")).entries[1]
    assert entry.title == "全省检察机关部署“知识产权检察护企”专项行动推进会在长春召开"


@pytest.mark.parametrize("case", ["trs/list_jcy", "trs/list_ncac"])
@pytest.mark.parametrize("link", [r"\1 \n\2 ", r"\1\2#1"])
def test_blanks_around_an_address_and_a_place_in_the_article_change_nothing(
    recorded: Recorded, case: str, link: str
) -> None:
    page = recorded(case)
    spaced = re.sub(r"(href=[\"'])([^\"'#]+)", link, page.text)
    found = trs.read_list(replace(page, body=spaced.encode()))
    assert [identify_url(entry.url) for entry in found.entries] == [
        identify_url(entry.url) for entry in trs.read_list(page).entries
    ]
    assert trs.recognises(replace(page, body=spaced.encode()))


def test_a_link_to_another_site_has_no_identity_of_this_reader(recorded: Recorded) -> None:
    entry = trs.read_list(recorded("trs/list_jcy")).entries[3]
    assert entry.url.startswith("https://www.spp.gov.cn/")
    assert entry.identity is None


def test_a_date_inside_the_link_does_not_join_the_title(recorded: Recorded) -> None:
    page = changed(
        recorded("trs/list_jcy"),
        "通化：检察建议护航人参地理标志</a><span>2026-11-19</span>",
        "<span>2026-11-19</span>通化：检察建议护航人参地理标志</a>",
    )
    entry = trs.read_list(page).entries[0]
    assert (entry.title, entry.date) == (
        "通化：检察建议护航人参地理标志",
        PrintedDate("2026-11-19", "list entry"),
    )


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('createPageHTML(2, 0, "index", "shtml")', "index_1.shtml"),
        ("createPageHTML(9,3,'index','html')", "index_4.html"),
        ('createPageHTML(9, 8, "index", "shtml")', None),
        ('createPageHTML(1, 0, "index", "shtml")', None),
        ("createPageHTML('page_div', 9, 0, 'index', 'shtml', 20)", None),
    ],
)
def test_the_next_page_is_stated_by_the_pagers_call_alone(
    recorded: Recorded, call: str, expected: str | None
) -> None:
    page = changed(recorded("trs/list_jcy"), 'createPageHTML(2, 0, "index", "shtml")', call)
    assert trs.read_list(page).next_url == (expected and JILIN + expected)


def test_a_list_without_pager_is_read_where_it_is_the_only_one(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        listed = trs.read_list(recorded("trs/list_ncac"))
    assert [entry.identity for entry in listed.entries] == [
        "trs:ncac.gov.cn:1003311",
        "trs:ncac.gov.cn:1003107",
        "trs:ncac.gov.cn:1002844",
        "trs:ncac.gov.cn:1002601",
    ]
    assert "Skipped entry 4" in caplog.text


def test_two_lists_without_a_pager_are_refused_rather_than_guessed(recorded: Recorded) -> None:
    page = changed(recorded("trs/list_jcy"), 'createPageHTML(2, 0, "index", "shtml");', "")
    with pytest.raises(LayoutChanged, match="2 such blocks"):
        trs.read_list(page)


def test_two_dated_links_are_no_list(recorded: Recorded) -> None:
    page = changed(recorded("trs/list_ncac"), '<span class="time">2026-11-1', '<span class="time">11-1')
    assert page.text.count('class="time">11-1') == 4
    with pytest.raises(LayoutChanged, match="0 such blocks"):
        trs.read_list(page)
    half = changed(recorded("trs/list_ncac"), "2026-11-16</span>", "</span>")
    assert len(trs.read_list(half).entries) == 4
    with pytest.raises(LayoutChanged):
        trs.read_list(changed(half, "2026-11-12</span>", "</span>"))


def test_a_saved_list_whose_relative_links_lead_nowhere_is_refused(recorded: Recorded) -> None:
    page = replace(recorded("trs/list_ncac"), url="")
    with pytest.raises(LayoutChanged, match="none with an address"):
        trs.read_list(page)


def test_an_index_that_is_a_script_is_refused_with_the_address_it_leads_to(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match=r"leads to '\./flfg_532/'"):
        trs.read_list(recorded("trs/list_redirect"))


def test_labels_above_the_body_give_date_source_and_author(recorded: Recorded) -> None:
    notice = trs.read_article(recorded("trs/article_jcy"))
    assert notice.title == "通化：检察建议护航人参地理标志"
    assert (notice.publisher, notice.author) == ("检察日报", "宋禾")
    assert notice.dates == (PrintedDate("2026-11-18", "labelled text"), PrintedDate("20261119", "url"))
    assert notice.body.startswith("“集安人参”")


@pytest.mark.parametrize("label", ["更新时间", "成文日期", "截止日期"])
def test_another_label_that_ends_in_time_or_date_publishes_nothing(recorded: Recorded, label: str) -> None:
    notice = trs.read_article(
        changed(recorded("trs/article_jcy"), "时间：2026-11-18", f"{label}：2026-11-18")
    )
    assert [date.place for date in notice.dates if date.meaning == "published"] == ["url"]


def test_empty_fields_of_the_head_line_are_unknown(recorded: Recorded) -> None:
    page = changed(recorded("trs/article_jcy"), "作者：宋禾　新闻来源：检察日报　", "作者：　新闻来源：　")
    notice = trs.read_article(page)
    assert (notice.publisher, notice.author) == (None, None)
    assert trs.read_article(recorded("trs/article_sbj")).publisher is None


def test_the_sites_own_name_is_never_the_title(recorded: Recorded) -> None:
    page = recorded("trs/article_jcy")
    page = changed(page, "<title>通化：检察建议护航人参地理标志_", "<title>")
    page = changed(
        page, '<div class="header">', '<div class="header"><h1><a href="/">吉林省人民检察院</a></h1>'
    )
    with pytest.raises(LayoutChanged, match="no title"):
        trs.read_article(page)


def test_midnight_in_pubdate_leaves_the_day_alone(recorded: Recorded) -> None:
    notice = trs.read_article(recorded("trs/article_sbj"))
    assert PrintedDate("2026-11-17 00:00:00", "metadata PubDate") in notice.dates
    chosen = choose(notice.dates, notice.fetched_at)
    assert chosen.best is not None
    assert chosen.best.precision == "day"
    assert not chosen.disagreement


@pytest.mark.parametrize("name", ["publishdate", "firstpublishedtime"])
def test_the_other_names_of_the_date_in_the_metadata_are_read(recorded: Recorded, name: str) -> None:
    page = changed(
        recorded("trs/article_ncac"),
        '<meta name="PubDate" content="2026-11-16 17:40">',
        f'<meta name="{name}" content="2026-11-16-17:40:00">',
    )
    assert trs.read_article(page).dates[0] == PrintedDate("2026-11-16-17:40:00", f"metadata {name}")


def test_the_index_table_dates_the_document_and_stays_out_of_the_body(recorded: Recorded) -> None:
    notice = trs.read_article(recorded("trs/article_index_table"))
    assert [(date.raw, date.meaning) for date in notice.dates] == [
        ("2026年11月13日", "published"),
        ("2026-11-13 00:00:00", "published"),
        ("20261113", "published"),
        ("2026年11月10日", "issued"),
    ]
    assert "索 引 号" not in notice.body
    assert notice.body.endswith("第二条 本办法自2026年12月1日起施行。")


def test_markup_in_the_title_is_dropped(recorded: Recorded) -> None:
    assert trs.read_article(recorded("trs/article_ncac")).title == "2026年度第九批重点作品版权保护预警名单"


def test_a_file_that_the_system_appended_is_an_attachment_outside_the_body_too(recorded: Recorded) -> None:
    notice = trs.read_article(recorded("trs/article_ncac"))
    assert [(attachment.name, attachment.url) for attachment in notice.attachments] == [
        (
            "预警名单（第九批）.docx",
            "https://www.ncac.gov.cn/xxfb/tzgg/202611/P020261116635512345678.docx",
        )
    ]


def test_an_empty_body_is_explained_by_the_appended_file_or_refused(recorded: Recorded) -> None:
    page = recorded("trs/article_pdf_only")
    notice = trs.read_article(page)
    assert (notice.body, notice.body_note) == ("", "full text in attachment")
    with pytest.raises(LayoutChanged, match="empty body"):
        trs.read_article(changed(page, "./P020261112335599887766.pdf", "#"))


@pytest.mark.parametrize(
    "body",
    [
        'class="TRS_Editor"',
        'class="trs_editor_view"',
        'class="TRS_UEDITOR trs_web"',
        'class="Custom_UnionStyle"',
        'id="UCAP-CONTENT"',
        'id="zoom"',
        'id="fontzoom"',
        'class="article-content"',
        'class="pages_content"',
    ],
)
def test_every_known_body_is_found(recorded: Recorded, body: str) -> None:
    page = recorded("trs/article_ncac")
    expected = trs.read_article(page).body
    renamed = changed(page, 'class="trs_editor_view TRS_UEDITOR trs_paper_default"', body)
    assert trs.read_article(renamed).body == expected


def test_a_whole_json_twin_is_read(recorded: Recorded) -> None:
    page = recorded("trs/ext_json")
    assert (trs.recognises(page), trs.kind_of(page)) == (True, "article")
    notice = trs.read_article(page)
    assert notice.title == "销售盗版儿童图书四人被提起公诉"
    assert (notice.publisher, notice.author) == ("德宏检察", None)
    assert notice.dates == (PrintedDate("2026-11-17", "field crtime"), PrintedDate("20261117", "url"))
    assert notice.identity == "trs:ynmangshi.jcy.gov.cn:7801622"
    assert notice.body.split("\n")[1].endswith("违法所得七十一万余元。")
    assert len(notice.images) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '[{"doctitle": "题"}, {"doctitle": "题"}]',
        '[{"doctitle": "题", "crtime": "2026-11-17"}]',
        '[{"doctitle": "", "crtime": "2026-11-17", "dochtmlcon": "<p>文</p>"}]',
        '[{"doctitle": "题", "crtime": "2026-11-17", "dochtmlcon": null}]',
        '[{"doctitle": "题", "crtime": "2026-11-17", "dochtmlcon": "<p></p>"}]',
        "{}",
        "<html></html>",
    ],
)
def test_other_json_is_refused(recorded: Recorded, text: str) -> None:
    with pytest.raises(LayoutChanged):
        trs.read_article(with_text(recorded("trs/ext_json"), text))


def test_raw_line_breaks_inside_the_twins_texts_are_allowed(recorded: Recorded) -> None:
    page = recorded("trs/ext_json")
    assert json.loads(page.text)
    broken_lines = changed(page, "提起公诉。</p>", "提起公诉。</p>\n")
    assert trs.read_article(broken_lines).body == trs.read_article(page).body


def test_the_list_is_believed_first(recorded: Recorded) -> None:
    page = recorded("trs/article_jcy")
    entry = ListEntry(page.url, "题", PrintedDate("2026-11-19", "list entry"), 0)
    assert trs.read_article(page, entry).dates[0].place == "list entry"


def test_pages_that_are_no_content_are_refused_before_reading(recorded: Recorded) -> None:
    for case, error in (("blocked_521", Blocked), ("not_found", Gone)):
        for read in (trs.kind_of, trs.read_list, trs.read_article):
            with pytest.raises(error):
                read(recorded(f"trs/{case}"))
    with pytest.raises(LayoutChanged, match="no title, no body"):
        trs.read_article(recorded("trs/layout_changed"))
    with pytest.raises(LayoutChanged, match="broken JSON"):
        trs.read_article(recorded("trs/ext_json_cut_off"))


def test_a_page_of_another_kind_is_neither_list_nor_article(recorded: Recorded) -> None:
    page = replace(recorded("trs/layout_changed"), url="https://www.ncac.gov.cn/search?q=1")
    assert not trs.recognises(page)
    with pytest.raises(LayoutChanged):
        trs.kind_of(page)


@pytest.mark.parametrize("case", ["list_jcy", "list_jcy_page_2", "list_ncac"])
def test_a_list_is_known_by_its_pager_or_by_its_address_and_links(recorded: Recorded, case: str) -> None:
    page = recorded(f"trs/{case}")
    assert trs.recognises(page)
    assert trs.kind_of(page) == "list"
