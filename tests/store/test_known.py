"""One thing is one item, whatever came first and whoever stored it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update

from crawlers.notice import ListEntry
from pipeline.record import Record
from pipeline.store.tables import Address, Base, Item, Listed, Run, Version
from pipeline.store.write import write_records
from query.item import describe_item
from query.search import search_items
from tests.notices import make_record

LONG = "https://mp.weixin.qq.com/s?__biz=MzAxMDAwMDAwMA==&mid=2650000001&idx=1&sn=0123456789abcdef"
SHORT = "https://mp.weixin.qq.com/s/AbCdEfGhIj_0123456-xyz"
LONG_KEY, SHORT_KEY = "wechat:MzAxMDAwMDAwMA==/2650000001/1", "wechat-short:AbCdEfGhIj_0123456-xyz"


def by_long_link() -> Record:
    """A page reached by its long link."""
    return make_record(1, url=LONG, identity=LONG_KEY)


def by_short_link() -> Record:
    """A feed's own copy under its short link: nobody has seen the page."""
    return make_record(1, url=SHORT, identity=None)


def by_page() -> Record:
    """The page reached by the short link: it states whose it is."""
    return make_record(1, url=SHORT, identity=LONG_KEY)


def empty(store: Engine) -> None:
    with store.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in (Run.__tablename__, Listed.__tablename__):
                connection.execute(delete(table))


def shown(store: Engine) -> list[tuple[int, set[str]]]:
    """The items that stand for themselves, each with its addresses."""
    with store.connect() as connection:
        items = connection.scalars(select(Item.id).where(Item.same_as.is_(None)).order_by(Item.id)).all()
        return [
            (item, set(connection.scalars(select(Address.address).where(Address.item_id == item))))
            for item in items
        ]


def test_both_links_and_the_page_are_one_item_in_any_order(store: Engine) -> None:
    for order in permutations((by_long_link, by_short_link, by_page)):
        for record in order:
            write_records(store, [record()])
        ((_, addresses),) = shown(store)
        assert addresses == {LONG_KEY, SHORT_KEY}
        assert search_items(store, []).total == 1
        empty(store)


def test_both_links_and_the_page_in_one_batch_are_one_item(store: Engine) -> None:
    for order in permutations((by_long_link, by_short_link, by_page)):
        write_records(store, [record() for record in order])
        assert [addresses for _, addresses in shown(store)] == [{LONG_KEY, SHORT_KEY}]
        empty(store)


def test_the_item_that_was_stored_first_stands_for_the_other_which_is_kept(store: Engine) -> None:
    (first,) = write_records(store, [by_short_link()])
    (second,) = write_records(store, [by_long_link()])
    write_records(store, [by_page()])
    with store.connect() as connection:
        same_as = {row.id: row.same_as for row in connection.execute(select(Item.id, Item.same_as))}
        versions = connection.scalars(select(Version.item_id)).all()
        uids = {row.id: row.uid for row in connection.execute(select(Item.id, Item.uid))}
    assert same_as == {first.item_id: None, second.item_id: first.item_id}
    assert sorted(versions) == [first.item_id, second.item_id]
    joined = describe_item(store, uids[second.item_id])  # type: ignore[index]
    assert joined["same_as"] == uids[first.item_id]  # type: ignore[index]
    assert describe_item(store, LONG)["uid"] == uids[first.item_id]  # type: ignore[index]


def test_two_processes_that_store_the_same_articles_in_any_order_store_each_once(store: Engine) -> None:
    kinds = (by_long_link, by_short_link, by_page)

    def write(order: tuple[Any, ...]) -> None:
        for make in order:
            write_records(store, [make()])

    for _ in range(3):
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(write, list(permutations(kinds))[::2]))
        assert [addresses for _, addresses in shown(store)] == [{LONG_KEY, SHORT_KEY}]
        empty(store)


def test_a_link_that_is_given_to_another_article_of_the_site_joins_nothing(store: Engine) -> None:
    link = "https://t.example.cn/latest"
    for number in (1, 2):
        write_records(store, [make_record(number, entry=ListEntry(link, "x", None, 0))])
    assert [addresses for _, addresses in shown(store)] == [
        {"court.gov.cn:1", "url:t.example.cn/latest"},
        {"court.gov.cn:2"},
    ]


def test_two_articles_with_one_link_in_one_batch_are_two_items(store: Engine) -> None:
    entry = ListEntry("https://t.example.cn/latest", "x", None, 0)
    write_records(store, [make_record(number, entry=entry) for number in (1, 2, 1)])
    assert len(shown(store)) == 2


@pytest.mark.parametrize("kind", ["same", "another"])
def test_an_item_joined_to_another_brings_no_second_alert(store: Engine, kind: str) -> None:
    from pipeline.store.write import Match

    told = []

    def tell(_record: Record, event: str) -> list[Match]:
        told.append(event)
        return [Match("all", "log", "")]

    other = (
        by_page()
        if kind == "same"
        else make_record(1, url=SHORT, identity=LONG_KEY, body="另一个文本。" * 20)
    )
    write_records(store, [by_short_link()], tell)
    write_records(store, [by_long_link()], tell)
    write_records(store, [other], tell)
    # Before the page was read they were two reports of one story.
    assert [event for event in told if event != "joined"] == ["new", "new"] + (
        ["version 2"] if kind == "another" else []
    )


def test_a_withdrawn_link_of_a_joined_item_is_not_rechecked_twice(store: Engine) -> None:
    from pipeline.store.tables import Recheck

    write_records(store, [by_short_link()])
    write_records(store, [by_long_link()])
    write_records(store, [by_page()])
    with store.begin() as connection:
        connection.execute(update(Item).values(last_seen_at=Item.last_seen_at))
        planned = connection.scalars(select(Recheck.item_id).where(Recheck.due_at.is_not(None))).all()
    assert len(planned) == 1
