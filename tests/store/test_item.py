"""What is known of an item, in full and with its origin."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import Engine, select

from pipeline.store.corrections import correct_published
from pipeline.store.lookup import NoSuchItem
from pipeline.store.tables import Item
from pipeline.store.write import Match, write_records
from query.item import describe_item
from tests.notices import make_record


@pytest.fixture
def uid(store: Engine) -> str:
    """The id of an item with two versions and an alert for each."""
    first = make_record(7)
    edited = make_record(7, body=first.body.replace("赔偿7万元", "赔偿9万元"))
    for record in (first, edited):
        write_records(store, [record], lambda _record, _event: [Match("all", "mail", "anna@example.org")])
    with store.connect() as connection:
        return str(connection.scalar(select(Item.uid)))


def test_everything_stored_of_an_item_is_shown(store: Engine, uid: str) -> None:
    shown = describe_item(store, uid)
    assert json.loads(json.dumps(shown)) == shown
    assert [version["number"] for version in shown["versions"]] == [1, 2]
    assert [delivery["event"] for delivery in shown["deliveries"]] == ["new", "version 2"]
    assert shown["addresses"] == ["court.gov.cn:7"]
    assert {snapshot["sha256"] for snapshot in shown["snapshots"]} == {
        shown["versions"][0]["snapshot_sha256"]
    }


def test_a_version_says_what_it_changed(store: Engine, uid: str) -> None:
    first, second = describe_item(store, uid)["versions"]
    assert first["changes"] == []
    (change,) = second["changes"]
    assert (change["field"], change["removed"], change["added"]) == ("body", "7", "9")
    assert "赔偿[-7-]{+9+}万元" in change["shown"]


def test_every_column_of_an_item_is_a_field_with_an_origin(store: Engine, uid: str) -> None:
    shown = describe_item(store, uid)
    fields = {field["field"] for field in shown["fields"]}
    dated = {f"published_{part}" for part in shown["published"]}
    elsewhere = {"id", "uid", "dates", "dates_disagree", "sort_key", "reader", "same_as"}
    assert {column.name for column in Item.__table__.columns} <= fields | dated | elsewhere
    assert all(field["place"] and field["method"] for field in shown["fields"])
    (published,) = [field for field in shown["fields"] if field["field"] == "published_at"]
    assert (published["raw"], published["place"]) == ("2026-11-19 10:00:00", "labelled text")


def test_a_fact_comes_with_the_sentence_that_says_so(store: Engine, uid: str) -> None:
    (amount,) = [fact for fact in describe_item(store, uid)["facts"] if fact["kind"] == "amount"]
    assert amount["reading"] == "90000 CNY"
    assert amount["sentence"] == "这是第7号通知的正文，涉及侵害商标权纠纷，赔偿9万元。"


def test_a_correction_is_shown_beside_what_the_machine_read(store: Engine, uid: str) -> None:
    correct_published(store, uid, date(2026, 11, 18), author="Anna", reason="board")
    shown = describe_item(store, uid)
    assert (shown["published"]["on"], shown["published"]["method"]) == ("2026-11-18", "correction")
    assert [candidate["raw"] for candidate in shown["candidates"]] == ["2026-11-19 10:00:00"]
    assert [(row["author"], row["reason"]) for row in shown["corrections"]] == [("Anna", "board")]


def test_an_item_is_shown_by_its_url_and_an_unknown_one_is_refused(store: Engine, uid: str) -> None:
    assert describe_item(store, "https://www.court.gov.cn/fabu/xiangqing/7.html")["uid"] == uid
    with pytest.raises(NoSuchItem):
        describe_item(store, "https://www.court.gov.cn/fabu/xiangqing/8.html")
