"""Blocks and labelled values are found whatever surrounds them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html

from crawlers.errors import LayoutChanged
from crawlers.page import Page
from crawlers.readers.body import tidy
from crawlers.readers.markup import (
    behind_headline,
    cut_from,
    date_shaped,
    folded,
    labelled,
    metas,
    names_a_site,
    one_line,
    tree,
    tree_from,
)


@pytest.mark.parametrize("body", [b"", b"  \n", b"<!-- only a comment -->"])
def test_a_page_without_markup_is_a_changed_layout(body: bytes) -> None:
    with pytest.raises(LayoutChanged):
        tree(Page("https://www.spp.gov.cn/", body, datetime(2026, 11, 20, tzinfo=UTC)))


def content(before: str, behind: str = "") -> html.HtmlElement | None:
    text = f"<html><body><p>菜单</p>{before}<div id=content><p>公告</p></div>{behind}</body></html>"
    page = Page("https://www.spp.gov.cn/", text.encode(), datetime(2026, 11, 20, tzinfo=UTC))
    return tree_from(page, "<div id=content>", ["news"])


@pytest.mark.parametrize("before", ["", "<a href='", "<table><tr><td>", "</div></p>", "<title>", "<!-- -->"])
def test_what_stands_before_the_content_is_not_parsed(before: str) -> None:
    root = content(before, "<p>公众号</p>")
    assert root is not None
    assert [node.text for node in root.iter("p")] == ["公告", "公众号"]


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("<div id=content></div>", ""),
        ("", "<div id=content></div>"),
        ("", "<!-- <div id=content> -->"),
        ("</BODY>", ""),
        ("<!--", "-->"),
        ("<script>'", "'</script>"),
        ("<textarea>", ""),
        ("<p class=news>", ""),
    ],
)
def test_the_content_of_a_page_that_has_its_mark_twice_or_out_of_sight_is_not_guessed(
    before: str, behind: str
) -> None:
    assert content(before, behind) is None


def test_two_pages_in_one_are_refused_from_the_content_on() -> None:
    with pytest.raises(LayoutChanged):
        content("", "</body></html><html><body>")


@pytest.mark.parametrize("before", ["", "\n", "\ufeff", "\u3000", "\x85\n", "\ufeff\u3000"])
@pytest.mark.parametrize("behind", ["", " \n", "\u3000", "\n\x1c"])
def test_white_space_and_a_mark_around_a_page_are_no_part_of_it(before: str, behind: str) -> None:
    bare = "<html><head><title>商标</title></head><body><p>公告</p></body></html>"
    body = f"{before}{bare}{behind}".encode()
    root = tree(Page("https://www.spp.gov.cn/", body, datetime(2026, 11, 20, tzinfo=UTC)))
    assert etree.tostring(root, encoding="unicode") == bare


@given(st.text(st.sampled_from("a商1 \t\n\r\v\x00\x1c\x85\x9b\xa0\u2002\u200b\u2028\u3000\ufeff")))
def test_a_tidy_text_has_lines_that_are_tidy(text: str) -> None:
    lines = tidy(text).split("\n")
    assert tidy(text) == "\n".join(filter(None, map(tidy, text.split("\n"))))
    assert all(line == line.strip() and "  " not in line for line in lines)
    assert "".join("".join(lines).split()) == "".join(
        "".join(letter for letter in text if letter not in "\x00\x9b\u200b\ufeff").split()
    )


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("发布时间：2026-11-18 10:05 来源", "2026-11-18 10:05"),
        ("[2026/1/8]", "2026/1/8"),
        ("2026年4月13日", "2026年4月13日"),
        ("\n 2026-\n  11-18\n", "2026-11-18"),
        ("2026-11-18-11:30:00", "2026-11-18-11:30:00"),
        ("2026.11.18", "2026.11.18"),
    ],
)
def test_a_complete_date_is_taken_as_printed(text: str, raw: str) -> None:
    assert date_shaped(text) == raw


@pytest.mark.parametrize(
    "text",
    ["", "11-18", "2026年11月", "（2026）最高法知民终412号", "2026-11/18", "12026-11-18", "ZL201810452317.6"],
)
def test_what_is_no_complete_date_is_left(text: str) -> None:
    assert date_shaped(text) is None


@given(st.text())
def test_any_text_can_be_searched_for_a_date(text: str) -> None:
    raw = date_shaped(text)
    assert raw is None or date_shaped(raw) == raw


def test_a_labelled_value_ends_at_the_next_label() -> None:
    head = "发布时间：2026-11-18来源：高检网 作者：程予安 【字体：大 中 小】"
    assert labelled(head, "来源") == "高检网"
    assert labelled(head, "作者") == "程予安"
    assert labelled(head, "发布日期", "发布时间") == "2026-11-18"


def test_a_label_without_value_is_none() -> None:
    assert labelled("来源： 作者：程予安", "来源") is None


def test_the_first_meta_of_a_name_wins_in_its_own_spelling() -> None:
    root = html.document_fromstring(
        '<meta name="PubDate" content="1"><meta name="pubdate" content="2"><p>x</p>'
    )
    assert metas(root) == {"pubdate": ("PubDate", "1")}


def test_a_cut_takes_everything_behind_it_also_behind_its_parents() -> None:
    root = html.fragment_fromstring(
        "<div><p>a</p>b<section><i>c</i>d<b id='end'>e</b>f<i>g</i></section>h<p>i</p></div>"
    )
    cut_from(root, root.get_element_by_id("end"))
    assert one_line(root).replace(" ", "") == "abcd"


@pytest.mark.parametrize(
    ("head", "behind"),
    [
        ("热点 发布时间：2026-11-02 商标审查指南的说明 来源：某局", " 来源：某局"),
        (
            "商标审查指南的说明 2026-11-02 别的文章 商标审查\n指南的说明 发布时间：2026-11-18",
            " 发布时间：2026-11-18",
        ),
        ("当前位置 发布时间：2026-11-18", None),
    ],
)
def test_what_stands_behind_the_last_mention_of_a_headline_is_its_own(head: str, behind: str | None) -> None:
    assert behind_headline(head, "商标审查指南的说明") == behind


def test_a_headline_that_a_menu_could_have_by_chance_has_nothing_behind_it() -> None:
    assert behind_headline("公告 发布时间：2026-11-18", "公告") is None


@pytest.mark.parametrize(
    ("heading", "named"),
    [
        ("吉林省人民检察院", True),
        ("国家知识产权局", True),
        ("新疆维吾尔自治区 高级人民法院", True),
        ("中国（某市）知识产权网", True),
        ("局", False),
        ("商标审查指南的说明", False),
        ("省长调研市人民检察院", False),
        ("“网”字商标属于谁？", False),
        ("三家企业因侵害同一件外观设计专利权被诉至知识产权法院", False),
    ],
)
def test_a_heading_that_only_names_an_institution_is_known(heading: str, named: bool) -> None:
    assert names_a_site(heading) is named


def test_no_command_to_a_terminal_is_left_in_a_text_or_title() -> None:
    # U+009B begins such commands as ESC [ does; U+0085 ends a line.
    said = "商标\x9b31m案\x1b[2J结\x85果\x7f"
    assert tidy(said).replace("\x85", "") == "商标31m案[2J结果"
    assert folded(said) == "商标31m案[2J结 果"
