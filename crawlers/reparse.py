"""Reads archived pages again after a reader was mended: corrects records, makes no versions and no alerts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from crawlers.archive import Archive, ArchiveError
from crawlers.errors import PageError
from crawlers.stored import read_again
from pipeline.store.tables import Item, Version
from pipeline.store.write import correct_item


@dataclass(frozen=True, slots=True)
class Reparsed:
    """What reading an item's newest page again gave: `same`, `corrected`, or `failed` with the reason."""

    uid: str
    url: str
    outcome: str
    reason: str | None


def reparse_items(engine: Engine, archive: Archive, *, source_key: str | None = None) -> Iterator[Reparsed]:
    """Read the archived page of every item again, one transaction an item.

    An item whose bytes are missing or can't be read any more keeps its record and is reported as failed.
    """
    query = select(Item.id).order_by(Item.id)
    if source_key is not None:
        query = query.where(Item.source_key == source_key)
    with engine.connect().execution_options(read_only=True) as connection:
        ids = list(connection.scalars(query))
    for item_id in ids:
        yield reparse_item(engine, archive, item_id)


def reparse_item(engine: Engine, archive: Archive, item_id: int) -> Reparsed:
    """Read the archived page of one item again, in a transaction of its own."""
    with engine.begin() as connection:
        return _reparse(connection, archive, item_id)


def _reparse(connection: Connection, archive: Archive, item_id: int) -> Reparsed:
    item: Any = connection.execute(
        select(Item).where(Item.id == item_id).with_for_update(key_share=True)
    ).one()
    try:
        record, version_id = read_again(connection, archive, item_id)
    except (ArchiveError, PageError) as error:
        return Reparsed(item.uid, item.url, "failed", str(error))
    correct_item(connection, record, item_id, item.first_seen_at)
    connection.execute(
        update(Version)
        .where(Version.id == version_id)
        .values(title=record.title, body=record.body, content_sha256=record.content_sha256)
    )
    after: Any = connection.execute(select(Item).where(Item.id == item_id)).one()
    same = tuple(item) == tuple(after)
    return Reparsed(item.uid, item.url, "same" if same else "corrected", None)
