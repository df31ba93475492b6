"""Feeds: ids that never change, dates as precise as printed, and texts that stay texts."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from crawlers.notice import PrintedDate
from pipeline.store.outbox_rows import Match
from pipeline.store.write import write_records
from query.feeds import FORMATS, Entry, Feed, write_atom, write_json, write_rss
from query.search import search_items
from tests.api.conftest import Ask
from tests.notices import FETCHED, make_record

ATOM = "{http://www.w3.org/2005/Atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
TIMED, DAY = PrintedDate("2026-11-19 10:00:00", "x"), PrintedDate("2026-11-18", "x")


def entries(root: ElementTree.Element) -> list[ElementTree.Element]:
    return root.findall(f"{ATOM}entry")


def test_a_day_stays_a_day_in_every_format(store: Engine, ask: Ask) -> None:
    write_records(
        store, [make_record(1, dates=(DAY,)), make_record(2, dates=(TIMED,)), make_record(3, dates=())]
    )
    client = ask()
    atom = {
        entry.findtext(f"{ATOM}title"): entry
        for entry in entries(ElementTree.fromstring(client.get("/feeds/search.atom").content))
    }
    day, timed, undated = (atom[f"关于商标案件的通知（第{number}号）"] for number in (1, 2, 3))
    assert [entry.findtext(f"{ATOM}published") for entry in (day, timed, undated)] == [
        None,
        "2026-11-19T02:00:00Z",
        None,
    ]
    assert [entry.findtext(f"{DC}date") for entry in (day, timed, undated)] == [
        "2026-11-18",
        "2026-11-19T02:00:00+00:00",
        None,
    ]
    rss = ElementTree.fromstring(client.get("/feeds/search.rss").content)
    dated = {item.findtext("title"): item.findtext("pubDate") for item in rss.iter("item")}
    assert [text for text in dated.values() if text] == ["Thu, 19 Nov 2026 02:00:00 +0000"]
    items = client.get("/feeds/search.json").json()["items"]
    assert {item["_iprwatch"]["published"] for item in items} == {
        "2026-11-18",
        "2026-11-19T02:00:00+00:00",
        None,
    }
    assert [item["date_published"] for item in items if "date_published" in item] == ["2026-11-19T02:00:00Z"]


def test_an_edit_keeps_the_id_and_moves_the_time_of_the_update(store: Engine, ask: Ask) -> None:
    first = make_record(1)
    write_records(store, [first])
    client = ask()
    (before,) = entries(ElementTree.fromstring(client.get("/feeds/search.atom").content))
    later = FETCHED + timedelta(days=1)
    write_records(store, [make_record(1, body=first.body + "更正。", fetched_at=later)])
    (after,) = entries(ElementTree.fromstring(client.get("/feeds/search.atom").content))
    assert before.findtext(f"{ATOM}id") == after.findtext(f"{ATOM}id")
    assert [entry.findtext(f"{ATOM}updated") for entry in (before, after)] == [
        "2026-11-20T01:00:00Z",
        "2026-11-21T01:00:00Z",
    ]


def test_an_entry_has_one_id_in_every_feed_and_format(store: Engine, ask: Ask) -> None:
    write_records(store, [make_record(1)], lambda _record, _event: [Match("all", "mail", "a@example.org")])
    client = ask()
    uid = search_items(store, []).hits[0].uid
    for path in ("search", "rule"):
        asked = {"name": "all"} if path == "rule" else {"q": "商标"}
        atom = ElementTree.fromstring(client.get(f"/feeds/{path}.atom", params=asked).content)
        rss = ElementTree.fromstring(client.get(f"/feeds/{path}.rss", params=asked).content)
        ids = {
            entries(atom)[0].findtext(f"{ATOM}id"),
            rss.findtext("channel/item/guid"),
            client.get(f"/feeds/{path}.json", params=asked).json()["items"][0]["id"],
        }
        (one,) = ids
        assert one is not None
        assert one.removeprefix("urn:uuid:").replace("-", "") == uid


def test_a_feed_says_the_same_when_nothing_has_changed(store: Engine, ask: Ask) -> None:
    client = ask()
    for path in ("search.atom", "search.rss", "search.json", "rule.atom?name=all"):
        empty = client.get(f"/feeds/{path}")
        again = client.get(f"/feeds/{path}", headers={"If-None-Match": empty.headers["etag"]})
        assert (empty.status_code, again.status_code) == (200, 304), path


def test_a_feed_of_a_search_has_its_filters_and_what_came_last(store: Engine, ask: Ask) -> None:
    old = PrintedDate("2020-01-01", "x")
    write_records(store, [make_record(1), make_record(2)])
    write_records(store, [make_record(3, dates=(old,))])
    client = ask()
    shown = client.get("/feeds/search.json", params={"limit": 1}).json()["items"]
    assert [item["title"] for item in shown] == ["关于商标案件的通知（第3号）"]
    found = client.get("/feeds/search.json", params={"q": "第2号", "ip_type": "trademark"}).json()["items"]
    assert [item["title"] for item in found] == ["关于商标案件的通知（第2号）"]
    assert client.get("/feeds/search.json", params={"ip_type": "nonsense"}).status_code == 422


def test_a_feed_of_a_rule_has_what_the_rule_told_and_no_recipient(store: Engine, ask: Ask) -> None:
    told = [Match("all", "mail", "anna@example.org"), Match("all", "mail", "bert@example.org")]
    write_records(
        store,
        [make_record(1), make_record(2)],
        lambda record, _event: told if "第1号" in record.title else [],
    )
    client = ask()
    answer = client.get("/feeds/rule.json", params={"name": "all"})
    assert [item["title"] for item in answer.json()["items"]] == ["关于商标案件的通知（第1号）"]
    assert "example.org" not in answer.text
    missing = client.get("/feeds/rule.json", params={"name": "none"})
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


def test_the_list_of_feeds_leads_to_feeds(store: Engine, ask: Ask) -> None:
    client = ask(rules=("a/b?c&d=商标",))
    listed = client.get("/api/v1/feeds").json()
    (rule,) = listed["rules"]
    for address in (*listed["search"].values(), *(rule[form] for form in FORMATS)):
        assert client.get(address).status_code == 200, address


def test_addresses_in_a_feed_are_those_that_its_readers_can_reach(store: Engine, ask: Ask) -> None:
    client = ask("feed", public_url="https://ipr.example.com")
    shown = client.get("/feeds/search.json", params={"q": "商标"}).json()["feed_url"]
    assert shown == "https://ipr.example.com/feeds/search.json?q=%E5%95%86%E6%A0%87"


def entry_of(**changes: Any) -> Entry:
    known: dict[str, Any] = {
        "uid": "0" * 32,
        "title": "通知",
        "url": "https://www.court.gov.cn/1.html",
        "publisher": "某院",
        "source": "court_spc_interpretations",
        "excerpt": "正文",
        "published_on": None,
        "published_at": None,
        "updated_at": datetime(2026, 11, 20, tzinfo=UTC),
    }
    return Entry(**{**known, **changes})


@given(text=st.text())
def test_any_text_makes_a_feed_that_can_be_read_and_comes_back_as_text(text: str) -> None:
    feed = Feed(text, text, "https://ipr.example.com/", [entry_of(title=text, excerpt=text, publisher=text)])
    (entry,) = entries(ElementTree.fromstring(write_atom(feed)))
    title = entry.find(f"{ATOM}title")
    assert title is not None
    assert (title.get("type"), len(list(title))) == ("text", 0)
    (item,) = ElementTree.fromstring(write_rss(feed)).iter("item")
    # What a reader takes for markup has none in it.
    assert html.unescape(item.findtext("description") or "") == (entry.findtext(f"{ATOM}summary") or "")
    assert "<" not in (item.findtext("description") or "")
    assert write_json(feed)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "inbox:", ""])
def test_a_link_that_does_not_lead_to_the_web_is_left_out(url: str) -> None:
    feed = Feed("a", "a", "https://ipr.example.com/", [entry_of(url=url)])
    for _, write in FORMATS.values():
        assert not url or url.encode() not in write(feed)


def test_the_times_of_rss_can_be_read(store: Engine, ask: Ask) -> None:
    write_records(store, [make_record(1)])
    rss = ElementTree.fromstring(ask().get("/feeds/search.rss").content)
    for name in ("channel/lastBuildDate", "channel/item/pubDate"):
        assert parsedate_to_datetime(rss.findtext(name) or "").tzinfo is not None
