"""The album reader on both forms of an album, whole and broken."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.notice import ListPage, PrintedDate
from crawlers.page import Page
from crawlers.readers import album

Load = Callable[[str], Page]


@pytest.fixture
def load(samples: Path) -> Load:
    def load_case(case: str) -> Page:
        folder = samples / "wechat" / case
        stated = json.loads((folder / "page.json").read_text(encoding="utf-8"))
        body = next(folder / f"page.{kind}" for kind in ("html", "txt") if (folder / f"page.{kind}").exists())
        return Page(stated["url"], body.read_bytes(), datetime.fromisoformat(stated["fetched"]))

    return load_case


def edited(page: Page, edit: Callable[[dict[str, Any]], object]) -> Page:
    answer = json.loads(page.body)
    edit(answer)
    return replace(page, body=json.dumps(answer).encode())


def changed(page: Page, old: str, new: str) -> Page:
    assert old.encode() in page.body, f"nothing to change: {old}"
    return replace(page, body=page.body.replace(old.encode(), new.encode()))


@pytest.mark.parametrize("case", ["album_json", "album_json_single", "album_json_end", "album_page"])
def test_an_album_is_recognised_by_its_url_and_without_it(load: Load, case: str) -> None:
    page = load(case)
    assert album.recognises(page)
    assert album.recognises(replace(page, url=""))
    assert album.kind_of(page) == "list"


@pytest.mark.parametrize(
    "url", ["https://mp.weixin.qq.com/s/Ip0watch0Example0Short", "https://example.com/mp/appmsgalbum"]
)
def test_another_path_or_host_is_not_recognised(load: Load, url: str) -> None:
    assert not album.recognises(replace(load("album_json"), url=url))


def test_an_album_has_no_articles(load: Load) -> None:
    with pytest.raises(LayoutChanged, match="lists only"):
        album.read_article(load("album_json"))


def test_an_entry_has_title_https_url_date_and_identity(load: Load) -> None:
    listed = album.read_list(load("album_json"))
    assert [entry.position for entry in listed.entries] == [0, 1, 2, 3, 4, 5]
    entry = listed.entries[1]
    assert entry.title == "一图读懂：储能电池技术秘密案判赔1.2亿元"
    assert entry.url.startswith("https://mp.weixin.qq.com/s?__biz=MzkwMDAwMDAwMQ==&mid=2650000102&idx=1&sn=")
    assert entry.url.endswith("#rd")
    assert entry.date == PrintedDate("1794974400", "list entry", form="unix")
    assert entry.identity == "wechat:MzkwMDAwMDAwMQ==/2650000102/1"


def test_the_next_page_starts_behind_the_last_item(load: Load) -> None:
    assert album.read_list(load("album_json")).next_url == load("album_json_single").url


def test_a_last_page_has_no_next_page(load: Load) -> None:
    assert album.read_list(load("album_json_single")).next_url is None


def test_without_its_url_a_page_has_no_next_page(load: Load) -> None:
    assert album.read_list(replace(load("album_json"), url="")).next_url is None


def test_the_next_page_of_an_html_page_is_json(load: Load) -> None:
    listed = album.read_list(
        changed(load("album_page"), "continue_flag: '0' * 1,\n    rev", "continue_flag: '1' * 1,\n    rev")
    )
    assert listed.next_url == (
        "https://mp.weixin.qq.com/mp/appmsgalbum?__biz=MzkwMDAwMDAwMQ==&action=getalbum"
        "&album_id=2900000000000000003&count=20&begin_msgid=2650000095&begin_itemidx=1&f=json"
    )


def test_one_item_that_is_no_list_is_a_list_of_one(load: Load) -> None:
    page = load("album_json_single")
    assert isinstance(json.loads(page.body)["getalbum_resp"]["article_list"], dict)
    assert [entry.identity for entry in album.read_list(page).entries] == [
        "wechat:MzkwMDAwMDAwMQ==/2650000096/1"
    ]


def test_past_the_end_the_list_is_empty(load: Load) -> None:
    assert album.read_list(load("album_json_end")) == ListPage(())


def test_a_first_screen_without_articles_is_a_change(load: Load) -> None:
    page = edited(load("album_json"), lambda answer: answer["getalbum_resp"].pop("article_list"))
    with pytest.raises(LayoutChanged, match="article_list"):
        album.read_list(page)


def test_an_html_page_reads_like_json(load: Load) -> None:
    listed = album.read_list(load("album_page"))
    assert [entry.identity for entry in listed.entries] == [
        "wechat:MzkwMDAwMDAwMQ==/2650000096/1",
        "wechat:MzkwMDAwMDAwMQ==/2650000095/1",
    ]
    assert listed.entries[0] == album.read_list(load("album_json_single")).entries[0]
    assert listed.total == 2


def test_an_item_without_ids_has_no_identity(load: Load) -> None:
    page = edited(
        load("album_json_single"), lambda answer: answer["getalbum_resp"]["article_list"].pop("msgid")
    )
    assert album.read_list(page).entries[0].identity is None


def test_an_item_without_a_time_has_no_date(load: Load) -> None:
    page = edited(
        load("album_json_single"), lambda answer: answer["getalbum_resp"]["article_list"].pop("create_time")
    )
    assert album.read_list(page).entries[0].date is None


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "https://example.com/s?__biz=x", "http:///s"])
def test_a_bad_item_is_skipped_with_a_warning(load: Load, caplog: pytest.LogCaptureFixture, url: str) -> None:
    page = edited(
        load("album_json"), lambda answer: answer["getalbum_resp"]["article_list"][2].update(url=url)
    )
    with caplog.at_level(logging.WARNING):
        listed = album.read_list(page)
    assert [entry.position for entry in listed.entries] == [0, 1, 3, 4, 5]
    assert "Item 2" in caplog.text


def test_a_list_of_bad_items_only_is_a_change(load: Load) -> None:
    with pytest.raises(LayoutChanged, match="6 items"):
        album.read_list(changed(load("album_json"), '"title"', '"headline"'))


def test_a_frequency_limit_is_blocked(load: Load) -> None:
    for read in (album.kind_of, album.read_list):
        with pytest.raises(Blocked) as caught:
            read(load("frequency"))
        assert caught.value.reason == "frequency"


def test_a_login_is_blocked(load: Load) -> None:
    with pytest.raises(Blocked) as caught:
        album.read_list(changed(load("frequency"), "200013", "200003"))
    assert caught.value.reason == "login"


def test_a_challenge_in_place_of_an_album_is_blocked(load: Load) -> None:
    with pytest.raises(Blocked) as caught:
        album.read_list(replace(load("verification"), url=load("album_json").url))
    assert caught.value.reason == "verification"


def test_a_tombstone_in_place_of_an_album_is_gone(load: Load) -> None:
    with pytest.raises(Gone):
        album.kind_of(replace(load("deleted_zh"), url=load("album_page").url))


@pytest.mark.parametrize(
    ("case", "old", "new"),
    [
        ("album_json", '"ret": 0', '"ret": 42'),
        ("album_json", '"getalbum_resp"', '"getalbum"'),
        ("album_json", '"article_list": [', '"article_list": ['[:-1] + '[[]], "other": ['),
        ("album_json", '"continue_flag": "1"', '"continue_flag": "maybe"'),
        ("album_json", '"msgid": "2650000106"', '"msgid": ""'),
        ("album_page", "window.cgiData = {", "window.cgiDataOld = {"),
        ("album_page", "articleList: [", "articles: ["),
        ("album_page", "albumId: '2900000000000000003',", "albumId: '2900000000000000003,"),
    ],
)
def test_an_album_of_another_shape_is_refused(load: Load, case: str, old: str, new: str) -> None:
    with pytest.raises(LayoutChanged):
        album.read_list(changed(load(case), old, new))


def test_json_that_is_cut_off_is_refused(load: Load) -> None:
    page = load("album_json")
    with pytest.raises(LayoutChanged, match="broken JSON"):
        album.read_list(replace(page, body=page.body[:1000]))


def test_every_listed_article_but_one_is_recorded(load: Load, samples: Path) -> None:
    recorded = {
        json.loads(stated.read_text(encoding="utf-8"))["url"]
        for stated in (samples / "wechat").glob("*/page.json")
    }
    listed = {entry.url.removesuffix("#rd") for entry in album.read_list(load("album_json")).entries}
    assert {url.split("mid=")[1][:10] for url in listed - recorded} == {"2650000105"}
