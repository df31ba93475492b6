"""The write transaction: what it stores, what it leaves alone, and that it is whole or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from crawlers.notice import ListEntry
from pipeline.record import Record
from pipeline.store import write
from pipeline.store.session import StoreError
from pipeline.store.tables import Address, Delivery, FactRow, Item, SearchDocument, Snapshot, Version
from pipeline.store.write import Match, write_records
from tests.notices import CONTEXT, make_record


def tell_anna(_record: Record, _event: str) -> Iterable[Match]:
    return [Match("all", "mail", "anna@example.org")]


def count(store: Engine, table: Any) -> int:
    with store.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_a_new_item_comes_with_all_its_rows(store: Engine) -> None:
    (written,) = write_records(store, [make_record(7)], tell_anna)
    assert (written.outcome, written.deliveries) == ("new", 1)
    assert [
        count(store, table) for table in (Item, Version, Address, SearchDocument, Snapshot, Delivery)
    ] == [1] * 6
    with store.connect() as connection:
        facts = {tuple(row) for row in connection.execute(select(FactRow.kind, FactRow.raw))}
    assert ("amount", "7万元") in facts


def test_the_same_item_again_changes_nothing_but_last_seen(store: Engine) -> None:
    write_records(store, [make_record(7)], tell_anna)
    (written,) = write_records(store, [make_record(7)], tell_anna)
    assert (written.outcome, written.deliveries) == ("known", 0)
    assert (count(store, Item), count(store, Version), count(store, Delivery)) == (1, 1, 1)


def test_one_identity_twice_in_a_batch_is_one_item(store: Engine) -> None:
    written = write_records(store, [make_record(7), make_record(8), make_record(7)])
    assert [result.outcome for result in written] == ["new", "new", "known"]
    assert written[0].item_id == written[2].item_id


def test_another_path_to_the_same_id_is_an_address_of_the_item(store: Engine) -> None:
    entry = ListEntry("http://mp.weixin.qq.com/s/AAAAAAAAAAAAAAAAAAAAAA", "x", None, 0)
    write_records(store, [make_record(7)])
    write_records(store, [make_record(7, entry=entry)])
    with store.connect() as connection:
        addresses = set(connection.scalars(select(Address.address)))
    assert addresses == {"court.gov.cn:7", "wechat-short:AAAAAAAAAAAAAAAAAAAAAA"}


def test_an_edit_is_a_version_and_the_first_copy_stays(store: Engine) -> None:
    first = make_record(7)
    edited = make_record(7, body=first.body.replace("赔偿7万元", "赔偿9万元"))
    write_records(store, [first], tell_anna)
    (written,) = write_records(store, [edited], tell_anna)
    assert written.outcome == "edited"
    with store.connect() as connection:
        versions = list(connection.execute(select(Version.number, Version.body).order_by(Version.number)))
        item: Any = connection.execute(select(Item.body, Item.version_number)).one()
        events = set(connection.scalars(select(Delivery.event)))
        amounts = set(connection.scalars(select(FactRow.raw).where(FactRow.kind == "amount")))
    assert [version.body for version in versions] == [first.body, edited.body]
    assert (item.body, item.version_number) == (edited.body, 2)
    assert events == {"new", "version 2"}
    assert amounts == {"9万元"}


def test_an_item_edited_twice_in_a_batch_under_several_addresses_has_both_versions(store: Engine) -> None:
    entry = ListEntry("http://mp.weixin.qq.com/s/AAAAAAAAAAAAAAAAAAAAAA", "x", None, 0)
    first = make_record(7, entry=entry)
    write_records(store, [first])
    second, third = (first.body.replace("赔偿7万元", f"赔偿{number}万元") for number in (9, 11))
    written = write_records(store, [make_record(7, body=second), make_record(7, entry=entry, body=third)])
    assert [result.outcome for result in written] == ["edited"] * 2
    with store.connect() as connection:
        bodies = connection.scalars(select(Version.body).order_by(Version.number)).all()
    assert bodies == [first.body, second, third]


def test_a_baseline_item_has_no_outbox_row(store: Engine) -> None:
    record = make_record(7, context=replace(CONTEXT, baseline=True))
    (written,) = write_records(store, [record], tell_anna)
    assert (written.outcome, count(store, Delivery)) == ("new", 0)


def test_a_failing_matcher_leaves_nothing_stored(store: Engine) -> None:
    def fail(_record: Record, _event: str) -> Iterable[Match]:
        raise LookupError("no such rule")

    with pytest.raises(LookupError):
        write_records(store, [make_record(7)], fail)
    assert [count(store, table) for table in (Item, Version, Address, Snapshot, Delivery)] == [0] * 5


def test_a_record_without_its_run_is_refused_as_a_store_error(store: Engine) -> None:
    with pytest.raises(StoreError, match="refused to store 1 notices"):
        write_records(store, [make_record(7, context=replace(CONTEXT, run_id=99))])
    assert count(store, Item) == 0


def test_two_writers_of_the_same_items_store_each_once(store: Engine) -> None:
    records = [make_record(number) for number in range(20)]
    with ThreadPoolExecutor(4) as pool:
        rounds = list(pool.map(lambda _: write_records(store, records, tell_anna), range(4)))
    outcomes = [result.outcome for written in rounds for result in written]
    assert (outcomes.count("new"), outcomes.count("known")) == (20, 60)
    assert (count(store, Item), count(store, Version), count(store, Delivery)) == (20, 20, 20)


def test_a_date_with_a_time_is_stored_as_an_instant_and_a_day_in_china(store: Engine) -> None:
    from crawlers.notice import PrintedDate

    late = make_record(7, dates=(PrintedDate("2026-11-19 00:30:00", "labelled text"),))
    write_records(store, [late])
    with store.connect() as connection:
        item: Any = connection.execute(
            select(Item.published_on, Item.published_at, Item.published_precision, Item.published_place)
        ).one()
    assert item.published_on.isoformat() == "2026-11-19"
    assert item.published_at.isoformat() == "2026-11-18T16:30:00+00:00"
    assert (item.published_precision, item.published_place) == ("second", "labelled text")


def test_an_item_without_a_readable_date_keeps_the_raw_text_and_no_date(store: Engine) -> None:
    from crawlers.notice import PrintedDate

    write_records(store, [make_record(7, dates=(PrintedDate("2023118日", "labelled text"),))])
    with store.connect() as connection:
        item: Any = connection.execute(select(Item.published_on, Item.published_at, Item.dates)).one()
    assert (item.published_on, item.published_at) == (None, None)
    assert item.dates[0]["raw"] == "2023118日"
    assert item.dates[0]["reason"]


@pytest.mark.parametrize(("losses", "whole"), [(4, True), (5, False)])
def test_what_postgresql_gave_up_for_another_writer_is_written_again(
    store: Engine, monkeypatch: pytest.MonkeyPatch, losses: int, whole: bool
) -> None:
    if store.dialect.name == "sqlite":
        pytest.skip("SQLite has no two writers at a time")
    lost: list[int] = []

    def lose_first(connection: Connection, *arguments: Any) -> Any:
        results = write_all(connection, *arguments)
        if len(lost) < losses:
            lost.append(1)
            connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$")
        return results

    write_all = write._write
    monkeypatch.setattr(write, "_write", lose_first)
    if whole:
        (written,) = write_records(store, [make_record(1)], tell_anna)
        assert written.outcome == "new"
    else:
        with pytest.raises(StoreError, match="refused to store 1 notices"):
            write_records(store, [make_record(1)], tell_anna)
    assert count(store, Item) == count(store, Delivery) == int(whole)
