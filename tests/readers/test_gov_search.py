"""sousuo.www.gov.cn: search results."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.inspection import describe_page
from crawlers.notice import PrintedDate
from crawlers.page import Page
from crawlers.readers import gov_search
from pipeline.dates import choose

Recorded = Callable[[str], Page]
FETCHED = datetime(2026, 11, 20, 9, tzinfo=UTC)
SEARCH = "https://sousuo.www.gov.cn/search-gov/data?t=zhengcelibrary_gw&q=%E4%B8%93%E5%88%A9"


def hit(**other: object) -> dict[str, object]:
    return {
        "title": "<em>专利</em>文件",
        "url": "https://www.gov.cn/zhengce/content/202611/content_1.htm",
        "pubtimeStr": "2026.11.18",
        "pubtime": 1794000000000,
        "ptime": 1793000000000,
    } | other


def answer(*hits: object, total: int = 41, pages: int = 3, url: str = f"{SEARCH}&p=1&n=20") -> Page:
    found = {"listVO": hits, "totalCount": total, "totalpage": pages}
    return Page(url, json.dumps({"code": 200, "searchVO": found}).encode(), FETCHED)


@pytest.fixture
def captured(captures: Path) -> Page:
    return Page(
        f"{SEARCH}&p=1&n=10",
        (captures / "gov" / "sousuo_gov_cn_search_data_shujuanquan.json").read_bytes(),
        FETCHED,
    )


def test_real_results_are_read_once_each(captured: Page) -> None:
    listed = gov_search.read_list(captured)
    assert (len(listed.entries), listed.total) == (10, 2152)
    assert listed.next_url == f"{SEARCH}&p=2&n=10"
    assert not any("<" in entry.title for entry in listed.entries)
    assert listed.entries[2].title == "国务院办公厅关于进一步加强烟花爆竹全链条安全监管的意见"
    assert listed.entries[1].identity == "gov.cn:7082493"
    assert listed.entries[1].date == PrintedDate("2026.09.30", "list entry")


def test_a_real_hit_without_publication_has_the_day_it_was_signed_and_no_other(captured: Page) -> None:
    printed = gov_search.read_list(captured).entries[0].date
    assert printed == PrintedDate("1706284800000", "list entry ptime", "issued", "unix-day")
    assert choose([printed], FETCHED).best is None
    issued = choose([printed], FETCHED, "issued").best
    assert issued
    assert (issued.value, issued.precision) == (date(2024, 1, 27), "day")


def test_a_hit_that_was_only_signed_is_shown_with_that_day_as_issued() -> None:
    listed = answer(hit(pubtimeStr=None, pubtime=0, ptime=1793030400000))
    shown = describe_page(listed)["entries"][0]["date"]
    assert (shown["value"], shown["meaning"], shown["raw"]) == ("2026-10-27", "issued", "1793030400000")


def test_a_real_answer_without_url_is_known_by_its_key(captured: Page) -> None:
    assert gov_search.recognises(replace(captured, url=""))
    assert gov_search.kind_of(replace(captured, url="")) == "list"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, PrintedDate("2026.11.18", "list entry")),
        ({"pubtimeStr": None}, PrintedDate("1794000000000", "list entry pubtime", form="unix")),
        (
            {"pubtimeStr": "", "pubtime": 0},
            PrintedDate("1793000000000", "list entry ptime", "issued", "unix-day"),
        ),
        ({"pubtimeStr": None, "pubtime": 0, "ptime": 0}, None),
        ({"pubtimeStr": None, "pubtime": "x", "ptime": None}, None),
        ({"pubtimeStr": None, "pubtime": True, "ptime": 1.5}, None),
    ],
)
def test_the_best_date_that_a_hit_states_is_taken(
    fields: dict[str, object], expected: PrintedDate | None
) -> None:
    dated = hit(url="https://www.gov.cn/zhengce/content/202611/content_2.htm")
    assert gov_search.read_list(answer(hit(**fields), dated)).entries[0].date == expected


@pytest.mark.parametrize(
    ("query", "next_query"),
    [("p=1&n=20", "p=2&n=20"), ("p=3&n=20", None), ("n=20", None), ("p=x&n=20", None)],
)
def test_the_next_page_follows_until_the_last(query: str, next_query: str | None) -> None:
    next_url = gov_search.read_list(answer(hit(), url=f"{SEARCH}&{query}")).next_url
    assert next_url == (next_query and f"{SEARCH}&{next_query}")


def test_a_search_without_hits_is_an_empty_list(recorded: Recorded) -> None:
    listed = gov_search.read_list(recorded("gov_search/no_hits"))
    assert (listed.entries, listed.total, listed.next_url) == ((), 0, None)


def test_a_list_that_is_empty_though_hits_are_counted_is_refused() -> None:
    with pytest.raises(LayoutChanged, match="0 hits of 41"):
        gov_search.read_list(answer())


@pytest.mark.parametrize("bad", [None, "x", {}, {"title": "", "url": "/a"}, {"title": "题", "url": "#"}])
def test_one_bad_hit_is_skipped_with_a_warning(bad: object, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        listed = gov_search.read_list(answer(bad, hit()))
    assert [entry.position for entry in listed.entries] == [1]
    assert "Skipped hit 1" in caplog.text


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        {},
        {"listVO": None, "totalCount": 0, "totalpage": 0},
        {"listVO": [], "totalCount": "0", "totalpage": 0},
        {"listVO": [{}], "totalCount": 1, "totalpage": 1},
    ],
)
def test_an_answer_of_another_shape_is_refused(found: Any) -> None:
    page = Page(SEARCH, json.dumps({"code": 200, "searchVO": found}).encode(), FETCHED)
    with pytest.raises(LayoutChanged):
        gov_search.read_list(page)


@pytest.mark.parametrize("body", ["", "[]", "null", "<html></html>", '{"searchVO": '])
def test_what_is_no_answer_is_refused(body: str) -> None:
    with pytest.raises(LayoutChanged, match="searchVO"):
        gov_search.read_list(Page(SEARCH, body.encode(), FETCHED))


def test_a_search_is_no_article(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="an article"):
        gov_search.read_article(recorded("gov_search/hits_zhuanli"))


def test_pages_that_are_no_content_are_refused_before_reading(recorded: Recorded) -> None:
    for case, error in (("blocked_challenge", Blocked), ("not_found", Gone)):
        page = recorded(f"gov_search/{case}")
        for read in (gov_search.kind_of, gov_search.read_list, gov_search.read_article):
            with pytest.raises(error):
                read(page)
    with pytest.raises(LayoutChanged):
        gov_search.read_list(recorded("gov_search/layout_changed"))
    with pytest.raises(LayoutChanged, match="服务繁忙"):
        gov_search.read_list(recorded("gov_search/failed"))
