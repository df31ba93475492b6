"""Stored items in the order of a search, a few hundred at a time: memory doesn't grow with their number."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, select
from sqlalchemy.orm import aliased

from pipeline.store.health_tables import SourceHealth
from pipeline.store.story_tables import Story, StoryMember
from pipeline.store.tables import Address, FactRow, Item, Listed, Version
from pipeline.store.withdrawals import standing_withdrawals
from query.export.columns import NEEDS_BODY, Cell, Column, Stored

_CHUNK = 500
_COLUMNS = (
    "uid title url publisher publisher_zh publisher_en author source_key topics published_on published_at "
    "published_precision published_raw published_place published_method published_inferred dates_disagree "
    "content_sha256 version_number first_seen_at last_seen_at"
).split()


def stream_stored(
    engine: Engine, conditions: Sequence[ColumnElement[bool]], *, body: bool, limit: int | None = None
) -> Generator[Stored, None, None]:
    """The items that meet the conditions (`query.search.find_conditions`), newest first, as they were at one moment.

    Who doesn't read to the end closes it: it holds a connection."""
    options: dict[str, Any] = {"read_only": True}
    if engine.dialect.name == "postgresql":
        # SQLite reads one state for the whole transaction by itself.
        options["isolation_level"] = "REPEATABLE READ"
    ids = select(Item.id).where(*conditions).order_by(Item.sort_key.desc(), Item.id.desc()).limit(limit)
    with (
        engine.connect().execution_options(**options) as connection,
        connection.execution_options(yield_per=_CHUNK).scalars(ids) as found,
    ):
        for chunk in found.partitions():
            yield from _read(connection, list(chunk), body=body)


def stream_rows(columns: Sequence[Column], items: Iterator[Stored], rows: str) -> Iterator[list[Cell]]:
    """The cells of each row: one row an item, or with `facts` one a fact."""
    for stored in items:
        of_item = [stored] if rows == "items" else (replace(stored, fact=fact) for fact in stored.facts)
        for one in of_item:
            yield [column.read(one) for column in columns]


def needs_body(columns: Sequence[Column]) -> bool:
    """Whether these columns are read off the text of an item."""
    return not NEEDS_BODY.isdisjoint(column.name for column in columns)


def _read(connection: Connection, ids: list[int], *, body: bool) -> Iterator[Stored]:
    lead = aliased(Item)
    columns = [getattr(Item, name) for name in [*_COLUMNS, *(["body"] if body else [])]]
    query = (
        select(
            Item.id, *columns, Version.snapshot_sha256, lead.uid.label("lead"),
            SourceHealth.verdict.label("source_verdict"),
        )
        .join(Version, and_(Version.item_id == Item.id, Version.number == Item.version_number))
        .join(StoryMember, StoryMember.item_id == Item.id, isouter=True)
        .join(Story, Story.id == StoryMember.story_id, isouter=True)
        .join(lead, lead.id == Story.lead_id, isouter=True)
        .join(SourceHealth, SourceHealth.source_key == Item.source_key, isouter=True)
        .where(Item.id.in_(ids))
    )  # fmt: skip
    found = {row.id: row for row in connection.execute(query)}
    facts: dict[int, list[Any]] = {item_id: [] for item_id in ids}
    for fact in connection.execute(
        select(
            FactRow.item_id, FactRow.field, FactRow.kind, FactRow.raw, FactRow.value, FactRow.start,
            FactRow.end, FactRow.method,
        )
        .where(FactRow.item_id.in_(ids))
        .order_by(FactRow.field.desc(), FactRow.start, FactRow.id)
    ):  # fmt: skip
        facts[fact.item_id].append(fact)
    withdrawn = standing_withdrawals(connection, ids)
    inserted = {
        row.item_id: (row.first_seen_at, row.inserted)
        for row in connection.execute(
            select(Address.item_id, Listed.first_seen_at, Listed.inserted)
            .join(Listed, Listed.address == Address.address)
            .where(Address.item_id.in_(ids), Listed.inserted.is_not(None))
            # The first of an item is the last that is put in.
            .order_by(Listed.first_seen_at.desc(), Listed.source_key.desc())
        )
    }
    for item_id in ids:
        row = found[item_id]
        yield Stored(
            row, facts[item_id], row.snapshot_sha256, row.lead, withdrawn.get(item_id), inserted.get(item_id)
        )
