"""Facts of the items that a search finds, one by one, with the sentence that says each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, or_, select

from pipeline.legal.fact import KINDS
from pipeline.legal.fact_key import read_out
from pipeline.sentence import sentence_around
from pipeline.store.tables import FactRow, Item
from query.errors import QueryError

Place = tuple[int, int, int]


def list_facts(
    engine: Engine,
    conditions: Sequence[ColumnElement[bool]],
    kinds: Sequence[str] = (),
    *,
    after: Place | None = None,
    limit: int,
) -> list[tuple[Place, dict[str, Any]]]:
    """Facts of these kinds (all when none is given) of the items that meet `query.search.find_conditions`, those of the
    newest item first, each with its place in this order; the list begins behind the place `after`.

    Raises QueryError for an unknown kind.
    """
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise QueryError(f"{unknown[0]!r} is no kind of fact; there are {', '.join(KINDS)}.")
    wanted = list(conditions)
    if kinds:
        wanted.append(FactRow.kind.in_(kinds))
    if after is not None:
        sort_key, item_id, fact_id = after
        wanted.append(
            or_(
                Item.sort_key < sort_key,
                and_(Item.sort_key == sort_key, Item.id < item_id),
                and_(Item.id == item_id, FactRow.id > fact_id),
            )
        )
    query = (
        select(
            FactRow.id, FactRow.kind, FactRow.raw, FactRow.value, FactRow.field, FactRow.start, FactRow.end,
            FactRow.method, Item.id.label("item_id"), Item.uid, Item.title, Item.body, Item.url, Item.source_key,
            Item.published_on, Item.sort_key,
        )
        .join(Item, Item.id == FactRow.item_id)
        .where(*wanted)
        .order_by(Item.sort_key.desc(), Item.id.desc(), FactRow.id)
        .limit(limit)
    )  # fmt: skip
    with engine.connect().execution_options(read_only=True) as connection:
        return [
            (
                (row.sort_key, row.item_id, row.id),
                {
                    "item": row.uid,
                    "title": row.title,
                    "url": row.url,
                    "source": row.source_key,
                    "published_on": row.published_on.isoformat() if row.published_on else None,
                    "kind": row.kind,
                    "reading": read_out(row.kind, row.value),
                    "raw": row.raw,
                    "value": row.value,
                    "field": row.field,
                    "start": row.start,
                    "end": row.end,
                    "method": row.method,
                    "sentence": sentence_around(getattr(row, row.field), row.start, row.end),
                },
            )
            for row in connection.execute(query)
        ]
