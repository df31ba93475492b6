"""The backend's answers in envelopes made here, and the real items that go into them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawlers.errors import Blocked, LayoutChanged
from crawlers.notice import Account, ListPage, PrintedDate
from crawlers.page import Page
from crawlers.readers import wechat_backend

Recorded = Callable[[str], Page]
FETCHED = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
URL = "https://mp.weixin.qq.com/cgi-bin/appmsgpublish?begin=0&count=5&fakeid=MzkwMDAwMDAwMQ==&token=77&f=json"


def sent(*items: Any, time: int = 1794996005) -> dict[str, str]:
    return {"publish_info": json.dumps({"sent_info": {"time": time}, "appmsgex": list(items)})}


def published(*sendings: Any, total: int = 1) -> Page:
    inner = json.dumps({"total_count": total, "publish_list": list(sendings)})
    answer = {"base_resp": {"ret": 0, "err_msg": "ok"}, "publish_page": inner}
    return Page(URL, json.dumps(answer).encode(), FETCHED)


def item(**fields: Any) -> dict[str, Any]:
    usual = {"title": "植物新品种权案例", "link": "https://mp.weixin.qq.com/s/Ip1watch0Bk00000000001"}
    return usual | {"appmsgid": 2650000500, "itemidx": 1, "update_time": 1794990000} | fields


def changed(page: Page, old: str, new: str) -> Page:
    assert old.encode() in page.body, f"nothing to change: {old}"
    return replace(page, body=page.body.replace(old.encode(), new.encode()))


@pytest.mark.parametrize("case", ["publish_list", "app_msg_list", "search_accounts"])
def test_an_answer_is_recognised_by_its_url_and_without_it(recorded: Recorded, case: str) -> None:
    page = recorded(f"wechat_backend/{case}")
    assert wechat_backend.recognises(page)
    assert wechat_backend.recognises(replace(page, url=""))


@pytest.mark.parametrize("case", ["wechat/album_json", "wechat/frequency", "feed/we_mp_rss_export"])
def test_another_answer_about_wechat_is_not_recognised(recorded: Recorded, case: str) -> None:
    assert not wechat_backend.recognises(recorded(case))
    assert not wechat_backend.recognises(replace(recorded(case), url=""))


def test_the_articles_of_all_sendings_are_listed_in_their_order(recorded: Recorded) -> None:
    page = recorded("wechat_backend/publish_list")
    assert wechat_backend.kind_of(page) == "list"
    entries = wechat_backend.read_list(page).entries
    assert [entry.position for entry in entries] == [0, 1, 2]
    assert [entry.title for entry in entries] == [
        "北湖法院发布数据权益典型案例",
        '一审宣判："晴川"仿冒混淆案',
        "专利链接制度第一案回顾",
    ]


def test_a_deleted_article_is_left_out(recorded: Recorded) -> None:
    page = recorded("wechat_backend/publish_list")
    assert "已删除的一篇" in page.text
    assert "已删除的一篇" not in [entry.title for entry in wechat_backend.read_list(page).entries]


def test_an_entry_bears_the_time_of_its_sending(recorded: Recorded) -> None:
    entry = wechat_backend.read_list(recorded("wechat_backend/publish_list")).entries[0]
    assert entry.date == PrintedDate("1794996005", "list entry", form="unix")


@pytest.mark.parametrize(("created", "expected"), [(1794991111, "1794991111"), (0, "1794990000")])
def test_without_a_sending_the_time_is_that_of_the_item(created: int, expected: str) -> None:
    entry = wechat_backend.read_list(published(sent(item(create_time=created), time=0))).entries[0]
    assert entry.date == PrintedDate(expected, "list entry", form="unix")


def test_an_item_without_any_time_has_no_date() -> None:
    entry = wechat_backend.read_list(published(sent(item(update_time=0), time=0))).entries[0]
    assert entry.date is None


def test_a_long_link_states_the_identity(recorded: Recorded) -> None:
    entry = wechat_backend.read_list(recorded("wechat_backend/publish_list")).entries[1]
    assert entry.url.startswith("https://mp.weixin.qq.com/s?__biz=MzkwMDAwMDAwMQ==&mid=2650000410&idx=2&sn=")
    assert entry.identity == "wechat:MzkwMDAwMDAwMQ==/2650000410/2"


def test_with_a_short_link_the_asked_account_and_the_ids_are_the_identity(recorded: Recorded) -> None:
    page = recorded("wechat_backend/publish_list")
    assert wechat_backend.read_list(page).entries[0].identity == "wechat:MzkwMDAwMDAwMQ==/2650000410/1"
    assert wechat_backend.read_list(replace(page, url="")).entries[0].identity is None


def test_a_sending_that_was_withdrawn_is_an_empty_string() -> None:
    listed = wechat_backend.read_list(published({"publish_info": ""}, sent(item()), total=2))
    assert len(listed.entries) == 1


def test_the_next_page_begins_behind_the_sendings_that_were_shown(recorded: Recorded) -> None:
    listed = wechat_backend.read_list(recorded("wechat_backend/publish_list"))
    assert listed.next_url == recorded("wechat_backend/publish_list_end").url


def test_the_last_page_has_no_next_page(recorded: Recorded) -> None:
    assert wechat_backend.read_list(recorded("wechat_backend/publish_list_end")).next_url is None


def test_the_older_service_is_read_alike(recorded: Recorded) -> None:
    (entry,) = wechat_backend.read_list(recorded("wechat_backend/app_msg_list")).entries
    assert entry.title == "地理标志保护工程启动"
    assert entry.date == PrintedDate("1794800000", "list entry", form="unix")
    assert entry.identity == "wechat:MzkwMDAwMDAwMg==/2247480001/1"


def test_an_account_without_articles_is_an_empty_list(recorded: Recorded) -> None:
    assert wechat_backend.read_list(recorded("wechat_backend/empty")) == ListPage(())


def test_a_search_gives_accounts_and_no_articles(recorded: Recorded) -> None:
    page = recorded("wechat_backend/search_accounts")
    assert wechat_backend.kind_of(page) == "account"
    first, second = wechat_backend.read_accounts(page)
    assert (first.name, first.account_id, first.description) == (
        "知产观察示例",
        "MzkwMDAwMDAwMQ==",
        "商标、专利与商业秘密",
    )
    assert (second.name, second.description) == ("知产<示例>研究", None)
    with pytest.raises(LayoutChanged, match="list of accounts"):
        wechat_backend.read_list(page)


def test_a_list_of_articles_gives_no_accounts(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="looked for a list of accounts"):
        wechat_backend.read_accounts(recorded("wechat_backend/publish_list"))


def test_an_account_without_its_id_is_refused(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="fakeid"):
        wechat_backend.read_accounts(changed(recorded("wechat_backend/search_accounts"), '"fakeid"', '"id"'))


@pytest.mark.parametrize(
    ("case", "reason"), [("blocked", "frequency"), ("session_expired", "login"), ("login_page", "login")]
)
def test_a_refusal_is_blocked_with_its_reason(recorded: Recorded, case: str, reason: str) -> None:
    for read in (wechat_backend.kind_of, wechat_backend.read_list, wechat_backend.read_accounts):
        with pytest.raises(Blocked) as caught:
            read(recorded(f"wechat_backend/{case}"))
        assert caught.value.reason == reason


def test_a_token_of_another_session_is_a_login(recorded: Recorded) -> None:
    page = changed(recorded("wechat_backend/blocked"), "freq control", "invalid csrf token")
    with pytest.raises(Blocked) as caught:
        wechat_backend.read_list(changed(page, "200013", "200040"))
    assert caught.value.reason == "login"


def test_an_account_that_does_not_exist_is_a_change_that_says_so(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="fakeid is wrong"):
        wechat_backend.read_list(recorded("wechat_backend/invalid_arguments"))


def test_a_challenge_in_place_of_an_answer_is_blocked(recorded: Recorded) -> None:
    page = replace(recorded("wechat/verification"), url=URL)
    with pytest.raises(Blocked) as caught:
        wechat_backend.read_list(page)
    assert caught.value.reason == "verification"


@pytest.mark.parametrize("case", ["blocked", "session_expired", "login_page", "invalid_arguments"])
def test_a_refusal_never_shows_the_token(recorded: Recorded, case: str) -> None:
    page = recorded(f"wechat_backend/{case}")
    assert "token=1000000001" in page.url
    with pytest.raises((Blocked, LayoutChanged)) as caught:
        wechat_backend.read_list(page)
    assert "1000000001" not in str(caught.value) + caught.value.url


def test_another_envelope_is_a_change(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="NoneType as the list"):
        wechat_backend.read_list(recorded("wechat_backend/layout_changed"))


@pytest.mark.parametrize(
    "sending",
    [{"publish_info": "{"}, {"publish_info": "[]"}, {"publish_info": "{}"}, {}, "sending", 5],
)
def test_a_sending_of_another_shape_is_refused(sending: Any) -> None:
    with pytest.raises(LayoutChanged):
        wechat_backend.read_list(published(sending))


@pytest.mark.parametrize(
    "bad",
    [
        item(title=" "),
        item(link="https://example.com/s/1"),
        item(link="javascript:alert(1)"),
        item(link=None),
        "item",
    ],
)
def test_a_bad_item_is_skipped_with_a_warning(bad: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        listed = wechat_backend.read_list(published(sent(bad, item())))
    assert [entry.position for entry in listed.entries] == [1]
    assert "Item 0" in caplog.text
    assert "token" not in caplog.text


def test_a_list_of_bad_items_only_is_a_change() -> None:
    with pytest.raises(LayoutChanged, match="2 items"):
        wechat_backend.read_list(published(sent(item(title=""), item(link=""))))


def test_the_backend_has_no_articles(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="lists only"):
        wechat_backend.read_article(recorded("wechat_backend/publish_list"))


def test_real_items_are_read(captures: Path) -> None:
    items = json.loads((captures / "wechat" / "backend_appmsgex_articles_sample.json").read_bytes())[
        "articles"
    ]
    entries = wechat_backend.read_list(published(sent(*items, time=0))).entries
    assert [(entry.title, entry.url) for entry in entries] == [(one["title"], one["link"]) for one in items]
    assert [entry.date.raw for entry in entries if entry.date] == [str(one["create_time"]) for one in items]
    assert [entry.identity for entry in entries] == [
        f"wechat:MzkwMDAwMDAwMQ==/{one['aid'].replace('_', '/')}" for one in items
    ]


def test_a_real_search_is_read(captures: Path) -> None:
    body = (captures / "wechat" / "backend_searchbiz_sample.json").read_bytes()
    stated = json.loads(body)["list"]
    assert wechat_backend.read_accounts(Page("", body, FETCHED)) == tuple(
        Account("wechat_backend", "", one["nickname"], one["fakeid"], one["signature"].strip() or None)
        for one in stated
    )
