"""The table at the head of a government document."""

from __future__ import annotations

import pytest

from crawlers.notice import PrintedDate
from crawlers.readers.document_table import put_before, read_cells, read_dates


@pytest.mark.parametrize(
    "label", ["发文字号：", "发文字号:", "发 文 字 号：", "发文　字号", "  发文字号 ： "]
)
def test_a_label_is_known_however_it_is_spread(label: str) -> None:
    assert read_cells([label, "国令第853号"]) == {"发文字号": "国令第853号"}


def test_a_label_without_value_is_left_out() -> None:
    cells = ["主题词：", "", "发文字号：", "发布日期：", "2026年11月18日"]
    assert read_cells(cells) == {"发布日期": "2026年11月18日"}


def test_a_cell_behind_no_label_belongs_to_nothing() -> None:
    assert read_cells(["收藏", "发文机关：", "国务院", "打印"]) == {"发文机关": "国务院"}


def test_of_two_copies_the_first_counts() -> None:
    assert read_cells(["文号：", "1号", "文号：", "2号"]) == {"文号": "1号"}


def test_issued_and_published_are_different_dates() -> None:
    dates = read_dates({"成文日期": "2026年11月06日", "发布日期": "2026年11月18日"})
    assert dates == (
        PrintedDate("2026年11月18日", "labelled text 发布日期"),
        PrintedDate("2026年11月06日", "labelled text 成文日期", "issued"),
    )


def test_a_value_that_is_no_date_gives_no_date() -> None:
    assert read_dates({"成文日期": "另行公布", "发布日期": "11月"}) == ()


def test_only_rows_that_the_text_lacks_are_put_before_it() -> None:
    table = {"发文机关": "国务院", "发文字号": "国令第853号"}
    assert (
        put_before(table, "发文字号：\t国令第853号\n正文")
        == "发文机关：国务院\n发文字号：\t国令第853号\n正文"
    )


def test_putting_the_rows_before_twice_changes_nothing() -> None:
    table = {"索引号": "000014349/2026-00088", "发文字号": "国令第853号"}
    once = put_before(table, "正文")
    assert put_before(table, once) == once == "索引号：000014349/2026-00088\n发文字号：国令第853号\n正文"


def test_a_table_over_an_empty_body_leaves_no_empty_line() -> None:
    assert put_before({"文号": "1号"}, "") == "文号：1号"
