"""Which stored item a record is: met under any of its keys, whatever came first and whoever stored it.

All of it happens inside the write transaction (`pipeline.store.write`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update

from pipeline.normalize.identity import are_two_articles
from pipeline.record import Record
from pipeline.store.tables import Address, Item, Recheck, SearchDocument

Placed = tuple[int, Record, int]
"""A record with its place in the batch and the id of the item that was inserted for it."""


def find_stored(connection: Connection, addresses: set[str]) -> dict[str, Any]:
    """The stored items that have one of these addresses, by address; locked until the transaction ends."""
    query = (
        select(
            Address.address, Item.id, Item.identity, Item.title, Item.body, Item.content_sha256,
            Item.version_number, Item.reader, Item.first_seen_at, Item.last_seen_at,
        )
        .join(Item, Item.id == Address.item_id)
        .where(Address.address.in_(addresses))
        .order_by(Item.id)
        .with_for_update(of=Item, key_share=True)
    )  # fmt: skip
    return {row.address: row for row in connection.execute(query)}


def match_stored(record: Record, stored: Mapping[str, Any]) -> list[Any]:
    """The stored items that the record is, in the order in which they were stored.

    There are several where a page shows for the first time that they are one article: a short link of WeChat and a
    long one. A link that once led to another article of the site is no sign of that one.
    """
    found = {
        stored[address].id: stored[address]
        for address in record.addresses
        if address in stored and not are_two_articles(stored[address].identity, record.identity)
    }
    return [found[item_id] for item_id in sorted(found)]


def join_items(connection: Connection, first: int, others: Sequence[int]) -> None:
    """Let the item that was stored first stand for the others, under all of their keys. Nothing of them is lost but
    their search documents."""
    connection.execute(update(Address).where(Address.item_id.in_(others)).values(item_id=first))
    connection.execute(update(Item).where(Item.id.in_(others)).values(same_as=first))
    connection.execute(update(Item).where(Item.same_as.in_(others)).values(same_as=first))
    connection.execute(update(Recheck).where(Recheck.item_id.in_(others)).values(due_at=None))
    # A search finds the item that stands for them.
    connection.execute(delete(SearchDocument).where(SearchDocument.item_id.in_(others)))


def part_by_owner(
    connection: Connection, placed: Sequence[Placed]
) -> tuple[list[Placed], list[tuple[int, Record]]]:
    """Of items just inserted with their addresses, those that own all of them, and those that another process met.

    The rows of the latter are taken back: they are that process's item, seen again.
    """
    addresses = [address for _, record, _ in placed for address in record.addresses]
    query = (
        select(Address.address, Address.item_id, Item.identity)
        .join(Item, Item.id == Address.item_id)
        .where(Address.address.in_(addresses))
    )
    owners = {row.address: row for row in connection.execute(query)}
    kept: list[Placed] = []
    met: list[tuple[int, Record]] = []
    for place, record, item_id in placed:
        found = (owners[address] for address in record.addresses)
        if all(row.item_id == item_id or are_two_articles(row.identity, record.identity) for row in found):
            kept.append((place, record, item_id))
            continue
        connection.execute(delete(Address).where(Address.item_id == item_id))
        connection.execute(delete(Item).where(Item.id == item_id))
        met.append((place, record))
    return kept, met
