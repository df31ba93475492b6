"""China Court and local courts on its templates: one reader, two list layouts, identities by host."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.notice import ListEntry, PrintedDate
from crawlers.page import Page
from crawlers.readers import chinacourt

Recorded = Callable[[str], Page]
COLUMN = "https://www.chinacourt.cn/article/index/id/MzAwNDAwMgCRhAEA"


def changed(page: Page, old: str, new: str) -> Page:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("https://www.chinacourt.cn/article/detail/2023/03/id/7171637.shtml", "chinacourt:7171637"),
        ("http://www.chinacourt.org/article/detail/2023/03/id/7171637.shtml", "chinacourt:7171637"),
        (
            "https://bjhdfy.bjcourt.gov.cn/article/detail/2026/04/id/9285852.shtml",
            "chinacourt:bjhdfy.bjcourt.gov.cn:9285852",
        ),
        (
            "https://hunanfy.chinacourt.org/article/detail/2026/04/id/9285852.shtml",
            "chinacourt:hunanfy.chinacourt.org:9285852",
        ),
        (COLUMN + ".shtml", None),
        ("https://www.chinacourt.cn/subject/detail/id/1001.shtml", None),
    ],
)
def test_both_names_of_the_main_site_are_one_and_a_local_court_is_its_own(
    url: str, identity: str | None
) -> None:
    assert chinacourt.identity_of(url) == identity


@pytest.mark.parametrize(
    "url",
    [
        "https://cdzy.hebeicourt.gov.cn/article/detail/2026/04/id/9289425.shtml",
        "https://fx.lncourt.gov.cn/article/detail/2023/08/id/7480899.shtml",
        "https://bjzcfy.bjcourt.gov.cn/article/index/id/MzAwNzAwMTAwMiACAAA%3D/page/2.shtml",
        COLUMN + ".shtml",
    ],
)
def test_the_path_tells_the_template_whatever_the_host(url: str, recorded: Recorded) -> None:
    page = recorded("chinacourt/layout_changed")
    assert chinacourt.recognises(replace(page, url=url))


@pytest.mark.parametrize(
    "url",
    [
        "https://rmfyb.chinacourt.org/paper/html/2026-11/18/content_1.htm",
        "https://www.chinacourt.cn/index.shtml",
    ],
)
def test_other_pages_of_the_same_hosts_are_left_alone(url: str, recorded: Recorded) -> None:
    assert not chinacourt.recognises(replace(recorded("chinacourt/list_civil"), url=url))


def test_titles_cut_in_the_text_are_whole(recorded: Recorded) -> None:
    page = recorded("chinacourt/list_civil")
    assert "侵…</a>" in page.text
    entries = chinacourt.read_list(page).entries
    assert entries[0] == ListEntry(
        "https://www.chinacourt.cn/article/detail/2026/11/id/9661207.shtml",
        "“青禾”商标被用作直播间名称 法院认定构成侵权并判赔六十万元",
        PrintedDate("2026-11-19", "list entry"),
        0,
        "chinacourt:9661207",
    )
    assert len(entries) == 7


@pytest.mark.parametrize(
    ("case", "next_url"),
    [
        ("chinacourt/list_civil", COLUMN + "/page/2.shtml"),
        ("chinacourt/list_civil_page_657", None),
        (
            "chinacourt/list_local",
            "https://bjzcfy.bjcourt.gov.cn/article/index/id/MzAwNzAwMTAwMiACAAA%3D/page/2.shtml",
        ),
    ],
)
def test_the_next_page_is_the_one_after_the_pages_own_number(
    recorded: Recorded, case: str, next_url: str | None
) -> None:
    assert chinacourt.read_list(recorded(case)).next_url == next_url


def test_a_local_list_has_no_rows_of_the_menu(recorded: Recorded) -> None:
    page = recorded("chinacourt/list_local")
    assert 'class="font14 nav_ul"' in page.text
    entries = chinacourt.read_list(page).entries
    assert [entry.date and entry.date.raw for entry in entries] == [
        "2026-11-18",
        "2026-11-17",
        "2026-11-12",
        "2026-11-10",
    ]


def test_one_bad_row_is_skipped_with_a_warning(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    page = changed(
        recorded("chinacourt/list_civil"), 'href="/article/detail/2026/11/id/9660815.shtml"', 'href="#"'
    )
    with caplog.at_level(logging.WARNING):
        entries = chinacourt.read_list(page).entries
    assert len(entries) == 6
    assert "Skipped entry 2" in caplog.text


@pytest.mark.parametrize(("old", "new"), [('id="articleList"', 'id="list"'), ('class="right"', 'class="r"')])
def test_a_list_without_its_block_or_any_date_is_refused(recorded: Recorded, old: str, new: str) -> None:
    with pytest.raises(LayoutChanged, match="articleList"):
        chinacourt.read_list(changed(recorded("chinacourt/list_civil"), old, new))


def test_the_head_line_gives_source_author_and_time(recorded: Recorded) -> None:
    notice = chinacourt.read_article(recorded("chinacourt/article_9661207"))
    assert (notice.publisher, notice.author) == ("人民法院报", "陆一帆 周念")
    assert notice.dates == (PrintedDate("2026-11-19 09:26:41", "labelled text"),)
    assert notice.identity == "chinacourt:9661207"
    assert notice.body.startswith("本报讯")
    assert len(notice.body.split("\n")) == 5


def test_a_head_line_without_spans_is_read_by_its_labels(recorded: Recorded) -> None:
    notice = chinacourt.read_article(recorded("chinacourt/article_local"))
    assert (notice.publisher, notice.author) == ("北京知识产权法院", "综合办公室")
    assert notice.dates == (PrintedDate("2026-11-18 10:40:55", "labelled text"),)
    assert [attachment.name for attachment in notice.attachments] == ["涉数据竞争纠纷典型案例.pdf"]


def test_a_hearing_notice_has_no_source_and_one_date(recorded: Recorded) -> None:
    notice = chinacourt.read_article(recorded("chinacourt/hearing_local"))
    assert (notice.publisher, notice.author) == (None, None)
    assert notice.dates == (PrintedDate("2026-11-18", "labelled text"),)


def test_a_date_in_the_text_dates_nothing(recorded: Recorded) -> None:
    page = changed(
        recorded("chinacourt/article_9660342"), '<span class="time">2026-11-17 15:02:10</span>', ""
    )
    assert "2026年11月16日" in page.text
    with pytest.raises(LayoutChanged, match=r"a date in \.detail_thr"):
        chinacourt.read_article(page)


def test_the_list_is_believed_first(recorded: Recorded) -> None:
    page = recorded("chinacourt/article_9660342")
    notice = chinacourt.read_article(
        page, ListEntry(page.url, "题", PrintedDate("2026-11-17", "list entry"), 0)
    )
    assert [date.place for date in notice.dates] == ["list entry", "labelled text"]


@pytest.mark.parametrize("part", ['class="detail_bigtitle"', 'class="detail_txt"'])
def test_an_article_without_title_or_body_is_refused(recorded: Recorded, part: str) -> None:
    with pytest.raises(LayoutChanged, match="9661207"):
        chinacourt.read_article(changed(recorded("chinacourt/article_9661207"), part, 'class="x"'))


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("chinacourt/blocked_455", Blocked),
        ("chinacourt/blocked_cookie", Blocked),
        ("chinacourt/not_found", Gone),
    ],
)
def test_pages_that_are_no_content_are_refused_before_reading(
    recorded: Recorded, case: str, error: type[Exception]
) -> None:
    for read in (chinacourt.kind_of, chinacourt.read_list, chinacourt.read_article):
        with pytest.raises(error):
            read(recorded(case))


def test_an_article_that_quotes_the_firewall_is_an_article(recorded: Recorded) -> None:
    page = changed(recorded("chinacourt/article_9661207"), "本报讯", "本报讯 https_waf_cookie")
    assert "https_waf_cookie" in chinacourt.read_article(page).body


def test_a_page_in_an_unknown_layout_is_refused(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged):
        chinacourt.read_article(recorded("chinacourt/layout_changed"))
    with pytest.raises(LayoutChanged):
        chinacourt.kind_of(replace(recorded("chinacourt/layout_changed"), url=""))


def test_a_saved_page_without_url_is_known_by_its_content(recorded: Recorded) -> None:
    article = replace(recorded("chinacourt/article_local"), url="")
    listed = replace(recorded("chinacourt/list_local"), url="")
    assert chinacourt.recognises(article)
    assert chinacourt.recognises(listed)
    assert (chinacourt.kind_of(article), chinacourt.kind_of(listed)) == ("article", "list")
    assert not chinacourt.recognises(replace(recorded("court_gov/list_16"), url=""))
