"""Orders and saved searches over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine

from crawlers.notice import PrintedDate
from pipeline.store.saved_searches import save_search
from pipeline.store.write import write_records
from tests.api.conftest import Ask
from tests.api.test_items import numbers, pages
from tests.notices import make_record


@pytest.fixture
def filled(store: Engine) -> Engine:
    """Six items, the newest last; the middle ones say most often what is asked for."""
    write_records(
        store,
        [
            make_record(
                number,
                title=f"通知第{number}号",
                body="商标。" * often + "其他。" * 5,
                dates=(PrintedDate(f"2026-11-{10 + number}", "list entry"),),
            )
            for number, often in enumerate([1, 2, 5, 4, 3, 0], start=1)
        ],
    )
    save_search(store, "商标 大案", "商标 -第1号", now=datetime(2026, 11, 28, tzinfo=UTC))
    return store


@pytest.mark.parametrize(
    ("order", "expected"),
    [("newest", [5, 4, 3, 2, 1]), ("relevance", [3, 4, 5, 2, 1]), ("story", [5, 4, 3, 2, 1])],
)
def test_pages_in_every_order_hold_everything_once(
    filled: Engine, ask: Ask, order: str, expected: list[int]
) -> None:
    answered = list(pages(ask(), "/api/v1/items", q="商标", order=order, limit=2))
    assert [number for page in answered for number in numbers(page["items"])] == expected
    assert {page["total"] for page in answered} == {5}
    assert answered[0]["items"][0]["highlights"]["excerpt"][0] == [0, 2]


def test_a_cursor_of_one_order_is_none_of_another(filled: Engine, ask: Ask) -> None:
    client = ask()
    cursor = client.get("/api/v1/items", params={"limit": 1}).json()["next"]
    asked = {"limit": 1, "order": "relevance", "cursor": cursor}
    assert client.get("/api/v1/items", params=asked).status_code == 422


def test_a_saved_search_is_read_run_narrowed_and_subscribed_to(filled: Engine, ask: Ask) -> None:
    client = ask()
    kept = {"name": "商标 大案", "expression": "商标 -第1号", "saved_at": "2026-11-28T00:00:00+00:00"}
    shown = client.get("/api/v1/searches").json()["searches"]
    assert [{**one, "saved_at": datetime.fromisoformat(one["saved_at"]).isoformat()} for one in shown] == [
        kept
    ]
    assert client.get("/api/v1/searches/商标 大案").json() == shown[0]
    assert client.get("/api/v1/searches/none").status_code == 404
    found = client.get("/api/v1/items", params={"saved": "商标 大案"}).json()
    assert numbers(found["items"]) == [5, 4, 3, 2]
    narrowed = client.get("/api/v1/items", params={"saved": "商标 大案", "q": "第2号 OR 第1号"}).json()
    assert numbers(narrowed["items"]) == [2]
    assert client.get("/api/v1/items", params={"saved": "none"}).status_code == 422
    (feed,) = client.get("/api/v1/feeds").json()["saved"]
    assert feed["saved"] == "商标 大案"
    atom = ElementTree.fromstring(client.get(feed["atom"]).content)
    assert len(atom.findall("{http://www.w3.org/2005/Atom}entry")) == 4
