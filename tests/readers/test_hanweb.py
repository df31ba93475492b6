"""Hanweb sites, CNIPA first: records, columns, landing page and articles."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawlers.errors import Blocked, LayoutChanged
from crawlers.notice import ListEntry, PrintedDate
from crawlers.page import Page
from crawlers.readers import hanweb

Recorded = Callable[[str], Page]
RECORDS = "https://www.cnipa.gov.cn/module/web/jpage/dataproxy.jsp"
FETCHED = datetime(2026, 11, 20, 9, tzinfo=UTC)


def changed(page: Page, old: str, new: str) -> Page:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


def records(*fragments: str, url: str = RECORDS, total: int = 300, pages: int = 3) -> Page:
    inside = "".join(f"<record><![CDATA[{fragment}]]></record>" for fragment in fragments)
    source = (
        f"<?xml version='1.0' encoding='utf-8'?><datastore><totalrecord>{total}</totalrecord>"
        f"<totalpage>{pages}</totalpage><recordset>{inside}</recordset></datastore>"
    )
    return Page(url, source.encode(), FETCHED)


def test_a_real_article_is_read_whole(captures: Path) -> None:
    body = (captures / "hanweb" / "fgw_zj_art_1621004_30332664.html").read_bytes()
    notice = hanweb.read_article(
        Page("http://fgw.zj.gov.cn/art/2016/11/22/art_1621004_30332664.html", body, FETCHED)
    )
    assert notice.title == "1-10月德清县固定资产投资结构趋稳趋优"
    assert notice.publisher == "省发改委"
    assert notice.identity == "hanweb:fgw.zj.gov.cn:30332664"
    assert notice.dates == (
        PrintedDate("2016-11-22", "labelled text"),
        PrintedDate("2016-11-22 09:53", "metadata PubDate"),
        PrintedDate("2016/11/22", "url"),
        PrintedDate("2019-03-22 12:28:37", "metadata Maketime", "modified"),
    )
    assert notice.body.startswith("1-10月，全县固定资产投资完成246.79亿元")
    assert notice.body.endswith("（德清县发改局）")
    assert (notice.links, notice.images, notice.body_note) == ((), (), None)


def test_records_are_read_with_their_odd_links(recorded: Recorded) -> None:
    listed = hanweb.read_list(recorded("cnipa/records_74"))
    assert [entry.identity for entry in listed.entries] == [
        "cnipa:209413",
        "cnipa:209412",
        "cnipa:209388",
        "cnipa:209301",
        None,
    ]
    assert listed.entries[2].url == "https://www.cnipa.gov.cn/art/2026/11/17/art_74_209388.html"
    assert "downfile.jsp" in listed.entries[4].url
    assert listed.total == 6


def test_public_letters_are_no_entries(recorded: Recorded) -> None:
    page = recorded("cnipa/records_74")
    assert "/jact/" in page.text
    assert not any("/jact/" in entry.url for entry in hanweb.read_list(page).entries)


@pytest.mark.parametrize(
    "fragment",
    [
        '<li><a href="/art/2026/11/18/art_74_1.html" title="公告">公…</a><span>2026-11-18</span></li>',
        '<li><a href="/art/2026/11/18/art_74_1.html">公告</a><span>2026-\n11-18',
        '<li><a href="/art/2026/11/18/art_74_1.html"><em>[2026-11-18]</em> 公告</a></li>',
        '<tr><td><a target="_blank" href="/col/col74/art/2026/11/18/art_74_1.html">公告</a><td>(2026-11-18)</tr>',
        '<b class="t">2026-11-18</b><a href="/art/2026/11/18/art_74_1.html" title="&lt;b&gt;公告&lt;/b&gt;">x</a>',
    ],
)
def test_a_record_is_read_in_every_shape_seen(fragment: str) -> None:
    assert hanweb.read_list(records(fragment)).entries == (
        ListEntry(
            "https://www.cnipa.gov.cn/art/2026/11/18/art_74_1.html",
            "公告",
            PrintedDate("2026-11-18", "list entry"),
            0,
            "cnipa:1",
        ),
    )


GOOD = '<li><a href="/art/2026/11/18/art_74_1.html">公告</a><span>2026-11-18</span></li>'


@pytest.mark.parametrize(
    ("query", "next_query"),
    [
        ("page=1&columnid=74", "page=2&columnid=74"),
        ("page=3&columnid=74", None),
        ("startrecord=1&endrecord=45&perpage=15", "startrecord=46&endrecord=90&perpage=15"),
        ("startrecord=271&endrecord=300&perpage=15", None),
        ("columnid=74", None),
    ],
)
def test_the_next_records_follow_until_the_stated_end(query: str, next_query: str | None) -> None:
    next_url = hanweb.read_list(records(GOOD, url=f"{RECORDS}?{query}")).next_url
    assert next_url == (next_query and f"{RECORDS}?{next_query}")


def test_records_in_json_are_read_like_plain_ones(recorded: Recorded) -> None:
    listed = hanweb.read_list(recorded("cnipa/records_66_json"))
    assert listed.entries[0].identity == "cnipa:209390"
    assert listed.next_url
    assert "page=2" in listed.next_url


def test_a_column_with_its_first_records_leads_to_all_records(recorded: Recorded) -> None:
    listed = hanweb.read_list(recorded("cnipa/column_53"))
    assert len(listed.entries) == 4
    assert listed.next_url == f"{RECORDS}?page=1&webid=1&columnid=53&unitid=669&perpage=100"
    assert listed.next_url == recorded("cnipa/records_53").url


def test_a_column_that_shows_all_its_records_leads_nowhere(recorded: Recorded) -> None:
    page = changed(recorded("cnipa/column_53"), "<totalrecord>2874<", "<totalrecord>4<")
    assert hanweb.read_list(page).next_url is None


def test_a_landing_page_gives_every_article_once_under_its_full_title(recorded: Recorded) -> None:
    listed = hanweb.read_list(recorded("cnipa/landing_col4"))
    identities = [entry.identity for entry in listed.entries]
    assert len(identities) == len(set(identities)) == 8
    assert listed.entries[0].title == "“澄禾”商标侵权案改判获赔300万元 江苏建立惩罚性赔偿指引"
    assert listed.entries[0].date == PrintedDate("2026-11-19", "list entry")
    assert listed.entries[3].date is None
    assert listed.next_url is None


def test_one_bad_record_is_skipped_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        listed = hanweb.read_list(records("<li>没有链接</li>", GOOD))
    assert [entry.position for entry in listed.entries] == [1]
    assert "Skipped record 1" in caplog.text


@pytest.mark.parametrize(
    "fragments", [(), ("<li>没有链接</li>",), ('<li><a href="/art/2026/1/1/art_1_2.html"></a>',)]
)
def test_records_of_which_none_can_be_read_are_refused(fragments: tuple[str, ...]) -> None:
    with pytest.raises(LayoutChanged):
        hanweb.read_list(records(*fragments))


def test_a_column_that_says_it_is_empty_is_an_empty_list() -> None:
    assert hanweb.read_list(records(total=0, pages=0)).entries == ()


@pytest.mark.parametrize(
    "body",
    [
        '{"code": 500}',
        '{"result": ',
        "<datastore",
        "<script type='text/xml'></script>",
        "",
        "<html><p>空</p></html>",
    ],
)
def test_what_holds_no_records_is_refused(body: str) -> None:
    with pytest.raises(LayoutChanged):
        hanweb.read_list(Page(RECORDS, body.encode(), FETCHED))


def test_one_id_in_two_columns_is_one_article(recorded: Recorded) -> None:
    one = hanweb.read_article(recorded("cnipa/article_53_209420"))
    other = hanweb.read_article(recorded("cnipa/article_57_209420_same_id"))
    assert one.identity == other.identity == "cnipa:209420"
    assert one.url != other.url


def test_other_sites_have_ids_of_their_own() -> None:
    path = "/art/2026/11/18/art_74_1.html"
    assert hanweb.identity_of(f"https://www.cnipa.gov.cn{path}") == "cnipa:1"
    assert hanweb.identity_of(f"https://www.example.gov.cn{path}") == "hanweb:example.gov.cn:1"


def test_a_notice_that_is_a_pdf_says_so(recorded: Recorded) -> None:
    notice = hanweb.read_article(recorded("cnipa/article_74_209388_pdf_only"))
    assert notice.body_note == "full text in attachment"
    assert [file.name for file in notice.attachments] == [
        "商标审查审理指南（2026修订）.pdf",
        "修订对照表.docx",
    ]


def test_a_table_keeps_its_rows(recorded: Recorded) -> None:
    notice = hanweb.read_article(recorded("cnipa/article_74_209413"))
    assert "1\t武汉岚屿知识产权代理有限公司\t90415\t湖北" in notice.body.split("\n")


@pytest.mark.parametrize(
    ("removed", "kept"),
    [
        ("<!--<$[信息内容]>begin-->", "ContentStart"),
        ("<!--<$[信息内容]>end-->", "ContentEnd"),
    ],
)
def test_without_the_markers_the_body_is_the_same(recorded: Recorded, removed: str, kept: str) -> None:
    page = recorded("cnipa/article_75_209322")
    assert kept in page.text
    assert hanweb.read_article(changed(page, removed, "")).body == hanweb.read_article(page).body


def test_without_markers_and_metas_the_class_still_gives_the_body(recorded: Recorded) -> None:
    page = recorded("cnipa/article_75_209322")
    bare = changed(changed(page, "信息内容", "x"), 'name="ContentStart"', 'name="x"')
    assert hanweb.read_article(bare).body == hanweb.read_article(page).body


def test_without_metas_title_date_and_source_come_from_the_page(recorded: Recorded) -> None:
    notice = hanweb.read_article(recorded("cnipa/article_53_209395"))
    assert notice.title.startswith("国家知识产权局：前10月授权发明专利86.4万件")
    assert notice.publisher == "国家知识产权局"
    assert [date.place for date in notice.dates] == ["labelled text", "url"]


def test_when_a_page_was_built_is_never_its_publication(recorded: Recorded) -> None:
    notice = hanweb.read_article(recorded("cnipa/article_75_209401"))
    built = [date for date in notice.dates if date.place == "metadata Maketime"]
    assert [date.meaning for date in built] == ["modified"]
    assert notice.dates[-1:] == tuple(built)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<meta name="ArticleTitle" content=', "<meta  data-x='1'\n name='ArticleTitle'  content="),
        (
            '<div class="article-info"><span>发布时间：',
            "<div id='i' class='article-info'>\n<span>\n 发布时间： ",
        ),
        ('<p style="text-indent: 2em;">', "<p>\n  "),
    ],
)
def test_spaces_and_the_order_of_attributes_change_nothing(recorded: Recorded, old: str, new: str) -> None:
    page = recorded("cnipa/article_75_209322")
    expected = hanweb.read_article(page)
    read = hanweb.read_article(changed(page, old, new))
    assert replace(read, sha256=expected.sha256) == expected


def test_an_article_without_any_body_block_is_refused(recorded: Recorded) -> None:
    page = recorded("cnipa/article_75_209322")
    for old in ("信息内容", "ContentStart", "article-content"):
        page = changed(page, old, "x")
    with pytest.raises(LayoutChanged, match="no body"):
        hanweb.read_article(page)


def test_an_article_without_any_title_is_refused(recorded: Recorded) -> None:
    page = recorded("cnipa/article_75_209322")
    for old in ("ArticleTitle", "$[标题]", "article-title", "h1"):
        page = changed(page, old, "x")
    with pytest.raises(LayoutChanged, match="no title"):
        hanweb.read_article(page)


def test_pages_that_are_no_content_are_refused_before_reading(recorded: Recorded) -> None:
    page = recorded("cnipa/blocked_challenge")
    for read in (hanweb.kind_of, hanweb.read_list, hanweb.read_article):
        with pytest.raises(Blocked, match="C3VK"):
            read(page)
    with pytest.raises(LayoutChanged):
        hanweb.read_list(recorded("cnipa/layout_changed"))


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://www.cnipa.gov.cn/col/col4/index.html", True),
        ("http://fgw.zj.gov.cn/art/2016/11/22/art_1621004_30332664.html", True),
        ("https://www.example.gov.cn/module/web/jpage/dataproxy.jsp?page=1", True),
        ("https://www.samr.gov.cn/xw/mtjj/art/2026/art_0f5c.html", False),
        ("https://www.court.gov.cn/fabu/gengduo/16.html", False),
    ],
)
def test_a_hanweb_site_is_known_by_its_paths(url: str, known: bool) -> None:
    assert hanweb.recognises(Page(url, b"", FETCHED)) is known
